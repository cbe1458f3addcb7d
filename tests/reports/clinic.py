"""A practice of so many insurers, and `outcomes report` on each of them with a small notebook."""

import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from analysis.cli import app
from reports.made_practice import SAY, write_notebook

# What befalls the report on insurer P03 is told by a file that no report is made from, so that a
# rerun finds the others unchanged.
MISFIT = """
import os, pathlib, signal, threading
told = pathlib.Path(data_dir, "misfit")
misfit = told.read_text() if told.exists() and payer_id == "P03" else ""
if misfit == "exception":
    raise KeyError("DOE^JANE")
if misfit == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
if misfit == "hang":
    told.with_name("kernel").write_text(str(os.getpid()))
    threading.Event().wait()
if misfit == "memory":
    eaten = bytearray(900_000_000)
    threading.Event().wait()
"""
PRACTICE = """
made_up = true
as_of = 2026-04-15
memory_limit = "1600 MB"
[[exports]]
file = "visits.csv"
date_order = "MDY"
columns = { service_date = "Day", payer_id = "Payer", payer_name = "Name", patient = "Who", \
procedure_code = "Code", charge = "Charge", paid = "Paid" }
"""


class Clinic:
    """A practice of so many insurers, one claim each, and a notebook that reports on each."""

    def __init__(self, root: Path, n_insurers: int) -> None:
        self.root = root
        folders = ["--data-dir", f"{root}/data", "--reports-dir", f"{root}/reports"]
        self.command = ["report", "clinic", *folders, "--month", "2026-03", "--no-pdf"]
        self.command += ["--set", "minimum_cell_size=1"]
        raw = root / "data" / "raw" / "clinic"
        raw.mkdir(parents=True)
        (raw / "practice.toml").write_text(PRACTICE, encoding="utf-8")
        self.write_visits(n_insurers)
        self.write_notebook(SAY, MISFIT)

    def write_visits(self, n_insurers: int) -> None:
        rows = [
            f"03/{n % 28 + 1:02}/2026,P{n:02},Plan {n},W{n},97124,90,60" for n in range(n_insurers)
        ]
        header = "Day,Payer,Name,Who,Code,Charge,Paid"
        path = self.root / "data" / "raw" / "clinic" / "visits.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")

    def write_notebook(self, *cells: str) -> None:
        payer = 'payer_id: str = ""\n'
        write_notebook(self.root / "notebooks", "08_insurer_scorecard", *cells, parameters=payer)

    def befall(self, misfit: str) -> None:
        (self.root / "data" / "misfit").write_text(misfit, encoding="utf-8")

    def report(self, *words: str) -> tuple[int, str]:
        """Exit code and all that `outcomes report` said."""
        done = CliRunner().invoke(app, [*self.command, *words])
        if isinstance(done.exception, Exception):
            raise done.exception
        return done.exit_code, done.output

    def start(self) -> subprocess.Popen[str]:
        """The same command in a process of its own."""
        script = (
            "import pathlib, sys; from analysis import cli; from analysis.reports import publish\n"
            f"publish.project_folder = lambda: pathlib.Path({str(self.root)!r})\n"
            "cli.main()"
        )
        return subprocess.Popen(
            [sys.executable, "-c", script, *self.command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def month(self) -> Path:
        return self.root / "reports" / "clinic" / "2026-03"

    def published(self) -> dict[str, bytes]:
        """Every file of the month by its path; empty where there is no month."""
        files = [path for path in self.month.rglob("*") if path.is_file()]
        return {path.relative_to(self.month).as_posix(): path.read_bytes() for path in files}

    def pages(self) -> set[str]:
        return {page.stem for page in self.month.glob("insurers/*.html")}


def ran(output: str) -> int:
    """How many reports a run executed."""
    return len(re.findall(r"^\d+ of \d+: insurers/", output, re.MULTILINE))

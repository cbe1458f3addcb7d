"""One report among many fails: the others finish, it is named, and a rerun makes only that one."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from analysis.cli import app
from analysis.reports import publish
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
REASONS = {
    "exception": r"a defect of ours \(KeyError\); the traceback is in its executed notebook",
    "kill": "its kernel died, often for want of memory; try `--jobs 1`",
    "hang": "not done after [0-9.]+ minutes; `outcomes report --minutes` allows more",
    "memory": "it needed more than its share of the memory .0.8 GB.; .*memory_limit in .*",
}
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
        rows = [f"03/{n % 28 + 1:02}/2026,P{n:02},Plan {n},W{n},97124,90,60" for n in
                range(n_insurers)]  # fmt: skip
        header = "Day,Payer,Name,Who,Code,Charge,Paid"
        (raw / "visits.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        self.write_notebook(SAY, MISFIT)

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

    def pages(self) -> set[str]:
        return {page.stem for page in self.root.glob("reports/clinic/2026-03/insurers/*.html")}


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def make(n_insurers: int) -> Clinic:
        monkeypatch.setattr(publish, "project_folder", lambda: tmp_path)
        return Clinic(tmp_path, n_insurers)

    return make


def ran(output: str) -> int:
    """How many reports a run executed."""
    return len(re.findall(r"^\d+ of \d+: insurers/", output, re.MULTILINE))


def test_whatever_befalls_one_report_the_others_finish_and_a_rerun_makes_only_that_one(clinic):
    made = clinic(4)
    made.befall("exception")
    code, output = made.report()
    assert code == 3, output
    assert ran(output) == 4
    assert "plan-3-p03" not in made.pages()
    assert len(made.pages()) == 3
    for misfit in ("exception", "kill", "memory", "hang"):
        made.befall(misfit)
        code, output = made.report("--minutes", "0.1" if misfit == "hang" else "20")
        assert code == 3, output
        assert ran(output) == 1
        [sentence] = re.findall("^clinic: (.*)$", output, re.MULTILINE)
        assert re.fullmatch(f"insurers/plan-3-p03 could not be made: {REASONS[misfit]}", sentence)
        assert len(made.pages()) == 3
    assert "DOE" not in output
    made.befall("")
    code, output = made.report()
    assert (code, ran(output), len(made.pages())) == (0, 1, 4), output


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_ctrl_c_ends_the_kernels_and_leaves_the_earlier_month(clinic):
    made = clinic(4)
    assert made.report()[0] == 0
    month = made.root / "reports" / "clinic" / "2026-03"
    before = {path: path.read_bytes() for path in month.rglob("*") if path.is_file()}
    made.write_notebook(SAY, "# changed", MISFIT)
    made.befall("hang")
    with made.start() as running:
        # The others are done once three lines are told; then only the hang is left.
        while not running.stdout.readline().startswith("3 of 4"):
            assert running.poll() is None, running.stderr.read()
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert said == "outcomes: stopped; what was published before is as it was\n"
    after = {path: path.read_bytes() for path in month.rglob("*") if path.is_file()}
    assert before == after
    assert not psutil.pid_exists(int((made.root / "data" / "kernel").read_text()))


def test_a_run_of_some_reports_keeps_the_names_of_others_that_failed(clinic):
    made = clinic(4)
    made.befall("exception")
    assert made.report()[0] == 3
    made.befall("")
    code, output = made.report("--set", "payer_id=P01", "--set", "minimum_cell_size=2")
    assert (code, ran(output)) == (0, 1), output
    index = (made.root / "reports" / "clinic" / "2026-03" / "index.html").read_text("utf-8")
    assert "a defect of ours (KeyError)" in index
    assert made.report()[0] == 0
    index = (made.root / "reports" / "clinic" / "2026-03" / "index.html").read_text("utf-8")
    assert "a defect of ours" not in index


@pytest.mark.slow
@pytest.mark.parametrize("misfit", ["exception", "kill", "hang"])
def test_of_fifty_reports_forty_nine_finish(clinic, misfit):
    made = clinic(50)
    made.befall(misfit)
    code, output = made.report("--minutes", "1")
    assert (code, ran(output), len(made.pages())) == (3, 50, 49), output
    assert re.search(f"^clinic: insurers/plan-3-p03 could not be made: {REASONS[misfit]}$",
                     output, re.MULTILINE)  # fmt: skip
    made.befall("")
    code, output = made.report()
    assert (code, ran(output), len(made.pages())) == (0, 1, 50), output

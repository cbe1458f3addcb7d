"""The same input on two machines, differently set up and with secret keys of their own."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis import synthetic
from analysis.config import Folders

SCRIPT = """
import os, sys
from analysis import cli
n_cpus = int(sys.argv.pop(1))
if hasattr(os, "sched_setaffinity"):
    # As many threads as processors: so DuckDB decides, and what it runs on.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n_cpus])
cli.main()
"""
ONE = {"TZ": "America/Los_Angeles", "LC_ALL": "C", "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"}
OTHER = {
    "TZ": "Pacific/Kiritimati",
    # Where this is not installed, the program falls back on C by itself.
    "LC_ALL": "de_DE.UTF-8",
    "PYTHONHASHSEED": "4711",
    "OMP_NUM_THREADS": "4",
}


def published(folders: Folders, settings: dict[str, str], n_cpus: int) -> dict[str, bytes]:
    """findings.json and every table of a month, built from raw under these settings."""
    where = ["--data-dir", str(folders.data_dir), "--reports-dir", str(folders.reports_dir)]
    command = [sys.executable, "-c", SCRIPT, str(n_cpus), "report", "clinic", "--no-pdf", *where]
    done = subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    [month] = [path for path in folders.reports.iterdir() if path.is_dir()]
    files = [month / "findings.json", *sorted((month / "tables").rglob("*.*"))]
    return {path.relative_to(month).as_posix(): path.read_bytes() for path in files}


@pytest.mark.slow
def test_time_zone_locale_hash_seed_threads_and_order_of_rows_change_no_byte(tmp_path: Path):
    one, other = (
        Folders(tmp_path / name / "data", tmp_path / name / "reports", "clinic")
        for name in ("one", "other")
    )
    synthetic.synthesize("clinic", data_dir=one.data_dir, n_claims=400, n_months=9)
    first = published(one, ONE, 1)
    shutil.copytree(one.raw, other.raw)
    for path in sorted(other.raw.glob("*.csv")):
        header, *rows = path.read_text("utf-8").splitlines(keepends=True)
        random.Random(7).shuffle(rows)
        path.write_text("".join([header, *rows]), encoding="utf-8")
    second = published(other, OTHER, 64)
    assert len(first) > 20
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []

"""The command as people run it: in its own process, with its exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest


def outcomes(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "analysis", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def loaded(*words: str) -> set[str]:
    """The packages that a command has loaded when it ends."""
    script = (
        f"import sys; sys.argv = ['outcomes', *{words!r}]\n"
        "from analysis import cli\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print('LOADED', *(name for name, module in sys.modules.items() if module))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.partition("LOADED ")[2].split())


# Nothing of a report or a model is needed to answer these.
HEAVY = {"pandas", "sklearn", "matplotlib", "papermill", "scipy"}


def test_help_loads_nothing_heavy() -> None:
    assert not loaded("--help") & (HEAVY | {"duckdb", "pyarrow"})


def test_check_loads_nothing_that_reading_does_not_need(tmp_path: Path) -> None:
    made = outcomes("synthesize", "clinic", "--claims", "20", "--data-dir", str(tmp_path))
    assert made.returncode == 0, made.stderr
    modules = loaded("check", "clinic", "--data-dir", str(tmp_path))
    assert "pyarrow" in modules
    assert not modules & HEAVY


def test_an_unknown_practice_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "raw" / "demo").mkdir(parents=True)
    done = outcomes("build", "dmeo", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert "did you mean 'demo'" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_tells_how_it_understood_an_export_and_proposes_where_it_does_not(
    tmp_path: Path,
) -> None:
    raw = tmp_path / "raw" / "clinic"
    raw.mkdir(parents=True)
    known = (
        "DOS,Service/CPT Code,Client,Charge,Insurance/Agency Payments\n2026-03-16,97124,A,90,60\n"
    )
    (raw / "known.csv").write_text(known, encoding="utf-8")
    (raw / "other.csv").write_text("Visit Date,Fee\n2026-03-16,90\n", encoding="utf-8")
    done = outcomes("check", "clinic", "--data-dir", str(tmp_path))
    assert done.returncode == 3
    assert "known.csv: read as Therabill, Session Balance, guessed from its header" in done.stdout
    assert 'columns = { service_date = "Visit Date", charge = "Fee" }' in done.stdout


def test_a_new_practice_is_started_checked_and_built_empty(tmp_path: Path) -> None:
    folder = ["--data-dir", str(tmp_path)]
    assert outcomes("init", "clinic", *folder).returncode == 0
    assert (tmp_path / "raw" / "clinic" / "practice.toml").exists()
    before = sorted(p.name for p in tmp_path.rglob("*"))
    assert outcomes("check", "clinic", *folder).returncode == 0
    assert sorted(p.name for p in tmp_path.rglob("*")) == before
    done = outcomes("build", "clinic", *folder)
    assert done.returncode == 2
    assert "put 837 or 835 files" in done.stderr


def test_an_unreadable_file_is_set_aside_and_told(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "clinic"
    raw.mkdir(parents=True)
    (raw / "holiday.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a claim")
    done = outcomes("check", "clinic", "--data-dir", str(tmp_path))
    assert done.returncode == 3
    assert "holiday.jpg" in done.stdout


@pytest.mark.parametrize("setting", ["minimum_cell_size", "=11"])
def test_a_setting_without_a_value_is_refused(tmp_path: Path, setting: str) -> None:
    (tmp_path / "raw" / "demo").mkdir(parents=True)
    done = outcomes("report", "demo", "--set", setting, "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert "KEY=VALUE" in done.stderr


def test_a_worklist_counts_from_the_day_named_and_refuses_what_is_no_day(tmp_path: Path) -> None:
    folder = ["--data-dir", str(tmp_path)]
    assert (
        outcomes("synthesize", "clinic", "--claims", "40", "--months", "4", *folder).returncode == 0
    )
    refused = outcomes("worklist", "clinic", "--as-of", "30.9.2026", *folder)
    assert refused.returncode == 2
    assert "YYYY-MM-DD" in refused.stderr
    done = outcomes("worklist", "clinic", "--as-of", "2026-09-30", *folder)
    assert done.returncode == 0, done.stderr
    assert "to act on, worth about" in done.stdout
    assert (tmp_path / "private" / "clinic" / "worklist.xlsx").exists()

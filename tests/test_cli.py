"""The command as people run it: in its own process, with its exit codes."""

import csv
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from analysis import tables


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


def test_build_fits_the_model_without_packages_that_take_longer_to_load(tmp_path: Path) -> None:
    made = outcomes("synthesize", "clinic", "--claims", "20", "--data-dir", str(tmp_path))
    assert made.returncode == 0, made.stderr
    modules = loaded("build", "clinic", "--data-dir", str(tmp_path))
    assert "analysis.models.mixed_effects" in modules
    assert not modules & {"sklearn", "scipy.optimize", "scipy.stats", "scipy.interpolate"}


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
    assert '[exports.columns]\nservice_date = "Visit Date"\ncharge = "Fee"' in done.stdout


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


_ANSWER = (
    "ISA*00*          *00*          *ZZ*A              *ZZ*B              "
    "*240201*1200*^*00501*000000007*0*P*:~GS*HP*A*B*20240201*1200*5*X*005010X221A1~ST*835*1~"
    "BPR*I*{deposit}*C*ACH************20240201~TRN*1*CHECK1*1999999999~N1*PR*KIND MUTUAL~"
    "CLP*A1*1*100*{paid}**12*ICN1~CAS*CO*45*40~NM1*QC*1*HARROWGATE*QUILLIAM****MI*MEMBER77123~"
    "DTM*232*20240110~SE*9*1~GE*1*5~IEA*1*000000007~"
)
_OF_THE_PATIENT = ("HARROWGATE", "QUILLIAM", "MEMBER77123")


def test_a_corrected_file_read_again_leaves_the_quarantine_empty(tmp_path: Path) -> None:
    """What is set aside stands in a private file that people can read, until it is mended."""
    era = tmp_path / "raw" / "clinic" / "june.835"
    era.parent.mkdir(parents=True)
    era.write_text(_ANSWER.format(deposit="60", paid="6O.00"), encoding="utf-8")
    done = outcomes("build", "clinic", "--data-dir", str(tmp_path))
    assert done.returncode == 3
    assert "june.835, segment 7: CLP04 holds no amount" in done.stdout

    quarantine = tmp_path / "private" / "clinic" / "quarantine.csv"
    with quarantine.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["file_name"], row["record"], row["position"]) == ("june.835", "CLP", "1")
    assert "june.835, segment 7: CLP04 holds no amount" in row["reason"]
    if os.name == "posix":
        assert stat.S_IMODE(quarantine.stat().st_mode) == 0o600
        assert stat.S_IMODE(quarantine.parent.stat().st_mode) == 0o700

    era.write_text(_ANSWER.format(deposit="61", paid="60"), encoding="utf-8")
    again = outcomes("build", "clinic", "--data-dir", str(tmp_path))
    assert again.returncode == 0
    with quarantine.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.DictReader(file)) == []
    # The deposit of the payment that begins at segment 3 is a dollar too much: kept and marked.
    (off,) = tables.read(tmp_path / "processed" / "clinic", "imbalances").to_pylist()
    place = [off[name] for name in ("check_name", "file_name", "segment", "difference_cents")]
    assert place == ["deposit", "june.835", 3, 100]

    said = done.stdout + done.stderr + again.stdout + again.stderr
    written = [path.read_bytes() for path in _files_below(tmp_path, but=era.parent)]
    for word in _OF_THE_PATIENT:
        assert word not in said
        assert not any(word.encode() in content for content in written)


def _files_below(folder: Path, but: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and but not in p.parents]


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

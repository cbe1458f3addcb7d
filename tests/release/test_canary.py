"""One patient who can be told from all others goes through every stage, and is found nowhere.

Private are the folders below data/; of those only raw/ and private/ may know who a patient is.
"""

import base64
import csv
import io
import re
import zipfile
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis import synthetic
from analysis.cli import app
from analysis.release import contribution
from release import traces
from release.conftest import reads_pdf
from release.test_contribution import written
from release.test_pooling import alike

BORN = date(1931, 9, 17)
FIRST, LAST, MEMBER, CLAIM = "Quintessa", "Zzyzxova", "CNRY77018X", "ZQX"
PERSON = [FIRST, LAST, MEMBER, "Kestrelmoor", "unicycle", *traces.ways_to_write(BORN)]


@dataclass(frozen=True)
class Run:
    """What every command said and where it wrote."""

    root: Path
    said: str
    exits: dict[str, int]
    claims: list[str]


def planted(raw: Path) -> list[str]:
    """Make one patient of the files the canary; her claims' control numbers."""
    texts = {p: p.read_text("utf-8", errors="surrogateescape") for p in sorted(raw.iterdir())}
    numbers = set()
    for text in texts.values():
        for loop in re.findall(r"PATIENT\*N000018\*.*?(?=NM1\*IL|\Z)", text, re.DOTALL):
            numbers |= set(re.findall(r"CLM\*(C\d+)", loop))
    assert numbers
    for path, text in texts.items():
        told = re.sub(r"(PATIENT\*N000018\*.*?DMG\*D8\*)\d{8}", rf"\g<1>{BORN:%Y%m%d}", text,
                      flags=re.DOTALL)  # fmt: skip
        told = re.sub(r"PATIENT([*|])N000018", rf"{LAST.upper()}\1{FIRST.upper()}", told)
        told = re.sub(r"(MI[*|]|,)000000018\b", rf"\g<1>{MEMBER}", told)
        told = told.replace("18 SAMPLE AVENUE", "77 KESTRELMOOR LANE")
        told = told.replace("PLAN OF CARE ON FILE", "FELL FROM A UNICYCLE")
        for number in numbers:
            told = told.replace(number, f"{CLAIM}{number[1:]}")
        path.write_text(told, "utf-8", errors="surrogateescape", newline="")
    return [f"{CLAIM}{number[1:]}" for number in sorted(numbers)]


def damaged(raw: Path, claim: str) -> None:
    """Files that are set aside: an export nobody knows, a torn 835, a record with bad values."""
    with (raw / "old_billing.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["patient", "dob", "memo", "claim", "amount"])
        rows.writerow([f"{LAST}, {FIRST}", f"{BORN:%m/%d/%Y}", "fell from a unicycle", claim, "x"])
    whole = next(p for p in sorted(raw.glob("*.835")) if LAST.upper() in p.read_text("utf-8"))
    text = whole.read_text("utf-8")
    end = text.index(LAST.upper()) + 40
    (raw / "torn.835").write_text(text[:end], encoding="utf-8")
    calls = raw / "benefit_calls.csv"
    line = f"{FIRST} {LAST},{BORN:%Y-%m-%d},unicycle,{MEMBER}"
    calls.write_text(calls.read_text("utf-8").rstrip("\n") + f"\n{line}\n", encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("canary")
    data, reports = root / "data", root / "reports"
    synthetic.synthesize("made", data_dir=data, n_claims=2_000)
    claims = planted(data / "raw" / "made")
    damaged(data / "raw" / "made", claims[0])
    folders = ["--data-dir", str(data), "--reports-dir", str(reports)]
    said, exits = [], {}

    def outcomes(*words: str) -> None:
        done = CliRunner().invoke(app, [*words, *folders])
        said.append(f"{done.output}{done.exception or ''}")
        exits[words[0]] = done.exit_code

    public = root / "public"
    outcomes("check", "made")
    outcomes("build", "made")
    outcomes("report", "made", "--jobs", "1")
    outcomes("worklist", "made", "--as-of", "2026-10-01")
    outcomes("codes", "made")
    outcomes("contribute", "made", "--to", str(public / "made.json"), "--uncrossed")
    outcomes("release", "made", "--to", str(public / "release"))
    own = contribution.read_checked(public / "made.json").contribution
    same = {f: asdict(own)[f] for f in ("last", "definition", "maturity", "is_made_up", "program")}
    others = [written(root, replace(alike(n)[0], **same)) for n in range(1, 6)]
    given = [str(public / "made.json"), *map(str, others)]
    outcomes("pool", *given, "--to", str(public / "pool"), "--merge-below", "0")
    outcomes("verify", str(public / "pool"))
    return Run(root, "\n".join(said), exits, claims)


@pytest.mark.slow
def test_every_stage_ran(run: Run) -> None:
    assert run.exits["build"] == 3, run.said
    assert {name for name, code in run.exits.items() if code not in (0, 3)} == set(), run.said
    for name in ("reports/made", "public/release", "public/pool"):
        suffixes = {path.suffix for path in (run.root / name).rglob("*")}
        assert {".html", ".pdf", ".csv", ".json"} <= suffixes, name
    raw = b"".join(p.read_bytes() for p in (run.root / "data/raw/made").iterdir()).decode("latin-1")
    for trace in (FIRST, LAST, MEMBER, "kestrelmoor", "unicycle", f"{BORN:%Y%m%d}", run.claims[0]):
        assert trace.casefold() in raw.casefold(), trace


@reads_pdf
@pytest.mark.slow
def test_she_is_in_no_file_outside_the_private_folders(run: Run) -> None:
    everything = [*PERSON, *run.claims]
    left = {}
    for folder in ("reports", "public"):
        for path in (run.root / folder).rglob("*"):
            if path.is_file() and (found := traces.found_in(path, everything)):
                left[path.relative_to(run.root).as_posix()] = found
    assert left == {}


@pytest.mark.slow
def test_who_she_is_ends_at_intake(run: Run) -> None:
    processed = run.root / "data/processed"
    import pyarrow.parquet as pq

    for path in processed.rglob("*.parquet"):
        told = str(pq.read_table(path).to_pylist()).casefold()
        # Only words: a birth date may be the date of something else.
        names = [FIRST, LAST, MEMBER, "kestrelmoor", "unicycle"]
        assert not [name for name in names if name.casefold() in told], path.name


@pytest.mark.slow
def test_no_command_said_who_she_is(run: Run) -> None:
    said = run.said.casefold()
    assert "made" in said
    assert not [trace for trace in [*PERSON, *run.claims] if trace.casefold() in said]


def test_the_search_finds_what_is_packed(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/sharedStrings.xml", "<t>O&#39;QUINTESSA</t>")
    wrapped = b"<img src='data:x;base64," + base64.b64encode(packed.getvalue()) + b"'>"
    (tmp_path / "page.html").write_bytes(wrapped)
    assert traces.found_in(tmp_path / "page.html", [FIRST, LAST]) == [FIRST]
    (tmp_path / "zzyzxova.txt").write_text("born 17 September 1931", encoding="utf-8")
    found = traces.found_in(tmp_path / "zzyzxova.txt", PERSON)
    assert found == [LAST, "17 September 1931"]

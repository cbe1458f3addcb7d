"""Which months a release counts after others, and what is said where they are too few."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.errors import GateRefused, UsageError
from analysis.release import publishing, verify
from analysis.release.ledger import Ledger
from analysis.release.months import Months, chosen
from analysis.release.publishing import Asked
from release.conftest import Made
from release.test_verify import write_ledger, write_sums

FIRST = {1: Months("2024-01", "2025-12")}
BOTH = {**FIRST, 2: Months("2026-01", "2026-06")}


@pytest.mark.parametrize(
    ("last", "since", "corrects", "earlier", "first"),
    [
        ("2025-12", "", 0, {}, "2023-11"),
        ("2026-03", "", 0, FIRST, "2026-01"),
        ("2026-09", "", 0, BOTH, "2026-07"),
        ("2026-06", "", 0, BOTH, "2026-01"),
        ("2026-05", "", 2, BOTH, "2026-01"),
        ("2026-03", "2024-01", 0, FIRST, "2024-01"),
    ],
)
def test_a_release_begins_where_the_last_one_ended_unless_months_are_counted_again(
    last: str, since: str, corrects: int, earlier: dict[int, Months], first: str
) -> None:
    assert chosen(last, since, corrects, earlier, "2023-11") == Months(first, last)


@pytest.mark.parametrize("since", ["2024-01", "2025-12", "2026-02"])
def test_months_counted_twice_by_releases_that_begin_differently_are_refused(since: str) -> None:
    with pytest.raises(GateRefused, match=r"release \d counts .*`--from 2026-0[17]`\)$"):
        chosen("2026-09", since, 0, BOTH, "2024-01")


def test_a_first_month_after_the_last_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="after 2026-03"):
        chosen("2026-03", "2026-05", 0, FIRST, "2024-01")


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Made:
    """The practice with its two releases, in folders of its own."""
    copy = Path(shutil.copytree(made.folders.data_dir, tmp_path / "data"))
    return replace(made, folders=replace(made.folders, data_dir=copy))


@pytest.fixture
def once(copied: Made) -> Made:
    """The practice with its first release alone, through June."""
    path = publishing.ledger_of([copied.folders]).folder / verify.LEDGER
    path.write_text(path.read_text("utf-8").splitlines()[0] + "\n", encoding="utf-8")
    return copied


def test_too_few_new_claims_are_refused_saying_what_would_hold(once: Made, tmp_path: Path) -> None:
    with pytest.raises(GateRefused) as refused:
        publishing.release(Asked([once.folders], "2026-07", tmp_path / "out"), lambda _: None)
    said = str(refused.value)
    assert "% of the counts of July 2026 would be withheld, more than a quarter" in said
    assert "wait" in said
    assert "add `--from 2024-10`" in said
    assert not (tmp_path / "out").exists()


def test_answers_that_came_since_do_not_change_a_release(copied: Made, tmp_path: Path) -> None:
    asked = Asked([copied.folders], "2026-06", tmp_path / "out")
    with pytest.raises(GateRefused, match="release 2 counts October 2024 to June 2026 already"):
        publishing.release(asked, lambda _: None)


@pytest.mark.slow
def test_new_months_are_released_by_themselves(once: Made, tmp_path: Path) -> None:
    asked = Asked([once.folders], "2026-07", tmp_path / "out", merge_below=0)
    later = publishing.release(asked, lambda _: None)
    assert later.number == 2
    assert verify.problems(later.folder) == []
    assert not (later.folder / "earlier").exists()
    counts = verify.counts_of(2, verify.read_tables(later.folder / "tables"))
    assert {cell.quarter for cell in counts} == {verify.ALL, "2026 Q3"}
    again = publishing.release(replace(asked, merge_below=None), lambda _: None)
    assert (again.number, again.is_again) == (2, True)


def test_a_release_without_the_earlier_one_of_its_months_is_named(released: Path) -> None:
    shutil.rmtree(released / "earlier")
    write_ledger(released)
    write_sums(released)
    assert "earlier/1: missing, though it counts the same months" in verify.problems(released)


def test_a_ledger_that_notes_no_months_is_refused_with_what_to_do(tmp_path: Path) -> None:
    entry = {"kind": "release", "release": 1, "previous": "0" * 64}
    (tmp_path / verify.LEDGER).write_text(json.dumps(entry) + "\n", encoding="utf-8")
    with pytest.raises(GateRefused, match=r"entry 1 .* put that folder aside"):
        _ = Ledger(tmp_path).months

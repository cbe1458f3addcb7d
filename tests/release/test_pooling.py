"""Pools: what they tell nobody, what they refuse, what a contributor learns of the others."""

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from analysis.config import Folders
from analysis.errors import GateRefused, UsageError
from analysis.release import (
    attacker,
    contribution,
    counted,
    gate,
    package,
    pooling,
    summed,
    verify,
)
from analysis.release.contribution import Contribution
from analysis.release.counted import Counted
from release import contributor
from release.test_contribution import made_up, written
from release.test_gate import claims


def read(folder: Path, given: Iterable[Contribution]) -> list[Path]:
    return [written(folder, one) for one in given]


def alike(seed: int, below: int = 100, n: int = 0) -> tuple[Contribution, Counted, pd.DataFrame]:
    """A practice that merges its small insurers and conditions, as `contribute` does."""
    frame = claims(n or 700 + 40 * seed, seed, n_insurers=5, n_conditions=4)
    categories = counted.merged(frame, below)
    now = counted.count(frame, categories, 1, "then", date(2025, 12, 31))
    tables = package.tables(now, gate.hide(now, []))
    lines = {name: content.decode().splitlines() for name, content in tables.items()}
    return replace(made_up(1, 60), contributor=f"{seed:016x}", tables=lines), now, frame


def pooled_tables(
    folder: Path, given: list[Contribution], *, is_crossed: bool = True
) -> summed.Pooled:
    """The pool's tables in `folder`, as `pool` makes them."""
    checked = [contribution.read_checked(path) for path in read(folder, given)]
    merged = summed.put_together(checked, 1, is_crossed=is_crossed)
    now = merged.counted(2.0, "then", date(2025, 12, 31))
    hidden = summed.withheld(now, merged)
    (folder / "tables").mkdir(exist_ok=True)
    for name, content in package.tables(now, hidden).items():
        (folder / "tables" / name).write_bytes(content)
    return merged


def true_parts(merged: summed.Pooled, truth: Counted) -> dict[contributor.Key, int]:
    """A practice's own true counts in the pool's cells."""
    part = dict.fromkeys(merged.parts[0], 0)
    insurers, conditions = merged.categories.insurers, merged.categories.conditions
    for cell, value in truth.values.items():
        at = cell._replace(
            insurer=cell.insurer
            if cell.insurer in (verify.ALL, *insurers)
            else counted.OTHER_INSURERS,
            condition=cell.condition
            if cell.condition in (verify.ALL, *conditions)
            else counted.OTHER_CONDITIONS,
        )
        if at in part:
            part[at] += value
    first, second = verify.TABLES
    found = {}
    for cell, value in part.items():
        if cell.quarter == verify.ALL:
            found[(first, cell.insurer, cell.condition, cell.outcome)] = value
        if cell.condition == verify.ALL:
            found[(second, cell.insurer, cell.quarter, cell.outcome)] = value
    return found


@pytest.mark.parametrize(("seed", "is_crossed"), [(1, True), (2, True), (1, False)])
def test_a_contributor_who_subtracts_his_own_learns_no_small_count_of_another(
    seed: int, is_crossed: bool, tmp_path: Path
) -> None:
    made = [alike(10 * seed + n, below=0, n=500 * seed) for n in range(3)]
    given = [one for one, *_ in made]
    merged = pooled_tables(tmp_path, given, is_crossed=is_crossed)
    true = [true_parts(merged, now) for _, now, _ in made]
    shown = contributor.published(tmp_path)
    small = {key for others in true[1:] for key, n in others.items() if 0 < n < 11}
    assert small
    assert any(value is not None for value in shown.values())
    for attacker_ in (0, 2):
        found = contributor.ranges_of_the_others(tmp_path, true[attacker_])
        for key, (least, most) in found.items():
            parts = [own[key] for n, own in enumerate(true) if n != attacker_]
            assert least - 0.5 <= sum(parts) <= most + 0.5
            if any(0 < n < 11 for n in parts):
                # He can give 11 or more to every one of them, so none is proven small.
                assert most >= 11, key
                assert most - least >= 1, key


def test_a_pool_of_true_counts_would_tell_a_contributor(tmp_path: Path) -> None:
    # What a trusted pooler would publish: his own gate, on the sums of all true counts.
    made = [alike(n, below=0, n=400) for n in range(3)]
    merged = pooled_tables(tmp_path, [one for one, *_ in made])
    true = [true_parts(merged, now) for _, now, _ in made]
    first, second = verify.TABLES
    sums = {}
    for cell in merged.parts[0]:
        key = (first, cell.insurer, cell.condition, cell.outcome)
        if cell.quarter != verify.ALL:
            key = (second, cell.insurer, cell.quarter, cell.outcome)
        sums[cell] = sum(own[key] for own in true)
    now = Counted(sums, merged.categories, 2.0, "then", date(2025, 12, 31))
    for name, content in package.tables(now, gate.hide(now, [])).items():
        (tmp_path / "tables" / name).write_bytes(content)
    found = contributor.ranges_of_the_others(tmp_path, true[0])
    assert [key for key, (_, most) in found.items() if 0 < most < 11]


def test_a_shown_count_keeps_the_contributor_rules(tmp_path: Path) -> None:
    made = [alike(n) for n in range(1, 5)]
    merged = pooled_tables(tmp_path, [one for one, *_ in made])
    n_shown = 0
    for key, value in contributor.published(tmp_path).items():
        parts = sorted((true_parts(merged, now)[key] for _, now, _ in made), reverse=True)
        if value:
            n_shown += 1
            assert sum(n > 0 for n in parts) >= 3, key
            assert value - parts[0] - parts[1] >= 0.2 * parts[0], key
            assert value == sum(parts)
    assert n_shown > 20


def test_a_dominant_practice_is_withheld_from_the_second_largest(tmp_path: Path) -> None:
    made = [alike(n) for n in range(1, 4)]
    frame = claims(9_000, 99, n_insurers=5, n_conditions=4)
    categories = counted.merged(frame, 100)
    large = counted.count(frame, categories, 1, "then", date(2025, 12, 31))
    lines = {
        name: content.decode().splitlines()
        for name, content in package.tables(large, gate.hide(large, [])).items()
    }
    given = [one for one, *_ in made]
    given.append(replace(given[0], contributor="f" * 16, tables=lines))
    merged = pooled_tables(tmp_path, given)
    total = verify.Cell(1, verify.ALL, verify.ALL, verify.ALL, "answered")
    assert merged.apart()[total] > 0
    first = next(iter(verify.TABLES))
    assert contributor.published(tmp_path)[(first, "all", "all", "answered")] is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"definition": "paid more than nothing"}, "different definitions of an approval"),
        ({"maturity": "older than 30 days"}, "different rules of how old"),
        ({"last": "2025-08"}, "different last months"),
        ({"program": "0.0.9"}, "different versions of the program"),
        ({"is_made_up": False}, "some made up and some real"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    given = [alike(n)[0] for n in range(1, 4)]
    given[1] = replace(given[1], **change)  # type: ignore[arg-type]
    with pytest.raises(GateRefused, match=reason) as refused:
        pooling.pool(read(tmp_path, given), tmp_path / "out", home(tmp_path), lambda _: None)
    assert refused.value.exit_code == 4
    assert not (tmp_path / "out").exists()


def test_one_contributor_twice_is_refused_under_another_name_too(tmp_path: Path) -> None:
    given = [alike(n)[0] for n in range(1, 4)]
    files = read(tmp_path, given)
    with pytest.raises(GateRefused, match="of one contributor"):
        pooling.pool([*files, files[0]], tmp_path / "out", home(tmp_path), lambda _: None)
    other = written(tmp_path, replace(given[0], contributor="e" * 16))
    with pytest.raises(GateRefused, match="of one contributor"):
        pooling.pool([*files, other], tmp_path / "out", home(tmp_path), lambda _: None)


def test_two_contributions_are_too_few(tmp_path: Path) -> None:
    files = read(tmp_path, [alike(n)[0] for n in (1, 2)])
    with pytest.raises(GateRefused, match="at least 3 are needed"):
        pooling.pool(files, tmp_path / "out", home(tmp_path), lambda _: None)


def home(folder: Path) -> Folders:
    return Folders(folder / "data", folder / "reports", pooling.HOME)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool of six, made by the command's function; beside it the files it was made of."""
    folder = tmp_path_factory.mktemp("pool")
    files = read(folder, [alike(n)[0] for n in range(1, 7)])
    pooling.pool(files, folder / "out", home(folder), lambda _: None, 0)
    return folder


def test_a_pool_is_a_release_that_holds(pool: Path) -> None:
    assert verify.problems(pool / "out") == []
    found = json.loads((pool / "out" / "findings.json").read_text("utf-8"))
    spread = found["between_practices"]
    assert spread[0]["denominator"] == 6
    assert spread[0]["number"] == len(found["findings"]) + 1
    assert "In the typical one of 6 practices" in spread[0]["sentence"]
    page = (pool / "out" / verify.PAGE).read_text("utf-8")
    assert f"Finding {spread[0]['number']}. In the typical one" in page
    assert "p%-rule" in (pool / "out" / "README.md").read_text("utf-8")


def test_a_sparse_pool_is_refused_and_each_proposal_shows_most_counts(
    pool: Path, tmp_path: Path
) -> None:
    files = sorted(pool.glob("*.json"))
    with pytest.raises(GateRefused, match="one of the 6 practices withholds") as refused:
        pooling.pool(files, tmp_path / "out", home(tmp_path), lambda _: None)
    assert not (tmp_path / "out").exists()
    proposed = re.findall(r"(\d+)%, add `(.+?)`", str(refused.value))
    assert [options for _, options in proposed][1:] == ["--uncrossed", "--merge-below 0"]
    one_by_one = pooling.pool(
        files, tmp_path / "out", home(tmp_path), lambda _: None, is_crossed=False
    )
    assert verify.problems(one_by_one.folder) == []
    assert one_by_one.n_hidden <= one_by_one.n_cells / 4
    read = verify.read_tables(one_by_one.folder / "tables")
    rows = [row for table in read.values() for row in table]
    assert {row.insurer for row in rows} > {verify.ALL}
    assert all(row[:3].count(verify.ALL) >= 2 for row in rows)
    # These months stay pooled one by one.
    with pytest.raises(UsageError, match="pooled in other categories"):
        pooling.pool(files, tmp_path / "out", home(tmp_path), lambda _: None, 500)
    again = pooling.pool(files, tmp_path / "out", home(tmp_path), lambda _: None)
    assert again.release_id == one_by_one.release_id


def test_no_contributor_stands_in_a_pool(pool: Path) -> None:
    ids = [path.stem for path in pool.glob("*.json")]
    assert len(ids) == 6
    for path in (pool / "out").rglob("*"):
        assert not path.is_file() or not [i for i in ids if i.encode() in path.read_bytes()]


def test_the_same_pool_again_is_the_same_and_another_circle_is_refused(pool: Path) -> None:
    files = sorted(pool.glob("*.json"))
    before = verify.files_of(pool / "out")
    again = pooling.pool(files, pool / "out", home(pool), lambda _: None)
    assert again.is_again
    assert verify.files_of(pool / "out") == before
    with pytest.raises(GateRefused, match="another circle"):
        pooling.pool(files[:5], pool / "less", home(pool), lambda _: None)


@pytest.fixture
def copied(pool: Path, tmp_path: Path) -> Path:
    """The first pool with its ledger, to be followed by a second one."""
    return Path(shutil.copytree(pool, tmp_path / "pool"))


@pytest.mark.slow
def test_a_second_pool_of_later_months_stands_beside_the_first(copied: Path) -> None:
    later = [
        replace(alike(n)[0], number=2, first="2025-10", last="2026-03", as_of="2026-06-30",
                tables=alike(n + 10)[0].tables, contributor=f"{n:016x}")
        for n in range(1, 7)
    ]  # fmt: skip
    (copied / "later").mkdir()
    files = read(copied / "later", later)
    second = pooling.pool(files, copied / "two", home(copied), lambda _: None, 0)
    assert second.number == 2
    assert verify.problems(second.folder) == []
    # They count no claim in common, so neither has to be judged with the other.
    assert not (second.folder / "earlier").exists()
    with pytest.raises(GateRefused, match="older than the one pooled before"):
        pooling.pool(sorted(copied.glob("0*.json")), copied / "x", home(copied), lambda _: None)


@pytest.mark.slow
def test_a_second_pool_of_the_same_months_is_judged_with_the_first(copied: Path) -> None:
    """Some answers came since. Each contributes jointly with what it gave before, as it must."""
    (copied / "again").mkdir()
    given = []
    for n in range(1, 7):
        one, now, frame = alike(n)
        more = pd.concat([frame, claims(40, 900 + n, 5, 4)], ignore_index=True)
        categories = counted.extended(now.categories, more)
        grown = counted.count(more, categories, 2, "then", date(2025, 12, 31))
        earlier = gate.Earlier(1, now.values, gate.hide(now, []))
        tables = package.tables(grown, gate.hide(grown, [earlier]))
        lines = {name: content.decode().splitlines() for name, content in tables.items()}
        given.append(replace(one, number=2, tables=lines))
    files = read(copied / "again", given)
    second = pooling.pool(files, copied / "two", home(copied), lambda _: None, 0)
    assert verify.problems(second.folder) == []
    assert (second.folder / "earlier" / "1").is_dir()
    published, _ = gate.as_published(*verify.published(second.folder))
    assert not attacker.attack(published).succeeded


def test_a_second_pool_that_tells_who_came_between_is_refused_by_category(copied: Path) -> None:
    """Contributions made without regard to the first: what grew by a few would be plain."""
    (copied / "naive").mkdir()
    given = []
    for n in range(1, 7):
        one, now, frame = alike(n)
        largest = frame["insurer"].value_counts().index[0]
        more = pd.concat([frame, frame[frame["insurer"] == largest].head(1)], ignore_index=True)
        grown = counted.count(more, now.categories, 2, "then", date(2025, 12, 31))
        tables = package.tables(grown, gate.hide(grown, []))
        lines = {name: content.decode().splitlines() for name, content in tables.items()}
        given.append(replace(one, number=2, tables=lines))
    files = read(copied / "naive", given)
    with pytest.raises(GateRefused, match="would be exposed by this release") as refusal:
        pooling.pool(files, copied / "two", home(copied), lambda _: None)
    assert "release 2, all insurers, answered" in str(refusal.value)
    assert not (copied / "two").exists()


def test_a_digit_of_what_practices_differ_by_is_named(pool: Path) -> None:
    path = pool / "out" / "findings.json"
    before = path.read_text("utf-8")
    found = json.loads(before)
    found["between_practices"][0]["values"]["sd"] = "9.9"
    path.write_text(json.dumps(found), encoding="utf-8")
    broken = verify.problems(pool / "out")
    path.write_text(before, encoding="utf-8")
    assert any("its sentence does not say its own numbers" in problem for problem in broken)
    assert any("does not hold its standard deviation" in problem for problem in broken)

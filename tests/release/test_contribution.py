"""What one practice gives to a pool: gated, recorded, checked when it is read."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from analysis.errors import GateRefused, UsageError
from analysis.findings import population
from analysis.release import attacker, contribution, gate, package, publishing, verify
from analysis.release.contribution import Contribution
from analysis.release.publishing import Asked
from release.conftest import TRACES, Made
from release.test_gate import claims, counts


def made_up(seed: int, n: int = 900) -> Contribution:
    """The contribution of a made-up practice."""
    now = counts(claims(n, seed))
    tables = package.tables(now, gate.hide(now, []))
    return Contribution(
        format=contribution.FORMAT,
        version=contribution.VERSION,
        program=publishing.program(),
        contributor=f"{seed:016x}",
        name="",
        is_made_up=True,
        number=1,
        first="2025-01",
        last="2025-09",
        as_of="2025-12-31",
        maturity=contribution.MATURITY,
        maturity_days=60,
        definition=population.DEFINITIONS["first"],
        design_effect=now.design_effect,
        is_restated=False,
        tables={name: content.decode().splitlines() for name, content in tables.items()},
    )


def written(folder: Path, given: Contribution) -> Path:
    path = folder / f"{given.contributor}.json"
    path.write_text(json.dumps(asdict(given) | {"checksum": given.checksum}), encoding="utf-8")
    return path


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    given = made_up(1)
    assert contribution.read_checked(written(tmp_path, given)).contribution == given


def test_its_receiver_proves_no_small_count(tmp_path: Path) -> None:
    given = contribution.read_checked(written(tmp_path, made_up(2)))
    counts_, sums = given.counts, verify.sums_of(1, given.contribution.rows())
    published, _ = gate.as_published(counts_, sums, [])
    assert published.hidden
    assert not attacker.attack(published).succeeded


def test_one_digit_changed_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, made_up(3))
    text = path.read_text("utf-8")
    at = text.index("all,all,") + len("all,all,")
    path.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :], encoding="utf-8")
    with pytest.raises(GateRefused, match="changed since it was made"):
        contribution.read_checked(path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("all,all,999,500,499", "its parts add up to"),
        ("all,all,nine,5,4", "its tables do not hold"),
    ],
)
def test_a_changed_table_under_a_checksum_made_anew_is_refused(
    tmp_path: Path, line: str, reason: str
) -> None:
    given = made_up(4)
    tables = {name: [lines[0], line, *lines[2:]] for name, lines in given.tables.items()}
    with pytest.raises(GateRefused, match=reason):
        contribution.read_checked(written(tmp_path, replace(given, tables=tables)))


@pytest.mark.parametrize(
    ("hides_small", "reason"), [(False, "a count under 11"), (True, "counts would be exposed")]
)
def test_one_that_hides_too_little_is_refused(
    tmp_path: Path, hides_small: bool, reason: str
) -> None:
    given, now = made_up(5), counts(claims(900, 5))
    small = frozenset(cell for cell, value in now.values.items() if 0 < value < 11)
    told = package.tables(now, small if hides_small else frozenset())
    tables = {name: content.decode().splitlines() for name, content in told.items()}
    with pytest.raises(GateRefused, match=reason):
        contribution.read_checked(written(tmp_path, replace(given, tables=tables)))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 3}', "patient,name"])
def test_what_is_no_contribution_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="this is no contribution"):
        contribution.read_checked(tmp_path / "x.json")


def test_another_version_is_refused_by_number(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="version 2"):
        contribution.read_checked(written(tmp_path, replace(made_up(6), version=2)))


def test_a_practice_contributes_jointly_with_its_releases_and_names_nobody(
    made: Made, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(made.folders.data_dir, tmp_path / "data"))
    folders = type(made.folders)(copy, made.folders.reports_dir, made.folders.practice)
    to = tmp_path / "given.json"
    # The counts of release 2 leave again as they are; a month back they are counts of their own.
    again = contribution.contribute(Asked([folders], "2026-07", to), lambda _: None)
    assert again.number == 2
    assert contribution.read_checked(to).contribution == again
    shown = package_tables(made.second.folder)
    assert {name: "\n".join(lines) + "\n" for name, lines in again.tables.items()} == shown
    once_more = contribution.contribute(Asked([folders], "2026-07", to), lambda _: None)
    assert once_more == again
    text = to.read_text("utf-8")
    assert not [trace for trace in TRACES if trace.lower() in text.lower()]
    assert again.name == ""


def test_what_an_insurer_charges_and_pays_leaves_no_trace(made: Made, tmp_path: Path) -> None:
    """With all amounts seven times as high the same bytes leave the practice."""
    released = []
    for times in (1, 7):
        folder = tmp_path / str(times)
        copy = Path(shutil.copytree(made.folders.data_dir, folder / "data"))
        folders = type(made.folders)(copy, folder / "reports", made.folders.practice)
        shutil.rmtree(folders.private / "releases")
        path = folders.processed / "claim_outcomes.parquet"
        outcomes = pq.read_table(path)
        for place, name in enumerate(outcomes.column_names):
            if name.endswith("_cents"):
                dearer = pc.multiply(outcomes[name], times)
                outcomes = outcomes.set_column(place, outcomes.schema.field(name), dearer)
        pq.write_table(outcomes, path)
        given = contribution.contribute(
            Asked([folders], "2026-06", folder / "given.json", 100), lambda _: None
        )
        now, _, _ = publishing.counted_now(
            Asked([folders], "2026-06", folder, 100, since="2024-10"),
            publishing.ledger_of([folders]),
            publishing.counted_of(Asked([folders], "2026-06", folder, since="2024-10"), {}),
        )
        released.append((given.tables, now.values))
    assert (
        outcomes["allowed_cents"]
        != pq.read_table(
            made.folders.processed / "claim_outcomes.parquet", columns=["allowed_cents"]
        )["allowed_cents"]
    )
    assert released[0] == released[1]


def package_tables(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (folder / "tables").iterdir()}


def test_a_first_contribution_is_recorded_and_binds_what_follows(
    made: Made, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(made.folders.data_dir, tmp_path / "data"))
    folders = type(made.folders)(copy, made.folders.reports_dir, made.folders.practice)
    shutil.rmtree(folders.private / "releases")
    one = contribution.contribute(
        Asked([folders], "2026-06", tmp_path / "one.json", 100), lambda _: None
    )
    two = contribution.contribute(
        Asked([folders], "2026-07", tmp_path / "two.json"), lambda _: None
    )
    ledger = publishing.ledger_of([folders])
    assert [(e["kind"], e["release"]) for e in ledger.entries] == [
        ("contribution", 1),
        ("contribution", 2),
    ]
    assert one.contributor == two.contributor
    assert (one.last, two.last) == ("2026-06", "2026-07")
    assert ledger.entries[1]["release_id"] == two.checksum

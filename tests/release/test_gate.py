"""What the gate lets out: nobody's count, not jointly with earlier releases, nobody's name."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.config import Practice
from analysis.errors import GateRefused, UsageError
from analysis.release import attacker, counted, gate, package, publishing, verify
from analysis.release.counted import Counted
from analysis.release.publishing import Asked
from release import traces
from release.conftest import TRACES, Made, reads_pdf


def claims(n: int, seed: int, n_insurers: int = 6, n_conditions: int = 5) -> pd.DataFrame:
    """Answered claims of a made-up practice, one patient each."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, n_insurers + 1)
    other = 1 / np.arange(1, n_conditions + 1)
    frame = pd.DataFrame(
        {
            "claim_id": np.arange(n).astype(str),
            "patient_id": np.arange(n).astype(str),
            "insurer": rng.choice([f"Insurer {chr(65 + i)}" for i in range(n_insurers)], n,
                                  p=share / share.sum()),
            "condition": rng.choice([f"condition {chr(97 + i)}" for i in range(n_conditions)], n,
                                    p=other / other.sum()),
            "quarter": np.sort(rng.choice(["2025 Q1", "2025 Q2", "2025 Q3"], n)),
            "is_approved": rng.random(n) < 0.8,
            "practice": "one",
        }
    )  # fmt: skip
    return frame.assign(payer_id=frame["insurer"])


def counts(frame: pd.DataFrame, release: int = 1, *, is_crossed: bool = True) -> Counted:
    categories = counted.merged(frame, 0, is_crossed=is_crossed)
    return counted.count(frame, categories, release, "then", pd.Timestamp("2025-12-31").date())


def folder_of(tmp_path: Path, releases: list[tuple[Counted, frozenset[verify.Cell]]]) -> Path:
    """A folder with the tables of the last release and those of the earlier ones."""
    folder = tmp_path / "release"
    numbered = [(next(iter(now.values)).release, now) for now, _ in releases]
    *_, (number, _) = numbered
    for now, hidden in releases:
        release = next(iter(now.values)).release
        parent = folder / ("tables" if release == number else f"earlier/{release}")
        parent.mkdir(parents=True, exist_ok=True)
        for name, content in package.tables(now, hidden).items():
            (parent / name).write_bytes(content)
    stated = {"number": number, "restated": gate.restated([(n, c.values) for n, c in numbered])}
    (folder / "release.json").write_text(json.dumps(stated), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=() if n < 3 else pytest.mark.slow) for n in range(30)]
)
def test_no_count_of_thirty_practices_is_told_by_two_releases_together(
    seed: int, tmp_path: Path
) -> None:
    everything = claims(900, seed)
    first = counts(everything.iloc[:820])
    hidden = gate.hide(first, [])
    second = counts(everything, 2)
    earlier = gate.Earlier(1, first.values, hidden)
    also = gate.hide(second, [earlier])
    folder = folder_of(tmp_path, [(first, hidden), (second, also)])
    published, cells = gate.as_published(*verify.published(folder))
    assert not attacker.attack(published).succeeded
    truth = first.values | second.values
    for place, (least, most) in attacker.ranges(published).items():
        if 0 < (value := truth[cells[place]]) < 11:
            assert least <= value
            assert most is None or most >= 11
    assert hidden
    assert also


def test_no_count_of_thirty_practices_is_told_one_by_one(tmp_path: Path) -> None:
    n_hidden = 0
    for seed in range(30):
        everything = claims(260, seed)
        first = counts(everything.iloc[:220], is_crossed=False)
        hidden = gate.hide(first, [])
        second = counts(everything, 2, is_crossed=False)
        also = gate.hide(second, [gate.Earlier(1, first.values, hidden)])
        folder = folder_of(tmp_path / str(seed), [(first, hidden), (second, also)])
        published, _ = gate.as_published(*verify.published(folder))
        assert not attacker.attack(published).succeeded
        n_hidden += len(hidden) + len(also)
    assert n_hidden


def test_a_second_release_made_without_the_first_is_refused_by_category(tmp_path: Path) -> None:
    everything = claims(900, 3)
    first, second = counts(everything.iloc[:880]), counts(everything, 2)
    hidden = gate.hide(first, [])
    folder = folder_of(tmp_path, [(first, hidden), (second, gate.hide(second, []))])
    with pytest.raises(GateRefused) as refused:
        package.certificate(folder)
    assert refused.value.exit_code == 4
    assert "release 2, Insurer" in str(refused.value)


def test_hiding_only_small_counts_is_refused(tmp_path: Path) -> None:
    now = counts(claims(900, 4))
    small = frozenset(cell for cell, value in now.values.items() if 0 < value < 11)
    with pytest.raises(GateRefused, match="would be exposed"):
        package.certificate(folder_of(tmp_path, [(now, small)]))


def test_the_same_counts_are_hidden_in_the_same_way_again() -> None:
    now = counts(claims(900, 5))
    hidden = gate.hide(now, [])
    again = counts(claims(900, 5), 2)
    same = gate.hide(again, [gate.Earlier(1, now.values, hidden)])
    assert {cell[1:] for cell in same} == {cell[1:] for cell in hidden}


def test_a_practice_without_consent_is_not_released_alone() -> None:
    silent = Practice(name="River Massage")
    frame = claims(100, 1)
    with pytest.raises(GateRefused, match="consent_to_publish"):
        publishing._require_nobody_identified([silent], frame)
    six = frame.assign(practice=[f"p{n % 6}" for n in range(100)])
    publishing._require_nobody_identified([silent] * 6, six)
    one_large = frame.assign(practice=[f"p{max(0, n - 90)}" for n in range(100)])
    with pytest.raises(GateRefused, match="one practice has"):
        publishing._require_nobody_identified([silent] * 6, one_large)


def test_rates_are_stated_only_where_their_counts_are_shown(made: Made) -> None:
    found = json.loads((made.second.folder / "findings.json").read_text("utf-8"))["findings"]
    shown = verify.counts_of(2, verify.read_tables(made.second.folder / "tables"))
    assert found
    for finding in found:
        at = [2, *(finding["row"][c] for c in ("insurer", "condition", "quarter"))]
        assert shown[verify.Cell(*at, "approved")] == finding["numerator"]
        assert shown[verify.Cell(*at, "answered")] == finding["denominator"]


def test_the_second_release_holds_jointly_and_the_first_again_is_the_first(made: Made) -> None:
    assert (made.first.number, made.second.number) == (1, 2)
    assert verify.problems(made.second.folder) == []
    assert (made.second.folder / "earlier" / "1").is_dir()
    before = verify.files_of(made.second.folder)
    again = publishing.release(Asked([made.folders], "2026-07", made.second.folder), lambda _: None)
    assert again.is_again
    assert again.number == 2
    assert again.ledger_head == made.second.ledger_head
    assert verify.files_of(again.folder) == before


def test_a_sparse_first_release_is_refused_with_a_proposal(made: Made, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(made.folders.data_dir, tmp_path / "data"))
    folders = type(made.folders)(copy, made.folders.reports_dir, made.folders.practice)
    shutil.rmtree(folders.private / "releases")
    with pytest.raises(GateRefused, match="--merge-below") as refused:
        publishing.release(Asked([folders], "2026-06", tmp_path / "out"), lambda _: None)
    assert "would be withheld, more than a quarter" in str(refused.value)
    assert "one by one" in str(refused.value)
    assert not (tmp_path / "out").exists()
    assert "add `--uncrossed --merge-below 50`" in str(refused.value)
    one_by_one = Asked([folders], "2026-06", tmp_path / "out", 50, is_crossed=False)
    done = publishing.release(one_by_one, lambda _: None)
    assert done.n_hidden <= done.n_cells / 4
    assert verify.problems(done.folder) == []
    rows = [row for table in verify.read_tables(done.folder / "tables").values() for row in table]
    assert all(row[:3].count(verify.ALL) >= 2 for row in rows)
    # Counted again a month later they are told in the same way without being asked.
    again = Asked([folders], "2026-07", tmp_path / "two", since="2024-10")
    later = publishing.release(again, lambda _: None)
    assert verify.problems(later.folder) == []
    told = verify.read_tables(later.folder / "tables")
    assert all(row[:3].count(verify.ALL) >= 2 for rows in told.values() for row in rows)


def test_a_folder_that_is_no_release_is_left_alone(made: Made, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="something else"):
        publishing.release(Asked([made.folders], "2026-06", tmp_path), lambda _: None)
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "mine"


@reads_pdf
def test_the_canary_is_in_no_file_that_leaves(made: Made) -> None:
    raw = b"".join(path.read_bytes() for path in made.folders.raw.iterdir()).decode("latin-1")
    assert all(trace in raw for trace in TRACES)
    claim = raw.index("CLM*", raw.index("ZZYZXOVA*QUINTESSA"))
    hers = [*TRACES, raw[claim:].split("*")[1]]
    for folder in (made.first.folder, made.second.folder):
        for path in filter(Path.is_file, folder.rglob("*")):
            assert not traces.found_in(path, hers), path.name
    assert not [trace for trace in hers if trace in made.said]

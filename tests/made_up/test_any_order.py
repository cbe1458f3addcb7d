"""The same interchanges in any order, in any files, met any number of times: the same answers."""

from collections import Counter
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import synthetic
from analysis.claims.lineage import lineage
from analysis.config import Practice
from analysis.intake.folder import read_folder
from analysis.intake.pseudonymize import Pseudonyms
from analysis.outcomes import outcomes

_KEY = b"k" * 32
_AS_OF = date(2026, 9, 30)
_ANSWERS = ("claim_outcomes", "line_outcomes", "line_lineage", "provider_adjustment_lineage")


def _files(folder: Path) -> list[bytes]:
    """The X12 files of a made-up practice; archives opened, copies left out."""
    found: dict[bytes, None] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".zip":
            with ZipFile(path) as archive:
                found.update(dict.fromkeys(archive.read(name) for name in archive.namelist()))
        elif path.read_bytes().startswith(b"ISA"):
            found[path.read_bytes()] = None
    return list(found)


def _determine(raw: Path) -> dict[str, pa.Table]:
    read = read_folder(raw, Practice(), Pseudonyms(_KEY))
    placed = read | lineage(read)
    made = placed | outcomes(placed, _AS_OF)
    return {name: made[name] for name in _ANSWERS} | {"row_ledger": made["row_ledger"]}


@pytest.fixture(scope="module")
def interchanges(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    root = tmp_path_factory.mktemp("any_order")
    synthetic.synthesize("small", data_dir=root, n_claims=60, n_months=4, seed=5)
    return _files(root / "raw" / "small")


@pytest.fixture(scope="module")
def expected(
    interchanges: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pa.Table]:
    raw = tmp_path_factory.mktemp("one_by_one")
    for n, data in enumerate(interchanges):
        (raw / f"{n:04}.x12").write_bytes(data)
    return _determine(raw)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_order_split_and_repetition_change_nothing(
    interchanges: list[bytes], expected: dict[str, pa.Table], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(interchanges))
    again = data.draw(st.lists(st.sampled_from(interchanges), max_size=3))
    per_file = data.draw(st.integers(1, 7))
    everything = [*shuffled, *again]
    with TemporaryDirectory() as folder:
        for n in range(0, len(everything), per_file):
            (Path(folder) / f"{n:04}.txt").write_bytes(b"\n".join(everything[n : n + per_file]))
        made = _determine(Path(folder))
    for name in _ANSWERS:
        assert made[name].equals(expected[name]), name

    def counted(ledger: pa.Table) -> Counter[tuple[str, str]]:
        rows = ledger.select(["record", "disposition"]).to_pylist()
        return Counter((row["record"], row["disposition"]) for row in rows)

    kept = {key: n for key, n in counted(made["row_ledger"]).items() if key[1] == "accepted"}
    assert kept == counted(expected["row_ledger"])

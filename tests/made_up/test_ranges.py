"""A range of claims at a time gives what all claims at once give."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import engine, outcomes, ranges, tables
from analysis.config import Folders

AS_OF = date(2026, 6, 30)


def _made(folder: Path, inputs: dict[str, Path]) -> dict[str, pa.Table]:
    with engine.workspace(folder, "900 MB"):
        made = outcomes.outcomes(inputs, AS_OF)
        # Beside values and order the files tell which columns may be empty; of parts that varies.
        return {
            name: tables.load(table).select(sorted(_names(table))) for name, table in made.items()
        }


def _names(table: Path) -> list[str]:
    return list(pq.read_schema(table).names)


@pytest.mark.parametrize("n_ranges", [2, 7])
def test_outcomes_made_by_ranges_of_claims_are_the_same_rows_in_the_same_order(
    made_up: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_ranges: int
) -> None:
    inputs = {name: tables.stored(made_up.processed, name) for name in outcomes.INPUTS}
    at_once = _made(tmp_path / "at_once", inputs)
    with engine.workspace(tmp_path / "asked", "900 MB"):
        assert ranges._n_ranges(inputs.values()) == 1
        n_rows = sum(pq.read_metadata(path).num_rows for path in inputs.values())
        per_row = (engine.memory() or 0) * (n_ranges - 0.5) / n_rows
        monkeypatch.setattr(ranges, "_BYTES_PER_ROW", per_row)
        assert ranges._n_ranges(inputs.values()) == n_ranges
    by_ranges = _made(tmp_path / "by_ranges", inputs)
    for name in outcomes.OUTPUTS:
        assert by_ranges[name].to_pylist() == at_once[name].to_pylist(), name


def test_a_practice_without_claims_has_no_range_and_no_outcome(
    made_up: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = {}
    for name in outcomes.INPUTS:
        stored = pq.read_table(tables.stored(made_up.processed, name))
        inputs[name] = tmp_path / f"{name}.parquet"
        pq.write_table(stored.slice(0, 0 if name != "payers" else len(stored)), inputs[name])
    monkeypatch.setattr(ranges, "_BYTES_PER_ROW", 10**9)
    made = _made(tmp_path / "none", inputs)
    assert {name: len(table) for name, table in made.items()} == dict.fromkeys(outcomes.OUTPUTS, 0)

"""A range of claims or patients at a time gives what all of them at once give."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import engine, outcomes, pipeline, ranges, tables
from analysis.config import Folders, Practice
from analysis.features import documentation, visits
from analysis.schemas import TABLES

# In one process, so that the practice is built once.
pytestmark = pytest.mark.xdist_group("made_up")

AS_OF = date(2026, 6, 30)
STEPS = {step.name: step for step in pipeline.STEPS if step.name in ("outcomes", "features")}
# What is made by ranges in each of these steps reads these tables.
READ = {"outcomes": [outcomes.INPUTS], "features": [documentation.INPUTS, visits.INPUTS]}


def _made(
    step: str, folders: Folders, room: Path, inputs: Mapping[str, Path]
) -> dict[str, pa.Table]:
    with engine.workspace(room, "900 MB"):
        made = STEPS[step].function(folders, Practice(as_of=AS_OF), inputs)
        # Beside values and order the files tell which columns may be empty; of parts that varies.
        return {
            name: tables.load(made[name]).select(TABLES[name].column_names)
            for name in STEPS[step].writes
        }


def _inputs(step: str, folders: Folders) -> dict[str, Path]:
    return {name: tables.stored(folders.processed, name) for name in STEPS[step].reads}


def _narrow(
    patch: pytest.MonkeyPatch, room: Path, inputs: Mapping[str, Path], n_ranges: int
) -> None:
    """Let memory be short of all rows of `inputs`, so that they are `n_ranges`."""
    with engine.workspace(room, "900 MB"):
        assert ranges._n_ranges(inputs.values()) == 1
        n_rows = sum(pq.read_metadata(path).num_rows for path in inputs.values())
        per_row = (engine.memory() or 0) * (n_ranges - 0.5) / n_rows
        patch.setattr(ranges, "_BYTES_PER_ROW", per_row)
        assert ranges._n_ranges(inputs.values()) == n_ranges


@pytest.mark.parametrize("n_ranges", [pytest.param(2, marks=pytest.mark.slow), 7])
@pytest.mark.parametrize("step", STEPS)
def test_tables_made_by_ranges_have_the_same_rows_in_the_same_order(
    made_up: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, n_ranges: int
) -> None:
    inputs = _inputs(step, made_up)
    at_once = _made(step, made_up, tmp_path / "at_once", inputs)
    # Those that have the fewest rows tell how little memory makes all go by ranges.
    made = {**inputs, "rules_in_force": tables.stored(made_up.processed, "rules_in_force")}
    read = [{name: made[name] for name in names} for names in READ[step]]
    fewest = min(read, key=lambda one: sum(pq.read_metadata(p).num_rows for p in one.values()))
    _narrow(monkeypatch, tmp_path / "asked", fewest, n_ranges)
    by_ranges = _made(step, made_up, tmp_path / "by_ranges", inputs)
    for name in STEPS[step].writes:
        assert by_ranges[name].to_pylist() == at_once[name].to_pylist(), name


@pytest.mark.parametrize("step", STEPS)
def test_a_practice_without_claims_has_no_range_and_no_rows(
    made_up: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    inputs = {}
    for name, path in _inputs(step, made_up).items():
        stored = pq.read_table(path)
        inputs[name] = tmp_path / f"{name}.parquet"
        pq.write_table(stored.slice(0, 0 if name != "payers" else len(stored)), inputs[name])
    monkeypatch.setattr(ranges, "_BYTES_PER_ROW", 10**9)
    made = _made(step, made_up, tmp_path / "none", inputs)
    assert {name: len(table) for name, table in made.items()} == dict.fromkeys(made, 0)

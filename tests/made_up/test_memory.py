"""What researchers with more claims than memory rely on: every step stays within its limit."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis import tables
from benchmarks import cleaning

STEPS = ("lineage", "outcomes", "balances", "features", "actions")


@pytest.mark.slow
def test_half_a_million_lines_are_worked_through_within_200_megabytes(tmp_path: Path) -> None:
    # Too little to hold all lines at once, which only shows with many of them.
    cleaning.practice(tmp_path)
    n_lines = cleaning.repeat(tmp_path, "many", 500_000, STEPS, as_csv=False)
    cleaning.make(STEPS, str(tmp_path), "many", "200 MB")
    made = tmp_path / "processed" / "many"
    n_rows = {
        name: pq.read_metadata(tables.stored(made, name)).num_rows
        for name in ("service_lines", "claim_outcomes", "claim_features", "documentation")
    }
    assert n_rows["service_lines"] == n_lines
    assert n_rows["claim_features"] == n_rows["claim_outcomes"] > n_lines / 2
    assert n_rows["documentation"] > n_rows["claim_outcomes"]

import numpy as np
import pandas as pd
import pytest

from analysis.findings import method_check
from analysis.synthetic import known_truth


@pytest.fixture(scope="module")
def worlds():
    return method_check.live(200, ["as_assumed"], 1)


def test_a_practice_is_measured(worlds):
    [row] = worlds.to_dict("records")
    bands = [row[f"n_cells_{band}"] for band in method_check.BANDS]
    assert sum(bands) == row["n_cells"]
    assert 0.8 <= row["n_covered"] / row["n_cells"] <= 1
    assert 0.2 < row["mean_width"] < 0.7
    assert row["rmse"] < 0.25
    assert row["n_documents"] == len(known_truth.DOCUMENTS)


def test_shares_are_of_all_cells_together(worlds):
    other = worlds.assign(n_cells=1000, n_covered=500)
    told = method_check.summary(pd.concat([worlds, other])).iloc[0]
    n, covered = worlds["n_cells"][0], worlds["n_covered"][0]
    assert told["n_worlds"] == 2
    assert told["coverage"] == pytest.approx((covered + 500) / (n + 1000))
    assert np.isnan(told["coverage_more"])


def test_intervals_moved_away_from_the_truth_cover_less():
    made = known_truth.practice(200)
    told = made.later.assign(mean=made.later["chance"], one_hot=made.later["chance"])
    noise = np.random.default_rng(0).uniform(-0.05, 0.05, (400, 1))
    right = method_check._cells(made.earlier, told, told["chance"].to_numpy() + noise)
    wrong = method_check._cells(made.earlier, told, told["chance"].to_numpy() + noise + 0.2)
    assert right["n_covered"] == right["n_cells"]
    assert right["rmse"] == pytest.approx(0)
    assert wrong["n_covered"] == 0


def test_what_was_measured_is_of_known_kinds():
    worlds = method_check.measured()
    assert set(worlds["kind"]) <= set(known_truth.KINDS)
    assert not worlds.duplicated(["kind", "n_claims", "seed"]).any()

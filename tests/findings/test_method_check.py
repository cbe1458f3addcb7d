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
    told = made.later.assign(**dict.fromkeys(["mean", "one_hot", "plain"], made.later["chance"]))
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


SCOPE = method_check.scope(method_check.measured())


def measured_as(monkeypatch, *rows):
    """Rows of kind, n_claims, n_cells and n_covered, then those of cells of 11 to 50 claims."""
    names = ["kind", "n_claims", "n_cells", "n_covered", "n_cells_11-50", "n_covered_11-50"]
    table = method_check.measured().head(1)
    bands = [column for column in table if column.startswith(("n_cells_", "n_covered_"))]
    table = table.assign(**dict.fromkeys(bands, 0))
    made = [table.assign(**dict(zip(names, row, strict=False))) for row in rows]
    monkeypatch.setattr(method_check, "measured", lambda: pd.concat(made))


def test_a_practice_is_told_the_coverage_of_its_size(monkeypatch):
    measured_as(monkeypatch, ("as_assumed", 300, 100, 96), ("as_assumed", 1000, 100, 91))
    assert method_check.quoted(500, SCOPE).coverage == 0.96
    assert method_check.quoted(600, SCOPE).coverage == 0.91
    told = method_check.quoted(4000, SCOPE)
    assert told.coverage == 0.91
    assert "1,000 claims" in told.sentence
    assert "91 times" in told.sentence
    assert method_check.quoted(299, SCOPE).coverage is None


def evaluation_of(lower, upper):
    row = {"model": "mixed_effects_logistic", "group_kind": "overall", "lower": lower}
    return pd.DataFrame([{**row, "metric": "calibration_slope", "upper": upper}])


def test_later_claims_show_a_sign_where_an_interval_leaves_out_what_is_right():
    off, right = evaluation_of(0.6, 0.9), evaluation_of(0.8, 1.1)
    assert method_check.judged_later(off, -0.01) == {"calibration"}
    assert method_check.judged_later(right, 0.01) == {"trees"}
    assert method_check.judged_later(right, None) == set()


def test_a_warning_needs_a_sign_and_a_coverage_that_failed(monkeypatch):
    assumed, drift = ("as_assumed", 300, 100, 96), ("drift", 300, 100, 70)
    measured_as(monkeypatch, assumed, drift)
    assert method_check.warned(500, set(), SCOPE) is None
    assert method_check.warned(500, {"visits", "unrecorded"}, SCOPE) is None
    told = method_check.warned(500, {"time"}, SCOPE)
    assert "quarter to quarter" in told.sentence
    assert "70 times" in told.sentence
    measured_as(monkeypatch, assumed, ("drift", 300, 100, 85))
    assert method_check.warned(500, {"time"}, SCOPE) is None


def test_a_band_of_cells_alone_can_call_for_the_warning(monkeypatch):
    assumed = ("as_assumed", 300, 100, 96)
    measured_as(monkeypatch, assumed, ("drift", 300, 100, 90, 20, 14))
    told = method_check.warned(500, {"calibration"}, SCOPE)
    assert "cells of 11 to 50 claims" in told.sentence
    assert "70 times" in told.sentence
    measured_as(monkeypatch, assumed, ("drift", 300, 100, 90, 10, 7))
    assert method_check.warned(500, {"calibration"}, SCOPE) is None


def test_what_no_sign_can_show_is_said_where_it_was_measured_to_break_the_ranges(monkeypatch):
    assumed, drift = ("as_assumed", 300, 100, 96), ("drift", 300, 100, 70)
    measured_as(monkeypatch, assumed, drift, ("hidden_confounder", 300, 100, 60))
    told = method_check.unshown(500, SCOPE)
    assert "practices of 300 claims where something unrecorded both thins the" in told.sentence
    assert "60 times" in told.sentence
    # Drift has a sign of its own, and 85 is enough.
    measured_as(monkeypatch, assumed, drift, ("hidden_confounder", 300, 100, 85))
    assert method_check.unshown(500, SCOPE) is None
    assert method_check.unshown(299, SCOPE) is None


def test_alarms_count_signs_that_fit_and_false_ones_apart(monkeypatch):
    none = {f"sign_{name}": 0 for name in method_check.SIGNS}
    rows = [
        {"kind": "as_assumed", **none},
        {"kind": "as_assumed", **none, "sign_trees": 1},
        {"kind": "drift", **none, "sign_time": 1, "sign_calibration": 1},
        {"kind": "drift", **none, "sign_visits": 1},
        {"kind": "hidden_confounder", **none, "sign_time": 1},
    ]
    worlds = pd.DataFrame(rows).assign(n_claims=300)
    counted = method_check.alarms(worlds).set_index("kind")
    assert counted["fitting"].to_dict() == {"as_assumed": 1, "drift": 1, "hidden_confounder": 0}
    assert counted.loc["drift", ["n_worlds", "sign_time", "sign_visits"]].tolist() == [2, 1, 1]
    monkeypatch.setattr(method_check, "measured", lambda: worlds)
    told = method_check.reliability(500, SCOPE)
    assert "showed in 1 of 2 with an assumption broken" in told.sentence
    assert "falsely in 1 of 2" in told.sentence
    assert method_check.reliability(299, SCOPE) is None


def test_cells_that_miss_together_tell_less_than_as_many_that_miss_alone():
    worlds = method_check.measured().head(4).assign(kind="drift", n_claims=300)
    bands = {"n_cells_11-50": 10}
    apart = method_check.summary(worlds.assign(**bands, **{"n_covered_11-50": [8, 8, 8, 8]}))
    together = method_check.summary(worlds.assign(**bands, **{"n_covered_11-50": [10, 10, 10, 2]}))
    assert apart.loc[0, "coverage_11-50"] == together.loc[0, "coverage_11-50"] == 0.8
    assert apart.loc[0, ["lower_11-50", "upper_11-50"]].tolist() == [0.8, 0.8]
    # The standard error of four shares with mean 0.8 is 0.2, and t with 3 degrees reaches 3.18.
    assert together.loc[0, "lower_11-50"] == pytest.approx(0.8 - 3.182446 * 0.2)

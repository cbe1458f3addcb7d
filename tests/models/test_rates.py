import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from analysis.models.rates import cell_rates, predict_from_rates, wilson_interval


@pytest.mark.parametrize(("approved", "claims"), [(0, 6), (6, 6), (1, 1), (71, 100), (130, 182)])
def test_wilson_limits_agree_with_scipy(approved, claims):
    lower, upper = wilson_interval(np.array([float(approved)]), np.array([float(claims)]))
    expected = binomtest(approved, claims).proportion_ci(method="wilson")
    assert (lower[0], upper[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_none_of_six_is_not_a_rate_of_nothing():
    _, upper = wilson_interval(np.array([0.0]), np.array([6.0]))
    assert upper[0] > 0.35


def claims(*cells):
    """Claims from (payer, condition, approved, denied)."""
    rows = [
        (payer, condition, is_approved)
        for payer, condition, approved, denied in cells
        for is_approved in [True] * approved + [False] * denied
    ]
    return pd.DataFrame(rows, columns=["payer_id", "condition_group", "is_approved"])


def test_each_cell_keeps_its_own_count_and_rate():
    known = claims(("A", "neck", 3, 1), ("A", "back", 2, 0), ("B", "neck", 0, 5))
    cells = cell_rates(known, known["is_approved"]).set_index(["payer_id", "condition_group"])
    assert cells["n_claims"].to_dict() == {("A", "back"): 2, ("A", "neck"): 4, ("B", "neck"): 5}
    assert cells["approval_rate"].to_dict() == {
        ("A", "back"): 1.0,
        ("A", "neck"): 0.75,
        ("B", "neck"): 0.0,
    }
    assert (cells["lower"] <= cells["approval_rate"]).all()
    assert (cells["approval_rate"] <= cells["upper"]).all()


def test_a_small_cell_gives_way_to_its_insurer_and_an_unknown_insurer_to_all():
    known = claims(("A", "neck", 9, 3), ("A", "back", 0, 4), ("B", "neck", 20, 0))
    asked = pd.DataFrame(
        [("A", "neck"), ("A", "back"), ("A", "knee"), ("C", "neck")],
        columns=["payer_id", "condition_group"],
        index=[7, 3, 5, 1],
    )
    predicted = predict_from_rates(asked, known, known["is_approved"], minimum_cell_size=11)
    assert predicted == pytest.approx([9 / 12, 9 / 16, 9 / 16, 29 / 36])

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.models import approval, signs
from analysis.models.predictors import predictors
from analysis.synthetic import known_truth

N, N_PAYERS, N_QUARTERS = 1_500, 6, 8


def claims_of(payer_by_quarter, seed=0, patient_sd=0.0, in_one_quarter=False):
    """Claims of insurers whose log odds go as told, and the chance of a model blind to time."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(N // 5, size=N)
    quarter = rng.integers(N_QUARTERS, size=N)
    if in_one_quarter:
        quarter = patient % N_QUARTERS
    payer = patient % N_PAYERS
    own = rng.normal(0, patient_sd, N // 5)[patient]
    is_approved = rng.random(N) < expit(1 + payer_by_quarter[payer, quarter] + own)
    claims = pd.DataFrame(
        {"payer_id": payer, "patient": patient, "is_approved": is_approved, "quarter": quarter}
    )
    return claims, claims.groupby("payer_id")["is_approved"].transform("mean").to_numpy()


def alarms(n=40, **given):
    steady = np.zeros((N_PAYERS, N_QUARTERS))
    made = (claims_of(steady, seed, **given) for seed in range(n))
    return sum(signs.unsteady(chance, claims, claims["quarter"]) < 0.05 for claims, chance in made)


def test_steady_insurers_seldom_look_unsteady():
    assert alarms() <= 6


def test_patients_that_differ_and_come_in_one_quarter_are_no_drift():
    """Taken one by one, their claims would look like a change of the insurer."""
    assert alarms(patient_sd=1.5, in_one_quarter=True) <= 6


def test_insurers_that_change_look_unsteady():
    steps = np.random.default_rng(0).normal(0, 0.3, (N_PAYERS, N_QUARTERS))
    claims, chance = claims_of(np.cumsum(steps, axis=1))
    assert signs.unsteady(chance, claims, claims["quarter"]) < 0.01


def test_a_days_order_is_all_that_counts():
    steps = np.random.default_rng(1).normal(0, 0.1, (N_PAYERS, N_QUARTERS))
    claims, chance = claims_of(np.cumsum(steps, axis=1))
    day = pd.Timestamp("2025-01-01") + pd.to_timedelta(claims["quarter"] * 90, unit="D")
    by_day = signs.unsteady(chance, claims, day)
    assert by_day == signs.unsteady(chance, claims, claims["quarter"])


@pytest.mark.parametrize(
    ("kind", "is_late"), [("as_assumed", False), ("documentation_after_denial", True)]
)
def test_records_filled_in_after_a_denial_make_the_unrecorded_look_good(kind, is_late):
    earlier = known_truth.practice(700, kind, 3).earlier
    model = approval.unfitted(len(earlier), 0).set_params(n_variance_draws=4)
    model.fit(predictors(earlier), earlier["is_approved"].astype(int), groups=earlier["patient"])
    lower, upper = signs.gain_of_unrecorded(model, earlier)
    assert lower < upper
    assert (lower > 0) == is_late

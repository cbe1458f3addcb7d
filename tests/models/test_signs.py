import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.findings import method_check
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
    model = approval.unfitted(len(earlier), 0)
    model.n_variance_draws = 4
    model.fit(predictors(earlier), earlier["is_approved"].astype(int), groups=earlier["patient"])
    lower, upper = signs.gain_of_unrecorded(model, earlier)
    assert lower < upper
    assert (lower > 0) == is_late


def of_insurers(**answered_and_open):
    """Claims old enough for an answer: of each insurer how many have one, and how many not."""
    rows = [
        (payer, is_answered)
        for payer, counts in answered_and_open.items()
        for is_answered, n in zip((True, False), counts, strict=True)
        for _ in range(n)
    ]
    return pd.DataFrame(rows, columns=["payer_id", "is_answered"])


def test_an_insurer_who_leaves_many_claims_open_is_told_from_one_with_few_claims():
    """Three of twenty may be chance; sixty of four hundred, the same share, are not."""
    assert signs.left_open(of_insurers(few=(17, 3), prompt=(300, 2))) < 0.05
    assert signs.left_open(of_insurers(many=(340, 60), prompt=(300, 2))) > 0.1
    assert signs.left_open(of_insurers(prompt=(300, 0))) == 0.0
    assert signs.left_open(of_insurers()) == 0.0


def test_the_share_left_open_is_the_exact_binomial_limit():
    """Clopper and Pearson's lower limit of 10 in 100 at 97.5% is 4.90%."""
    assert signs.left_open(of_insurers(one=(90, 10))) == pytest.approx(0.0490, abs=5e-5)


@pytest.mark.parametrize(
    ("kind", "are_open"), [("as_assumed", False), ("informative_pending", True)]
)
def test_denials_that_are_never_answered_leave_a_sign(kind, are_open):
    made = known_truth.practice(2_000, kind, 1)
    assert bool(method_check.left_open(method_check._sent(made))) == are_open

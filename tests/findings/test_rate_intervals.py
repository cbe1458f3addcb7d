"""Intervals: as wide as the claims are alike, and silent where they say too little."""

import numpy as np
import pandas as pd
import pytest

from analysis.findings import rates
from analysis.findings.finding import Numbers
from analysis.findings.rates import TOO_FEW, TOO_UNCERTAIN, Rate


def answers(patients: list[list[bool]]) -> pd.DataFrame:
    rows = [(patient, said) for patient, claims in enumerate(patients) for said in claims]
    table = pd.DataFrame(rows, columns=["patient_id", "is_approved"])
    patient = table["patient_id"].astype(str)
    return table.assign(claim_id=table.index.astype(str), patient_id=patient, payer_id="A")


def test_wilson_interval_of_independent_claims_is_the_textbook_one():
    lower, upper = Rate(5, 10, 10).interval()
    assert (round(lower, 3), round(upper, 3)) == (0.237, 0.763)


def test_newcombe_difference_is_the_published_one():
    # Newcombe 1998, example (a): 56/70 against 48/80.
    gap, lower, upper = rates.difference(Rate(56, 70, 70), Rate(48, 80, 80))
    assert [round(value, 4) for value in (gap, lower, upper)] == [0.2, 0.0524, 0.3339]


def test_claims_of_one_patient_that_always_agree_count_once():
    table = rates.rates(answers([[True] * 10, [False] * 10] * 10).assign(all=1), ["all"])
    assert table["n"].item() == 200
    assert table["n_effective"].item() == pytest.approx(20)


def test_the_same_claims_have_the_same_interval_in_every_table():
    drawn = np.random.default_rng(4).random((90, 6)) < np.repeat([[0.9], [0.6], [0.3]], 30, axis=0)
    table = answers(drawn.tolist())
    table["payer_id"] = np.repeat(["A", "B", "C"], 180)
    table["kind"] = table["payer_id"].map({"A": "auto", "B": "trust", "C": "trust"})
    insurer = rates.rates(table, ["payer_id"]).iloc[0]
    kind = rates.rates(table, ["kind"]).iloc[0]
    assert (insurer["lower"], insurer["upper"]) == (kind["lower"], kind["upper"])
    # Patients differ by insurer alone, which is no likeness within one.
    assert rates.likeness(table) < 0.03


def test_independent_claims_of_one_patient_count_in_full():
    drawn = np.random.default_rng(5).random((400, 5)) < 0.8
    rate = rates.overall(answers(drawn.tolist()))
    assert rate.effective == pytest.approx(2000, rel=0.1)


def test_interval_covers_the_truth_when_patients_differ():
    draw = np.random.default_rng(11)
    covered = 0
    for _ in range(60):
        chance = draw.beta(4, 1, size=60)
        claims = draw.random((60, 8)) < chance[:, None]
        lower, upper = rates.overall(answers(claims.tolist())).interval()
        covered += lower <= 0.8 <= upper
    assert covered >= 54


def test_claims_without_a_patient_count_alone():
    table = answers([[True, False]] * 30)
    table["patient_id"] = None
    assert rates.overall(table).effective == 60


@pytest.mark.parametrize(
    ("rate", "refusal"),
    [
        (Rate(0, 0, 0), TOO_FEW),
        (Rate(10, 10, 10), TOO_FEW),
        (Rate(10, 20, 20), TOO_UNCERTAIN),
        (Rate(100, 200, 200), ""),
        # Two hundred claims of four patients say no more than four claims.
        (Rate(100, 200, 4), TOO_UNCERTAIN),
    ],
)
def test_a_rate_says_whether_it_may_be_stated(rate, refusal):
    assert rate.refusal(minimum_cell_size=11) == refusal


def test_of_nothing_counted_no_range_is_given():
    assert Rate(0, 0, 0).numbers == Numbers(numerator=0, denominator=0)


def test_a_refused_cell_shows_its_claims_and_no_rate():
    table = answers([[True]] * 5).assign(insurer="A")
    judged = rates.judged(rates.rates(table, ["insurer"]), 11)
    assert judged["n"].item() == 5
    assert judged[["estimate", "lower", "upper"]].isna().all(axis=None)


def charges(*rows):
    columns = ["patient_id", "charge_cents", "is_approved"]
    return pd.DataFrame(rows, columns=columns).assign(claim_id="c")


def test_a_share_of_equal_charges_of_different_patients_has_the_interval_of_a_count():
    rate = rates.of_dollars(charges(*((f"p{n}", 10_000, n < 30) for n in range(40))))
    assert rate.estimate == 0.75
    assert rate.effective == pytest.approx(39)  # one is lost to the estimated mean


def test_one_large_charge_does_not_pass_for_many():
    uneven = charges(("p0", 1_000_000, True), *((f"p{n}", 1_000, False) for n in range(1, 40)))
    lower, upper = rates.of_dollars(uneven).interval()
    assert upper - lower > 0.5
    assert rates.of_dollars(uneven.head(0)).estimate is None

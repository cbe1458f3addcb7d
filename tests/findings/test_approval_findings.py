"""Insurers and conditions compared: thin cells borrow aloud, chance is not read as news."""

import numpy as np
import pytest

from analysis.findings import approval, rates, unbound_digits
from findings.made_claims import claims, outcomes, payers

MONTH = "2026-08"
AUTO = {"payer_id": "900", "payer_type": "auto_PIP"}
TRUST = {"payer_id": "7", "payer_type": "union_trust"}


def test_insurers_stand_in_words_most_claims_first():
    table = outcomes(claims(30, 10, 0, **AUTO) + claims(160, 40, 100))
    rows = approval.by(table, payers(), MONTH, ["payer_id"])
    assert rows["insurer"].tolist() == ["Evergreen Health", "Cascade Auto"]
    assert rows["n"].tolist() == [200, 40]


def test_a_thin_cell_borrows_and_says_so():
    back = {"condition_group": "low_back_pain"}
    table = outcomes(
        claims(90, 10)
        + claims(3, 0, 200, **back)
        + claims(60, 40, 300, payer_id="55", **back)
        + claims(4, 4, 500, **TRUST)
    )
    cells = approval.by_insurer_and_condition(table, payers(), MONTH)
    basis = cells.set_index(["payer_id", "condition_group"])["basis"]
    assert basis["00123", "neck_pain"] == "its own claims"
    assert basis["00123", "low_back_pain"] == (
        "mostly borrowed: same kind of insurance, same condition"
    )
    assert basis["7", "neck_pain"] == "not stated"
    lent = cells.set_index(["payer_id", "condition_group"]).loc[("00123", "low_back_pain")]
    assert lent["estimate"] == pytest.approx(63 / 103)
    assert lent["n"] == 3


def test_pairs_with_a_rate_of_their_own_and_most_denials_come_first():
    back = {"condition_group": "low_back_pain"}
    table = outcomes(
        claims(300, 20)
        + claims(150, 40, 400, **back)
        + claims(0, 9, 600, **TRUST)
        + claims(5, 8, 700, payer_id="900", payer_type="auto_PIP")
    )
    cells = approval.by_insurer_and_condition(table, payers(), MONTH)
    assert cells["n_denied"].tolist() == [40, 20, 9, 8]
    assert cells["basis"].tolist()[2:] == ["not stated", "not stated"]
    finding = approval.most_denied(cells, table, MONTH)
    assert "low back pain, with 40 of 190 claims denied" in finding.sentence.lower()
    assert finding.sentence.endswith(
        "Of 4 pairs of insurer and condition, 2 have a rate of their own, 0 borrow one from a wider"
        " group, 2 have none."
    )
    assert unbound_digits(finding) == []


def test_where_no_pair_has_a_rate_none_is_said_to_be_denied_most():
    table = outcomes(claims(2, 5))
    cells = approval.by_insurer_and_condition(table, payers(), MONTH)
    assert approval.most_denied(cells, table, MONTH).sentence.startswith("Of 1 pair of insurer")


def test_an_insurer_far_from_the_rest_is_named():
    table = outcomes(claims(180, 20) + claims(100, 100, 300, **AUTO))
    finding = approval.spread(table, payers(), MONTH)
    assert "more than chance allows: Cascade Auto; more often: Evergreen Health" in finding.sentence
    assert unbound_digits(finding) == []


def test_equal_insurers_are_seldom_called_different():
    table = outcomes([row for n in range(8) for row in claims(50, 0, n * 100, payer_id=str(n))])
    draw = np.random.default_rng(3)
    false_alarms = 0
    for _ in range(12):
        approved = draw.random(len(table)) < 0.85
        table["first_determination"] = np.where(approved, "approved", "denied")
        found = approval.against_the_rest(table, payers(), MONTH)
        false_alarms += (found["verdict"] != approval.NO_DIFFERENCE).any()
    # Eight intervals of 95% each would raise a false alarm in every third practice.
    assert false_alarms <= 1


def test_an_insurer_with_few_claims_is_not_compared():
    table = outcomes(claims(180, 20) + claims(0, 10, 300, **AUTO))
    assert approval.against_the_rest(table, payers(), MONTH)["payer_id"].tolist() == ["00123"]
    assert "none is compared" in approval.spread(table, payers(), MONTH).sentence


def test_an_insurer_whose_rate_is_too_uncertain_to_state_is_not_called_different():
    table = outcomes(
        claims(180, 20) + claims(160, 40, 300, payer_id="7") + claims(3, 9, 600, **AUTO)
    )
    rows = approval.by(table, payers(), MONTH, ["payer_id"]).set_index("insurer")
    assert rows["refusal"]["Cascade Auto"] == rates.TOO_UNCERTAIN
    assert "Cascade Auto" not in approval.spread(table, payers(), MONTH).sentence


def test_a_payer_nobody_named_keeps_its_number_and_none_is_not_known():
    table = outcomes(claims(15, 0, payer_id="0042") + claims(12, 0, 50, payer_id=None))
    rows = approval.by(table, payers(), MONTH, ["payer_id"])
    assert rows["insurer"].tolist() == ["0042", "not known"]

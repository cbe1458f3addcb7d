"""Rules inferred from answers: a built-in one is found, chance is not, thin data is refused."""

import numpy as np
import pandas as pd
import pytest

from analysis.findings import documentation, rules, unbound_digits
from findings.made_claims import claims, frame, outcomes, payers
from findings.test_documentation_findings import lacking, told

MONTH = "2026-08"
PLAN = "D05_plan_of_care"


def treated(draw, fall, n_patients=60, last_of_first=6):
    """Visits of patients who differ; after `last_of_first` the log-odds of approval fall."""
    n_visits = 1 + np.minimum(draw.geometric(0.12, n_patients), 24)
    patient = np.repeat(np.arange(n_patients), n_visits)
    visit = np.concatenate([np.arange(1, n + 1) for n in n_visits])
    odds = 2.2 + draw.normal(0, 0.6, n_patients)[patient] - fall * (visit > last_of_first)
    return pd.DataFrame(
        {"claim_id": np.arange(len(visit)).astype(str), "patient_id": patient.astype(str),
         "visit_number": visit, "is_approved": draw.random(len(visit)) < 1 / (1 + np.exp(-odds)),
         "stratum": 0}
    )  # fmt: skip


def test_a_fall_after_a_visit_is_found_and_its_range_holds_the_truth():
    draw = np.random.default_rng(5)
    found = [rules.falls_after(treated(draw, 1.4)) for _ in range(20)]
    assert sum(fall.p_value <= 0.05 for fall in found) >= 18
    assert sum(fall.first <= 6 <= fall.last for fall in found) >= 18


def test_where_there_is_no_rule_one_is_seldom_found():
    # Searching some twenty visits one at a time would find one in nearly every second insurer.
    draw = np.random.default_rng(6)
    found = [rules.falls_after(treated(draw, 0)) for _ in range(100)]
    assert sum(fall.p_value <= 0.05 for fall in found) <= 11


def test_missing_documents_of_later_visits_are_not_taken_for_a_rule_on_visits():
    draw = np.random.default_rng(7)
    table = treated(draw, 0, 200)
    lacks = (table["visit_number"] > 6) & (draw.random(len(table)) < 0.5)
    table["is_approved"] &= ~lacks | (draw.random(len(table)) < 0.5)
    assert rules.falls_after(table).p_value < 0.01
    assert rules.falls_after(table.assign(stratum=lacks.astype(int))).p_value > 0.05


def test_with_few_patients_no_visit_is_tried():
    assert rules.falls_after(treated(np.random.default_rng(8), 3, 9)) is None


def cliff(approved_after):
    """Evergreen Health, 40 patients: ten visits each, the last four approved now and then."""
    rows = []
    for patient in range(40):
        for visit in range(1, 11):
            is_approved = patient % 10 != 0 if visit <= 6 else patient % 10 < approved_after
            [row] = claims(int(is_approved), int(not is_approved), patient * 20 + visit)
            rows.append(row | {"patient_id": f"p{patient}", "visit_number": visit})
    return outcomes(rows)


def told_rule(table, limits=()):
    features = lacking(table, [0] * len(table))
    known = frame("visit_limits", list(limits))
    return rules.visit_rule(table, features, known, payers(), MONTH, "00123")


def test_a_visit_rule_is_told_as_inferred_with_its_uncertainty():
    finding = told_rule(cliff(3))
    assert finding.sentence.startswith(
        "Evergreen Health: inferred from its answers, not told by it: approvals fall after visit 6"
        " of a treatment (somewhere from "
    )
    assert finding.estimate == pytest.approx(0.3)
    assert finding.lower < 0.3 < finding.upper
    assert finding.denominator == 160
    assert unbound_digits(finding) == []


def test_no_visit_rule_is_told_where_later_visits_fare_alike():
    finding = told_rule(cliff(9))
    assert "no visit is found after which approvals fall" in finding.sentence
    assert finding.estimate is None


def test_claims_past_a_known_yearly_limit_infer_no_rule():
    table = cliff(3)
    past = [
        {"claim_id": c, "limit_kind": "visits_per_year", "allowed": 6.0, "used": 7.0,
         "is_past": True}
        for c in table.loc[table["visit_number"] > 6, "claim_id"]
    ]  # fmt: skip
    assert "no visit is found" in told_rule(table, past).sentence


def test_too_few_patients_are_refused_in_words():
    table = outcomes(claims(30, 5, visit_number=1))
    assert told_rule(table).sentence.startswith("Evergreen Health: too few patients to infer")


def test_a_document_whose_absence_goes_with_denials_is_named_with_both_rates():
    table = outcomes(claims(180, 20) + claims(80, 80, 300) + claims(0, 5, 600))
    rows = [(c, PLAN, "attested", "present" if n < 200 else "absent" if n < 360 else "unknown")
            for n, c in enumerate(table["claim_id"])]  # fmt: skip
    compared = rules.documents(documentation.required(told(*rows), table), table, MONTH, "00123")
    assert compared["verdict"].tolist() == [rules.GOES_WITH]
    finding = rules.document_rule(compared, table, payers(), MONTH, "00123")
    assert finding.sentence.endswith(
        "without plan of care, it approved 50% of 160 claims; with it, 90% of 200."
    )
    assert unbound_digits(finding) == []


def test_an_unknown_document_is_on_neither_side_and_a_thin_side_is_not_compared():
    table = outcomes(claims(180, 20) + claims(0, 10, 300) + claims(0, 100, 400))
    rows = [(c, PLAN, "attested", "present" if int(c[1:]) < 300 else "absent")
            for c in table["claim_id"] if int(c[1:]) < 400]  # fmt: skip
    rows += [(c, PLAN, "attested", "unknown") for c in table["claim_id"] if int(c[1:]) >= 400]
    compared = rules.documents(documentation.required(told(*rows), table), table, MONTH, "00123")
    assert compared.empty
    finding = rules.document_rule(compared, table, payers(), MONTH, "00123")
    assert finding.sentence.startswith("Evergreen Health: too few claims without a document")


def test_documents_that_make_no_difference_are_seldom_named():
    draw = np.random.default_rng(9)
    table = outcomes(claims(400, 0))
    wrong = 0
    for _ in range(8):
        rows = [(c, f"D{n:02}", "attested", draw.choice(["present", "absent"]))
                for n in range(8) for c in table["claim_id"]]  # fmt: skip
        table["first_determination"] = np.where(draw.random(400) < 0.8, "approved", "denied")
        items = documentation.required(told(*rows), table)
        wrong += (rules.documents(items, table, MONTH, "00123")["verdict"] == rules.GOES_WITH).any()
    # One document at a time, chance would name one in every sixth insurer.
    assert wrong <= 1


def test_what_could_have_been_found_is_found_about_as_often_as_said():
    draw = np.random.default_rng(11)
    found, said, true = [], [], []
    for _ in range(40):
        table = treated(draw, 0.95)
        fall = rules.falls_after(table)
        found.append(fall.p_value <= 0.05)
        said.append(fall.could_find)
        early = table["visit_number"] <= 6
        shares = table.groupby(early)["is_approved"].mean()
        true.append(shares[True] - shares[False])
    # Falls of the size that is found four times in five.
    assert np.mean(said) == pytest.approx(np.mean(true), abs=0.03)
    assert 0.65 <= np.mean(found) <= 0.95


def every_insurer(table):
    features, known = lacking(table, [0] * len(table)), frame("visit_limits", [])
    told = rules.visits_by_insurer(table, features, known, payers(), MONTH)
    drawn = rules.by_visit(table, features, known, MONTH, "00123")
    return told, rules.falls(told, table, MONTH), drawn


def test_an_insurers_fall_is_told_once_and_drawn_on_either_side_of_it():
    other = claims(60, 20, 5000, payer_id="900", visit_number=1)
    table, finding, drawn = every_insurer(pd.concat([cliff(3), outcomes(other)], ignore_index=True))
    assert table["verdict"].tolist() == [rules.FOUND, rules.TOO_FEW]
    assert (finding.numerator, finding.denominator) == (1, 1)
    assert "Evergreen Health: after visit 6 (somewhere from" in finding.sentence
    assert "1 other insurer had too few patients to tell" in finding.sentence
    assert unbound_digits(finding) == []
    assert drawn["n"].sum() == 400
    assert drawn["label"].iloc[0] == "visit 1"
    up_to_six = drawn["label"].str.fullmatch("visit [1-6]|visits [1-6] to [1-6]")
    assert drawn.loc[up_to_six, "estimate"].tolist() == [pytest.approx(0.9)] * up_to_six.sum()
    assert drawn.loc[~up_to_six, "estimate"].tolist() == [pytest.approx(0.3)] * (~up_to_six).sum()


def test_none_found_says_what_would_have_been_found():
    table, finding, drawn = every_insurer(cliff(9))
    assert table["verdict"].tolist() == [rules.NONE_FOUND]
    assert 0 < table["could_find"].iloc[0] < 0.5
    assert "no visit is found after which approvals fall. A fall of" in finding.sentence
    assert finding.numerator == 0
    assert unbound_digits(finding) == []
    assert drawn.empty

"""The features of a claim: only what was known when it was sent."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from analysis import codes, tables
from features.practice import (
    SENT,
    SERVED,
    attested,
    claim,
    featured,
    features_of,
    line,
    outcome,
    practice,
    remarked,
)

WEIGHT = {row["item_id"]: float(row["weight"]) for row in codes.rows("documentation")}
# What claim_features may read of claim_outcomes; everything else there is later knowledge.
KNOWN_AT_SUBMISSION = {
    "claim_id",
    "payer_type",
    "condition_group",
    "episode_id",
    "visit_number",
    "service_date",
    "submitted_date",
}


def required_weight() -> float:
    """What a first visit with the ordinary claim's insurer is asked for."""
    from analysis.features.documentation import requirements

    return sum(
        WEIGHT[row["item_id"]]
        for row in requirements().to_pylist()
        if row["payer_type"] == "commercial_fully_insured_WA" and row["visit_from"] == 1
    )


def test_completeness_weighs_what_is_known_and_coverage_says_how_much_that_is():
    answers = [
        attested("D02_prescription", "present"),
        attested("D05_plan_of_care", "absent"),
        attested("D08_minutes", "unknown"),
    ]
    row = featured(attested_documents=answers)["c1"]
    known = WEIGHT["D02_prescription"] + WEIGHT["D05_plan_of_care"]
    assert row["completeness"] == pytest.approx(WEIGHT["D02_prescription"] / known)
    assert row["completeness_coverage"] == pytest.approx(known / required_weight())
    assert (row["prescription"], row["plan_of_care"]) == ("present", "absent")
    assert row["minutes"] == "unknown"
    assert row["n_required_absent"] == 1


def test_nothing_known_is_no_completeness_rather_than_none():
    row = featured()["c1"]
    assert row["completeness"] is None
    assert row["completeness_coverage"] == 0
    assert row["n_required_absent"] == 0


def test_an_item_the_practice_marks_as_not_required_counts_neither_way():
    row = featured(attested_documents=[attested("D05_plan_of_care", "not_required")])["c1"]
    assert row["plan_of_care"] == "not_required"
    assert row["completeness"] is None


def test_the_claim_fills_in_what_the_practice_left_out_but_does_not_overrule_it():
    shown = [claim(referral_number="R1")]
    assert featured(claims=shown)["c1"]["prescription"] == "present"
    answers = [attested("D02_prescription", "absent")]
    row = featured(claims=shown, attested_documents=answers)["c1"]
    assert row["prescription"] == "absent"
    assert row["has_referral"]
    assert row["n_gates_failed"] == 1


def test_authorization_is_not_required_until_the_insurer_asks_for_it():
    assert featured()["c1"]["authorization"] == "not_required"
    assert featured(claim_outcomes=[outcome(visit_number=7)])["c1"]["authorization"] == "unknown"


def test_a_prescription_obtained_after_the_denial_does_not_raise_the_score():
    late = attested("D02_prescription", "present", existed_date=SENT + timedelta(40))
    row = featured(attested_documents=[late])["c1"]
    assert row["prescription"] == "absent"
    assert row["completeness"] == 0


def test_the_insurers_remark_is_no_feature():
    assert featured(**remarked("N443")) == featured()


def test_lines_dates_and_codes_of_the_first_version():
    corrected = claim("c1-corrected", submitted_date=SENT + timedelta(60), plan_id="G2")
    lines = [
        line(units=3.0),
        line(line_number=2, procedure_code="97140", units=1.0),
        line("c1-corrected", units=1.0),
    ]
    row = featured(claims=[claim(), corrected], service_lines=lines)["c1"]
    assert (row["n_units"], row["n_lines"]) == (4.0, 2)
    assert row["has_massage_line"]
    assert row["has_manual_therapy_line"]
    assert row["submission_lag_days"] == (SENT - SERVED).days
    assert row["plan_id"] == "00123/G1"


def network(status, since=None, until=None, plan_id=None, payer_id="00123"):
    return {
        "network_period_id": f"{status}-{since}-{plan_id}",
        "file_name": "network.csv",
        "position": 2,
        "payer_id": payer_id,
        "plan_id": plan_id,
        "network_status": status,
        "effective_from": since,
        "effective_to": until,
    }


BEFORE, AFTER = SERVED - timedelta(1), SERVED + timedelta(1)


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        ([network("in")], "in"),
        ([network("in", SERVED)], "in"),
        ([network("in", AFTER)], "unknown"),
        ([network("in", None, SERVED)], "in"),
        ([network("in", None, BEFORE)], "unknown"),
        ([network("in", None, BEFORE), network("out", SERVED)], "out"),
        # practice.toml says "in" without an end; the record knows better since when it is over.
        ([network("in"), network("out", SERVED)], "out"),
        ([network("in"), network("out", AFTER)], "in"),
        ([network("in", BEFORE), network("out", BEFORE)], "unknown"),
        ([network("in", SERVED), network("out", plan_id="G1")], "out"),
        ([network("in"), network("out", plan_id="G2")], "in"),
        ([network("in", payer_id="00124")], "unknown"),
        ([], "unknown"),
    ],
)
def test_network_status_holds_on_the_day_of_service(periods, expected):
    assert featured(network_periods=periods)["c1"]["network_status"] == expected


def test_visits_of_the_year_are_counted_by_day_and_start_again_in_january():
    days = [date(2024, 12, 30), date(2025, 1, 6), date(2025, 1, 6), date(2025, 1, 13)]
    names = ["a", "b", "c", "d"]
    claims = [
        claim(name, service_date=day, service_to_date=day)
        for name, day in zip(names, days, strict=True)
    ]
    rows = featured(claims=claims, claim_outcomes=[outcome(name) for name in names])
    assert [rows[name]["visit_number_in_year"] for name in names] == [1, 1, 1, 2]


def test_a_visit_sent_only_after_a_claim_is_not_counted_before_it():
    """The third visit's claim was sent first; of the second day two claims came later."""
    visits = {"first": (1, 5), "second": (8, 25), "again": (8, 30), "third": (15, 20)}
    days = {
        name: (date(2025, 6, served), date(2025, 6, sent))
        for name, (served, sent) in visits.items()
    }
    numbers = {"first": 1, "second": 2, "again": 2, "third": 3}
    outcomes = [
        outcome(
            name,
            episode_id="p_1-back-1",
            service_date=served,
            submitted_date=sent,
            visit_number=numbers[name],
        )
        for name, (served, sent) in days.items()
    ]
    claims = [
        claim(name, service_date=served, submitted_date=sent)
        for name, (served, sent) in days.items()
    ]
    rows = featured(claims=claims, claim_outcomes=outcomes)
    told = {name: rows[name]["visit_number"] for name in visits}
    assert told == {"first": 1, "second": 2, "again": 2, "third": 2}


def test_a_claim_without_insurer_patient_or_lines_still_has_features():
    bare = claim(payer_id=None, plan_id=None, patient_id=None, service_date=None)
    row = featured(claims=[bare], service_lines=[])["c1"]
    assert (row["payer_id"], row["plan_id"]) == ("unknown", "unknown")
    assert row["network_status"] == "unknown"
    assert row["submission_lag_days"] is None
    assert row["n_lines"] == 0


def test_scrambling_everything_learned_after_submission_changes_no_feature():
    rows = {
        "claims": [claim("c1"), claim("c2", patient_id="p_2", authorization_number="A1")],
        "claim_outcomes": [outcome("c1"), outcome("c2", visit_number=9)],
        "service_lines": [line("c1"), line("c2")],
        "attested_documents": [attested("D02_prescription", "present")],
    }
    honest = practice(**rows)
    scrambled = {**honest, "claim_outcomes": scramble(honest["claim_outcomes"])}
    for name, told in remarked("M127", "c2").items():
        scrambled[name] = tables.from_rows(name, told)
    assert features_of(scrambled).equals(features_of(honest))


def scramble(outcomes: pa.Table) -> pa.Table:
    """Every column but those known at submission holds something else."""
    other = {
        pa.string(): "denied",
        pa.int64(): 777,
        pa.date32(): date(1999, 1, 1),
        pa.bool_(): True,
    }
    return pa.table(
        {
            field.name: outcomes[field.name]
            if field.name in KNOWN_AT_SUBMISSION
            else pa.array([other[field.type]] * len(outcomes), field.type)
            for field in outcomes.schema
        }
    )

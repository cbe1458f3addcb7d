"""What a claim had on the day it was sent, channel by channel."""

from datetime import date, timedelta

import pytest

from analysis import codes, tables
from analysis.features.documentation import documentation, requirements
from features.practice import (
    SENT,
    SERVED,
    attested,
    claim,
    documented,
    line,
    outcome,
    practice,
    remarked,
)

PRESCRIPTION = "D02_prescription"
AUTHORIZATION = "D04_authorization"


def status(found, item_id, channel, claim_id="c1"):
    row = found.get((claim_id, item_id, channel))
    return row and row["status"]


def test_nothing_written_down_is_unknown_and_never_absent():
    found = documented()
    assert found[("c1", PRESCRIPTION, "attested")]["is_required"]
    assert {row["status"] for row in found.values()} == {"unknown"}
    assert {channel for _, _, channel in found} == {"claim", "attested"}


@pytest.mark.parametrize(
    ("shown", "item_id"),
    [
        ({"rendering_provider_id": "1999999984"}, "D01_license"),
        ({"referral_number": "R1"}, PRESCRIPTION),
        ({"referring_provider_id": "1999999976"}, PRESCRIPTION),
        ({"attachment_codes": "OZ:B2"}, PRESCRIPTION),
        ({"accident_date": date(2025, 2, 1)}, "D03_dates"),
        ({"authorization_number": "A1"}, AUTHORIZATION),
        ({"attachment_codes": "08"}, "D05_plan_of_care"),
    ],
)
def test_the_claim_shows_a_document(shown, item_id):
    found = documented(claims=[claim(**shown)])
    assert status(found, item_id, "claim") == "present"
    others = {row["status"] for key, row in found.items() if key[1] != item_id}
    assert others == {"unknown"}


def test_an_authorization_on_a_line_counts_like_one_on_the_claim():
    found = documented(service_lines=[line(), line(line_number=2, authorization_number="A1")])
    assert status(found, AUTHORIZATION, "claim") == "present"


def test_a_diagnosis_on_the_claim_shows_itself():
    diagnosis = {"claim_version_id": "c1", "diagnosis_position": 1, "diagnosis_code": "M54.50"}
    assert status(documented(claim_diagnoses=[diagnosis]), "D06_diagnosis", "claim") == "present"


def test_a_replacement_sent_later_adds_nothing_to_the_first_submission():
    replacement = claim(
        "c1-corrected", patient_control_number="PCN-c1", authorization_number="A1",
        claim_frequency_code="7", submitted_date=SENT + timedelta(60),
    )  # fmt: skip
    found = documented(claims=[claim(), replacement], claim_outcomes=[outcome(visit_number=7)])
    assert status(found, AUTHORIZATION, "claim") == "unknown"
    assert {claim_id for claim_id, _, _ in found} == {"c1"}


@pytest.mark.parametrize(
    ("written", "existed", "expected"),
    [
        ("present", None, "present"),
        ("present", SENT - timedelta(30), "present"),
        ("present", SENT, "present"),
        ("present", SENT + timedelta(1), "absent"),
        ("absent", None, "absent"),
        ("not_required", None, "not_required"),
        ("unknown", None, "unknown"),
    ],
)
def test_a_prescription_as_of_the_day_sent(written, existed, expected):
    answer = attested(PRESCRIPTION, written, existed_date=existed)
    row = documented(attested_documents=[answer])[("c1", PRESCRIPTION, "attested")]
    assert row["status"] == expected
    assert row["existed_date"] == existed


def test_an_answer_for_another_day_or_claim_is_not_this_claims():
    elsewhere = [
        attested(PRESCRIPTION, "absent", service_date=SERVED + timedelta(7)),
        attested(PRESCRIPTION, "absent", claim_id="c2"),
    ]
    assert status(documented(attested_documents=elsewhere), PRESCRIPTION, "attested") == "unknown"


def test_records_sent_again_with_more_filled_in_are_believed():
    answers = [
        attested(PRESCRIPTION, "absent"),
        attested(PRESCRIPTION, "present", existed_date=SENT - timedelta(9)),
    ]
    assert status(documented(attested_documents=answers), PRESCRIPTION, "attested") == "present"


def test_a_claim_of_two_visits_is_documented_when_both_are():
    second = SERVED + timedelta(2)
    both = claim(service_to_date=second)
    answers = [
        attested("D07_treatment_note", "present"),
        attested("D07_treatment_note", "absent", service_date=second),
    ]
    found = documented(claims=[both], attested_documents=answers)
    assert status(found, "D07_treatment_note", "attested") == "absent"


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, "present"),
        ({"status": "denied"}, "unknown"),
        ({"decision_date": SENT + timedelta(1)}, "unknown"),
        ({"end_date": SERVED - timedelta(1)}, "unknown"),
        ({"patient_id": "p_2"}, "unknown"),
        ({"payer_id": "00999"}, "unknown"),
        ({"procedure_codes": "97124:97140"}, "present"),
        ({"procedure_codes": "97140"}, "unknown"),
    ],
)
def test_the_list_of_authorizations_speaks_for_days_it_covers(stated, expected):
    listed = {
        "authorization_id": "z1",
        "file_name": "authorizations.csv",
        "position": 2,
        "payer_id": "00123",
        "patient_id": "p_1",
        "start_date": SERVED - timedelta(10),
        "end_date": SERVED + timedelta(60),
        "decision_date": SERVED - timedelta(10),
        "status": "approved",
    } | stated
    found = documented(authorizations=[listed], claim_outcomes=[outcome(visit_number=7)])
    assert status(found, AUTHORIZATION, "attested") == expected


def test_a_remark_contradicts_the_record_and_both_stand():
    found = documented(attested_documents=[attested("D08_minutes", "present")], **remarked("N443"))
    assert status(found, "D08_minutes", "attested") == "present"
    assert status(found, "D08_minutes", "remittance") == "absent"


def test_a_commercial_plan_asks_for_authorization_from_the_seventh_visit():
    sixth, seventh = (
        documented(claim_outcomes=[outcome(visit_number=number)]) for number in (6, 7)
    )
    assert ("c1", AUTHORIZATION, "claim") not in sixth
    assert seventh[("c1", AUTHORIZATION, "claim")]["is_required"]


def rule(kind, value, **stated):
    return {
        "policy_id": f"{kind}-{value}-{stated}", "file_name": "policies.csv", "position": 1,
        "payer_id": "00123", "rule": kind, "value": value,
    } | stated  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "visit", "is_asked"),
    [
        ([rule("authorization_after_visit", 3.0)], 4, True),
        ([rule("authorization_after_visit", 12.0)], 7, False),
        ([rule("authorization_after_visit", 3.0, procedure_code="97124")], 4, True),
        ([rule("authorization_after_visit", 3.0, procedure_code="97140")], 4, False),
        ([rule("authorization_after_visit", 12.0, state="OR")], 7, True),
        ([rule("authorization_after_visit", 12.0, effective_to=SERVED - timedelta(1))], 7, True),
        ([rule("authorization_after_visit", None)], 7, True),
    ],
)
def test_a_rule_the_practice_noted_goes_before_the_checklist(rules, visit, is_asked):
    found = documented(policies=rules, claim_outcomes=[outcome(visit_number=visit)])
    assert (("c1", AUTHORIZATION, "claim") in found) == is_asked


@pytest.mark.parametrize(("value", "is_asked"), [(1.0, True), (None, True), (0.0, False)])
def test_an_insurer_that_asks_for_no_referral_misses_none(value, is_asked):
    found = documented(policies=[rule("referral_required", value)])
    assert (("c1", PRESCRIPTION, "claim") in found) == is_asked


@pytest.mark.parametrize(
    ("payer_type", "condition", "is_asked"),
    [
        ("va_community_care", "low_back_pain", False),
        ("va_community_care", "postop_orthopedic", True),
        ("workers_comp_WA_LNI", "low_back_pain", True),
        ("commercial_fully_insured_WA", "postop_orthopedic", False),
    ],
)
def test_the_accidents_date_is_asked_for_where_there_was_one(payer_type, condition, is_asked):
    stated = outcome(payer_type=payer_type, condition_group=condition)
    found = documented(claim_outcomes=[stated])
    assert (("c1", "D03_dates", "claim") in found) == is_asked


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, "present"),
        ({"expiry_date": SERVED}, "present"),
        ({"expiry_date": SERVED - timedelta(1)}, "unknown"),
        ({"prescribed_date": SERVED + timedelta(1)}, "unknown"),
        ({"diagnosis_codes": "M54.2"}, "unknown"),
        ({"patient_id": "p_2"}, "unknown"),
    ],
)
def test_a_prescription_on_the_list_that_covers_the_visit_is_there(stated, expected):
    listed = {
        "prescription_id": "s1", "file_name": "prescriptions.csv", "position": 2,
        "patient_id": "p_1", "prescribed_date": SERVED - timedelta(9),
    } | stated  # fmt: skip
    row = documented(prescriptions=[listed])[("c1", PRESCRIPTION, "attested")]
    assert row["status"] == expected
    assert row["existed_date"] == (listed["prescribed_date"] if expected == "present" else None)


@pytest.mark.parametrize(("later", "expected"), [(0, "present"), (1, "unknown")])
def test_minutes_written_down_for_the_visit_are_there(later, expected):
    noted = {
        "visit_minutes_id": "m1", "patient_control_number": "PCN-c1", "n_minutes": 45,
        "service_date": SERVED + timedelta(later),
    }  # fmt: skip
    assert status(documented(visit_minutes=[noted]), "D08_minutes", "attested") == expected


def test_a_note_shows_the_document_its_kind_names_and_no_other():
    found = documented(claims=[claim(note_codes="ADD:CER", has_note=True)])
    shown = {key[1] for key, row in found.items() if row["status"] == "present"}
    assert shown == {"D05_plan_of_care"}


def test_each_channel_says_when_it_said_so():
    remark = remarked("N443")
    remark["remittances"] = [
        {"remittance_id": "r1", "file_name": "a.835", "position": 1, "source": "x12",
         "payment_id": "p1", "payment_date": SENT + timedelta(20), "charge_cents": 1,
         "paid_cents": 0}
    ]  # fmt: skip
    found = documented(claims=[claim(authorization_number="A1")], **remark)
    assert found[("c1", AUTHORIZATION, "claim")]["said_date"] == SENT
    assert found[("c1", "D08_minutes", "remittance")]["said_date"] == SENT + timedelta(20)
    assert found[("c1", "D08_minutes", "attested")]["said_date"] is None


def test_a_document_nobody_asked_for_is_kept_where_it_was_seen():
    found = documented(attested_documents=[attested("D18_discharge", "present")])
    assert not found[("c1", "D18_discharge", "attested")]["is_required"]
    assert ("c1", "D18_discharge", "claim") not in found


def test_a_claim_known_from_its_answer_alone_has_no_documents():
    assert documented(claims=[], claim_outcomes=[outcome("r1")], service_lines=[]) == {}


def test_every_requirement_names_known_items_and_kinds_of_insurance():
    rows = requirements().to_pylist()
    assert {row["item_id"] for row in rows} <= set(codes.labels("documentation"))
    assert {row["payer_type"] for row in rows} <= set(codes.labels("payer_types"))
    conditions = {row["condition_group"] for row in rows} - {None}
    assert conditions <= set(codes.labels("conditions"))
    keys = {(row["payer_type"], row["item_id"], row["condition_group"]) for row in rows}
    assert len(keys) == len(rows)
    asked = {(row["payer_type"], row["item_id"]): row["visit_from"] for row in rows}
    assert asked[("va_community_care", AUTHORIZATION)] == 1
    assert asked[("workers_comp_WA_LNI", AUTHORIZATION)] == 7
    assert ("self_pay", "D01_license") not in asked


def contradicted(**rows):
    """(item, channel that has it, channel that lacks it, code) of every contradiction."""
    table = documentation(practice(**rows))["documentation_contradictions"]
    assert tables.problems("documentation_contradictions", table) == []
    return [tuple(row.values())[1:] for row in table.to_pylist()]


def test_the_insurer_asks_for_what_the_record_has():
    noted = attested("D08_minutes", "present")
    assert contradicted(attested_documents=[noted], **remarked("N443")) == [
        ("D08_minutes", "attested", "remittance", "N443")
    ]


def test_the_insurer_misses_the_authorization_number_that_stood_on_the_claim():
    assert contradicted(claims=[claim(authorization_number="A1")], **remarked("M62")) == [
        (AUTHORIZATION, "claim", "remittance", "M62")
    ]


def test_the_record_denies_what_the_claim_shows():
    assert contradicted(
        claims=[claim(authorization_number="A1")],
        attested_documents=[attested(AUTHORIZATION, "absent")],
    ) == [(AUTHORIZATION, "claim", "attested", "REF G1")]


def test_a_document_written_after_the_submission_contradicts_no_insurer():
    late = attested("D08_minutes", "present", existed_date=SENT + timedelta(1))
    assert contradicted(attested_documents=[late], **remarked("N443")) == []

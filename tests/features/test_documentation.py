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
    asked = {(row["payer_type"], row["item_id"]): row["visit_from"] for row in rows}
    assert len(asked) == len(rows)
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

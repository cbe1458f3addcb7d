"""What was said on the telephone, and what the insurer then did."""

from datetime import timedelta

import pytest

from analysis import tables
from analysis.features.calls import call_outcomes
from features.practice import SERVED, outcome, practice


def call(number=1, **said):
    return {
        "benefit_call_id": f"b{number}", "file_name": "benefit_calls.csv", "position": number,
        "call_date": SERVED - timedelta(9), "payer_id": "00123", "patient_id": "p_1",
    } | said  # fmt: skip


def denied(category):
    return {"first_determination": "denied", "denial_category": category}


def held(calls, visit=1, **stated):
    """(call, said) -> result, for one claim that is the patient's `visit` of the year."""
    table = call_outcomes(
        practice(
            benefit_calls=calls,
            claim_outcomes=[outcome(**stated)],
            visit_counts=[{"claim_id": "c1", "n_visits_year": visit}],
        )
    )
    assert tables.problems("call_outcomes", table) == []
    return {(row["benefit_call_id"], row["said"]): row["result"] for row in table.to_pylist()}


NO_AUTHORIZATION = {"is_authorization_required": False}


@pytest.mark.parametrize(
    ("said", "name", "category"),
    [
        (NO_AUTHORIZATION, "no_authorization", "authorization"),
        ({"is_covered": True}, "covered", "non_covered"),
        ({"is_referral_required": False}, "no_referral", "referral_rx"),
        ({"visits_allowed": 20}, "visits_allowed", "benefit_limit"),
    ],
)
def test_a_denial_for_what_was_ruled_out_breaks_the_word(said, name, category):
    assert held([call(**said)], **denied(category)) == {("b1", name): "broken"}
    assert held([call(**said)], **denied("documentation")) == {("b1", name): "cannot_tell"}
    assert held([call(**said)]) == {("b1", name): "kept"}
    assert held([call(**said)], first_determination="pending") == {("b1", name): "cannot_tell"}


@pytest.mark.parametrize(
    ("visit", "result"), [(20, "broken"), (21, "cannot_tell"), (None, "cannot_tell")]
)
def test_twenty_visits_allowed_speak_for_twenty_visits(visit, result):
    found = held([call(visits_allowed=20)], visit, **denied("benefit_limit"))
    assert list(found.values()) == [result]


def test_what_was_not_said_or_said_to_be_needed_promises_nothing():
    assert held([call(is_authorization_required=True, is_covered=False)]) == {}


@pytest.mark.parametrize(
    ("days_before", "speaks"), [(-1, False), (0, True), (365, True), (366, False)]
)
def test_a_call_speaks_from_its_day_for_a_year(days_before, speaks):
    made = call(call_date=SERVED - timedelta(days_before), **NO_AUTHORIZATION)
    assert bool(held([made])) == speaks


def test_the_latest_call_speaks_even_of_two_on_one_day():
    calls = [
        call(1, call_time="09:00", **NO_AUTHORIZATION),
        call(2, call_time="15:00", **NO_AUTHORIZATION),
    ]
    assert set(held(calls)) == {("b2", "no_authorization")}


def test_a_call_about_another_patient_or_insurer_says_nothing_here():
    calls = [call(1, patient_id="p_2", **NO_AUTHORIZATION), call(2, payer_id="7", is_covered=True)]
    assert held(calls) == {}

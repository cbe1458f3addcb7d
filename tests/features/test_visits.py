"""A visit against the plan's limit, the authorization and the units a visit may have."""

from datetime import date, timedelta

import pytest

from analysis import tables
from analysis.features.policies import rules_in_force
from analysis.features.visits import visits as count_visits
from features.practice import SERVED, claim, outcome, practice


def day(number):
    """The day of the patient's visit `number`: one a week."""
    return SERVED + timedelta(7 * (number - 1))


def visits(n, units=4.0, **stated):
    """Tables of `n` weekly visits by one patient; `stated` fills claim_outcomes of all."""
    return {
        "claims": [claim(f"c{i}", service_date=day(i)) for i in range(1, n + 1)],
        "claim_outcomes": [
            outcome(f"c{i}", service_date=day(i), episode_id="e1", **stated)
            for i in range(1, n + 1)
        ],
        "line_outcomes": [line_outcome(f"c{i}", day(i), units=units) for i in range(1, n + 1)],
    }


def line_outcome(claim_id, served, **stated):
    return {
        "claim_id": claim_id, "line_number": 1, "procedure_code": "97124", "units": 4.0,
        "service_date": served, "charge_cents": 12000, "allowed_cents": 9000, "paid_cents": 9000,
        "first_determination": "approved", "final_determination": "approved",
    } | stated  # fmt: skip


def policy(rule, value, number=1, **stated):
    return {
        "policy_id": f"r{number}", "file_name": "policies.csv", "position": number,
        "payer_id": "00123", "rule": rule, "value": float(value),
    } | stated  # fmt: skip


def authorization(number=1, visits_authorized=2, **stated):
    return {
        "authorization_id": f"z{number}", "file_name": "authorizations.csv", "position": number,
        "authorization_number": f"A{number}", "payer_id": "00123", "patient_id": "p_1",
        "procedure_codes": "97124:97140", "visits_authorized": visits_authorized,
        "start_date": SERVED, "end_date": SERVED + timedelta(180), "status": "approved",
    } | stated  # fmt: skip


def counted(state="WA", **rows):
    """claim -> its counts, and under each limit known (allowed, used, is past)."""
    inputs = practice(**rows)
    inputs["rules_in_force"] = rules_in_force(inputs, state)
    made = count_visits(inputs)
    for name in ("visit_counts", "visit_limits"):
        assert tables.problems(name, made[name]) == []
    found = {row["claim_id"]: row for row in made["visit_counts"].to_pylist()}
    for row in made["visit_limits"].to_pylist():
        found[row["claim_id"]][row["limit_kind"]] = (row["allowed"], row["used"], row["is_past"])
    return found


def test_without_a_rule_nobody_knows_whether_a_visit_lies_past_it():
    found = counted(**visits(2))["c2"]
    assert (found["n_visits_year"], found["n_visits_episode"]) == (2, 2)
    counts = {column.name for column in tables.declared("visit_counts").columns}
    assert found.keys() == counts


def test_the_visit_after_the_last_allowed_one_lies_past_the_limit():
    found = counted(**visits(3), policies=[policy("visit_limit_year", 2)])
    assert [found[f"c{i}"]["visits_per_year"] for i in (1, 2, 3)] == [
        (2, 1, False), (2, 2, False), (2, 3, True)
    ]  # fmt: skip


def test_a_voided_claim_uses_no_visit_but_a_deductible_one_does():
    rows = visits(3)
    rows["claim_outcomes"][0] |= {"final_determination": "voided"}
    rows["claim_outcomes"][1] |= {"paid_cents": 0, "patient_responsibility_cents": 9000}
    found = counted(**rows)
    assert [found[f"c{i}"]["n_visits_year"] for i in (1, 2, 3)] == [None, 1, 2]


def test_two_claims_of_one_day_are_one_visit():
    rows = visits(2)
    for name in ("claims", "claim_outcomes", "line_outcomes"):
        rows[name][1] |= {"service_date": SERVED}
    assert counted(**rows)["c2"]["n_visits_year"] == 1


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ({"state": "WA"}, 12),
        ({"state": "OR"}, 30),
        ({"plan_id": "G1"}, 12),
        ({"plan_id": "G2"}, 30),
        ({"effective_to": SERVED - timedelta(1)}, 30),
        ({"effective_from": SERVED + timedelta(1)}, 30),
        ({"payer_id": "00999"}, 30),
    ],
)
def test_a_rule_holds_for_its_plan_state_and_days(rule, limit):
    plan = {
        "payer_id": "00123", "plan_id": "G1", "plan_name": "Gold", "funding": "insured",
        "visit_limit_year": 30,
    }  # fmt: skip
    found = counted(**visits(1), plans=[plan], policies=[policy("visit_limit_year", 12, **rule)])
    assert found["c1"]["visits_per_year"][0] == limit


def test_the_plans_own_rule_goes_before_the_insurers():
    rules = [
        policy("visit_limit_year", 10),
        policy("visit_limit_year", 20, number=2, plan_id="G1"),
    ]
    assert counted(**visits(1), policies=rules)["c1"]["visits_per_year"][0] == 20


def test_a_limit_on_a_code_counts_the_visits_with_that_code():
    rows = visits(3)
    rows["line_outcomes"][1] |= {"procedure_code": "97140"}
    rule = policy("visit_limit_year", 2, procedure_code="97124")
    found = counted(**rows, policies=[rule])
    assert found["c3"]["visits_per_year"] == (2, 2, False)
    assert "visits_per_year" not in found["c2"]


def test_a_new_year_starts_the_count_again():
    rows = visits(2)
    for name in ("claims", "claim_outcomes", "line_outcomes"):
        rows[name][1] |= {"service_date": date(2026, 1, 5)}
    found = counted(**rows)["c2"]
    assert (found["n_visits_year"], found["n_visits_episode"]) == (1, 2)


def test_visits_of_the_last_seven_days():
    rows = visits(3)
    for place, later in enumerate((0, 6, 7)):
        for name in ("claims", "claim_outcomes", "line_outcomes"):
            rows[name][place] |= {"service_date": SERVED + timedelta(later)}
    found = counted(**rows)
    assert [found[f"c{i}"]["n_visits_week"] for i in (1, 2, 3)] == [1, 2, 2]


def test_the_third_visit_of_two_authorized_lies_past_them():
    found = counted(**visits(3), authorizations=[authorization()])
    assert [found[f"c{i}"]["authorized_visits"] for i in (1, 2, 3)] == [
        (2, 1, False), (2, 2, False), (2, 3, True)
    ]  # fmt: skip


def test_a_renewed_authorization_is_told_by_the_number_on_the_claim():
    rows = visits(3)
    for row, number in zip(rows["claims"], ("A1", "A1", "A2"), strict=True):
        row |= {"authorization_number": number}
    renewed = authorization(2, start_date=day(3))
    found = counted(**rows, authorizations=[authorization(), renewed])["c3"]
    assert found["authorized_visits"] == (2, 1, False)


def test_overlapping_authorizations_without_a_number_leave_it_open():
    # The second authorization ran alone in the last week: four visits may have used it, or one.
    first = authorization(1, end_date=day(3))
    second = authorization(2, visits_authorized=3)
    found = counted(**visits(4), authorizations=[first, second])["c4"]
    assert found["authorized_visits"] == (3, None, None)


@pytest.mark.parametrize(("units", "is_past"), [(4.0, False), (5.0, True), (None, None)])
def test_units_of_a_visit_against_the_rule(units, is_past):
    rule = policy("units_per_visit", 4, procedure_code="97124")
    found = counted(**visits(1, units), policies=[rule])["c1"]
    assert found["n_units_visit"] == units
    assert found["units_per_visit"] == (4, units, is_past)


def test_a_rule_on_one_code_counts_the_units_of_that_code():
    rows = visits(1, units=3.0)
    rows["line_outcomes"].append(
        line_outcome("c1", SERVED, line_number=2, procedure_code="97140", units=2.0)
    )
    rules = [policy("units_per_visit", 4, procedure_code="97124")]
    assert counted(**rows, policies=rules)["c1"]["units_per_visit"] == (4, 3, False)
    whole = [*rules, policy("units_per_visit", 4, number=2)]
    assert counted(**rows, policies=whole)["c1"]["units_per_visit"] == (4, 5, True)


def noted(n_minutes, code=None, number=1, served=SERVED):
    return {
        "visit_minutes_id": f"m{number}", "patient_control_number": "pcn-C1 ",
        "service_date": served, "procedure_code": code, "n_minutes": n_minutes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "of_code", "told"),
    [
        ([noted(60)], None, (45, 60, True)),
        ([noted(45)], None, (45, 45, False)),
        ([noted(30, "97124"), noted(16, "97140", 2)], None, (45, 46, True)),
        ([noted(30, "97124"), noted(30, "97124", 2)], None, (45, 30, False)),
        ([noted(30, "97124"), noted(30, "97140", 2)], "97124", (45, 30, False)),
        ([noted(60)], "97124", (45, None, None)),
        ([noted(40)], "97124", (45, None, False)),
        ([noted(60, served=SERVED + timedelta(1))], None, None),
        ([], None, None),
    ],
)
def test_minutes_of_a_visit_against_the_rule(minutes, of_code, told):
    rule = policy("minutes_per_visit", 45, procedure_code=of_code)
    found = counted(**visits(1), visit_minutes=minutes, policies=[rule])["c1"]
    assert found.get("minutes_per_visit") == told


def test_visits_a_week_and_weeks_of_an_episode_against_the_insurers_rules():
    rows = visits(3)
    for place, later in enumerate((0, 3, 14)):
        for name in ("claims", "claim_outcomes", "line_outcomes"):
            rows[name][place] |= {"service_date": SERVED + timedelta(later)}
    rules = [policy("visits_per_week", 1), policy("weeks_per_episode", 2, number=2)]
    found = counted(**rows, policies=rules)
    assert [found[f"c{i}"]["visits_per_week"] for i in (1, 2, 3)] == [
        (1, 1, False), (1, 2, True), (1, 1, False)
    ]  # fmt: skip
    assert [found[f"c{i}"]["weeks_per_episode"] for i in (1, 2, 3)] == [
        (2, 1, False), (2, 1, False), (2, 3, True)
    ]  # fmt: skip


def test_medicaid_of_another_state_has_other_rules():
    rules = [
        policy("visits_per_week", 1, state="OR"),
        policy("visits_per_week", 3, number=2, state="WA"),
    ]
    for state, limit in (("OR", 1), ("WA", 3)):
        assert counted(state, **visits(1), policies=rules)["c1"]["visits_per_week"][0] == limit
    assert "visits_per_week" not in counted(None, **visits(1), policies=rules)["c1"]


def prescription(number=1, **stated):
    return {
        "prescription_id": f"s{number}", "file_name": "prescriptions.csv", "position": number,
        "patient_id": "p_1", "prescribed_date": SERVED, "visits_prescribed": 2,
    } | stated  # fmt: skip


def test_the_third_visit_of_two_prescribed_lies_past_them_until_they_are_renewed():
    found = counted(**visits(3), prescriptions=[prescription()])
    assert [found[f"c{i}"]["prescribed_visits"] for i in (1, 2, 3)] == [
        (2, 1, False), (2, 2, False), (2, 3, True)
    ]  # fmt: skip
    renewed = [prescription(), prescription(2, prescribed_date=day(3), visits_prescribed=6)]
    assert counted(**visits(3), prescriptions=renewed)["c3"]["prescribed_visits"] == (6, 1, False)


def test_a_visit_after_the_prescription_ran_out_lies_past_it():
    found = counted(**visits(2), prescriptions=[prescription(expiry_date=day(2) - timedelta(1))])
    assert [found[f"c{i}"]["prescription_days"] for i in (1, 2)] == [(6, 0, False), (6, 7, True)]


def test_frequency_and_duration_against_the_plan_of_care():
    plan = prescription(visits_prescribed=None, visits_per_week=0.5, n_weeks=2)
    found = counted(**visits(3), prescriptions=[plan])
    assert found["c1"]["prescribed_visits_per_week"] == (0.5, 1, True)
    assert [found[f"c{i}"]["prescribed_weeks"] for i in (2, 3)] == [(2, 2, False), (2, 3, True)]
    assert "prescribed_visits" not in found["c1"]


@pytest.mark.parametrize(
    ("stated", "speaks"),
    [
        ({"diagnosis_codes": "M54.5"}, True),
        ({"diagnosis_codes": "G35:M54.50"}, True),
        ({"diagnosis_codes": "M54.2"}, False),
        ({"prescribed_date": SERVED + timedelta(1)}, False),
        ({"patient_id": "p_2"}, False),
    ],
)
def test_a_prescription_speaks_for_its_patient_diagnosis_and_days(stated, speaks):
    diagnosis = {"claim_version_id": "c1", "diagnosis_position": 1, "diagnosis_code": "M54.50"}
    rows = visits(1) | {"claim_diagnoses": [diagnosis]}
    found = counted(**rows, prescriptions=[prescription(**stated)])["c1"]
    assert ("prescribed_visits" in found) == speaks

"""The month: noise is not news, and what is worth most comes first."""

from datetime import date, timedelta

import pandas as pd

from analysis.findings import month, performance, recovery, unbound_digits
from findings.made_claims import AS_OF, action, claim, claims, frame, outcomes, payers

MONTH = "2026-08"
NOW = {"first_determination_date": date(2026, 8, 10)}
BEFORE = {"first_determination_date": date(2026, 3, 10)}


def answered(now, before):
    return outcomes(claims(*now, 0, **NOW) + claims(*before, 1000, **BEFORE))


def test_a_dip_within_chance_is_no_news():
    finding = month.change(answered((17, 4), (255, 45)), MONTH)
    assert finding.sentence.startswith(
        "Insurers approved 81% of the claims first answered in August"
    )
    assert finding.sentence.endswith("No change is shown beyond what chance makes.")
    assert unbound_digits(finding) == []


def test_a_fall_beyond_chance_is_said():
    finding = month.change(answered((20, 20), (255, 45)), MONTH)
    assert finding.sentence.endswith("This is a fall beyond what chance explains.")
    assert finding.values["gap_upper"] < 0


def test_a_month_with_few_answers_tells_no_change():
    finding = month.change(answered((3, 2), (255, 45)), MONTH)
    assert finding.estimate is None
    assert "Too few answers in August 2026" in finding.sentence


def test_answers_that_came_later_do_not_count_as_the_year_before():
    rows = claims(20, 20, 0, **NOW) + claims(255, 45, 1000, **BEFORE)
    later = claims(0, 300, 2000, first_determination_date=date(2026, 9, 20))
    assert month.change(outcomes(rows + later), MONTH).values["usual"] == 0.85


def test_the_month_at_a_glance_counts_by_its_own_dates():
    table = outcomes(claims(5, 0, submitted_date=date(2026, 8, 3)) + claims(0, 2, 50, **NOW))
    deposits = [
        {"payment_id": f"t{n}", "file_name": "a.835", "position": n, "payment_date": day,
         "deposit_cents": 50_000}
        for n, day in enumerate([date(2026, 8, 31), date(2026, 9, 1)], 1)
    ]  # fmt: skip
    finding = month.glance(table, frame("payments", deposits), MONTH)
    # The five were answered ten days after they were sent, in the same month.
    assert finding.sentence == (
        "In August 2026: 5 claims sent, 7 claims answered for the first time, $500 deposited by"
        " insurers."
    )


def test_answers_without_their_day_are_told_as_such_not_as_none():
    """As an export tells them; they are neither unanswered nor answered in another month."""
    table = outcomes(claims(30, 5, first_determination_date=None))
    finding = month.glance(table, frame("payments", []), "2026-03")
    assert "35 claims sent. How many were answered in it cannot be told: 35 answers" in (
        finding.sentence
    )
    assert "cannot be told" in month.change(table, "2026-03").sentence
    assert (
        "cannot be told: of 35 claims" in performance.days_in_receivables(table, "2026-03").sentence
    )


def test_visits_whose_day_of_sending_nobody_wrote_down_are_not_said_to_be_unsent():
    visits = {"submitted_date": None, "service_date": date(2026, 8, 3)}
    table = outcomes(claims(5, 0, first_determination_date=date(2026, 8, 20), **visits))
    said = month.glance(table, frame("payments", []), MONTH).sentence
    assert "0 claims sent, 5 claims of visits in it whose day of sending is in no file" in said
    assert "5 claims answered" in said
    assert "cannot be told" in performance.days_in_receivables(table, MONTH).sentence


def open_claims(rows, actions):
    table = outcomes([*claims(20, 0), *rows])
    given = recovery.Tables(frame("next_actions", actions), table, frame("appeal_outcomes", []))
    return recovery.open_claims(given, AS_OF), table


def test_what_waits_for_the_practice_is_worth_what_the_insurer_allows():
    actions = [
        action(100),
        action(101, deadline_date=AS_OF + timedelta(days=5), deadline_source="letter"),
        action(102, deadline_date=AS_OF - timedelta(days=1)),
    ]
    open_now, table = open_claims(claims(0, 3, 100), actions)
    finding = month.at_stake(open_now, table)
    # 80% of 20,000 cents; 52% of appeals were won by a published figure, 34% to 57%.
    assert finding.sentence == (
        "On 30 September 2026, 2 claims needed something from you, worth about $160 at what the"
        " insurers usually allow. Going by how such work went so far, about $83 of it may come in"
        " once you act ($54 to $91). Due within 14 days: 1 claim."
    )
    assert unbound_digits(finding) == []
    guessed, _ = open_claims(claims(0, 2, 100), [action(101, deadline_date=AS_OF), action(100)])
    assert month.at_stake(guessed, table).sentence.endswith(
        "Due within 14 days: 1 claim, all by usual deadlines, not your letters': check each letter,"
        " its date counts."
    )
    dateless, _ = open_claims(claims(0, 1, 100), [action(100, deadline_date=None)])
    told = month.at_stake(dateless, table).sentence
    assert told.endswith("Due within 14 days: 0 claims. For 1 claim no deadline is known.")
    table = month.deadlines(open_now)
    assert table[["what", "who", "n", "n_usual"]].values.tolist() == [
        ["appeal", "front desk", 1, 0]
    ]
    # What comes first by its date is not told again among what brings most.
    assert month.to_do(open_now)["n"].tolist() == [1]
    said = month.listed(open_now, outcomes(claims(0, 3, 100)), "river").sentence
    assert said.startswith("To list all 2 with insurer")
    assert said.endswith("type: outcomes worklist river")


def test_what_may_bring_most_comes_first_and_what_nobody_can_tell_last():
    records = {"action": "send_records", "category": "documentation"}
    excluded = {"action": "check_plan", "category": "non_covered"}
    silent = {"action": "ask_insurer", "why": "no_answer", "category": None, "deadline_date": None}
    actions = [action(100), action(101), action(102, refused_charge_cents=90_000, **records)]
    actions += [action(103, refused_charge_cents=99_000, **excluded), action(104, **silent)]
    open_now, _ = open_claims([*claims(0, 4, 100), claim(104, "pending")], actions)
    table = month.to_do(open_now, n=4)
    assert table["step"].tolist() == [
        "send the records (therapist)",
        "appeal (front desk)",
        "check the plan, then bill the patient (patient and plan sponsor)",
        "ask the insurer (biller)",
    ]
    assert table["reason"][3].startswith("no answer for longer than usual: call the insurer")
    assert table["n"].tolist() == [1, 2, 1, 1]
    assert table["expected_cents"].isna().tolist() == [False, False, True, True]
    told = table.head(2)
    assert (told["lower_cents"] < told["expected_cents"]).all()
    assert (told["expected_cents"] < told["upper_cents"]).all()
    assert len(month.to_do(open_now)) == 3


def test_nothing_open_means_nothing_to_do():
    open_now, table = open_claims([], [])
    assert month.to_do(open_now).empty
    assert month.deadlines(open_now).empty
    assert month.at_stake(open_now, table).sentence.startswith("No claim waits for you")


def test_a_patient_near_a_limit_counts_once_by_the_last_visit():
    day = date(2026, 9, 1)
    rows = [
        claim(n, patient_id=f"p{n // 2}", service_date=day + timedelta(days=n)) for n in range(6)
    ]
    # Seen long ago, and so no longer coming.
    rows += [claim(7, patient_id="p7", service_date=date(2026, 5, 1))]
    used = {0: 3, 1: 9, 2: 11, 3: 12, 4: 2, 5: 3, 7: 12}
    kinds = [("visits_per_year", 12.0), ("units_per_visit", 4.0)]
    limits = frame(
        "visit_limits",
        [
            {"claim_id": f"c{n}", "limit_kind": kind, "allowed": allowed, "used": float(n_used)}
            | {"is_past": n_used > allowed}
            for n, n_used in used.items()
            for kind, allowed in kinds
        ],
    )
    table = month.visits_near_limits(limits, outcomes(rows), payers(), AS_OF)
    assert table.values.tolist() == [["Evergreen Health", "visits a year", 3, 1, 1]]


def test_waiting_claims_stand_in_their_age():
    ages = [5, 30, 31, 75, 200]
    rows = [
        claim(n, "pending", submitted_date=AS_OF - timedelta(days=a)) for n, a in enumerate(ages)
    ]
    table = month.pending_by_age(outcomes(rows))
    assert table["n"].tolist() == [2, 1, 1, 0, 1]
    assert table["charge_cents"].sum() == 50_000


def authorization(number, visits, end):
    return {"authorization_id": number, "file_name": "a.csv", "position": 1,
            "authorization_number": number, "payer_id": "00123", "visits_authorized": visits,
            "start_date": date(2026, 1, 1), "end_date": end, "status": "approved"}  # fmt: skip


def test_visits_used_are_days_of_service_not_claim_versions():
    visits = [(f"v{n}", "A1", date(2026, 9, 1 + n // 2)) for n in range(8)]
    sent = pd.DataFrame(
        visits, columns=["claim_version_id", "authorization_number", "service_date"]
    )
    sent["service_date"] = pd.to_datetime(sent["service_date"])
    later = date(2026, 12, 31)
    given = frame(
        "authorizations",
        [
            authorization("A1", 6, later),
            authorization("A2", 6, date(2026, 10, 15)),
            authorization("A3", 6, date(2026, 8, 1)),
        ],
    )
    table = month.authorizations_running_out(given, sent, payers(), AS_OF)
    counts = table[["insurer", "n", "n_ending", "n_nearly_used", "n_used_up"]].values.tolist()
    assert counts == [["Evergreen Health", 2, 1, 1, 0]]

"""The month: noise is not news, and what is worth most comes first."""

from datetime import date, timedelta

import pandas as pd

from analysis.findings import month, unbound_digits
from findings.made_claims import AS_OF, claim, claims, frame, outcomes, payers

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
    assert finding.sentence.endswith("Chance alone can explain the difference, so it is no news.")
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


def test_only_denials_young_enough_to_appeal_are_still_open():
    # 180 days for a commercial plan; nobody knows for auto, so the shortest there is.
    ages = [("commercial_unspecified", 180), ("commercial_unspecified", 181), ("auto_PIP", 31)]
    table = outcomes(
        [
            claim(
                n, "denied", payer_type=kind, final_determination_date=AS_OF - timedelta(days=age)
            )
            for n, (kind, age) in enumerate(ages)
        ]
    )
    assert month.open_denials(table)["claim_id"].tolist() == ["c0"]
    assert month.at_stake(table).denominator == 1


def test_the_dearest_thing_to_do_comes_first():
    open_now = {"final_determination_date": AS_OF - timedelta(days=5)}
    records = {"final_denial_category": "documentation", **open_now}
    rows = claims(20, 0)
    rows += claims(0, 3, 100, **open_now) + claims(0, 1, 200, charge_cents=90_000, **records)
    rows += [claim(300, "pending", submitted_date=date(2026, 5, 1))]
    table = month.to_do(outcomes(rows))
    assert table["why"].tolist() == [
        "insurer asks for records",
        "prior authorization missing or used up",
        "no answer for longer than usual",
    ]
    assert table["worth_cents"].tolist() == [72_000, 24_000, 8_000]
    assert table["who"].tolist() == ["therapist", "front desk", "biller"]


def test_nothing_open_means_nothing_to_do():
    assert month.to_do(outcomes(claims(20, 0))).empty


def test_waiting_claims_stand_in_their_age():
    ages = [5, 30, 31, 75, 200]
    rows = [
        claim(n, "pending", submitted_date=AS_OF - timedelta(days=a)) for n, a in enumerate(ages)
    ]
    table = month.pending_by_age(outcomes(rows))
    assert table["n"].tolist() == [2, 1, 1, 1]
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

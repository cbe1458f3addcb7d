"""First-pass rates: who is counted, who is left out, and what is said of it."""

from datetime import date

import pytest

from analysis.findings import outcomes as asked
from analysis.findings import unbound_digits
from findings.made_claims import claim, claims, outcomes, payers

MONTH = "2026-08"


def test_rate_names_its_denominator_interval_and_what_was_left_out():
    recent = claims(20, 0, first=500, submitted_date=date(2026, 8, 20))
    table = outcomes(claims(160, 40) + recent + [claim(900, "pending")])
    finding = asked.approval(table, MONTH)
    assert (finding.numerator, finding.denominator) == (160, 200)
    assert finding.sentence == (
        "Insurers approved 80% of claims at the first answer (74 to 85), 200 claims, submitted"
        " in March 2026. Left out: 20 claims too recent to judge (under 60 days old), 1 without"
        " such an answer."
    )
    assert unbound_digits(finding) == []


def test_claims_of_a_later_month_are_not_counted():
    table = outcomes(claims(30, 10) + claims(0, 40, first=100, submitted_date=date(2026, 5, 2)))
    assert asked.approval(table, "2026-04").numerator == 30
    assert asked.approval(table, "2026-05").denominator == 80


def test_too_few_claims_give_no_rate():
    finding = asked.approval(outcomes(claims(8, 2)), MONTH)
    assert finding.estimate is None
    assert finding.sentence == (
        "Too few claims to give a rate: 10 answered claims, where 11 are needed."
    )


def test_a_wide_interval_is_too_uncertain_to_state():
    finding = asked.approval(outcomes(claims(10, 10)), MONTH)
    assert finding.estimate is None
    assert finding.sentence.startswith("Too uncertain to state: 20 claims leave the rate anywhere")


def test_a_denial_overturned_later_is_denied_first_and_approved_in_the_end():
    won = claims(0, 20, first=300, final_determination="approved", final_denial_category=None)
    table = outcomes(claims(80, 20) + won)
    assert asked.approval(table, MONTH).numerator == 80
    assert asked.approval(table, MONTH, which="final").numerator == 100


def test_a_claim_known_only_from_its_remittance_is_judged_by_the_age_of_its_service():
    alone = {"submitted_date": None, "is_mature": False, "n_versions": 0}
    old = [claim(n, **alone) | {"service_date": date(2026, 2, 1),
                                "first_determination_date": date(2026, 3, 1)}
           for n in range(12)]  # fmt: skip
    new = [claim(50, **alone) | {"service_date": date(2026, 8, 25)}]
    assert asked.approval(outcomes(old + new), MONTH).denominator == 12


def test_unanswered_claims_count_as_waiting():
    quick = [claim(n, days_to_first_determination=10) for n in range(6)]
    slow = [claim(n, days_to_first_determination=70) for n in range(6, 10)]
    open_claims = [claim(n, "pending") for n in range(10, 12)]
    half = asked.waiting(outcomes(quick + slow), MONTH)
    assert half.sentence.startswith("Half of the claims had a first answer within 10 days")
    assert "70 days" in half.sentence
    # With a sixth still open nobody knows within how many days nine in ten are answered.
    assert (
        "Too few claims were answered"
        in asked.waiting(outcomes(quick + slow + open_claims), MONTH).sentence
    )


def test_an_answer_without_its_day_is_neither_days_nor_waiting():
    dated = claims(12, 0)
    dateless = {"first_determination_date": None, "days_to_first_determination": None}
    table = outcomes(dated + claims(20, 0, first=100, outcome_source="export", **dateless))
    (waits,) = asked.waiting_by_insurer(table, payers(), MONTH).to_dict("records")
    assert (waits["n"], waits["n_unanswered"], waits["most_days"]) == (12, 0, 10)


def test_answers_that_an_export_tells_say_so_in_every_finding():
    by_insurer = outcomes(claims(30, 10, outcome_source="x12"))
    both = outcomes(
        claims(30, 10, outcome_source="x12")
        + claims(5, 0, first=100, outcome_source="export")
        + [claim(900, "pending")]
    )
    assert asked.told_by_exports(by_insurer, MONTH).numerator == 0
    told = asked.told_by_exports(both, MONTH)
    assert (told.numerator, told.denominator) == (5, 45)
    assert "45 answered claims, 5 have no remittance" in told.sentence
    assert asked.money(by_insurer, MONTH).population == "claims of this practice"
    exported = asked.money(both, MONTH).population
    assert exported == "claims of this practice, some answers as its own export tells them"


def test_every_claim_stands_in_one_determination():
    table = outcomes([claim(1), claim(2, "denied"), claim(3, "pending"), claim(4, "unknown")])
    counts = asked.determinations(table, MONTH).set_index("determination")
    assert counts["n_first"].sum() == counts["n_final"].sum() == 4
    assert counts.loc["not known", "n_first"] == 1
    assert counts["charge_cents"].sum() == 40_000


def test_a_claim_cut_in_part_is_approved_not_denied():
    cut = [claim(n, "partially_approved") for n in range(500, 520)]
    assert asked.approval(outcomes(claims(80, 20) + cut), MONTH).numerator == 100


def test_days_of_a_small_insurer_are_not_stated():
    table = outcomes(claims(20, 0) + claims(3, 0, first=50, payer_id="900"))
    waits = asked.waiting_by_insurer(table, payers(), MONTH).set_index("insurer")
    assert waits.loc["Evergreen Health", "half_days"] == 10
    assert waits["half_days"].isna().loc["Cascade Auto"]


def test_money_is_summed_in_cents():
    finding = asked.money(outcomes(claims(3, 1, charge_cents=12_345)), MONTH)
    assert finding.values["charged"] == 4 * 12_345
    assert finding.values["refused"] == 12_345
    assert "$494 charged" in finding.sentence


@pytest.mark.parametrize("n", [0, 5])
def test_months_without_enough_claims_show_no_rate(n):
    table = outcomes(claims(40, 10) + claims(n, 0, first=90, submitted_date=date(2026, 4, 1)))
    months = asked.by_month(table, MONTH)
    assert months["month"].tolist() == ["2026-03", "2026-04"][: 1 + (n > 0)]
    assert months["estimate"].notna().tolist() == [True, False][: 1 + (n > 0)]


def sent(day, n_approved, n_denied, n_pending, first=200):
    """Claims of one day: approvals came after 10 days, denials after 40, the others still wait."""
    kinds = ["approved"] * n_approved + ["denied"] * n_denied + ["pending"] * n_pending
    rows = []
    for place, kind in enumerate(kinds):
        late = {"days_to_first_determination": 40} if kind == "denied" else {}
        rows.append(claim(first + place, kind, submitted_date=day, **late))
    return rows


def test_claims_that_wait_are_foreseen_and_not_left_out():
    """Denials are slow here, so that of the last month's claims few are in."""
    rows = sent(date(2026, 7, 10), 60, 20, 0, 100) + sent(date(2026, 8, 25), 60, 0, 20, 200)
    finding = asked.recent_approval(outcomes(rows), MONTH)
    assert finding.denominator == 160
    assert finding.values["waiting"] == 20
    assert finding.values["so_far"] == pytest.approx(120 / 140)
    assert finding.estimate == pytest.approx(0.75)
    assert finding.lower < 0.75 < finding.upper
    assert unbound_digits(finding) == []


def test_a_month_is_foreseen_only_where_its_claims_have_waited_long_enough():
    rows = sent(date(2026, 7, 2), 30, 10, 0, 100)
    rows += sent(date(2026, 8, 4), 30, 10, 1, 200) + sent(date(2026, 9, 12), 30, 0, 10, 300)
    months = asked.by_month(outcomes(rows), "2026-09").set_index("month")
    assert months.loc["2026-07", "estimate"] == 0.75
    assert months.loc["2026-08", "n"] == 41
    assert months.loc["2026-08", "estimate"] == pytest.approx(0.75)
    assert months.loc["2026-09", "refusal"] == asked.TOO_RECENT
    assert months["estimate"].isna().tolist() == [False, False, True]


def test_answers_without_their_day_foresee_nothing():
    rows = sent(date(2026, 8, 4), 30, 10, 1)
    for row in rows[:20]:
        row |= {"first_determination_date": None, "days_to_first_determination": None}
    finding = asked.recent_approval(outcomes(rows), MONTH)
    assert finding.estimate is None
    assert asked.TOO_RECENT in finding.sentence

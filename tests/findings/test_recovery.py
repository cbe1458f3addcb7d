"""What acting may bring: the practice's own record first, and never a chance out of nothing."""

from datetime import date, timedelta

import pytest

from analysis.findings import recovery
from findings.made_claims import AS_OF, action, claim, claims, frame, outcomes

ANSWERED = date(2026, 9, 1)


def given(rows, actions, appeals=()):
    """The tables; a claim whose `appeal_outcome` is told had one first appeal that ended so."""
    log = [
        appeal(row["claim_id"], "1", row["appeal_outcome"])
        for row in rows
        if "appeal_outcome" in row
    ]
    return recovery.Tables(
        frame("next_actions", list(actions)),
        outcomes(rows),
        frame("appeal_outcomes", [*log, *appeals]),
    )


def appeal(claim_id, level, outcome):
    return {
        "appeal_outcome_id": f"{claim_id}-{level}",
        "claim_id": claim_id,
        "appeal_number": 1,
        "level": level,
        "agreement": "recorded_only",
        "outcome": outcome,
    }


def open_claims(rows, actions, today=AS_OF):
    return recovery.open_claims(given(rows, actions), today)


def decided(n_won, n_lost, first, **said):
    return claims(n_won, 0, first, appeal_outcome="overturned", **said) + claims(
        0, n_lost, first + n_won, appeal_outcome="upheld", **said
    )


def test_the_own_record_for_the_same_reason_speaks_first():
    rows = [claim(0, "denied"), *decided(9, 3, 100, denial_category="authorization")]
    rows += decided(0, 20, 200, denial_category="documentation")
    [row] = open_claims(rows, [action(0)]).to_dict("records")
    assert (row["chance"], row["n_record"]) == (0.75, 12)
    assert row["chance_basis"] == recovery.OWN_REASON
    assert row["chance_lower"] < 0.5 < row["chance_upper"]
    # 8,000 of 10,000 cents are allowed on approved claims.
    assert (row["worth_cents"], row["expected_cents"]) == (8_000, 6_000)


def test_with_few_of_the_same_reason_all_reasons_count():
    rows = [claim(0, "denied"), *decided(2, 8, 100, denial_category="authorization")]
    rows += decided(8, 2, 200, denial_category="documentation")
    [row] = open_claims(rows, [action(0)]).to_dict("records")
    assert (row["chance"], row["n_record"], row["chance_basis"]) == (0.5, 20, recovery.OWN)


def test_without_a_record_a_published_figure_stands_in_and_is_called_so():
    rows = [claim(0, "denied"), *claims(5, 0, 50), *decided(5, 0, 100)]
    [row] = open_claims(rows, [action(0)]).to_dict("records")
    assert (row["chance"], row["chance_basis"]) == (0.52, recovery.PUBLISHED)
    assert recovery.published_rate("appeal", "auto_PIP")["source"]


def test_a_plans_exclusion_borrows_no_chance_from_other_reasons():
    rows = [claim(0, "denied"), *decided(30, 0, 100, denial_category="documentation")]
    excluded = action(0, action="check_plan", category="non_covered")
    [row] = open_claims(rows, [excluded]).to_dict("records")
    assert row["chance_basis"] == recovery.NOTHING
    assert row["expected_cents"] != row["expected_cents"] or row["expected_cents"] is None


def test_corrections_are_judged_by_corrections_not_by_appeals():
    corrected = {
        "n_versions": 2,
        "first_determination": "denied",
        "denial_category": "missing_info",
    }
    later = {"first_determination_date": date(2026, 3, 5), "final_determination_date": ANSWERED}
    rows = [claim(0, "denied"), *claims(12, 4, 100, **corrected, **later), *decided(0, 40, 300)]
    fix = action(0, action="correct", category="missing_info")
    [row] = open_claims(rows, [fix]).to_dict("records")
    assert (row["chance"], row["n_record"]) == (0.75, 16)


def test_silence_counts_against_late_answers():
    """Twelve of twenty that were late got an approval in twice the usual time, six never any."""
    late = {"days_to_first_determination": 80}
    rows = claims(12, 2, 100, submitted_date=date(2026, 1, 5), **late)
    rows += [claim(200 + n, "pending", submitted_date=date(2026, 1, 5)) for n in range(6)]
    rows += [claim(0, "pending", submitted_date=AS_OF - timedelta(days=70))]
    rows += [claim(1, "pending", submitted_date=AS_OF - timedelta(days=400))]
    asked = {"why": "no_answer", "action": "ask_insurer", "category": None, "deadline_date": None}
    table = open_claims(rows, [action(0, **asked), action(1, **asked)]).set_index("claim_id")
    assert (table.loc["c0", "chance"], table.loc["c0", "n_record"]) == (12 / 21, 21)
    assert table.loc["c1", "chance_basis"] == recovery.NOTHING


def test_the_order_is_days_left_then_expected_dollars_and_the_late_come_last():
    soon, today = AS_OF + timedelta(days=3), AS_OF
    rows = [*claims(20, 0, 50), *(claim(n, "denied") for n in range(6))]
    actions = [
        action(0, deadline_date=AS_OF - timedelta(days=40)),
        action(1, deadline_date=None, deadline_source=None),
        action(2, deadline_date=soon, refused_charge_cents=1_000),
        action(3, deadline_date=soon, refused_charge_cents=9_000),
        action(4, deadline_date=today),
        action(5, deadline_date=AS_OF - timedelta(days=1)),
    ]
    table = open_claims(rows, actions)
    assert table["claim_id"].tolist() == ["c4", "c3", "c2", "c1", "c5", "c0"]
    assert table["days_left"].tolist()[:3] == [0, 3, 3]
    assert table["is_late"].tolist() == [False] * 4 + [True] * 2


@pytest.mark.parametrize("state", ["waiting", "settled"])
def test_what_is_not_to_do_is_not_offered(state):
    closed = action(0, state=state, why="usual_time", action=None)
    assert open_claims([claim(0, "pending"), *claims(5, 0, 9)], [closed]).empty


def test_next_levels_are_judged_by_next_levels():
    levels = [("2", "upheld")] * 9 + [("external", "overturned")] * 3 + [("1", "overturned")] * 30
    log = [appeal(f"c{100 + n}", *how) for n, how in enumerate(levels)]
    rows = [claim(0, "denied"), *claims(0, len(levels), 100)]
    made = given(rows, [action(0, action="next_appeal", why="appeal_lost")], log)
    [row] = recovery.open_claims(made, AS_OF).to_dict("records")
    assert (row["chance"], row["n_record"], row["chance_basis"]) == (0.25, 12, recovery.OWN_REASON)

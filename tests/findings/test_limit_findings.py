"""Visits against limits: what nobody wrote down is neither kept nor passed."""

from datetime import date

from analysis.findings import limits, unbound_digits
from findings.made_claims import claim, claims, frame, outcomes

MONTH = "2026-08"


def limit(number, kind="visits_per_year", used=1, is_past=False, allowed=10):
    return {"claim_id": f"c{number}", "limit_kind": kind, "allowed": allowed, "used": used,
            "is_past": is_past}  # fmt: skip


def test_claims_past_one_limit_of_several_count_once():
    rows = [
        limit(0, is_past=True), limit(0, "authorized_visits", is_past=True),
        limit(1), limit(1, "authorized_visits", is_past=True), limit(2, is_past=None),
        limit(99, is_past=True),
    ]  # fmt: skip
    finding = limits.past(frame("visit_limits", rows), outcomes(claims(5, 0)), MONTH)
    assert (finding.numerator, finding.denominator) == (2, 3)
    assert "for 2 other claims nobody wrote down a limit" in finding.sentence
    assert unbound_digits(finding) == []


def test_without_any_limit_nothing_is_said():
    finding = limits.past(frame("visit_limits", []), outcomes(claims(5, 0)), MONTH)
    assert finding.sentence.startswith("No limit on visits is on record")


def test_the_counts_of_a_kind_add_up_to_all_claims():
    rows = [limit(0), limit(1, is_past=True), limit(2, is_past=None)]
    table = limits.by_kind(frame("visit_limits", rows), outcomes(claims(5, 0)), MONTH)
    table = table.set_index("limit")
    counts = ["n_within", "n_past", "n_open", "n_none"]
    of_year = table.loc[limits.KINDS["visits_per_year"], counts]
    assert of_year.tolist() == [1, 1, 1, 2]
    assert (table[counts].sum(axis=1) == 5).all()


def visit(number, episode, day):
    return claim(number, submitted_date=day, episode_id=episode)


def test_an_open_episode_stands_where_its_last_visit_stands():
    sent = outcomes(
        [
            visit(0, "e1", date(2026, 7, 1)), visit(1, "e1", date(2026, 8, 1)),
            visit(2, "e2", date(2026, 8, 2)), visit(3, "e3", date(2026, 8, 3)),
            visit(4, "ended", date(2026, 3, 1)),
        ]
    )  # fmt: skip
    places = [1, 2, 1, 1, 1]
    counts = frame(
        "visit_counts",
        [{"claim_id": f"c{n}", "n_visits_episode": place} for n, place in enumerate(places)],
    )
    known = frame(
        "visit_limits",
        [
            limit(0, used=1), limit(1, used=2), limit(1, "prescribed_visits", used=10),
            limit(2, used=9), limit(2, "visits_per_week", used=9), limit(4, used=10),
        ],
    )  # fmt: skip
    table = limits.left_in_episodes(known, counts, sent, MONTH).set_index("limit")
    assert table.loc[limits.KINDS["visits_per_year"]].tolist() == [0, 1, 1, 1]
    assert table.loc[limits.KINDS["prescribed_visits"]].tolist() == [1, 0, 0, 2]
    assert table.loc[limits.KINDS["authorized_visits"]].tolist() == [0, 0, 0, 3]
    assert table.loc["whichever ends first"].tolist() == [1, 1, 0, 1]

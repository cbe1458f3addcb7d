"""Appeals, counted in claims from denial to win; the insurer's answer counts before the record."""

from datetime import date

from analysis.findings import appeals, unbound_digits
from findings.made_claims import claim, claims, frame, outcomes

MONTH = "2026-08"


def told(*rows):
    """Appeals of (claim, number, outcome, agreement, helper)."""
    return frame(
        "appeal_outcomes",
        [
            {"appeal_outcome_id": f"a{n}", "claim_id": c, "appeal_number": number,
             "outcome": outcome, "agreement": agreement, "assisted_by": helper,
             "won_cents": 5_000 if outcome in appeals.WON else None}
            for n, (c, number, outcome, agreement, helper) in enumerate(rows)
        ],
    )  # fmt: skip


def test_denials_are_followed_to_their_wins_in_claims():
    table = outcomes(claims(5, 0) + [claim(n, "denied") for n in range(20, 30)])
    made = told(
        ("c20", 1, "upheld", "agree", "nobody"),
        ("c20", 2, "overturned", "agree", "lawyer"),
        ("c21", 1, "upheld", "agree", "nobody"),
        ("c22", 1, "pending", "open", "nobody"),
        ("c1", 1, "partial", "not_recorded", None),
    )
    appealed = appeals.by_claim(made, table, MONTH)
    finding = appeals.followed(appealed, table, MONTH)
    assert finding.sentence == (
        "Of 10 claims denied at the first answer, 3 were appealed; 2 of those appeals were decided,"
        " 1 of them won in full or in part."
    )
    assert unbound_digits(finding) == []
    # The headline counts the same claims: not the one that was approved at first.
    assert appeals.result(appealed, table, MONTH).denominator == finding.values["decided"]


def test_an_appeal_nobody_wrote_down_is_not_said_to_be_missing():
    table = outcomes([claim(n, "denied") for n in range(20, 30)])
    finding = appeals.followed(appeals.by_claim(told(), table, MONTH), table, MONTH)
    assert finding.sentence == (
        "Of 10 claims denied at the first answer none is known to have been appealed."
    )


def test_claims_too_recent_to_judge_are_followed_no_further_than_reasons_are():
    recent = [claim(n, "denied", submitted_date=date(2026, 8, 20)) for n in range(50, 53)]
    table = outcomes([claim(1, "denied"), *recent])
    made = told(("c1", 1, "upheld", "agree", "nobody"), ("c50", 1, "upheld", "agree", "nobody"))
    finding = appeals.followed(appeals.by_claim(made, table, MONTH), table, MONTH)
    assert (finding.numerator, finding.denominator) == (1, 1)


def test_a_rate_of_few_appeals_is_not_stated():
    table = outcomes([claim(n, "denied") for n in range(5)])
    made = told(*[(f"c{n}", 1, "overturned", "agree", "nobody") for n in range(5)])
    finding = appeals.result(appeals.by_claim(made, table, MONTH), table, MONTH)
    assert finding.sentence.startswith("Too few claims to give a rate: 5 answered claims")


def test_appeals_of_many_claims_give_a_rate_and_what_they_brought():
    table = outcomes([claim(n, "denied") for n in range(100)])
    rows = [(f"c{n}", 1, "overturned" if n < 60 else "upheld", "agree",
             "advocate" if n % 2 else "nobody") for n in range(100)]  # fmt: skip
    appealed = appeals.by_claim(told(*rows), table, MONTH)
    finding = appeals.result(appealed, table, MONTH)
    assert finding.sentence.startswith("Of 100 denied claims whose appeal was decided, 60%")
    assert finding.sentence.endswith("insurers then allowed $3,000 more.")
    helped = appeals.by_assistance(appealed)
    assert helped[["helper", "n", "n_approved"]].values.tolist() == [
        ["an advocate", 50, 30],
        ["nobody", 50, 30],
    ]


def test_a_record_that_contradicts_the_answer_is_told():
    table = outcomes([claim(n, "denied") for n in range(3)])
    made = told(
        ("c0", 1, "upheld", "disagree", "nobody"),
        ("c1", 1, "overturned", "not_updated", "nobody"),
        ("c2", 1, "overturned", "agree", "nobody"),
    )
    assert appeals.checked(made, table, MONTH).sentence.startswith(
        "On 2 of 3 appeals the practice's"
    )
    assert appeals.agreement(made)["n"].tolist() == [1, 1, 1]
    made["recorded_outcome"] = ["overturned", "pending", "overturned"]
    made["remittance_outcome"] = ["upheld", "overturned", "overturned"]
    assert appeals.differences(made).values.tolist() == [
        ["pending", "won", 1, 5_000],
        ["won", "lost", 1, 0],
    ]


def test_without_any_appeal_that_is_said():
    table = outcomes(claims(3, 0))
    assert appeals.checked(told(), table, MONTH).sentence.startswith("No appeal was written down")
    assert appeals.by_assistance(appeals.by_claim(told(), table, MONTH)).empty

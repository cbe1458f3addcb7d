"""Reasons for denials: shares, who can act, and what they are worth."""

from analysis import codes
from analysis.findings import denials, population, unbound_digits
from findings.made_claims import claims, frame, outcomes

MONTH = "2026-08"
RECORDS = {"denial_category": "documentation", "denial_reason_code": "252"}


def test_reasons_are_counted_in_words_with_who_can_act():
    table = denials.by_category(outcomes(claims(10, 30) + claims(0, 10, 100, **RECORDS)), MONTH)
    assert table["reason"].tolist() == [
        "prior authorization missing or used up",
        "insurer asks for records",
    ]
    assert table["who_can_act"].tolist() == ["front desk", "therapist"]
    assert table["n"].tolist() == [30, 10]
    assert table["estimate"].tolist() == [0.75, 0.25]


def test_leading_reason_is_quoted_with_its_share():
    finding = denials.leading(outcomes(claims(0, 90) + claims(0, 30, 200, **RECORDS)), MONTH)
    assert "“prior authorization missing or used up”: 75% of denials (67 to 82)" in finding.sentence
    assert unbound_digits(finding) == []


def test_a_denial_without_a_reason_is_unknown_and_still_counted():
    nameless = claims(0, 5, denial_category=None, denial_reason_code=None)
    assert denials.by_category(outcomes(nameless), MONTH)["reason"].tolist() == ["no reason given"]


def test_a_reason_nobody_gave_is_not_the_most_frequent_one():
    nameless = claims(0, 60, denial_category=None, denial_reason_code=None)
    finding = denials.leading(outcomes(nameless + claims(0, 30, 100)), MONTH)
    assert "“prior authorization missing or used up”: 33% of denials" in finding.sentence
    assert finding.sentence.endswith("For 60 denials no reason is given.")
    finding = denials.leading(outcomes(nameless), MONTH)
    assert finding.sentence.startswith("The files name no reason for any of 60 denied claims.")


def test_few_denials_name_no_leading_reason():
    finding = denials.leading(outcomes(claims(100, 4)), MONTH)
    assert finding.sentence == "Too few denials to name a leading reason: 4 denied claims."


def test_no_denials_at_all_is_an_answer():
    table = outcomes(claims(50, 0))
    assert denials.by_category(table, MONTH).empty
    assert denials.leading(table, MONTH).denominator == 0
    assert denials.at_stake(table, MONTH).values["charged"] == 0


def test_worth_is_what_the_same_insurer_allows_not_what_was_charged():
    # Evergreen allows 80 of 100 dollars, Cascade 20 of 100.
    paid = claims(10, 0) + claims(10, 0, 50, payer_id="900", allowed_cents=2_000)
    still = claims(0, 1, 90) + claims(0, 1, 91, payer_id="900")
    finding = denials.at_stake(outcomes(paid + still), MONTH)
    assert finding.values == {"recent": 0, "charged": 20_000, "worth": 10_000}


def test_an_insurer_that_never_allowed_anything_is_priced_like_all_others():
    still = claims(0, 1, 90, payer_id="7")
    table = outcomes(claims(10, 0) + still)
    assert denials.at_stake(table, MONTH).values["worth"] == 8_000


def test_preventable_counts_neither_the_plans_limits_nor_codes_nobody_graded():
    unmapped = {"denial_category": "unmapped", "denial_reason_code": "999"}
    limit = {"denial_category": "benefit_limit", "denial_reason_code": "119"}
    table = outcomes(claims(0, 150) + claims(0, 30, 300, **unmapped) + claims(0, 20, 400, **limit))
    finding = denials.preventable(table, frame("line_outcomes", []), MONTH)
    assert {row["reason_code"]: row["preventable"] for row in codes.rows("carc")}["119"] == "high"
    assert (finding.numerator, finding.denominator) == (150, 170)
    assert "plan's own limits: 20 others. For 30 other denials no code tells." in finding.sentence


def test_denials_without_any_code_are_not_said_to_be_beyond_prevention():
    nameless = claims(0, 60, denial_category=None, denial_reason_code=None)
    finding = denials.preventable(outcomes(nameless), frame("line_outcomes", []), MONTH)
    assert (finding.estimate, finding.denominator) == (None, 0)


def test_a_modifier_that_foretells_the_denial_makes_it_expected():
    lines = [
        {"claim_id": f"c{n}", "line_number": 1, "modifiers": modifiers, "charge_cents": 10_000,
         "allowed_cents": 0, "paid_cents": 0, "first_determination": "denied",
         "final_determination": "denied"}
        for n, modifiers in enumerate(["GP:GY", "GP", None])
    ]  # fmt: skip
    table = population.denied(outcomes(claims(0, 3)))
    assert denials.is_expected(table, frame("line_outcomes", lines)).tolist() == [
        True,
        False,
        False,
    ]


def test_every_category_of_the_code_tables_has_plain_words():
    known = set(codes.labels("denial_categories"))
    used = {row["category"] for name in ("carc", "rarc") for row in codes.rows(name)}
    assert used <= known
    assert {"unknown", "unmapped"} <= known

"""Choosing claims: the numbers are those of the chosen claims, and too few give none."""

import pandas as pd

from analysis.findings import population, selection, unbound_digits
from analysis.findings.selection import Choice
from findings.made_claims import claim, claims, frame, outcomes, payers

MONTH = "2026-08"
TABLE = outcomes(
    claims(40, 10)
    + claims(10, 40, first=100, payer_id="900", condition_group="back_pain")
    + claims(3, 1, first=200, payer_id="7")
)


def features():
    """Every second claim has its plan of care; the visit is the claim's own number, up to nine."""
    status = ["present", "absent"] * (len(TABLE) // 2)
    known = TABLE[["claim_id"]].assign(**dict.fromkeys(selection.documents(), "unknown"))
    return known.assign(
        plan_of_care=status, visit_number_in_year=pd.Series(range(len(TABLE))).mod(10).add(1)
    )


CLAIMS = selection.claims(features(), TABLE, MONTH)


def told(**choice):
    return selection.likelihood(selection.chosen(CLAIMS, Choice(**choice)), TABLE)


def test_the_numbers_are_those_of_the_chosen_claims():
    assert (told().numerator, told().denominator) == (53, 104)
    assert (told(payer_id="00123").numerator, told(payer_id="00123").denominator) == (40, 50)
    assert told(condition_group="back_pain").numerator == 10
    assert told(documents={"plan_of_care": "present"}).denominator == 52
    # Visits nine and ten of each ten: of the first insurer's fifty, ten; of the second's, ten.
    assert told(visits=(9, 10)).denominator == 20
    finding = told(payer_id="00123")
    assert finding.sentence == (
        "Insurers approved 80% (67 to 89) of 50 claims of 50 patients at the first answer,"
        " submitted in March 2026."
    )
    assert unbound_digits(finding) == []


def test_too_few_claims_give_no_rate_and_none_at_all_breaks_nothing():
    few = told(payer_id="7")
    assert few.estimate is None
    assert few.sentence == "No rate is stated for these 4 claims of 4 patients: too few claims."
    assert told(payer_id="nobody").denominator == 0
    assert selection.cells(CLAIMS.head(0), payers()).empty


def test_a_claim_whose_visit_nobody_knows_is_in_only_where_any_visit_is():
    known = features().assign(visit_number_in_year=pd.NA)
    unknown = selection.claims(known, TABLE, MONTH)
    assert len(selection.chosen(unknown, Choice())) == 104
    assert selection.chosen(unknown, Choice(visits=(1, 9))).empty


def test_the_model_speaks_only_of_claims_it_was_tested_on():
    tested = CLAIMS.loc[CLAIMS["payer_id"] == "00123"].head(20)
    said = [
        {"claim_id": claim, "model": model, "approval_probability": chance, "is_approved": True}
        for claim in tested["claim_id"]
        for model, chance in (("mixed_effects_logistic", 0.75), ("cell_rate", 0.1))
    ]
    finding = selection.modelled(CLAIMS, frame("predictions", said), TABLE)
    assert finding.denominator == 20
    assert finding.sentence.startswith("The model expected 75% of the 20 claims it was tested on")
    none = selection.modelled(CLAIMS, frame("predictions", []), TABLE)
    assert none.sentence == "The model was tested on 0 claims of these: too few claims."


def test_cells_are_in_words_and_hide_what_is_too_few():
    table = selection.cells(CLAIMS, payers())
    assert list(table["insurer"]) == ["Evergreen Health", "Cascade Auto", "Harbor Trust"]
    assert list(table["n"]) == [50, 50, 4]
    assert table["estimate"].isna().tolist() == [False, False, True]


def test_a_claim_is_due_once_it_should_have_been_judged():
    """Nobody waits for a judgement of what was voided or rejected; who sent no claim waits not."""
    sent = outcomes(
        [
            claim(1),
            claim(2, "denied"),
            claim(3, "pending"),
            claim(4, "voided"),
            claim(5, "rejected"),
            claim(6, "pending", is_mature=False),
            claim(7, "pending", payer_id=None),
        ]
    )
    due = population.due(sent)
    assert due["claim_id"].tolist() == ["c1", "c2", "c3"]
    assert due["is_answered"].tolist() == [True, True, False]

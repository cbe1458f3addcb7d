"""What a finding may say: only numbers it can show the origin of."""

import json
from dataclasses import replace
from datetime import date

import pytest

from analysis.findings import Question, Scope, unbound_digits
from analysis.findings.finding import Numbers, written

SCOPE = Scope("claims of this practice", "submitted March 2025", date(2026, 6, 30))
ASKED = Question(
    id="approval", question="How often?", unit="claim", definition="allowed > 0", method="count"
)
RATE = Numbers(0.714, 0.641, 0.772, 130, 182)


def test_every_number_of_a_sentence_comes_from_a_bound_value():
    finding = ASKED.answer(
        "{estimate:percent} approved ({lower:whole} to {upper:whole}), {denominator:n claim},"
        " {period}, as of {as_of:date}; {money:dollars} at {insurer}",
        SCOPE,
        RATE,
        {"money": 1_234_567, "insurer": "Plan 65"},
    )
    assert finding.sentence == (
        "71% approved (64 to 77), 182 claims, submitted March 2025, as of 30 June 2026;"
        " $12,346 at Plan 65"
    )
    assert unbound_digits(finding) == []


def test_a_number_typed_into_a_template_is_refused():
    with pytest.raises(ValueError, match="digits bound to no value: 72"):
        ASKED.answer("72% approved", SCOPE, RATE)


def test_a_sentence_that_drifted_from_its_numbers_is_refused():
    finding = ASKED.answer("{estimate:percent} approved", SCOPE, RATE)
    with pytest.raises(ValueError, match="71"):
        replace(finding, estimate=0.65)


def test_a_bound_one_does_not_excuse_a_seventeen():
    with pytest.raises(ValueError, match="17"):
        ASKED.answer("{denominator:count} of 17", SCOPE, Numbers(denominator=1))


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "0%"), (0.001, "under 1%"), (0.285, "29%"), (0.9951, "over 99%"), (1.0, "100%")],
)
def test_no_rounding_claims_that_there_was_no_exception(share, said):
    assert written(share, "percent") == said


def test_negative_money_is_said_to_be_negative():
    assert written(-1250, "dollars") == "-$13"


def test_a_finding_is_plain_json_with_its_company():
    finding = ASKED.answer("{estimate:percent}", SCOPE, RATE, {"b": 1, "a": date(2026, 1, 2)})
    told = json.loads(json.dumps(finding.as_dict()))
    assert told["as_of"] == "2026-06-30"
    assert told["values"] == {"a": "2026-01-02", "b": 1}
    assert told["must_not"].startswith("must not be generalised to")

"""The findings of a release: approval rates computed from its published counts alone."""

from collections.abc import Mapping

from analysis.findings import population, rates
from analysis.findings.finding import Finding, Question, Scope
from analysis.findings.rates import Rate

# Measured on made-up practices whose true rates are known (tests/findings/test_public_findings).
COVERAGE = 0.95
_LEVEL = 95
_COMPANY = (
    " ({level}% interval {lower:whole} to {upper:whole}%; {period}; answers as of {as_of:date})."
)
# What a row divides by -> its sentence.
TEMPLATES: Mapping[str, str] = {
    "": "Of {denominator:n claim} that insurers answered, {estimate:percent} were approved at the"
    " first answer" + _COMPANY,
    "insurer": "Of {denominator:n claim} answered by {insurer}, {estimate:percent} were approved at"
    " the first answer" + _COMPANY,
    "condition": "Of {denominator:n claim} for {condition}, {estimate:percent} were approved at the"
    " first answer" + _COMPANY,
    "quarter": "Of {denominator:n claim} submitted in {quarter}, {estimate:percent} were approved"
    " at the first answer" + _COMPANY,
    "insurer_condition": "Of {denominator:n claim} for {condition} answered by {insurer},"
    " {estimate:percent} were approved at the first answer" + _COMPANY,
}
APPROVAL = Question(
    id="public_approval",
    question="How often are claims approved at the first answer?",
    unit="share of claims answered",
    definition=population.DEFINITIONS["first"],
    method=rates.METHOD,
    caveats=(
        "only submitted claims are seen, not visits that nobody billed",
        "insurers see different claims, so a difference between them does not tell its cause",
        "counts that could identify a person are withheld",
    ),
    coverage=COVERAGE,
    sources=("tables/approval_by_insurer_and_condition.csv",),
)


def approval(
    about: Mapping[str, str], approved: int, answered: int, design_effect: float, scope: Scope
) -> Finding:
    """The finding on one row: `about` names its insurer, condition or quarter; {} for all claims.

    The interval is Wilson's on `answered` / `design_effect` claims.
    """
    rate = Rate(approved, answered, answered / design_effect)
    kind = "_".join(about)
    return APPROVAL.answer(TEMPLATES[kind], scope, rate.numbers, {**about, "level": _LEVEL})

"""The findings of a release: approval rates computed from its published counts alone."""

from collections.abc import Mapping

from analysis.findings import population, rates
from analysis.findings.finding import Finding, Numbers, Question, Scope, Value
from analysis.findings.rates import Rate
from analysis.models.between import Between

# Measured on made-up practices whose true rates are known (tests/findings/test_public_findings).
COVERAGE = 0.95
_LEVEL = 95
_OF = "Of {denominator:n claim} of {whose}"
_COMPANY = (
    ", {estimate:percent} were approved at the first answer ({level}% interval {lower:whole} to"
    " {upper:whole}%; {period}; answers as of {as_of:date})."
)
# What a row divides by -> its sentence.
TEMPLATES: Mapping[str, str] = {
    "": _OF + " that insurers answered" + _COMPANY,
    "insurer": _OF + " answered by {insurer}" + _COMPANY,
    "condition": _OF + " for {condition}" + _COMPANY,
    "quarter": _OF
    + " submitted in {quarter}"
    + _COMPANY.replace("{period}", "among claims {period}"),
    "insurer_condition": _OF + " for {condition} answered by {insurer}" + _COMPANY,
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
    # A sentence is quoted alone, so it says itself that these are not all of an insurer's claims.
    whose = scope.population.removeprefix("claims of ")
    values: dict[str, Value] = {**about, "whose": whose, "level": _LEVEL}
    return APPROVAL.answer(TEMPLATES[kind], scope, rate.numbers, values)


STORY_TEMPLATE = (
    "One case, told with the patient's recorded consent: {title}. {text} It stands for no other"
    " case. Beside it: {base}"
)
STORY = Question(
    id="public_story",
    question="What can happen to one claim?",
    unit="share of claims answered, of claims like the one told",
    definition=population.DEFINITIONS["first"],
    method=f"told by the practice; of the rate beside it: {rates.METHOD}",
    caveats=("one case was chosen to be told, so nothing follows from it for others",),
    must_not="must not be quoted without the rate beside it, nor as typical",
    coverage=COVERAGE,
)


def story(title: str, text: str, base: Finding) -> Finding:
    """The finding that tells a case with its base rate: the numbers are those of `base`."""
    numbers = Numbers(base.estimate, base.lower, base.upper, base.numerator, base.denominator)
    scope = Scope(base.population, base.period, base.as_of)
    about = {n: v for n, v in base.values.items() if n in ("insurer", "condition")}
    told: dict[str, Value] = {"title": title, "text": text, "base": base.sentence}
    return STORY.answer(STORY_TEMPLATE, scope, numbers, {**about, **told})


_SPREAD = (
    ", {estimate:percent} of claims{answered_by} were approved at the first answer ({level}%"
    " interval {lower:whole} to {upper:whole}%); a further practice like these is expected between"
    " {predicted_lower:whole} and {predicted_upper:whole}%. The log odds differ between practices"
    " by a standard deviation of {sd} ({level}% interval {sd_lower} to {sd_upper}; {period};"
    " answers as of {as_of:date})."
)
BETWEEN_TEMPLATES: Mapping[str, str] = {
    "between": "In the typical one of {denominator:n practice}"
    + _SPREAD.replace("{answered_by}", ""),
    "between_insurer": "In the typical one of {denominator:n practice}"
    + _SPREAD.replace("{answered_by}", " answered by {insurer}"),
}
BETWEEN = Question(
    id="public_between",
    question="How much do practices differ in how often claims are approved?",
    unit="share of claims answered, in the typical practice",
    definition=population.DEFINITIONS["first"],
    method=(
        "random effects on the log odds by restricted maximum likelihood, Hartung and Knapp's"
        " interval, Q-profile for the standard deviation, prediction by a t distribution"
    ),
    caveats=(
        "each practice counts alike, however many claims it has but for chance",
        "practices joined of their own accord, so others may differ more",
        "computed from the practices' own counts, which are not published, so it cannot be"
        " computed again from this release",
    ),
    must_not="must not be read as what caused the differences, nor as a ranking of practices",
    coverage=COVERAGE,
    sources=(),
)


def between_practices(insurer: str, spread: Between, scope: Scope) -> Finding:
    """The finding on how practices differ with one insurer, or over all claims ('').

    Shares are rounded to whole percents and the spread to a tenth, so that nobody can solve them
    for the practices' own rates.
    """
    lower, upper = (round(end, 2) for end in spread.share_interval)
    numbers = Numbers(round(spread.share, 2), lower, upper, None, spread.n_practices)
    values: dict[str, Value] = {
        "level": _LEVEL,
        "predicted_lower": round(spread.prediction[0], 2),
        "predicted_upper": round(spread.prediction[1], 2),
        "sd": f"{spread.sd:.1f}",
        "sd_lower": f"{spread.sd_interval[0]:.1f}",
        "sd_upper": f"{spread.sd_interval[1]:.1f}",
    }
    kind = "between_insurer" if insurer else "between"
    about = {"insurer": insurer} if insurer else {}
    return BETWEEN.answer(BETWEEN_TEMPLATES[kind], scope, numbers, {**about, **values})

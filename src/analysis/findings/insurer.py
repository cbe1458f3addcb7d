"""One insurer: how it decides, and whether it does what it said on the phone."""

from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from analysis.errors import UsageError, nearest
from analysis.findings import approval, population, rates
from analysis.findings.finding import Finding, Numbers, Question
from analysis.findings.outcomes import LEFT_OUT, stated_rate, waiting_of

# A year: benefits are promised for a plan year, and what was said before it binds nobody.
CALL_HOLDS = pd.Timedelta(days=365)
SAID = {
    "massage is covered": ("is_covered", True, "non_covered"),
    "no authorization needed": ("is_authorization_required", False, "authorization"),
    "no referral needed": ("is_referral_required", False, "referral_rx"),
}
VERDICTS = {
    approval.HIGHER: "It approves more often than the others, by more than chance explains.",
    approval.LOWER: "It approves less often than the others, by more than chance explains.",
    approval.NO_DIFFERENCE: "No difference from the others is shown.",
}
COMPARED = Question(
    id="insurer.compared",
    question="How often does this insurer approve, and how does it compare?",
    unit="claim",
    definition=population.DEFINITIONS["first"],
    method=(
        f"{rates.METHOD}; Newcombe interval of each insurer against all others, Bonferroni over the"
        " insurers"
    ),
    caveats=(LEFT_OUT, "insurers see different claims; a difference says nothing of its cause"),
)
SAID_AND_DONE = Question(
    id="insurer.said_and_done",
    question="Does the insurer do what it said on the phone?",
    unit="claim",
    definition="claims of the patient after the call, until the next call or for a year",
    method="count of all recorded calls",
    caveats=("only calls the practice wrote down are known",),
)


def chosen(outcomes: pd.DataFrame, payers: pd.DataFrame, month: str, payer_id: str = "") -> str:
    """`payer_id`, or when it is empty the insurer with most claims up to `month`.

    Raises UsageError naming the nearest insurer for an unknown id, and when there is no claim.
    """
    known = sorted(payers["payer_id"])
    if payer_id:
        if payer_id not in known:
            raise UsageError(f"no insurer with payer_id '{payer_id}'; {nearest(payer_id, known)}")
        return payer_id
    sizes = population.through(outcomes, month)["payer_id"].value_counts()
    if sizes.empty:
        raise UsageError(f"no claims up to {month}, so no insurer to report on")
    return str(min(sizes[sizes == sizes.max()].index))


def of(outcomes: pd.DataFrame, payer_id: str) -> pd.DataFrame:
    """The claims of one insurer."""
    return outcomes[outcomes["payer_id"] == payer_id]


def compared(
    outcomes: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    payer_id: str,
    minimum_cell_size: int = 11,
) -> Finding:
    """One insurer's first-pass approval beside that of all other insurers."""
    answers = population.answered(population.matured(outcomes, month))
    is_this = answers["payer_id"] == payer_id
    sides = rates.rates(answers.assign(side=is_this), ["side"])
    this, rest = (_side(sides, side) for side in (True, False))
    rest_lower, rest_upper = rest.interval()
    # The verdict of the table of all insurers: compared one at a time, chance would name some.
    compared_insurers = approval.against_the_rest(
        outcomes, payers, month, minimum_cell_size=minimum_cell_size
    ).set_index("payer_id")
    others = (
        "there are too few claims of other insurers to compare."
        if rest.denominator < minimum_cell_size
        else "all other insurers together {rest:percent} ({rest_lower:whole} to"
        " {rest_upper:whole}). {verdict}"
    )
    finding = stated_rate(
        COMPARED,
        "{estimate:percent} of claims approved at the first answer ({lower:whole} to"
        f" {{upper:whole}}), {{denominator:n claim}}, {{period}}; {others}",
        population.scope(answers[is_this], outcomes),
        this,
        minimum_cell_size,
        {
            "rest": rest.estimate or 0.0,
            "rest_lower": rest_lower,
            "rest_upper": rest_upper,
            "verdict": VERDICTS[compared_insurers["verdict"].get(payer_id, approval.NO_DIFFERENCE)],
        },
    )
    return _naming(finding, name(payers, payer_id))


def waiting(outcomes: pd.DataFrame, payers: pd.DataFrame, month: str, payer_id: str) -> Finding:
    """How long one insurer takes to a first answer (see `outcomes.waiting`)."""
    claims = population.matured(of(outcomes, payer_id), month)
    finding = waiting_of(claims, population.scope(claims, outcomes))
    return _naming(finding, name(payers, payer_id))


def by_condition(
    outcomes: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    payer_id: str,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """One insurer's first-pass approval by condition (see `approval.by`)."""
    columns = ["payer_id", "condition_group"]
    cells = approval.by(outcomes, payers, month, columns, minimum_cell_size)
    return cells[cells["payer_id"] == payer_id].reset_index(drop=True)


def said_and_done(
    benefit_calls: pd.DataFrame,
    outcomes: pd.DataFrame,
    month: str,
    payer_id: str,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """What was said on the phone, and how often claims were then denied for that very reason.

    Columns: said, n_calls, n_in_writing, n (claims answered after the call), n_against,
    estimate, lower, upper (share denied against what was said), refusal.
    """
    calls = benefit_calls[benefit_calls["payer_id"] == payer_id]
    claims = after_calls(benefit_calls, outcomes, month, payer_id)
    rows = []
    for said, (column, answer, _) in SAID.items():
        made = calls[_said(calls, column, answer)]
        after = claims[_said(claims, column, answer)]
        rate = rates.overall(after.assign(is_approved=after[f"against_{column}"]))
        rows.append(
            {
                "said": said,
                "n_calls": len(made),
                "n_in_writing": int(made["written_confirmation_date"].notna().sum()),
                "n": rate.denominator,
                "n_approved": rate.numerator,
                "n_effective": rate.effective,
                "estimate": rate.numbers.estimate,
                "lower": rate.numbers.lower,
                "upper": rate.numbers.upper,
            }
        )
    table = pd.DataFrame(rows).astype({"estimate": float})
    judged = rates.judged(table, minimum_cell_size).drop(columns="n_effective")
    return judged.rename(columns={"n_approved": "n_against"})


def broken_promises(
    benefit_calls: pd.DataFrame,
    outcomes: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    payer_id: str,
) -> Finding:
    """How many claims were denied for a reason ruled out on the phone."""
    claims = after_calls(benefit_calls, outcomes, month, payer_id)
    against = claims[[f"against_{column}" for column, _, _ in SAID.values()]].any(axis=1)
    template = (
        "Of {denominator:n claim} answered after a recorded call, denied for a reason the insurer"
        " had ruled out on the phone: {numerator:count}."
        if len(claims)
        else "No claim was answered after a recorded call, so nothing can be said."
    )
    finding = SAID_AND_DONE.answer(
        template,
        population.scope(claims, outcomes),
        Numbers(numerator=int(against.sum()), denominator=len(claims)),
    )
    return _naming(finding, name(payers, payer_id))


def after_calls(
    benefit_calls: pd.DataFrame, outcomes: pd.DataFrame, month: str, payer_id: str
) -> pd.DataFrame:
    """Answered claims of one insurer with what was said in the latest call about their patient.

    A call speaks for the patient's claims with this insurer until the next call, for a year at
    most. Adds, for each thing said, `against_<what>`: denied for the reason it had ruled out.
    """
    answers = population.answered(population.through(of(outcomes, payer_id), month))
    calls = benefit_calls[benefit_calls["payer_id"] == payer_id]
    columns = [column for column, _, _ in SAID.values()]
    claims = pd.merge_asof(
        answers.dropna(subset=["patient_id", "service_date"]).sort_values("service_date"),
        calls.dropna(subset=["patient_id", "call_date"]).sort_values("call_date")[
            ["patient_id", "call_date", *columns]
        ],
        left_on="service_date",
        right_on="call_date",
        by="patient_id",
        tolerance=CALL_HOLDS,
    ).dropna(subset="call_date")
    denied = claims["first_determination"] == "denied"
    for column, answer, category in SAID.values():
        ruled_out = denied & (claims["denial_category"] == category).fillna(False)
        claims[f"against_{column}"] = _said(claims, column, answer) & ruled_out
    return claims


def _said(table: pd.DataFrame, column: str, answer: bool) -> pd.Series:
    said: pd.Series = (table[column] == answer).fillna(False).astype(bool)
    return said


def name(payers: pd.DataFrame, payer_id: str) -> str:
    """The insurer's name to print."""
    names = payers.loc[payers["payer_id"] == payer_id, "payer_name"]
    return str(names.iloc[0]) if len(names) else payer_id


def _naming(finding: Finding, insurer: str) -> Finding:
    """The finding with the insurer in its sentence: quoted alone, it must say of whom it speaks."""
    return replace(
        finding,
        sentence=f"{insurer}: {finding.sentence[0].lower()}{finding.sentence[1:]}",
        population=f"{finding.population} sent to {insurer}",
        values=MappingProxyType({**finding.values, "insurer": insurer}),
    )


def _side(sides: pd.DataFrame, side: bool) -> rates.Rate:
    rows = sides[sides["side"] == side]
    return rates.rate_of(rows.iloc[0]) if len(rows) else rates.Rate(0, 0, 0.0)

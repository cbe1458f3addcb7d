"""One insurer: how it decides, and whether it does what it said on the phone."""

import pandas as pd

from analysis.errors import UsageError, nearest
from analysis.findings import approval, population, rates
from analysis.findings.finding import Finding, Numbers, Question
from analysis.findings.outcomes import LEFT_OUT, stated_rate

# A year: benefits are promised for a plan year, and what was said before it binds nobody.
CALL_HOLDS = pd.Timedelta(days=365)
SAID = {
    "massage is covered": ("is_covered", True, "non_covered"),
    "no authorization needed": ("is_authorization_required", False, "authorization"),
    "no referral needed": ("is_referral_required", False, "referral_rx"),
}
COMPARED = Question(
    id="insurer.compared",
    question="How often does this insurer approve, and how does it compare?",
    unit="claim",
    definition=population.DEFINITIONS["first"],
    method=f"{rates.METHOD}; difference by Newcombe's method",
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
    gap, lower, upper = approval.gap_to_rest(answers, is_this)
    rest = rates.overall(answers[~is_this])
    rest_lower, rest_upper = rest.interval()
    if rest.denominator < minimum_cell_size:
        comparison = "There are too few claims of other insurers to compare."
    elif lower > 0:
        comparison = "It approves more often than the others, by more than chance explains."
    elif upper < 0:
        comparison = "It approves less often than the others, by more than chance explains."
    else:
        comparison = "No difference from the others is shown."
    return stated_rate(
        COMPARED,
        "{insurer} approved {estimate:percent} of claims at the first answer ({lower:whole} to"
        " {upper:whole}), {denominator:n claim}, {period}; all other insurers together"
        " {rest:percent} ({rest_lower:whole} to {rest_upper:whole}). {comparison}",
        population.scope(answers[is_this], outcomes),
        rates.overall(answers[is_this]),
        minimum_cell_size,
        {
            "insurer": name(payers, payer_id),
            "rest": rest.estimate or 0.0,
            "rest_lower": rest_lower,
            "rest_upper": rest_upper,
            "gap": gap,
            "gap_lower": lower,
            "gap_upper": upper,
            "comparison": comparison,
        },
    )


def said_and_done(
    benefit_calls: pd.DataFrame,
    outcomes: pd.DataFrame,
    month: str,
    payer_id: str,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """What was said on the phone, and how often claims were then denied for that very reason.

    Columns: said, n_calls, n_in_writing, n (claims answered after the call), n_against,
    estimate, lower, upper (share denied against what was said), verdict. A call speaks for the
    patient's claims with this insurer until the next call, for a year at most.
    """
    calls = benefit_calls[benefit_calls["payer_id"] == payer_id]
    answers = population.answered(population.through(of(outcomes, payer_id), month))
    claims = _after_calls(calls, answers)
    rows = []
    for words, (column, answer, category) in SAID.items():
        promised = calls[(calls[column] == answer).fillna(False)]
        after = claims[(claims[column] == answer).fillna(False)]
        against = (after["first_determination"] == "denied") & (
            after["denial_category"] == category
        )
        rate = rates.overall(after.assign(is_approved=against.fillna(False).astype(bool)))
        stated = rate.verdict(minimum_cell_size) == rates.STATED
        lower, upper = rate.interval()
        rows.append(
            {
                "said": words,
                "n_calls": len(promised),
                "n_in_writing": int(promised["written_confirmation_date"].notna().sum()),
                "n": rate.denominator,
                "n_against": rate.numerator,
                "estimate": rate.estimate if stated else None,
                "lower": lower if stated else None,
                "upper": upper if stated else None,
                "verdict": rate.verdict(minimum_cell_size),
            }
        )
    return pd.DataFrame(rows).astype({"estimate": float, "lower": float, "upper": float})


def broken_promises(table: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> Finding:
    """How often claims were denied against what was said on the phone (`said_and_done`)."""
    n_claims, n_against = int(table["n"].max()), int(table["n_against"].sum())
    template = (
        "No claim was answered after a recorded call, so nothing can be said."
        if n_claims == 0
        else "{against:n claim} were denied for a reason the insurer had ruled out on the phone."
    )
    return SAID_AND_DONE.answer(
        template,
        population.scope(population.through(outcomes, month), outcomes),
        Numbers(numerator=n_against),
        {"against": n_against},
    )


def name(payers: pd.DataFrame, payer_id: str) -> str:
    """The insurer's name to print."""
    names = payers.loc[payers["payer_id"] == payer_id, "payer_name"]
    return str(names.iloc[0]) if len(names) else payer_id


def _after_calls(calls: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """Claims with the latest call about their patient before the day of service."""
    said = [column for column, _, _ in SAID.values()]
    calls = calls.dropna(subset=["patient_id", "call_date"]).sort_values(["call_date"])
    claims = claims.dropna(subset=["patient_id", "service_date"]).sort_values(["service_date"])
    return pd.merge_asof(
        claims,
        calls[["patient_id", "call_date", *said]],
        left_on="service_date",
        right_on="call_date",
        by="patient_id",
        tolerance=CALL_HOLDS,
    ).dropna(subset="call_date")

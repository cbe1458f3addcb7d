"""One insurer: how it decides, and whether it does what it said on the phone."""

from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from analysis.errors import UsageError, nearest_named
from analysis.findings import approval, population, rates
from analysis.findings.finding import Finding, Numbers, Question
from analysis.findings.outcomes import LEFT_OUT, stated_rate, waiting_of

SAID = {
    "covered": "massage is covered",
    "no_authorization": "no authorization needed",
    "no_referral": "no referral needed",
    "visits_allowed": "so many visits allowed",
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
    definition=(
        "broken: the first answer denies or cuts the claim for the very reason ruled out on the"
        " phone; kept: it approves; a denial for another reason, a claim without an answer, or a"
        " visit past the number allowed tells neither. A call speaks for the patient's claims until"
        " the next call, for a year at most"
    ),
    method="count of all claims after recorded calls",
    caveats=("only calls the practice wrote down are known",),
)


def chosen(outcomes: pd.DataFrame, payers: pd.DataFrame, month: str, payer_id: str = "") -> str:
    """`payer_id`, or when it is empty the insurer with most claims up to `month`.

    Raises UsageError naming the nearest insurer for an unknown id, and when there is no claim.
    """
    known = dict(zip(payers["payer_id"], payers["payer_name"], strict=True))
    if payer_id:
        if payer_id not in known:
            hint = nearest_named(payer_id, known)
            raise UsageError(f"no insurer with payer_id '{payer_id}'; {hint}")
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
    return naming(finding, name(payers, payer_id))


def waiting(outcomes: pd.DataFrame, payers: pd.DataFrame, month: str, payer_id: str) -> Finding:
    """How long one insurer takes to a first answer (see `outcomes.waiting`)."""
    claims = population.matured(of(outcomes, payer_id), month)
    finding = waiting_of(claims, population.scope(claims, outcomes))
    return naming(finding, name(payers, payer_id))


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


def by_plan(
    outcomes: pd.DataFrame,
    plans: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    payer_id: str,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """One insurer's first-pass approval by plan: plan (its name, else its id), and as above."""
    columns = ["payer_id", "plan_id"]
    cells = approval.by(outcomes, payers, month, columns, minimum_cell_size)
    named = plans[plans["payer_id"] == payer_id].dropna(subset="plan_name")
    names = dict(zip(named["plan_id"], named["plan_name"], strict=True))
    its = cells[cells["payer_id"] == payer_id].reset_index(drop=True)
    return its.assign(plan=population.in_words(its["plan_id"], names))


def said_and_done(
    call_outcomes: pd.DataFrame,
    outcomes: pd.DataFrame,
    month: str,
    payer_id: str,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """What was said on the phone, and what claims then met.

    Columns: said, n_calls, n_in_writing, n_kept, n_broken, n_cannot_tell (claims), estimate, lower,
    upper (share broken of kept and broken), refusal. Calls count that speak for some claim.
    """
    told = _told(call_outcomes, outcomes, month, payer_id)
    rows = []
    for kind, words in SAID.items():
        of_kind = told[told["said"] == kind]
        calls = of_kind.drop_duplicates("benefit_call_id")
        settled = of_kind[of_kind["result"] != "cannot_tell"]
        rate = rates.overall(settled.assign(is_approved=settled["result"] == "broken"))
        rows.append(
            {
                "said": words,
                "n_calls": len(calls),
                "n_in_writing": int(calls["is_in_writing"].sum()),
                "n_kept": rate.denominator - rate.numerator,
                "n_cannot_tell": len(of_kind) - len(settled),
                "n": rate.denominator,
                "n_approved": rate.numerator,
                "n_effective": rate.effective,
                "estimate": rate.numbers.estimate,
                "lower": rate.numbers.lower,
                "upper": rate.numbers.upper,
            }
        )
    table = pd.DataFrame(rows).astype({"estimate": float, "lower": float, "upper": float})
    judged = rates.judged(table, minimum_cell_size).rename(columns={"n_approved": "n_broken"})
    counts = ["n_calls", "n_in_writing", "n_kept", "n_broken", "n_cannot_tell"]
    return judged[["said", *counts, "estimate", "lower", "upper", "refusal"]]


def broken_promises(
    call_outcomes: pd.DataFrame,
    outcomes: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    payer_id: str,
) -> Finding:
    """How many claims were denied or cut for a reason ruled out on the phone."""
    told = _told(call_outcomes, outcomes, month, payer_id)
    settled = told[told["result"] != "cannot_tell"]
    broken = settled[settled["result"] == "broken"]
    template = (
        "Of {denominator:n claim} whose answer can be held against a recorded call, denied or cut"
        " for a reason the insurer had ruled out on the phone: {numerator:count} ({written:count}"
        " of them with a written confirmation)."
        if len(settled)
        else "No claim can be held against a recorded call, so nothing can be said."
    )
    after = outcomes[outcomes["claim_id"].isin(settled["claim_id"])]
    finding = SAID_AND_DONE.answer(
        template,
        population.scope(after, outcomes),
        Numbers(numerator=broken["claim_id"].nunique(), denominator=settled["claim_id"].nunique()),
        {"written": broken.loc[broken["is_in_writing"].astype(bool), "claim_id"].nunique()},
    )
    return naming(finding, name(payers, payer_id))


def _told(
    call_outcomes: pd.DataFrame, outcomes: pd.DataFrame, month: str, payer_id: str
) -> pd.DataFrame:
    """The rows of `call_outcomes` about one insurer's claims up to `month`."""
    claims = population.through(of(outcomes, payer_id), month)
    return call_outcomes[call_outcomes["claim_id"].isin(claims["claim_id"])]


def name(payers: pd.DataFrame, payer_id: str) -> str:
    """The insurer's name to print."""
    names = payers.loc[payers["payer_id"] == payer_id, "payer_name"]
    return str(names.iloc[0]) if len(names) else payer_id


def naming(finding: Finding, insurer: str) -> Finding:
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

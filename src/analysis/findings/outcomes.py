"""What became of the claims: first and final answers, when they came, and the money."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.findings import population, rates
from analysis.findings.finding import Finding, Numbers, Question, Scope, Value
from analysis.models.awaited import awaited_approval
from analysis.models.patients import patients

LEFT_OUT = "claims too recent to judge and claims without an answer are left out"
FIRST_APPROVAL = Question(
    id="claim_outcomes.first_approval",
    question="How often do insurers approve at the first answer?",
    unit="claim",
    definition=population.DEFINITIONS["first"],
    method=rates.METHOD,
    caveats=(LEFT_OUT,),
)
FINAL_APPROVAL = Question(
    id="claim_outcomes.final_approval",
    question="How often do insurers approve in the end?",
    unit="claim",
    definition=population.DEFINITIONS["final"],
    method=rates.METHOD,
    caveats=(LEFT_OUT, "corrections and appeals still under way may yet change an answer"),
)
RECENT_APPROVAL = Question(
    id="claim_outcomes.recent_approval",
    question="How often will insurers have approved the latest claims?",
    unit="claim",
    definition=population.DEFINITIONS["first"],
    method="Aalen-Johansen estimator of approvals and denials, claims without an answer waiting on"
    " as the others of these months did; 95% interval with claims of one patient kept together",
    caveats=(
        "answers slower than any seen so far are not foreseen",
        "claims that were voided or rejected, and answers without their day, are left out",
    ),
)
TOO_RECENT = "too recent to foresee"
# The longest wait must reach as far as nearly all answers: later ones may be of another mix.
FORESEEN = 0.9
N_RECENT_MONTHS = 3
WAITING = Question(
    id="claim_outcomes.days_to_answer",
    question="How long does a first answer take?",
    unit="day",
    definition="days from the first submission to the payment date of the first final answer",
    method="quantiles over all matured claims; a claim without an answer counts as still waiting",
    caveats=("claims whose answer came without its day are left out",),
)
TOLD_BY = Question(
    id="claim_outcomes.told_by_exports",
    question="Who tells what became of the claims?",
    unit="claim",
    definition="by the source of each claim's first answer; an insurer's 835 goes before an export",
    method="count of all answered claims, so no interval",
    caveats=(
        "an export says what the practice's software was told, which may lack or merge codes",
    ),
)
MONEY = Question(
    id="claim_outcomes.money",
    question="What happened to the money?",
    unit="dollar",
    definition="charges are list prices; allowed is what the insurer priced, whoever pays it",
    method="sums in whole cents",
    caveats=("a charge is a list price, not income lost",),
)
IN_THE_END = {"first": "at the first answer", "final": "in the end"}


def approval(
    outcomes: pd.DataFrame,
    month: str,
    minimum_cell_size: int = 11,
    which: population.Which = "first",
) -> Finding:
    """The share of matured claims up to `month` approved at the first answer, or in the end."""
    claims = population.matured(outcomes, month)
    answers = population.answered(claims, which)
    return stated_rate(
        FIRST_APPROVAL if which == "first" else FINAL_APPROVAL,
        f"Insurers approved {{estimate:percent}} of claims {IN_THE_END[which]} ({{lower:whole}} to"
        " {upper:whole}), {denominator:n claim}, {period}. Left out: {immature:n claim} too recent"
        " to judge (under {maturity:n day} old), {open:count} without such an answer.",
        population.scope(answers, outcomes),
        rates.overall(answers),
        minimum_cell_size,
        {
            "immature": len(population.through(outcomes, month)) - len(claims),
            "open": len(claims) - len(answers),
            "maturity": int(outcomes["maturity_days"].max()),
        },
    )


def stated_rate(
    question: Question,
    template: str,
    scope: Scope,
    rate: rates.Rate,
    minimum_cell_size: int,
    values: Mapping[str, Value],
) -> Finding:
    """The finding `template` states, or one that says why the rate is not to be stated."""
    refusal = rate.refusal(minimum_cell_size)
    if not refusal:
        return question.answer(template, scope, rate.numbers, values)
    lower, upper = rate.interval()
    refused = {
        rates.TOO_FEW: "Too few claims to give a rate: {denominator:n answered claim}, where"
        " {minimum:count} are needed.",
        rates.TOO_UNCERTAIN: "Too uncertain to state: {denominator:n claim} leave the rate anywhere"
        " from {low:percent} to {high:percent}.",
    }
    return question.answer(
        refused[refusal],
        scope,
        Numbers(denominator=rate.denominator),
        {**values, "minimum": minimum_cell_size, "low": lower, "high": upper},
    )


def determinations(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """Every claim up to `month` by its answer: determination, n_first, n_final, charge_cents."""
    claims = population.through(outcomes, month)
    words = population.DETERMINATION_LABELS
    final = claims.groupby("final_determination")
    counts = pd.DataFrame(
        {
            "n_first": claims["first_determination"].value_counts(),
            "n_final": final.size(),
            "charge_cents": final["charge_cents"].sum(),
        }
    )
    counts = counts.reindex(list(words)).fillna(0).astype("int64")
    return counts.rename_axis("determination").rename(index=words).reset_index()


def by_month(outcomes: pd.DataFrame, month: str, minimum_cell_size: int = 11) -> pd.DataFrame:
    """First-pass approval by month of submission: month, n, estimate, lower, upper, refusal.

    A month with claims too recent to judge is foreseen from all its claims, as `recent_approval`
    does; its `n` counts those that wait too.
    """
    answers = population.answered(population.matured(outcomes, month))
    table = rates.rates(answers.assign(month=population.month_of(answers)), ["month"])
    table = rates.judged(table, minimum_cell_size)
    claims = population.through(outcomes, month)
    recent = claims.loc[~claims["is_mature"] & claims["submitted_date"].notna()]
    months = population.month_of(recent).unique()
    rows = []
    for one in months:
        foreseen = _foreseen(claims[population.month_of(claims) == one], minimum_cell_size)
        rows.append({"month": one, **foreseen._asdict()})
    columns = ["month", "n", "estimate", "lower", "upper", "refusal"]
    table = table.loc[~table["month"].isin(months), columns]
    if rows:
        made = pd.DataFrame(rows, columns=columns).astype(table.dtypes.to_dict())
        table = pd.concat([table, made]) if len(table) else made
    table["month"] = table["month"].astype("str")
    return table.sort_values("month").reset_index(drop=True)


def recent_approval(outcomes: pd.DataFrame, month: str, minimum_cell_size: int = 11) -> Finding:
    """Approval of the claims of three months to `month`, those that still wait foreseen."""
    last = pd.Period(month, "M")
    claims = population.through(outcomes, month)
    claims = claims[population.month_of(claims) > last - N_RECENT_MONTHS]
    scope = population.scope(claims, outcomes)
    told = _foreseen(claims, minimum_cell_size)
    numbers = Numbers(denominator=told.n)
    if told.refusal:
        return RECENT_APPROVAL.answer(
            "How the latest claims will be answered is not foretold ({refusal}):"
            " {denominator:n claim}, {period}.",
            scope,
            numbers,
            {"refusal": told.refusal},
        )
    return RECENT_APPROVAL.answer(
        "Once all {denominator:n claim} {period} are answered, insurers will have approved"
        " {estimate:percent} at the first answer ({lower:whole} to {upper:whole}); {waiting:count}"
        " still wait, and of the others {so_far:percent} are approved so far.",
        scope,
        Numbers(told.estimate, told.lower, told.upper, denominator=told.n),
        {"waiting": told.n_waiting, "so_far": told.so_far},
    )


class _Foreseen(NamedTuple):
    n: int
    n_waiting: int
    so_far: float
    estimate: float
    lower: float
    upper: float
    refusal: str


def _foreseen(claims: pd.DataFrame, minimum_cell_size: int) -> _Foreseen:
    """The share that will have been approved at first, NaN where it is not to be stated."""
    judgeable = claims["first_determination"].isin([*population.ANSWERED, "pending"])
    sent = _sent(claims[judgeable])
    is_answered = sent["first_determination"].isin(population.ANSWERED).to_numpy(bool)
    is_approved = sent["first_determination"].isin(population.APPROVED).to_numpy(bool)
    waited = (sent["as_of_date"] - sent["submitted_date"]).dt.days
    days = sent["days_to_first_determination"].astype("Float64").fillna(waited.astype("Float64"))
    told = awaited_approval(
        days.clip(lower=0).to_numpy(float).astype(np.int64),
        is_answered,
        is_approved,
        patients(sent).to_numpy(),
    )
    refusal, nothing = "", float("nan")
    lower, upper = told.interval() if told else (0.0, 1.0)
    n_dateless = int(claims["first_determination"].isin(population.ANSWERED).sum())
    n_dateless -= int(is_answered.sum())
    if len(sent) < minimum_cell_size:
        refusal = rates.TOO_FEW
    elif told is None or told.answered < FORESEEN or n_dateless > (1 - FORESEEN) * len(sent):
        refusal = TOO_RECENT
    elif upper - lower > rates.MAX_WIDTH:
        refusal = rates.TOO_UNCERTAIN
    n_waiting = int((~is_answered).sum())
    if told is None or refusal:
        return _Foreseen(len(sent), n_waiting, nothing, nothing, nothing, nothing, refusal)
    so_far = float(is_approved.sum() / is_answered.sum())
    return _Foreseen(len(sent), n_waiting, so_far, told.share, lower, upper, "")


def waiting(outcomes: pd.DataFrame, month: str) -> Finding:
    """Days from submission to the first answer: half, and nine in ten, of the matured claims."""
    claims = population.matured(outcomes, month)
    return waiting_of(claims, population.scope(claims, outcomes))


def waiting_of(claims: pd.DataFrame, scope: Scope) -> Finding:
    """Days from submission to the first answer over `claims`, which are matured."""
    claims = _sent(claims)
    numbers = Numbers(denominator=len(claims))
    half, most = _days(claims, 0.5), _days(claims, 0.9)
    if half is None or most is None:
        return WAITING.answer(
            "Too few claims were answered to say how long answers take.", scope, numbers
        )
    return WAITING.answer(
        "Half of the claims had a first answer within {half:n day}, nine in ten within"
        " {most:n day} ({denominator:n claim}, {period}).",
        scope,
        numbers,
        {"half": half, "most": most},
    )


def waiting_by_insurer(
    outcomes: pd.DataFrame, payers: pd.DataFrame, month: str, minimum_cell_size: int = 11
) -> pd.DataFrame:
    """Days to a first answer by insurer: insurer, n, n_unanswered, half_days, most_days.

    Days are null under `minimum_cell_size` claims, and where that share has no answer yet.
    """
    claims = _sent(population.matured(outcomes, month))
    columns = ["payer_id", "n", "n_unanswered", "half_days", "most_days"]
    rows = []
    for payer_id, sent in claims.groupby("payer_id", dropna=False):
        enough = len(sent) >= minimum_cell_size
        n_unanswered = int(sent["days_to_first_determination"].isna().sum())
        days = [_days(sent, share) if enough else None for share in (0.5, 0.9)]
        rows.append((payer_id, len(sent), n_unanswered, *days))
    table = pd.DataFrame(rows, columns=columns).astype({"half_days": float, "most_days": float})
    return population.largest_first(population.with_words(table, payers), ["insurer"])


def money(outcomes: pd.DataFrame, month: str) -> Finding:
    """What matured claims charged, what insurers allowed, and what they finally denied."""
    claims = population.answered(population.matured(outcomes, month), "final")
    refused = claims.loc[~claims["is_approved"], "charge_cents"]
    return MONEY.answer(
        "Of {charged:dollars} charged on {denominator:n claim}, insurers allowed {allowed:dollars};"
        " charges of {refused:dollars} were denied in full and stayed denied.",
        population.scope(claims, outcomes),
        Numbers(denominator=len(claims)),
        {
            "charged": int(claims["charge_cents"].sum()),
            "allowed": int(claims["allowed_cents"].sum()),
            "refused": int(refused.sum()),
        },
    )


def told_by_exports(outcomes: pd.DataFrame, month: str) -> Finding:
    """How many claims up to `month` have an answer that the practice's export tells."""
    claims = population.through(outcomes, month)
    claims = claims[claims["outcome_source"].notna()]
    n_exported = int((claims["outcome_source"] == "export").sum())
    return TOLD_BY.answer(
        "Of {denominator:n answered claim}, {numerator:count} have no remittance here: what"
        " became of them is told by the practice's own export.",
        population.scope(claims, outcomes),
        Numbers(numerator=n_exported, denominator=len(claims)),
    )


def _sent(claims: pd.DataFrame) -> pd.DataFrame:
    """Claims with a submission to wait since; the voided and rejected wait for nothing.

    An answer without its day, as exports tell, is neither a number of days nor still waiting.
    """
    stopped = claims["first_determination"].isin(["voided", "rejected"])
    answered = claims["first_determination"].isin(population.ANSWERED)
    dateless = answered & claims["first_determination_date"].isna()
    return claims[claims["submitted_date"].notna() & ~stopped & ~dateless]


def _days(claims: pd.DataFrame, share: float) -> int | None:
    """Days within which `share` of the claims had an answer; None when fewer have one."""
    days = claims["days_to_first_determination"].astype("float64").fillna(float("inf"))
    within = days.quantile(share, interpolation="higher") if len(days) else float("inf")
    return int(within) if within < float("inf") else None

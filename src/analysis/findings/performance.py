"""A month's key figures as billers know them, each with its numerator, denominator and verdict.

Names follow the definitions that HFMA (MAP keys) and MGMA publish; where a practice's files carry
only part of what those count, the definition here says which part.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from analysis.findings import denials, population, rates
from analysis.findings.finding import Finding, Numbers, Question, Scope, written

NO_NEWS = "no news: chance can explain it"
TOO_FEW = "too few claims to tell"
HIGHER, LOWER = "higher than usual", "lower than usual"
REVENUE_DAYS = 90
IN_RECEIVABLES = Question(
    id="practice_month.days_in_receivables",
    question="How many days of work are still with the insurers?",
    unit="day",
    definition=(
        "days in A/R, the insurers' part: charges sent and not answered at the end of the month,"
        f" over the charges sent a day in the {REVENUE_DAYS} days to then"
        " (MGMA, HFMA: with patients' balances and after contract reductions)"
    ),
    method="count of all claims, by day of first submission and of first final answer",
    caveats=("what patients owe is not in insurers' files",),
)
COLLECTION = Question(
    id="practice_month.net_collection",
    question="How much of what insurers should pay do they pay?",
    unit="dollar",
    definition=(
        "net collection rate, the insurers' part (HFMA, MGMA: all payments over charges after"
        " contract reductions): paid by insurers, over allowed and refused amounts less the"
        " patients' share; what was refused at the insurer's usual allowed share of charges"
    ),
    method="sums over matured claims of the twelve months to this one",
    caveats=("what patients paid is not in insurers' files",),
)


@dataclass(frozen=True)
class Measure:
    """One share: its name, what counts, and the claims of a month it is counted over."""

    name: str
    counted_as: str
    claims: Callable[[pd.DataFrame], pd.DataFrame]
    """Claims with `is_approved` (whether the claim counts) and `month`, the month it belongs to."""


def _denials(outcomes: pd.DataFrame) -> pd.DataFrame:
    claims = population.answered(outcomes)
    month = claims["first_determination_date"].dt.to_period("M")
    return claims.assign(is_approved=~claims["is_approved"], month=month)


def _first_pass(outcomes: pd.DataFrame) -> pd.DataFrame:
    claims = population.answered(outcomes)
    in_full = claims["first_determination"] == "approved"
    month = claims["first_determination_date"].dt.to_period("M")
    return claims.assign(is_approved=in_full & ~_sent_again_first(claims), month=month)


def _clean(outcomes: pd.DataFrame) -> pd.DataFrame:
    # Rejections carry no day of their own; they come within days of the sending.
    day = outcomes["first_determination_date"].where(
        outcomes["first_determination"] != "rejected", outcomes["submitted_date"]
    )
    stopped = (outcomes["first_determination"] == "rejected") | _sent_again_first(outcomes)
    claims = outcomes.assign(is_approved=~stopped, month=day.dt.to_period("M"))
    return claims[day.notna()]


def _sent_again_first(claims: pd.DataFrame) -> pd.Series:
    """Whether a claim was sent more than once and not denied in between."""
    again: pd.Series = (claims["n_versions"] > 1) & (claims["first_determination"] != "denied")
    return again.fillna(False).astype(bool)


MEASURES = (
    Measure(
        "Initial denial rate",
        "first answered in the month: denied, of all answered",
        _denials,
    ),
    Measure(
        "First-pass rate",
        "first answered in the month: approved in full and sent once, of all answered",
        _first_pass,
    ),
    Measure(
        "Clean-claim rate",
        "answered or rejected in the month: not rejected, not sent again before an answer, of all",
        _clean,
    ),
)


def key_figures(outcomes: pd.DataFrame, month: str, minimum_cell_size: int = 11) -> pd.DataFrame:
    """The shares of MEASURES in `month` beside the twelve months before.

    Columns: measure, estimate, lower, upper, n_counted, n, usual, verdict, counted_as. A verdict is
    news only where the 95% interval of the difference (Newcombe) leaves out zero; fewer than
    `minimum_cell_size` claims on a side give no rate.
    """
    return pd.DataFrame(
        [
            _figure(measure, outcomes, pd.Period(month, "M"), minimum_cell_size)
            for measure in MEASURES
        ]
    )


def _figure(
    measure: Measure, outcomes: pd.DataFrame, month: pd.Period, minimum_cell_size: int
) -> dict[str, object]:
    claims = measure.claims(outcomes)
    now = claims[claims["month"] == month]
    before = claims[(claims["month"] < month) & (claims["month"] >= month - 12)]
    this, usual = rates_of(now, before)
    told: dict[str, object] = {"measure": measure.name, "estimate": None, "lower": None}
    told |= {"upper": None, "n_counted": this.numerator, "n": this.denominator, "usual": None}
    told |= {"verdict": TOO_FEW, "counted_as": measure.counted_as}
    if this.denominator >= minimum_cell_size:
        lower, upper = this.interval()
        told |= {"estimate": this.estimate, "lower": lower, "upper": upper}
    if usual.denominator >= minimum_cell_size:
        told["usual"] = usual.estimate
        if this.denominator >= minimum_cell_size:
            told["verdict"] = verdict(this, usual)
    return told


def rates_of(now: pd.DataFrame, before: pd.DataFrame) -> tuple[rates.Rate, rates.Rate]:
    """The rates of two groups of claims, with one likeness of patients for both."""
    both = pd.concat([now.assign(is_now=True), before.assign(is_now=False)])
    none = rates.Rate(0, 0, 0.0)
    if both.empty:
        return none, none
    found = {
        bool(row["is_now"]): rates.rate_of(row)
        for _, row in rates.rates(both, ["is_now"]).iterrows()
    }
    return found.get(True, none), found.get(False, none)


def verdict(this: rates.Rate, usual: rates.Rate) -> str:
    """Whether a difference is news: the interval of the difference leaves out zero."""
    _, lower, upper = rates.difference(this, usual)
    if lower > 0:
        return HIGHER
    return LOWER if upper < 0 else NO_NEWS


def by_month(
    outcomes: pd.DataFrame, month: str, minimum_cell_size: int = 11, n_months: int = 13
) -> pd.DataFrame:
    """The initial denial rate of the last months: month (YYYY-MM), n_denied, n, and a rate.

    estimate, lower and upper are null where a month has fewer than `minimum_cell_size` answers.
    """
    claims = _denials(outcomes)
    last = pd.Period(month, "M")
    claims = claims[(claims["month"] > last - n_months) & (claims["month"] <= last)]
    months = pd.DataFrame({"month": pd.period_range(end=last, periods=n_months, freq="M")})
    columns = ["month", "n_approved", "n", "estimate", "lower", "upper"]
    made = rates.rates(claims, ["month"])[columns] if len(claims) else pd.DataFrame(columns=columns)
    table = months.merge(made, on="month", how="left").rename(columns={"n_approved": "n_denied"})
    table[["n_denied", "n"]] = table[["n_denied", "n"]].fillna(0).astype("int64")
    bounds = ["estimate", "lower", "upper"]
    table[bounds] = table[bounds].astype("float64").where(table["n"] >= minimum_cell_size)
    return table.assign(month=table["month"].astype("str"))


def days_in_receivables(outcomes: pd.DataFrame, month: str) -> Finding:
    """Charges with the insurers at the end of the month, in days of usual work."""
    end = pd.Period(month, "M").end_time.normalize()
    claims = outcomes[outcomes["submitted_date"] <= end]
    is_open = ~(claims["first_determination_date"] <= end).fillna(False).astype(bool)
    with_insurers = claims[is_open & ~claims["first_determination"].isin(["voided", "rejected"])]
    undated = population.undated(claims)
    recent = claims[claims["submitted_date"] > end - pd.Timedelta(days=REVENUE_DAYS)]
    charged, sent = int(with_insurers["charge_cents"].sum()), int(recent["charge_cents"].sum())
    scope = _scope(outcomes, month)
    if not sent and len(population.of_month(outcomes, month)):
        return IN_RECEIVABLES.answer(
            "How much work waits with the insurers cannot be told: the day of sending is in no"
            " file.",
            scope,
        )
    if not sent:
        return IN_RECEIVABLES.answer("Nothing was sent in the weeks up to {period}.", scope)
    if len(undated):
        return IN_RECEIVABLES.answer(
            "Days in A/R cannot be told: of {denominator:n claim} sent by the end of {period},"
            " {undated:count} were answered on a day that nobody wrote down.",
            scope,
            Numbers(denominator=len(claims)),
            {"undated": len(undated)},
        )
    days = charged * REVENUE_DAYS / sent
    return IN_RECEIVABLES.answer(
        "Days in A/R: at the end of {period} insurers had {charged:dollars} of charges without an"
        " answer, as much as {days:count} days of work ({sent:dollars} sent in {window:count}"
        " days).",
        scope,
        Numbers(denominator=len(with_insurers)),
        {"charged": charged, "sent": sent, "days": round(days), "window": REVENUE_DAYS},
    )


def net_collection(outcomes: pd.DataFrame, month: str) -> Finding:
    """What insurers paid of what they should pay, by the practice's own prices."""
    last = pd.Period(month, "M")
    claims = population.matured(outcomes, month)
    claims = claims[population.month_of(claims) > last - 12]
    claims = claims[claims["final_determination"].isin(population.ANSWERED)]
    refused = population.denied(claims, "final")
    owed = (claims["allowed_cents"] - claims["patient_responsibility_cents"]).clip(lower=0)
    # What another insurer paid of the patient's share is no payment of what insurers owe.
    paid = int(claims["paid_cents"].clip(upper=owed).sum())
    lost = denials.worth(refused, outcomes)
    due = int(owed.sum()) + lost
    scope = population.scope(claims, outcomes)
    if due <= 0:
        return COLLECTION.answer("No claim is old enough to say what insurers pay.", scope)
    return COLLECTION.answer(
        "Net collection, insurers' part: they paid {paid:dollars} of {due:dollars} that the claims"
        " {period} should bring from them, {share:percent}; {refused:n claim} still refused would"
        " have brought {lost:dollars}.",
        scope,
        Numbers(denominator=len(claims)),
        {
            "paid": paid,
            "due": due,
            "share": paid / due,
            "refused": len(refused),
            "lost": lost,
        },
    )


def _scope(outcomes: pd.DataFrame, month: str) -> Scope:
    period = written(pd.Period(month, "M"), "month")
    return Scope(population.whose(outcomes), period, population.as_of(outcomes))

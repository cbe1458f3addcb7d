"""Which claims a rate counts, and which it leaves out.

A claim belongs to the month of its first submission. A claim known only from its remittance
belongs to the month of its first answer. Rates count matured claims: those old enough that
19 of 20 claims of their age have an answer.
"""

from datetime import date
from typing import Literal

import pandas as pd

from analysis.findings.finding import Scope

Which = Literal["first", "final"]

APPROVED = ("approved", "partially_approved")
ANSWERED = (*APPROVED, "denied")
DEFINITIONS = {
    "first": (
        "approved: the first final answer allows more than nothing, whatever was paid; of the"
        " claims first answered with approved, partly approved or denied; pending, rejected, voided"
        " and unanswered claims stand beside"
    ),
    "final": (
        "approved: the latest answer allows more than nothing, whatever was paid; of the claims"
        " whose latest answer is approved, partly approved or denied"
    ),
}
LEFT_OUT = "claims too recent to judge, and claims without an answer, are left out and counted"


def month_of(claims: pd.DataFrame) -> pd.Series:
    """The month each claim belongs to, as a period."""
    return _day(claims).dt.to_period("M")


def through(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """The claims that belong to `month` (YYYY-MM) or an earlier one."""
    return outcomes[month_of(outcomes) <= pd.Period(month, "M")]


def matured(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """The claims up to `month` that are old enough to judge."""
    claims = through(outcomes, month)
    return claims[claims["is_mature"].astype(bool)]


def answered(claims: pd.DataFrame, which: Which = "first") -> pd.DataFrame:
    """The claims whose first (or final) determination approves or denies, with `is_approved`."""
    determination = claims[f"{which}_determination"]
    rows = claims[determination.isin(ANSWERED)]
    return rows.assign(is_approved=determination[rows.index].isin(APPROVED))


def scope(outcomes: pd.DataFrame, month: str) -> Scope:
    """What findings about the claims up to `month` speak about."""
    claims = through(outcomes, month)
    first, last = _day(claims).min(), _day(claims).max()
    period = "no claims" if claims.empty else f"{first:%Y-%m} to {last:%Y-%m}"
    return Scope("primary claims of this practice", f"submitted {period}", as_of(outcomes))


def as_of(outcomes: pd.DataFrame) -> date:
    """The day the answers were read. Raises ValueError when there is no claim."""
    if outcomes.empty:
        raise ValueError("no claims, so no as-of date")
    day: date = outcomes["as_of_date"].max().date()
    return day


def _day(claims: pd.DataFrame) -> pd.Series:
    return (
        claims["submitted_date"]
        .fillna(claims["first_determination_date"])
        .fillna(claims["service_date"])
    )

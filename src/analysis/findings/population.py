"""Which claims a rate counts, and which it leaves out.

A claim belongs to the month of its first submission; one known only from its remittance, to the
month of its service. Rates count matured claims: those older than the practice's own 95th
percentile of days to a first answer. Younger ones are answered too unevenly to be compared.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import pandas as pd

from analysis import codes
from analysis.findings.finding import Scope, written
from analysis.models.patients import patients

Which = Literal["first", "final"]

APPROVED = ("approved", "partially_approved")
ANSWERED = (*APPROVED, "denied")
DEFINITIONS = {
    "first": (
        "approved: the first final answer allows more than nothing, whatever was paid; among claims"
        " first answered approved, partly approved or denied"
    ),
    "final": (
        "approved: the latest answer allows more than nothing, whatever was paid; among claims"
        " whose latest answer is approved, partly approved or denied"
    ),
}
DETERMINATION_LABELS = {
    "approved": "approved",
    "partially_approved": "partly approved",
    "denied": "denied",
    "pending": "pending",
    "rejected": "rejected before it was judged",
    "voided": "voided by the practice",
    "unknown": "not known",
}


def known_from(claims: pd.DataFrame) -> pd.Series:
    """The day that dates each claim: first submission, else service, else first answer."""
    day: pd.Series = (
        claims["submitted_date"]
        .fillna(claims["service_date"])
        .fillna(claims["first_determination_date"])
    )
    return day


def month_of(claims: pd.DataFrame) -> pd.Series:
    """The month each claim belongs to, as a period."""
    month: pd.Series = known_from(claims).dt.to_period("M")
    return month


def through(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """The claims that belong to `month` (YYYY-MM) or an earlier one."""
    return outcomes[month_of(outcomes) <= pd.Period(month, "M")]


def of_month(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """The claims that belong to `month` alone."""
    return outcomes[month_of(outcomes) == pd.Period(month, "M")]


def matured(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """The claims up to `month` that are old enough to judge."""
    claims = through(outcomes, month)
    # A claim known only from its remittance has no submission to be old since; its service has.
    old_service = claims["submitted_date"].isna() & (
        claims["as_of_date"] - claims["service_date"]
    ).dt.days.ge(claims["maturity_days"])
    return claims[(claims["is_mature"] | old_service).astype(bool)]


def answered(claims: pd.DataFrame, which: Which = "first") -> pd.DataFrame:
    """The claims whose first (or final) determination approves or denies, with `is_approved`."""
    determination = claims[f"{which}_determination"]
    rows = claims[determination.isin(ANSWERED)]
    return rows.assign(is_approved=determination[rows.index].isin(APPROVED))


def undated(claims: pd.DataFrame) -> pd.DataFrame:
    """The claims answered on a day that nobody wrote down, as exports may tell them."""
    rows = answered(claims)
    return rows[rows["first_determination_date"].isna()]


def denied(claims: pd.DataFrame, which: Which = "first") -> pd.DataFrame:
    """The claims denied at the first (or final) determination, the category never empty."""
    rows = claims[claims[f"{which}_determination"] == "denied"]
    column = "denial_category" if which == "first" else "final_denial_category"
    return rows.assign(category=rows[column].fillna("unknown"))


def modelled(outcomes: pd.DataFrame, claim_features: pd.DataFrame) -> pd.DataFrame:
    """The claims the approval model learns from, as known at submission.

    Rows of `claim_features` with a day of submission, matured and first answered approved or
    denied, in order of `claim_id`; with `is_approved` and `patient`, never null: a claim without a
    patient stands for itself.
    """
    answers = answered(outcomes[outcomes["is_mature"].astype(bool)])
    claims = claim_features[claim_features["submitted_date"].notna()].merge(
        answers[["claim_id", "is_approved"]], on="claim_id", validate="one_to_one"
    )
    return claims.assign(patient=patients(claims)).sort_values("claim_id").reset_index(drop=True)


def due(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The claims sent long enough ago to have been judged, with `is_answered`, never null.

    Those that nobody will judge (voided, rejected) or whose answer is not known are left out.
    """
    claims = outcomes[outcomes["is_mature"].astype(bool) & outcomes["payer_id"].notna()]
    determination = claims["first_determination"]
    is_answered = determination.isin(ANSWERED)
    return claims.assign(is_answered=is_answered)[is_answered | (determination == "pending")]


def scope(claims: pd.DataFrame, outcomes: pd.DataFrame) -> Scope:
    """What findings about `claims`, some of the claims in `outcomes`, speak about."""
    told = claims if "outcome_source" in claims else outcomes
    return Scope(whose(told), spoken(known_from(claims)), as_of(outcomes))


def whose(claims: pd.DataFrame) -> str:
    """Whose claims a finding counts, and whether an export, not the insurer, told their answers."""
    sources = claims["outcome_source"].dropna()
    if not (sources == "export").any():
        return "claims of this practice"
    share = "all" if (sources == "export").all() else "some"
    return f"claims of this practice, {share} answers as its own export tells them"


def spoken(days: pd.Series) -> str:
    """The months that claims of these days belong to, in words."""
    if days.empty:
        return "no claims"
    first, last = written(days.min(), "month"), written(days.max(), "month")
    return f"submitted in {first}" if first == last else f"submitted {first} to {last}"


def as_of(outcomes: pd.DataFrame) -> date:
    """The day the answers were read. Raises ValueError when there is no claim."""
    if outcomes.empty:
        raise ValueError("no claims, so no as-of date")
    day: date = outcomes["as_of_date"].max().date()
    return day


def with_words(table: pd.DataFrame, payers: pd.DataFrame) -> pd.DataFrame:
    """`table` with insurer, insurer_type and condition in words beside the codes it has."""
    names = dict(zip(payers["payer_id"], payers["payer_name"], strict=True))
    words = {
        "payer_id": ("insurer", names),
        "payer_type": ("insurer_type", codes.labels("payer_types")),
        "condition_group": ("condition", codes.labels("conditions")),
    }
    worded = table.copy()
    for column, (name, labels) in words.items():
        if column in table:
            worded[name] = in_words(table[column], labels)
    return worded


def in_words(column: pd.Series, labels: dict[str, str]) -> pd.Series:
    """Codes as their labels; a code without a label stays as it is, a missing one is not known."""
    # Where no code at all is known, pandas would take the column for numbers.
    words = column.map(lambda code: labels.get(code, code), na_action="ignore").astype("object")
    return words.fillna("not known").astype("str")


def largest_first(table: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """`table` by falling n, then by name, so that the order is the same on every machine."""
    ordered = table.sort_values(["n", *by], ascending=[False, *[True] * len(by)])
    return ordered.reset_index(drop=True)

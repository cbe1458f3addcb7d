"""The claims a model may learn from or be judged on, and the periods of time that judge it.

A test period is judged as one would have judged it at the time. On its first day a model learns
from the claims old enough by then, by the answers there were; it foretells those sent in the
period, by the answers that came while as long was waited for them. Where a period lies hangs on
nothing that came after it, so that later months leave it, and what was said of it, as it was.
"""

import hashlib
import math
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analysis import tables
from analysis.config import DEFAULT_MATURITY_DAYS, ModelDesign
from analysis.errors import DataError
from analysis.models.patients import patients

APPROVED = ("approved", "partially_approved")
DENIED = ("denied",)

# Of the cross-validation of the one-hot logistic regression.
N_FOLDS = 5

# As `claim_outcomes` finds how long answers take.
_SLOW, _OLD_ENOUGH = 0.95, np.timedelta64(180, "D")


class Period(NamedTuple):
    """A test period: its first day, the day after its last, and how long answers are awaited."""

    first_day: date
    end_day: date
    maturity_days: int

    def in_words(self) -> str:
        """Its first and last day."""
        return f"{self.first_day} to {self.end_day - timedelta(days=1)}"

    def parts(self, claims: pd.DataFrame) -> "Parts":
        """Those of `claims` (of table `judged_claims`) that the period is about."""
        first, end = np.datetime64(self.first_day), np.datetime64(self.end_day)
        sent, told = _days(claims["submitted_date"]), _days(claims["answered_date"])
        is_later = (sent >= first) & (sent < end) & (told < end + self.maturity_days)
        train = claims[(sent <= first - self.maturity_days) & (told < first)]
        later = claims[is_later]
        test = later[~_whose(later).isin(_whose(train))]
        # Numbered anew, since claims that the period is not about must not move a patient's number.
        patient = patients(pd.concat([train, test]))
        train, test = (part.assign(patient=patient[part.index]) for part in (train, test))
        return Parts(train.reset_index(drop=True), test.reset_index(drop=True), len(later))


class Parts(NamedTuple):
    """The claims to learn from, new patients' later ones to foretell, and how many were later."""

    train: pd.DataFrame
    test: pd.DataFrame
    n_later: int

    def digest(self) -> str:
        """SHA-256 of the claims: of every cell in every row, and of their order."""
        # No text holds the mark of what is missing.
        told = (claims.to_csv(index=False, na_rep="\0") for claims in (self.train, self.test))
        return hashlib.sha256("\0\0".join(told).encode()).hexdigest()


class Modelled(NamedTuple):
    """Matured claims with `is_approved` and `patient`, why others are left out, and what judges.

    `parts` are those of the `periods` in turn.
    """

    as_of: date
    claims: pd.DataFrame
    left_out: dict[str, int]
    periods: list[Period]
    parts: list[Parts]


def modelled(features: pa.Table, outcomes: pa.Table, design: ModelDesign) -> Modelled:
    """The claims of `claim_features` and `claim_outcomes` that carry a model, and its test periods.

    Only claims whose first determination approves or denies count, and of those to learn from only
    matured ones. Raises DataError saying what is missing when the claims cannot carry a model.
    """
    answered, left_out = _population(features, outcomes)
    claims = answered[answered["is_mature"]].reset_index(drop=True)
    claims = claims.assign(patient=patients(claims))
    lacking = _lacking(claims, design)
    if lacking:
        raise DataError(
            f"no approval model: {'; '.join(lacking)}. Add earlier months, or wait until more "
            "claims have been answered"
        )
    as_of = outcomes["as_of_date"][0].as_py()
    periods = _periods(answered, pd.Timestamp(as_of), design)
    parts = [period.parts(answered) for period in periods]
    return Modelled(as_of, claims, left_out, periods, parts)


def to_judge(chosen: Modelled | None) -> dict[str, pa.Table]:
    """Tables `test_periods` and `judged_claims`; empty where there is no model."""
    if chosen is None or not chosen.periods:
        return {name: tables.from_columns(name, {}) for name in ("test_periods", "judged_claims")}
    periods = [
        {**period._asdict(), "n_learned": len(parts.train), "n_tested": len(parts.test)}
        for period, parts in zip(chosen.periods, chosen.parts, strict=True)
    ]
    claims = pd.concat([rows for parts in chosen.parts for rows in (parts.train, parts.test)])
    claims = claims.drop_duplicates("claim_id").sort_values(["submitted_date", "claim_id"])
    columns = tables.arrow_schema("judged_claims").names
    return {
        "test_periods": tables.from_rows("test_periods", periods),
        "judged_claims": tables.from_columns(
            "judged_claims", {name: claims[name] for name in columns}
        ),
    }


def _population(features: pa.Table, outcomes: pa.Table) -> tuple[pd.DataFrame, dict[str, int]]:
    """The claims answered with a day of submission, and why others are not among matured ones."""
    columns = ["claim_id", "first_determination", "first_determination_date", "is_mature"]
    labels = tables.to_frame(outcomes.select(columns))
    claims = tables.to_frame(features).merge(labels, on="claim_id", validate="one_to_one")
    left_out = {
        "without_submission": len(labels) - len(claims),
        "without_submission_date": int(claims["submitted_date"].isna().sum()),
    }
    claims = claims[claims["submitted_date"].notna()]
    left_out["not_mature"] = int((~claims["is_mature"]).sum())
    is_decided = claims["first_determination"].isin([*APPROVED, *DENIED])
    undecided = claims.loc[~is_decided & claims["is_mature"], "first_determination"].value_counts()
    left_out |= {f"first_determination_{name}": int(n) for name, n in sorted(undecided.items())}
    claims = claims[is_decided].sort_values(["submitted_date", "claim_id"], ignore_index=True)
    return (
        claims.assign(
            is_approved=claims["first_determination"].isin(APPROVED),
            # An answer of an export may have no day; it was there all along, for all that is known.
            answered_date=claims["first_determination_date"].fillna(claims["submitted_date"]),
        ),
        left_out,
    )


def _lacking(claims: pd.DataFrame, design: ModelDesign) -> list[str]:
    """Everything that claims to learn from lack for a model."""
    is_approved, whose = claims["is_approved"], _whose(claims)
    # Each fold of the cross-validation needs both answers, and keeps a patient's claims together.
    return [
        f"{what}: {n}, at least {least} needed"
        for what, n, least in (
            ("matured claims approved or denied", len(claims), design.minimum_claims),
            ("denied claims among them", int((~is_approved).sum()), design.minimum_denials),
            (
                "patients with an approved claim to learn from",
                whose[is_approved].nunique(),
                N_FOLDS,
            ),
            (
                "patients with a denied claim to learn from",
                whose[~is_approved].nunique(),
                N_FOLDS,
            ),
        )
        if n < least
    ]


def _periods(answered: pd.DataFrame, as_of: pd.Timestamp, design: ModelDesign) -> list[Period]:
    """The last test periods whose answers are in, at most `n_periods`.

    The first begins with the first month in which a model could be learned, and each other with
    the first in which a model could learn from `growth` times as many claims as in the one before.
    """
    begun: list[tuple[pd.Timestamp, int]] = []
    n_learned = 0.0
    sent, told = (_days(answered[f"{name}_date"]) for name in ("submitted", "answered"))
    # Of answers without a day nobody knows how long they took.
    is_dated = answered["first_determination_date"].notna().to_numpy() & (told >= sent)
    for day in pd.date_range(answered["submitted_date"].iloc[0], as_of, freq="MS", normalize=True):
        today = day.to_datetime64().astype("datetime64[D]")
        is_old = is_dated & (sent <= today - _OLD_ENOUGH) & (told < today)
        maturity_days = _maturity_days((told - sent)[is_old])
        is_known = (sent <= today - maturity_days) & (told < today)
        n_known = int(is_known.sum())
        if n_known < design.growth * n_learned or (
            not begun and _lacking(answered[is_known], design)
        ):
            continue
        begun.append((day, maturity_days))
        n_learned = n_known
    ended = [
        Period(day.date(), end.date(), maturity_days)
        for (day, maturity_days), (end, _) in pairwise(begun)
        if end + pd.Timedelta(days=maturity_days) <= as_of
    ]
    return ended[-design.n_periods :]


def _maturity_days(waits: NDArray[np.timedelta64]) -> int:
    """How long 95 in 100 answers took, of claims old enough for a slow answer to have come."""
    if not len(waits):
        return DEFAULT_MATURITY_DAYS
    place = math.ceil(_SLOW * len(waits)) - 1
    return int(np.partition(waits.astype(np.int64), place)[place])


def _days(dates: pd.Series) -> NDArray[np.datetime64]:
    return dates.to_numpy("datetime64[D]")


def _whose(claims: pd.DataFrame) -> pd.Series:
    """Each claim's patient; a claim that names none stands for itself."""
    return claims["patient_id"].fillna(claims["claim_id"])

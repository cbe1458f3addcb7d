"""Rates with intervals that know that claims of one patient are alike.

A rate's interval is Wilson's, on the effective number of claims: the number of independent claims
that would carry as much information. Claims of one patient share a diagnosis, a plan and an
authorization, so intervals that count each claim in full are too narrow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.findings.finding import Numbers
from analysis.models.patients import patients
from analysis.models.rates import wilson_interval

METHOD = "Wilson 95% interval, widened because claims of one patient are alike (design effect)"
MAX_WIDTH = 0.30
TOO_FEW = "too few claims"
TOO_UNCERTAIN = "too uncertain to state"


@dataclass(frozen=True)
class Rate:
    """`numerator` of `denominator`, with the effective number of claims behind the interval."""

    numerator: int
    denominator: int
    effective: float

    @property
    def estimate(self) -> float | None:
        """The share; None when nothing was counted."""
        return self.numerator / self.denominator if self.denominator else None

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Wilson's interval at `level`; anything is possible when nothing was counted."""
        if self.estimate is None:
            return 0.0, 1.0
        n = np.array(self.effective)
        lower, upper = wilson_interval(self.estimate * n, n, level)
        return float(lower), float(upper)

    @property
    def numbers(self) -> Numbers:
        """The rate as a finding states it; without a range when nothing was counted."""
        if self.estimate is None:
            return Numbers(numerator=0, denominator=0)
        lower, upper = self.interval()
        return Numbers(self.estimate, lower, upper, self.numerator, self.denominator)

    def refusal(self, minimum_cell_size: int) -> str:
        """Why the rate must not be stated: too few claims, or an interval over 30 points; or ''."""
        lower, upper = self.interval()
        if self.denominator < minimum_cell_size:
            return TOO_FEW
        return TOO_UNCERTAIN if upper - lower > MAX_WIDTH else ""


def difference(one: Rate, other: Rate, level: float = 0.95) -> tuple[float, float, float]:
    """(one - other, lower, upper), the interval by Newcombe's hybrid of two Wilson intervals.

    Raises ValueError when either has no claims.
    """
    if one.estimate is None or other.estimate is None:
        raise ValueError("a difference needs claims on both sides")
    gap = one.estimate - other.estimate
    (low, high), (other_low, other_high) = one.interval(level), other.interval(level)
    down = math.hypot(one.estimate - low, other_high - other.estimate)
    up = math.hypot(high - one.estimate, other.estimate - other_low)
    return gap, gap - down, gap + up


def rates(answers: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Approval rates by cell: columns of `by`, n_approved, n, n_effective, estimate, lower, upper.

    `answers` has one row per answered claim with claim_id, patient_id, payer_id, is_approved and
    the columns of `by`. A claim without a patient counts alone.
    """
    by = list(by)
    claims = answers[by].assign(
        patient=patients(answers), approved=answers["is_approved"].astype(float)
    )
    of_patient = claims.groupby([*by, "patient"], dropna=False, as_index=False).agg(
        n=("approved", "size"), n_approved=("approved", "sum")
    )
    of_patient["n_squared"] = of_patient["n"] ** 2
    sums = ["n_approved", "n", "n_squared"]
    table = of_patient.groupby(by, dropna=False, as_index=False)[sums].sum()
    claims_of_a_patient = table.pop("n_squared") / table["n"]
    table["n_effective"] = table["n"] / (1 + likeness(answers) * (claims_of_a_patient - 1))
    table["n_approved"] = table["n_approved"].astype(int)
    share = table["n_approved"] / table["n"]
    n_effective = table["n_effective"].to_numpy(float)
    lower, upper = wilson_interval(share.to_numpy(float) * n_effective, n_effective)
    return table.assign(estimate=share, lower=lower, upper=upper)


def likeness(answers: pd.DataFrame) -> float:
    """How alike claims of one patient with one insurer are (intraclass correlation, 0 to 1).

    By analysis of variance over all of `answers`, whatever table is made of them: a small cell
    cannot tell its own, and the same claims have the same interval wherever they are shown.
    """
    claims = answers[["payer_id"]].assign(
        patient=patients(answers), approved=answers["is_approved"].astype(float)
    )
    insurer = claims.groupby("payer_id", dropna=False)["approved"]
    patient = claims.groupby(["payer_id", "patient"], dropna=False)["approved"]
    n_claims, n_patients, n_insurers = len(claims), patient.ngroups, insurer.ngroups
    if n_patients == n_insurers or n_claims == n_patients:
        return 0.0
    own = patient.transform("mean")
    between = ((own - insurer.transform("mean")) ** 2).sum() / (n_patients - n_insurers)
    within = ((claims["approved"] - own) ** 2).sum() / (n_claims - n_patients)
    repeated = (patient.transform("size") / insurer.transform("size")).sum()
    typical = (n_claims - repeated) / (n_patients - n_insurers)
    spread = between + (typical - 1) * within
    return float(min(1.0, max(0.0, (between - within) / spread))) if spread > 0 else 0.0


def overall(answers: pd.DataFrame) -> Rate:
    """The rate over all rows of `answers`."""
    if answers.empty:
        return Rate(0, 0, 0.0)
    return rate_of(rates(answers.assign(everything=True), ["everything"]).iloc[0])


def of_dollars(answers: pd.DataFrame) -> Rate:
    """The share of charges that was approved, in cents; `answers` as in `rates`, with charge_cents.

    The effective number is that of the ratio's variance between patients (linearized), and at most
    Kish's, so that a few large charges do not pass for many.
    """
    charged = answers["charge_cents"].astype("int64")
    approved = charged.where(answers["is_approved"].astype(bool), 0)
    numerator, denominator = int(approved.sum()), int(charged.sum())
    if not denominator:
        return Rate(0, 0, 0.0)
    share = numerator / denominator
    residual = (approved - share * charged).groupby(patients(answers)).sum()
    n_patients = len(residual)
    variance = n_patients / max(1, n_patients - 1) * float((residual**2).sum()) / denominator**2
    at_most = denominator**2 / float((charged.astype(float) ** 2).sum())
    known = share * (1 - share) / variance if variance else float(n_patients)
    return Rate(numerator, denominator, min(at_most, known))


def rate_of(row: pd.Series) -> Rate:
    """One row of a `rates` table as a Rate."""
    return Rate(int(row["n_approved"]), int(row["n"]), float(row["n_effective"]))


def judged(table: pd.DataFrame, minimum_cell_size: int) -> pd.DataFrame:
    """A `rates` table with a `refusal`, and no rate where there is one."""
    refusals = [rate_of(row).refusal(minimum_cell_size) for _, row in table.iterrows()]
    checked = table.assign(refusal=pd.Series(refusals, index=table.index, dtype="str"))
    checked.loc[checked["refusal"] != "", ["estimate", "lower", "upper"]] = float("nan")
    return checked

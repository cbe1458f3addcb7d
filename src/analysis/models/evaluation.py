"""How well predicted chances of approval held up: metrics with patient-clustered intervals.

Log loss and Brier score tell how far the chances lie from what happened, AUC whether approved
claims were given the higher chances, and calibration whether the chances can be read as rates: the
slope of a logistic regression of the outcome on the logit of the chance (1 is right, below 1 the
chances are too extreme), and its intercept with the slope held at 1 (0 is right, above 0 the
chances are too low).

A patient's claims are alike, so the bootstrap resamples patients, not claims. A resample is a
column of weights, so that one pass gives a metric in all of them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analysis import tables

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MINIMUM_CLAIMS = 11
GROUPS = {
    "payer_type": "payer_type",
    "payer": "payer_id",
    "condition": "condition_group",
    "cell_size": "cell_size",
}
CELL_SIZES = ("0", "1 to 10", "11 to 50", "over 50")

# A raw rate may be 0 or 1, whose logit is infinite: no chance is taken as surer than this.
_SUREST = 0.001
_LARGEST_SLOPE = 20.0
# An interval from the resamples that carry the metric is biased once many do not, and without an
# interval the value is not told either.
_SHARE_OF_RESAMPLES = 0.9


def evaluate(claims: pd.DataFrame, n_resamples: int, seed: int) -> pa.Table:
    """Table `evaluation`: model x group x metric over the test period.

    `claims` has one row for each claim and model: model, patient (never null),
    approval_probability, is_approved, payer_type, payer_id, condition_group, and cell_size as of
    `cell_sizes`. A value and its interval are null where the group has fewer than 11 claims, where
    its claims are all approved or all denied and the metric needs both, and where too few resamples
    carry the metric.
    """
    patients, patient_index = np.unique(claims["patient"].to_numpy(str), return_inverse=True)
    draws = np.random.default_rng(seed).multinomial(
        len(patients), np.full(len(patients), 1 / len(patients)), size=n_resamples
    )
    # The first column is the data as they are.
    weights = np.vstack([np.ones(len(patients)), draws.astype(float)]).T
    weights = weights[patient_index]
    probability = claims["approval_probability"].to_numpy(float)
    approved = claims["is_approved"].to_numpy(float)
    models = claims["model"].to_numpy(str)
    groups = _groups(claims)
    rows = []
    for model in np.unique(models).tolist():
        for group_kind, group_value, in_group in groups:
            of = (models == model) & in_group
            rows += [
                {"model": model, "group_kind": group_kind, "group_value": group_value, **measured}
                for measured in _measured(probability[of], approved[of], weights[of])
            ]
    return tables.from_rows("evaluation", rows)


def cell_sizes(n_known: NDArray[np.int64]) -> NDArray[np.str_]:
    """The band of CELL_SIZES that each number of known claims of a cell lies in."""
    return np.array(CELL_SIZES)[np.searchsorted([1, 11, 51], n_known, side="right")]


def log_loss_gain(
    probability: Vector, simpler: Vector, approved: Vector, patients: NDArray[Any]
) -> tuple[float, float]:
    """By how much log loss falls from the `simpler` chances to the others, and its standard error.

    Paired on the same claims; claims of one patient count together (linearized, patients taken as
    independent). The error is infinite where there are fewer than two patients.
    """
    clipped, other = _clipped(probability), _clipped(simpler)
    gains = np.where(approved == 1, np.log(clipped / other), np.log((1 - clipped) / (1 - other)))
    gain = float(gains.mean())
    of_patient = pd.Series(gains - gain).groupby(patients).sum().to_numpy()
    n = len(of_patient)
    if n < 2:
        return gain, float("inf")
    return gain, float(np.sqrt(n / (n - 1) * (of_patient @ of_patient)) / len(gains))


def _measured(probability: Vector, approved: Vector, weights: Matrix) -> list[dict[str, Any]]:
    """One row for each metric of one model in one group."""
    rows: list[dict[str, Any]] = []
    for metric, measure in METRICS.items():
        value, lower, upper = None, None, None
        if len(approved) >= MINIMUM_CLAIMS:
            value, lower, upper = _with_interval(measure(probability, approved, weights))
        row = {"metric": metric, "value": value, "lower": lower, "upper": upper}
        rows.append({**row, "n_claims": len(approved)})
    return rows


def _groups(claims: pd.DataFrame) -> list[tuple[str, str, NDArray[np.bool_]]]:
    groups = [("overall", "all", np.ones(len(claims), bool))]
    for kind, column in GROUPS.items():
        values = claims[column].to_numpy(str)
        groups += [(kind, str(value), values == value) for value in np.unique(values)]
    return groups


def _with_interval(measured: Vector) -> tuple[float | None, float | None, float | None]:
    """The value on the data as they are and the middle 95% of its resamples, or nothing at all."""
    value, resampled = measured[0], measured[1:]
    if not np.isfinite(value):
        return None, None, None
    carried = resampled[np.isfinite(resampled)]
    if len(carried) < _SHARE_OF_RESAMPLES * len(resampled):
        return None, None, None
    lower, upper = np.quantile(carried, [0.025, 0.975])
    return _rounded(value), _rounded(lower), _rounded(upper)


def _rounded(number: float) -> float:
    """Ten places: what is left behind them differs between machines."""
    return round(float(number), 10)


def log_loss(probability: Vector, approved: Vector, weights: Matrix) -> Vector:
    """Mean negative log likelihood, one value for each column of `weights`."""
    clipped = _clipped(probability)
    return _weighted_mean(-np.log(np.where(approved == 1, clipped, 1 - clipped)), weights)


def brier(probability: Vector, approved: Vector, weights: Matrix) -> Vector:
    """Mean squared distance from what happened, one value for each column of `weights`."""
    return _weighted_mean((probability - approved) ** 2, weights)


def auc(probability: Vector, approved: Vector, weights: Matrix) -> Vector:
    """The chance that an approved claim was rated above a denied one, ties counting half."""
    order = np.argsort(probability, kind="stable")
    _, starts = np.unique(probability[order], return_index=True)
    is_approved = approved[order, None] == 1
    weights = weights[order]
    approved_weight = np.add.reduceat(np.where(is_approved, weights, 0), starts)
    denied_weight = np.add.reduceat(np.where(is_approved, 0, weights), starts)
    denied_below = np.cumsum(denied_weight, axis=0) - denied_weight / 2
    concordant = (approved_weight * denied_below).sum(axis=0)
    return _divided(concordant, approved_weight.sum(axis=0) * denied_weight.sum(axis=0))


def calibration_slope(probability: Vector, approved: Vector, weights: Matrix) -> Vector:
    """Slope of the logistic regression of the outcome on the logit of the chance."""
    logit = _logit(probability)
    spread = logit.std()
    if spread < 1e-9:
        return np.full(weights.shape[1], np.nan)
    centred = (logit - logit.mean()) / spread
    _, slope = _logistic_line(centred, np.zeros_like(logit), approved, weights)
    slope = slope / spread
    return np.where(np.abs(slope) <= _LARGEST_SLOPE, slope, np.nan)


def calibration_intercept(probability: Vector, approved: Vector, weights: Matrix) -> Vector:
    """Intercept of the same regression with the slope held at 1."""
    logit = _logit(probability)
    intercept, _ = _logistic_line(np.zeros_like(logit), logit, approved, weights)
    return intercept


METRICS: dict[str, Callable[[Vector, Vector, Matrix], Vector]] = {
    "log_loss": log_loss,
    "brier": brier,
    "auc": auc,
    "calibration_slope": calibration_slope,
    "calibration_intercept": calibration_intercept,
}


def _logistic_line(
    x: Vector, offset: Vector, approved: Vector, weights: Matrix
) -> tuple[Vector, Vector]:
    """Intercepts and slopes of weighted logistic regressions, one for each column of `weights`.

    NaN where there is no finite fit: one class only, or chances that separate the classes. An `x`
    of zeros fits the intercept alone.
    """
    # The resamples lie close to the data as they are, whose fit stands in the first column.
    intercept, slope = _newton(x, offset, approved, weights[:, :1], 0.0, 0.0)
    if np.isnan(intercept[0]):
        missing = np.full(weights.shape[1], np.nan)
        return missing, missing
    return _newton(x, offset, approved, weights, intercept[0], slope[0])


def _newton(
    x: Vector, offset: Vector, approved: Vector, weights: Matrix, intercept: float, slope: float
) -> tuple[Vector, Vector]:
    """Newton's method on all columns at once from one start; NaN where it does not converge."""
    n_approved = approved @ weights
    has_both = (n_approved > 0) & (n_approved < weights.sum(axis=0))
    has_slope = bool(np.any(x))
    terms = np.array([np.ones_like(x), x] if has_slope else [np.ones_like(x)])
    products = np.array([terms[0], x, x**2] if has_slope else terms)
    fits = np.where(has_both, np.array([[intercept], [slope]]), np.nan)
    # A few columns that never settle must not keep all others going.
    going = np.flatnonzero(has_both)
    # Side by side in memory, a column's weights are passed over far faster.
    weight = weights.T[going]
    for _ in range(30):
        if not len(going):
            break
        # In place: taking memory for what comes in between takes longer than working it out.
        fitted = fits[: len(terms), going].T @ -terms
        fitted -= offset
        np.exp(np.minimum(np.maximum(fitted, -35, out=fitted), 35, out=fitted), out=fitted)
        fitted += 1
        np.divide(1, fitted, out=fitted)
        residual = approved - fitted
        residual *= weight
        gradient = terms @ residual.T
        spread = np.subtract(1, fitted, out=residual)
        spread *= fitted
        spread *= weight
        step = _solved(products @ spread.T, gradient)
        # A long first step overshoots where nearly all claims have the same outcome.
        fits[: len(terms), going] += np.minimum(np.maximum(step, -2), 2)
        # Of a column without a step nothing but NaN is left.
        goes_on = np.abs(step).max(axis=0) >= 1e-7
        going, weight = going[goes_on], weight[goes_on]
    fits[:, going] = np.nan
    return fits[0], fits[1]


def _solved(curvature: Matrix, gradient: Matrix) -> Matrix:
    """Newton's steps in the intercept, and in the slope where there is one; NaN where none."""
    if len(gradient) == 1:
        return _divided(gradient, curvature)
    (curve, cross, slope_curve), (in_intercept, in_slope) = curvature, gradient
    determinant = curve * slope_curve - cross**2
    # Of one chance alone rounding leaves a little.
    determinant[determinant < 1e-9 * curve * slope_curve] = 0
    steps = (slope_curve * in_intercept - cross * in_slope, curve * in_slope - cross * in_intercept)
    return _divided(np.array(steps), np.broadcast_to(determinant, (2, len(determinant))))


def _clipped(probability: Vector) -> Vector:
    return np.clip(probability, _SUREST, 1 - _SUREST)


def _logit(probability: Vector) -> Vector:
    clipped = _clipped(probability)
    return np.log(clipped / (1 - clipped))


def _weighted_mean(values: Vector, weights: Matrix) -> Vector:
    return _divided(values @ weights, weights.sum(axis=0))


def _divided(numerator: Vector, denominator: Vector) -> Vector:
    """The quotient, NaN where the denominator is not positive."""
    quotient: Vector = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 1e-300)
    return quotient

"""Raw approval rates of cells (insurer x condition by default) with Wilson intervals.

Nothing is shrunk or borrowed: these are the rates a careful reader could count, and the baseline a
model has to beat.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

PAYER_BY_CONDITION = ("payer_id", "condition_group")


def wilson_interval(
    n_approved: NDArray[np.float64], n_claims: NDArray[np.float64], level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson score limits of approved shares; `n_claims` must be positive."""
    z = norm.ppf((1 + level) / 2)
    share = n_approved / n_claims
    centre = (share + z**2 / (2 * n_claims)) / (1 + z**2 / n_claims)
    half_width = (
        z
        / (1 + z**2 / n_claims)
        * np.sqrt(share * (1 - share) / n_claims + (z / n_claims / 2) ** 2)
    )
    return np.maximum(centre - half_width, 0.0), np.minimum(centre + half_width, 1.0)


def cell_rates(
    features: pd.DataFrame, labels: pd.Series, by: Sequence[str] = PAYER_BY_CONDITION
) -> pd.DataFrame:
    """One row for each cell that has claims, in the order of `by`.

    `labels` says of each row of `features` whether it was approved. Columns: those of `by`,
    n_claims, n_approved, approval_rate, lower and upper (95%, claims taken as independent).
    """
    approved = labels.astype(int).groupby([features[column] for column in by], sort=True)
    cells = approved.agg(n_claims="size", n_approved="sum").reset_index()
    n_claims = cells["n_claims"].to_numpy(float)
    n_approved = cells["n_approved"].to_numpy(float)
    lower, upper = wilson_interval(n_approved, n_claims)
    return cells.assign(approval_rate=n_approved / n_claims, lower=lower, upper=upper)


def predict_from_rates(
    features: pd.DataFrame,
    known_features: pd.DataFrame,
    known_labels: pd.Series,
    minimum_cell_size: int,
) -> NDArray[np.float64]:
    """The known rate of each claim's insurer and condition, as its chance of approval.

    A cell of fewer than `minimum_cell_size` known claims says nothing; its insurer's rate stands
    in, and after that the rate of all known claims.
    """
    predicted: NDArray[np.float64] = np.full(len(features), known_labels.mean())
    for by in (PAYER_BY_CONDITION[:1], PAYER_BY_CONDITION):
        cells = cell_rates(known_features, known_labels, by)
        speaking = cells.loc[cells["n_claims"] >= minimum_cell_size, [*by, "approval_rate"]]
        rates = features[list(by)].merge(speaking, on=list(by), how="left")["approval_rate"]
        predicted = np.where(rates.isna(), predicted, rates)
    return predicted

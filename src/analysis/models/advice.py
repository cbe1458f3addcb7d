"""What a document a claim lacks goes with: its chance of approval as it is, and with the document.

A difference is an association among submitted claims that the model learned from, all else alike.
It is worth a therapist's time only where even a pessimistic reading of it is of some size, and only
if the document is clinically true and exists.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import codes
from analysis.models.predictors import DOCUMENTS, predictors

if TYPE_CHECKING:
    from analysis.models.mixed_effects import MixedEffectsLogisticRegression

PESSIMISTIC = 0.10
"""The quantile of the posterior that a gain is judged by."""
WORTHWHILE = 0.02
"""A smaller gain, in probability, is not worth a therapist's time."""
CONDITION = "if it is clinically true and exists"
ADVICE = ("claim_id", "document", "chance", "gain", "lower", "is_advised")


def as_if(claims: pd.DataFrame, document: str, status: str) -> pd.DataFrame:
    """Claims (rows of `claim_features`) as they would be with one document present, or absent.

    Only claims on which the document is known to be there or not may be given: nothing is changed
    into or out of unknown, nor of not required. Raises ValueError for others. Completeness follows
    where `known_weight` tells what it is a share of, and else stays.
    """
    known = claims[document].isin(["present", "absent"])
    if not known.all() or status not in ("present", "absent"):
        raise ValueError(f"{document} must be known to be present or absent on every claim")
    made = claims.copy()
    changed = (claims[document] != status).astype(float)
    weight = _weights()[document] * (1.0 if status == "present" else -1.0)
    step = (changed * weight / claims["known_weight"].astype(float)).fillna(0.0)
    made[document] = status
    made["completeness"] = (claims["completeness"].astype(float) + step).clip(0, 1)
    return made


def advice(
    model: "MixedEffectsLogisticRegression", claim_features: pd.DataFrame, n: int = 400
) -> pd.DataFrame:
    """The gain that goes with each document known to be absent, one row per claim and document.

    Columns as in ADVICE: `chance` of approval as the claim is, mean `gain` with the document, its
    10th percentile `lower`, and whether that exceeds 2 points. An unknown document is never taken
    for absent. Largest lower bound first within a claim; claims in the order given.
    """
    rows = []
    for document in DOCUMENTS:
        lacking = claim_features[claim_features[document] == "absent"]
        if lacking.empty:
            continue
        before, after = gains(model, lacking, document, n)
        gain = after - before
        rows.append(
            pd.DataFrame(
                {
                    "claim_id": lacking["claim_id"].to_numpy(),
                    "document": document,
                    "chance": before.mean(axis=0),
                    "gain": gain.mean(axis=0),
                    "lower": np.quantile(gain, PESSIMISTIC, axis=0),
                }
            )
        )
    if not rows:
        return pd.DataFrame(columns=list(ADVICE))
    table = pd.concat(rows, ignore_index=True)
    table["is_advised"] = table["lower"] > WORTHWHILE
    order = pd.Index(claim_features["claim_id"]).get_indexer(pd.Index(table["claim_id"]))
    table = table.assign(order=order).sort_values(
        ["order", "lower", "document"], ascending=[True, False, True]
    )
    return table[list(ADVICE)].reset_index(drop=True)


def gains(
    model: "MixedEffectsLogisticRegression", claims: pd.DataFrame, document: str, n: int = 400
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Joint draws of each claim's chance without and with the document: two (n, rows)."""
    without, having = (
        model.posterior_draws(predictors(as_if(claims, document, status)), n, model.random_state)
        for status in ("absent", "present")
    )
    return without, having


def _weights() -> dict[str, float]:
    return {row["name"]: float(row["weight"]) for row in codes.rows("documentation")}

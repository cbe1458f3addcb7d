"""The claims a model may learn from or be judged on, and the stretches of time that judge it."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis import tables
from analysis.config import ModelDesign
from analysis.errors import DataError
from analysis.models.patients import patients

APPROVED = ("approved", "partially_approved")
DENIED = ("denied",)

# Of the cross-validation of the one-hot logistic regression.
N_FOLDS = 5


class Stretch(NamedTuple):
    """A test period's first day, the claims sent before it, and new patients' claims in it."""

    first_day: date
    train: pd.DataFrame
    test: pd.DataFrame


class Modelled(NamedTuple):
    """Claims with `is_approved` and `patient`, why others are left out, and the test periods."""

    claims: pd.DataFrame
    left_out: dict[str, int]
    stretches: list[Stretch]


def modelled(features: pa.Table, outcomes: pa.Table, design: ModelDesign) -> Modelled:
    """The claims of `claim_features` and `claim_outcomes` that carry a model.

    Only matured claims count, and only those whose first determination approves or denies. The
    claims after the first `train_share` of them, by day sent, make `n_origins` test periods. Raises
    DataError saying what is missing when the claims cannot carry a model.
    """
    claims, left_out = _population(features, outcomes)
    stretches = _stretches(claims, design)
    _diagnose(claims, stretches, design)
    return Modelled(claims, left_out, stretches)


def _population(features: pa.Table, outcomes: pa.Table) -> tuple[pd.DataFrame, dict[str, int]]:
    """The claims a model may learn from or be judged on, and why the others are not among them."""
    labels = tables.to_frame(outcomes.select(["claim_id", "first_determination", "is_mature"]))
    claims = tables.to_frame(features).merge(labels, on="claim_id", validate="one_to_one")
    left_out = {
        "without_submission": len(labels) - len(claims),
        "without_submission_date": int(claims["submitted_date"].isna().sum()),
    }
    claims = claims[claims["submitted_date"].notna()]
    left_out["not_mature"] = int((~claims["is_mature"]).sum())
    claims = claims[claims["is_mature"]]
    is_decided = claims["first_determination"].isin([*APPROVED, *DENIED])
    undecided = claims.loc[~is_decided, "first_determination"].value_counts()
    left_out |= {f"first_determination_{name}": int(n) for name, n in sorted(undecided.items())}
    claims = claims[is_decided].sort_values(["submitted_date", "claim_id"], ignore_index=True)
    return (
        claims.assign(
            is_approved=claims["first_determination"].isin(APPROVED),
            patient=patients(claims),
        ),
        left_out,
    )


def _stretches(claims: pd.DataFrame, design: ModelDesign) -> list[Stretch]:
    """The test periods one after another, each with the claims sent before it.

    Days are not divided, so that a stretch may be empty where few days hold most claims.
    """
    if claims.empty:
        return [Stretch(date.max, claims, claims)]
    shares = np.linspace(design.train_share, 1, design.n_origins, endpoint=False)
    days = claims["submitted_date"]
    origins = [days.iloc[int(len(claims) * share)] for share in shares]
    made = []
    for first, after in zip(
        origins, [*origins[1:], days.iloc[-1] + pd.Timedelta(days=1)], strict=True
    ):
        train = claims[days < first]
        period = claims[(days >= first) & (days < after)]
        test = period[~period["patient"].isin(train["patient"])].reset_index(drop=True)
        made.append(Stretch(first.date(), train, test))
    return made


def _diagnose(claims: pd.DataFrame, stretches: Sequence[Stretch], design: ModelDesign) -> None:
    """Raise DataError naming everything the claims lack for a model."""
    n_denied = int((~claims["is_approved"]).sum())
    train = stretches[0].train
    n_test = sum(len(stretch.test) for stretch in stretches)
    # Each fold of the cross-validation needs both answers, and keeps a patient's claims together.
    with_approved = train.loc[train["is_approved"], "patient"].nunique()
    with_denied = train.loc[~train["is_approved"], "patient"].nunique()
    lacking = [
        f"{what}: {n}, at least {least} needed"
        for what, n, least in (
            ("matured claims approved or denied", len(claims), design.minimum_claims),
            ("denied claims among them", n_denied, design.minimum_denials),
            ("patients with an approved claim to learn from", with_approved, N_FOLDS),
            ("patients with a denied claim to learn from", with_denied, N_FOLDS),
            ("later claims of new patients", n_test, design.minimum_cell_size),
        )
        if n < least
    ]
    if lacking:
        raise DataError(
            f"no approval model: {'; '.join(lacking)}. Add earlier months, or wait until more "
            "claims have been answered"
        )

"""The approval model: a mixed-effects logistic regression of all matured claims, and its record.

The chance that the first determination approves a claim, from what was known when it was sent. How
well such models do on later claims is judged in `judging`.
"""

import hashlib
import json
import platform
from importlib.metadata import version
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from analysis import tables
from analysis.config import ModelDesign
from analysis.models.mixed_effects import MixedEffectsLogisticRegression
from analysis.models.periods import APPROVED, DENIED, Modelled
from analysis.models.predictors import FEATURES, FIXED, LARGEST, form, predictors
from analysis.models.saved import load
from analysis.models.terms import RandomEffect

__all__ = [
    "FEATURES",
    "Learned",
    "MixedEffectsLogisticRegression",
    "RandomEffect",
    "learn",
    "load",
    "refused",
    "saved_design",
]

# A document's presence or a year of delay seldom moves the log odds by more than two of these.
_FIXED_SCALE = 1.0
# Each keeps a matrix as wide as the model: more would make the saved model too large to move.
_N_VARIANCE_DRAWS = 16


class Learned(NamedTuple):
    """The record of how the model came about, and the model, None where there is none.

    `model` reads `predictors.predictors` of claims.
    """

    design: dict[str, Any]
    model: MixedEffectsLogisticRegression | None


def learn(chosen: Modelled, design: ModelDesign) -> Learned:
    """Learn from the claims chosen; in the record stands what judges such models as well."""
    claims = chosen.claims
    model = fitted(claims, design)
    tests = [parts.test for parts in chosen.parts]
    n_test = sum(map(len, tests))
    n_later = sum(parts.n_later for parts in chosen.parts)
    population = {
        "n_modelled": len(claims),
        "n_denied": int((~claims["is_approved"]).sum()),
        "n_patients": claims["patient"].nunique(),
        "n_test": n_test,
        "n_test_denied": sum(int((~test["is_approved"]).sum()) for test in tests),
        "n_test_patients": sum(test["patient"].nunique() for test in tests),
        "n_left_out": {**chosen.left_out, "later_claims_of_known_patients": n_later - n_test},
    }
    return Learned(saved_design(model, design, chosen, population, _digest(claims)), model)


def fitted(claims: pd.DataFrame, design: ModelDesign) -> MixedEffectsLogisticRegression:
    """The approval model, learned from `claims`."""
    model = unfitted(len(claims), design.seed)
    return model.fit(
        predictors(claims), claims["is_approved"].to_numpy(int), groups=claims["patient"]
    )


def unfitted(n_claims: int, seed: int) -> MixedEffectsLogisticRegression:
    """The approval model for `n_claims` claims to learn from, before it has learned."""
    random, cells = form(n_claims)
    return MixedEffectsLogisticRegression(
        FIXED,
        random,
        fixed_scale=_FIXED_SCALE,
        n_variance_draws=_N_VARIANCE_DRAWS,
        model_error=cells,
        random_state=seed,
    )


def refused(reason: str) -> Learned:
    """A record that says why there is no model."""
    return Learned({"refused": reason}, None)


def fits(learned: Learned) -> pa.Table:
    """Table `model_fits`: the design's hash, or why there is no model."""
    return tables.from_rows(
        "model_fits",
        [
            {
                "model": "mixed_effects_logistic",
                "design_sha256": learned.design.get("sha256"),
                "refusal": learned.design.get("refused"),
            }
        ],
    )


def saved_design(
    model: MixedEffectsLogisticRegression,
    design: ModelDesign,
    chosen: Modelled,
    population: dict[str, Any],
    data_sha256: str,
) -> dict[str, Any]:
    """How the model came about, for JSON: no row of the data, and nothing that runs when loaded."""
    record = {
        "question": "chance that the first determination approves, known at first submission",
        "label": {"approved": list(APPROVED), "denied": list(DENIED)},
        "as_of": chosen.as_of.isoformat(),
        "saved_model": "learned from all modelled claims; what is told of its performance is that"
        " of models that learned on the first day of each test period from what was known then",
        "test_periods": [period.in_words() for period in chosen.periods] or ["none has ended yet"],
        "population": population,
        "features": list(FEATURES),
        "caps": LARGEST,
        "settings": design.model_dump(),
        "mixed_effects": {
            "fixed": {
                name: round(float(value), 8)
                for name, value in zip(("intercept", *FIXED), model.coef_, strict=False)
            },
            "random": {effect.name: [*effect.by, *effect.slopes] for effect in model.random},
            "variances": {k: round(v, 8) for k, v in model.variance_components_.items()},
            "model_error": round(model.model_error_, 8),
            "n_patterns": model.n_patterns_,
            "n_rounds": model.n_iter_,
            "prior_scales": {"fixed": model.fixed_scale, "random": model.random_scale},
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "pandas", "scikit-learn", "scipy")},
        },
        "data_sha256": data_sha256,
    }
    canonical = json.dumps(record, sort_keys=True).encode()
    return {**record, "sha256": hashlib.sha256(canonical).hexdigest()}


def _digest(claims: pd.DataFrame) -> str:
    """SHA-256 of the rows modelled, so that a record can be held against its data."""
    columns = ["claim_id", "submitted_date", *FEATURES, "is_approved"]
    return hashlib.sha256(claims[columns].to_csv(index=False).encode()).hexdigest()

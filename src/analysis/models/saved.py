"""A fitted approval model on disk: JSON for what its numbers mean, npz for the numbers.

No training row, no patient and nothing that runs when loaded is stored. The levels stored are the
codes of categories: insurers, plans, conditions.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.models.mixed_effects import MixedEffectsLogisticRegression
from analysis.models.terms import Block, RandomEffect, Terms

_WORDS, _NUMBERS = "approval_model.json", "approval_model.npz"
_SETTINGS = ("fixed_scale", "random_scale", "n_variance_draws", "model_error", "random_state")
_ARRAYS = ("coef_", "scale_draws_", "coefficient_draws_", "factor_draws_", "classes_")
_FACTS = (
    "variance_components_",
    "model_error_",
    "has_patients_",
    "n_iter_",
    "n_features_in_",
    "n_patterns_",
    "converged_",
)


def forget(folder: Path) -> None:
    """Remove a saved model, so that none is mistaken for today's."""
    for name in (_WORDS, _NUMBERS):
        (folder / name).unlink(missing_ok=True)


def save(model: MixedEffectsLogisticRegression, folder: Path) -> None:
    """Write a fitted model to `folder`, in place of one that may be there."""
    words = {
        "settings": {name: getattr(model, name) for name in _SETTINGS},
        "fixed": list(model.terms_.fixed),
        "random": [[e.name, list(e.by), list(e.slopes)] for e in model.terms_.random],
        "cells": list(model.terms_.cells),
        "levels": [list(block.levels) for block in model.terms_.blocks],
        "blocks": [[block.effect, block.slope] for block in model.terms_.blocks],
        "facts": {name: getattr(model, name) for name in _FACTS},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _WORDS).write_text(json.dumps(words, sort_keys=True) + "\n", encoding="utf-8")
    # Noise does not compress, and trying takes seconds.
    np.savez(folder / _NUMBERS, **{name: getattr(model, name) for name in _ARRAYS})


def load_if_any(folder: Path) -> MixedEffectsLogisticRegression | None:
    """The model that `save` wrote to `folder`; None where the claims were too few for one."""
    try:
        return load(folder)
    except DataError:
        return None


def load(folder: Path) -> MixedEffectsLogisticRegression:
    """The model that `save` wrote to `folder`; it predicts what it did then.

    Raises DataError where there is none.
    """
    if not (folder / _WORDS).is_file() or not (folder / _NUMBERS).is_file():
        raise DataError(
            f"there is no approval model in {folder.name}. Run `outcomes build`; if the claims "
            "were too few for a model, its report says what is missing"
        )
    words = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
    random = [RandomEffect(name, tuple(by), tuple(slopes)) for name, by, slopes in words["random"]]
    model = MixedEffectsLogisticRegression(
        tuple(words["fixed"]), tuple(random), **words["settings"]
    )
    model.terms_ = Terms(words["fixed"], random, words["cells"])
    model.terms_.blocks = [
        Block(effect, slope, pd.Index(levels, dtype=object))
        for (effect, slope), levels in zip(words["blocks"], words["levels"], strict=True)
    ]
    for name, fact in words["facts"].items():
        setattr(model, name, fact)
    with np.load(folder / _NUMBERS, allow_pickle=False) as arrays:
        for name in _ARRAYS:
            setattr(model, name, arrays[name])
    return model

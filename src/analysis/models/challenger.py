"""Boosted trees, which find what the approval model's form has no term for.

They are worse in small cells and carry no intervals, so nobody is shown their chances. Where they
predict later claims better nevertheless, the form of the approval model lacks something.
"""

# scikit-learn and threadpoolctl carry no types.
# mypy: disable-error-code="no-untyped-call, import-untyped"

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from analysis.models.predictors import ABSENT, CATEGORIES, LARGEST, NUMBERS

# The trees sort values into at most 255 bins, and a category needs one of its own.
_MOST_CATEGORIES = 200


class BoostedTrees(ClassifierMixin, BaseEstimator):
    """Gradient-boosted trees in which a document's absence never raises the chance.

    Reads `predictors.predictors` of claims. A category of fewer than `minimum_cell_size` claims
    joins the other rare ones; one never met, and a number nobody knows, go the way of missing ones.
    """

    def __init__(self, minimum_cell_size: int = 11, random_state: int = 0) -> None:
        self.minimum_cell_size = minimum_cell_size
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: NDArray[np.int64]) -> Self:
        """Learn from claims `X`, approved (1) or not (0)."""
        self.classes_ = np.array([0, 1])
        self.encoder_ = OrdinalEncoder(
            min_frequency=self.minimum_cell_size,
            max_categories=_MOST_CATEGORIES,
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
        ).fit(_texts(X))
        self.numbers_ = [number for number in LARGEST if (X[f"{number}_missing"] == 0).any()]
        # Shallow and slow: tuned on no data, and safe on a few hundred claims.
        trees = HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=150,
            max_leaf_nodes=8,
            min_samples_leaf=20,
            l2_regularization=1.0,
            early_stopping=False,
            categorical_features=list(CATEGORIES),
            monotonic_cst={**dict.fromkeys(ABSENT, -1), "completeness": 1},
            random_state=self.random_state,
        )
        # Sums of several threads depend on their number.
        with threadpool_limits(limits=1):
            self.trees_ = trees.fit(self._readable(X), y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Chances of denial and of approval, one row for each claim."""
        with threadpool_limits(limits=1):
            chances: NDArray[np.float64] = self.trees_.predict_proba(self._readable(X))
        return chances

    def _readable(self, X: pd.DataFrame) -> pd.DataFrame:
        made = X[list(NUMBERS)].astype(float)
        for number in LARGEST:
            missing = made.pop(f"{number}_missing") == 1
            # The trees cannot sort a number known of no claim; it stays the constant it is.
            made[number] = made[number].mask(missing) if number in self.numbers_ else 0.0
        codes = pd.DataFrame(
            self.encoder_.transform(_texts(X)), columns=list(CATEGORIES), index=X.index
        )
        return pd.concat([codes, made], axis=1)


def _texts(X: pd.DataFrame) -> pd.DataFrame:
    categories = X[list(CATEGORIES)].astype(object)
    return categories.where(categories.notna(), "")

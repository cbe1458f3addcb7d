"""The mixed-effects logistic regression as an estimator of scikit-learn.

For whoever wants it in pipelines, searches or `clone`. A build fits it without scikit-learn, whose
import takes longer than the fit of a practice's claims.
"""

# scikit-learn carries no types.
# mypy: disable-error-code="no-untyped-call, import-untyped"

from typing import Any, Self

import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from analysis.models.mixed_effects import MixedEffectsLogisticRegression


class MixedEffectsClassifier(ClassifierMixin, MixedEffectsLogisticRegression, BaseEstimator):
    """`MixedEffectsLogisticRegression` with all that scikit-learn asks of a classifier.

    Reads arrays as well as frames, and raises NotFittedError before the fit.
    """

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        time: ArrayLike | None = None,
    ) -> Self:
        """As `MixedEffectsLogisticRegression.fit`."""
        claims = self._frame(X)
        if y is None:
            raise ValueError("the fit requires y to be passed, but the target y is None")
        outcome = pd.Series(column_or_1d(y, warn=True))
        if not outcome.isna().any():
            check_classification_targets(outcome)
        return super().fit(claims, outcome, groups, sample_weight, time)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _frame(self, X: Any) -> pd.DataFrame:
        if not isinstance(X, pd.DataFrame):
            X = pd.DataFrame(check_array(X, dtype=None, ensure_all_finite=False))
        return super()._frame(X)

    def _asked(self, X: Any) -> Any:
        check_is_fitted(self)
        if not isinstance(X, pd.DataFrame):
            X = self._frame(X)
            if X.shape[1] != self.n_features_in_:
                raise ValueError(
                    f"X has {X.shape[1]} features, but {type(self).__name__} is expecting "
                    f"{self.n_features_in_} features as input"
                )
        return super()._asked(X)

"""A plain one-hot logistic regression: what the approval model has to beat."""

# scikit-learn carries no types.
# mypy: disable-error-code="no-untyped-call, import-untyped"

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from analysis.models.periods import N_FOLDS
from analysis.models.predictors import CATEGORIES, DOCUMENTS, LARGEST
from analysis.schemas import DOCUMENT_STATUSES

# Inverse strengths of the L2 penalty, strongest first.
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


class OneHotLogistic(ClassifierMixin, BaseEstimator):
    """L2-penalised logistic regression on one-hot categories and capped numbers.

    A category of fewer than `minimum_cell_size` claims joins the other rare ones, and so does one
    never met. A document's four statuses are kept apart: unknown is neither present nor absent. A
    missing number takes the median and a mark. `fit` chooses the penalty by log loss over folds
    that keep a patient's claims together.
    """

    def __init__(
        self, minimum_cell_size: int = 11, penalties: tuple[float, ...] = PENALTIES
    ) -> None:
        self.minimum_cell_size = minimum_cell_size
        self.penalties = penalties

    def fit(self, X: pd.DataFrame, y: NDArray[np.bool_], patients: NDArray[np.str_]) -> Self:
        """Learn from claims `X` (columns of `claim_features`), approved or not, and whose."""
        self.classes_ = np.array([False, True])
        losses = self._cross_validated(X, y, patients)
        self.penalty_ = min(self.penalties, key=lambda c: (losses[c], c))
        self.pipeline_ = Pipeline(
            [("columns", self._columns()), ("model", _logistic(self.penalty_))]
        )
        self.pipeline_.fit(X, y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Chances of denial and of approval, one row for each claim."""
        chances: NDArray[np.float64] = self.pipeline_.predict_proba(X)
        return chances

    def predict(self, X: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether approval is the likelier answer."""
        return self.predict_proba(X)[:, 1] >= 0.5

    def _cross_validated(
        self, X: pd.DataFrame, y: NDArray[np.bool_], patients: NDArray[np.str_]
    ) -> dict[float, float]:
        """Penalty -> log loss of claims whose patients the fit had not met."""
        held_out = {penalty: np.empty(len(X)) for penalty in self.penalties}
        for learn, check in PredefinedSplit(_folds(y, patients)).split():
            columns = self._columns()
            learned = columns.fit_transform(X.iloc[learn])
            checked = columns.transform(X.iloc[check])
            for penalty, chances in held_out.items():
                model = _logistic(penalty).fit(learned, y[learn])
                chances[check] = model.predict_proba(checked)[:, 1]
        return {penalty: float(log_loss(y, chances)) for penalty, chances in held_out.items()}

    def _columns(self) -> ColumnTransformer:
        categories = OneHotEncoder(
            min_frequency=self.minimum_cell_size,
            handle_unknown="infrequent_if_exist",
            sparse_output=False,
        )
        documents = OneHotEncoder(
            categories=[list(DOCUMENT_STATUSES)] * len(DOCUMENTS), sparse_output=False
        )
        numbers = make_pipeline(
            FunctionTransformer(_capped, feature_names_out="one-to-one"),
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            StandardScaler(),
        )
        return ColumnTransformer(
            [
                ("category", categories, list(CATEGORIES)),
                ("document", documents, list(DOCUMENTS)),
                ("number", numbers, list(LARGEST)),
            ],
            verbose_feature_names_out=False,
        )


def _folds(y: NDArray[np.bool_], patients: NDArray[np.str_]) -> NDArray[np.int64]:
    """Each claim's fold: patients dealt out in turn, those with most denials first."""
    is_denied = pd.Series(~y).groupby(patients).agg(["sum", "size"])
    dealt = is_denied.sort_values(["sum", "size"], ascending=False, kind="stable").index
    return dealt.get_indexer(pd.Index(patients)).astype(np.int64) % N_FOLDS


def _logistic(penalty: float) -> LogisticRegression:
    # Newton's method to the last digit: the answer must not hang on threads or machine.
    return LogisticRegression(C=penalty, solver="newton-cholesky", tol=1e-10, max_iter=200)


def _capped(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers.astype(float).clip(lower=0, upper=pd.Series(LARGEST, dtype=float), axis=1)

"""The approval model: a mixed-effects logistic regression, checked on later claims.

The chance that the first determination approves a claim, from what was known when it was sent. The
model is judged on claims sent after those it learned from, by patients it has not met, and always
beside a plain one-hot logistic regression and the raw rates it has to beat.
"""

# scikit-learn and threadpoolctl carry no types.
# mypy: disable-error-code="no-untyped-call, import-untyped"

import hashlib
import json
import platform
from datetime import date
from importlib.metadata import version
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from analysis import tables
from analysis.config import ModelDesign
from analysis.errors import DataError
from analysis.models.evaluation import evaluate
from analysis.models.mixed_effects import MixedEffectsLogisticRegression
from analysis.models.predictors import (
    CATEGORIES,
    DOCUMENTS,
    FEATURES,
    FIXED,
    LARGEST,
    RANDOM,
    predictors,
)
from analysis.models.rates import predict_from_rates
from analysis.models.saved import load
from analysis.models.terms import RandomEffect
from analysis.schemas import DOCUMENT_STATUSES

__all__ = [
    "FEATURES",
    "Fitted",
    "MixedEffectsLogisticRegression",
    "OneHotLogistic",
    "RandomEffect",
    "fit_and_predict",
    "load",
    "refused",
    "saved_design",
]

APPROVED = ("approved", "partially_approved")
DENIED = ("denied",)

# Inverse strengths of the L2 penalty, strongest first.
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
N_FOLDS = 5


class Fitted(NamedTuple):
    """Tables `predictions` and `evaluation`, the record of how they were made, and the model.

    `model` reads `predictors.predictors` of claims; it is None where there is none.
    """

    predictions: pa.Table
    evaluation: pa.Table
    design: dict[str, Any]
    model: MixedEffectsLogisticRegression | None


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
        self.cross_validated_ = self._cross_validated(X, y, patients)
        self.penalty_ = min(self.penalties, key=lambda c: (self.cross_validated_[c], c))
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

    def coefficients(self) -> dict[str, float]:
        """Term -> coefficient on the log odds of approval, numbers in standard deviations."""
        names = [
            str(name).replace("_infrequent_sklearn", "_rare")
            for name in self.pipeline_[:-1].get_feature_names_out()
        ]
        values = self.pipeline_[-1].coef_[0]
        intercept = float(self.pipeline_[-1].intercept_[0])
        terms = {name: float(value) for name, value in zip(names, values, strict=True)}
        return {"intercept": intercept, **terms}

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


def fit_and_predict(features: pa.Table, outcomes: pa.Table, design: ModelDesign) -> Fitted:
    """Fit on the earlier claims, predict and judge on the later ones.

    `features` is table `claim_features`, `outcomes` table `claim_outcomes`. Only matured claims
    count, and only those whose first determination approves or denies. The first `train_share` of
    them by day sent train the model; the later ones test it, without patients met before. Raises
    DataError saying what is missing when the claims cannot carry a model.
    """
    claims, left_out = _population(features, outcomes)
    split_date, train, test = _split(claims, design)
    _diagnose(claims, train, test, design)
    one_hot = OneHotLogistic(design.minimum_cell_size)
    model = MixedEffectsLogisticRegression(FIXED, RANDOM, random_state=design.seed)
    # Matrices this small only wait for each other on several threads, the longer the busier the
    # machine; and one thread gives one answer everywhere.
    with threadpool_limits(limits=1):
        one_hot.fit(train, train["is_approved"].to_numpy(bool), train["patient"].to_numpy(str))
    model.fit(predictors(train), train["is_approved"].to_numpy(int), groups=train["patient"])
    chances = {
        "cell_rate": predict_from_rates(
            test, train, train["is_approved"], design.minimum_cell_size
        ),
        "one_hot_logistic": one_hot.predict_proba(test)[:, 1],
        "mixed_effects_logistic": model.predict_proba(predictors(test))[:, 1],
    }
    judged = pd.concat(
        # Eight places: what is left behind them differs between machines.
        [test.assign(model=name, approval_probability=p.round(8)) for name, p in chances.items()],
        ignore_index=True,
    )
    columns = ["claim_id", "model", "approval_probability", "is_approved"]
    predictions = tables.from_columns(
        "predictions",
        {
            **{column: judged[column] for column in columns},
            "split_date": [split_date] * len(judged),
        },
    )
    evaluation = evaluate(judged, design.n_resamples, design.seed)
    later = claims["submitted_date"] >= pd.Timestamp(split_date)
    population = {
        "n_modelled": len(claims),
        "n_train": len(train),
        "n_train_denied": int((~train["is_approved"]).sum()),
        "n_train_patients": train["patient"].nunique(),
        "n_test": len(test),
        "n_test_denied": int((~test["is_approved"]).sum()),
        "n_test_patients": test["patient"].nunique(),
        "n_left_out": {**left_out, "later_claims_of_known_patients": int(later.sum()) - len(test)},
    }
    as_of = outcomes["as_of_date"][0].as_py()
    record = saved_design(model, one_hot, design, as_of, split_date, population, _digest(claims))
    return Fitted(predictions, evaluation, record, model)


def refused(reason: str) -> Fitted:
    """Empty tables, and a record that says why there is no model."""
    empty = {name: tables.from_columns(name, {}) for name in ("predictions", "evaluation")}
    return Fitted(**empty, design={"refused": reason}, model=None)


def saved_design(
    model: MixedEffectsLogisticRegression,
    one_hot: OneHotLogistic,
    design: ModelDesign,
    as_of: date,
    split_date: date,
    population: dict[str, Any],
    data_sha256: str,
) -> dict[str, Any]:
    """How the model came about, for JSON: no row of the data, and nothing that runs when loaded."""
    record = {
        "question": "chance that the first determination approves, known at first submission",
        "label": {"approved": list(APPROVED), "denied": list(DENIED)},
        "as_of": as_of.isoformat(),
        "split_date": split_date.isoformat(),
        "population": population,
        "features": list(FEATURES),
        "caps": LARGEST,
        "settings": design.model_dump(),
        "mixed_effects": {
            "fixed": {
                name: round(float(value), 8)
                for name, value in zip(("intercept", *FIXED), model.coef_, strict=False)
            },
            "random": {effect.name: [*effect.by, *effect.slopes] for effect in RANDOM},
            "variances": {k: round(v, 8) for k, v in model.variance_components_.items()},
            "model_error": round(model.model_error_, 8),
            "n_patterns": model.n_patterns_,
            "n_rounds": model.n_iter_,
            "prior_scales": {"fixed": model.fixed_scale, "random": model.random_scale},
        },
        "one_hot": {
            "penalty": one_hot.penalty_,
            "n_folds": N_FOLDS,
            "log_loss": {str(c): round(loss, 8) for c, loss in one_hot.cross_validated_.items()},
            "coefficients": {k: round(v, 8) for k, v in one_hot.coefficients().items()},
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "pandas", "scikit-learn", "scipy")},
        },
        "data_sha256": data_sha256,
    }
    canonical = json.dumps(record, sort_keys=True).encode()
    return {**record, "sha256": hashlib.sha256(canonical).hexdigest()}


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
            # A claim that names no patient stands for itself.
            patient=claims["patient_id"].fillna(claims["claim_id"]),
        ),
        left_out,
    )


def _split(claims: pd.DataFrame, design: ModelDesign) -> tuple[date, pd.DataFrame, pd.DataFrame]:
    """The first day of the test period, the claims sent before, and new patients' claims since."""
    if claims.empty:
        return date.max, claims, claims
    first_later = claims["submitted_date"].iloc[int(len(claims) * design.train_share)]
    train = claims[claims["submitted_date"] < first_later]
    later = claims[claims["submitted_date"] >= first_later]
    test = later[~later["patient"].isin(train["patient"])]
    return first_later.date(), train, test.reset_index(drop=True)


def _diagnose(
    claims: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame, design: ModelDesign
) -> None:
    """Raise DataError naming everything the claims lack for a model."""
    n_denied = int((~claims["is_approved"]).sum())
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
            ("later claims of new patients", len(test), design.minimum_cell_size),
        )
        if n < least
    ]
    if lacking:
        raise DataError(
            f"no approval model: {'; '.join(lacking)}. Add earlier months, or wait until more "
            "claims have been answered"
        )


def _digest(claims: pd.DataFrame) -> str:
    """SHA-256 of the rows modelled, so that a record can be held against its data."""
    columns = ["claim_id", "submitted_date", *FEATURES, "is_approved"]
    return hashlib.sha256(claims[columns].to_csv(index=False).encode()).hexdigest()

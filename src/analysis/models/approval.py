"""The approval model: a mixed-effects logistic regression, checked on later claims.

The chance that the first determination approves a claim, from what was known when it was sent. The
model is judged by rolling origin: on claims sent after those it learned from, by patients it has
not met, and always beside what it has to beat: the overall rate, raw rates of cells, a plain
one-hot logistic regression, and boosted trees that would show what its form lacks.
"""

# scikit-learn and threadpoolctl carry no types.
# mypy: disable-error-code="no-untyped-call, import-untyped"

import hashlib
import json
import platform
from collections.abc import Sequence
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
from analysis.models.challenger import BoostedTrees
from analysis.models.evaluation import cell_sizes, evaluate
from analysis.models.mixed_effects import MixedEffectsLogisticRegression
from analysis.models.patients import patients
from analysis.models.predictors import (
    CATEGORIES,
    DOCUMENTS,
    FEATURES,
    FIXED,
    LARGEST,
    predictors,
    random_effects,
)
from analysis.models.rates import PAYER_BY_CONDITION, predict_from_rates
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
# A document's presence or a year of delay seldom moves the log odds by more than two of these.
_FIXED_SCALE = 1.0
# Each keeps a matrix as wide as the model: more would make the saved model too large to move.
_N_VARIANCE_DRAWS = 16


class Fitted(NamedTuple):
    """Tables `predictions` and `evaluation`, the record of how they were made, and the model.

    `model` reads `predictors.predictors` of claims; it is None where there is none.
    """

    predictions: pa.Table
    evaluation: pa.Table
    design: dict[str, Any]
    model: MixedEffectsLogisticRegression | None


class _Stretch(NamedTuple):
    """A test period's first day, the claims sent before it, and new patients' claims in it."""

    first_day: date
    train: pd.DataFrame
    test: pd.DataFrame


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


def fit_and_predict(features: pa.Table, outcomes: pa.Table, design: ModelDesign) -> Fitted:
    """Predict and judge each later stretch from the claims before it; then fit on all of them.

    `features` is table `claim_features`, `outcomes` table `claim_outcomes`. Only matured claims
    count, and only those whose first determination approves or denies. The claims after the first
    `train_share` of them, by day sent, are tested in `n_origins` stretches, each by models that
    learned from all claims sent before it, and without the patients these met. Raises DataError
    saying what is missing when the claims cannot carry a model.
    """
    claims, left_out = _population(features, outcomes)
    stretches = _stretches(claims, design)
    _diagnose(claims, stretches, design)
    judged = pd.concat(
        [_judged(stretch, design) for stretch in stretches if len(stretch.test)], ignore_index=True
    )
    model = _fitted(claims, design)
    columns = ["claim_id", "model", "approval_probability", "is_approved", "split_date"]
    predictions = tables.from_columns("predictions", {column: judged[column] for column in columns})
    evaluation = evaluate(judged, design.n_resamples, design.seed)
    is_later = claims["submitted_date"] >= pd.Timestamp(stretches[0].first_day)
    n_denied = int((~claims["is_approved"]).sum())
    n_test = sum(len(stretch.test) for stretch in stretches)
    population = {
        "n_modelled": len(claims),
        "n_denied": n_denied,
        "n_patients": claims["patient"].nunique(),
        "n_train_at_first": len(stretches[0].train),
        "n_test": n_test,
        "n_test_denied": sum(int((~stretch.test["is_approved"]).sum()) for stretch in stretches),
        "n_test_patients": sum(stretch.test["patient"].nunique() for stretch in stretches),
        "n_left_out": {**left_out, "later_claims_of_known_patients": int(is_later.sum()) - n_test},
    }
    as_of = outcomes["as_of_date"][0].as_py()
    days = [stretch.first_day for stretch in stretches]
    record = saved_design(model, design, as_of, days, population, _digest(claims))
    return Fitted(predictions, evaluation, record, model)


def _fitted(claims: pd.DataFrame, design: ModelDesign) -> MixedEffectsLogisticRegression:
    """The approval model, learned from `claims`."""
    model = unfitted(len(claims), design.seed)
    return model.fit(
        predictors(claims), claims["is_approved"].to_numpy(int), groups=claims["patient"]
    )


def _plain(claims: pd.DataFrame, design: ModelDesign) -> OneHotLogistic:
    """The one-hot logistic regression that the model has to beat, learned from `claims`."""
    # Matrices this small only wait for each other on several threads, the longer the busier the
    # machine; and one thread gives one answer everywhere.
    with threadpool_limits(limits=1):
        return OneHotLogistic(design.minimum_cell_size).fit(
            claims, claims["is_approved"].to_numpy(bool), claims["patient"].to_numpy(str)
        )


def _judged(stretch: _Stretch, design: ModelDesign) -> pd.DataFrame:
    """The claims tested in one stretch, once for each model, as `evaluate` reads them."""
    train, test = stretch.train, stretch.test
    boosted = BoostedTrees(design.minimum_cell_size, design.seed)
    boosted.fit(predictors(train), train["is_approved"].to_numpy(int))
    chances = {
        "base_rate": np.full(len(test), train["is_approved"].mean()),
        "cell_rate": predict_from_rates(
            test, train, train["is_approved"], design.minimum_cell_size
        ),
        "one_hot_logistic": _plain(train, design).predict_proba(test)[:, 1],
        "boosted_trees": boosted.predict_proba(predictors(test))[:, 1],
        "mixed_effects_logistic": _fitted(train, design).predict_proba(predictors(test))[:, 1],
    }
    cell = list(PAYER_BY_CONDITION)
    n_known = test[cell].merge(train.value_counts(cell).reset_index(), on=cell, how="left")["count"]
    test = test.assign(
        split_date=stretch.first_day,
        cell_size=cell_sizes(n_known.fillna(0).to_numpy(np.int64)),
    )
    return pd.concat(
        # Eight places: what is left behind them differs between machines.
        [test.assign(model=name, approval_probability=p.round(8)) for name, p in chances.items()],
        ignore_index=True,
    )


def unfitted(n_claims: int, seed: int) -> MixedEffectsLogisticRegression:
    """The approval model for `n_claims` claims to learn from, before it has learned."""
    return MixedEffectsLogisticRegression(
        FIXED,
        random_effects(n_claims),
        fixed_scale=_FIXED_SCALE,
        n_variance_draws=_N_VARIANCE_DRAWS,
        random_state=seed,
    )


def refused(reason: str) -> Fitted:
    """Empty tables, and a record that says why there is no model."""
    empty = {name: tables.from_columns(name, {}) for name in ("predictions", "evaluation")}
    return Fitted(**empty, design={"refused": reason}, model=None)


def saved_design(
    model: MixedEffectsLogisticRegression,
    design: ModelDesign,
    as_of: date,
    first_test_days: Sequence[date],
    population: dict[str, Any],
    data_sha256: str,
) -> dict[str, Any]:
    """How the model came about, for JSON: no row of the data, and nothing that runs when loaded."""
    record = {
        "question": "chance that the first determination approves, known at first submission",
        "label": {"approved": list(APPROVED), "denied": list(DENIED)},
        "as_of": as_of.isoformat(),
        "saved_model": "learned from all modelled claims; what is told of its performance is that"
        " of models that learned from the claims sent before each first test day",
        "first_test_days": [day.isoformat() for day in first_test_days],
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


def _stretches(claims: pd.DataFrame, design: ModelDesign) -> list[_Stretch]:
    """The test periods one after another, each with the claims sent before it.

    Days are not divided, so that a stretch may be empty where few days hold most claims.
    """
    if claims.empty:
        return [_Stretch(date.max, claims, claims)]
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
        made.append(_Stretch(first.date(), train, test))
    return made


def _diagnose(claims: pd.DataFrame, stretches: Sequence[_Stretch], design: ModelDesign) -> None:
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


def _digest(claims: pd.DataFrame) -> str:
    """SHA-256 of the rows modelled, so that a record can be held against its data."""
    columns = ["claim_id", "submitted_date", *FEATURES, "is_approved"]
    return hashlib.sha256(claims[columns].to_csv(index=False).encode()).hexdigest()

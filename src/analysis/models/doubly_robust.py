"""A second opinion on what a document goes with, by another road than the approval model's.

Augmented inverse probability weighting (Robins, Rotnitzky and Zhao 1994) with cross-fitting
(Chernozhukov and others 2018): one model of the answer, one of who has the document, and the
estimate holds where either is right. Patients are kept together in the folds and in the error.
With few claims that lack the document, one way of dealing patients into folds can move the answer
by as much as its own error: several are dealt, and the median taken with what lies between them.
"""

# scikit-learn and threadpoolctl carry no types.
# mypy: disable-error-code="no-untyped-call, import-untyped"

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from analysis.models.predictors import CATEGORIES, DOCUMENTS, LARGEST, predictors
from analysis.schemas import DOCUMENT_STATUSES

N_FOLDS = 5
N_DEALS = 5
LEAST_CHANCE = 0.05
"""No claim is weighted as if it were rarer than this to have, or to lack, the document."""
_RARE = 11
_PENALTY = 1.0

Vector = NDArray[np.float64]


class SecondOpinion(NamedTuple):
    """Difference of approval with the document minus without it, and its 95% interval."""

    gap: float
    lower: float
    upper: float


def second_opinion(claims: pd.DataFrame, document: str) -> SecondOpinion | None:
    """The document's association with approval among `claims`, with all else known alike.

    `claims` are rows of `claim_features` on which the document is known to be there or not, with
    `is_approved` and `patient`. Completeness is left out: it follows from the documents. None where
    a fold lacks claims with, or without it, or of one answer.
    """
    design = _design(claims, document)
    exposed = (claims[document] == "present").to_numpy(bool)
    approved = claims["is_approved"].to_numpy(float)
    patients, patient = np.unique(claims["patient"].to_numpy(), return_inverse=True)
    gaps, errors = [], []
    for deal in range(N_DEALS):
        dealt = np.random.default_rng(deal).permutation(len(patients)) % N_FOLDS
        influence = _cross_fitted(design, exposed, approved, dealt[patient])
        if influence is None:
            return None
        gaps.append(float(influence.mean()))
        of_patient = np.bincount(patient, influence - gaps[-1])
        errors.append(math.sqrt(float((of_patient**2).sum())) / len(claims))
    gap = float(np.median(gaps))
    error = float(np.median(np.hypot(errors, np.subtract(gaps, gap))))
    return SecondOpinion(gap, gap - 1.96 * error, gap + 1.96 * error)


def _cross_fitted(
    design: Vector, exposed: NDArray[np.bool_], approved: Vector, fold: NDArray[np.int64]
) -> Vector | None:
    """Each claim's part in the estimate, by models that learned from the other folds."""
    influence = np.zeros(len(approved))
    with threadpool_limits(limits=1):
        for number in range(N_FOLDS):
            out, learn = fold == number, fold != number
            having, without = learn & exposed, learn & ~exposed
            if not out.any():
                continue
            models = [
                _chances(design[rows], answers[rows], design[out])
                for rows, answers in (
                    (learn, exposed.astype(float)),
                    (having, approved),
                    (without, approved),
                )
            ]
            if any(chances is None for chances in models):
                return None
            chance, with_it, lacking = models
            influence[out] = _influence(
                approved[out], exposed[out], chance.clip(LEAST_CHANCE, 1 - LEAST_CHANCE),
                with_it, lacking,
            )  # fmt: skip
    return influence


def _influence(
    approved: Vector, exposed: NDArray[np.bool_], chance: Vector, with_it: Vector, without: Vector
) -> Vector:
    """Each claim's part in the estimate: the models' difference, put right by what they missed."""
    missed_with = np.where(exposed, (approved - with_it) / chance, 0.0)
    missed_without = np.where(exposed, 0.0, (approved - without) / (1 - chance))
    return with_it - without + missed_with - missed_without


def _chances(learn: Vector, answers: Vector, asked: Vector) -> Any:
    if not len(answers) or answers.min() == answers.max():
        return None
    model = LogisticRegression(C=_PENALTY, solver="newton-cholesky", tol=1e-6, max_iter=200)
    return model.fit(learn, answers).predict_proba(asked)[:, 1]


def _design(claims: pd.DataFrame, document: str) -> Vector:
    """Everything known at submission beside the document and completeness, as columns of 0 to 1."""
    read = predictors(claims)
    parts = []
    for column in CATEGORIES:
        values = claims[column].astype(str)
        n_claims = values.value_counts()
        common = sorted(n_claims.index[n_claims >= _RARE].astype(str))
        parts += [(values == name).to_numpy(float) for name in common]
    for other in DOCUMENTS:
        if other != document:
            parts += [(claims[other] == status).to_numpy(float) for status in DOCUMENT_STATUSES]
    numbers = [number for number in LARGEST if number != "completeness"]
    parts += [read[name].to_numpy(float) for n in numbers for name in (n, f"{n}_missing")]
    made: Vector = np.column_stack(parts)
    varies = made.min(axis=0) < made.max(axis=0)
    return made[:, varies]

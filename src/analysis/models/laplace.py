"""Penalised logistic fit with variance components by Laplace-approximate REML.

Random effects are a ridge whose strength is learned: each effect's standard deviation maximises the
Laplace approximation of the restricted likelihood, times a gamma(2) prior that keeps it from
nought (Chung, Rabe-Hesketh, Dorie, Gelman and Liu 2013) and a half-normal one that keeps it from
running away. Patients' intercepts form a diagonal block and are eliminated, so that many patients
are cheap.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import expit

from analysis.errors import DataError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

INTERCEPT_SCALE = 5.0
_SMALLEST, _LARGEST = 0.01, 3.0
_MOST_STEPS, _MOST_ROUNDS = 100, 200
_PATIENTS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Mode:
    """The most likely coefficients at given standard deviations, and their precision's factor.

    `factor` is the lower Cholesky factor of the precision of the coefficients with patients
    integrated out; `cross` and `own` are the patients' block, None and empty without patients.
    """

    coefficients: Vector
    patients: Vector
    factor: Matrix
    cross: Any
    own: Vector


@dataclass(frozen=True)
class Problem:
    """Approved out of trials on each row of a sparse design, and the patient of each row.

    `effect_of` names each coefficient's random effect (-1: fixed); `patient` is None or each row's
    patient by number, whose standard deviation then comes last.
    """

    design: Any
    approved: Vector
    trials: Vector
    effect_of: NDArray[np.int64]
    patient: NDArray[np.int64] | None
    fixed_scale: float
    random_scale: float

    @property
    def n_patients(self) -> int:
        """How many patients have an intercept of their own."""
        return 0 if self.patient is None else int(self.patient.max()) + 1

    @property
    def n_scales(self) -> int:
        """How many standard deviations are learned."""
        n_effects = int(self.effect_of.max(initial=-1)) + 1
        return n_effects + (self.patient is not None)

    def without(self, rows: NDArray[np.bool_]) -> "Problem":
        """The same problem when nothing had been seen of some rows."""
        zero = np.where(rows, 0.0, 1.0)
        return replace(self, approved=self.approved * zero, trials=self.trials * zero)

    def precision(self, scales: Vector) -> Vector:
        """Prior precision of every coefficient."""
        made = np.full(len(self.effect_of), 1 / self.fixed_scale**2)
        made[0] = 1 / INTERCEPT_SCALE**2
        is_random = self.effect_of >= 0
        made[is_random] = 1 / scales[self.effect_of[is_random]] ** 2
        return made

    def start(self) -> tuple[Vector, Vector]:
        """Coefficients that say the overall rate of everybody."""
        made = np.zeros(len(self.effect_of))
        n_approved = self.approved.sum()
        made[0] = np.log((n_approved + 0.5) / (self.trials.sum() - n_approved + 0.5))
        return made, np.zeros(self.n_patients)

    def log_odds(self, coefficients: Vector, patients: Vector) -> Vector:
        """Of every row, its own patient counted in."""
        made: Vector = self.design @ coefficients
        return made if self.patient is None else made + patients[self.patient]

    def log_posterior(self, coefficients: Vector, patients: Vector, scales: Vector) -> float:
        """Up to what does not depend on the coefficients."""
        odds = self.log_odds(coefficients, patients)
        likelihood = self.approved @ odds - self.trials @ np.logaddexp(0, odds)
        penalty = self.precision(scales) @ coefficients**2
        if self.patient is not None:
            penalty += patients @ patients / scales[-1] ** 2
        return float(likelihood - penalty / 2)


def mode(problem: Problem, scales: Vector, start: tuple[Vector, Vector], tol: float = 1e-8) -> Mode:
    """The mode at given standard deviations, by Newton's method with step halving.

    Raises DataError where it is not reached.
    """
    coefficients, patients = start
    height = problem.log_posterior(coefficients, patients, scales)
    for _ in range(_MOST_STEPS):
        found, step, patient_step = _newton(problem, scales, coefficients, patients)
        size = max(np.abs(step).max(), np.abs(patient_step).max(initial=0.0))
        share = min(1.0, 5.0 / max(size, 1e-12))
        while True:
            tried = (coefficients + share * step, patients + share * patient_step)
            reached = problem.log_posterior(*tried, scales)
            if reached >= height - 1e-9 * (1 + abs(height)) or share < 1e-6:
                break
            share /= 2
        coefficients, patients = tried
        height = reached
        if share * size < tol:
            return replace(found, coefficients=coefficients, patients=patients)
    raise DataError(
        f"the approval model found no best coefficients in {_MOST_STEPS} steps. Bring the numbers "
        "it reads to a scale of about one, or leave out terms that repeat each other"
    )


def _newton(
    problem: Problem, scales: Vector, coefficients: Vector, patients: Vector
) -> tuple[Mode, Vector, Vector]:
    """The factor at a point, and the Newton step of coefficients and of patients from there."""
    X = problem.design
    fitted = expit(problem.log_odds(coefficients, patients))
    weight = problem.trials * fitted * (1 - fitted)
    residual = problem.approved - problem.trials * fitted
    prior = problem.precision(scales)
    gradient = X.T @ residual - prior * coefficients
    weighted = sp.diags_array(weight) @ X
    precision = (X.T @ weighted).toarray()
    precision[np.diag_indices_from(precision)] += prior
    if problem.patient is None:
        factor = cho_factor(precision, lower=True)
        found = Mode(coefficients, patients, np.tril(factor[0]), None, np.empty(0))
        return found, cho_solve(factor, gradient), np.empty(0)
    n = problem.n_patients
    rows = np.arange(len(problem.patient))
    belongs = sp.csr_array((np.ones(len(rows)), (problem.patient, rows)), shape=(n, len(rows)))
    own = np.bincount(problem.patient, weight, n) + 1 / scales[-1] ** 2
    own_gradient = np.bincount(problem.patient, residual, n) - patients / scales[-1] ** 2
    cross = sp.csr_array(belongs @ weighted)
    scaled = sp.diags_array(1 / np.sqrt(own)) @ cross
    precision -= (scaled.T @ scaled).toarray()
    factor = cho_factor(precision, lower=True)
    step = cho_solve(factor, gradient - cross.T @ (own_gradient / own))
    found = Mode(coefficients, patients, np.tril(factor[0]), cross, own)
    return found, step, (own_gradient - cross @ step) / own


def gradient(problem: Problem, scales: Vector, at: Mode) -> tuple[Vector, Vector]:
    """Of the log marginal likelihood and priors in the log standard deviations, and a curvature."""
    inverse = solve_triangular(at.factor, np.eye(len(at.factor)), lower=True)
    variance = (inverse**2).sum(axis=0)
    slope, curvature = np.empty(len(scales)), np.empty(len(scales))
    for place, scale in enumerate(scales):
        if problem.patient is not None and place == len(scales) - 1:
            n, squares = problem.n_patients, at.patients @ at.patients
            trace = float((1 / at.own).sum())
            for first in range(0, n, _PATIENTS_AT_ONCE):
                some = slice(first, first + _PATIENTS_AT_ONCE)
                spread = at.cross[some] @ inverse.T
                trace += float(((spread**2).sum(axis=1) / at.own[some] ** 2).sum())
        else:
            of_effect = problem.effect_of == place
            n, squares = (
                int(of_effect.sum()),
                at.coefficients[of_effect] @ at.coefficients[of_effect],
            )
            trace = float(variance[of_effect].sum())
        freedom = n - trace / scale**2
        pull = scale**2 / problem.random_scale**2
        slope[place] = squares / scale**2 - freedom + 1 - pull
        curvature[place] = 2 * max(freedom, 1.0) + 2 * pull
    return slope, curvature


def estimate_scales(problem: Problem, tol: float = 2e-3) -> tuple[Vector, Mode, int]:
    """The standard deviations, the mode at them, and the rounds it took.

    Raises DataError where they do not settle.
    """
    scales = np.full(problem.n_scales, 0.4)
    at = mode(problem, scales, problem.start(), 1e-2)
    if not len(scales):
        return scales, mode(problem, scales, (at.coefficients, at.patients)), 0
    for n_rounds in range(1, _MOST_ROUNDS + 1):
        slope, curvature = gradient(problem, scales, at)
        step = np.clip(slope / curvature, -0.7, 0.7)
        scales = np.clip(scales * np.exp(step), _SMALLEST, _LARGEST)
        settled = np.abs(step).max() < tol
        at = mode(problem, scales, (at.coefficients, at.patients), 1e-8 if settled else 1e-2)
        if settled:
            return scales, at, n_rounds
    raise DataError(
        f"the spread between groups did not settle in {_MOST_ROUNDS} rounds. Leave out the random "
        "effects with fewest levels, or give more claims"
    )


def draw_scales(
    problem: Problem, scales: Vector, at: Mode, n: int, rng: np.random.Generator
) -> list[tuple[Vector, Mode]]:
    """`n` draws of the standard deviations, log-normal about the estimate, each with its mode."""
    if not len(scales):
        return [(scales, at)]
    start = (at.coefficients, at.patients)
    centre, apart = np.log(scales), 0.2

    def slope(log_scales: Vector) -> Vector:
        tried = np.exp(log_scales)
        return gradient(problem, tried, mode(problem, tried, start, 1e-4))[0]

    here = slope(centre)
    away = [(slope(centre + apart * unit) - here) / apart for unit in np.eye(len(scales))]
    curve = np.column_stack(away)
    values, vectors = np.linalg.eigh(-(curve + curve.T) / 2)
    # No direction is known worse than the priors alone would leave it.
    spread = vectors / np.sqrt(np.maximum(values, 0.7))
    drawn = []
    for _ in range(n):
        tried = np.clip(np.exp(centre + spread @ rng.standard_normal(len(scales))), _SMALLEST, 2.5)
        drawn.append((tried, mode(problem, tried, start, 1e-4)))
    return drawn

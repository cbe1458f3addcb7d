"""Penalised logistic fit with variance components by Laplace-approximate REML.

Random effects are a ridge whose strength is learned: each effect's standard deviation maximises the
Laplace approximation of the restricted likelihood, times a gamma(2) prior that keeps it from
nought (Chung, Rabe-Hesketh, Dorie, Gelman and Liu 2013) and a half-normal one that keeps it from
running away. It is found by Newton's method with the average of the observed and the expected
information (Gilmour, Thompson and Cullis 1995). Patients' intercepts form a diagonal block and are
eliminated, so that many patients are cheap. Many claims start from the answer of a share of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.interpolate import BarycentricInterpolator
from scipy.linalg import cho_solve, cholesky, lapack
from scipy.special import expit

from analysis.errors import DataError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

INTERCEPT_SCALE = 5.0
_SMALLEST, _LARGEST = 0.01, 3.0
_MOST_STEPS, _MOST_ROUNDS = 100, 200
_ROWS_AT_ONCE = 50_000
_ROWS_TO_START = 40_000
_DENSE, _MANY_ROWS = 0.04, 10_000
# Newton's error falls as the square of its step: near enough for a draw, and for one round.
NEARLY = 0.3
# No direction of the standard deviations is known worse than the priors alone would leave it.
_LEAST_KNOWN = 0.7
_LEAST_CURVED = 0.05
# The longest step of a log standard deviation, and what is left to gain in log evidence at the top.
_LONGEST = 0.7
_GAIN = 1e-5
_INTERPOLATED = 1e-5


@dataclass(frozen=True)
class Mode:
    """The most likely coefficients at given standard deviations, and their precision's factor.

    `factor` is the lower Cholesky factor of the precision of the coefficients with patients
    integrated out; `own` is the patients' own precision, empty without patients, and `weight` that
    of each row's log odds.
    """

    coefficients: Vector
    patients: Vector
    factor: Matrix
    own: Vector
    weight: Vector


@dataclass(frozen=True)
class Problem:
    """Approved out of trials on each row of a sparse design, and the patient of each row.

    `effect_of` names each coefficient's random effect (-1: fixed); `patient` is None or each row's
    patient by number, in rising order, whose standard deviation then comes last.
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

    def sampled(self) -> "Problem | None":
        """Every so many patients, or rows without patients, of many; None of few."""
        n = len(self.trials)
        one_in = n // _ROWS_TO_START
        if one_in < 2:
            return None
        whole = np.arange(n) if self.patient is None else self.patient
        rows = np.flatnonzero(whole % one_in == 0)
        return replace(
            self,
            design=self.design[rows],
            approved=self.approved[rows],
            trials=self.trials[rows],
            patient=None if self.patient is None else self.patient[rows] // one_in,
        )

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

    @cached_property
    def dense_and_sparse(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The design's columns with few noughts, where that spares time, and the others."""
        n, n_columns = self.design.shape
        is_dense = np.bincount(self.design.indices, minlength=n_columns) > _DENSE * n
        is_dense &= n > _MANY_ROWS
        return np.flatnonzero(is_dense), np.flatnonzero(~is_dense)

    def parts(self, rows: slice) -> tuple[Matrix, Any]:
        """Some rows of the design: its dense columns as such, for speed, and its sparse ones."""
        dense, sparse = self.dense_and_sparse
        some = self.design[rows]
        return some[:, dense].toarray(), some[:, sparse]

    def of_patients(self, rows: Vector) -> Vector:
        """The sum of a value of the rows over each patient's; empty without patients."""
        if self.patient is None:
            return np.empty(0)
        made: Vector = np.bincount(self.patient, rows, self.n_patients).astype(np.float64)
        return made

    def own(self, weight: Vector, scale: float) -> Vector:
        """The patients' own precision, given the rows' and their standard deviation."""
        return self.of_patients(weight) + 1 / scale**2

    def log_posterior(self, coefficients: Vector, patients: Vector, scales: Vector) -> float:
        """Up to what does not depend on the coefficients."""
        odds = self.log_odds(coefficients, patients)
        likelihood = self.approved @ odds - self.trials @ np.logaddexp(0, odds)
        penalty = self.precision(scales) @ coefficients**2
        if self.patient is not None:
            penalty += patients @ patients / scales[-1] ** 2
        return float(likelihood - penalty / 2)


def mode(
    problem: Problem,
    scales: Vector,
    start: tuple[Vector, Vector],
    tol: float = 1e-8,
    told: Matrix | None = None,
) -> Mode:
    """The mode at given standard deviations, by Newton's method with step halving.

    `told` is the rows' information at the start, where it is known. Raises DataError where the mode
    is not reached.
    """
    coefficients, patients = start
    height = problem.log_posterior(coefficients, patients, scales)
    for _ in range(_MOST_STEPS):
        found, step, patient_step = _newton(problem, scales, coefficients, patients, told)
        told = None
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
    problem: Problem, scales: Vector, coefficients: Vector, patients: Vector, told: Matrix | None
) -> tuple[Mode, Vector, Vector]:
    """The factor at a point, and the Newton step of coefficients and of patients from there."""
    X = problem.design
    fitted = expit(problem.log_odds(coefficients, patients))
    weight = problem.trials * fitted * (1 - fitted)
    residual = problem.approved - problem.trials * fitted
    prior = problem.precision(scales)
    gradient = X.T @ residual - prior * coefficients
    own, own_gradient = np.empty(0), np.empty(0)
    if problem.patient is not None:
        own = problem.own(weight, scales[-1])
        own_gradient = problem.of_patients(residual) - patients / scales[-1] ** 2
        gradient = gradient - X.T @ (weight * (own_gradient / own)[problem.patient])
    precision = _told(problem, weight, own) if told is None else told
    precision[np.diag_indices_from(precision)] += prior
    # It is symmetric, and LAPACK reads columns: turned over it need not be copied.
    factor = cholesky(precision.T, lower=True, overwrite_a=True, check_finite=False)
    step = cho_solve((factor, True), gradient, check_finite=False)
    patient_step = own_gradient
    if problem.patient is not None:
        patient_step = (own_gradient - problem.of_patients(weight * (X @ step))) / own
    return Mode(coefficients, patients, factor, own, weight), step, patient_step


def _told(problem: Problem, weight: Vector, own: Vector) -> Matrix:
    """The rows' information on the coefficients, less what they tell of the patients alone."""
    made = _of_rows(problem, weight)
    if problem.patient is not None:
        made -= next(_of_patients(problem, weight, [own]))
    return made


def _of_rows(problem: Problem, weight: Vector) -> Matrix:
    """X' W X."""
    made, root = _nothing(problem), np.sqrt(weight)
    for rows, _, _ in _blocks(problem):
        _add_gram(made, [_scaled(part, root[rows]) for part in problem.parts(rows)])
    return _in_order(problem, made)


def _of_patients(problem: Problem, weight: Vector, by: Sequence[Vector]) -> Iterator[Matrix]:
    """B' D^-1 B for each diagonal D of `by`, where B is what patients share with the rest."""
    made = [_nothing(problem) for _ in by]
    for rows, of_patient, some in _blocks(problem):
        shared = [of_patient @ _scaled(part, weight[rows]) for part in problem.parts(rows)]
        for one, own in zip(made, by, strict=True):
            _add_gram(one, [_scaled(part, 1 / np.sqrt(own[some])) for part in shared])
    while made:
        yield _in_order(problem, made.pop(0))


def _nothing(problem: Problem) -> Matrix:
    return np.zeros((problem.design.shape[1],) * 2)


def _blocks(problem: Problem) -> Iterator[tuple[slice, Any, slice]]:
    """Some rows at a time, a matrix that sums them by patient, and which patients these are.

    No patient is divided. Without patients the matrix is None.
    """
    n = len(problem.trials)
    whole = np.arange(n) if problem.patient is None else problem.patient
    edges = np.unique(np.append(np.searchsorted(whole, whole[::_ROWS_AT_ONCE]), n))
    for begin, end in pairwise(edges):
        rows, some = slice(begin, end), slice(int(whole[begin]), int(whole[end - 1]) + 1)
        if problem.patient is None:
            yield rows, None, some
            continue
        first = np.searchsorted(whole[rows], np.arange(some.start, some.stop + 1))
        ones, shape = np.ones(end - begin), (some.stop - some.start, end - begin)
        yield rows, sp.csr_array((ones, np.arange(end - begin), first), shape=shape), some


def _scaled(part: Any, by: Vector) -> Any:
    """A matrix, dense or sparse, with each row multiplied."""
    if isinstance(part, np.ndarray):
        return part * by[:, None]
    data = part.data * np.repeat(by, np.diff(part.indptr))
    return sp.csr_array((data, part.indices, part.indptr), shape=part.shape)


def _add_gram(made: Matrix, parts: Sequence[Any]) -> None:
    """Add the products of all columns of a matrix, given as its dense and its sparse columns."""
    dense, sparse = parts
    n = dense.shape[1]
    between = sparse.T @ dense
    within = (sparse.T @ sparse).toarray()
    for rows, columns, product in (
        (slice(n), slice(n), dense.T @ dense),
        (slice(n, None), slice(n), between),
        (slice(n), slice(n, None), between.T),
        (slice(n, None), slice(n, None), within),
    ):
        made[rows, columns] += product


def _in_order(problem: Problem, made: Matrix) -> Matrix:
    """Columns as in the design again, where the dense ones stood first."""
    if not len(problem.dense_and_sparse[0]):
        return made
    place = np.argsort(np.concatenate(problem.dense_and_sparse))
    return made[np.ix_(place, place)]


def evidence(problem: Problem, scales: Vector, at: Mode) -> tuple[Vector, Matrix]:
    """Of the log marginal likelihood and priors in the log standard deviations: slope, information.

    The information is the observed one, but for patients the average of the observed and the
    expected: they are many, and it is theirs from what is at hand.
    """
    n = problem.n_scales - (problem.patient is not None)
    is_of = problem.effect_of[:, None] == np.arange(n)
    inverse, _ = lapack.dpotri(at.factor, lower=1)
    inverse += np.tril(inverse, -1).T
    size = is_of.sum(axis=0).astype(float)
    squares = is_of.T @ at.coefficients**2
    trace = is_of.T @ np.diagonal(inverse)
    held = np.where(is_of, at.coefficients[:, None], 0.0) / scales[:n] ** 2
    own_held = 0.0
    if problem.patient is not None:
        size = np.append(size, problem.n_patients)
        squares = np.append(squares, at.patients @ at.patients)
        taken = next(_of_patients(problem, at.weight, [at.own**2]))
        trace = np.append(trace, (1 / at.own).sum() + np.vdot(inverse, taken))
        own = at.patients / scales[-1] ** 2 / at.own
        own_held = own**2 @ at.own
        through = problem.design.T @ (at.weight * own[problem.patient])
        held = np.column_stack([held, -through])
    variance = scales**2
    likely = squares / variance - (size - trace / variance)
    pull = variance / problem.random_scale**2
    average = np.diag(squares / variance) - held.T @ (inverse @ held)
    average[n:, n:] -= own_held
    # The likelihood's and the priors' curvature beyond it: at the top, where slopes cancel, two.
    beyond = 2 * np.diag(pull - likely)
    grouped = is_of.astype(float)
    square = np.square(inverse, out=inverse)
    expected = grouped.T @ (square @ grouped) / np.outer(variance[:n], variance[:n])
    expected += np.diag(size[:n] - 2 * trace[:n] / variance[:n])
    information = 2 * average
    information[:n, :n] += 2 * (average[:n, :n] - expected)
    return likely + 1 - pull, information + beyond


def _root(information: Matrix, least: float) -> Matrix:
    """R with R R' the inverse of the information, no direction of which counts as less known."""
    values, vectors = np.linalg.eigh(information)
    made: Matrix = vectors / np.sqrt(np.maximum(np.abs(values), least))
    return made


def estimate_scales(problem: Problem) -> tuple[Vector, Mode, int]:
    """The standard deviations, the mode at them, and the rounds it took.

    Raises DataError where they do not settle.
    """
    scales, start = np.full(problem.n_scales, 0.4), problem.start()
    sampled = problem.sampled()
    if sampled is not None:
        scales, about, _ = estimate_scales(sampled)
        start = (about.coefficients, start[1])
    at = mode(problem, scales, start, NEARLY)
    if not len(scales):
        return scales, mode(problem, scales, (at.coefficients, at.patients)), 0
    longest, before = np.full(len(scales), _LONGEST), np.zeros(len(scales))
    for n_rounds in range(1, _MOST_ROUNDS + 1):
        slope, information = evidence(problem, scales, at)
        # One that its bound holds takes no part: it would pull on the others for ever.
        is_held = ((scales <= _SMALLEST) & (slope < 0)) | ((scales >= _LARGEST) & (slope > 0))
        free = np.flatnonzero(~is_held)
        root = _root(information[np.ix_(free, free)], _LEAST_CURVED)
        slope[is_held] = 0.0
        step = np.zeros(len(scales))
        step[free] = root @ (root.T @ slope[free])
        settled = slope @ step < 2 * _GAIN
        # Who has overshot goes half as far, so that no round can come again.
        longest *= np.select([slope * before < 0, slope * before > 0], [0.5, 1.5], 1.0)
        longest, before = np.minimum(longest, _LONGEST), slope
        scales = np.clip(scales * np.exp(np.clip(step, -longest, longest)), _SMALLEST, _LARGEST)
        at = mode(problem, scales, (at.coefficients, at.patients), 1e-8 if settled else NEARLY)
        if settled:
            return scales, at, n_rounds
    raise DataError(
        f"the spread between groups did not settle in {_MOST_ROUNDS} rounds. Leave out the random "
        "effects with fewest levels, or give more claims"
    )


def draw_scales(
    problem: Problem, scales: Vector, at: Mode, n: int, rng: np.random.Generator
) -> Iterator[tuple[Vector, Mode]]:
    """`n` draws of the standard deviations, log-normal about the estimate, each with its mode."""
    if not len(scales):
        yield scales, at
        return
    spread = _root(evidence(problem, scales, at)[1], _LEAST_KNOWN)
    noise = rng.standard_normal((n, len(scales)))
    drawn = np.clip(np.exp(np.log(scales) + noise @ spread.T), _SMALLEST, 2.5)
    start = (at.coefficients, at.patients)
    for tried, told in zip(drawn, _told_at(problem, at, drawn), strict=True):
        yield tried, mode(problem, tried, start, NEARLY, told)


def _told_at(problem: Problem, at: Mode, drawn: Matrix) -> Iterator[Matrix]:
    """`_told` at one mode for each row of standard deviations, of which patients' matter alone.

    Smooth in the patients' logarithm, it is interpolated where that spares work: it is analytic
    but for poles half a pi off, so Chebyshev's points tell it to a stated error.
    """
    of_rows = _of_rows(problem, at.weight)
    if problem.patient is None:
        for _ in drawn:
            yield of_rows.copy()
        return
    place = np.log(drawn[:, -1])
    reach = max((place.max() - place.min()) / 2, 1e-6)
    away = np.pi / 2 / reach
    n = 1 + int(np.ceil(-np.log(_INTERPOLATED) / np.log(away + np.hypot(1, away))))
    nodes = (place.max() + place.min()) / 2 + reach * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    if n >= len(place):
        nodes = np.unique(place)
    own = [problem.own(at.weight, float(np.exp(node))) for node in nodes]
    known, product = list(_of_patients(problem, at.weight, own)), np.empty_like(of_rows)
    for share in BarycentricInterpolator(nodes, np.eye(len(nodes)), rng=0)(place):
        told = of_rows.copy()
        # Not a product of matrices, whose last digit hangs on where they lie in memory.
        for one, some in zip(known, share, strict=True):
            told -= np.multiply(some, one, out=product)
        yield told

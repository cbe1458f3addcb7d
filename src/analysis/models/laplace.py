"""Penalised logistic fit with variance components by Laplace-approximate REML.

Random effects are a ridge whose strength is learned: each effect's standard deviation maximises the
Laplace approximation of the restricted likelihood, times a gamma(2) prior that keeps it from
nought (Chung, Rabe-Hesketh, Dorie, Gelman and Liu 2013) and a half-normal one that keeps it from
running away. It is found by Newton's method with the average of the observed and the expected
information (Gilmour, Thompson and Cullis 1995). Patients' intercepts form a diagonal block and are
eliminated, so that many patients are cheap. Many claims begin where a share of them ended, and many
coefficients where the model ended without its largest effect.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, lapack
from scipy.special import expit

from analysis.errors import DataError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

INTERCEPT_SCALE = 5.0
_SMALLEST, _LARGEST = 0.01, 3.0
_MOST_STEPS, _MOST_ROUNDS = 100, 200
_ROWS_AT_ONCE = 50_000
_COLUMNS_AT_ONCE = 128
# More rows begin with one patient in so many, and more columns without the largest effect.
_MANY_TO_LEARN_FROM, _ONE_IN = 20_000, 8
_MANY_COLUMNS = 1_000
_DENSE, _MANY_ROWS = 0.04, 2_000
# Newton's error falls as the square of its step: after so long a step none shows, and a longer one
# is near enough for a draw, and for one round.
_EXACTLY = 1e-5
NEARLY = 0.3
# No direction of the standard deviations is known worse than the priors alone would leave it.
_LEAST_KNOWN = 0.7
_LEAST_CURVED = 0.05
_FIRST_GUESS = 0.4
# The longest step of a log standard deviation. What the last step may gain in log evidence, of
# which it leaves a small part: a twelfth of a standard error; more from where it is only to begin.
_LONGEST = 0.7
_GAIN, _GAIN_TO_BEGIN = 0.003, 0.5
_INTERPOLATED = 1e-3


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
        """One patient in `_ONE_IN`, or row without patients, of many; None of few."""
        n = len(self.trials)
        if n <= _MANY_TO_LEARN_FROM:
            return None
        whole = np.arange(n) if self.patient is None else self.patient
        rows = np.flatnonzero(whole % _ONE_IN == 0)
        return replace(
            self,
            design=self.design[rows],
            approved=self.approved[rows],
            trials=self.trials[rows],
            patient=None if self.patient is None else self.patient[rows] // _ONE_IN,
        )

    def without_columns(self, columns: NDArray[np.bool_]) -> "Problem":
        """The same problem without some random effect's coefficients, the effects numbered anew."""
        left = self.effect_of[~columns]
        place = np.unique(left[left >= 0], return_inverse=True)[1]
        effect_of = left.copy()
        effect_of[left >= 0] = place
        return replace(self, design=self.design[:, np.flatnonzero(~columns)], effect_of=effect_of)

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
    tol: float = _EXACTLY,
    told: Matrix | None = None,
) -> Mode:
    """The mode at given standard deviations, by Newton's method with step halving.

    `told` is the rows' information at the start, where it is known; it then serves every step.
    Raises DataError where the mode is not reached.
    """
    coefficients, patients = start
    height = problem.log_posterior(coefficients, patients, scales)
    curve = None
    for _ in range(_MOST_STEPS):
        if curve is None or told is None:
            curve = _curve(problem, scales, coefficients, patients, told)
        step, patient_step = _newton(problem, scales, coefficients, patients, curve)
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
            return replace(curve, coefficients=coefficients, patients=patients)
    raise DataError(
        f"the approval model found no best coefficients in {_MOST_STEPS} steps. Bring the numbers "
        "it reads to a scale of about one, or leave out terms that repeat each other"
    )


def _curve(
    problem: Problem, scales: Vector, coefficients: Vector, patients: Vector, told: Matrix | None
) -> Mode:
    """The log posterior's curvature at a point, its factor and the patients' own part."""
    fitted = expit(problem.log_odds(coefficients, patients))
    weight = problem.trials * fitted * (1 - fitted)
    own = np.empty(0) if problem.patient is None else problem.own(weight, scales[-1])
    precision = _told(problem, weight, own) if told is None else told
    precision[np.diag_indices_from(precision)] += problem.precision(scales)
    # It is symmetric, and LAPACK reads columns: turned over it need not be copied.
    factor = cholesky(precision.T, lower=True, overwrite_a=True, check_finite=False)
    return Mode(coefficients, patients, factor, own, weight)


def _newton(
    problem: Problem, scales: Vector, coefficients: Vector, patients: Vector, curve: Mode
) -> tuple[Vector, Vector]:
    """The step of coefficients and of patients to the top of what curves so."""
    X = problem.design
    fitted = expit(problem.log_odds(coefficients, patients))
    residual = problem.approved - problem.trials * fitted
    gradient = X.T @ residual - problem.precision(scales) * coefficients
    if problem.patient is None:
        return cho_solve((curve.factor, True), gradient, check_finite=False), np.empty(0)
    own_gradient = problem.of_patients(residual) - patients / scales[-1] ** 2
    gradient -= X.T @ (curve.weight * (own_gradient / curve.own)[problem.patient])
    step = cho_solve((curve.factor, True), gradient, check_finite=False)
    shared = problem.of_patients(curve.weight * (X @ step))
    return step, (own_gradient - shared) / curve.own


def _told(problem: Problem, weight: Vector, own: Vector) -> Matrix:
    """The rows' information on the coefficients, less what they tell of the patients alone."""
    gram = _of_rows(problem, weight)
    if problem.patient is not None:
        gram -= next(_of_patients(problem, weight, [own]))
    return gram.in_order(problem)


def _of_rows(problem: Problem, weight: Vector) -> "_Gram":
    """X' W X."""
    made, root = _Gram.nothing(problem), np.sqrt(weight)
    for rows, _, _ in _blocks(problem):
        made += _Gram.of([_scaled(part, root[rows]) for part in problem.parts(rows)])
    return made


def _of_patients(problem: Problem, weight: Vector, by: Sequence[Vector]) -> Iterator["_Gram"]:
    """B' D^-1 B for each diagonal D of `by`, where B is what patients share with the rest."""
    made = [_Gram.nothing(problem) for _ in by]
    for rows, of_patient, some in _blocks(problem):
        shared = [of_patient @ _scaled(part, weight[rows]) for part in problem.parts(rows)]
        for one, own in zip(made, by, strict=True):
            one += _Gram.of([_scaled(part, 1 / np.sqrt(own[some])) for part in shared])
    while made:
        yield made.pop(0)


@dataclass
class _Gram:
    """The products of all columns of a design, those of its dense and its sparse columns apart."""

    dense: Matrix
    between: Matrix
    sparse: Any

    @classmethod
    def nothing(cls, problem: Problem) -> "_Gram":
        """No row's."""
        n, m = map(len, problem.dense_and_sparse)
        return cls(np.zeros((n, n)), np.zeros((m, n)), sp.csr_array((m, m)))

    @classmethod
    def of(cls, parts: Sequence[Any]) -> "_Gram":
        """Of rows given as their dense and their sparse columns."""
        dense, sparse = parts
        return cls(dense.T @ dense, sparse.T @ dense, sparse.T @ sparse)

    def __iadd__(self, other: "_Gram") -> "_Gram":
        """With more rows."""
        self.dense += other.dense
        self.between += other.between
        self.sparse = self.sparse + other.sparse if self.sparse.nnz else other.sparse
        return self

    def __isub__(self, other: "_Gram") -> "_Gram":
        """Without some."""
        self.dense -= other.dense
        self.between -= other.between
        self.sparse = self.sparse - other.sparse
        return self

    def in_order(self, problem: Problem) -> Matrix:
        """One matrix, its columns as in the design."""
        dense, sparse = problem.dense_and_sparse
        within: Matrix = self.sparse.toarray()
        if not len(dense):
            return within
        blocks = [[self.dense, self.between.T], [self.between, within]]
        runs = [_runs(dense), _runs(sparse)]
        made = np.empty((problem.design.shape[1],) * 2)
        for across, beside in product((0, 1), repeat=2):
            for (rows, at), (columns, place) in product(runs[across], runs[beside]):
                made[rows, columns] = blocks[across][beside][at, place]
        return made


def _runs(columns: NDArray[np.int64]) -> list[tuple[slice, slice]]:
    """Where columns stand side by side: in the whole, and among themselves."""
    breaks = np.flatnonzero(np.diff(columns) > 1) + 1
    edges = [0, *breaks.tolist(), len(columns)]
    return [
        (slice(int(columns[begin]), int(columns[end - 1]) + 1), slice(begin, end))
        for begin, end in pairwise(edges)
        if begin < end
    ]


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


def evidence(problem: Problem, scales: Vector, at: Mode) -> tuple[Vector, Matrix]:
    """Of the log marginal likelihood and priors in the log standard deviations: slope, information.

    The information is the observed one, but for patients the average of the observed and the
    expected: they are many, and it is theirs from what is at hand.
    """
    n = problem.n_scales - (problem.patient is not None)
    is_of = problem.effect_of[:, None] == np.arange(n)
    inverse, _ = lapack.dpotri(at.factor, lower=1)
    _mirror(inverse)
    size = is_of.sum(axis=0).astype(float)
    squares = is_of.T @ at.coefficients**2
    trace = is_of.T @ np.diagonal(inverse)
    held = np.where(is_of, at.coefficients[:, None], 0.0) / scales[:n] ** 2
    own_held = 0.0
    if problem.patient is not None:
        size = np.append(size, problem.n_patients)
        squares = np.append(squares, at.patients @ at.patients)
        taken = next(_of_patients(problem, at.weight, [at.own**2])).in_order(problem)
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


def _mirror(lower: Matrix) -> None:
    """Give a lower triangle its upper one, some columns at a time to stay within the cache."""
    for begin in range(0, len(lower), _COLUMNS_AT_ONCE):
        some, after = slice(begin, begin + _COLUMNS_AT_ONCE), slice(begin + _COLUMNS_AT_ONCE, None)
        lower[some, after] = lower[after, some].T
        corner = lower[some, some]
        corner += np.tril(corner, -1).T


def _root(information: Matrix, least: float) -> Matrix:
    """R with R R' the inverse of the information, no direction of which counts as less known."""
    values, vectors = np.linalg.eigh(information)
    made: Matrix = vectors / np.sqrt(np.maximum(np.abs(values), least))
    return made


def estimate_scales(problem: Problem) -> tuple[Vector, Mode, int]:
    """The standard deviations, the mode at them, and the rounds it took.

    Raises DataError where they do not settle.
    """
    scales, at, n_rounds = _settled(problem, _GAIN)
    return scales, mode(problem, scales, (at.coefficients, at.patients)), n_rounds


def _settled(problem: Problem, gain: float) -> tuple[Vector, Mode, int]:
    """The standard deviations when the last step gained less than `gain`, about the mode, rounds.

    Raises DataError where they do not settle.
    """
    scales, start = _begun(problem)
    at = mode(problem, scales, start, NEARLY)
    if not len(scales):
        return scales, at, 0
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
        # Who has overshot goes half as far, so that no round can come again.
        longest *= np.select([slope * before < 0, slope * before > 0], [0.5, 1.5], 1.0)
        longest, before = np.minimum(longest, _LONGEST), slope
        scales = np.clip(scales * np.exp(np.clip(step, -longest, longest)), _SMALLEST, _LARGEST)
        at = mode(problem, scales, (at.coefficients, at.patients), NEARLY)
        if slope @ step < 2 * gain:
            return scales, at, n_rounds
    raise DataError(
        f"the spread between groups did not settle in {_MOST_ROUNDS} rounds. Leave out the random "
        "effects with fewest levels, or give more claims"
    )


def _begun(problem: Problem) -> tuple[Vector, tuple[Vector, Vector]]:
    """Standard deviations and coefficients to begin with: those of a smaller problem, if large."""
    scales, start = np.full(problem.n_scales, _FIRST_GUESS), problem.start()
    sampled = problem.sampled()
    if sampled is not None:
        scales, at, _ = _settled(sampled, _GAIN_TO_BEGIN)
        return scales, (at.coefficients, start[1])
    sizes = np.bincount(problem.effect_of[problem.effect_of >= 0], minlength=1)
    if len(problem.effect_of) <= _MANY_COLUMNS or np.count_nonzero(sizes) < 2:
        return scales, start
    largest = int(sizes.argmax())
    is_out = problem.effect_of == largest
    others, at, _ = _settled(problem.without_columns(is_out), _GAIN_TO_BEGIN)
    start[0][~is_out] = at.coefficients
    return np.insert(others, largest, _FIRST_GUESS / 2), (start[0], at.patients)


def draw_scales(
    problem: Problem, scales: Vector, at: Mode, n: int, rng: np.random.Generator
) -> Iterator[tuple[Vector, Mode]]:
    """`n` draws of the standard deviations, log-normal about the estimate, each with its mode.

    A mode's factor is good until the next draw, which takes its place in memory.
    """
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

    All are told in the same place, and may be overwritten: fresh memory costs more than the sums.
    Smooth in the patients' logarithm, it is interpolated where that spares work: it is analytic
    but for poles half a pi off, so Chebyshev's points tell it to a stated error.
    """
    of_rows = _of_rows(problem, at.weight).in_order(problem)
    told = np.empty_like(of_rows)
    if problem.patient is None:
        for _ in drawn:
            np.copyto(told, of_rows)
            yield told
        return
    place = np.log(drawn[:, -1])
    reach = max((place.max() - place.min()) / 2, 1e-6)
    away = np.pi / 2 / reach
    n = 1 + int(np.ceil(-np.log(_INTERPOLATED) / np.log(away + np.hypot(1, away))))
    nodes = (place.max() + place.min()) / 2 + reach * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    if n >= len(place):
        nodes = np.unique(place)
    own = [problem.own(at.weight, float(np.exp(node))) for node in nodes]
    known = [gram.in_order(problem) for gram in _of_patients(problem, at.weight, own)]
    part = np.empty_like(of_rows)
    for share in _shares(nodes, place):
        np.copyto(told, of_rows)
        # Not a product of matrices, whose last digit hangs on where they lie in memory.
        for one, some in zip(known, share, strict=True):
            told -= np.multiply(some, one, out=part)
        yield told


def _shares(nodes: Vector, place: Vector) -> Matrix:
    """How much each node tells at each place, by the polynomial through them: (places, nodes).

    Lagrange's formula, exact enough for so few nodes; importing scipy's takes as long as a fit.
    """
    n = len(nodes)
    apart = nodes[:, None] - nodes + np.eye(n)
    factors = (place[:, None, None] - nodes) / apart
    factors[:, range(n), range(n)] = 1.0
    shares: Matrix = factors.prod(axis=2)
    return shares

"""Mixed-effects logistic regression whose intervals hold in small cells.

The recipe of the intervals: draws of the coefficients at draws of the variance components, levels
never met drawn from their distribution, and an error of the model's form measured on groups left
out. Chances are those of a patient not met before.
"""

# threadpoolctl carries no types.
# mypy: disable-error-code="import-untyped"

from collections.abc import Callable, Hashable, Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lapack, solve_triangular
from scipy.special import expit
from threadpoolctl import threadpool_limits

from analysis.models import laplace
from analysis.models.terms import (
    Matrix,
    RandomEffect,
    Terms,
    Vector,
    distinct,
    standard_normal,
)

_PERIOD = "\x00period"
_N_MEAN_DRAWS = 96
_N_FOLDS = 5
_FEWEST_CELLS = 8
_ROWS_AT_ONCE = 4_000
# Each round of a grid leaves an eighth of the range.
_ROUNDS, _POINTS = 7, 17
_SMALLEST_MODEL_ERROR, _LARGEST_MODEL_ERROR = 0.01, 1.5


class Standardised(NamedTuple):
    """`cells`: columns of `by`, n_rows, mean, lower, upper (90%); `draws`: (n, cells)."""

    cells: pd.DataFrame
    draws: Matrix


class MixedEffectsLogisticRegression:
    """Partially pooled logistic regression: fixed terms, random effects and patients.

    `fixed` names numeric columns of about unit scale, whose coefficients have a normal prior of
    standard deviation `fixed_scale`. `random` lists the `RandomEffect`s; `random_scale` is the
    scale of the half-normal prior of their standard deviations. `n_variance_draws` draws of these
    carry their uncertainty. `model_error` is the standard deviation, in log odds, of what the form
    misses in each cell, or the columns of the cells to measure it on, each left out in turn. "auto"
    measures it on those of the random effect with most columns; where the form has an intercept
    for each cell it is nought, for that intercept's variance is just this.

    Missing categories are a level of their own. Missing numbers, outcomes, patients or weights are
    refused with ValueError; a fit that does not converge raises DataError with a remedy.
    """

    def __init__(
        self,
        fixed: Sequence[Hashable] = (),
        random: Sequence[RandomEffect] = (),
        *,
        fixed_scale: float = 2.0,
        random_scale: float = 0.7,
        n_variance_draws: int = 32,
        model_error: float | str | Sequence[Hashable] = "auto",
        random_state: int = 0,
    ) -> None:
        self.fixed = fixed
        self.random = random
        self.fixed_scale = fixed_scale
        self.random_scale = random_scale
        self.n_variance_draws = n_variance_draws
        self.model_error = model_error
        self.random_state = random_state

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        time: ArrayLike | None = None,
    ) -> Self:
        """Learn from claims `X`, one row each, and whether each was approved (`y`: 0 or 1, or
        two labels, the later one meaning approved).

        `groups` are the patients. `sample_weight` counts how often a row occurred, and means what
        so many rows would. `time` is each claim's period: periods then vary as well, and every
        prediction is for one not met before.
        """
        claims = self._frame(X)
        self.n_features_in_ = claims.shape[1]
        self.classes_, outcome = _outcome(y, len(claims))
        count = _counts(sample_weight, len(claims))
        random = tuple(self.random)
        if time is not None:
            claims = claims.assign(**{_PERIOD: _complete(time, len(claims), "time")})
            random += (RandomEffect("time", (_PERIOD,)),)
        patient = None if groups is None else _complete(groups, len(claims), "groups")
        if not count.any():
            raise ValueError("there are no claims to learn from: every weight is zero")
        self.terms_ = Terms(tuple(self.fixed), random, self._cell_columns(random))
        tidy, approved, trials, number = _aggregated(
            self.terms_.tidy(claims), outcome, count, patient
        )
        self.terms_.learn(tidy)
        problem = laplace.Problem(
            self.terms_.design(tidy),
            approved,
            trials,
            self.terms_.effect_of,
            number,
            float(self.fixed_scale),
            float(self.random_scale),
        )
        cell = None
        if self.terms_.cells and not self._has_cells():
            cell = distinct(tidy, self.terms_.cells)[1]
        self.n_patterns_ = len(tidy)
        del claims, tidy
        # One thread gives one answer everywhere, and matrices this small gain nothing from more.
        with threadpool_limits(limits=1):
            self._learn(problem, cell)
        self.converged_ = True
        return self

    def _learn(self, problem: laplace.Problem, cell: NDArray[np.int64] | None) -> None:
        scales, at, self.n_iter_ = laplace.estimate_scales(problem)
        names = [effect.name for effect in self.terms_.random]
        names += ["patient"] if problem.patient is not None else []
        self.variance_components_ = {
            name: float(scale**2) for name, scale in zip(names, scales, strict=True)
        }
        self.coef_ = at.coefficients
        self.has_patients_ = problem.patient is not None
        n, n_coefficients = self.n_variance_draws if len(scales) else 1, len(at.coefficients)
        self.scale_draws_ = np.empty((n, len(scales)))
        self.coefficient_draws_ = np.empty((n, n_coefficients))
        # Lower triangles, column by column, at half the size: as exact as noise needs to be.
        triangle = n_coefficients * (n_coefficients + 1) // 2
        self.factor_draws_ = np.empty((n, triangle), np.float32)
        rng = np.random.default_rng(self.random_state)
        for place, (drawn, one) in enumerate(laplace.draw_scales(problem, scales, at, n, rng)):
            self.scale_draws_[place] = drawn
            self.coefficient_draws_[place] = one.coefficients
            self.factor_draws_[place] = lapack.dtrttp(one.factor, uplo="L")[0]
        if isinstance(self.model_error, Real):
            self.model_error_ = float(self.model_error)
        else:
            self.model_error_ = 0.0 if cell is None else _form_error(problem, scales, at, cell)

    def predict_proba(self, X: pd.DataFrame) -> Matrix:
        """Posterior mean chances of denial and approval, one row per claim."""
        tidy, pattern = self._asked(X)
        n = max(_N_MEAN_DRAWS, self.n_variance_draws)
        chance = self._draws(tidy, n, self.random_state).mean(axis=0)[pattern]
        return np.column_stack([1 - chance, chance])

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """The likelier answer, 0 or 1."""
        is_likely = self.predict_proba(X)[:, 1] >= 0.5
        answers: NDArray[Any] = self.classes_[is_likely.astype(int)]
        return answers

    def posterior_draws(self, X: pd.DataFrame, n: int = 400, random_state: int = 0) -> Matrix:
        """Joint draws of each claim's chance of approval, for a patient not met: (n, rows).

        A level never met is drawn once per draw and shared by all its rows. Draws of one
        `random_state` belong together across calls, so that they may be subtracted.
        """
        tidy, pattern = self._asked(X)
        return self._draws(tidy, n, random_state)[:, pattern]

    def standardise(
        self,
        X: pd.DataFrame,
        set: Mapping[Hashable, Any] | None = None,
        by: Sequence[Hashable] = (),
        n: int = 400,
    ) -> Standardised:
        """Mean chance of the claims `X` in each cell of `by`, had all of them the values of `set`.

        The cells are those of `X` as it is, before `set`. Without `by` there is one cell.
        """
        claims = self._frame(X).reset_index(drop=True)
        as_set = claims.copy()
        for column, value in (set or {}).items():
            as_set[column] = value
        draws = self.posterior_draws(as_set, n, self.random_state)
        if by:
            grouped = claims.groupby(list(by), sort=True, dropna=False, observed=True)
            cell = grouped.ngroup().to_numpy()
            cells = grouped.size().rename("n_rows").reset_index()
        else:
            cell = np.zeros(len(claims), dtype=np.int64)
            cells = pd.DataFrame({"n_rows": [len(claims)]})
        size = cells["n_rows"].to_numpy(float)
        means = np.array([np.bincount(cell, draw, len(cells)) / size for draw in draws])
        lower, upper = np.quantile(means, [0.05, 0.95], axis=0)
        return Standardised(cells.assign(mean=means.mean(axis=0), lower=lower, upper=upper), means)

    def _frame(self, X: pd.DataFrame) -> pd.DataFrame:
        if X.empty:
            raise ValueError("there are no claims: X has no rows or no columns")
        return X

    def _asked(self, X: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """The distinct rows of the claims asked for, and each claim's place among them."""
        claims = self._frame(X)
        if _PERIOD in self.terms_.columns:
            claims = claims.assign(**{_PERIOD: None})
        tidy = self.terms_.tidy(claims)
        pattern = _patterns(tidy, np.zeros(len(tidy), dtype=np.int64))
        first = np.unique(pattern, return_index=True)[1]
        return tidy.iloc[first].reset_index(drop=True), pattern

    def _draws(self, tidy: pd.DataFrame, n: int, seed: int) -> Matrix:
        """Draws of the chance of each tidy row: (n, rows)."""
        of_variance = np.arange(n) * len(self.scale_draws_) // n
        rng = np.random.default_rng(seed)
        with threadpool_limits(limits=1):
            noise = rng.standard_normal((n, self.coefficient_draws_.shape[1]))
            coefficients = self.coefficient_draws_[of_variance]
            for place, triangle in enumerate(self.factor_draws_):
                mine = of_variance == place
                factor = lapack.dtpttr(noise.shape[1], triangle, uplo="L")[0]
                coefficients[mine] += solve_triangular(factor, noise[mine].T, "T", lower=True).T
            scales = self.scale_draws_[of_variance]
            patient = scales[:, -1] if self.has_patients_ else np.zeros(n)
            # The mean of a logistic over a normal (Zeger, Liang and Albert 1988).
            shrunk = 1 / np.sqrt(1 + np.pi * patient**2 / 8)
            made = np.empty((n, len(tidy)))
            for begin in range(0, len(tidy), _ROWS_AT_ONCE):
                rows = tidy.iloc[begin : begin + _ROWS_AT_ONCE].reset_index(drop=True)
                odds = self.terms_.design(rows) @ coefficients.T
                odds += self.terms_.unseen(rows, scales, seed)
                odds += self._missed(rows, n, seed)
                made[:, begin : begin + _ROWS_AT_ONCE] = expit(odds * shrunk).T
        return made

    def _missed(self, tidy: pd.DataFrame, n: int, seed: int) -> Matrix:
        """What the model's form misses in each row's cell: (rows, n)."""
        if not self.terms_.cells or not self.model_error_:
            return np.zeros((len(tidy), n))
        names, cell = distinct(tidy, self.terms_.cells)
        drawn = np.array([standard_normal(seed, ("missed", name), n) for name in names])
        return (self.model_error_ * drawn)[cell]

    def _cell_columns(self, random: Sequence[RandomEffect]) -> tuple[Hashable, ...]:
        """The columns whose cells the form may miss; "auto": of the effect by most, if two."""
        given = self.model_error
        if isinstance(given, Sequence) and not isinstance(given, str):
            return tuple(given)
        if isinstance(given, str) and given != "auto":
            raise ValueError(
                'model_error must be a number, "auto" or the columns of cells, as in '
                f"('payer_id',); got {given!r}"
            )
        crossed = [effect.by for effect in random if len(effect.by) > 1]
        return max(crossed, key=len, default=())

    def _has_cells(self) -> bool:
        """Whether the form has an intercept for each cell."""
        cells = self.terms_.cells
        return any(effect.by == cells and not effect.slopes for effect in self.terms_.random)


def _form_error(
    problem: laplace.Problem, scales: Vector, at: laplace.Mode, cell: NDArray[np.int64]
) -> float:
    """Standard deviation, in log odds, of cells about their prediction when left out of the fit.

    The most likely one beside chance, patients and the uncertainty of the prediction, with the
    priors of every other standard deviation; nought where the cells are too few to tell.
    """
    n = int(cell.max()) + 1
    if n < _FEWEST_CELLS:
        return 0.0
    of_patient = scales[-1] if problem.patient is not None else 0.0
    shrunk = 1 / np.sqrt(1 + np.pi * of_patient**2 / 8)
    missed, weight, noise = np.zeros(n), np.zeros(n), np.zeros(n)
    for fold in range(_N_FOLDS):
        out = cell % _N_FOLDS == fold
        start = (at.coefficients, at.patients)
        without = laplace.mode(problem.without(out), scales, start, laplace.NEARLY)
        design = problem.design[out]
        chance = expit(shrunk * (design @ without.coefficients))
        trials, (mine, place) = problem.trials[out], np.unique(cell[out], return_inverse=True)
        curve = trials * chance * (1 - chance)
        left = np.bincount(place, problem.approved[out] - trials * chance)
        total = np.maximum(np.bincount(place, curve), 1e-12)
        chance_alone = total.copy()
        if problem.patient is not None:
            met = place * problem.n_patients + problem.patient[out]
            met, visits = np.unique(met, return_inverse=True)
            clustered = np.bincount(visits, curve) ** 2 * of_patient**2
            chance_alone += np.bincount(met // problem.n_patients, clustered, len(mine))
        of_cell = sp.csr_array((curve, (place, np.arange(len(place)))))
        uncertain = solve_triangular(without.factor, (of_cell @ design).T.toarray(), lower=True)
        noise[mine] = chance_alone + (uncertain**2).sum(axis=0)
        missed[mine] = left
        weight[mine] = total

    def unlikely(log_scale: float) -> float:
        scale = np.exp(log_scale)
        variance = noise + (weight * scale) ** 2
        of_cells = (np.log(variance) + missed**2 / variance).sum() / 2
        return float(of_cells - log_scale + (scale / problem.random_scale) ** 2 / 2)

    lowest = _lowest(unlikely, np.log(_SMALLEST_MODEL_ERROR), np.log(_LARGEST_MODEL_ERROR))
    return float(np.exp(lowest))


def _lowest(function: Callable[[float], float], lower: float, upper: float) -> float:
    """Where a function is lowest between two numbers, to a millionth: on ever finer grids.

    Importing scipy's minimizers takes as long as a fit.
    """
    for _ in range(_ROUNDS):
        grid = np.linspace(lower, upper, _POINTS)
        at = int(np.argmin([function(point) for point in grid]))
        lower, upper = grid[max(at - 1, 0)], grid[min(at + 1, _POINTS - 1)]
    return float(grid[at])


def _aggregated(
    tidy: pd.DataFrame, outcome: Vector, count: Vector, patient: NDArray[Any] | None
) -> tuple[pd.DataFrame, Vector, Vector, NDArray[np.int64] | None]:
    """Distinct rows of a patient, how many of each were approved, how many there were, and whose.

    Patients are numbered in order, and so are the rows.
    """
    occurred = count > 0
    if not occurred.all():
        tidy, outcome, count = (
            tidy[occurred].reset_index(drop=True),
            outcome[occurred],
            count[occurred],
        )
        patient = None if patient is None else patient[occurred]
    number = np.zeros(len(tidy), dtype=np.int64)
    if patient is not None:
        number = pd.factorize(pd.Series(patient), sort=True)[0].astype(np.int64)
    pattern = _patterns(tidy, number)
    first = np.unique(pattern, return_index=True)[1]
    return (
        tidy.iloc[first].reset_index(drop=True),
        np.bincount(pattern, outcome * count).astype(float),
        np.bincount(pattern, count).astype(float),
        None if patient is None else number[first],
    )


def _patterns(tidy: pd.DataFrame, patient: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each row's number among the distinct rows, in their order, whatever the order of `tidy`."""
    made, found = pd.factorize(patient, sort=True)
    for column in tidy.columns:
        # Rows already told apart stand in the order that further columns would leave them in.
        if len(found) == len(tidy):
            break
        code, values = pd.factorize(tidy[column].to_numpy(), sort=True)
        made, found = pd.factorize(made * len(values) + code, sort=True)
    return made.astype(np.int64)


def _outcome(y: ArrayLike, n: int) -> tuple[NDArray[Any], Vector]:
    """The two labels, and whether each claim has the second one, as 0 or 1."""
    values = pd.Series(np.asarray(y))
    if len(values) != n:
        raise ValueError(f"there are {n} claims but {len(values)} outcomes")
    if values.isna().any():
        raise ValueError("an outcome must be 0 (denied) or 1 (approved), and never missing")
    labels = np.unique(values.to_numpy())
    if set(labels) <= {0, 1}:
        labels = np.array([0, 1])
    elif len(labels) != 2:
        raise ValueError(
            "Only binary classification is supported: an outcome must be 0 (denied) or 1 "
            f"(approved), or one of two labels; got {len(labels)}"
        )
    return labels, (values.to_numpy() == labels[1]).astype(float)


def _counts(sample_weight: ArrayLike | None, n: int) -> Vector:
    if sample_weight is None:
        return np.ones(n)
    counts = np.asarray(sample_weight, dtype=float)
    if counts.shape != (n,) or not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError("sample_weight needs one count per claim, nought or more, none missing")
    return counts


def _complete(values: ArrayLike, n: int, name: str) -> NDArray[np.object_]:
    made = pd.Series(np.asarray(values))
    if len(made) != n or made.isna().any():
        raise ValueError(f"{name} needs one value per claim, none missing")
    return made.astype(str).to_numpy(object)

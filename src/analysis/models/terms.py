"""Terms of a mixed-effects model: columns of claims become a sparse design with named levels.

A level is what a random effect varies by, such as one insurer or one insurer and condition. A
missing category is a level of its own; a missing number is refused, since nothing can stand for it.
"""

import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_MISSING = "\x00"
_BETWEEN = "\x1f"
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class RandomEffect:
    """An intercept that varies by the joint values of columns `by`, or slopes of numeric columns.

    With `slopes`, one coefficient per level and slope column, all of one variance; without, one
    intercept per level. Without `by` there is one level: the slopes are drawn towards each other.
    """

    name: str
    by: tuple[Hashable, ...]
    slopes: tuple[Hashable, ...] = ()


@dataclass(frozen=True)
class Block:
    """One random coefficient per level: its effect's place, the slope column and the levels."""

    effect: int
    slope: Hashable | None
    levels: pd.Index


class Terms:
    """The design of one fit: which coefficient stands where, and for what.

    `cells` are the columns of the cells in each of which the design may miss something.
    """

    def __init__(
        self,
        fixed: Sequence[Hashable],
        random: Sequence[RandomEffect],
        cells: Sequence[Hashable] = (),
    ) -> None:
        self.fixed = tuple(fixed)
        self.random = tuple(random)
        self.cells = tuple(cells)
        names = [effect.name for effect in self.random]
        if len(set(names)) < len(names):
            raise ValueError(f"random effects must have names of their own; got {names}")
        self.blocks: list[Block] = []

    def learn(self, X: pd.DataFrame) -> "Terms":
        """Take the levels from training rows."""
        for place, effect in enumerate(self.random):
            levels = pd.Index(distinct(X, effect.by)[0])
            slopes: tuple[Hashable | None, ...] = effect.slopes or (None,)
            self.blocks += [Block(place, slope, levels) for slope in slopes]
        return self

    @property
    def effect_of(self) -> NDArray[np.int64]:
        """Each coefficient's random effect, -1 for the intercept and fixed terms."""
        places = [np.full(1 + len(self.fixed), -1)]
        places += [np.full(len(block.levels), block.effect) for block in self.blocks]
        return np.concatenate(places).astype(np.int64)

    @property
    def columns(self) -> list[Hashable]:
        """Every column of the claims that any term reads, each once."""
        named = [*self.fixed]
        for effect in self.random:
            named += [*effect.by, *effect.slopes]
        return list(dict.fromkeys([*named, *self.cells]))

    def tidy(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns that terms read: numbers as float, categories as text without gaps.

        Raises ValueError naming a column that is absent, or a number that is missing or infinite.
        """
        absent = [column for column in self.columns if column not in X.columns]
        if absent:
            raise ValueError(f"the claims lack columns that the model reads: {absent}")
        numbers = dict.fromkeys([*self.fixed, *(s for e in self.random for s in e.slopes)])
        categories = dict.fromkeys([*(c for e in self.random for c in e.by), *self.cells])
        both = [column for column in numbers if column in categories]
        if both:
            raise ValueError(f"columns cannot be a number and a category at once: {both}")
        made = {column: _number(X[column], column) for column in numbers}
        return pd.DataFrame(
            made | {column: _category(X[column]) for column in categories}, index=range(len(X))
        )

    def design(self, X: pd.DataFrame) -> sp.csr_matrix:
        """One row per row of tidy `X`, one column per coefficient; unseen levels stay empty."""
        levels: dict[tuple[Hashable, ...], NDArray[np.int32]] = {}
        for block in self.blocks:
            by = self.random[block.effect].by
            if by not in levels:
                names, level = distinct(X, by)
                place = block.levels.get_indexer(pd.Index(names)).astype(np.int32)
                levels[by] = place[level]
        # Some rows at a time, whose parts would otherwise take more memory than the whole.
        begins = range(0, max(len(X), 1), _ROWS_AT_ONCE)
        made = [self._rows(X, levels, slice(begin, begin + _ROWS_AT_ONCE)) for begin in begins]
        return made[0] if len(made) == 1 else sp.vstack(made, format="csr")

    def _rows(
        self,
        X: pd.DataFrame,
        levels: dict[tuple[Hashable, ...], NDArray[np.int32]],
        rows: slice,
    ) -> sp.csr_matrix:
        """Some rows of the design, given every row's place among the levels, -1 for none."""
        X = X.iloc[rows]
        parts = [sp.csr_matrix(np.column_stack([np.ones(len(X)), *(X[c] for c in self.fixed)]))]
        for block in self.blocks:
            place = levels[self.random[block.effect].by][rows]
            values = np.ones(len(X)) if block.slope is None else X[block.slope].to_numpy()
            filled = np.flatnonzero((place >= 0) & (values != 0))
            entries = (values[filled], (filled, place[filled]))
            parts.append(sp.csr_matrix(entries, shape=(len(X), len(block.levels))))
        return sp.csr_matrix(sp.hstack(parts, format="csr"))

    def unseen(self, X: pd.DataFrame, scales: Matrix, seed: int) -> Matrix:
        """What levels never met in training add to the log odds: (rows, draws).

        `scales` holds each draw's standard deviations, (draws, effects). One draw of a level is
        shared by all its rows, in this call and in every other of the same seed.
        """
        added = np.zeros((len(X), len(scales)))
        for block in self.blocks:
            names, level = distinct(X, self.random[block.effect].by)
            for place in np.flatnonzero(block.levels.get_indexer(pd.Index(names)) < 0):
                name, rows = names[place], level == place
                drawn = standard_normal(
                    seed, (self.random[block.effect].name, block.slope, name), len(scales)
                )
                values = (
                    np.ones(rows.sum()) if block.slope is None else X[block.slope].to_numpy()[rows]
                )
                added[rows] += np.outer(values, drawn * scales[:, block.effect])
        return added


def distinct(
    X: pd.DataFrame, by: Sequence[Hashable]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The levels that tidy claims have, in order, and each row's place among them.

    A level is the values of `by`, joined, or "" without any.
    """
    names, place = np.array([""], dtype=object), np.zeros(len(X), dtype=np.int64)
    for number, column in enumerate(by):
        code, values = pd.factorize(X[column].to_numpy(object), sort=True)
        place, met = pd.factorize(place * len(values) + code, sort=True)
        before, value = names[met // len(values)], values[met % len(values)]
        names = before + _BETWEEN + value if number else value
    if len(by) > 1:
        # What stands between values is no letter, yet may change their order.
        order = np.argsort(names)
        names, place = names[order], np.argsort(order)[place]
    return names, place


def standard_normal(seed: int, name: object, n: int) -> Vector:
    """The `n` draws that belong to `name` under `seed`, whatever else is drawn."""
    return np.random.default_rng([seed, zlib.crc32(repr(name).encode())]).standard_normal(n)


def _number(values: pd.Series, column: Hashable) -> Vector:
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    n_lacking = int((~np.isfinite(numbers)).sum())
    if n_lacking:
        raise ValueError(
            f"column {column!r} has {n_lacking} numbers that are missing or infinite; give a value "
            "and a column that marks it as filled in, or leave these claims out"
        )
    return numbers


def _category(values: pd.Series) -> NDArray[np.object_]:
    code, found = pd.factorize(values)
    texts = pd.Series(found)
    # 1, 1.0 and True are one category, however a file happened to be read.
    if pd.api.types.is_numeric_dtype(texts.dtype):
        texts = texts.astype(float)
    # One text for all its rows; the last stands for those without a value, whose code is -1.
    made: NDArray[np.object_] = np.append(texts.astype(str).to_numpy(object), _MISSING)[code]
    return made

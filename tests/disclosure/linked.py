"""Made-up tables with all their totals, as the suppressor takes them."""

import itertools
from typing import Any

import numpy as np
from scipy import sparse

from analysis.disclosure import Counts


def with_totals(inner: np.ndarray) -> np.ndarray:
    """A table with a total in place 0 of every axis."""
    table = inner.astype(np.int64)
    for axis in range(table.ndim):
        table = np.concatenate([table.sum(axis=axis, keepdims=True), table], axis=axis)
    return table


def sums_of(shape: tuple[int, ...]) -> sparse.csr_matrix:
    """Every sum of a table of this shape, totals included: -1 for the total, 1 for each part."""
    index = np.arange(np.prod(shape)).reshape(shape)
    rows = []
    for axis in range(len(shape)):
        for line in np.moveaxis(index, axis, 0).reshape(shape[axis], -1).T:
            row = np.zeros(index.size)
            row[line], row[line[0]] = 1, -1
            rows.append(row)
    return sparse.csr_matrix(np.array(rows))


def counts(inner: Any, **said: Any) -> Counts:
    """Counts of one table; margins cost more to hide than what they add up."""
    table = with_totals(np.asarray(inner))
    values = table.ravel()
    n_totals = (np.indices(table.shape).reshape(table.ndim, -1) == 0).sum(axis=0)
    plain: dict[str, Any] = {
        "values": values,
        "sums": sums_of(table.shape),
        "cost": np.log2(1.0 + values) * 20.0 ** np.minimum(n_totals, 2) + 0.01,
        "shown": np.zeros(values.size, bool),
        "hidden": np.zeros(values.size, bool),
        "least": np.minimum(values, 1),
    }
    return Counts(**{**plain, **said})


def made_up(shape: tuple[int, ...], n: int, seed: int) -> np.ndarray:
    """A table in which some categories are frequent and most are rare."""
    rng = np.random.default_rng(seed)
    weights = np.ones(shape)
    for axis, size in enumerate(shape):
        share = 1 / np.arange(1, size + 1) ** 0.8
        weights = weights * share.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    weights = weights * rng.lognormal(0, 0.8, size=shape)
    return rng.multinomial(n, (weights / weights.sum()).ravel()).reshape(shape)


def cost_of(counts: Counts, hidden: np.ndarray) -> float:
    return float(counts.cost[hidden & ~counts.small].sum())


def cheapest_by_trying_all(counts: Counts, is_safe: Any) -> float:
    """The least cost of a set that `is_safe` accepts, by trying every set."""
    free = np.flatnonzero(~counts.known & ~counts.small)
    best = np.inf
    for size in range(free.size + 1):
        for chosen in itertools.combinations(free, size):
            hidden = counts.small.copy()
            hidden[list(chosen)] = True
            if cost_of(counts, hidden) < best and is_safe(counts, hidden):
                best = cost_of(counts, hidden)
    return best

"""What the release gate hides, against the optimum and an attacker that shares no code with it.

Made-up practices are released twice, and the attacker tries both releases together; single tables
like those of pools are hidden by the exact program and by the heuristic that larger ones get. What
he proves to be 10 or less, or tells, is to be nothing. "By quarter" is what a release publishes,
insurer by condition and insurer by quarter, each by outcome, over four quarters. 10x10x2x4 is one
joint table, insurer by condition by outcome by quarter with all totals, which no release publishes;
one of 20x15x2x4 had not finished after 155 CPU seconds when it was tried.

Later releases: practices of 183 claims a month, released after two years and again some months
later. All months counted again lose every count that was shown and grew by 1 to 10; the new months
alone lose small counts only, in the categories the command proposes (insurers and conditions put
together until at most a quarter is withheld).
"""

import time
from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from analysis import disclosure
from analysis.release import attacker, counted, density, gate, verify
from analysis.release.attacker import Published
from analysis.release.counted import Categories, Counted
from benchmarks.measuring import Row, Size, at_most

_SHAPES: dict[Size, list[tuple[int, ...]]] = {
    "small": [(10, 10, 2), (20, 15, 2)],
    "full": [(10, 10, 2), (20, 15, 2), (30, 20, 2), (10, 10, 2, 4)],
}


def measure(size: Size) -> list[Row]:
    """The rows on practices, on single tables, and on releases some months apart."""
    n, largest = (30, (30, 20)) if size == "full" else (6, (10, 10))
    by_quarter = [*_by_quarter(10, 10), *(_by_quarter(*largest) if size == "full" else ())]
    later = _later(12 if size == "full" else 3)
    return [*_practices(n), *_tables(_SHAPES[size]), *by_quarter, *later]


# ---- practices ------------------------------------------------------------------------------


def _practices(n: int) -> Iterator[Row]:
    """Two releases of each practice, attacked together."""
    exposed, seconds = [], []
    for seed in range(n):
        everything = _claims(900, seed)
        began = time.process_time()
        first, second, hidden, also = _released_twice(everything, 820, 0)
        seconds.append(time.process_time() - began)
        counts: verify.Counts = {}
        for now, withheld in ((first, hidden), (second, also)):
            counts |= {c: None if c in withheld else v for c, v in now.values.items()}
        sums = [
            (total, tuple(parts))
            for now in (first, second)
            for total, parts in gate.sums_of(now.values)
        ]
        steps = [
            (c._replace(release=1), c) for c in second.values if c._replace(release=1) in counts
        ]
        done = attacker.attack(gate.as_published(counts, sums, steps)[0])
        exposed.append(float(len(done.proven) + len(done.told) + len(done.added)))
    yield at_most(0, f"exposed in {n} practices", "two releases each", exposed, "counts")
    yield Row("hiding two releases", f"{n} practices", tuple(seconds), unit="CPU s")


def _later(n: int) -> Iterator[Row]:
    """Practices of two years' claims, released again after some months."""
    for months in (1, 3, 6, 12):
        again, alone, shown_again, shown_alone = [], [], [], []
        for seed in range(n):
            everything = _claims(183 * (24 + months), seed, 24 + months)
            before = int((everything["month"] < 24).sum())
            _, second, _, also = _released_twice(everything, before, 0)
            new = everything[everything["month"] >= 24]
            now, hidden = _proposed(new)
            again.append(100 * gate.sparsity(second, also))
            alone.append(100 * gate.sparsity(now, hidden))
            shown_again.append(float(_shown(second, also)))
            shown_alone.append(float(_shown(now, hidden)))
        later = f"{months} months later"
        yield Row(f"withheld {later}", "all months again", tuple(again), unit="%")
        yield Row(f"withheld {later}", "the new months alone", tuple(alone), unit="%")
        yield Row(f"counts shown {later}", "all months again", tuple(shown_again), unit="counts")
        yield Row(
            f"counts shown {later}", "the new months alone", tuple(shown_alone), unit="counts"
        )


def _proposed(claims: pd.DataFrame) -> tuple[Counted, frozenset[verify.Cell]]:
    """The finest categories of which at most a quarter is withheld, as the command proposes."""
    for below in (0, *density.SIZES):
        now = _counted(claims, counted.merged(claims, below), 1)
        hidden = gate.hide(now, [])
        if gate.sparsity(now, hidden) <= gate.TOO_SPARSE:
            break
    return now, hidden


def _shown(now: Counted, hidden: frozenset[verify.Cell]) -> int:
    return sum(1 for cell, value in now.values.items() if value and cell not in hidden)


def _released_twice(
    everything: pd.DataFrame, n_before: int, below: int
) -> tuple[Counted, Counted, frozenset[verify.Cell], frozenset[verify.Cell]]:
    categories = counted.merged(everything.iloc[:n_before], below)
    first = _counted(everything.iloc[:n_before], categories, 1)
    second = _counted(everything, counted.extended(categories, everything), 2)
    hidden = gate.hide(first, [])
    return first, second, hidden, gate.hide(second, [gate.Earlier(1, first.values, hidden)])


def _counted(claims: pd.DataFrame, categories: Categories, number: int) -> Counted:
    return counted.count(claims, categories, number, "then", date(2025, 12, 31))


def _claims(
    n: int, seed: int, n_months: int = 9, n_insurers: int = 6, n_conditions: int = 5
) -> pd.DataFrame:
    """Answered claims, one patient each, some insurers and conditions frequent, others rare."""
    rng = np.random.default_rng(seed)
    insurer, condition = 1 / np.arange(1, n_insurers + 1), 1 / np.arange(1, n_conditions + 1)
    month = np.sort(rng.integers(0, n_months, n))
    frame = pd.DataFrame(
        {
            "claim_id": np.arange(n).astype(str),
            "patient_id": np.arange(n).astype(str),
            "insurer": _names("insurer", rng.choice(n_insurers, n, p=insurer / insurer.sum())),
            "condition": _names("", rng.choice(n_conditions, n, p=condition / condition.sum())),
            "quarter": [f"{2024 + m // 12} Q{m % 12 // 3 + 1}" for m in month],
            "month": month,
            "is_approved": rng.random(n) < 0.8,
        }
    )
    return frame.assign(payer_id=frame["insurer"])


def _names(kind: str, places: NDArray[np.int64]) -> list[str]:
    return [f"{kind} {place:02}" for place in places]


def _by_quarter(n_insurers: int, n_conditions: int) -> Iterator[Row]:
    """What a release of so many insurers and conditions publishes, over four quarters."""
    name = f"{n_insurers}x{n_conditions} by quarter"
    claims = _claims(15 * n_insurers * n_conditions, 1, 12, n_insurers, n_conditions)
    now = _counted(claims, counted.merged(claims, 0), 1)
    began = time.process_time()
    hidden = gate.hide(now, [])
    yield Row(f"hiding {name}", "no floor", (time.process_time() - began,), unit="CPU s")
    counts = {c: None if c in hidden else v for c, v in now.values.items()}
    sums = [(total, tuple(parts)) for total, parts in gate.sums_of(now.values)]
    began = time.process_time()
    done = attacker.attack(gate.as_published(counts, sums, [])[0])
    yield Row(f"attacking {name}", "no floor", (time.process_time() - began,), unit="CPU s")
    exposed = [float(len(done.proven) + len(done.told))]
    yield at_most(0, f"exposed in {name}", "one release", exposed, "counts")


# ---- single tables --------------------------------------------------------------------------


def _tables(shapes: list[tuple[int, ...]]) -> Iterator[Row]:
    for shape in shapes:
        name = "x".join(map(str, shape))
        made = _table(shape)
        began = time.process_time()
        hidden = disclosure.suppress(made)
        yield Row(f"hiding {name}", "no floor", (time.process_time() - began,), unit="CPU s")
        began = time.process_time()
        done = attacker.attack(published(made, hidden))
        yield Row(f"attacking {name}", "no floor", (time.process_time() - began,), unit="CPU s")
        exposed = [float(len(done.proven) + len(done.told))]
        yield at_most(0, f"exposed in {name}", "one release", exposed, "counts")
        yield Row(f"hidden in {name}", "small ones", (float(hidden.sum() / made.small.sum()),))
        if made.values.size <= disclosure.EXACT_CELLS:
            quick = disclosure.heuristic(made)
            cells = float(quick.sum() / hidden.sum())
            yield at_most(1.1, f"hidden in {name} by the heuristic", "the optimum", [cells])


def _table(shape: tuple[int, ...]) -> disclosure.Counts:
    """A table of this shape with all its totals in place 0, most categories rare."""
    rng = np.random.default_rng(len(shape))
    weights = rng.lognormal(0, 0.8, size=shape)
    for axis, size in enumerate(shape):
        share = 1 / np.arange(1, size + 1) ** 0.8
        weights = weights * share.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    inner = rng.multinomial(15 * int(np.prod(shape)), (weights / weights.sum()).ravel())
    table = inner.reshape(shape).astype(np.int64)
    for axis in range(table.ndim):
        table = np.concatenate([table.sum(axis=axis, keepdims=True), table], axis=axis)
    index = np.arange(table.size).reshape(table.shape)
    terms: list[list[tuple[int, int, float]]] = []
    for axis in range(table.ndim):
        for line in np.moveaxis(index, axis, -1).reshape(-1, table.shape[axis]):
            row = len(terms)
            terms.append(
                [(row, int(place), -1.0 if k == 0 else 1.0) for k, place in enumerate(line)]
            )
    rows, places, signs = zip(*(term for line in terms for term in line), strict=True)
    values = table.ravel()
    n_totals = (np.indices(table.shape).reshape(table.ndim, -1) == 0).sum(axis=0)
    return disclosure.Counts(
        values=values,
        sums=sparse.csr_matrix((signs, (rows, places)), shape=(len(terms), values.size)),
        cost=np.log2(1.0 + values) * 20.0 ** np.minimum(n_totals, 2) + 0.01,
        shown=np.zeros(values.size, bool),
        hidden=np.zeros(values.size, bool),
        least=np.minimum(values, 1),
    )


def published(made: disclosure.Counts, hidden: disclosure.Mask) -> Published:
    """What a stranger sees of it."""
    seen = [None if hide else int(n) for n, hide in zip(made.values, hidden, strict=True)]
    sums = []
    for start, end in zip(made.sums.indptr, made.sums.indptr[1:], strict=False):
        places, signs = made.sums.indices[start:end], made.sums.data[start:end]
        sums.append((int(places[signs < 0][0]), tuple(int(p) for p in places[signs > 0])))
    return Published(seen, sums)

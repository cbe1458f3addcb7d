"""Whether a release shows enough to be worth making; if not, what would."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from analysis.errors import GateRefused
from analysis.findings import population
from analysis.findings.finding import written
from analysis.release import counted, gate, verify
from analysis.release.counted import Categories, Counted
from analysis.release.months import Months

SIZES = (25, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000)
_FEWEST_TOLD = 2
_MONTHS_MORE = (1, 2, 3, 4, 6, 9, 12, 18, 24)


def hidden(
    now: Counted,
    claims: pd.DataFrame,
    everything: pd.DataFrame,
    months: Months,
    below: int = 0,
    again: Callable[[], Mapping[str, float]] = dict,
) -> frozenset[verify.Cell]:
    """The cells that a first release hides, where they are at most a quarter of its counts.

    `claims` are those it counts, in categories of at least `below`, `everything` all the practice's
    up to the last month; `again` gives the share that would be withheld if months were counted
    again, by the first of them. Raises GateRefused for more, and where no choice protects all; it
    says what would hold.
    """
    try:
        found = gate.hide(now, [])
        share = gate.sparsity(now, found)
        if share <= gate.TOO_SPARSE:
            return found
        refused = (
            f"{_percent(share)} of the counts of {months} would be withheld, more than a quarter:"
            f" {len(claims):,} claims are few for so many categories"
        )
        as_it_is = [f"leave it as it is: {_percent(share)}, add `--merge-below {below}`"]
    except GateRefused as problem:
        refused, as_it_is = f"in these categories {problem}", []
    lines = [*_merging(now, claims, below), *_waiting(now, everything, months)]
    lines += [
        f"count the months since {first} again: {_percent(told)}, add `--from {first}`"
        for first, told in again().items()
    ]
    raise GateRefused(choices(refused, [*lines, *as_it_is]))


def choices(refused: str, lines: Sequence[str]) -> str:
    """A refusal that says what would hold instead, a line for each."""
    return f"{refused}. Choose (share withheld):\n" + "\n".join(f"  {line}" for line in lines)


def wider(
    share: Callable[[int, bool], float | None], below: int, *, is_crossed: bool
) -> Iterator[str]:
    """What would be dense enough, or come nearest to it: fewer categories, or none crossed.

    `share` tells what would be withheld if categories of fewer than so many claims became "other",
    crossed or one by one; None where too few would be left. `below` and `is_crossed` are the ones
    found too sparse.
    """
    for crossed in (True, False) if is_crossed else (False,):
        tried: dict[int, float] = {}
        for size in (below, *(size for size in SIZES if size > below)):
            if (size, crossed) == (below, is_crossed):
                continue
            told = share(size, crossed)
            if told is None:
                break
            tried[size] = told
            if told <= gate.TOO_SPARSE:
                break
        best = min(tried, key=lambda size: (tried[size], size), default=below)
        if tried.get(best, 1.0) == 1.0:
            continue
        done, options = [], []
        if crossed != is_crossed:
            done.append("tell insurers, conditions and quarters one by one")
            options.append("--uncrossed")
        if best != below:
            done.append(f"put insurers and conditions of fewer than {best:,} claims together")
            options.append(f"--merge-below {best}")
        yield f"{', and '.join(done)}: {_percent(tried[best])}, add `{' '.join(options)}`"


def _merging(now: Counted, claims: pd.DataFrame, below: int) -> Iterator[str]:
    """What putting categories together would do."""

    def share(below: int, is_crossed: bool) -> float | None:
        merged = counted.merged(claims, below, is_crossed=is_crossed)
        is_left = min(len(merged.insurers), len(merged.conditions)) >= _FEWEST_TOLD
        return _sparsity(now, claims, merged) if is_left else None

    return wider(share, below, is_crossed=now.categories.is_crossed)


def _waiting(now: Counted, everything: pd.DataFrame, months: Months) -> list[str]:
    """With how many claims these categories would do; earlier months stand in for later ones."""
    month = population.month_of(everything)
    last = pd.Period(months.last, "M")
    n_now = (last - pd.Period(months.first, "M")).n + 1
    told, n = 0.0, 0
    for more in _MONTHS_MORE:
        like = everything[month > last - n_now - more]
        if month.min() > last - n_now - more + 1:
            break
        n = len(like)
        kept = replace(now.categories, quarters=())
        if (told := _sparsity(now, like, counted.extended(kept, like))) <= gate.TOO_SPARSE:
            return [
                f"wait until about {len(like):,} claims are answered, at this practice's pace those"
                f" through {last + more}: {_percent(told)} of as many of its earlier claims"
            ]
    return [f"waiting alone takes long: even {n:,} claims withhold {_percent(told)}"] if n else []


def _sparsity(now: Counted, claims: pd.DataFrame, categories: Categories) -> float:
    """The share withheld of the counts of `claims`; all where no choice protects them."""
    counts = counted.count(claims, categories, 1, now.period, now.as_of)
    try:
        return gate.sparsity(counts, gate.hide(counts, []))
    except GateRefused:
        return 1.0


def _percent(share: float) -> str:
    return written(share, "percent")

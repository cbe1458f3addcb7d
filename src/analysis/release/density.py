"""Whether a release shows enough to be worth making; if not, what would."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd

from analysis.errors import GateRefused
from analysis.findings import population
from analysis.findings.finding import written
from analysis.release import counted, gate, verify
from analysis.release.counted import Categories, Counted
from analysis.release.months import Months

SIZES = (25, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000)
_MONTHS_MORE = (1, 2, 3, 4, 6, 9, 12, 18, 24)


def require(
    now: Counted,
    hidden: frozenset[verify.Cell],
    claims: pd.DataFrame,
    everything: pd.DataFrame,
    months: Months,
    again: Callable[[], Mapping[str, float]],
) -> None:
    """Refuse a release that would withhold over a quarter of its counts, saying what would hold.

    `claims` are those it counts, `everything` all the practice's up to the last month; `again`
    gives the share that would be withheld if months were counted again, by the first of them.
    Raises GateRefused.
    """
    share = gate.sparsity(now, hidden)
    if share <= gate.TOO_SPARSE:
        return
    lines = [*_merging(now, claims, share), *_waiting(now, everything, months)]
    lines += [
        f"count the months since {first} again: {_percent(told)}, add `--from {first}`"
        for first, told in again().items()
    ]
    lines.append(f"publish it as it is: {_percent(share)}, add `--merge-below 0`")
    raise GateRefused(
        f"{_percent(share)} of the counts of {months} would be withheld, more than a quarter:"
        f" {len(claims):,} claims are few for so many categories. Choose (share withheld):\n"
        + "\n".join(f"  {line}" for line in lines)
    )


def _merging(now: Counted, claims: pd.DataFrame, share: float) -> list[str]:
    """The fewest categories to put together for a release that is dense enough, or the best."""
    tried = {0: share}
    for below in SIZES:
        merged = counted.merged(claims, below)
        if min(len(merged.insurers), len(merged.conditions)) < 2:
            break
        tried[below] = _sparsity(now, claims, merged)
        if tried[below] <= gate.TOO_SPARSE:
            break
    best = min(tried, key=lambda below: (tried[below], below))
    if not best:
        return []
    return [
        f"put insurers and conditions of fewer than {best} claims together:"
        f" {_percent(tried[best])}, add `--merge-below {best}`"
    ]


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
    counts = counted.count(claims, categories, 1, now.period, now.as_of)
    return gate.sparsity(counts, gate.hide(counts, []))


def _percent(share: float) -> str:
    return written(share, "percent")

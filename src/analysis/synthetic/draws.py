"""Random draws that are the same on every machine: uniforms of PCG64, converted here."""

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import TypeVar

from numpy.random import PCG64, Generator, SeedSequence

T = TypeVar("T")

_STANDARD_NORMAL = NormalDist()


class Draws:
    """A stream of draws, told apart from the other streams of one seed by its number."""

    def __init__(self, seed: int, stream: int) -> None:
        generator = Generator(PCG64(SeedSequence([seed, stream])))
        self.uniform = _uniforms(generator).__next__

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One item, all equally likely."""
        return items[int(self.uniform() * len(items))]

    def weighted(self, items: Sequence[T], weights: Sequence[float]) -> T:
        """One item, likely in proportion to its weight; the weights need not sum to one."""
        left = self.uniform() * sum(weights)
        for item, weight in zip(items, weights, strict=True):
            left -= weight
            if left < 0:
                return item
        return items[-1]

    def normal(self) -> float:
        """A standard normal draw."""
        return _STANDARD_NORMAL.inv_cdf(self.uniform() or 0.5)

    def lognormal(self, median: float, p95: float) -> float:
        """A positive draw with this median and 95th percentile."""
        return median * math.exp(self.normal() * math.log(p95 / median) / 1.6448536)


def _uniforms(generator: Generator) -> Iterator[float]:
    """Uniforms one by one, drawn in blocks: a draw from numpy alone costs ten times as much."""
    while True:
        yield from generator.random(4096).tolist()

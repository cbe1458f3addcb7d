"""Which months a release counts: those that no earlier one did, unless it is asked to count more.

Of two releases that count the same claims but for the newest, the difference tells of these few. So
months are counted once and stay as they were published; a release begins where the last one ended.
Counts of different months have no claim in common, so knowing both tells nothing more. One that
counts months again, with newer ones or to correct them, is judged jointly with what was published.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.errors import GateRefused, UsageError
from analysis.reports.period import Month


@dataclass(frozen=True)
class Months:
    """The months from `first` to `last`, YYYY-MM."""

    first: str
    last: str

    def overlaps(self, other: "Months") -> bool:
        """Whether a month is in both.

        >>> Months("2025-01", "2025-12").overlaps(Months("2026-01", "2026-03"))
        False
        """
        return self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        """In words, as people read it."""
        first, last = Month.parse(self.first).label, Month.parse(self.last).label
        return first if first == last else f"{first} to {last}"


def chosen(
    last: str, since: str, corrects: int, earlier: Mapping[int, Months], beginning: str
) -> Months:
    """The months through `last` that a release counts, after `earlier` ones by their numbers.

    From `since` where that is asked; else from where the release began that counts `last` already
    or that this one `corrects`; else from the end of the last one; else from the `beginning`.
    Raises GateRefused where months would be counted twice by releases that begin differently: what
    both tell together cannot be judged.
    """
    around = [m.first for m in earlier.values() if m.first <= last <= m.last]
    before = [m.last for m in earlier.values() if m.last < last]
    if since:
        first = str(Month.parse(since))
    elif corrects:
        first = earlier[corrects].first
    elif around:
        first = around[-1]
    else:
        first = str(Month.parse(max(before)).next) if before else beginning
    if first > last:
        raise UsageError(f"--from {first}: that is after {last}, the last month counted")
    asked = Months(first, last)
    for number, other in earlier.items():
        if asked.overlaps(other) and asked.first != other.first:
            raise GateRefused(
                f"release {number} counts {other}; one that counts some of these months again has"
                f" to begin as it did (`--from {other.first}`), any other after them"
                f" (`--from {Month.parse(other.last).next}`)"
            )
    return asked

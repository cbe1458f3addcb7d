"""Days as ordinals: how they are written, and on which of them things are sent and paid."""

from datetime import date
from functools import cache

from analysis.synthetic.world import AS_OF as AS_OF_DATE

AS_OF = AS_OF_DATE.toordinal()

_BATCH_WEEKDAY = {"northlink": 4}
"""The weekday a clearinghouse takes the practice's batch; the others take it twice a month."""


@cache
def iso(day: int) -> str:
    """A day as YYYY-MM-DD.

    >>> iso(date(2026, 9, 30).toordinal())
    '2026-09-30'
    """
    return date.fromordinal(day).isoformat()


@cache
def d8(day: int) -> str:
    """A day as X12 writes it, YYYYMMDD."""
    return iso(day).replace("-", "")


@cache
def year(day: int) -> int:
    """The calendar year of a day."""
    return date.fromordinal(day).year


@cache
def next_batch(day: int, clearinghouse: str) -> int:
    """The first day from this one on which the practice sends to a clearinghouse.

    Every batch is followed by one on the last day of the month, so that nothing stays behind.
    """
    while not _is_batch_day(day, clearinghouse):
        day += 1
    return day


@cache
def next_pay_day(day: int, weekdays: tuple[int, int]) -> int:
    """The first day from this one on which a payer with these pay days pays."""
    while date.fromordinal(day).weekday() not in weekdays:
        day += 1
    return day


def first_day(n_months: int) -> int:
    """The first day of the month that opens the n months ending with the as-of date."""
    months = AS_OF_DATE.year * 12 + AS_OF_DATE.month - n_months
    return date(months // 12, months % 12 + 1, 1).toordinal()


def _is_batch_day(day: int, clearinghouse: str) -> bool:
    if date.fromordinal(day + 1).day == 1:
        return True
    that = date.fromordinal(day)
    if clearinghouse in _BATCH_WEEKDAY:
        return that.weekday() == _BATCH_WEEKDAY[clearinghouse]
    return that.day == 15

"""The report month: its name, its days, and which months a practice's files can carry."""

import calendar
import re
from dataclasses import dataclass
from datetime import date

from analysis import config, outcomes, tables
from analysis.config import Folders
from analysis.errors import DataError, UsageError, nearest

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def in_words(day: date) -> str:
    """A day as people read it.

    >>> in_words(date(2026, 3, 1))
    '1 March 2026'
    """
    return f"{day.day} {Month.of(day).label}"


@dataclass(frozen=True, order=True)
class Month:
    """One calendar month.

    >>> month = Month.parse("2026-03")
    >>> month.label, month.start, month.end
    ('March 2026', datetime.date(2026, 3, 1), datetime.date(2026, 3, 31))
    >>> str(Month.parse("2026-12").next)
    '2027-01'
    """

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """The month written YYYY-MM. Raises UsageError for anything else."""
        match = _MONTH.fullmatch(text)
        if not match:
            raise UsageError(f"month: '{text}' is not a month; for example month=2026-03")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> "Month":
        """The month a day lies in."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        """YYYY-MM, as folders and parameters write it."""
        return f"{self.year:04}-{self.number:02}"

    @property
    def label(self) -> str:
        """The month as people read it."""
        return f"{calendar.month_name[self.number]} {self.year}"

    @property
    def start(self) -> date:
        """The first day."""
        return date(self.year, self.number, 1)

    @property
    def end(self) -> date:
        """The last day."""
        return date(self.year, self.number, calendar.monthrange(self.year, self.number)[1])

    @property
    def next(self) -> "Month":
        """The month after."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)


@dataclass(frozen=True)
class Period:
    """What the files of a practice cover: first day of activity, and the day they are read."""

    first: date
    as_of: date

    @property
    def months(self) -> list[Month]:
        """The months a report can be made for: from the first one to the last complete one."""
        month, months = Month.of(self.first), []
        while month.end <= self.as_of:
            months.append(month)
            month = month.next
        return months

    def month(self, text: str) -> Month:
        """The month named by `text`; '' is the last complete one.

        Raises UsageError for a month outside the files, naming the nearest one inside, and
        DataError while no month is complete.
        """
        months = self.months
        if not months:
            raise DataError(
                f"no month is complete yet: the files end on {self.as_of}; "
                f"the first report can be made when {Month.of(self.first).label} is over"
            )
        if not text:
            return months[-1]
        month = Month.parse(text)
        if month in months:
            return month
        hint = nearest(text, [str(known) for known in months])
        raise UsageError(
            f"month: nothing to report for {month}; {hint} "
            f"(the files cover {months[0]} to {months[-1]}; a running month is not reported)"
        )


def covered(folders: Folders) -> Period:
    """The period of a practice's processed files, from the claims and answers they hold.

    It begins with the first submission (or service, where no submission is known) or payment. The
    as-of date is the one outcomes are read at: practice.toml's, else the latest day met. Raises
    DataError when neither claim nor payment carries a date.
    """
    import pyarrow.compute as pc

    names = ("claims", "payments", "remittances")
    inputs = {name: tables.read(folders.processed, name) for name in names}
    last = outcomes.last_day(inputs)
    claims, payments = inputs["claims"], inputs["payments"]
    sent = pc.coalesce(claims["submitted_date"], claims["service_date"])
    days = [pc.min_max(column)["min"].as_py() for column in (sent, payments["payment_date"])]
    return Period(
        first=min((day for day in days if day is not None), default=last),
        as_of=config.load_practice(folders.raw).as_of or last,
    )

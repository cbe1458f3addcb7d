"""A finding: one sentence together with everything that must travel with its numbers."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from string import Formatter
from types import MappingProxyType
from typing import Any

Value = int | float | str | date

ONE_PRACTICE = (
    "must not be generalised to other practices, other professions or an insurer's claims at large"
)
_NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True)
class Scope:
    """What a set of findings speaks about: whose claims, when, and as of which day."""

    population: str
    period: str
    as_of: date


@dataclass(frozen=True)
class Numbers:
    """The numbers of a finding; None where the data cannot carry one.

    `estimate` with `lower` and `upper` (95% interval) is a share (0 to 1), unless the question's
    unit says otherwise.
    """

    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    numerator: int | None = None
    denominator: int | None = None


NO_NUMBERS = Numbers()


@dataclass(frozen=True)
class Finding:
    """One answer to one question, ready to quote; numbers as in `Numbers`.

    `coverage` is how often intervals made this way held the truth where it was known, `sources`
    are the tables it is computed from, `template` is the sentence before its numbers.

    A sentence with a digit that comes from no bound value is refused with ValueError.
    """

    id: str
    question: str
    sentence: str
    unit: str
    population: str
    period: str
    as_of: date
    definition: str
    method: str
    must_not: str
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    numerator: int | None = None
    denominator: int | None = None
    caveats: tuple[str, ...] = ()
    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    coverage: float | None = None
    sources: tuple[str, ...] = ()
    template: str = ""

    def __post_init__(self) -> None:
        """Refuse a sentence that says a number of its own."""
        loose = unbound_digits(self)
        if loose:
            raise ValueError(f"finding {self.id}: digits bound to no value: {', '.join(loose)}")

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON-ready values; fractions to nine places, the same on any machine."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True)
class Question:
    """What is asked and how it is counted: the part of a finding that no data changes."""

    id: str
    question: str
    unit: str
    definition: str
    method: str
    caveats: tuple[str, ...] = ()
    must_not: str = ONE_PRACTICE
    coverage: float | None = None
    sources: tuple[str, ...] = ()

    def answer(
        self,
        template: str,
        scope: Scope,
        numbers: Numbers = NO_NUMBERS,
        values: Mapping[str, Value] = MappingProxyType({}),
    ) -> Finding:
        """The finding whose sentence is `template` filled from `numbers`, `scope` and `values`.

        A field is written `{name:kind}`. Kinds: count, percent, whole (a percentage without its
        sign), points (a difference of percentages), number, precise (three decimals), dollars
        (from cents), date, month, or `n <noun>` ("1 claim", "182 claims").
        """
        bound = {**vars(numbers), **vars(scope), **values}
        return Finding(
            sentence=_Sentence().vformat(template, (), bound),
            template=template,
            values=MappingProxyType(dict(values)),
            **vars(self),
            **vars(scope),
            **vars(numbers),
        )


def unbound_digits(finding: Finding) -> list[str]:
    """The numbers in a finding's sentence that come from none of its values."""
    bound = [getattr(finding, number.name) for number in fields(Numbers)]
    bound += [finding.as_of, finding.period, finding.population, *finding.values.values()]
    forms = {form for value in bound if value is not None for form in _forms(value)}
    rest = finding.sentence
    for form in sorted(forms, key=len, reverse=True):
        # Whole numbers only: a bound 1 must not excuse the first digit of 17.
        rest = re.sub(rf"(?<![\d.,]){re.escape(form)}(?!\d|[.,]\d)", " ", rest)
    return _NUMBER.findall(rest)


def written(value: Any, kind: str) -> str:
    """A value as people read it; `kind` as in `Question.answer`.

    >>> written(0.714, "percent"), written(0.997, "percent"), written(1234567, "dollars")
    ('71%', 'over 99%', '$12,346')
    >>> written(1, "n claim"), written(1204, "n claim"), written(date(2026, 6, 30), "date")
    ('1 claim', '1,204 claims', '30 June 2026')
    """
    if kind.startswith("n "):
        return f"{value:,} {kind[2:]}{'' if value == 1 else 's'}"
    return _KINDS[kind](value)


class _Sentence(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        return written(value, format_spec)


def _percent(share: float) -> str:
    # A rounded 100% would claim that there was no exception, and 0% that there was no case.
    if 0 < share < 0.005:
        return "under 1%"
    if 0.995 <= share < 1:
        return "over 99%"
    return f"{_whole(share)}%"


def _whole(share: float) -> str:
    # The small term undoes binary fractions such as 0.285 * 100 = 28.499999999999996.
    return str(math.floor(100 * share + 0.5 + 1e-9))


def _dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${(abs(cents) + 50) // 100:,}"


def _cents(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


_KINDS: Mapping[str, Callable[[Any], str]] = {
    "": str,
    "count": lambda value: f"{value:,}",
    "percent": _percent,
    "whole": _whole,
    "points": lambda share: _whole(abs(share)),
    "number": lambda value: f"{value:.2f}",
    "precise": lambda value: f"{value:.3f}",
    "dollars": _dollars,
    "cents": _cents,
    "date": _day,
    "month": lambda day: f"{day:%B %Y}",
}


def _forms(value: Value) -> set[str]:
    """Every number the value may show in a sentence."""
    match value:
        case str():
            return {value} if _NUMBER.search(value) else set()
        case date():
            return {_day(value), f"{value:%B %Y}"}
        case int():
            return {f"{value:,}", _dollars(value).lstrip("-$")}
        case _:
            shown = (_percent(abs(value)), _whole(abs(value)), f"{value:.2f}", f"{value:.3f}")
            return {number for text in shown for number in _NUMBER.findall(text)}


def _plain(value: Any) -> Any:
    match value:
        case float():
            return round(value, 9)
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
        case Mapping():
            return {key: _plain(value[key]) for key in sorted(value)}
        case _:
            return value

"""What one cell says: money, days, counts, answers. No reason quotes the cell.

A day such as 3/4/2026 is never guessed by itself: its column must prove the order, or someone
must state it.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

YES = frozenset({"y", "yes", "true", "1", "x"})
NO = frozenset({"n", "no", "false", "0"})
UNKNOWN = frozenset({"?", "unknown"})
BLANK = frozenset({"", "-", "--"})

# Day zero of a spreadsheet's count of days; old spreadsheets of Macs counted from 1904.
SERIAL_ORIGIN = date(1899, 12, 30)
SERIAL_ORIGIN_1904 = date(1904, 1, 1)

_MONEY = re.compile(
    r"([-+])?\$?(\()?\$?([-+])?\$?(\d{1,3}(?:,\d{3})+|\d+)?(\.\d*)?(-)?(\))?", re.ASCII
)
_CLOCK = r"(?:[ T].*)?"
_NUMERIC_DATE = re.compile(rf"(\d{{1,2}})[/.-](\d{{1,2}})[/.-](\d{{4}}|\d{{2}}){_CLOCK}", re.ASCII)
_YEAR_FIRST = re.compile(
    rf"(\d{{4}})(?:([-/.])(\d{{1,2}})\2(\d{{1,2}})|(\d\d)(\d\d)){_CLOCK}", re.ASCII
)
_NAMED_MONTH = re.compile(
    rf"(?:(\d{{1,2}})[ -])?([A-Za-z]{{3,9}})\.?[ -](?:(\d{{1,2}}),? )?(\d{{4}}){_CLOCK}", re.ASCII
)
_SERIAL_DATE = re.compile(r"([2-7]\d{4})(?:\.\d+)?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE | re.ASCII)

_CODE_MINUTES = re.compile(r"([A-Z0-9]{5})\s*[=:]\s*(\d{1,3})")


class UnclearError(ValueError):
    """A file, row or cell that cannot be understood; the text says what to do."""


def cents(text: str) -> int | None:
    """ "$1,234.50" as 123450 and "(30.00)" as -3000; None for a blank or '--'."""
    bare = "".join(text.split()).replace("−", "-")
    if bare in BLANK:
        return None
    match = _MONEY.fullmatch(bare)
    unclear = UnclearError("is no amount; write it as 1234.50")
    if not match or bool(match[2]) != bool(match[7]) or len(bare) > 20:
        raise unclear
    signs = [match[place] for place in (1, 2, 3, 6) if match[place]]
    if len(signs) > 1:
        raise unclear
    try:
        amount = Decimal((match[4] or "").replace(",", "") + (match[5] or "")) * 100
    except InvalidOperation:
        raise unclear from None
    # Spreadsheets write 0.1 + 0.2 as 0.30000000000000004; half a cent is another matter.
    if abs(amount - round(amount)) > Decimal("0.0001"):
        raise unclear
    return round(amount) * (-1 if signs and signs[0] != "+" else 1)


def proven_orders(texts: Iterable[str]) -> set[str]:
    """The orders, MDY and DMY, that some day above 12 proves."""
    pairs = _pairs(texts)
    return {"DMY" for a, b in pairs if a > 12 >= b} | {"MDY" for a, b in pairs if b > 12 >= a}


def needs_order(texts: Iterable[str]) -> bool:
    """Whether some date may be read month first and day first."""
    return any(a != b and max(a, b) <= 12 for a, b in _pairs(texts))


def _pairs(texts: Iterable[str]) -> list[tuple[int, int]]:
    return [(int(m[1]), int(m[2])) for m in map(_NUMERIC_DATE.fullmatch, texts) if m]


def decided_order(proven: set[str], is_needed: bool) -> str | None:
    """MDY or DMY, as days above 12 have `proven`; None where nothing needs an order.

    Raises UnclearError where nothing proves an order that is needed, or where both are proved.
    """
    if len(proven) > 1:
        raise UnclearError("holds dates both month first and day first; export it in one order")
    if not proven and is_needed:
        raise UnclearError(
            "may hold dates month first or day first; state it in practice.toml under "
            '[[exports]]: date_order = "MDY" for month first, "DMY" for day first'
        )
    return next(iter(proven), None)


def day(text: str, order: str | None, serial_origin: date = SERIAL_ORIGIN) -> date | None:
    """A date in a column of that order, or a spreadsheet's count of days; None for a blank."""
    if text in BLANK:
        return None
    try:
        if match := _SERIAL_DATE.fullmatch(text):
            return serial_origin + timedelta(days=int(match[1]))
        if match := _YEAR_FIRST.fullmatch(text):
            return date(int(match[1]), int(match[3] or match[5]), int(match[4] or match[6]))
        if match := _NUMERIC_DATE.fullmatch(text):
            year = int(match[3])
            month, of_month = _month_and_day(int(match[1]), int(match[2]), order)
            return date(year + 2000 if year < 100 else year, month, of_month)
        match = _NAMED_MONTH.fullmatch(text)
        if match and bool(match[1]) != bool(match[3]):
            month = _MONTHS.index(match[2][:3].lower()) + 1
            return date(int(match[4]), month, int(match[1] or match[3]))
    except UnclearError:
        raise
    except ValueError:
        pass
    raise UnclearError("is not a date; write it as YYYY-MM-DD")


def _month_and_day(first: int, second: int, order: str | None) -> tuple[int, int]:
    if order is None:
        if first != second and max(first, second) <= 12:
            raise UnclearError("may be month first or day first; write it as YYYY-MM-DD")
        order = "DMY" if first > 12 else "MDY"
    return (second, first) if order == "DMY" else (first, second)


def yes_no(text: str) -> bool | None:
    """yes and no in the words people use; None for a question mark."""
    word = text.lower()
    if word in YES:
        return True
    if word in NO:
        return False
    if word in UNKNOWN:
        return None
    raise UnclearError("is not understood; write yes, no, or leave it empty")


def count(text: str) -> int:
    """A whole number. More than 9 digits is no number of visits."""
    # A spreadsheet may write a whole number as 12.0.
    if match := re.fullmatch(r"(\d{1,9})(?:\.0+)?", text, re.ASCII):
        return int(match[1])
    raise UnclearError("is not a whole number; write digits only, or leave it empty")


def number(text: str) -> float:
    """A number; yes is 1 and no is 0."""
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text, re.ASCII):
        return float(text)
    if text.lower() in YES | NO:
        return float(text.lower() in YES)
    raise UnclearError("is not a number; write digits, with a point for fractions")


def clock(text: str) -> str:
    """A time of day as HH:MM."""
    if match := _TIME.fullmatch(text):
        hour, minute, half = int(match[1]), int(match[2]), (match[3] or "").lower()
        if minute < 60 and (1 <= hour <= 12 if half else hour < 24):
            hour = hour % 12 + (12 if half == "p" else 0) if half else hour
            return f"{hour:02d}:{minute:02d}"
    raise UnclearError("is not a time; write it as HH:MM")


def state(text: str) -> str:
    """A state's two letters, upper case."""
    if re.fullmatch("[A-Za-z]{2}", text):
        return text.upper()
    raise UnclearError("is not a state; write two letters, for example WA")


def choice(text: str, allowed: tuple[str, ...]) -> str:
    """One of the words allowed."""
    word = re.sub(r"[\s-]+", "_", text.lower())
    if word in allowed:
        return word
    raise UnclearError(f"is not understood; write one of: {', '.join(allowed)}")


def words(text: str) -> list[str]:
    """Words separated by semicolons or commas, each once, lower case."""
    parts = (" ".join(part.lower().split()) for part in re.split("[;,]", text))
    return list(dict.fromkeys(part for part in parts if part))


def minutes(text: str) -> list[tuple[str | None, int]]:
    """(code, minutes) of each part; a number alone is the minutes of all timed codes together."""
    if match := re.fullmatch(r"(\d{1,3})(?:\.0+)?", text):
        return [(None, int(match[1]))]
    parts = [part.strip() for part in re.split("[;,]", text) if part.strip()]
    matches = [_CODE_MINUTES.fullmatch(part.upper()) for part in parts]
    by_code: list[tuple[str | None, int]] = [(m[1], int(m[2])) for m in matches if m]
    if len(by_code) == len(parts) == len({code for code, _ in by_code}):
        return by_code
    raise UnclearError(
        "is not understood; write each code once with its minutes, as in 97124=30;97140=15, or the "
        "minutes of all codes together, as in 45"
    )

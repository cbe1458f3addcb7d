"""Money and days as people and programs write them: read right, or not at all."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.intake.cells import (
    SERIAL_ORIGIN_1904,
    UnclearError,
    cents,
    day,
    decided_order,
    needs_order,
    proven_orders,
)

DAYS = st.dates(date(1960, 1, 1), date(2090, 1, 1))
WRITTEN = {"MDY": "{0.month}/{0.day}/{0.year}", "DMY": "{0.day}.{0.month}.{0.year}"}


@given(st.integers(-(10**9), 10**9))
def test_money_survives_every_way_of_writing_it(amount: int) -> None:
    whole, part = divmod(abs(amount), 100)
    grouped, bare = f"{whole:,}.{part:02d}", f"{whole}.{part:02d}"
    ways = (
        [f"({grouped})", f"(${bare})", f"$({bare})", f"-${grouped}", f"$-{bare}", f"{bare}-",
         f"−{bare}"]
        if amount < 0
        else [grouped, bare, f"$ {grouped}", f"+{bare}", f"  ${bare} "]
    )  # fmt: skip
    assert {cents(way) for way in ways} == {amount}


@given(st.text(st.sampled_from("0123456789.,$()-+ "), max_size=12))
def test_money_is_an_exact_amount_or_refused(text: str) -> None:
    try:
        amount = cents(text)
    except UnclearError:
        return
    digits = "".join(c for c in text if c.isdigit())
    if amount is None:
        assert not digits
    else:
        # No digit is lost or moved, whatever signs and separators stand around it.
        after_point = text.split(".")[1] if "." in text else ""
        n_decimals = sum(c.isdigit() for c in after_point)
        assert abs(amount) * 10**n_decimals == int(digits) * 100


@pytest.mark.parametrize(
    "text",
    ["1,23", "1.234,50", "12,34,567", "(30.00", "30.00)", "(-30.00)", "1.005", "--5", "n/a", "٣",
     "1e3", "=1+1", "#N/A", "9" * 30],
)  # fmt: skip
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UnclearError, match="no amount"):
        cents(text)


@pytest.mark.parametrize("text", ["", "-", "--", "  "])
def test_a_blank_amount_is_unknown_and_not_zero(text: str) -> None:
    assert cents(text) is None


@given(DAYS)
def test_a_day_survives_every_way_of_writing_it(when: date) -> None:
    serial = str((when - date(1899, 12, 30)) // timedelta(days=1))
    written = f"{when:%B} {when.day}, {when.year}"
    plain = [f"{when}", f"{when:%Y%m%d}", f"{when:%Y/%m/%d}", f"{when:%d-%b-%Y}", written,
             f"{when} 00:00:00", serial, f"{serial}.5"]  # fmt: skip
    assert {day(way, None) for way in plain} == {when}
    for order, form in WRITTEN.items():
        assert day(form.format(when), order) == when


def test_an_old_spreadsheet_of_a_mac_counts_from_1904() -> None:
    assert day("44635", None, SERIAL_ORIGIN_1904) == date(2026, 3, 16)


def date_order(texts: list[str]) -> str | None:
    return decided_order(proven_orders(texts), needs_order(texts))


@given(st.lists(DAYS, min_size=1, max_size=8), st.sampled_from(["MDY", "DMY"]))
def test_the_order_of_a_column_is_proved_or_asked_about_never_guessed(
    days: list[date], order: str
) -> None:
    texts = [WRITTEN[order].format(when) for when in days]
    # Asked only where a date has two readings and none of the column has a single one.
    if all(when.day <= 12 for when in days) and any(when.day != when.month for when in days):
        with pytest.raises(UnclearError, match='date_order = "MDY"'):
            date_order(texts)
    else:
        assert [day(text, date_order(texts)) for text in texts] == days


@given(st.lists(DAYS, min_size=1, max_size=6), st.lists(DAYS, min_size=1, max_size=6))
def test_a_column_that_holds_both_orders_is_refused_not_read_row_by_row(
    month_first: list[date], day_first: list[date]
) -> None:
    texts = [WRITTEN["MDY"].format(d) for d in month_first]
    texts += [WRITTEN["DMY"].format(d) for d in day_first]
    if len(proven_orders(texts)) == 2:
        with pytest.raises(UnclearError, match="both"):
            date_order(texts)
    # A date that has two readings is never read without an order.
    for text in texts:
        if needs_order([text]):
            with pytest.raises(UnclearError, match="month first or day first"):
                day(text, None)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "13/13/2026", "31/12/2026", "soon", "202611", "٣/٣/2026"]
)
def test_what_is_no_date_in_its_order_is_refused(text: str) -> None:
    with pytest.raises(UnclearError, match="not a date"):
        day(text, "MDY")

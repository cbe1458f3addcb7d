"""Which months can be reported on, and which day the answers are read on."""

from datetime import date

import pytest

from analysis.errors import DataError, UsageError
from analysis.reports import period
from analysis.reports.period import Month, Period
from reports.made_practice import AS_OF, FIRST_DAY, make_practice, write


def months(first: date, as_of: date) -> list[str]:
    return [str(month) for month in Period(first, as_of).months]


def test_a_running_month_is_not_reported():
    assert months(date(2025, 11, 20), date(2026, 2, 27)) == ["2025-11", "2025-12", "2026-01"]


def test_a_month_is_complete_on_its_last_day():
    assert months(date(2026, 2, 1), date(2026, 2, 28)) == ["2026-02"]


def test_before_the_first_month_is_over_there_is_nothing_to_report():
    with pytest.raises(DataError, match="when February 2026 is over"):
        Period(date(2026, 2, 1), date(2026, 2, 27)).month("")


def test_the_nearest_month_is_named_for_one_outside_the_files():
    covered = Period(date(2025, 11, 20), date(2026, 2, 27))
    assert covered.month("2025-12") == Month(2025, 12)
    with pytest.raises(UsageError, match="the files cover 2025-11 to 2026-01"):
        covered.month("2026-02")


def test_a_practice_that_states_its_as_of_date_is_read_on_that_day(tmp_path):
    folders = make_practice(tmp_path)
    assert period.covered(folders) == Period(FIRST_DAY, AS_OF)


def test_else_the_latest_day_met_is_the_as_of_date(tmp_path):
    folders = make_practice(tmp_path)
    (folders.raw / "practice.toml").unlink()
    write(folders, "payments", [{"payment_id": "1", "payment_date": date(2026, 5, 9)}])
    assert period.covered(folders).as_of == date(2026, 5, 9)


def test_a_practice_with_remittances_alone_has_months_too(tmp_path):
    folders = make_practice(tmp_path)
    write(folders, "claims", [])
    write(folders, "payments", [{"payment_id": "1", "payment_date": date(2026, 2, 9)}])
    assert [str(m) for m in period.covered(folders).months] == ["2026-02", "2026-03"]


def test_no_dated_claim_or_payment_is_said(tmp_path):
    folders = make_practice(tmp_path)
    write(folders, "claims", [])
    with pytest.raises(DataError, match="no claim and no payment"):
        period.covered(folders)

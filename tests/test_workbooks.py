"""What people open in a spreadsheet program is private, whole, and never runs."""

import csv
import os
import stat
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import workbooks
from analysis.workbooks import Heading, Sheet

COLUMNS = (Heading("Insurer"), Heading("Due", "date"), Heading("Worth", "dollars"))
HOSTILE = '=HYPERLINK("http://x.example","look")'


@given(st.text(alphabet="=+-@\t\r\n ＝＠ a1(", max_size=6))
def test_no_text_begins_like_a_formula(text):
    shown = str(workbooks.inert(text))
    assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"))
    assert shown in (text, f"'{text}")


def test_a_csv_says_money_and_days_plainly_and_runs_nothing(tmp_path):
    path = workbooks.write_csv(
        tmp_path / "list.csv", COLUMNS, [(HOSTILE, date(2026, 3, 1), 120_405), ("A", None, None)]
    )
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, first, second = csv.reader(file)
    assert head == ["Insurer", "Due", "Worth"]
    assert first == ["'" + HOSTILE, "2026-03-01", "1204.05"]
    assert second == ["A", "", ""]


def test_a_workbook_holds_texts_days_and_money_and_no_formula(tmp_path):
    sheet = Sheet("To do", COLUMNS, [(HOSTILE, date(2026, 3, 1), 120_405), ("a\x00b", None, None)])
    path = workbooks.write_workbook(tmp_path / "list.xlsx", [sheet])
    page = openpyxl.load_workbook(path)["To do"]
    text, day, money = page[2]
    assert (text.value, text.data_type, text.quotePrefix) == (HOSTILE, "s", True)
    assert day.value.date() == date(2026, 3, 1)
    assert (money.value, money.number_format) == (1204.05, "$#,##0.00")
    assert page["A3"].value == "a\ufffdb"
    assert page.freeze_panes == "B2"
    assert (page.print_title_rows, page.page_setup.orientation) == ("$1:$1", "landscape")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such modes")
def test_what_is_written_is_for_the_owner_alone_whatever_lay_there(tmp_path):
    path = tmp_path / "private" / "list.csv"
    path.parent.mkdir()
    path.write_text("earlier")
    path.chmod(0o644)
    workbooks.write_csv(path, COLUMNS, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["list.csv"]


def test_a_failed_write_leaves_the_earlier_file(tmp_path):
    path = workbooks.write_text(tmp_path / "list.csv", "earlier")
    with pytest.raises(ValueError, match="zip"):
        workbooks.write_csv(path, COLUMNS, [("one cell too few", None)])
    assert path.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["list.csv"]

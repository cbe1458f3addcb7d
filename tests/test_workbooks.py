"""What people open in a spreadsheet program is private, whole, and never runs."""

import csv
import os
import re
import stat
import zipfile
from datetime import date

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analysis import workbooks
from analysis.workbooks import Heading, Sheet

COLUMNS = (Heading("Insurer"), Heading("Due", "date"), Heading("Worth", "dollars"))
HOSTILE = '=HYPERLINK("http://x.example","look")'


# What begins a formula, what hides its beginning, what some programs take for the end of a cell.
TEXTS = st.text(alphabet="=+-@\t\r\n ＝＠\u00a0\u200b\ufeff\x00;,|'\"!a1(", max_size=8)
STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
UNSEEN = " \t\r\n\u00a0\u200b\ufeff\x00"


def runs(text):
    """Whether some spreadsheet program, under some settings, may take part of `text` to run."""
    return any(
        part.lstrip(UNSEEN).startswith(STARTS) for part in (text, *re.split(r"[;\t\r\n]", text))
    )


@given(TEXTS)
@example("=cmd|' /C calc'!A0")
@example("\t=cmd|' /C calc'!A0")
@example("Harbor;=cmd|' /C calc'!A0")
@example("Harbor\r\n+1")
def test_no_part_of_a_text_begins_like_a_formula_and_nothing_else_changes(text):
    shown = str(workbooks.inert(text))
    assert not runs(shown)
    assert not shown.startswith(("\t", "\r", "\n"))
    assert shown.replace("'", "") == text.replace("'", "")
    assert shown == text or runs(text) or re.search(r"(^|[;\t\r\n])[\t\r\n]", text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_what_was_written_opens_as_text_in_both_files(tmp_path, texts):
    rows = [(text, None, None) for text in texts]
    path = workbooks.write_csv(tmp_path / "list.csv", COLUMNS, rows)
    with path.open(encoding="utf-8-sig", newline="") as file:
        _, *read = csv.reader(file)
    assert [row[0] for row in read] == [workbooks.inert(text) for text in texts]
    path = workbooks.write_workbook(tmp_path / "list.xlsx", [Sheet("To do", COLUMNS, rows)])
    with zipfile.ZipFile(path) as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in page
    cells = [row[0] for row in openpyxl.load_workbook(path)["To do"].iter_rows(min_row=2)]
    assert all(cell.data_type in ("s", "n", "inlineStr") and cell.quotePrefix for cell in cells)


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


def test_a_wide_sheet_prints_on_several_pages_that_say_whose_rows_they_are(tmp_path):
    columns = [Heading("Claim", width=20), *(Heading(f"Column {n}", width=30) for n in range(10))]
    rows = [["C1", "word " * 30, *[None] * 9], ["C2", "short", *[None] * 9]]
    path = workbooks.write_workbook(tmp_path / "list.xlsx", [Sheet("To do", columns, rows)])
    page = openpyxl.load_workbook(path)["To do"]
    assert (page.page_setup.fitToWidth, page.print_title_cols) == (2, "$A:$A")
    # 150 letters on lines of 30, none of which may hide behind the next row.
    assert [page.row_dimensions[row].height for row in (2, 3)] == [75, 15]


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

"""Spreadsheets and CSV for people: private files whose cells no spreadsheet program runs.

A cell that begins like a formula is text here, and stays text when someone edits it: in CSV by an
apostrophe before it, in a workbook by its type and the mark that the apostrophe stands for.
"""

import csv
import math
import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import UsageError

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Kind = Literal["text", "date", "count", "dollars", "percent"]

_FORMATS: dict[Kind, str] = {
    "text": "General",
    "date": "d mmm yyyy",
    "count": "0",
    "dollars": "$#,##0.00",
    "percent": "0%",
}
# A formula's first characters at the start of a text, behind blanks and signs that no one sees, or
# behind what another country's settings, or a paste, take for the end of a cell.
_BLANK = r"[\s\x00-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
_FORMULA = re.compile(rf"(^|[;\t\r\n])(?=[\t\r\n]|{_BLANK}*[=+\-@＝＋－＠])")
# Points; and characters across a page in print that can be read.
_LINE_HEIGHT, _PAGE_WIDTH = 15, 170
# What XML 1.0, and so a workbook, cannot hold.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Heading:
    """One column: its heading, what its cells hold (dollars: whole cents) and its width."""

    title: str
    kind: Kind = "text"
    width: int = 14


@dataclass(frozen=True)
class Sheet:
    """One sheet: a title, its columns and its rows; a cell is None where nothing is known.

    The first `n_keys` columns tell the rows apart: they stay in sight, and on every page in print.
    """

    title: str
    columns: Sequence[Heading]
    rows: Sequence[Sequence[Any]]
    n_keys: int = 1
    n_printed: int | None = None
    """Only so many rows go on paper, and the foot of the page says so; None is all."""


def inert(value: Any) -> Any:
    """`value`, or text of which a spreadsheet program will take no part for a formula.

    >>> inert("=1+1"), inert(" @SUM(A1)"), inert("Harbor Trust"), inert(-3)
    ("'=1+1", "' @SUM(A1)", 'Harbor Trust', -3)
    >>> inert("note;=1+1")
    "note;'=1+1"
    """
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


def write_csv(path: Path, columns: Sequence[Heading], rows: Sequence[Sequence[Any]]) -> Path:
    """Write rows as CSV, mode 0600, whole or not at all; dollars with cents, days as YYYY-MM-DD."""
    # The mark at the start makes spreadsheet programs read the file as UTF-8.
    with _staged(path) as staged, staged.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.title for column in columns])
        for row in rows:
            cells = zip(row, columns, strict=True)
            writer.writerow([_csv_cell(value, column.kind) for value, column in cells])
    return path


def write_workbook(path: Path, sheets: Sequence[Sheet]) -> Path:
    """Write sheets as an .xlsx, mode 0600, whole or not at all, ready to read and to print."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _fill(book.create_sheet(sheet.title), sheet)
    with _staged(path) as staged:
        book.save(staged)
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a text, mode 0600, whole or not at all."""
    with _staged(path) as staged:
        staged.write_text(text, encoding="utf-8")
    return path


@contextmanager
def _staged(path: Path) -> Iterator[Path]:
    """A private file beside `path` that takes its place once it is written.

    Raises UsageError when another program holds `path` open, as a spreadsheet on Windows does.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.part")
    staged.unlink(missing_ok=True)
    os.close(os.open(staged, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield staged
        staged.replace(path)
    except PermissionError as problem:
        raise UsageError(f"{path} is open in another program; close it and run again") from problem
    finally:
        staged.unlink(missing_ok=True)


def _csv_cell(value: Any, kind: Kind) -> Any:
    if value is None:
        return ""
    if kind == "dollars":
        return f"{value / 100:.2f}"
    if kind == "percent":
        return f"{value:.2f}"
    return inert(value.isoformat() if isinstance(value, date) else value)


def _fill(page: "Worksheet", sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    for place, column in enumerate(sheet.columns, 1):
        page.column_dimensions[get_column_letter(place)].width = column.width
        head = page.cell(1, place, column.title)
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="DDE6EE")
        head.alignment = Alignment(wrap_text=True, vertical="top")
    titles = [column.title for column in sheet.columns]
    page.row_dimensions[1].height = _LINE_HEIGHT * _n_lines(titles, sheet.columns)
    for at, row in enumerate(sheet.rows, 2):
        for place, (value, column) in enumerate(zip(row, sheet.columns, strict=True), 1):
            cell = page.cell(at, place)
            cell.number_format = _FORMATS[column.kind]
            cell.alignment = Alignment(
                horizontal="left" if column.kind in ("text", "date", "count") else None,
                wrap_text=column.kind == "text",
                vertical="top",
            )
            if isinstance(value, str):
                cell.value = _UNWRITABLE.sub("\ufffd", value)
                # openpyxl would make a formula of a text that begins with "=".
                cell.data_type = "s"
                cell.quotePrefix = True
            elif value is not None:
                cell.value = value / 100 if column.kind == "dollars" else value
        page.row_dimensions[at].height = _LINE_HEIGHT * _n_lines(row, sheet.columns)
    last, last_key = (get_column_letter(n) for n in (len(sheet.columns), sheet.n_keys))
    page.freeze_panes = page.cell(2, sheet.n_keys + 1)
    page.auto_filter.ref = f"A1:{last}{len(sheet.rows) + 1}"
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = _n_pages(sheet), 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows, page.print_title_cols = "1:1", f"A:{last_key}"
    cut = ""
    if sheet.n_printed is not None and len(sheet.rows) > sheet.n_printed:
        page.print_area = f"A1:{last}{sheet.n_printed + 1}"
        cut = f" (the first {sheet.n_printed} rows; all {len(sheet.rows):,} are in the file)"
    page.oddFooter.center.text = f"&A, page &P of &N{cut}"


def _n_lines(row: Sequence[Any], columns: Sequence[Heading]) -> int:
    """The lines that the longest text of a row takes: some programs do not work it out."""
    texts = (
        (str(value), column.width) for value, column in zip(row, columns, strict=True) if value
    )
    return max((len(textwrap.wrap(text, width)) for text, width in texts), default=1) or 1


def _n_pages(sheet: Sheet) -> int:
    """How many pages side by side keep the print large enough to read."""
    keys = sum(column.width for column in sheet.columns[: sheet.n_keys])
    others = sum(column.width for column in sheet.columns[sheet.n_keys :])
    return max(1, math.ceil(others / max(1, _PAGE_WIDTH - keys)))

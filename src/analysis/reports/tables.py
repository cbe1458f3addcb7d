"""Tables as people read them (semantic HTML) and as others re-check them (CSV with a schema).

The same cells serve both: the page shows "71%" and "$1,204", the CSV beside it 0.714 and 120408.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from analysis.reports.period import in_words
from analysis.workbooks import inert

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal[
    "text",
    "count",
    "percent",
    "dollars",
    "cents",
    "interval",
    "date",
    "points",
    "points_interval",
    "dollars_interval",
    "number",
]

# name, type and meaning of the CSV's cells, in the words of Frictionless Table Schema.
_FIELDS: dict[Kind, tuple[str, str]] = {
    "text": (
        "string",
        "text; one that begins with = + - @ is preceded by an apostrophe, "
        "so that a spreadsheet does not run it",
    ),
    "count": ("integer", "count"),
    "percent": ("number", "share, from 0 to 1"),
    "dollars": ("integer", "US cents"),
    "cents": ("integer", "US cents"),
    "interval": ("number", "bound of an interval of shares, from 0 to 1"),
    "date": ("date", "day, as YYYY-MM-DD"),
    "points": ("number", "difference of two shares, from -1 to 1"),
    "points_interval": ("number", "bound of an interval of such differences, from -1 to 1"),
    "dollars_interval": ("integer", "bound of an interval of amounts, US cents"),
    "number": ("number", "number"),
}
_DASH = "–"
_NOTHING = ("", _DASH)
_INTERVALS = ("interval", "points_interval", "dollars_interval")


@dataclass(frozen=True)
class ColumnSpec:
    """How one column is headed and read; `missing` is what an empty cell says.

    The kinds and what the frame holds: text; count (whole number); percent (share, 0 to 1);
    dollars and cents (whole cents, read to the dollar or to the cent); date; points (a difference
    of shares, -1 to 1, read in percentage points); number (read with two decimals); interval,
    points_interval and dollars_interval (two neighbouring frame columns, lower and upper, shown as
    one).
    """

    header: str
    kind: Kind = "text"
    missing: str = _DASH
    only_csv: bool = False
    """For those who re-check: not on the page."""


@dataclass(frozen=True)
class Shown:
    """A table to show: `columns` describe the frame's columns from left to right.

    The first column names the row. Of more than `at_most` rows the page and the PDF show the
    first, and say where the others are: the CSV holds them all. Raises ValueError when the columns
    do not cover the frame.
    """

    name: str
    caption: str
    frame: "pd.DataFrame"
    columns: Sequence[ColumnSpec]
    note: str = ""
    at_most: int = 40

    def __post_init__(self) -> None:
        """Refuse a description that does not fit the frame."""
        described = sum(len(_span(column)) for column in self.columns)
        if described != len(self.frame.columns):
            raise ValueError(
                f"table {self.name}: {described} columns described, "
                f"the frame has {len(self.frame.columns)}"
            )
        if not self.columns or self.columns[0].kind in _INTERVALS:
            raise ValueError(f"table {self.name}: the first column must name the row")


def record(shown: Shown) -> dict[str, Any]:
    """The table as plain data: what the CSV holds (fields, rows) and what people read.

    `headers` and `cells` are the words of the page and the PDF; `is_number` tells the columns that
    stand to the right. A column with nothing to read in any row is left out of them.
    """
    names = iter(str(name) for name in shown.frame.columns)
    fields = []
    for column in shown.columns:
        of_type, meaning = _FIELDS[column.kind]
        fields += [
            {
                "name": next(names),
                "title": f"{column.header}{suffix}",
                "type": of_type,
                "description": meaning,
            }
            for suffix in _span(column)
        ]
    kinds = [column.kind for column in shown.columns for _ in _span(column)]
    rows = [
        [_plain(value, kind) for value, kind in zip(row, kinds, strict=True)]
        for row in shown.frame.itertuples(index=False, name=None)
    ]
    cells = [_read(shown.columns, row) for row in rows[: shown.at_most]]
    read = [
        n
        for n, column in enumerate(shown.columns)
        if not column.only_csv and (not cells or any(row[n] not in _NOTHING for row in cells))
    ]
    columns = [shown.columns[n] for n in read]
    return {
        "name": shown.name,
        "caption": shown.caption,
        "note": shown.note,
        "fields": fields,
        "rows": rows,
        "headers": [column.header for column in columns],
        "is_number": [column.kind not in ("text", "date") for column in columns],
        "cells": [[row[n] for n in read] for row in cells],
    }


def more(record: Mapping[str, Any]) -> str:
    """How many rows a page leaves to the CSV, as the beginning of a sentence; '' for none."""
    n_shown, n_rows = len(record["cells"]), len(record["rows"])
    return f"The first {n_shown} of {n_rows:,} rows" if n_shown < n_rows else ""


def csv_text(record: Mapping[str, Any]) -> str:
    """A recorded table as CSV: UTF-8 text, one header row, empty cells where nothing is known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field["name"] for field in record["fields"]])
    writer.writerows([inert(value) for value in row] for row in record["rows"])
    return text.getvalue()


def schema(record: Mapping[str, Any]) -> dict[str, Any]:
    """The Table Schema that lies beside the CSV: what the table is and what each column holds."""
    return {
        "title": record["caption"],
        "description": record["note"],
        "fields": record["fields"],
        "missingValues": [""],
    }


def html(record: Mapping[str, Any], folder: str = "") -> str:
    """A recorded table as HTML: caption, headers with scope, numbers to the right.

    `folder` is where the CSV lies, seen from the page; '' where none is written.
    """
    aligned = [' class="number"' if is_number else "" for is_number in record["is_number"]]
    columns = list(zip(record["headers"], aligned, strict=True))
    head = "".join(
        f'<th scope="col" role="columnheader"{align}>{escape(header)}</th>'
        for header, align in columns
    )
    body = "".join(_row(columns, cells) for cells in record["cells"])
    below = " ".join(filter(None, (_rest(record, folder), escape(record["note"]))))
    note = f'<p class="note">{below}</p>' if below else ""
    label = escape(f"table-{record['name']}")
    # The region takes the focus so that a wide table can be scrolled by keyboard. The roles keep
    # it a table where a phone's style lays its rows out as blocks.
    return (
        f'<div class="table" role="region" tabindex="0" aria-labelledby="{label}">'
        f'<table role="table"><caption id="{label}">'
        f"<span>{escape(record['caption'])}</span></caption>"
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table></div>{note}'
    )


def _rest(record: Mapping[str, Any], folder: str) -> str:
    told = more(record)
    if not told or not folder:
        return f"{told}." if told else ""
    path = escape(f"{folder}/{record['name']}.csv")
    return f'{told}; <a href="{path}">all rows</a>.'


def _span(column: ColumnSpec) -> tuple[str, ...]:
    """One suffix for each frame column the spec takes up."""
    return (", lower", ", upper") if column.kind in _INTERVALS else ("",)


def _row(columns: Sequence[tuple[str, str]], cells: Sequence[str]) -> str:
    row = []
    for place, ((header, align), text) in enumerate(zip(columns, cells, strict=True)):
        # On a phone, where the head is out of sight, each cell carries its own.
        label = escape(header)
        tag = f'td role="cell" data-label="{label}"' if place else 'th scope="row" role="rowheader"'
        row.append(f"<{tag}{align}>{escape(text)}</{tag[:2]}>")
    return f'<tr role="row">{"".join(row)}</tr>'


def _read(columns: Sequence[ColumnSpec], row: Sequence[Any]) -> list[str]:
    """A row's cells as people read them, one for each column."""
    values = iter(row)
    taken = [[next(values) for _ in _span(column)] for column in columns]
    return [
        column.missing if None in cell else _words(cell, column.kind)
        for column, cell in zip(columns, taken, strict=True)
    ]


def _plain(value: Any, kind: Kind) -> Any:
    """A cell as JSON and CSV hold it; None where nothing is known."""
    # By its name first: pandas' missing value refuses to be compared.
    if value is None or str(value) in ("<NA>", "NaT") or value != value:
        return None
    if kind in ("count", "dollars", "cents", "dollars_interval"):
        if int(value) != value:
            raise ValueError(f"a {kind} must be a whole number")
        return int(value)
    if kind in ("percent", "points", "number", *_INTERVALS):
        # Six digits are more than any sample carries, and hide the last bits in which
        # processors differ.
        return round(float(value), 6) + 0.0
    if kind == "date":
        return (value if type(value) is date else value.date()).isoformat()
    return str(value)


def _words(values: list[Any], kind: Kind) -> str:
    from analysis.findings.finding import written

    if kind == "interval":
        return f"{written(values[0], 'whole')} to {written(values[1], 'whole')}%"
    if kind == "points_interval":
        return " to ".join(_words([value], "points") for value in values)
    if kind == "dollars_interval":
        return " to ".join(written(value, "dollars") for value in values)
    if kind == "date":
        return in_words(date.fromisoformat(values[0]))
    [value] = values
    if kind == "points":
        told = written(value, "points")
        return f"\N{MINUS SIGN}{told}" if value < 0 and told != "0" else told
    # The words of the findings, so that a table and the sentence above it never differ.
    return written(value, {"text": ""}.get(kind, kind))

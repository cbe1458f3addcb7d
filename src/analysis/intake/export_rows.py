"""The rows of an export below its header, by column and a few thousand at a time.

What a row is, no visit or a torn line, is judged here; what its cells say, in `export_cells`. A
Parquet file has no torn lines, and no totals among its rows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pyarrow as pa

from analysis.intake.export_mapping import Mapping as ColumnMapping
from analysis.intake.export_mapping import folded
from analysis.intake.sheets import Row, Sheet

_BATCH_ROWS = 2**15
_TOTAL = re.compile(r"(grand |sub ?)?totals?:?", re.IGNORECASE)


@dataclass(frozen=True)
class Batch:
    """Rows by column: on which lines they stand, and the texts at each place that was asked for.

    `passed_over` and `torn` have the reason of each row (by its index) that tells of no visit, or
    cannot be split into cells.
    """

    first: pa.Array
    last: pa.Array
    texts: Mapping[int, pa.Array]
    passed_over: Mapping[int, str] = field(default_factory=dict)
    torn: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.first)


def batches(sheet: Sheet, mapping: ColumnMapping, places: Iterable[int]) -> Iterator[Batch]:
    """All rows below the header that hold anything, in their order."""
    wanted = sorted(set(places))
    if sheet.stored:
        for first, texts in sheet.stored.batches(wanted):
            numbers = pa.array(np.arange(first, first + len(texts[wanted[0]])))
            yield Batch(numbers, numbers, texts)
        return
    below = mapping.header_row.last
    rows = (row for row in sheet.rows() if row.first > below and (row.fault or any(row.cells)))
    while some := list(islice(rows, _BATCH_ROWS)):
        yield _batch(some, sheet, mapping.header, wanted)


def _batch(rows: list[Row], sheet: Sheet, header: tuple[str, ...], places: list[int]) -> Batch:
    width = len(header)
    blank = ("",) * width
    cells = [row.cells if len(row.cells) >= width else row.cells + blank for row in rows]
    passed_over = {
        number: "is a total or a repeated header, no visit"
        for number, row in enumerate(rows)
        if _is_total(row.cells) or _is_header(row.cells, header)
    }
    faults = ((number, _fault(row, sheet, width)) for number, row in enumerate(rows))
    return Batch(
        pa.array([row.first for row in rows], pa.int64()),
        pa.array([row.last for row in rows], pa.int64()),
        {place: pa.array([each[place] for each in cells], pa.string()) for place in places},
        passed_over,
        {number: fault for number, fault in faults if fault},
    )


def _is_total(cells: tuple[str, ...]) -> bool:
    # Most rows have the word nowhere, and are not looked at cell by cell.
    return "total" in "\t".join(cells).lower() and any(map(_TOTAL.fullmatch, cells))


def _is_header(cells: tuple[str, ...], header: tuple[str, ...]) -> bool:
    return bool(cells) and folded(cells[0]) == header[0] and tuple(map(folded, cells)) == header


def _fault(row: Row, sheet: Sheet, width: int) -> str | None:
    if row.fault:
        return row.fault
    if row.last > row.first and sheet.swallows(row, width):
        return (
            f"a quotation mark opens here and closes on line {row.last}, so that rows between "
            "them are taken for one text; close it, and read the file again"
        )
    if any(row.cells[width:]):
        return "has more cells than the header; put texts in quotes"
    return None

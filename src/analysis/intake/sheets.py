"""A file that is not X12 as sheets of cells: text of any encoding and delimiter, a spreadsheet, or
Parquet.

Nothing is dropped here: a stretch of lines that cannot be split is a row with a fault. Of a large
text or Parquet file no more is held than the rows that are looked at.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from analysis.intake import parquet
from analysis.intake.cells import SERIAL_ORIGIN, SERIAL_ORIGIN_1904, UnclearError

# A header stands within the first rows; what comes before it is a preamble.
HEADER_WITHIN = 40
_DELIMITERS = ",\t;|"
# As much of a text is read at a time to see how it is encoded.
_BLOCK = 2**20
_FAULT = (
    "cannot be split into cells: a quotation mark is opened and never closed, or a cell is longer "
    "than a hundred thousand characters"
)


@dataclass(frozen=True, slots=True)
class Row:
    """Cells, and where they stand: `first` to `last` count the lines (or rows) of the file."""

    first: int
    last: int
    where: str
    cells: tuple[str, ...]
    fault: str | None = None


@dataclass(frozen=True)
class Sheet:
    """One sheet; `rows` starts again at each call. `delimiter` is empty where it is no text.

    What people call the n-th row of all is `counted` with the number n - `before`. Where the file
    keeps its cells by column, so does `stored`.
    """

    rows: Callable[[], Iterator[Row]]
    delimiter: str = ""
    serial_origin: date = SERIAL_ORIGIN
    counted: str = "line"
    before: int = 0
    stored: parquet.Stored | None = None

    @cached_property
    def head(self) -> list[Row]:
        """The first rows, among which the header is looked for."""
        return list(islice(self.rows(), HEADER_WITHIN))

    def swallows(self, row: Row, width: int) -> bool:
        """Whether a quoted cell of the row seems to hold lines that are rows of their own."""
        return bool(self.delimiter) and any(
            line.count(self.delimiter) * 2 >= width - 1
            for cell in row.cells
            for line in cell.splitlines()[1:]
        )


def sheets(content: bytes | Path) -> list[Sheet]:
    """Every sheet of a spreadsheet; a text once for each delimiter, the likeliest first.

    Raises UnclearError, saying what to do, for what is neither, and no Parquet.
    """
    with _opened(content) as file:
        opening = file.read(_BLOCK)
    if opening.startswith(parquet.MAGIC):
        return [_parquet_sheet(parquet.Stored(content))]
    if opening.startswith(b"PK"):
        return _workbook(_whole(content))
    if opening.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnclearError(
            "is an old or a locked spreadsheet (.xls); save it as .xlsx or CSV, without a password"
        )
    encoding = _encoding(content, opening)
    with _text_of(content, encoding) as text:
        head = "".join(islice(text, HEADER_WITHIN))
    if re.match(r"\s*<(!doctype|html|table|\?xml)", head, re.IGNORECASE):
        raise UnclearError(
            "is a web page, whatever its name says; open it in a spreadsheet program and save it "
            "as CSV"
        )
    likeliest = sorted(_DELIMITERS, key=head.count, reverse=True)
    return [_text_sheet(content, encoding, delimiter) for delimiter in likeliest]


def _opened(content: bytes | Path) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def _whole(content: bytes | Path) -> bytes:
    return content.read_bytes() if isinstance(content, Path) else content


def _text_of(content: bytes | Path, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_opened(content), encoding, newline="")


def _encoding(content: bytes | Path, opening: bytes) -> str:
    """UTF-8, UTF-16 (with its mark or without), or what Windows writes: the first that fits."""
    if opening.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in opening[:400]:
        # Latin letters in UTF-16: every second byte is zero.
        is_little = opening[1:400:2].count(0) > opening[0:400:2].count(0)
        encodings = ["utf-16-le" if is_little else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        if _is_text(content, encoding):
            return encoding
    raise UnclearError("is neither X12 nor text nor a spreadsheet nor Parquet")


def _is_text(content: bytes | Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with _opened(content) as file:
        try:
            while block := file.read(_BLOCK):
                if "\0" in decoder.decode(block):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _text_sheet(content: bytes | Path, encoding: str, delimiter: str) -> Sheet:
    def rows() -> Iterator[Row]:
        with _text_of(content, encoding) as text:
            reader = csv.reader(text, delimiter=delimiter)
            first = 1
            while True:
                cells: list[str] = []
                fault = None
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    fault = _FAULT
                # The reader counts a line it could not finish, and goes on with the next.
                last = max(first, reader.line_num)
                yield Row(first, last, f"line {first}", tuple(map(str.strip, cells)), fault)
                first = last + 1

    return Sheet(rows, delimiter)


def _parquet_sheet(stored: parquet.Stored) -> Sheet:
    """The names of the columns are a header before the first row."""

    def rows() -> Iterator[Row]:
        yield Row(0, 0, "the header", tuple(stored.names))
        every = range(len(stored.names))
        for first, texts in stored.batches(every):
            columns = [texts[place].to_pylist() for place in every]
            for number, cells in enumerate(zip(*columns, strict=True), start=first):
                yield Row(number, number, f"row {number}", cells)

    return Sheet(rows, counted="row", stored=stored)


def _workbook(data: bytes) -> list[Sheet]:
    import openpyxl
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        origin = SERIAL_ORIGIN_1904 if book.epoch == CALENDAR_MAC_1904 else SERIAL_ORIGIN
        filled = [[tuple(map(_text, row)) for row in sheet.values] for sheet in book.worksheets]
    except Exception as damage:  # openpyxl raises whatever the damaged part made it raise
        raise UnclearError("is a spreadsheet that cannot be opened; save it as CSV") from damage
    made, before = [], 0
    for number, cells in enumerate(filled, start=1):
        prefix = f"sheet {number}, " if len(filled) > 1 else ""
        made.append(_workbook_sheet(cells, before, prefix, origin))
        before += len(cells)
    return made


def _workbook_sheet(filled: list[tuple[str, ...]], before: int, prefix: str, origin: date) -> Sheet:
    def rows() -> Iterator[Row]:
        for number, cells in enumerate(filled, start=1):
            place = before + number
            yield Row(place, place, f"{prefix}row {number}", cells)

    return Sheet(rows, "", origin, f"{prefix}row", before)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return format(value, ".15g") if isinstance(value, float) else str(value).strip()

"""The records a therapist keeps by hand, as CSV: documentation, authorizations, calls, appeals.

A file is recognised by its header, whatever its name. Each row is judged by itself: a row that
cannot be understood is quarantined with its line and what to write instead, and the others are
read. No reason quotes a cell, because a cell may be a patient's.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import compress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis import codes, tables
from analysis.intake.parsed import LedgerRow, Parsed
from analysis.intake.pseudonymize import Pseudonyms

YES = frozenset({"y", "yes", "true", "1", "x"})
NO = frozenset({"n", "no", "false", "0"})
NOT_REQUIRED = frozenset({"na", "n/a", "n.a.", "not needed", "not required"})
UNKNOWN = frozenset({"?", "unknown"})

_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]00:00(?::00)?)?")
_SLASH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)


class _UnclearError(ValueError):
    """A file, row or cell that cannot be understood; the text says what to write instead."""


@dataclass(frozen=True)
class Field:
    """One column of a record file: its header, the table's column, and how a cell is read."""

    header: str
    column: str
    kind: str
    is_required: bool = False


@dataclass(frozen=True)
class RecordFile:
    """One kind of file: the table it fills, the headers that give it away, and its columns."""

    name: str
    table: str
    recognised_by: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def headers(self) -> list[str]:
        """The header row, as `outcomes init` writes it."""
        return [field.header for field in self.fields]

    def shares(self, headers: list[str]) -> int:
        """How many of `headers` this kind of file has."""
        return len(set(self.headers) & set(headers))


RECORD_FILES = (
    RecordFile(
        "documentation.csv",
        "attested_documents",
        ("claim_number", "service_date"),
        (
            Field("claim_number", "patient_control_number", "text", is_required=True),
            Field("service_date", "service_date", "date", is_required=True),
            Field("techniques", "technique", "techniques"),
            *(Field(r["name"], r["item_id"], "document") for r in codes.rows("documentation")),
        ),
    ),
    RecordFile(
        "authorizations.csv",
        "authorizations",
        ("authorization_number", "payer_id"),
        (
            # An authorization asked for and refused has no number.
            Field("authorization_number", "authorization_number", "text"),
            Field("payer_id", "payer_id", "text", is_required=True),
            Field("member_id", "patient_id", "text"),
            Field("procedure_codes", "procedure_codes", "procedure_codes"),
            Field("visits_authorized", "visits_authorized", "count"),
            Field("start_date", "start_date", "date"),
            Field("end_date", "end_date", "date"),
            Field("requested_date", "requested_date", "date"),
            Field("decision_date", "decision_date", "date"),
            Field("status", "status", "word"),
        ),
    ),
    RecordFile(
        "benefit_calls.csv",
        "benefit_calls",
        ("call_date", "payer_id"),
        (
            Field("call_date", "call_date", "date", is_required=True),
            Field("call_time", "call_time", "time"),
            Field("payer_id", "payer_id", "text", is_required=True),
            Field("member_id", "patient_id", "text"),
            Field("representative", "representative", "text"),
            Field("reference_number", "reference_number", "text"),
            Field("covered", "is_covered", "yes_no"),
            Field("authorization_required", "is_authorization_required", "yes_no"),
            Field("referral_required", "is_referral_required", "yes_no"),
            Field("visits_allowed", "visits_allowed", "count"),
            Field("visits_remaining", "visits_remaining", "count"),
            Field("written_confirmation_date", "written_confirmation_date", "date"),
        ),
    ),
    RecordFile(
        "appeals.csv",
        "appeals",
        ("claim_number", "level"),
        (
            Field("claim_number", "patient_control_number", "text", is_required=True),
            Field("level", "level", "word"),
            Field("filed_date", "filed_date", "date"),
            Field("deadline_date", "deadline_date", "date"),
            Field("deadline_source", "deadline_source", "choice"),
            Field("decision_date", "decision_date", "date"),
            Field("outcome", "outcome", "choice"),
            Field("assisted_by", "assisted_by", "choice"),
        ),
    ),
    RecordFile(
        "policies.csv",
        "policies",
        ("payer_id", "rule"),
        (
            Field("payer_id", "payer_id", "text"),
            Field("plan_id", "plan_id", "text"),
            Field("state", "state", "state"),
            Field("procedure_code", "procedure_code", "text"),
            Field("rule", "rule", "choice", is_required=True),
            Field("value", "value", "number"),
            Field("effective_from", "effective_from", "date"),
            Field("effective_to", "effective_to", "date"),
            Field("source", "source", "text"),
        ),
    ),
)


def read(data: bytes, file_name: str, pseudonyms: Pseudonyms) -> Parsed:
    """A record file's rows as declared tables, and a ledger row for each of its data rows.

    Ledger positions are line numbers, the header being line 1. A file that is no known record
    file gives no table and one quarantined ledger row saying what was expected.
    """
    try:
        sheet = _Sheet(_decode(data))
        record_file = _recognise(sheet.headers)
    except _UnclearError as unclear:
        reason = f"{file_name}: {unclear}"
        return Parsed({}, [LedgerRow("file", 1, "quarantined", reason)])
    values = _interpret(record_file, sheet)
    digest = hashlib.sha256(data).hexdigest()[:16]
    ledger = _column_notes(record_file, sheet, file_name) + sheet.ledger(file_name)
    return Parsed(_tables(record_file, values, digest, file_name, pseudonyms), ledger)


def recognises(data: bytes) -> bool:
    """Whether the file's first line is the header of a record file."""
    try:
        lines = (line for line in _decode(data).splitlines() if line.strip())
        _recognise(_Sheet(next(lines, "")).headers)
    except _UnclearError:
        return False
    return True


# ---- the sheet --------------------------------------------------------------------------


class _Sheet:
    """The cells of a CSV file, and what became of each of its lines.

    `rows` holds cells -> line of the rows that could be split; `set_aside` holds line ->
    (disposition, reason) for all that must not become data.
    """

    def __init__(self, text: str) -> None:
        first = next((line for line in text.splitlines() if line.strip()), "")
        delimiter = max(",;\t", key=first.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        self.headers: list[str] = []
        self.rows: dict[tuple[str, ...], int] = {}
        self.set_aside: dict[int, tuple[str, str]] = {}
        start = 1
        try:
            for row in reader:
                span = range(start, reader.line_num + 1)
                start = span.stop
                cells = tuple(map(str.strip, row))
                if not any(cells):
                    continue
                if self.headers:
                    self._take(cells, span)
                else:
                    self.headers = [re.sub(r"[\s-]+", "_", cell.lower()) for cell in cells]
        except csv.Error:
            raise _UnclearError(
                f"line {start} and what follows cannot be split into cells; look for a quotation "
                "mark that is opened and never closed"
            ) from None
        repeated = {name for name in self.headers if self.headers.count(name) > 1}
        if repeated & {header for known in RECORD_FILES for header in known.headers}:
            raise _UnclearError("a column stands twice in the header; keep one of the two")

    def _take(self, cells: tuple[str, ...], span: range) -> None:
        if len(span) > 1:
            reason = (
                f"a quotation mark opens on line {span[0]} and closes on line {span[-1]}; "
                "write each record on one line"
            )
            self.quarantine(dict.fromkeys(span, reason))
            return
        [line] = span
        width = len(self.headers)
        if any(cells[width:]):
            reason = "has more cells than the header; put a text that holds a separator in quotes"
            self.quarantine({line: reason})
            return
        if len(cells) != width:
            cells = cells[:width] + ("",) * (width - len(cells))
        earlier = self.rows.setdefault(cells, line)
        if earlier != line:
            self.set_aside[line] = ("duplicate", f"says the same as line {earlier}")

    @property
    def lines(self) -> list[int]:
        """The lines of `rows`."""
        return list(self.rows.values())

    def columns(self) -> dict[str, Sequence[str]]:
        """Header -> its cells, one for each of `lines`; blank for columns the file lacks."""
        blank = [""] * len(self.rows)
        lacking = {header: blank for known in RECORD_FILES for header in known.headers}
        return lacking | dict(zip(self.headers, zip(*self.rows, strict=True), strict=False))

    def quarantine(self, reasons: dict[int, str]) -> None:
        """Set the records at these lines aside."""
        self.set_aside.update((line, ("quarantined", why)) for line, why in reasons.items())

    def ledger(self, file_name: str) -> list[LedgerRow]:
        """One row for each data line, in the file's order."""
        accepted = (line for line in self.lines if line not in self.set_aside)
        rows = [LedgerRow("row", line, "accepted", None) for line in accepted]
        rows += [
            LedgerRow("row", line, disposition, f"{file_name}, line {line}: {reason}")
            for line, (disposition, reason) in self.set_aside.items()
        ]
        return sorted(rows, key=lambda row: row.position)


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    else:
        # cp1252 is what Excel writes under Windows when not asked for UTF-8.
        candidates = ["utf-8-sig", "cp1252"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _UnclearError(f"is neither X12 nor text; {_EXPECTED}")


def _recognise(headers: list[str]) -> RecordFile:
    nearest = max(RECORD_FILES, key=lambda known: known.shares(headers))
    fitting = [known for known in RECORD_FILES if set(known.recognised_by) <= set(headers)]
    if fitting:
        known = max(fitting, key=lambda known: known.shares(headers))
        if known.shares(headers) > len(known.recognised_by):
            return known
    if nearest.shares(headers):
        missing = [name for name in nearest.recognised_by if name not in headers]
        lacks = f"lacks {' and '.join(missing)}" if missing else "has no further column of it"
        raise _UnclearError(
            f"its first line is nearest to {nearest.name}, but {lacks}; "
            f"its columns are {', '.join(nearest.headers)}"
        )
    raise _UnclearError(f"its first line is no header known here; {_EXPECTED}")


_EXPECTED = (
    "expected a claim file (837P), a remittance (835), an acknowledgment (277CA, 999), or a CSV "
    f"with the header of {', '.join(known.name for known in RECORD_FILES)} "
    "(`outcomes init` writes these headers)"
)


def _column_notes(record_file: RecordFile, sheet: _Sheet, file_name: str) -> list[LedgerRow]:
    """One quarantined row when columns with almost a known name stay unread."""
    absent = [header for header in record_file.headers if header not in sheet.headers]
    notes = []
    for place, header in enumerate(sheet.headers, start=1):
        near = get_close_matches(header, absent, n=1, cutoff=0.8)
        if header not in record_file.headers and near:
            notes.append(f"column {place} was not read: did you mean '{near[0]}'?")
    if not notes:
        return []
    return [LedgerRow("file", 1, "quarantined", f"{file_name}: {'; '.join(notes)}")]


# ---- the cells --------------------------------------------------------------------------


def _interpret(record_file: RecordFile, sheet: _Sheet) -> dict[str, list[Any]]:
    """Field header -> value of each accepted row, after quarantining rows with an unclear cell.

    Each distinct text is read once. The line numbers stand under 'line'.
    """
    columns = sheet.columns()
    readers = _readers(record_file, columns)
    lines = sheet.lines
    values: dict[str, list[Any]] = {"line": lines}
    reasons: dict[int, str] = {}
    for field in record_file.fields:
        texts = columns[field.header]
        meanings: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for text in set(texts):
            try:
                meanings[text] = _cell(field, text, readers)
            except _UnclearError as unclear:
                faults[text] = f"{field.header} {unclear}"
        for line, text in zip(lines, texts, strict=True) if faults else ():
            if text in faults:
                reasons.setdefault(line, faults[text])
        values[field.header] = list(map(meanings.get, texts))
    sheet.quarantine(reasons)
    clear = [line not in reasons for line in lines]
    return {header: list(compress(column, clear)) for header, column in values.items()}


def _cell(field: Field, text: str, readers: dict[str, Callable[[str], Any]]) -> Any:
    if text:
        return readers[field.kind if field.kind != "choice" else field.column](text)
    if field.is_required:
        raise _UnclearError("is empty; every row needs it")
    return None


def _readers(
    record_file: RecordFile, columns: dict[str, Sequence[str]]
) -> dict[str, Callable[[str], Any]]:
    """Kind of cell -> how its text is read in this file; a choice under its column's name."""
    is_month_first = _is_month_first(record_file, columns)

    def read_date(text: str) -> date:
        return _date(text, is_month_first=is_month_first)

    def read_document(text: str) -> tuple[str, date | None]:
        return _document(text, read_date)

    def read_choice(allowed: tuple[str, ...]) -> Callable[[str], str]:
        return lambda text: _choice(text, allowed)

    choices = {
        column.name: read_choice(column.values)
        for column in tables.declared(record_file.table).columns
        if column.values
    }
    return {
        "text": str,
        "word": str.lower,
        "date": read_date,
        "document": read_document,
        "yes_no": _yes_no,
        "count": _count,
        "number": _number,
        "time": _time,
        "state": _state,
        "techniques": _techniques,
        "procedure_codes": lambda text: ":".join(re.split(r"[;:,\s]+", text.upper())),
        **choices,
    }


def _is_month_first(record_file: RecordFile, columns: dict[str, Sequence[str]]) -> bool:
    """False when some date of the file, as 31/1/2026, can only be written day first."""
    cells = {
        text
        for field in record_file.fields
        if field.kind in ("date", "document")
        for text in columns[field.header]
    }
    matches = filter(None, map(_SLASH_DATE.fullmatch, cells))
    return not any(int(match[1]) > 12 >= int(match[2]) for match in matches)


def _date(text: str, *, is_month_first: bool) -> date:
    unclear = _UnclearError("is not a date; write it as YYYY-MM-DD")
    if iso := _ISO_DATE.fullmatch(text):
        year, month, day = (int(part) for part in iso.groups())
    elif slashed := _SLASH_DATE.fullmatch(text):
        month, day, year = (int(part) for part in slashed.groups())
        year += 2000 if year < 100 else 0
        if not is_month_first and day <= 12:
            raise _UnclearError(
                "may be month first or day first, the file holds both; write it as YYYY-MM-DD"
            )
    else:
        raise unclear
    try:
        return date(year, month, day)
    except ValueError:
        raise unclear from None


def _document(text: str, read_date: Callable[[str], date]) -> tuple[str, date | None]:
    """(status, day since when the document exists) of a checklist cell."""
    word = text.lower()
    for words, status in (
        (YES, "present"),
        (NO, "absent"),
        (NOT_REQUIRED, "not_required"),
        (UNKNOWN, "unknown"),
    ):
        if word in words:
            return status, None
    if text[0].isdigit():
        return "present", read_date(text)
    raise _UnclearError(
        "is not understood; write a date as YYYY-MM-DD, yes, no, n/a, or leave it empty"
    )


def _yes_no(text: str) -> bool | None:
    word = text.lower()
    if word in YES:
        return True
    if word in NO:
        return False
    if word in UNKNOWN:
        return None
    raise _UnclearError("is not understood; write yes, no, or leave it empty")


def _count(text: str) -> int:
    # A spreadsheet may write a whole number as 12.0; more than 9 digits is no number of visits.
    if match := re.fullmatch(r"(\d{1,9})(?:\.0+)?", text):
        return int(match[1])
    raise _UnclearError("is not a whole number; write digits only, or leave it empty")


def _number(text: str) -> float:
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    if text.lower() in YES:
        return 1.0
    if text.lower() in NO:
        return 0.0
    raise _UnclearError("is not a number; write digits, with a point for fractions")


def _time(text: str) -> str:
    if match := _TIME.fullmatch(text):
        hour, minute, half = int(match[1]), int(match[2]), (match[3] or "").lower()
        if minute < 60 and (1 <= hour <= 12 if half else hour < 24):
            hour = hour % 12 + (12 if half == "p" else 0) if half else hour
            return f"{hour:02d}:{minute:02d}"
    raise _UnclearError("is not a time; write it as HH:MM")


def _state(text: str) -> str:
    if re.fullmatch("[A-Za-z]{2}", text):
        return text.upper()
    raise _UnclearError("is not a state; write two letters, for example WA")


def _choice(text: str, allowed: tuple[str, ...]) -> str:
    word = re.sub(r"[\s-]+", "_", text.lower())
    if word in allowed:
        return word
    raise _UnclearError(f"is not understood; write one of: {', '.join(allowed)}")


def _techniques(text: str) -> list[str]:
    words = (" ".join(part.lower().split()) for part in re.split("[;,]", text))
    return list(dict.fromkeys(word for word in words if word))


# ---- the tables -------------------------------------------------------------------------


def _tables(
    record_file: RecordFile,
    values: dict[str, list[Any]],
    digest: str,
    file_name: str,
    pseudonyms: Pseudonyms,
) -> dict[str, pa.Table]:
    """The declared tables of the rows in play; ids are the file's content and the line."""
    row_ids = [f"{digest}-{line}" for line in values["line"]]
    if record_file.table == "attested_documents":
        return {
            "attested_documents": _attested_documents(record_file, values, row_ids, file_name),
            "visit_techniques": _visit_techniques(values, row_ids),
        }
    columns: dict[str, Any] = {
        tables.declared(record_file.table).key[0]: row_ids,
        "file_name": [file_name] * len(row_ids),
        "position": values["line"],
    }
    for field in record_file.fields:
        columns[field.column] = values[field.header]
    if "patient_id" in columns:
        columns["patient_id"] = pseudonyms.of(pa.array(columns["patient_id"], pa.string()))
    return {record_file.table: tables.from_columns(record_file.table, columns)}


def _attested_documents(
    record_file: RecordFile, values: dict[str, list[Any]], row_ids: list[str], file_name: str
) -> pa.Table:
    """One row per visit and item that has an answer; an empty cell says nothing."""
    rows: list[int] = []
    items: list[str] = []
    statuses: list[str] = []
    existed: list[date | None] = []
    for field in record_file.fields:
        if field.kind == "document":
            column = values[field.header]
            answered = [place for place, answer in enumerate(column) if answer]
            rows += answered
            items += [field.column] * len(answered)
            statuses += [column[place][0] for place in answered]
            existed += [column[place][1] for place in answered]
    places = pa.array(rows, pa.int64())
    item_ids = pa.array(items, pa.string())
    return tables.from_columns(
        "attested_documents",
        {
            "attested_document_id": pc.binary_join_element_wise(
                pa.array(row_ids, pa.string()).take(places), item_ids, "-"
            ),
            "file_name": pa.repeat(file_name, len(rows)),
            "position": pa.array(values["line"], pa.int64()).take(places),
            "patient_control_number": pa.array(values["claim_number"], pa.string()).take(places),
            "service_date": pa.array(values["service_date"], pa.date32()).take(places),
            "item_id": item_ids,
            "status": statuses,
            "existed_date": existed,
        },
    )


def _visit_techniques(values: dict[str, list[Any]], row_ids: list[str]) -> pa.Table:
    named = [
        (row, place, technique)
        for row, techniques in enumerate(values["techniques"])
        for place, technique in enumerate(techniques or (), start=1)
    ]
    return tables.from_columns(
        "visit_techniques",
        {
            "visit_technique_id": [f"{row_ids[row]}-{place}" for row, place, _ in named],
            "patient_control_number": [values["claim_number"][row] for row, _, _ in named],
            "service_date": [values["service_date"][row] for row, _, _ in named],
            "technique": [technique for _, _, technique in named],
        },
    )

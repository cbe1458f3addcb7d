"""The records a therapist keeps by hand, as CSV or a spreadsheet: documentation, calls, appeals.

A file is recognised by its header, whatever its name. Each row is judged by itself: a row that
cannot be understood is quarantined with its line and what to write instead, and the others are
read. No reason quotes a cell, because a cell may be a patient's.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import chain, compress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis import codes, tables
from analysis.intake import cells
from analysis.intake.cells import UnclearError
from analysis.intake.parsed import LedgerRow, Parsed
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.sheets import Row, Sheet, sheets

NOT_REQUIRED = frozenset({"na", "n/a", "n.a.", "not needed", "not required"})


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
            Field("techniques", "technique", "words"),
            Field("treatment_minutes", "n_minutes", "minutes"),
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
            Field("procedure_codes", "procedure_codes", "codes"),
            Field("visits_authorized", "visits_authorized", "count"),
            Field("start_date", "start_date", "date"),
            Field("end_date", "end_date", "date"),
            Field("requested_date", "requested_date", "date"),
            Field("decision_date", "decision_date", "date"),
            Field("status", "status", "word"),
        ),
    ),
    RecordFile(
        "prescriptions.csv",
        "prescriptions",
        ("member_id", "prescribed_date"),
        (
            Field("member_id", "patient_id", "text", is_required=True),
            Field("prescribed_date", "prescribed_date", "date", is_required=True),
            Field("expiry_date", "expiry_date", "date"),
            Field("diagnosis_codes", "diagnosis_codes", "codes"),
            Field("visits_prescribed", "visits_prescribed", "count"),
            Field("visits_per_week", "visits_per_week", "number"),
            Field("weeks", "n_weeks", "count"),
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
            Field("payer_id", "payer_id", "text", is_required=True),
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
    RecordFile(
        "payer_aliases.csv",
        "payer_aliases",
        ("name_as_written", "payer_id"),
        (
            Field("name_as_written", "name_as_written", "text"),
            Field("payer_id_as_written", "payer_id_as_written", "text"),
            Field("payer_id", "payer_id", "text", is_required=True),
            Field("role", "role", "choice"),
            Field("funding", "funding", "choice"),
            Field("product", "product", "choice"),
        ),
    ),
    RecordFile(
        "network.csv",
        "network_periods",
        ("payer_id", "network_status"),
        (
            Field("payer_id", "payer_id", "text", is_required=True),
            Field("plan_id", "plan_id", "text"),
            Field("network_status", "network_status", "choice", is_required=True),
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
        record_file, sheet = _recognised(data)
    except UnclearError as unclear:
        reason = f"{file_name}: {unclear}"
        return Parsed({}, [LedgerRow("file", 1, "quarantined", reason)])
    kept = _Kept(record_file, sheet)
    values = _interpret(record_file, kept)
    digest = hashlib.sha256(data).hexdigest()[:16]
    ledger = _column_notes(record_file, kept, file_name) + kept.ledger(file_name)
    return Parsed(_tables(record_file, values, digest, file_name, pseudonyms), ledger)


def recognises(content: bytes | Path) -> bool:
    """Whether the file's first line is the header of a record file."""
    try:
        _recognised(content)
    except UnclearError:
        return False
    return True


# ---- the sheet --------------------------------------------------------------------------


def _recognised(content: bytes | Path) -> tuple[RecordFile, Sheet]:
    """The kind of record file, and the sheet of it that has its header."""
    try:
        found = sheets(content)
    except UnclearError as unclear:
        raise UnclearError(f"{unclear}; {_EXPECTED}") from None
    problem = UnclearError(f"its first line is no header known here; {_EXPECTED}")
    for sheet in found:
        try:
            record_file = _recognise(_headers(sheet))
            _refuse_repeated(_headers(sheet))
        except UnclearError as unclear:
            if sheet is found[0]:
                problem = unclear
        else:
            return record_file, sheet
    raise problem


def _header_row(sheet: Sheet) -> Row | None:
    """The first row that holds anything."""
    return next((row for row in sheet.head if any(row.cells)), None)


def _headers(sheet: Sheet) -> list[str]:
    """The header's cells as column names."""
    header = _header_row(sheet)
    return [re.sub(r"[\s-]+", "_", cell.lower()) for cell in (header.cells if header else ())]


def _refuse_repeated(headers: list[str]) -> None:
    repeated = {name for name in headers if headers.count(name) > 1}
    if repeated & {header for known in RECORD_FILES for header in known.headers}:
        raise UnclearError("a column stands twice in the header; keep one of the two")


class _Kept:
    """The rows of a sheet that could be split, and what became of each of its lines.

    `rows` holds cells -> line; `set_aside` holds line -> (disposition, reason) for all that must
    not become data.
    """

    def __init__(self, record_file: RecordFile, sheet: Sheet) -> None:
        self.headers = _headers(sheet)
        self._record_file = record_file
        self.rows: dict[tuple[str, ...], int] = {}
        self.set_aside: dict[int, tuple[str, str]] = {}
        self._where: dict[int, str] = {}
        header = _header_row(sheet)
        for row in sheet.rows():
            if row.fault or (any(row.cells) and header and row.first > header.last):
                self._take(row)

    def _take(self, row: Row) -> None:
        lines = range(row.first, row.last + 1)
        self._where[row.first] = row.where
        if row.fault:
            self.quarantine(dict.fromkeys(lines, row.fault))
            return
        if len(lines) > 1:
            reason = (
                f"a quotation mark opens on line {row.first} and closes on line {row.last}; "
                "write each record on one line"
            )
            self.quarantine(dict.fromkeys(lines, reason))
            return
        width = len(self.headers)
        filled = row.cells
        if any(filled[width:]):
            reason = "has more cells than the header; put a text that holds a separator in quotes"
            self.quarantine({row.first: reason})
            return
        if len(filled) != width:
            filled = filled[:width] + ("",) * (width - len(filled))
        earlier = self.rows.setdefault(filled, row.first)
        if earlier != row.first:
            self.set_aside[row.first] = ("duplicate", f"says the same as line {earlier}")

    @property
    def lines(self) -> list[int]:
        """The lines of `rows`."""
        return list(self.rows.values())

    def columns(self) -> dict[str, Sequence[str]]:
        """Header -> its cells, one for each of `lines`; blank for columns the file lacks."""
        blank = [""] * len(self.rows)
        lacking = dict.fromkeys(self._record_file.headers, blank)
        return lacking | dict(zip(self.headers, zip(*self.rows, strict=True), strict=False))

    def quarantine(self, reasons: dict[int, str]) -> None:
        """Set the records at these lines aside."""
        self.set_aside.update((line, ("quarantined", why)) for line, why in reasons.items())

    def ledger(self, file_name: str) -> list[LedgerRow]:
        """One row for each data line, in the file's order."""
        accepted = (line for line in self.lines if line not in self.set_aside)
        rows = [LedgerRow("row", line, "accepted", None) for line in accepted]
        rows += [
            LedgerRow(
                "row",
                line,
                disposition,
                f"{file_name}, {self._where.get(line, f'line {line}')}: {reason}",
            )
            for line, (disposition, reason) in self.set_aside.items()
        ]
        return sorted(rows, key=lambda row: row.position)


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
        raise UnclearError(
            f"its first line is nearest to {nearest.name}, but {lacks}; "
            f"its columns are {', '.join(nearest.headers)}"
        )
    raise UnclearError(f"its first line is no header known here; {_EXPECTED}")


_EXPECTED = (
    "expected a claim file (837P), a remittance (835), an acknowledgment (277CA, 999), or a CSV "
    f"with the header of {', '.join(known.name for known in RECORD_FILES)} "
    "(`outcomes init` writes these headers)"
)


def _column_notes(record_file: RecordFile, kept: _Kept, file_name: str) -> list[LedgerRow]:
    """One quarantined row when columns with almost a known name stay unread."""
    absent = [header for header in record_file.headers if header not in kept.headers]
    notes = []
    for place, header in enumerate(kept.headers, start=1):
        near = get_close_matches(header, absent, n=1, cutoff=0.8)
        if header not in record_file.headers and near:
            notes.append(f"column {place} was not read: did you mean '{near[0]}'?")
    if not notes:
        return []
    return [LedgerRow("file", 1, "quarantined", f"{file_name}: {'; '.join(notes)}")]


# ---- the cells --------------------------------------------------------------------------


def _interpret(record_file: RecordFile, kept: _Kept) -> dict[str, list[Any]]:
    """Field header -> value of each accepted row, after quarantining rows with an unclear cell.

    Each distinct text is read once. The line numbers stand under 'line'.
    """
    columns = kept.columns()
    readers = _readers(record_file, columns)
    lines = kept.lines
    values: dict[str, list[Any]] = {"line": lines}
    reasons: dict[int, str] = {}
    for field in record_file.fields:
        texts = columns[field.header]
        meanings: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for text in set(texts):
            try:
                meanings[text] = _cell(field, text, readers)
            except UnclearError as unclear:
                faults[text] = f"{field.header} {unclear}"
        for line, text in zip(lines, texts, strict=True) if faults else ():
            if text in faults:
                reasons.setdefault(line, faults[text])
        values[field.header] = list(map(meanings.get, texts))
    kept.quarantine(reasons)
    clear = [line not in reasons for line in lines]
    return {header: list(compress(column, clear)) for header, column in values.items()}


def _cell(field: Field, text: str, readers: dict[str, Callable[[str], Any]]) -> Any:
    if text:
        return readers[field.kind if field.kind != "choice" else field.column](text)
    if field.is_required:
        raise UnclearError("is empty; every row needs it")
    return None


def _readers(
    record_file: RecordFile, columns: dict[str, Sequence[str]]
) -> dict[str, Callable[[str], Any]]:
    """Kind of cell -> how its text is read in this file; a choice under its column's name."""
    order = _date_order(record_file, columns)

    def read_date(text: str) -> date | None:
        return cells.day(text, order)

    def read_choice(allowed: tuple[str, ...]) -> Callable[[str], str]:
        return lambda text: cells.choice(text, allowed)

    choices = {
        column.name: read_choice(column.values)
        for column in tables.declared(record_file.table).columns
        if column.values
    }
    return {
        "text": str,
        "word": str.lower,
        "date": read_date,
        "document": lambda text: _document(text, read_date),
        "yes_no": cells.yes_no,
        "count": cells.count,
        "number": cells.number,
        "time": cells.clock,
        "state": cells.state,
        "words": cells.words,
        "codes": lambda text: ":".join(re.split(r"[;:,\s]+", text.upper())),
        "minutes": cells.minutes,
        **choices,
    }


def _date_order(record_file: RecordFile, columns: dict[str, Sequence[str]]) -> str | None:
    """The order that the file's dates prove; month first, as here, where they prove none.

    Where they prove both, no date that may be read either way is read.
    """
    dated = [field.header for field in record_file.fields if field.kind in ("date", "document")]
    proven = cells.proven_orders(set(chain.from_iterable(columns[header] for header in dated)))
    if len(proven) > 1:
        return None
    return next(iter(proven), "MDY")


def _document(text: str, read_date: Callable[[str], date | None]) -> tuple[str, date | None]:
    """(status, day since when the document exists) of a checklist cell."""
    word = text.lower()
    for words, status in (
        (cells.YES, "present"),
        (cells.NO, "absent"),
        (NOT_REQUIRED, "not_required"),
        (cells.UNKNOWN, "unknown"),
    ):
        if word in words:
            return status, None
    if text[0].isdigit():
        return "present", read_date(text)
    raise UnclearError(
        "is not understood; write a date as YYYY-MM-DD, yes, no, n/a, or leave it empty"
    )


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
            "visit_minutes": _visit_minutes(values, row_ids),
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


def _visit_minutes(values: dict[str, list[Any]], row_ids: list[str]) -> pa.Table:
    timed = [
        (row, place, code, n_minutes)
        for row, minutes in enumerate(values["treatment_minutes"])
        for place, (code, n_minutes) in enumerate(minutes or (), start=1)
    ]
    return tables.from_columns(
        "visit_minutes",
        {
            "visit_minutes_id": [f"{row_ids[row]}-{place}" for row, place, _, _ in timed],
            "patient_control_number": [values["claim_number"][row] for row, _, _, _ in timed],
            "service_date": [values["service_date"][row] for row, _, _, _ in timed],
            "procedure_code": [code for _, _, code, _ in timed],
            "n_minutes": [n_minutes for _, _, _, n_minutes in timed],
        },
    )

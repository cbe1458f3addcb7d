"""Exports of a practice's software (CSV, TSV, xlsx) into claims and, where told, remittances.

Which column holds what stands in practice.toml, or is guessed from a known layout
(reference/export_layouts.toml); the guess is told in the ledger. No reason quotes a cell.
"""

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from typing import Any

import pyarrow as pa

from analysis import tables
from analysis.config import ExportStatement, Practice
from analysis.intake.parsed import LedgerRow, Parsed
from analysis.intake.pseudonymize import Pseudonyms

Cells = tuple[str, ...]

_HEADER_WITHIN = 40
_BLANK = frozenset({"", "-", "--"})
_MONEY = re.compile(r"(\()?([-+])?\$?([-+])?(\d{1,3}(?:,\d{3})+|\d+)?(\.\d*)?(-)?(\))?")
_NUMERIC_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?:[ T].*)?")
_ISO_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[ T].*)?")
_SERIAL_DATE = re.compile(r"([2-7]\d{4})(?:\.\d+)?")
_SERIAL_ORIGIN = date(1899, 12, 30)
_TOTAL = re.compile(r"(grand |sub ?)?totals?:?", re.IGNORECASE)
_DATES = ("service_date", "submitted_date", "payment_date")
_MONEYS = ("charge", "paid", "allowed", "patient_responsibility")


class UnclearError(ValueError):
    """A file, row or cell that cannot be understood; the text says what to do."""


@dataclass(frozen=True)
class _Layout:
    system: str
    recognised_by: frozenset[str]
    statement: ExportStatement


def read(data: bytes, file_name: str, practice: Practice, pseudonyms: Pseudonyms) -> Parsed | None:
    """The export's rows as declared tables, one ledger row each, and one telling the columns.

    None when neither practice.toml nor a known layout fits.
    """
    stated = next((e for e in practice.exports if fnmatch(file_name, e.file)), None)
    try:
        for rows in _sheets(data):
            found = _found(rows, stated)
            if found:
                return _Export(*found, data, file_name).parsed(pseudonyms)
    except UnclearError as unclear:
        return Parsed({}, [LedgerRow("file", 1, "quarantined", f"{file_name}: {unclear}")])
    if stated and stated.columns:
        reason = f"{file_name}: no line holds every column that practice.toml names for it"
        return Parsed({}, [LedgerRow("file", 1, "quarantined", reason)])
    return None


# ---- the sheet --------------------------------------------------------------------------


def _sheets(data: bytes) -> Iterator[list[tuple[int, Cells]]]:
    """The rows, with their line, of every sheet; of a text, split by every delimiter."""
    if data.startswith(b"PK"):
        yield from _workbook(data)
        return
    text = _decode(data)
    for delimiter in ",\t;|":
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows, line = [], 1
        try:
            for cells in reader:
                rows.append((line, tuple(cell.strip() for cell in cells)))
                line = reader.line_num + 1
        except csv.Error:
            continue
        yield rows


def _workbook(data: bytes) -> Iterator[list[tuple[int, Cells]]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [
            [(n, tuple(map(_text, row))) for n, row in enumerate(sheet.values, start=1)]
            for sheet in book.worksheets
        ]
    except Exception as damage:  # openpyxl raises whatever the damaged part made it raise
        raise UnclearError("is a spreadsheet that cannot be opened; save it as CSV") from damage
    yield from sheets


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return format(value, ".15g") if isinstance(value, float) else str(value).strip()


def _decode(data: bytes) -> str:
    has_mark = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if has_mark else ["utf-8-sig", "cp1252", "utf-16-le"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UnclearError("is neither X12 nor text nor a spreadsheet; export it again as CSV")


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


def _columns(statement: ExportStatement) -> dict[str, list[str]]:
    stated = statement.columns.model_dump(exclude_none=True) if statement.columns else {}
    return {name: [its] if isinstance(its, str) else list(its) for name, its in stated.items()}


def _found(
    rows: list[tuple[int, Cells]], stated: ExportStatement | None
) -> tuple[str, ExportStatement, list[str], list[tuple[int, Cells]]] | None:
    """(who says so, how to read, header, data rows), once a header is met."""
    for place, (_, cells) in enumerate(rows[:_HEADER_WITHIN]):
        header = [_folded(cell) for cell in cells]
        if stated and stated.columns:
            wanted = {_folded(name) for names in _columns(stated).values() for name in names}
            if wanted <= set(header):
                return "as practice.toml says", stated, header, rows[place + 1 :]
            continue
        for layout in layouts():
            if layout.recognised_by <= set(header):
                statement = layout.statement
                if stated:
                    update = {name: getattr(stated, name) for name in stated.model_fields_set}
                    statement = statement.model_copy(update=update)
                return (
                    f"as {layout.system}, guessed from its header",
                    statement,
                    header,
                    rows[place + 1 :],
                )
    return None


@cache
def layouts() -> tuple[_Layout, ...]:
    """The known layouts, in the form of an [[exports]] block of practice.toml."""
    text = (files("analysis.reference") / "export_layouts.toml").read_text(encoding="utf-8")
    return tuple(
        _Layout(
            entry.pop("system"),
            frozenset(map(_folded, entry.pop("recognised_by"))),
            ExportStatement.model_validate({"file": "*", **entry}),
        )
        for entry in tomllib.loads(text)["layouts"]
    )


# ---- the cells --------------------------------------------------------------------------


def cents(text: str) -> int | None:
    """ "$1,234.50" as 123450 and "(30.00)" as -3000; None for a blank or '--'."""
    bare = text.replace(" ", "").replace("−", "-")
    if bare in _BLANK:
        return None
    match = _MONEY.fullmatch(bare)
    unclear = UnclearError("is no amount; write it as 1234.50")
    if not match or bool(match[1]) != bool(match[7]) or len(bare) > 20:
        raise unclear
    try:
        amount = Decimal((match[4] or "").replace(",", "") + (match[5] or "")) * 100
    except InvalidOperation:
        raise unclear from None
    if abs(amount - round(amount)) > Decimal("0.0001"):
        raise unclear
    return round(amount) * (-1 if any(match[n] for n in (1, 6)) or "-" in bare else 1)


def date_order(texts: Sequence[str]) -> str | None:
    """MDY or DMY, as days above 12 in the column prove; None where nothing needs an order.

    Raises UnclearError where nothing proves an order, or where both are proved.
    """
    pairs = [(int(m[1]), int(m[2])) for m in map(_NUMERIC_DATE.fullmatch, texts) if m]
    orders = {"DMY" for a, b in pairs if a > 12 >= b} | {"MDY" for a, b in pairs if b > 12 >= a}
    if len(orders) > 1:
        raise UnclearError("holds dates both month first and day first; export it in one order")
    if not orders and any(a != b for a, b in pairs):
        raise UnclearError(
            "may hold dates month first or day first; state it in practice.toml under "
            '[[exports]]: date_order = "MDY" for month first, "DMY" for day first'
        )
    return next(iter(orders), None)


def day(text: str, order: str | None) -> date | None:
    """A date as written in a column of that order, or as an Excel serial; None for a blank."""
    if text in _BLANK:
        return None
    try:
        if match := _SERIAL_DATE.fullmatch(text):
            return _SERIAL_ORIGIN + timedelta(days=int(match[1]))
        if match := _ISO_DATE.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _NUMERIC_DATE.fullmatch(text):
            first, second, year = int(match[1]), int(match[2]), int(match[3])
            month, of_month = (second, first) if order == "DMY" else (first, second)
            return date(year + 2000 if year < 100 else year, month, of_month)
    except ValueError:
        pass
    raise UnclearError("is no date; write it as YYYY-MM-DD")


class _Export:
    """One export: its rows read and accounted for."""

    def __init__(
        self,
        who: str,
        statement: ExportStatement,
        header: list[str],
        rows: list[tuple[int, Cells]],
        data: bytes,
        file_name: str,
    ) -> None:
        self._statement, self._header, self._rows = statement, header, rows
        self._file_name = file_name
        self._digest = hashlib.sha256(data).hexdigest()[:16]
        self._places = {
            name: places
            for name, its in _columns(statement).items()
            if (places := [header.index(_folded(c)) for c in its if _folded(c) in header])
        }
        used = [place for places in self._places.values() for place in places]
        if any(header.count(header[place]) > 1 for place in used):
            raise UnclearError("a column to be read stands twice in the header; rename one")
        self._orders = {name: self._order(name) for name in _DATES if name in self._places}
        told = "; ".join(
            f"{name} = {' + '.join(c for c in its if _folded(c) in header)}"
            for name, its in _columns(statement).items()
            if name in self._places
        )
        self.note = f"{file_name}: read {who}: {told}. Wrong? State it in practice.toml"

    def _order(self, name: str) -> str | None:
        [place] = self._places[name]
        if self._statement.date_order:
            return self._statement.date_order
        return date_order([cells[place] for _, cells in self._rows if place < len(cells)])

    def parsed(self, pseudonyms: Pseudonyms) -> Parsed:
        """Tables and ledger of the whole file."""
        ledger = [LedgerRow("file", 1, "accepted", self.note)]
        visits: dict[tuple[Any, ...], list[tuple[int, dict[str, Any]]]] = {}
        for line, cells in self._rows:
            if not any(cells):
                continue
            where = f"{self._file_name}, line {line}"
            padded = cells + ("",) * (len(self._header) - len(cells))
            if reason := self._passed_over(padded):
                ledger.append(LedgerRow("row", line, "skipped", f"{where}: {reason}"))
                continue
            try:
                row = self._row(padded)
            except UnclearError as unclear:
                ledger.append(LedgerRow("row", line, "quarantined", f"{where}: {unclear}"))
                continue
            ledger.append(LedgerRow("row", line, "accepted"))
            # Rows that share number, patient and day are the lines of one claim.
            number = row["patient_control_number"]
            key = (number or line, row["patient"], row["service_date"])
            visits.setdefault(key, []).append((line, row))
        return Parsed(self._tables(list(visits.values()), pseudonyms), ledger)

    def _passed_over(self, cells: Cells) -> str | None:
        if any(_TOTAL.fullmatch(cell) for cell in cells) or list(map(_folded, cells)) == (
            self._header
        ):
            return "is a total or a repeated header, no visit"
        for column, values, is_kept in [
            *((c, v, False) for c, v in self._statement.skip.items()),
            *((c, v, True) for c, v in self._statement.only.items()),
        ]:
            if _folded(column) in self._header:
                cell = _folded(cells[self._header.index(_folded(column))])
                if (cell in map(_folded, values)) != is_kept:
                    return f"is no visit by its column {column}"
        return None

    def _row(self, cells: Cells) -> dict[str, Any]:
        if any(cells[len(self._header) :]):
            raise UnclearError("has more cells than the header; put texts in quotes")
        row: dict[str, Any] = {}
        for name in type(self._statement.columns).model_fields if self._statement.columns else ():
            texts = [cells[place] for place in self._places.get(name, ())]
            try:
                row[name] = self._value(name, texts)
            except UnclearError as unclear:
                raise UnclearError(f"{name} {unclear}") from None
        if row["charge"] is None or row["charge"] < 0:
            raise UnclearError("charge is empty or below zero; a claim needs one")
        return row

    def _value(self, name: str, texts: list[str]) -> Any:
        if name in _MONEYS:
            amounts = [amount for amount in map(cents, texts) if amount is not None]
            if self._statement.ignore_signs:
                amounts = [abs(amount) for amount in amounts]
            return sum(amounts) if amounts else None
        if name in _DATES:
            return day(texts[0], self._orders[name]) if texts else None
        words = [" ".join(text.replace("*", " ").split()) for text in texts]
        return "-".join(word for word in words if word not in _BLANK) or None

    def stated(self, word: str | None) -> str | None:
        for determination, words in self._statement.outcome_words.model_dump().items():
            if word and _folded(word) in map(_folded, words):
                return str(determination)
        return None

    def _tables(
        self, visits: list[list[tuple[int, dict[str, Any]]]], pseudonyms: Pseudonyms
    ) -> dict[str, pa.Table]:
        made: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in (
                "claims",
                "service_lines",
                "claim_diagnoses",
                "remittances",
                "remittance_lines",
                "adjustments",
            )
        }
        patients = pa.array([visit[0][1]["patient"] for visit in visits], pa.string())
        for visit, patient in zip(visits, pseudonyms.of(patients).to_pylist(), strict=True):
            _add(visit, patient, self, made)
        return {name: tables.from_rows(name, rows) for name, rows in made.items() if rows}

    def shared(self, line: int, row: dict[str, Any], patient: str | None) -> dict[str, Any]:
        """What a claim and its answer both carry."""
        return {
            "file_name": self._file_name,
            "position": line,
            "source": "export",
            "patient_control_number": row["patient_control_number"],
            "patient_id": patient,
            # Many exports know an insurer by name alone; `aliases` joins the name to an id.
            "payer_id": row["payer_id"] or row["payer_name"],
            "payer_name": row["payer_name"],
            "service_date": row["service_date"],
            "service_to_date": row["service_date"],
        }

    def record_id(self, line: int) -> str:
        """File content and line."""
        return f"{self._digest}-{line}"


def _add(
    visit: list[tuple[int, dict[str, Any]]],
    patient: str | None,
    export: _Export,
    made: dict[str, list[dict[str, Any]]],
) -> None:
    """One claim, its lines and diagnoses, and the answer where the export tells one."""
    line, first = visit[0]
    claim_id = export.record_id(line)
    shared = export.shared(line, first, patient)
    rows = [row for _, row in visit]
    made["claims"].append(
        {
            **shared,
            "claim_version_id": claim_id,
            "submitted_date": first["submitted_date"],
            "plan_id": first["plan_id"],
            "authorization_number": first["authorization_number"],
            "charge_cents": sum(row["charge"] for row in rows),
            "has_note": False,
        }
    )
    codes = dict.fromkeys(
        code for row in rows for code in re.split(r"[,;|\s]+", row["diagnoses"] or "") if code
    )
    for place, code in enumerate(codes, start=1):
        made["claim_diagnoses"].append(
            {
                "claim_version_id": claim_id,
                "diagnosis_position": place,
                "diagnosis_code": code.upper(),
            }
        )
    tells = any(row[n] is not None for row in rows for n in (*_MONEYS[1:], "outcome"))
    if tells:
        stated = {export.stated(row["outcome"]) for row in rows}
        parts = [row["patient_responsibility"] for row in rows]
        made["remittances"].append(
            {
                **shared,
                "remittance_id": claim_id,
                "payment_id": f"{claim_id}-export",
                "stated_determination": stated.pop() if len(stated) == 1 else None,
                "charge_cents": sum(row["charge"] for row in rows),
                "paid_cents": sum(row["paid"] or 0 for row in rows),
                "patient_responsibility_cents": sum(p for p in parts if p is not None)
                if any(p is not None for p in parts)
                else None,
                "payer_claim_control_number": first["payer_claim_control_number"],
                "payment_date": first["payment_date"],
            }
        )
    for number, row in enumerate(rows, start=1):
        line_id = f"{claim_id}-{number}"
        same = {
            "line_number": number,
            "procedure_code": row["procedure_code"],
            "modifiers": ":".join(re.split(r"[,;:\s-]+", row["modifiers"] or "")),
            "charge_cents": row["charge"],
            "service_date": row["service_date"],
            "service_to_date": row["service_date"],
        }
        made["service_lines"].append(
            {**same, "service_line_id": line_id, "claim_version_id": claim_id,
             "units": _number(row["units"])}
        )  # fmt: skip
        if tells:
            made["remittance_lines"].append(
                {**same, "remittance_line_id": line_id, "remittance_id": claim_id,
                 "paid_cents": row["paid"] or 0, "allowed_cents": row["allowed"]}
            )  # fmt: skip
            made["adjustments"] += _adjustment(row, claim_id, line_id)


def _adjustment(row: dict[str, Any], remittance_id: str, line_id: str) -> list[dict[str, Any]]:
    """What was not paid, under the CARC the export gives, with its group where it names one."""
    match = re.fullmatch(r"(?:(CO|PR|OA|PI|CR)[ -]?)?([A-Z]?\d{1,3})", row["reason_code"] or "")
    unpaid = row["charge"] - (row["paid"] or 0) - (row["patient_responsibility"] or 0)
    if not match or not unpaid:
        return []
    return [
        {"adjustment_id": f"{line_id}-1", "remittance_id": remittance_id,
         "remittance_line_id": line_id, "level": "line", "group_code": match[1],
         "reason_code": match[2], "amount_cents": unpaid}
    ]  # fmt: skip


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,6}(\.\d+)?", text) else None

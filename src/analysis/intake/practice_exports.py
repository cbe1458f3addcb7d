"""Exports of a practice's software (CSV, TSV, xlsx) into claims and, where told, remittances.

Which column holds what is found in `export_mapping`; how it was understood is told in the ledger.
Every row below the header is accounted for, and no reason quotes a cell.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from analysis import tables
from analysis.config import Practice
from analysis.intake import cells, export_mapping
from analysis.intake.cells import UnclearError
from analysis.intake.export_mapping import Mapping, folded
from analysis.intake.parsed import LedgerRow, Parsed
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.sheets import Row, Sheet, sheets

_DATES = ("service_date", "submitted_date", "payment_date")
_MONEYS = ("charge", "paid", "allowed", "patient_responsibility")
_TOTAL = re.compile(r"(grand |sub ?)?totals?:?", re.IGNORECASE)
_TABLES = (
    "claims",
    "service_lines",
    "claim_diagnoses",
    "remittances",
    "remittance_lines",
    "adjustments",
)

# A row of an export as our names -> values, and the row it stands in.
_Entry = tuple[Row, dict[str, Any]]


def read(data: bytes, file_name: str, practice: Practice, pseudonyms: Pseudonyms) -> Parsed | None:
    """The export's rows as declared tables, one ledger row each, and one telling the columns.

    None when neither practice.toml nor a known layout fits and nothing looks like an export.
    """
    try:
        found = sheets(data)
        return _parsed(found, data, file_name, practice, pseudonyms)
    except UnclearError as unclear:
        return Parsed({}, [LedgerRow("file", 1, "quarantined", f"{file_name}: {unclear}")])


def _parsed(
    found: list[Sheet], data: bytes, file_name: str, practice: Practice, pseudonyms: Pseudonyms
) -> Parsed | None:
    statement = export_mapping.stated(practice, file_name)
    mapped = [(n, sheet, export_mapping.find(sheet, statement)) for n, sheet in enumerate(found, 1)]
    fitting = [(n, sheet, mapping) for n, sheet, mapping in mapped if mapping]
    if not fitting:
        if statement and statement.columns:
            lacking = ", ".join(export_mapping.missing(found, statement))
            raise UnclearError(f"lacks columns that practice.toml names for it: {lacking}")
        proposal = export_mapping.proposal(found, file_name)
        if proposal is None:
            return None
        raise UnclearError(
            "looks like an export of a practice's software in a layout not known here. State in "
            "practice.toml what its columns hold. A first guess, to be checked and completed:\n"
            f"{proposal}"
        )
    # A text stands there once for each delimiter; the first that fits is the right one.
    of_text = [(n, sheet, mapping) for n, sheet, mapping in fitting if sheet.delimiter][:1]
    digest = hashlib.sha256(data).hexdigest()[:16]
    made: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    ledger: list[LedgerRow] = []
    for number, sheet, mapping in of_text or fitting:
        export = _Export(mapping, sheet, digest, file_name)
        claims = export.claims(ledger, number)
        patients = pa.array([entries[0][1]["patient"] for entries in claims], pa.string())
        for entries, patient in zip(claims, pseudonyms.of(patients).to_pylist(), strict=True):
            export.add(entries, patient, made)
    unread = [str(n) for n, sheet, mapping in mapped if not mapping and not sheet.delimiter]
    if unread:
        note = f"{file_name}: no known header, so not read: sheet {', '.join(unread)}"
        ledger.append(LedgerRow("file", len(found) + 1, "accepted", note))
    return Parsed(
        {name: tables.from_rows(name, rows) for name, rows in made.items() if rows}, ledger
    )


class _Export:
    """One sheet of an export, read by its mapping."""

    def __init__(self, mapping: Mapping, sheet: Sheet, digest: str, file_name: str) -> None:
        self._mapping, self._sheet = mapping, sheet
        self._statement, self._header = mapping.statement, mapping.header
        self._digest, self._file_name = digest, file_name
        self._places = mapping.places
        twice = sorted(
            {
                self._mapping.header_row.cells[place]
                for places in self._places.values()
                for place in places
                if self._header.count(self._header[place]) > 1
            }
        )
        if twice:
            raise UnclearError(
                f"a column to be read stands twice in the header: {', '.join(twice)}; rename one"
            )
        stated = self._statement.outcome_words.model_dump()
        self._outcomes = {folded(word): told for told, words in stated.items() for word in words}
        self._orders = {name: self._order(name) for name in _DATES if name in self._places}

    def _order(self, name: str) -> str | None:
        """The order of a column's dates, as practice.toml states or the column proves."""
        if self._statement.date_order:
            return self._statement.date_order
        [place] = self._places[name]
        texts = (row.cells[place] for row in self._rows() if place < len(row.cells))
        try:
            return cells.date_order(texts)
        except UnclearError as unclear:
            heading = self._mapping.header_row.cells[place]
            raise UnclearError(f"the column {heading} {unclear}") from None

    def _rows(self) -> Iterator[Row]:
        """The rows below the header that hold anything."""
        for row in self._sheet.rows():
            if row.first > self._mapping.header_row.last and (row.fault or any(row.cells)):
                yield row

    def claims(self, ledger: list[LedgerRow], sheet_number: int) -> list[list[_Entry]]:
        """The rows of each claim, accounted for in `ledger`."""
        note_place = len(ledger)
        claims: dict[tuple[Any, ...], list[_Entry]] = {}
        for row in self._rows():
            place = f"{self._file_name}, {row.where}"
            try:
                if reason := self._passed_over(row):
                    ledger.append(LedgerRow("row", row.first, "skipped", f"{place}: {reason}"))
                    continue
                entry = self._entry(row)
            except UnclearError as unclear:
                ledger += [
                    LedgerRow("row", line, "quarantined", f"{place}: {unclear}")
                    for line in range(row.first, row.last + 1)
                ]
                continue
            ledger.append(LedgerRow("row", row.first, "accepted"))
            # Rows that share number, patient and day are the lines of one claim.
            number = entry["patient_control_number"]
            key = (number or row.first, entry["patient"], entry["service_date"])
            claims.setdefault(key, []).append((row, entry))
        entries = [entry for rows in claims.values() for _, entry in rows]
        ledger.insert(note_place, LedgerRow("file", sheet_number, "accepted", self._note(entries)))
        return list(claims.values())

    def _note(self, entries: list[dict[str, Any]]) -> str:
        """How the columns were understood, and how many outcomes were not."""
        what_next = "State it in practice.toml" if self._mapping.is_guess else "Correct it there"
        note = (
            f"{self._file_name}: read {self._mapping.said_by}: {self._mapping.told}."
            f" Wrong? {what_next}"
        )
        told = [entry["outcome"] for entry in entries if entry["outcome"]]
        unclear = sum(folded(word) not in self._outcomes for word in told)
        if unclear:
            note += (
                f". {unclear} of {len(told)} outcomes are words that outcome_words does not"
                " explain: their claims are judged by amounts and codes alone"
            )
        return note

    def _passed_over(self, row: Row) -> str | None:
        """Why the row tells of no visit; None when it does."""
        said = list(map(folded, row.cells))
        if any(_TOTAL.fullmatch(cell) for cell in row.cells) or said == list(self._header):
            return "is a total or a repeated header, no visit"
        for column, words, is_kept in [
            *((c, w, False) for c, w in self._statement.skip.items()),
            *((c, w, True) for c, w in self._statement.only.items()),
        ]:
            if folded(column) in self._header:
                place = self._header.index(folded(column))
                word = said[place] if place < len(said) else ""
                if (word in map(folded, words)) != is_kept:
                    return f"is no visit by its column {column}"
        return None

    def _entry(self, row: Row) -> dict[str, Any]:
        width = len(self._header)
        if row.fault:
            raise UnclearError(row.fault)
        if row.last > row.first and self._sheet.swallows(row, width):
            raise UnclearError(
                f"a quotation mark opens here and closes on line {row.last}, so that rows between "
                "them are taken for one text; close it, and read the file again"
            )
        if any(row.cells[width:]):
            raise UnclearError("has more cells than the header; put texts in quotes")
        padded = row.cells + ("",) * (width - len(row.cells))
        entry: dict[str, Any] = {}
        for name in type(self._statement.columns).model_fields if self._statement.columns else ():
            texts = [padded[place] for place in self._places.get(name, ())]
            try:
                entry[name] = self._value(name, texts)
            except UnclearError as unclear:
                raise UnclearError(f"{name} {unclear}") from None
        # A posting may take an earlier one back.
        if entry["charge"] is None or (entry["charge"] < 0 and self._statement.row_is == "line"):
            raise UnclearError("charge is empty or below zero; a claim needs one")
        return entry

    def _value(self, name: str, texts: list[str]) -> Any:
        if name in _MONEYS:
            amounts = [amount for amount in map(cells.cents, texts) if amount is not None]
            if self._statement.ignore_signs:
                amounts = [abs(amount) for amount in amounts]
            return sum(amounts) if amounts else None
        if name in _DATES:
            origin = self._sheet.serial_origin
            return cells.day(texts[0], self._orders[name], origin) if texts else None
        words = [" ".join(text.replace("*", " ").split()) for text in texts]
        return "-".join(word for word in words if word not in cells.BLANK) or None

    # ---- the tables ---------------------------------------------------------------------

    def add(
        self, entries: list[_Entry], patient: str | None, made: dict[str, list[dict[str, Any]]]
    ) -> None:
        """One claim, its lines and diagnoses, and the answer where the export tells one."""
        claim_id = f"{self._digest}-{entries[0][0].first}"
        rows = [entry for _, entry in entries]
        first = rows[0]
        shared = self._shared(entries[0][0].first, first, patient)
        made["claims"].append(
            {
                **shared,
                "claim_version_id": claim_id,
                "submitted_date": first["submitted_date"],
                "plan_id": first["plan_id"],
                "authorization_number": first["authorization_number"],
                "charge_cents": _sum(rows, "charge"),
                "has_note": False,
            }
        )
        made["claim_diagnoses"] += [
            {"claim_version_id": claim_id, "diagnosis_position": place, "diagnosis_code": code}
            for place, code in enumerate(_codes(rows), start=1)
        ]
        tells = any(row[name] is not None for row in rows for name in (*_MONEYS[1:], "outcome"))
        if tells:
            made["remittances"].append(
                {
                    **shared,
                    "remittance_id": claim_id,
                    "payment_id": f"{claim_id}-export",
                    "stated_determination": self._stated(rows),
                    "charge_cents": _sum(rows, "charge"),
                    "paid_cents": _sum(rows, "paid") or 0,
                    "patient_responsibility_cents": _sum(rows, "patient_responsibility"),
                    "payer_claim_control_number": first["payer_claim_control_number"],
                    "payment_date": next(
                        (row["payment_date"] for row in rows if row["payment_date"]), None
                    ),
                }
            )
        for number, postings in enumerate(self._lines(rows), start=1):
            _add_line(postings, number, claim_id, tells, made)

    def _lines(self, rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        """The rows of each line: one, unless the export has a row for each payment posted."""
        if self._statement.row_is == "line":
            return [[row] for row in rows]
        lines: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in rows:
            lines.setdefault((row["procedure_code"], row["modifiers"]), []).append(row)
        return list(lines.values())

    def _shared(self, line: int, row: dict[str, Any], patient: str | None) -> dict[str, Any]:
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

    def _stated(self, rows: list[dict[str, Any]]) -> str | None:
        """The outcome that all rows' words agree on; None where a word is not stated."""
        told = {self._outcomes.get(folded(row["outcome"] or "")) for row in rows}
        return told.pop() if len(told) == 1 else None


def _add_line(
    postings: list[dict[str, Any]],
    number: int,
    claim_id: str,
    tells: bool,
    made: dict[str, list[dict[str, Any]]],
) -> None:
    first = postings[0]
    line_id = f"{claim_id}-{number}"
    same = {
        "line_number": number,
        "procedure_code": first["procedure_code"],
        "modifiers": ":".join(re.split(r"[,;:\s-]+", first["modifiers"] or "")),
        "charge_cents": _sum(postings, "charge"),
        "service_date": first["service_date"],
        "service_to_date": first["service_date"],
    }
    units = _units(first["units"])
    made["service_lines"].append(
        {**same, "service_line_id": line_id, "claim_version_id": claim_id, "units": units}
    )
    if not tells:
        return
    made["remittance_lines"].append(
        {
            **same,
            "remittance_line_id": line_id,
            "remittance_id": claim_id,
            "paid_cents": _sum(postings, "paid") or 0,
            "allowed_cents": _sum(postings, "allowed"),
        }
    )
    made["adjustments"] += [
        {
            **adjustment,
            "adjustment_id": f"{line_id}-{place}",
            "remittance_id": claim_id,
            "remittance_line_id": line_id,
            "level": "line",
        }
        for place, adjustment in enumerate(filter(None, map(_adjustment, postings)), start=1)
    ]


def _adjustment(row: dict[str, Any]) -> dict[str, Any] | None:
    """What was not paid, under the CARC the export gives, with its group where it names one."""
    match = re.fullmatch(r"(?:(CO|PR|OA|PI|CR)[ -]?)?([A-Z]?\d{1,3})", row["reason_code"] or "")
    unpaid = row["charge"] - (row["paid"] or 0) - (row["patient_responsibility"] or 0)
    if not match or not unpaid:
        return None
    return {"group_code": match[1], "reason_code": match[2], "amount_cents": unpaid}


def _codes(rows: list[dict[str, Any]]) -> list[str]:
    """The diagnosis codes of all rows, each once."""
    texts = (re.split(r"[,;|\s]+", row["diagnoses"] or "") for row in rows)
    return list(dict.fromkeys(code.upper() for codes in texts for code in codes if code))


def _sum(rows: list[dict[str, Any]], name: str) -> int | None:
    """The sum of what the rows know; None where none of them knows anything."""
    amounts = [row[name] for row in rows if row[name] is not None]
    return sum(amounts) if amounts else None


def _units(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,6}(\.\d+)?", text, re.ASCII) else None

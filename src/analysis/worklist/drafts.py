"""Claims still to be sent, as files that the pipeline reads like any others.

A draft is scored from the same tables, by the same rules, as a claim that was sent today: the
visit's place in its episode, what the insurer asks for and what is complete must not be worked out
twice. A sheet of drafts becomes an export and a documentation sheet; an unsent 837P stays as it is.
No reason given here quotes a cell, because a cell may be a patient's.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from analysis import codes, workbooks
from analysis.errors import UsageError, nearest_named
from analysis.intake import cells, folder, records, sheets
from analysis.intake.cells import UnclearError
from analysis.intake.pseudonymize import Pseudonyms

FOLDER = "zz-drafts"
"""Where the files stand among the raw ones; it sorts last, so that what was sent is read first."""
VISITS, DOCUMENTS, CLAIMS = (
    f"{FOLDER}/visits.csv",
    f"{FOLDER}/documents.csv",
    f"{FOLDER}/claims.837",
)

_DOCUMENTS = tuple(row["name"] for row in codes.rows("documentation"))
_ABOUT = ("claim_number", "service_date", "insurer", "plan", "member_id", "procedure_codes",
          "units", "charge", "diagnoses", "authorization_number", "visit_number")  # fmt: skip
COLUMNS = (*_ABOUT, *_DOCUMENTS)
"""The header of a sheet of drafts; only service_date and insurer are needed."""
_ICD10 = r"[A-Z]\d[A-Z0-9](\.?[A-Z0-9]{1,4})?"
_REQUIRED = ("service_date", "insurer")
_EXPORTED = ("number", "day", "sent", "payer", "name", "plan", "member", "code", "units", "charge",
             "diagnoses", "authorization")  # fmt: skip
_STATEMENT = f"""

[[exports]]
file = "{VISITS}"
columns = {{ patient_control_number = "number", service_date = "day", submitted_date = "sent", \
payer_id = "payer", payer_name = "name", plan_id = "plan", patient = "member", \
procedure_code = "code", units = "units", charge = "charge", diagnoses = "diagnoses", \
authorization_number = "authorization" }}
"""


@dataclass(frozen=True)
class Draft:
    """One row of a sheet: its place, the therapist's own claim number, the visit's number told."""

    where: str
    claim_number: str
    visit_number: int | None


@dataclass(frozen=True)
class Drafts:
    """Files to read beside the practice's own, and what became of the rows they were made from."""

    files: Mapping[str, bytes]
    statement: str = ""
    """What practice.toml says of them."""
    rows: Mapping[str, Draft] = field(default_factory=dict)
    """Control number in `files` -> the row it stands for; empty for an 837P."""
    set_aside: Sequence[tuple[str, str]] = ()
    """Where, and why with what to do."""
    notes: Sequence[str] = ()


def sheet_to_fill_in(private: Path) -> Path:
    """The sheet of drafts in a practice's private folder, an empty one where there is none yet."""
    path = private / "drafts_to_fill_in.csv"
    return path if path.exists() else workbooks.write_text(path, ",".join(COLUMNS) + "\n")


def read(data: bytes, payers: Mapping[str, str], sent: set[str], today: date) -> Drafts:
    """The drafts in a file: an unsent 837P, or a sheet (CSV, xlsx) with the header COLUMNS.

    `payers` are the insurers' names by id, `sent` the control numbers that were sent before.
    Raises UsageError for a file that holds no draft at all.
    """
    if folder.is_x12(data):
        return Drafts({CLAIMS: data})
    try:
        sheet, headers, notes = _recognised(data)
    except UnclearError as unclear:
        raise UsageError(f"the file of drafts {unclear}") from None
    return _Reader(headers, payers, sent, today).read(sheet, notes)


def _recognised(data: bytes) -> tuple[sheets.Sheet, list[str], list[str]]:
    """The sheet whose first row is the header, its column names, and what is odd about them."""
    found = sheets.sheets(data)
    headers = max(map(_headers, found), key=lambda names: len(set(names) & set(COLUMNS)))
    sheet = next(one for one in found if _headers(one) == headers)
    lacking = [name for name in _REQUIRED if name not in headers]
    notes = []
    for place, name in enumerate(headers, start=1):
        if name and name not in COLUMNS:
            near = get_close_matches(name, [c for c in COLUMNS if c not in headers], 1, 0.7)
            hint = f"did you mean '{near[0]}'?" if near else "no column of drafts has that heading"
            notes.append(f"column {place} was not read: {hint}")
    if lacking:
        told = "; ".join(notes[:5])
        raise UnclearError(
            f"lacks the column {' and '.join(lacking)}{f' ({told})' if told else ''}; its first "
            f"line must name the columns: {', '.join(COLUMNS)}"
        )
    twice = sorted({name for name in headers if name in COLUMNS and headers.count(name) > 1})
    if twice:
        raise UnclearError(f"has the column {', '.join(twice)} twice; keep one of the two")
    return sheet, headers, notes


def _headers(sheet: sheets.Sheet) -> list[str]:
    first = next((row for row in sheet.head if any(row.cells)), None)
    return [re.sub(r"[\s-]+", "_", cell.lower()) for cell in (first.cells if first else ())]


class _Reader:
    """Reads a sheet's rows, each judged by itself."""

    def __init__(
        self, headers: list[str], payers: Mapping[str, str], sent: set[str], today: date
    ) -> None:
        self._headers, self._payers, self._today = headers, payers, today
        self._sent = {number.strip().upper() for number in sent}
        self._by_name = {_folded(text): key for key, name in payers.items() for text in (name, key)}

    def read(self, sheet: sheets.Sheet, notes: list[str]) -> Drafts:
        rows = [row for row in sheet.rows() if row.fault or any(row.cells)][1:]
        order = self._date_order(rows)
        kept: dict[str, Draft] = {}
        visits: dict[str, list[list[Any]]] = {}
        documents: list[list[str]] = []
        set_aside: dict[int, tuple[str, str]] = {}
        for row in rows:
            number = f"DRAFT-{row.first}"
            try:
                told = self._told(row)
                kept[number], visits[number] = self._draft(row.where, number, told, order)
                documents.append([number, visits[number][0][1], *(told[d] for d in _DOCUMENTS)])
            except UnclearError as unclear:
                set_aside[row.first] = (row.where, str(unclear))
        written = _csv(["claim_number", "service_date", *_DOCUMENTS], documents)
        # The same reader as for documentation.csv says which answers cannot be understood.
        for line in records.read(written, "drafts", Pseudonyms(b"")).ledger:
            if line.record == "row" and line.disposition != "accepted":
                number = documents[line.position - 2][0]
                reason = (line.reason or "").partition(": ")[2]
                set_aside[int(number.partition("-")[2])] = (kept.pop(number).where, reason)
                del visits[number]
        documents = [row for row in documents if row[0] in kept]
        files = {
            VISITS: _csv(_EXPORTED, [line for lines in visits.values() for line in lines]),
            DOCUMENTS: _csv(["claim_number", "service_date", *_DOCUMENTS], documents),
        }
        aside = [why for _, why in sorted(set_aside.items())]
        return Drafts(files if kept else {}, _STATEMENT, kept, aside, notes)

    def _told(self, row: sheets.Row) -> dict[str, str]:
        """Column -> cell, blank where there is none."""
        if row.fault:
            raise UnclearError(row.fault)
        if row.last > row.first:
            raise UnclearError("a quotation mark opens here and closes on a later line; close it")
        if any(row.cells[len(self._headers) :]):
            raise UnclearError("has more cells than the header; put texts with commas in quotes")
        blank = dict.fromkeys(COLUMNS, "")
        return blank | dict(zip(self._headers, row.cells, strict=False))

    def _date_order(self, rows: Sequence[sheets.Row]) -> str | None:
        """As the visits' days prove; month first, as here, where they prove none."""
        at = self._headers.index("service_date")
        proven = cells.proven_orders([row.cells[at] for row in rows if at < len(row.cells)])
        return None if len(proven) > 1 else next(iter(proven), "MDY")

    def _draft(
        self, where: str, number: str, told: Mapping[str, str], order: str | None
    ) -> tuple[Draft, list[list[Any]]]:
        """A row, and its lines in the export."""
        if told["claim_number"].strip().upper() in self._sent:
            raise UnclearError(
                "a claim of this number was sent already; `outcomes worklist` says what to do with"
                " it"
            )
        day = _cell(told, "service_date", lambda text: cells.day(text, order))
        if day is None:
            raise UnclearError("service_date is empty; write the day of the visit")
        if day > self._today:
            raise UnclearError("service_date lies after today; score a claim after the visit")
        payer = self._payer(told["insurer"])
        visit = _cell(told, "visit_number", cells.count)
        if visit == 0:
            raise UnclearError("visit_number is 0; the first visit of an episode is 1")
        units = _cell(told, "units", cells.count)
        charge = _cell(told, "charge", cells.cents) or 0
        if charge < 0:
            raise UnclearError("charge is below zero; write what you will bill")
        billed = _codes(told, "procedure_codes", r"[A-Z0-9]{5}", "97124;97140") or [""]
        diagnoses = _codes(
            told, "diagnoses", r"[A-Z]\d[A-Z0-9](\.?[A-Z0-9]{1,4})?", "M54.50;M62.830"
        )
        lines = [
            [
                *(number, day.isoformat(), self._today.isoformat(), payer, self._payers[payer]),
                *(told["plan"], told["member_id"], code),
                # The units and the charge of a draft are told as a whole.
                *(("" if units is None else units, f"{charge / 100:.2f}") if n == 0 else ("", "0")),
                *(";".join(diagnoses), told["authorization_number"]),
            ]
            for n, code in enumerate(billed)
        ]
        return Draft(where, told["claim_number"], visit), lines

    def _payer(self, text: str) -> str:
        if not text:
            raise UnclearError("insurer is empty; write its name or id")
        payer = self._by_name.get(_folded(text))
        if payer is None:
            raise UnclearError(
                "insurer is none of those in your files, so nothing is known of it;"
                f" {nearest_named(text, self._payers)}"
            )
        return payer


def _cell(told: Mapping[str, str], name: str, understand: Any) -> Any:
    """What a cell says, None for an empty one. Raises UnclearError naming the column."""
    if not told[name]:
        return None
    try:
        return understand(told[name])
    except UnclearError as unclear:
        raise UnclearError(f"{name} {unclear}") from None


def _codes(told: Mapping[str, str], name: str, pattern: str, example: str) -> list[str]:
    found = [code for code in re.split(r"[;,\s]+", told[name].upper()) if code]
    if not all(re.fullmatch(pattern, code, re.ASCII) for code in found):
        raise UnclearError(f"{name} is not understood; write codes as in {example}")
    return list(dict.fromkeys(found))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()

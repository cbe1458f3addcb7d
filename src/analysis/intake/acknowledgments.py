"""Answers before adjudication (277CA, 999, 997) into acknowledgments.

They are few and short, so segments are simply walked through.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from analysis import tables
from analysis.intake.parsed import LedgerRow, Parsed, Together
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import counts, envelopes
from analysis.intake.x12.batches import Batch
from analysis.intake.x12.envelopes import Interchange

# STC01-1 of a 277CA: forwarded, received, accepted, split; returned, not found, rejected.
_ACCEPTED = frozenset({"A0", "A1", "A2", "A5"})
_REJECTED = frozenset({"A3", "A4", "A6", "A7", "A8"})
# HL03 of the levels that name one patient's claim in TRN02.
_PATIENT_LEVELS = frozenset({"PT", "22", "23"})
# AK501 and IK501: accepted, accepted with errors noted; the others are ways of rejection.
_SET_ACCEPTED = frozenset({"A", "E"})
_SET_REJECTED = frozenset({"R", "M", "W", "X"})


def read(interchange: Interchange, file_name: str, _pseudonyms: Pseudonyms) -> Parsed:
    """The answers of an interchange, with a ledger row for each; no patient stands in them.

    A 277CA has one answer per STC (of a batch, a provider or a claim), a 999 or 997 one per set,
    or one for the whole group where it names no set.
    """
    answers = _claim_answers if interchange.kind == "277CA" else _set_answers
    before = interchange.stretch.n_records
    rows = [
        {
            "acknowledgment_id": f"{interchange.digest[:16]}-{before + place}",
            "file_name": file_name,
            "position": interchange.first_position + place - 1,
            "transaction": interchange.kind,
            **answer,
        }
        for place, answer in enumerate(answers(interchange), start=1)
    ]
    ledger = [LedgerRow("status", row["position"], "accepted") for row in rows]
    if not rows:
        ledger = [LedgerRow("interchange", interchange.ordinal, "accepted", "holds no answers")]
    read_tables = {
        "acknowledgments": tables.from_rows("acknowledgments", rows),
        "file_checks": counts.file_checks(interchange, file_name),
    }
    return Parsed(read_tables, ledger)


def read_batch(batch: Batch, pseudonyms: Pseudonyms) -> Together:
    """The answers of each interchange."""
    each = zip(batch.interchanges, batch.file_names, strict=True)
    return Together.of([read(one, file_name, pseudonyms) for one, file_name in each])


def _claim_answers(interchange: Interchange) -> Iterator[dict[str, Any]]:
    level, control_number, file_date = "", None, None
    for name, *elements in envelopes.segments(interchange):
        match name:
            case "GS":
                file_date = _day(_element(elements, 4))
            case "HL":
                level, control_number = _element(elements, 3), None
            case "TRN" if level in _PATIENT_LEVELS:
                control_number = _element(elements, 2) or None
            case "STC":
                category, status = _status(_element(elements, 1), interchange)
                yield {
                    "patient_control_number": control_number,
                    "category_code": category,
                    "status_code": status,
                    "is_accepted": _verdict(category, _ACCEPTED, _REJECTED),
                    "effective_date": _day(_element(elements, 2)) or file_date,
                }


def _set_answers(interchange: Interchange) -> Iterator[dict[str, Any]]:
    """One answer for each set (AK2 to IK5), or one for a group that names no set (AK1 to AK9)."""
    file_date, group, set_number, is_by_set = None, "", "", False
    for name, *elements in envelopes.segments(interchange):
        match name:
            case "GS":
                file_date = _day(_element(elements, 4))
            case "AK1":
                group, set_number, is_by_set = _element(elements, 2), "", False
            case "AK2":
                set_number = _element(elements, 2)
            case "AK5" | "IK5" | "AK9" if name != "AK9" or not is_by_set:
                is_by_set = True
                code = _element(elements, 1)
                yield {
                    "set_reference": f"{group}/{set_number}" if group else None,
                    "category_code": code or None,
                    "is_accepted": _verdict(code, _SET_ACCEPTED, _SET_REJECTED),
                    "effective_date": file_date,
                }


def _element(elements: list[str], number: int) -> str:
    """An element by its X12 number; empty where the segment is shorter."""
    return elements[number - 1].strip() if len(elements) >= number else ""


def _status(composite: str, interchange: Interchange) -> tuple[str | None, str | None]:
    category, *rest = composite.split(interchange.delimiters.component.decode("latin-1"))
    return category or None, (rest[0] or None) if rest else None


def _verdict(code: str | None, accepted: frozenset[str], rejected: frozenset[str]) -> bool | None:
    if code in accepted:
        return True
    return False if code in rejected else None


def _day(digits: str) -> date | None:
    """A CCYYMMDD as a date; None where there is no such day."""
    try:
        return datetime.strptime(digits, "%Y%m%d").date() if len(digits) == 8 else None
    except ValueError:
        return None

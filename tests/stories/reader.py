"""Reads adjudication stories: Markdown tables of what was sent and answered, and what follows.

A story is a `## heading`, a sentence, and up to four tables told apart by their first header:
`sent` (one row a claim version), `acknowledged` (one row a 277CA status), `answered` (one row a
CLP) and `claim` (what must come out).
Lines are written `97124 100.00` when sent and `97124 100.00 paid 60.00 CO-45 40.00` when answered,
several joined by `;`; a CLP without SVC has `-` for its lines and tells its money in `claim level`.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis import tables
from analysis.claims.lineage import lineage
from analysis.outcomes import INPUTS, outcomes

AS_OF = date(2026, 6, 30)
Row = dict[str, str]


@dataclass
class Story:
    title: str
    sent: list[Row] = field(default_factory=list)
    acknowledged: list[Row] = field(default_factory=list)
    answered: list[Row] = field(default_factory=list)
    claim: list[Row] = field(default_factory=list)


def read(path: Path) -> list[Story]:
    stories: list[Story] = []
    header: list[str] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            stories.append(Story(line[3:].strip()))
            header = None
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if header is None:
                header = cells
            elif not set(line) <= set("|- "):
                getattr(stories[-1], header[0]).append(dict(zip(header, cells, strict=True)))
        else:
            header = None
    return stories


def determine(story: Story) -> dict[str, Row]:
    """What the package makes of a story: control number (and day, where two share it) -> claim."""
    rows = outcomes(inputs(story), AS_OF)["claim_outcomes"].to_pylist()
    numbers = [row["patient_control_number"] for row in rows]
    return {
        number if numbers.count(number) == 1 else f"{number} {row['service_date']}": row
        for number, row in zip(numbers, rows, strict=True)
    }


def _cents(text: str) -> int:
    return round(float(text) * 100)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def inputs(story: Story) -> dict[str, pa.Table]:
    """The tables of intake and lineage that a story amounts to."""
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in (*INPUTS, "provider_adjustments") if name != "claim_lineage"
    }
    for n, sent in enumerate(story.sent, 1):
        _add_version(rows, f"v{n}", sent)
    for n, answer in enumerate(story.answered, 1):
        _add_answer(rows, f"r{n}", answer)
    for n, acknowledged in enumerate(story.acknowledged, 1):
        rows["acknowledgments"].append(
            {
                "acknowledgment_id": f"k{n}",
                "file_name": "story",
                "position": n,
                "transaction": "277CA",
                "patient_control_number": acknowledged["acknowledged"],
                "is_accepted": acknowledged["accepted"] == "yes",
                "effective_date": _day(acknowledged["on"]),
            }
        )
    made = {name: tables.from_rows(name, rows[name]) for name in rows}
    return made | lineage(made)


def _add_version(rows: dict[str, list[dict[str, Any]]], version_id: str, sent: Row) -> None:
    lines = [line.split() for line in sent["lines"].split(";")]
    service = _day(sent["service"])
    rows["claims"].append(
        {
            "claim_version_id": version_id,
            "file_name": "story",
            "position": len(rows["claims"]) + 1,
            "submitted_date": _day(sent["on"]),
            "patient_control_number": sent["sent"],
            "claim_frequency_code": sent.get("frequency") or "1",
            "original_reference_number": sent.get("replaces") or None,
            "patient_id": sent.get("patient") or "p1",
            "payer_id": sent.get("payer") or "A",
            "payer_sequence_code": sent.get("sequence") or "P",
            "charge_cents": sum(_cents(line[1]) for line in lines),
            "has_note": False,
            "service_date": service,
            "service_to_date": service,
        }
    )
    for n, line in enumerate(lines, 1):
        rows["service_lines"].append(
            {
                "service_line_id": f"{version_id}-{n}",
                "claim_version_id": version_id,
                "line_number": n,
                "procedure_code": line[0],
                "charge_cents": _cents(line[1]),
                "service_date": service,
                "line_control_number": line[2] if len(line) > 2 else None,
            }
        )


def _add_answer(rows: dict[str, list[dict[str, Any]]], remittance_id: str, answer: Row) -> None:
    service = _day(answer.get("service") or "")
    charge = paid = 0
    n_lines = 0
    if answer["lines"] != "-":
        for n, text in enumerate(answer["lines"].split(";"), 1):
            n_lines = n
            words = text.split()
            recoded = words[0].split(">")
            line_charge, line_paid = _cents(words[1]), _cents(words[words.index("paid") + 1])
            charge, paid = charge + line_charge, paid + line_paid
            line_id = f"{remittance_id}-{n}"
            rows["remittance_lines"].append(
                {
                    "remittance_line_id": line_id,
                    "remittance_id": remittance_id,
                    "line_number": n,
                    "procedure_code": recoded[-1],
                    "submitted_procedure_code": recoded[0] if len(recoded) > 1 else None,
                    "charge_cents": line_charge,
                    "paid_cents": line_paid,
                    "service_date": service,
                    "allowed_cents": _allowed(words),
                    "line_control_number": _after(words, "6R"),
                }
            )
            _add_codes(rows, remittance_id, line_id, text)
    claim_level = answer.get("claim level") or ""
    if not n_lines:
        words = claim_level.split()
        charge, paid = _cents(words[1]), _cents(words[3])
    _add_codes(rows, remittance_id, None, claim_level)
    rows["remittances"].append(
        {
            "remittance_id": remittance_id,
            "payment_id": remittance_id,
            "file_name": "story",
            "position": len(rows["remittances"]) + 1,
            "patient_control_number": answer["answered"],
            "claim_status_code": answer["status"],
            "charge_cents": charge,
            "paid_cents": paid,
            "payer_claim_control_number": answer.get("insurer's number") or None,
            "claim_frequency_code": answer.get("frequency") or None,
            "payer_id": answer.get("payer") or "A",
            "payment_date": _day(answer["on"]),
            "service_date": service,
            "patient_id": answer.get("patient") or None,
        }
    )


def _allowed(words: list[str]) -> int | None:
    text = _after(words, "B6")
    return _cents(text) if text else None


def _after(words: list[str], mark: str) -> str | None:
    return words[words.index(mark) + 1] if mark in words else None


def _add_codes(
    rows: dict[str, list[dict[str, Any]]], remittance_id: str, line_id: str | None, text: str
) -> None:
    """Adjustments such as `CO-45 40.00`, and remarks such as `N443`."""
    level = "line" if line_id else "claim"
    for group, reason, amount in re.findall(r"\b(CO|PR|OA|PI)-(\w+) (-?[\d.]+)", text):
        rows["adjustments"].append(
            {
                "adjustment_id": f"a{len(rows['adjustments']) + 1}",
                "remittance_id": remittance_id,
                "remittance_line_id": line_id,
                "level": level,
                "group_code": group,
                "reason_code": reason,
                "amount_cents": _cents(amount),
            }
        )
    for code in re.findall(r"\b(MA?\d+|N\d+)\b", text):
        rows["remarks"].append(
            {
                "remark_id": f"m{len(rows['remarks']) + 1}",
                "remittance_id": remittance_id,
                "remittance_line_id": line_id,
                "segment": "LQ" if line_id else "MOA",
                "remark_code": code,
            }
        )

"""Small hand-made tables: a claim per line, everything not said at its plainest value."""

from datetime import date, timedelta
from typing import Any

import pandas as pd

from analysis import tables

AS_OF = date(2026, 9, 30)
PLAIN = {
    "payer_id": "00123",
    "payer_type": "commercial_unspecified",
    "condition_group": "neck_pain",
    "n_versions": 1,
    "n_remittances": 1,
    "charge_cents": 10_000,
    "allowed_cents": 0,
    "paid_cents": 0,
    "moved_outside_cents": 0,
    "patient_responsibility_cents": 0,
    "is_corrected": False,
    "is_reversed": False,
    "as_of_date": AS_OF,
    "maturity_days": 60,
}


def claim(number: int, determination: str = "approved", **said: Any) -> dict[str, Any]:
    """One claim: sent on 1 March 2026 and answered ten days later, unless said otherwise."""
    submitted = said.get("submitted_date", date(2026, 3, 1))
    answered = determination in ("approved", "partially_approved", "denied")
    day = submitted + timedelta(days=10) if answered and submitted else None
    row = PLAIN | {
        "claim_id": f"c{number}",
        "patient_id": f"p{number}",
        "submitted_date": submitted,
        "service_date": submitted,
        "first_determination": determination,
        "first_determination_date": day,
        "days_to_first_determination": 10 if day else None,
        "final_determination": determination,
        "final_determination_date": day,
        "is_mature": bool(submitted and submitted <= AS_OF - timedelta(days=60)),
    }
    if determination == "denied":
        row |= {"denial_category": "authorization", "denial_reason_code": "197"}
        row |= {"final_denial_category": "authorization"}
    elif answered:
        row["allowed_cents"] = 8_000
    return row | said


def claims(n_approved: int, n_denied: int, first: int = 0, **said: Any) -> list[dict[str, Any]]:
    """So many approved, then so many denied claims of as many patients."""
    kinds = ["approved"] * n_approved + ["denied"] * n_denied
    return [claim(first + place, kind, **said) for place, kind in enumerate(kinds)]


def action(number: int, **said: Any) -> dict[str, Any]:
    """The next action on claim `number`: an appeal due in thirty days, unless said otherwise."""
    plain = {
        "claim_id": f"c{number}",
        "state": "to_do",
        "why": "reason_code",
        "action": "appeal",
        "category": "authorization",
        "answer_date": date(2026, 9, 1),
        "refused_charge_cents": 10_000,
        "deadline_date": AS_OF + timedelta(days=30),
        "deadline_source": "default",
    }
    return plain | said


def frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A declared table as the notebooks read it; a row that breaks the declaration is refused."""
    table = tables.from_rows(name, rows) if rows else tables.arrow_schema(name).empty_table()
    assert tables.problems(name, table) == []
    return tables.to_frame(table)


def outcomes(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return frame("claim_outcomes", rows)


def payers() -> pd.DataFrame:
    names = {"00123": "Evergreen Health", "900": "Cascade Auto", "7": "Harbor Trust"}
    kinds = {"00123": "commercial_unspecified", "900": "auto_PIP", "7": "union_trust"}
    return frame(
        "payers",
        [
            {"payer_id": i, "payer_name": names[i], "payer_type": kinds[i],
             "payer_type_source": "practice", "network_status": "in", "role": "insurer",
             "unit_rule": "unknown", "unit_rule_source": "unknown"}
            for i in names
        ],
    )  # fmt: skip

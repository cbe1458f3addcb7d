"""A small practice in declared tables: one call states what differs from an ordinary claim."""

from datetime import date
from typing import Any

import pyarrow as pa

from analysis import schemas, tables
from analysis.features.claim import claim_features
from analysis.features.documentation import documentation
from analysis.features.policies import rules_in_force

SERVED = date(2025, 3, 3)
SENT = date(2025, 3, 10)
ANSWERED = date(2025, 3, 30)


def claim(claim_id: str = "c1", **stated: Any) -> dict[str, Any]:
    """A row of `claims`: the first version of a claim that shows nothing but itself."""
    ordinary = {
        "claim_version_id": claim_id,
        "file_name": "a.837",
        "position": 1,
        "submitted_date": SENT,
        "patient_control_number": f"PCN-{claim_id}",
        "claim_frequency_code": "1",
        "patient_id": "p_1",
        "payer_id": "00123",
        "plan_id": "G1",
        "charge_cents": 12000,
        "attachment_codes": "",
        "has_note": False,
        "note_codes": "",
        "service_date": SERVED,
        "service_to_date": SERVED,
    }
    return ordinary | stated


def outcome(claim_id: str = "c1", **stated: Any) -> dict[str, Any]:
    """A row of `claim_outcomes`: approved on its first visit by a commercial plan."""
    ordinary = {
        "claim_id": claim_id,
        "patient_control_number": f"PCN-{claim_id}",
        "patient_id": "p_1",
        "payer_id": "00123",
        "plan_id": "G1",
        "payer_type": "commercial_fully_insured_WA",
        "condition_group": "low_back_pain",
        "visit_number": 1,
        "service_date": SERVED,
        "submitted_date": SENT,
        "n_versions": 1,
        "n_remittances": 1,
        "charge_cents": 12000,
        "allowed_cents": 9000,
        "paid_cents": 9000,
        "patient_responsibility_cents": 0,
        "first_determination": "approved",
        "first_determination_date": ANSWERED,
        "final_determination": "approved",
        "final_determination_date": ANSWERED,
        "is_corrected": False,
        "is_reversed": False,
        "as_of_date": date(2026, 9, 30),
        "maturity_days": 60,
        "is_mature": True,
    }
    return ordinary | stated


def line(claim_id: str = "c1", line_number: int = 1, **stated: Any) -> dict[str, Any]:
    """A row of `service_lines`: four units of massage."""
    ordinary = {
        "service_line_id": f"{claim_id}-{line_number}",
        "claim_version_id": claim_id,
        "line_number": line_number,
        "procedure_code": "97124",
        "charge_cents": 12000,
        "units": 4.0,
        "service_date": SERVED,
    }
    return ordinary | stated


def attested(item_id: str, status: str, claim_id: str = "c1", **stated: Any) -> dict[str, Any]:
    """A row of `attested_documents`: an answer for the day of service."""
    ordinary = {
        "attested_document_id": f"{claim_id}-{item_id}-{stated}",
        "file_name": "documentation.csv",
        "position": 2,
        "patient_control_number": f"PCN-{claim_id}",
        "service_date": SERVED,
        "item_id": item_id,
        "status": status,
    }
    return ordinary | stated


def remarked(remark_code: str, claim_id: str = "c1") -> dict[str, list[dict[str, Any]]]:
    """The remark of an insurer on a claim, and the place of its remittance."""
    return {
        "remarks": [
            {
                "remark_id": "m1",
                "remittance_id": "r1",
                "segment": "LQ",
                "remark_code": remark_code,
            }
        ],
        "claim_lineage": [
            {
                "record": "remittance",
                "record_id": "r1",
                "claim_id": claim_id,
                "match_kind": "control_number",
                "is_doubtful": False,
            }
        ],
    }


def practice(**rows: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """Every declared table, empty but for `rows`; one claim, its line and outcome unless stated.

    The rules in force follow from its policies, in Washington.
    """
    rows = {
        "claims": [claim()],
        "claim_outcomes": [outcome()],
        "service_lines": [line()],
        "payers": [
            {
                "payer_id": "00123",
                "payer_name": "Alder Mutual",
                "payer_type": "commercial_fully_insured_WA",
                "payer_type_source": "practice",
                "network_status": "in",
            }
        ],
    } | rows
    made = {
        name: tables.from_rows(name, rows[name])
        if rows.get(name)
        else tables.from_columns(name, {})
        for name in schemas.TABLES
    }
    return made | {"rules_in_force": rules_in_force(made, "WA")}


def documented(**rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Rows of `documentation` by claim, item and channel; the table keeps its declaration."""
    table = documentation(practice(**rows))["documentation"]
    assert tables.problems("documentation", table) == []
    return {(row["claim_id"], row["item_id"], row["channel"]): row for row in table.to_pylist()}


def featured(**rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows of `claim_features` by claim; the table keeps its declaration."""
    table = features_of(practice(**rows))
    assert tables.problems("claim_features", table) == []
    return {row["claim_id"]: row for row in table.to_pylist()}


def features_of(inputs: dict[str, pa.Table]) -> pa.Table:
    """Both steps of the stage."""
    return claim_features({**inputs, **documentation(inputs)})

"""The cent ledger: what a file states is held against its parts and against the claim sent."""

from collections.abc import Mapping

import pyarrow as pa

from analysis import codes, engine, tables
from analysis.schemas import CHECKS

INPUTS = (
    "claims",
    "service_lines",
    "payments",
    "remittances",
    "remittance_lines",
    "adjustments",
    "provider_adjustments",
    "file_checks",
    "claim_lineage",
    "line_lineage",
    "claim_diagnoses",
)
OUTPUTS = ("imbalances", "checks")


def balances(inputs: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Tables `imbalances` (each check a record does not pass) and `checks` (how many were made).

    The rules are the balancing rules of the 835's implementation guide (X221, section 1.10.2.1):
    charge less adjustments is paid, for a line and for a claim; claims less PLB are the deposit.
    """
    known = {name: inputs[name] for name in INPUTS} | {
        "check_names": pa.table({"check_name": list(CHECKS), "place": range(len(CHECKS))}),
        "icd10_changes": codes.table("icd10_changes"),
        "cpt": codes.table("cpt"),
        "carc": codes.table("carc"),
    }
    made = engine.run(engine.statements("analysis.claims", "balances.sql"), known, list(OUTPUTS))
    return {name: tables.conform(name, made[name]) for name in OUTPUTS}

"""Whether every record is understood and every cent accounted for.

`balances` is the cent ledger: what a file states is held against its parts and against the claim
that was sent. `unmapped_codes` is the worklist of codes nobody has mapped yet.
"""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from analysis import codes, engine, tables
from analysis.schemas import CHECKS

INPUTS = (
    "adjustments",
    "remarks",
    "service_lines",
    "remittance_lines",
    "claim_diagnoses",
    "claims",
)
BALANCE_INPUTS = (
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
)
BALANCE_OUTPUTS = ("imbalances", "checks")


def balances(inputs: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Tables `imbalances` (each check a record does not pass) and `checks` (how many were made).

    The rules are the balancing rules of the 835's implementation guide (X221, section 1.10.2.1):
    charge less adjustments is paid, for a line and for a claim; claims less PLB are the deposit.
    """
    names = pa.table({"check_name": list(CHECKS), "place": range(len(CHECKS))})
    made = engine.run(
        engine.statements("analysis.claims", "balances.sql"),
        {name: inputs[name] for name in BALANCE_INPUTS} | {"check_names": names},
        list(BALANCE_OUTPUTS),
    )
    return {name: tables.conform(name, made[name]) for name in BALANCE_OUTPUTS}


def unmapped_codes(inputs: Mapping[str, pa.Table]) -> pa.Table:
    """Table `unmapped_codes`: codes met in the files that no reference table knows."""
    references = {name: codes.table(name) for name in ("carc", "rarc", "cpt", "conditions")}
    patterns = references["conditions"]
    references["conditions"] = patterns.filter(pc.not_equal(patterns["condition_group"], "other"))
    made = engine.run(
        engine.statements("analysis.claims", "quality.sql"),
        {name: inputs[name] for name in INPUTS} | references,
        ["unmapped_codes"],
    )
    return tables.conform("unmapped_codes", made["unmapped_codes"])

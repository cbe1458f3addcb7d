"""Codes as sent: which of them nobody has mapped, and whether they fit the work written down.

A technique is what the practice recorded of a visit; it is never inferred from the code billed, and
a code is never inferred from it. Where the two do not go together, a person looks.
"""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from analysis import codes, engine, tables

INPUTS = (
    "remittances",
    "adjustments",
    "remarks",
    "service_lines",
    "remittance_lines",
    "claim_diagnoses",
    "claims",
    "claim_lineage",
    "visit_techniques",
)
REFERENCES = (
    "carc",
    "rarc",
    "cpt",
    "modifiers",
    "group_codes",
    "claim_statuses",
    "claim_frequencies",
    "techniques",
)
OUTPUTS = ("unmapped_codes", "technique_codes")


def coding(inputs: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Tables `unmapped_codes` (a worklist, never a silent "other") and `technique_codes`."""
    references = {name: codes.table(name) for name in REFERENCES}
    patterns = codes.table("conditions")
    references["conditions"] = patterns.filter(pc.not_equal(patterns["condition_group"], "other"))
    known = {name: inputs[name] for name in INPUTS} | references
    made = engine.run(engine.statements("analysis.claims", "coding.sql"), known, list(OUTPUTS))
    return {name: tables.conform(name, made[name]) for name in OUTPUTS}

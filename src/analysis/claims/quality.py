"""Whether every record is understood: the codes nobody has mapped yet."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from analysis import codes, engine, tables

INPUTS = (
    "adjustments",
    "remarks",
    "service_lines",
    "remittance_lines",
    "claim_diagnoses",
    "claims",
)


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

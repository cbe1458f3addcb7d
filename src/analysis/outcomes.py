"""First and final determination of every claim and line, and why it was denied or cut.

The rules are the definitions of GLOSSARY.md, written as staged SQL in `outcomes.sql`: a line is
approved when something was allowed, whatever was paid; a reversal and its correction net to one
determination; a secondary insurer, a duplicate and a rejection decide nothing.
"""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from analysis import codes, engine, tables
from analysis.errors import DataError

INPUTS = (
    "claims",
    "service_lines",
    "claim_diagnoses",
    "remittances",
    "remittance_lines",
    "adjustments",
    "remarks",
    "claim_lineage",
    "payers",
)
OUTPUTS = ("claim_outcomes", "line_outcomes")

# Used until the practice's own answers tell how long answers take.
DEFAULT_MATURITY_DAYS = 90


def outcomes(inputs: Mapping[str, pa.Table], as_of: date) -> dict[str, pa.Table]:
    """Tables `claim_outcomes` and `line_outcomes`, as of the day `as_of`."""
    references = {name: codes.table(name) for name in ("carc", "rarc")}
    made = engine.run(
        engine.statements("analysis", "outcomes.sql"),
        {name: inputs[name] for name in INPUTS} | references | {"conditions": _conditions()},
        list(OUTPUTS),
        {"as_of_date": as_of, "default_maturity_days": DEFAULT_MATURITY_DAYS},
    )
    return {name: tables.conform(name, made[name]) for name in OUTPUTS}


def _conditions() -> pa.Table:
    """The condition patterns in their order: the catch-all stands last."""
    patterns = codes.table("conditions")
    return patterns.append_column("pattern_order", pa.array(range(len(patterns)), pa.int64()))


def last_day(inputs: Mapping[str, pa.Table]) -> date:
    """The latest day the files know of: the as-of date of a practice that states none.

    Raises DataError when no claim and no payment carries a date.
    """
    days = [
        pc.max(inputs[table][column]).as_py()
        for table, column in (("claims", "submitted_date"), ("payments", "payment_date"))
    ]
    known = [day for day in days if day is not None]
    if not known:
        raise DataError(
            "no claim and no payment carries a date, so outcomes have no as-of date; "
            "put 837 or 835 files into the practice's raw folder, or state as_of in practice.toml"
        )
    latest: date = max(known)
    return latest

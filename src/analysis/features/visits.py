"""Each claim's place among the patient's visits, and every limit the practice knows for it.

A visit is a day of service. It counts once, whatever was billed on it, and whatever the insurer
answered: a visit that fell under the deductible or was denied took place; a voided claim uses none.
Limits come from four sides, and a visit must pass them all: the insurer's rules, the plan, its
authorizations, and the prescription with its plan of care.
"""

from collections.abc import Mapping

import pyarrow as pa

from analysis import engine, ranges, tables

INPUTS = (
    "claim_outcomes",
    "line_outcomes",
    "claims",
    "claim_diagnoses",
    "visit_minutes",
    "authorizations",
    "prescriptions",
    "rules_in_force",
)
OUTPUTS = ("visit_counts", "visit_limits")

_HERE = "analysis.features"


def visits(inputs: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Tables `visit_counts` (one row for each claim) and `visit_limits` (claim x limit known).

    Years and weeks are counted per patient, insurer and plan; episodes per patient and condition.
    A limit nobody wrote down has no row; where it cannot be told whether the visit lies past it,
    `is_past` is null. Where authorizations overlap and no claim says which it used, only what holds
    either way is said. Of prescriptions the newest that fits the diagnosis holds, and its visits
    are counted from the day it was written.
    """
    given = {name: inputs[name] for name in INPUTS}
    stages = ranges.Stages(
        key="patient_key",
        numbering="patient_keys",
        before=engine.statements(_HERE, "prescribed.sql", "patients.sql"),
        by_key=engine.statements(_HERE, "visits.sql"),
        after=engine.statements(_HERE, "counted.sql"),
    )
    made = ranges.run(stages, given, list(OUTPUTS))
    return {name: tables.conform(name, made[name]) for name in OUTPUTS}

"""Each claim's place among the patient's visits, against the limits the practice knows.

A visit is a day of service. It counts once, whatever was billed on it, and whatever the insurer
answered: a visit that fell under the deductible or was denied took place; a voided claim uses none.
"""

from collections.abc import Mapping

import pyarrow as pa

from analysis import engine, tables

INPUTS = ("claim_outcomes", "line_outcomes", "claims", "authorizations", "policies", "plans")


def visit_counts(inputs: Mapping[str, pa.Table], state: str | None) -> pa.Table:
    """Table `visit_counts`: one row for each claim, from the tables in INPUTS.

    Years and weeks are counted per patient and plan. Rules come from `policies` in force on the
    day, a rule for one state only when it is the practice's `state`; a rule for the plan goes
    before one for the insurer, and the undated limit of `plans` stands in where there is none. A
    limit nobody wrote down is null, and so is the answer whether the visit lies past it. Where
    authorizations overlap and no claim says which it used, only what holds either way is said.
    """
    given = {name: inputs[name] for name in INPUTS}
    staged = engine.statements("analysis.features", "visits.sql")
    made = engine.run(staged, given, ["visit_counts"], {"state": state or ""})
    return tables.conform("visit_counts", made["visit_counts"])

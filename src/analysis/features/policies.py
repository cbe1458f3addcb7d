"""Which of the rules that the practice noted in policies.csv speaks for which claim."""

from collections.abc import Mapping

import pyarrow as pa

from analysis import engine, tables

INPUTS = ("claim_outcomes", "line_outcomes", "policies", "plans")


def rules_in_force(inputs: Mapping[str, pa.Table], state: str | None) -> pa.Table:
    """Table `rules_in_force`: one row for each claim, rule and code, from the tables in INPUTS.

    A rule speaks for a claim of its insurer, plan and state on the claim's last day of service; one
    for a state only when it is the practice's `state`. Of several rules on the same thing the most
    particular holds (plan before insurer, state before none), then the newest. The undated limit of
    `plans` stands in where no policy speaks.
    """
    given = {name: inputs[name] for name in INPUTS}
    staged = engine.statements("analysis.features", "policies.sql")
    made = engine.run(staged, given, ["rules_in_force"], {"state": state or ""})
    return tables.conform("rules_in_force", made["rules_in_force"])

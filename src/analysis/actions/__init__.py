"""The next action for every claim: what to do, why, and until when; or why there is nothing to do.

The order of decision is the one billers use: no appeal where the insurer's remark forbids it, then
the patient's share and contract reductions, another insurer, corrections, records, appeals, and
last the plan's own limits. A claim has one action: that of the reason which comes first.

Deadlines come from the letter where the practice wrote one down (appeals.csv, a row without a
filing date), else from the contract (policies.csv: appeal_days, correction_days,
timely_filing_days), else from what is usual for the kind of insurance (reference/payer_types.csv).
A remittance never carries one.
"""

from collections.abc import Mapping

import pyarrow as pa

from analysis import codes, engine, tables

INPUTS = (
    "claims",
    "remittances",
    "adjustments",
    "remarks",
    "claim_lineage",
    "claim_outcomes",
    "appeal_outcomes",
    "policies",
)


def next_actions(inputs: Mapping[str, pa.Table], state: str | None) -> pa.Table:
    """Table `next_actions`, one row for each claim, from the tables in INPUTS.

    `state` is the practice's own, for rules of policies.csv that hold in one state only.
    """
    references = {name: codes.table(name) for name in ("carc", "rarc", "payer_types")}
    known = {name: inputs[name] for name in INPUTS} | references
    known |= {"actions": codes.table("next_actions"), "steps": _steps()}
    staged = engine.statements("analysis.actions", "next_actions.sql")
    made = engine.run(staged, known, ["next_actions"], {"state": state or ""})
    return tables.conform("next_actions", made["next_actions"])


def _steps() -> pa.Table:
    """(kind, code) -> action: what a reason code's first action, or else its category, leads to."""
    steps = [
        {"kind": kind, "code": code, "action": row["action"]}
        for row in codes.rows("next_actions")
        for kind, column in (("first_action", "first_actions"), ("category", "categories"))
        for code in row[column].split(";")
        if code
    ]
    return pa.Table.from_pylist(steps)

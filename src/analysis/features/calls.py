"""What an insurer said on the telephone, held against what it then did.

It reads the insurer's answers, so nothing here may become a feature of a claim.
"""

from collections.abc import Mapping

import pyarrow as pa

from analysis import engine, tables

INPUTS = ("benefit_calls", "claim_outcomes", "visit_counts")


def call_outcomes(inputs: Mapping[str, pa.Table]) -> pa.Table:
    """Table `call_outcomes`: benefit call x claim x thing said, from the tables in INPUTS.

    A call speaks for the claims of its patient and insurer served from that day until the next
    call, for a year at most. What was said is broken when the first answer denies or cuts the claim
    for the very reason ruled out; kept when it approves; otherwise nobody can tell. A number of
    visits speaks only for visits up to that number, as `visit_counts` counts the calendar year.
    """
    given = {name: inputs[name] for name in INPUTS}
    staged = engine.statements("analysis.features", "calls.sql")
    made = engine.run(staged, given, ["call_outcomes"])
    return tables.conform("call_outcomes", made["call_outcomes"])

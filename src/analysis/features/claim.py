"""The features of a claim, as known on the day of its first submission.

Nothing an insurer answered is read, however it reached the tables: what a feature may use of
`claim_outcomes` is the condition, the kind of insurance and the visit's place in its episode.
"""

from collections.abc import Mapping

import pyarrow as pa

from analysis import engine, tables
from analysis.features.documentation import SUMS

INPUTS = ("claims", "service_lines", "claim_outcomes", "network_periods", SUMS)


def claim_features(inputs: Mapping[str, pa.Table]) -> pa.Table:
    """Table `claim_features`: one row for each claim with a version, from the tables in INPUTS.

    SUMS is what `documentation` gives beside its tables. Of the items the checklist asks for,
    completeness is the weight present over the weight present or absent, and null where nothing is
    known; completeness_coverage is the weight with a known status over all. The practice's own word
    wins over what the claim shows; unknown is never counted as absent. A gate is failed when a gate
    item that is asked for is known to be absent. Network status is the one in force on the day of
    service.
    """
    given = {name: inputs[name] for name in INPUTS}
    staged = engine.statements("analysis.features", "claim.sql")
    made = engine.run(staged, given, ["claim_features"])
    return tables.conform("claim_features", made["claim_features"])

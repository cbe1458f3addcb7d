"""Which records belong to one claim: versions, voids, resubmissions, and the insurer's answers.

Versions are joined by REF F8, by control number with the day of service, or by the same service
(patient, day, payer, codes and charges, or some of them) sent again under a new number. What an
insurer accepted twice was done twice, however alike it looks. Remittances are placed by control
number, else by the insurer's own number; what fits no claim we were given becomes a claim known
from its remittances alone. Money moved outside claims (PLB) is tied to the claim that its
reference names, where it names one.
"""

from collections.abc import Mapping

import pyarrow as pa

from analysis import engine, tables

INPUTS = (
    "claims",
    "service_lines",
    "remittances",
    "remittance_lines",
    "adjustments",
    "provider_adjustments",
)
OUTPUTS = ("claim_lineage", "provider_adjustment_lineage")

# Every version takes the smallest label among the versions it shares a key with.
_SPREAD = """
CREATE OR REPLACE TEMP TABLE spread AS
SELECT k.claim_version_id, min(m.label) AS label
FROM version_keys AS k
INNER JOIN (
    SELECT j.version_key, min(l.label) AS label
    FROM version_keys AS j
    INNER JOIN labels AS l ON l.claim_version_id = j.claim_version_id
    GROUP BY j.version_key
) AS m ON m.version_key = k.version_key
GROUP BY k.claim_version_id
"""
_CHANGED = """
SELECT count(*) FROM spread AS s
INNER JOIN labels AS l ON l.claim_version_id = s.claim_version_id
WHERE s.label < l.label
"""


def lineage(inputs: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Tables `claim_lineage` and `provider_adjustment_lineage`."""
    with engine.connect({name: inputs[name] for name in INPUTS}) as connection:
        engine.stage(connection, engine.statements("analysis.claims", "lineage.sql"))
        changed = True
        while changed:
            connection.execute(_SPREAD)
            row = connection.execute(_CHANGED).fetchone()
            changed = row is not None and row[0] > 0
            connection.execute("CREATE OR REPLACE TEMP TABLE labels AS SELECT * FROM spread")
        engine.stage(connection, engine.statements("analysis.claims", "placement.sql"))
        return {name: tables.conform(name, engine.fetch(connection, name)) for name in OUTPUTS}

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


def lineage(inputs: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Tables `claim_lineage` and `provider_adjustment_lineage`."""
    with engine.staging({name: inputs[name] for name in INPUTS}) as sql:
        first, spreading, then = (
            engine.statements("analysis.claims", f"{name}.sql")
            for name in ("lineage", "spreading", "placement")
        )
        later = [*spreading.values(), *then.values()]
        sql.stage(first, keep={word for text in later for word in engine.words(text)})
        n_changed = 1
        while n_changed > 0:
            sql.stage(spreading)
            n_changed = tables.load(sql.fetch("changed"))["n_changed"][0].as_py()
        sql.stage(then, keep=OUTPUTS, fetched=OUTPUTS)
        return {name: tables.conform(name, sql.fetch(name)) for name in OUTPUTS}

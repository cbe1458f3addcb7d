"""Which documents a claim had on the day it was first submitted, and who says so.

Three channels are kept apart, because they disagree and differ in worth:

- claim: what the first 837P shows. It can show a document, never the lack of one, so its statuses
  are present and unknown.
- attested: what the practice wrote down for the visit, its minutes among it, and its lists of
  authorizations and prescriptions. A document dated after the submission counts as absent, for it
  did not exist when the insurer got the claim.
- remittance: a remark (RARC) by which the insurer says that a document lacks. It is known only
  after the decision, so it may contradict the other two but never feeds a feature.

What a claim needs is read from `reference/documentation.csv`: the kind of insurance decides, the
condition, and the visit's place in its episode. For authorizations and referrals a rule of the
insurer that the practice noted goes before it.
"""

from collections.abc import Mapping

import pyarrow as pa

from analysis import codes, engine, ranges, tables

INPUTS = (
    "claims",
    "service_lines",
    "claim_diagnoses",
    "remittances",
    "remarks",
    "attested_documents",
    "visit_minutes",
    "authorizations",
    "prescriptions",
    "rules_in_force",
    "claim_lineage",
    "claim_outcomes",
)

OUTPUTS = ("documentation", "documentation_contradictions")
# What each claim's documents come to, for its features.
SUMS = "document_sums"

# Nobody but the patient decides here, so "every insured type" leaves them out.
UNINSURED_PAYER_TYPES = ("self_pay", "HSA_FSA_HRA")

_HERE = "analysis.features"


def documentation(inputs: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Tables `documentation` (as of the day of first submission), `documentation_contradictions`.

    `inputs` holds the tables named in INPUTS. Claims known from remittances alone have no rows. An
    item has a claim row and an attested row where the checklist asks for it, and otherwise a row
    only in the channels that know something of it; the remittance channel has a row only where an
    insurer remarked on the item. So a missing row says: nothing known and nothing asked.

    Beside the tables it gives SUMS, a row for each claim with a document known or asked for.

    A contradiction is a document that one channel has and another lacks, with the code that says
    so. The remittance channel takes part in it, so no feature may read that table.
    """
    given = {name: inputs[name] for name in INPUTS}
    references = {
        "checklist": codes.table("documentation"),
        "requirements": requirements(),
        "item_attachments": _item_codes("attachment_codes"),
        "item_notes": _item_codes("note_codes"),
        "rarc": codes.table("rarc"),
    }
    stages = ranges.Stages(
        key="claim_key",
        numbering="claim_keys",
        before=engine.statements(_HERE, "prescribed.sql", "submissions.sql"),
        by_key=engine.statements(_HERE, "documentation.sql"),
        after={},
    )
    made = ranges.run(stages, given | references, [*OUTPUTS, SUMS])
    return {SUMS: made[SUMS]} | {name: tables.conform(name, made[name]) for name in OUTPUTS}


def requirements() -> pa.Table:
    """What each kind of insurance asks for: payer_type, item_id, visit_from, condition_group.

    `visit_from` is the first visit of an episode for which the item is asked. A null condition
    stands for every condition, else there is a row for each. In the checklist `*` stands for every
    kind of insurance; a kind named beside it goes its own way.
    """
    rows = []
    for item in codes.rows("documentation"):
        first_visits = dict(pair.split("=") for pair in item["visit_from"].split(";") if pair)
        conditions = dict(pair.split("=") for pair in item["conditions"].split(";") if pair)
        for payer_type in _payer_types(item["required_payer_types"]):
            visit_from = int(first_visits.get(payer_type, first_visits.get("*", "1")))
            for condition in conditions.get(payer_type, "").split("|"):
                rows.append((payer_type, item["item_id"], visit_from, condition or None))
    names = ("payer_type", "item_id", "visit_from", "condition_group")
    return pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))


def _payer_types(required: str) -> list[str]:
    if required == "*":
        every = (row["payer_type"] for row in codes.rows("payer_types"))
        return [payer_type for payer_type in every if payer_type not in UNINSURED_PAYER_TYPES]
    return [payer_type for payer_type in required.split(";") if payer_type]


def _item_codes(column: str) -> pa.Table:
    """One row for each item and code of that column that shows it: item_id, code."""
    pairs = [
        (item["item_id"], code)
        for item in codes.rows("documentation")
        for code in item[column].split(";")
        if code
    ]
    items, item_codes = zip(*pairs, strict=True)
    return pa.table({"item_id": items, "code": item_codes})

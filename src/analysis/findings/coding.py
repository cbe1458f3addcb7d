"""Whether the codes billed are those usual for the techniques written down."""

from datetime import date

import pandas as pd

from analysis import codes
from analysis.findings import population
from analysis.findings.data_quality import scope
from analysis.findings.finding import Finding, Numbers, Question

CONCORDANCE = Question(
    id="coding.concordance",
    question="Do the codes billed go with the techniques written down?",
    unit="technique of a visit",
    definition=(
        "usual: one of the codes first billed for the visit is usual for the technique"
        " (reference/techniques.csv); the code follows from the purpose of the work, so another"
        " code may be right"
    ),
    method="count of all techniques written down for a billed visit; no sample, so no interval",
    caveats=("techniques are the practice's own words; no technique is inferred from a code",),
)


def concordance(technique_codes: pd.DataFrame, as_of: date) -> Finding:
    """How many techniques written down stand beside a code that is usual for them."""
    known = technique_codes.dropna(subset="is_usual")
    n_other = int((~known["is_usual"].astype(bool)).sum())
    template = "No technique was written down for a billed visit."
    if len(known):
        template = (
            "Of {denominator:n technique} written down for a billed visit, {other:count} stand"
            " beside codes under which they are not usually billed."
        )
    return CONCORDANCE.answer(
        template,
        scope(as_of),
        Numbers(numerator=len(known) - n_other, denominator=len(known)),
        {"other": n_other},
    )


def unusual(technique_codes: pd.DataFrame) -> pd.DataFrame:
    """Techniques beside unusual codes: technique, billed, usual, n (visits), most visits first."""
    known = technique_codes.dropna(subset="is_usual")
    other = known[~known["is_usual"].astype(bool)]
    table = other.groupby(["technique", "procedure_codes"]).size().rename("n").reset_index()
    usual = {row["technique"]: row["usual_codes"] for row in codes.rows("techniques")}
    table["usual"] = table["technique"].map(usual).str.replace(";", " or ")
    table["billed"] = table["procedure_codes"].str.replace(":", ", ")
    table["technique"] = population.in_words(table["technique"], codes.labels("techniques"))
    ordered = population.largest_first(table, ["technique", "billed"])
    return ordered[["technique", "billed", "usual", "n"]]

"""How complete the required documents were on the day of submission, and what goes with it."""

import math

import pandas as pd

from analysis import codes
from analysis.findings import population, rates
from analysis.findings.finding import Finding, Numbers, Question

STATUSES = ("present", "absent", "unknown", "not_required")
COMPLETE = "every required document on file"
NONE_MISSING = "none known to be missing, some not written down"
SOME_MISSING = "a required document missing"
GATE_MISSING = "a document that decides alone missing"
BANDS = (COMPLETE, NONE_MISSING, SOME_MISSING, GATE_MISSING)
DEFINITION = (
    "required by the checklist for the kind of insurance and the visit; as it stood on the day of"
    " first submission; the practice's own record first, else what the claim shows; not written"
    " down is unknown, never absent"
)
COVERAGE = Question(
    id="documentation.coverage",
    question="How much do we know about the documents?",
    unit="document",
    definition=DEFINITION,
    method="count of all required documents; no sample, so no interval",
)
MOST_MISSING = Question(
    id="documentation.most_missing",
    question="Which document is missing most often?",
    unit="claim",
    definition=DEFINITION,
    method="count of all claims that required the document",
)
ASSOCIATION = Question(
    id="documentation.association",
    question="Are claims with their documents approved more often?",
    unit="claim",
    definition=f"{population.DEFINITIONS['first']}; documents: {DEFINITION}",
    method=(
        "difference within insurers (Mantel-Haenszel), 95% interval with claims of one patient kept"
        " together"
    ),
    caveats=(
        "an association among submitted claims: difficult cases may be documented otherwise",
        "documents nobody wrote down are counted as not known to be missing",
    ),
    must_not=(
        "must not be read as the effect of adding a document, nor generalised to other practices"
    ),
)


def required(documentation: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """The required documents of `claims`: claim_id, payer_id, item_id, document, status.

    The practice's own word counts before what the claim shows; what the insurer's remark says is
    left out, because it came after submission.
    """
    told = documentation[
        documentation["is_required"].astype(bool) & (documentation["channel"] != "remittance")
    ]
    told = told.merge(claims[["claim_id", "payer_id"]], on="claim_id")
    # A known status beats an unknown one; among known ones the practice's own comes first.
    told = told.assign(
        is_unknown=told["status"] == "unknown", is_derived=told["channel"] != "attested"
    ).sort_values(["claim_id", "item_id", "is_unknown", "is_derived"])
    items = told.drop_duplicates(["claim_id", "item_id"]).reset_index(drop=True)
    items["document"] = population.in_words(items["item_id"], _documents())
    return items[["claim_id", "payer_id", "item_id", "document", "status"]]


def by_item(items: pd.DataFrame) -> pd.DataFrame:
    """Counts by document: item_id, document, present, absent, unknown, not_required, n.

    `items` as from `required`; in the checklist's order.
    """
    counts = items.groupby(["item_id", "document"])["status"].value_counts().unstack(fill_value=0)
    counts = counts.reindex(columns=list(STATUSES), fill_value=0)
    return counts.assign(n=counts.sum(axis=1)).rename_axis(columns=None).reset_index()


def missing_by_insurer(
    items: pd.DataFrame, payers: pd.DataFrame, minimum_cell_size: int = 11
) -> pd.DataFrame:
    """Which documents are known to be absent, by insurer: insurer, document, n_absent, n, share.

    `n` counts the claims where the document is required and its status known; pairs under
    `minimum_cell_size`, and pairs with nothing missing, are left out.
    """
    known = items[items["status"].isin(["present", "absent"])]
    table = (
        known.assign(absent=(known["status"] == "absent").astype("int64"))
        .groupby(["payer_id", "document"], as_index=False)
        .agg(n=("absent", "size"), n_absent=("absent", "sum"))
    )
    table = table[(table["n"] >= minimum_cell_size) & (table["n_absent"] > 0)]
    table = population.with_words(table.assign(share=table["n_absent"] / table["n"]), payers)
    order = table.sort_values(["n_absent", "insurer", "document"], ascending=[False, True, True])
    return order.reset_index(drop=True)


def coverage(items: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> Finding:
    """How much of what was required anybody wrote down."""
    n_known = int((items["status"] != "unknown").sum())
    template = (
        "Of {denominator:n required document}, {estimate:percent} have a known status; the rest"
        " nobody wrote down, and they count as unknown, not as missing."
        if len(items)
        else "No document was required of any claim, so nothing can be said."
    )
    return COVERAGE.answer(
        template,
        population.scope(population.through(outcomes, month), outcomes),
        Numbers(
            estimate=n_known / len(items) if len(items) else None,
            numerator=n_known,
            denominator=len(items),
        ),
    )


def most_missing(items: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> Finding:
    """The document most often known to be absent when it was required."""
    table = by_item(items).sort_values(["absent", "document"], ascending=[False, True])
    scope = population.scope(population.through(outcomes, month), outcomes)
    if table["absent"].sum() == 0:
        return MOST_MISSING.answer("No required document is known to be missing.", scope)
    worst = table.iloc[0]
    return MOST_MISSING.answer(
        "Most often missing: {document}, on {numerator:count} of {denominator:n claim} that"
        " required it; unknown on another {unknown:count}.",
        scope,
        Numbers(numerator=int(worst["absent"]), denominator=int(worst["n"])),
        {"document": worst["document"], "unknown": int(worst["unknown"])},
    )


def by_completeness(
    claim_features: pd.DataFrame,
    outcomes: pd.DataFrame,
    month: str,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """First-pass approval of matured claims by completeness: band, n, estimate, lower, upper."""
    answers = _banded(claim_features, outcomes, month)
    table = rates.judged(rates.rates(answers, ["band"]), minimum_cell_size)
    return table.set_index("band").reindex(list(BANDS)).dropna(subset="n").reset_index()


def association(
    claim_features: pd.DataFrame,
    outcomes: pd.DataFrame,
    month: str,
    minimum_cell_size: int = 11,
) -> Finding:
    """Approval without and with a known missing document, compared within each insurer."""
    answers = _banded(claim_features, outcomes, month)
    lacking = answers["band"].isin([SOME_MISSING, GATE_MISSING])
    gap, error, n_compared = within_groups(answers, ~lacking, answers["payer_id"])
    few, many = int(lacking.sum()), int((~lacking).sum())
    scope = population.scope(answers, outcomes)
    if min(few, many) < minimum_cell_size or n_compared == 0:
        return ASSOCIATION.answer(
            "Too few claims with and without a missing document to compare.", scope
        )
    lower, upper = gap - 1.96 * error, gap + 1.96 * error
    near, far = sorted((abs(lower), abs(upper)))
    return ASSOCIATION.answer(
        _association_template(gap, lower, upper),
        scope,
        Numbers(gap, lower, upper, denominator=n_compared),
        {"few": few, "many": many, "near": near, "far": far},
    )


def _association_template(gap: float, lower: float, upper: float) -> str:
    if upper - lower > rates.MAX_WIDTH:
        return (
            "Too uncertain to state: {few:n claim} with a missing document against {many:count}"
            " without say too little."
        )
    if lower <= 0 <= upper:
        return (
            "Within the same insurer, having no document known to be missing was not associated"
            " with a clear difference in approval ({few:n claim} with one missing, {many:count}"
            " without)."
        )
    return (
        "Within the same insurer, having no document known to be missing was associated with"
        f" {{estimate:points}} points {'more' if gap > 0 else 'less'} approval ({{near:points}} to"
        " {far:points}; {few:n claim} with one missing, {many:count} without)."
    )


def contradictions(documentation: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """Documents on file by the practice's word that the insurer's remark asked for.

    Columns: document, n. Either the record or the insurer is wrong, or the document was not sent.
    """
    claims = population.through(outcomes, month)[["claim_id"]]
    told = documentation.merge(claims, on="claim_id")
    key = ["claim_id", "item_id"]
    attested = told[(told["channel"] == "attested") & (told["status"] == "present")]
    asked = told[(told["channel"] == "remittance") & (told["status"] == "absent")]
    both = attested[key].merge(asked[key], on=key)
    both["document"] = population.in_words(both["item_id"], _documents())
    counts = both.groupby("document").size().rename("n").reset_index()
    return population.largest_first(counts, ["document"])


def within_groups(
    answers: pd.DataFrame, exposed: pd.Series, group: pd.Series
) -> tuple[float, float, int]:
    """(difference, standard error, claims compared): approval of exposed minus other claims.

    Compared within each group and pooled with Mantel-Haenszel weights (Greenland and Robins 1985);
    the error sums a patient's claims before squaring. A group with one side only tells nothing.
    """
    claims = pd.DataFrame(
        {
            "approved": answers["is_approved"].astype(float),
            "exposed": exposed.astype(bool),
            "group": group.fillna("unknown"),
            "patient": answers["patient_id"].fillna(answers["claim_id"]),
        }
    )
    n = claims.groupby("group")["exposed"].agg(["sum", "size"])
    n = n[(n["sum"] > 0) & (n["sum"] < n["size"])]
    claims = claims[claims["group"].isin(n.index)]
    if claims.empty:
        return 0.0, math.inf, 0
    weight = (n["sum"] * (n["size"] - n["sum"]) / n["size"]).astype(float)
    side = claims.groupby(["group", "exposed"])["approved"]
    residual = claims["approved"] - side.transform("mean")
    sign = claims["exposed"].map({True: 1.0, False: -1.0})
    pull = sign * claims["group"].map(weight / weight.sum()) / side.transform("size")
    error = math.sqrt(((pull * residual).groupby(claims["patient"]).sum() ** 2).sum())
    return float((pull * claims["approved"]).sum()), error, len(claims)


def _banded(claim_features: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """Answered matured claims with their completeness `band`."""
    answers = population.answered(population.matured(outcomes, month))
    counts = ["n_required_absent", "n_required_unknown", "n_gates_failed"]
    banded = answers.merge(claim_features[["claim_id", *counts]], on="claim_id")
    band = pd.Series(COMPLETE, index=banded.index)
    band[banded["n_required_unknown"] > 0] = NONE_MISSING
    band[banded["n_required_absent"] > 0] = SOME_MISSING
    band[banded["n_gates_failed"] > 0] = GATE_MISSING
    return banded.assign(band=band)


def _documents() -> dict[str, str]:
    return codes.labels("documentation")

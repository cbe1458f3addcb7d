"""How complete the required documents were on the day of submission, and what goes with it."""

import math

import pandas as pd

from analysis import codes
from analysis.findings import population, rates
from analysis.findings.finding import Finding, Numbers, Question
from analysis.models.patients import patients

STATUSES = ("present", "absent", "unknown")
# Of documents less known than this a completeness would speak for the few that were written down.
LEAST_KNOWN = 0.5
# A document that lacks on fewer claims than this is no pattern worth a line.
NOTEWORTHY = 0.25
CHANNELS = {
    "claim": "the claim",
    "attested": "the practice's record",
    "remittance": "the insurer's remark",
}
COMPLETE = "every required document on file"
NONE_MISSING = "none known to be missing, some not written down"
SOME_MISSING = "a required document missing"
GATE_MISSING = "a document that decides alone missing"
BANDS = (COMPLETE, NONE_MISSING, SOME_MISSING, GATE_MISSING)
DEFINITION = (
    "required by the checklist for the kind of insurance and the visit, unless the practice wrote"
    " down that it was not; as it stood on the day of first submission; the practice's own record"
    " first, else what the claim shows; not written down is unknown, never absent"
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
GATES = Question(
    id="documentation.gates",
    question="How many claims lack a document that can stop a claim by itself?",
    unit="claim",
    definition=f"license, prescription, authorization, diagnosis; {DEFINITION}",
    method="count of all claims that required at least one of them; no sample, so no interval",
)
DISAGREEMENT = Question(
    id="documentation.disagreement",
    question="Do the claim, the practice's record and the insurer agree on the documents?",
    unit="claim",
    definition=(
        "a document that one source has on the day of submission and another lacks: the claim"
        " itself, the practice's record, a remark of the insurer"
    ),
    method="count of all claims",
    caveats=(
        "who is right cannot be told from here: the record may be wrong, the insurer may be, or the"
        " document was never sent",
    ),
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

    The practice's own word counts before what the claim shows, also where it says that none was
    required; what the insurer's remark says is left out, because it came after submission.
    """
    told = documentation[
        documentation["is_required"].astype(bool) & (documentation["channel"] != "remittance")
    ]
    told = told.merge(claims[["claim_id", "payer_id"]], on="claim_id")
    # A known status beats an unknown one; among known ones the practice's own comes first.
    told = told.assign(
        is_unknown=told["status"] == "unknown", is_derived=told["channel"] != "attested"
    ).sort_values(["claim_id", "item_id", "is_unknown", "is_derived"])
    items = told.drop_duplicates(["claim_id", "item_id"])
    items = items[items["status"] != "not_required"].reset_index(drop=True)
    items["document"] = population.in_words(items["item_id"], _documents())
    return items[["claim_id", "payer_id", "item_id", "document", "status"]]


def by_item(items: pd.DataFrame) -> pd.DataFrame:
    """Counts by document: item_id, document, present, absent, unknown, n.

    `items` as from `required`; in the checklist's order.
    """
    counts = items.groupby(["item_id", "document"])["status"].value_counts().unstack(fill_value=0)
    counts = counts.reindex(columns=list(STATUSES), fill_value=0)
    return counts.assign(n=counts.sum(axis=1)).rename_axis(columns=None).reset_index()


def least_complete(by_item: pd.DataFrame, n: int = 8) -> pd.DataFrame:
    """The `n` documents of `by_item` missing or not known on the largest share of claims."""
    share = (by_item["absent"] + by_item["unknown"]) / by_item["n"]
    order = by_item.assign(share=share).sort_values(
        ["share", "document"], ascending=[False, True], kind="stable"
    )
    return order.drop(columns="share").head(n).reset_index(drop=True)


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


def by_item_and_insurer(
    items: pd.DataFrame, payers: pd.DataFrame, minimum_cell_size: int = 11
) -> pd.DataFrame:
    """Where documents lack or nobody knows: insurer, document, absent, unknown, present, n, share.

    One row for each insurer and document required of at least `minimum_cell_size` of its claims
    (`n`), where it is missing or not known on at least a quarter of them; `share` is what is
    missing or not known. Where most claims are concerned comes first.
    """
    counts = items.groupby(["payer_id", "document"])["status"].value_counts().unstack(fill_value=0)
    counts = counts.reindex(columns=list(STATUSES), fill_value=0)
    table = counts.assign(n=counts.sum(axis=1)).rename_axis(columns=None).reset_index()
    table["share"] = (table["absent"] + table["unknown"]) / table["n"]
    table = table[(table["n"] >= minimum_cell_size) & (table["share"] >= NOTEWORTHY)]
    named = population.with_words(table, payers)
    columns = ["insurer", "document", "absent", "unknown", "present", "n", "share"]
    order = named.assign(concerned=named["absent"] + named["unknown"]).sort_values(
        ["concerned", "insurer", "document"], ascending=[False, True, True]
    )
    return order[columns].reset_index(drop=True)


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
        return MOST_MISSING.answer(
            "No required document is known to be missing; of {unknown:count} of"
            " {denominator:count} nobody wrote down whether they were there.",
            scope,
            Numbers(denominator=len(items)),
            {"unknown": int(table["unknown"].sum())},
        )
    worst = table.iloc[0]
    return MOST_MISSING.answer(
        "Most often missing: {document}, on {numerator:count} of {denominator:n claim} that"
        " required it; unknown on another {unknown:count}.",
        scope,
        Numbers(numerator=int(worst["absent"]), denominator=int(worst["n"])),
        {"document": worst["document"], "unknown": int(worst["unknown"])},
    )


def gates(items: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> Finding:
    """How many claims lack a required document that can stop a claim by itself."""
    of_gates = items[items["item_id"].isin(_gates())]
    asked = set(of_gates["claim_id"])
    lacking = set(of_gates.loc[of_gates["status"] == "absent", "claim_id"])
    unclear = set(of_gates.loc[of_gates["status"] == "unknown", "claim_id"]) - lacking
    template = (
        "Of {denominator:n claim}, {numerator:count} lacked a required document that can stop a"
        " claim by itself (license, prescription, authorization or diagnosis); for another"
        " {unclear:count} nobody wrote down whether one was there."
        if asked
        else "No such document was required of any claim, so nothing can be said."
    )
    return GATES.answer(
        template,
        population.scope(population.through(outcomes, month), outcomes),
        Numbers(numerator=len(lacking), denominator=len(asked)),
        {"unclear": len(unclear)},
    )


def score_by_insurer(
    claim_features: pd.DataFrame,
    claims: pd.DataFrame,
    payers: pd.DataFrame,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """The score by insurer: insurer, n, completeness, coverage, n_gate_missing.

    Completeness is the mean over claims of the weight present of what is required and known,
    coverage that of the weight known of what is required; a claim of which nothing is known has no
    score and a coverage of 0. A missing gate stands beside the score, which cannot make up for it.
    Under `minimum_cell_size` claims no share is given; where less than LEAST_KNOWN of what is
    required is known, no completeness.
    """
    scored = claims[["claim_id", "payer_id"]].merge(
        claim_features[["claim_id", "completeness", "completeness_coverage", "n_gates_failed"]],
        on="claim_id",
    )
    scored = scored.dropna(subset="completeness_coverage")
    scored["lacks_gate"] = (scored["n_gates_failed"] > 0).astype("int64")
    table = scored.groupby("payer_id", as_index=False).agg(
        n=("claim_id", "size"),
        completeness=("completeness", "mean"),
        coverage=("completeness_coverage", "mean"),
        n_gate_missing=("lacks_gate", "sum"),
    )
    table.loc[table["n"] < minimum_cell_size, ["completeness", "coverage"]] = float("nan")
    table.loc[table["coverage"] < LEAST_KNOWN, "completeness"] = float("nan")
    return population.largest_first(population.with_words(table, payers), ["insurer"])


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


def bands(claims: pd.DataFrame) -> pd.Series:
    """The completeness band of each claim (columns of `claim_features`), one of BANDS."""
    band = pd.Series(COMPLETE, index=claims.index)
    band[claims["n_required_unknown"] > 0] = NONE_MISSING
    band[claims["n_required_absent"] > 0] = SOME_MISSING
    band[claims["n_gates_failed"] > 0] = GATE_MISSING
    return band


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


def contradictions(
    documentation_contradictions: pd.DataFrame, claims: pd.DataFrame
) -> pd.DataFrame:
    """Where two sources disagree on a document: document, has_it, lacks_it, codes, n (claims).

    `codes` are the insurer's remark codes, or the elements of the claim, that say so.
    """
    told = documentation_contradictions[
        documentation_contradictions["claim_id"].isin(claims["claim_id"])
    ]
    table = told.groupby(["item_id", "present_channel", "absent_channel"], as_index=False).agg(
        codes=("code", lambda codes: ", ".join(sorted(set(codes)))), n=("claim_id", "nunique")
    )
    table["document"] = population.in_words(table["item_id"], _documents())
    table["has_it"] = population.in_words(table["present_channel"], CHANNELS)
    table["lacks_it"] = population.in_words(table["absent_channel"], CHANNELS)
    columns = ["document", "has_it", "lacks_it", "codes", "n"]
    return population.largest_first(table, ["document", "has_it", "lacks_it"])[columns]


def disagreement(
    documentation_contradictions: pd.DataFrame, outcomes: pd.DataFrame, month: str
) -> Finding:
    """On how many claims two sources disagree, and on how many of them the insurer is one."""
    claims = population.through(outcomes, month)
    told = documentation_contradictions[
        documentation_contradictions["claim_id"].isin(claims["claim_id"])
    ]
    with_insurer = told[told["absent_channel"] == "remittance"]
    return DISAGREEMENT.answer(
        "On {numerator:count} of {denominator:n claim} one source had a document that another"
        " lacked; on {asked:count} it was the insurer that asked for what the claim or the"
        " practice's record had.",
        population.scope(claims, outcomes),
        Numbers(numerator=told["claim_id"].nunique(), denominator=len(claims)),
        {"asked": with_insurer["claim_id"].nunique()},
    )


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
            "patient": patients(answers),
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
    return banded.assign(band=bands(banded))


def _gates() -> set[str]:
    return {row["item_id"] for row in codes.rows("documentation") if row["tier"] == "gate"}


def _documents() -> dict[str, str]:
    return codes.labels("documentation")

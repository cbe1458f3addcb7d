"""Why insurers deny, who can act on it, and what is at stake."""

import pandas as pd

from analysis import codes
from analysis.findings import population, rates
from analysis.findings.finding import Finding, Numbers, Question

DEFINITION = (
    "denied: adjudicated, charged, nothing allowed at the first answer; the category is that of the"
    " largest denied charge, by reason code (CARC) and, where that says too little, remark (RARC)"
)
CAVEAT = "a reason code is what the insurer wrote, which need not be why it decided"
EXPECTED_CATEGORIES = ("benefit_limit", "non_covered")
EXPECTED_MODIFIERS = frozenset({"GA", "GY", "GZ"})
LEADING = Question(
    id="denial_reasons.leading",
    question="Why do insurers deny?",
    unit="denied claim",
    definition=DEFINITION,
    method=rates.METHOD,
    caveats=(CAVEAT,),
)
PREVENTABLE = Question(
    id="denial_reasons.preventable",
    question="How many denials could the practice have prevented?",
    unit="denied claim",
    definition=(
        "preventable: the reason code usually points to a step before sending, and neither a limit"
        " or exclusion of the plan nor a modifier (GA, GY, GZ) foretold the denial"
    ),
    method=rates.METHOD,
    caveats=(CAVEAT, "the grading of codes is our judgement (reference/carc.csv)"),
)
AT_STAKE = Question(
    id="denial_reasons.at_stake",
    question="What is at stake?",
    unit="dollar",
    definition="denied at the latest answer; priced at each insurer's allowed share of charges",
    method="charge times allowed over charged on the same insurer's approved claims",
    caveats=("not every denial can or should be turned around",),
)


def by_category(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """Denied matured claims by reason, most frequent first.

    Columns: category, reason, who_can_act, what_to_do, n, estimate, lower, upper (share of the
    denied claims), charge_cents, n_still_denied, still_denied_cents.
    """
    claims = population.denied(population.matured(outcomes, month))
    return categorised(claims)


def categorised(denials: pd.DataFrame) -> pd.DataFrame:
    """Denied claims (see `population.denied`) by reason; columns as in `by_category`."""
    still = denials["final_determination"] == "denied"
    counted = denials.assign(
        still=still.astype("int64"), still_cents=denials["charge_cents"].where(still, 0)
    )
    table = counted.groupby("category", as_index=False).agg(
        n=("category", "size"),
        charge_cents=("charge_cents", "sum"),
        n_still_denied=("still", "sum"),
        still_denied_cents=("still_cents", "sum"),
    )
    shares = [_share(denials, denials["category"] == category) for category in table["category"]]
    for bound in ("estimate", "lower", "upper"):
        table[bound] = [getattr(share.numbers, bound) for share in shares]
    return population.largest_first(table.merge(_advice(), on="category", how="left"), ["reason"])


def leading(outcomes: pd.DataFrame, month: str, minimum_cell_size: int = 11) -> Finding:
    """The most frequent reason, as a share of all denied claims."""
    table = by_category(outcomes, month)
    scope = population.scope(population.matured(outcomes, month), outcomes)
    n_denied = int(table["n"].sum())
    if n_denied < minimum_cell_size:
        return LEADING.answer(
            "Too few denials to name a leading reason: {denominator:n denied claim}.",
            scope,
            Numbers(denominator=n_denied),
        )
    named = table[table["category"] != "unknown"]
    unnamed = n_denied - int(named["n"].sum())
    if named.empty:
        return LEADING.answer(
            "The files name no reason for any of {denominator:n denied claim}. Add the insurers'"
            " remittance files (ERA), or name the export's column of it (reason_code) in"
            " practice.toml.",
            scope,
            Numbers(denominator=n_denied),
        )
    first = named.iloc[0]
    return LEADING.answer(
        "The most frequent reason was “{reason}”: {estimate:percent} of denials ({lower:whole} to"
        " {upper:whole}), {denominator:n denied claim}, {period}. Who can act: {who}."
        + (" For {unnamed:n denial} no reason is given." if unnamed else ""),
        scope,
        Numbers(
            float(first["estimate"]),
            float(first["lower"]),
            float(first["upper"]),
            int(first["n"]),
            n_denied,
        ),
        {"reason": first["reason"], "who": first["who_can_act"], "unnamed": unnamed},
    )


def preventable(
    outcomes: pd.DataFrame,
    line_outcomes: pd.DataFrame,
    month: str,
    minimum_cell_size: int = 11,
) -> Finding:
    """The share of denied claims a step before sending could usually have prevented.

    Counted among those whose reason code is known and graded; of the others nothing is known.
    """
    matured = population.matured(outcomes, month)
    claims = population.denied(matured)
    grades = {row["reason_code"]: row["preventable"] for row in codes.rows("carc")}
    expected = is_expected(claims, line_outcomes)
    graded = claims["denial_reason_code"].map(grades, na_action="ignore")
    is_graded = graded.notna()
    rate = _share(claims[is_graded], ((graded == "high") & ~expected)[is_graded])
    scope = population.scope(matured, outcomes)
    if rate.refusal(minimum_cell_size):
        return PREVENTABLE.answer(
            "Too few denials with a known reason code to say how many could be prevented:"
            " {denominator:n denied claim}.",
            scope,
            Numbers(denominator=rate.denominator),
        )
    return PREVENTABLE.answer(
        "{estimate:percent} of denials ({lower:whole} to {upper:whole}, {denominator:n denied"
        " claim}) carry a code that usually points to a step the practice can take before sending;"
        " expected from the plan's own limits: {expected:n other}."
        + (" For {unknown:n other denial} no code tells." if not is_graded.all() else ""),
        scope,
        rate.numbers,
        {
            "expected": int((expected & is_graded).sum()),
            "unknown": int((~is_graded).sum()),
        },
    )


def is_expected(claims: pd.DataFrame, line_outcomes: pd.DataFrame) -> pd.Series:
    """Which denied claims the plan itself foretold: a limit, an exclusion, or a modifier saying so.

    GA, GY and GZ declare before sending that the insurer is expected to deny.
    """
    modifiers = line_outcomes["modifiers"].fillna("").str.split(":")
    declared = line_outcomes.loc[modifiers.map(set).map(EXPECTED_MODIFIERS.intersection).map(bool)]
    return claims["category"].isin(EXPECTED_CATEGORIES) | claims["claim_id"].isin(
        declared["claim_id"]
    )


def at_stake(outcomes: pd.DataFrame, month: str) -> Finding:
    """Charges still denied, and what insurers would have allowed of them at their usual price."""
    claims = population.through(outcomes, month)
    still = population.denied(claims, "final")
    recent = len(still) - len(population.denied(population.matured(outcomes, month), "final"))
    return AT_STAKE.answer(
        "Still denied: {denominator:n claim}, {recent:count} of them too recent for the rates"
        " above; {charged:dollars} in charges, about {worth:dollars} at the prices that the same"
        " insurers allowed elsewhere.",
        population.scope(claims, outcomes),
        Numbers(denominator=len(still)),
        {
            "recent": recent,
            "charged": int(still["charge_cents"].sum()),
            "worth": worth(still, claims),
        },
    )


def worth(claims: pd.DataFrame, priced: pd.DataFrame) -> int:
    """Cents that `claims` would bring at the share of charges each insurer allowed in `priced`."""
    return round(float((claims["charge_cents"] * allowed_share(claims, priced)).sum()))


def allowed_share(claims: pd.DataFrame, priced: pd.DataFrame) -> pd.Series:
    """The share of its charge that each claim's insurer allowed on its approved claims in `priced`.

    An insurer that allowed nothing so far has the share over all insurers; 0 where none did.
    """
    approved = priced[priced["final_determination"] == "approved"]
    if approved.empty:
        return pd.Series(0.0, index=claims.index)
    sums = approved.groupby("payer_id")[["allowed_cents", "charge_cents"]].sum()
    usual = approved["allowed_cents"].sum() / approved["charge_cents"].sum()
    share = claims["payer_id"].map(sums["allowed_cents"] / sums["charge_cents"]).astype(float)
    return share.fillna(float(usual))


def _share(denials: pd.DataFrame, holds: pd.Series) -> rates.Rate:
    return rates.overall(denials.assign(is_approved=holds.fillna(False).astype(bool)))


def _advice() -> pd.DataFrame:
    advice = pd.DataFrame(codes.rows("denial_categories"))
    return advice.rename(columns={"label": "reason"})

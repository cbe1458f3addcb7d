"""What became of the claims: first and final answers, when they came, and the money."""

import pandas as pd

from analysis.findings import population, rates
from analysis.findings.finding import Finding, Scope, state

ID = "claim_outcomes"
UNANSWERED = "claims too recent to judge and claims without an answer are left out"


def approval(
    outcomes: pd.DataFrame,
    month: str,
    minimum_cell_size: int = 11,
    which: population.Which = "first",
) -> Finding:
    """The share of matured claims approved at the first (or final) answer."""
    claims = population.matured(outcomes, month)
    answers = population.answered(claims, which)
    n_known = len(population.through(outcomes, month))
    n_immature = n_known - len(claims)
    return approval_finding(
        answers,
        population.scope(outcomes, month),
        minimum_cell_size,
        id=f"{ID}.{which}_approval",
        question=f"How often do insurers approve at the {which} answer?",
        stated=(
            f"Insurers approved {{estimate:percent}} of claims at the {which} answer"
            " ({lower:whole} to {upper:whole}), {denominator:n claim}, {period}."
            " Left out: {immature:n claim} too recent to judge, {open:count} without such an answer."
        ),
        definition=population.DEFINITIONS[which],
        values={"immature": n_immature, "open": len(claims) - len(answers)},
    )


def approval_finding(
    answers: pd.DataFrame,
    scope: Scope,
    minimum_cell_size: int,
    *,
    id: str,
    question: str,
    stated: str,
    definition: str,
    values: dict[str, int | float | str],
    caveats: tuple[str, ...] = (),
) -> Finding:
    """A finding on an approval rate: `stated` when the rate may be stated, else why it is not."""
    rate = rates.overall(answers)
    lower, upper = rate.interval()
    verdict = rate.verdict(minimum_cell_size)
    about = {
        "id": id,
        "question": question,
        "unit": "claim",
        "definition": definition,
        "method": rates.METHOD,
        "caveats": (UNANSWERED, *caveats),
        "denominator": rate.denominator,
    }
    if verdict == rates.TOO_FEW:
        template = (
            "Too few claims to give a rate: {denominator:n answered claim};"
            " a rate needs {minimum:count}."
        )
        return state(template, scope, values={**values, "minimum": minimum_cell_size}, **about)
    if verdict == rates.TOO_UNCERTAIN:
        template = (
            "Too uncertain to state: {denominator:n claim} leave the rate anywhere"
            " from {low:percent} to {high:percent}."
        )
        return state(template, scope, values={**values, "low": lower, "high": upper}, **about)
    return state(
        stated,
        scope,
        values=values,
        estimate=rate.estimate,
        lower=lower,
        upper=upper,
        numerator=rate.numerator,
        **about,
    )


def determinations(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """Every claim up to `month` by its answer: determination, n_first, n_final, charge_cents."""
    claims = population.through(outcomes, month)
    words = population.DETERMINATION_LABELS
    final = claims.groupby("final_determination")
    counts = pd.DataFrame(
        {
            "n_first": claims["first_determination"].value_counts(),
            "n_final": final.size(),
            "charge_cents": final["charge_cents"].sum(),
        }
    )
    counts = counts.reindex(list(words)).fillna(0).astype("int64")
    return counts.rename_axis("determination").rename(index=words).reset_index()


def by_month(outcomes: pd.DataFrame, month: str, minimum_cell_size: int = 11) -> pd.DataFrame:
    """First-pass approval by month of submission: month, n, estimate, lower, upper, verdict."""
    answers = population.answered(population.matured(outcomes, month))
    table = rates.rates(answers.assign(month=population.month_of(answers)), ["month"])
    return rates.judged(table, minimum_cell_size).sort_values("month").reset_index(drop=True)


def waiting(outcomes: pd.DataFrame, month: str) -> Finding:
    """Days from submission to the first answer: half, and nine in ten, of the matured claims."""
    claims = _sent(population.matured(outcomes, month))
    about = {
        "id": f"{ID}.days_to_answer",
        "question": "How long does a first answer take?",
        "unit": "day",
        "definition": "days from the first submission to the first final answer's payment date",
        "method": "quantiles of all matured claims; a claim without an answer counts as waiting",
        "denominator": len(claims),
    }
    scope = population.scope(outcomes, month)
    half, most = _days(claims, 0.5), _days(claims, 0.9)
    if half is None or most is None:
        return state("Too few claims were answered to say how long answers take.", scope, **about)
    return state(
        "Half of the claims had a first answer within {half:n day}, nine in ten within"
        " {most:n day} ({denominator:n claim}, {period}).",
        scope,
        values={"half": half, "most": most},
        **about,
    )


def waiting_by_insurer(
    outcomes: pd.DataFrame, payers: pd.DataFrame, month: str, minimum_cell_size: int = 11
) -> pd.DataFrame:
    """Days to a first answer by insurer: insurer, n, n_unanswered, half_days, most_days.

    Days are null under `minimum_cell_size` claims, and where that share has no answer yet.
    """
    claims = _sent(population.matured(outcomes, month))
    rows = [
        {
            "payer_id": payer_id,
            "n": len(sent),
            "n_unanswered": int(sent["days_to_first_determination"].isna().sum()),
            "half_days": _days(sent, 0.5) if len(sent) >= minimum_cell_size else None,
            "most_days": _days(sent, 0.9) if len(sent) >= minimum_cell_size else None,
        }
        for payer_id, sent in claims.groupby("payer_id", dropna=False)
    ]
    columns = ["payer_id", "n", "n_unanswered", "half_days", "most_days"]
    table = pd.DataFrame(rows, columns=columns).astype({"half_days": "Int64", "most_days": "Int64"})
    return population.largest_first(population.with_words(table, payers), ["insurer"])


def money(outcomes: pd.DataFrame, month: str) -> Finding:
    """What matured claims charged, what insurers allowed, and what they finally denied."""
    claims = population.answered(population.matured(outcomes, month), "final")
    charged = int(claims["charge_cents"].sum())
    refused = int(claims.loc[~claims["is_approved"], "charge_cents"].sum())
    return state(
        "Of {charged:dollars} charged on {denominator:n claim}, insurers allowed {allowed:dollars};"
        " charges of {refused:dollars} were denied in full and stayed denied.",
        population.scope(outcomes, month),
        id=f"{ID}.money",
        question="What happened to the money?",
        unit="dollar",
        definition="charges are list prices; allowed is what the insurer priced, whoever pays it",
        method="sums in whole cents",
        denominator=len(claims),
        caveats=("a charge is a list price, not income lost",),
        values={
            "charged": charged,
            "allowed": int(claims["allowed_cents"].sum()),
            "refused": refused,
        },
    )


def other_definitions(
    outcomes: pd.DataFrame, line_outcomes: pd.DataFrame, month: str
) -> pd.DataFrame:
    """The same claims counted in other ways: definition, numerator, n, estimate, lower, upper.

    Dollars carry no interval: one large claim would make any interval a fiction.
    """
    claims = population.matured(outcomes, month)
    first, final = population.answered(claims), population.answered(claims, "final")
    lines = line_outcomes.merge(claims[["claim_id", "patient_id"]], on="claim_id")
    counted = {
        "claims approved at the first answer (used here)": first,
        "claims approved at the latest answer": final,
        "claims paid more than nothing, latest answer": final.assign(
            is_approved=final["paid_cents"] > 0
        ),
        "claims approved in full at the first answer, never corrected or reversed": first.assign(
            is_approved=(first["first_determination"] == "approved")
            & ~first["is_corrected"].astype(bool)
            & ~first["is_reversed"].astype(bool)
        ),
        "service lines approved at the first answer": population.answered(lines),
    }
    rows = []
    for definition, answers in counted.items():
        rate = rates.overall(answers)
        lower, upper = rate.interval()
        rows.append((definition, rate.numerator, rate.denominator, rate.estimate, lower, upper))
    columns = ["definition", "numerator", "n", "estimate", "lower", "upper"]
    return pd.DataFrame(rows, columns=columns).astype({"estimate": float})


def _sent(claims: pd.DataFrame) -> pd.DataFrame:
    """Claims with a submission to wait since, the voided and rejected left out."""
    stopped = claims["first_determination"].isin(["voided", "rejected"])
    return claims[claims["submitted_date"].notna() & ~stopped]


def _days(claims: pd.DataFrame, share: float) -> int | None:
    """Days within which `share` of the claims had an answer; None when fewer have one."""
    days = claims["days_to_first_determination"].astype("float64").fillna(float("inf"))
    within = days.quantile(share, interpolation="higher") if len(days) else float("inf")
    return int(within) if within < float("inf") else None

"""One month for the practice: what changed, what is at stake, what to do next."""

from datetime import date

import pandas as pd

from analysis import codes
from analysis.findings import denials, population, rates
from analysis.findings.finding import Finding, Numbers, Question, Scope, written

AGES = {
    "up to 30 days": 30,
    "31 to 60 days": 60,
    "61 to 90 days": 90,
    "over 90 days": float("inf"),
}
ENDING_DAYS = 30
NEARLY_USED = 2
GLANCE = Question(
    id="practice_month.glance",
    question="What happened this month?",
    unit="claim",
    definition="sent: first submission; answered: payment date of the first final answer",
    method="count of all claims and payments",
)
CHANGE = Question(
    id="practice_month.change",
    question="Did approvals change?",
    unit="claim",
    definition=f"{population.DEFINITIONS['first']}; by the month the answer came",
    method=f"{rates.METHOD}; difference by Newcombe's method",
    caveats=("another mix of insurers or visits can move the rate as well",),
)
AT_STAKE = Question(
    id="practice_month.at_stake",
    question="How much is still open?",
    unit="dollar",
    definition=(
        "denied at the latest answer, and younger than the usual time to a first appeal for that"
        " kind of insurance (reference/payer_types.csv; where none is known, the shortest)"
    ),
    method="charge times allowed over charged on the same insurer's approved claims",
    caveats=("the denial letter's own deadline decides, not the usual one",),
)


def scope(outcomes: pd.DataFrame, month: str) -> Scope:
    """What findings about one month speak about."""
    period = written(pd.Period(month, "M"), "month")
    return Scope("claims of this practice", period, population.as_of(outcomes))


def glance(outcomes: pd.DataFrame, payments: pd.DataFrame, month: str) -> Finding:
    """What was sent, answered and deposited in the month."""
    sent = outcomes[outcomes["submitted_date"].dt.to_period("M") == pd.Period(month, "M")]
    deposits = payments[payments["payment_date"].dt.to_period("M") == pd.Period(month, "M")]
    return GLANCE.answer(
        "In {period}: {sent:n claim} sent, {denominator:n claim} answered for the first time,"
        " {deposited:dollars} deposited by insurers.",
        scope(outcomes, month),
        Numbers(denominator=len(answers_in(outcomes, month))),
        {"sent": len(sent), "deposited": int(deposits["deposit_cents"].sum())},
    )


def change(outcomes: pd.DataFrame, month: str, minimum_cell_size: int = 11) -> Finding:
    """Whether approvals among the month's answers differ from those of the year before."""
    now, before = answers_in(outcomes, month), _year_before(outcomes, month)
    if min(len(now), len(before)) < minimum_cell_size:
        return CHANGE.answer(
            "Too few answers in {period} or in the year before to tell a change:"
            " {denominator:n answer} and {before:count}.",
            scope(outcomes, month),
            Numbers(denominator=len(now)),
            {"before": len(before)},
        )
    both = pd.concat([now.assign(is_now=True), before.assign(is_now=False)])
    usual, this = (rates.rate_of(row) for _, row in rates.rates(both, ["is_now"]).iterrows())
    gap, gap_lower, gap_upper = rates.difference(this, usual)
    usual_lower, usual_upper = usual.interval()
    if gap_lower > 0:
        verdict = "This is a rise beyond what chance explains."
    elif gap_upper < 0:
        verdict = "This is a fall beyond what chance explains."
    else:
        verdict = "Chance alone can explain the difference, so it is no news."
    return CHANGE.answer(
        "Insurers approved {estimate:percent} of the claims first answered in {period}"
        " ({lower:whole} to {upper:whole}, {denominator:n claim}); in the twelve months before it"
        " was {usual:percent} ({usual_lower:whole} to {usual_upper:whole}). {verdict}",
        scope(outcomes, month),
        this.numbers,
        {
            "usual": usual.numerator / usual.denominator,
            "usual_lower": usual_lower,
            "usual_upper": usual_upper,
            "gap": gap,
            "gap_lower": gap_lower,
            "gap_upper": gap_upper,
            "verdict": verdict,
        },
    )


def denials_of(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """The denials whose first answer came in `month`, by reason (see `denials.by_category`)."""
    return denials.categorised(population.denied(answers_in(outcomes, month)))


def at_stake(outcomes: pd.DataFrame) -> Finding:
    """What is still denied and within the usual time to appeal."""
    still = open_denials(outcomes)
    worth = denials.worth(still, outcomes)
    return AT_STAKE.answer(
        "{denominator:n denied claim} can usually still be acted on, worth about {worth:dollars} at"
        " what the same insurers allow elsewhere.",
        Scope("claims of this practice", "still open to appeal", population.as_of(outcomes)),
        Numbers(denominator=len(still)),
        {"worth": worth, "charged": int(still["charge_cents"].sum())},
    )


def open_denials(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Finally denied claims within the usual time to appeal for their kind of insurance."""
    claims = population.denied(outcomes, "final")
    days = {
        row["payer_type"]: int(row["first_appeal_days"])
        for row in codes.rows("payer_types")
        if row["first_appeal_days"]
    }
    # Where nobody knows the time, the shortest: a deadline believed too long is a claim lost.
    allowed = claims["payer_type"].map(days).astype(float).fillna(min(days.values()))
    age = (claims["as_of_date"] - claims["final_determination_date"]).dt.days
    return claims[age <= allowed]


def to_do(outcomes: pd.DataFrame, n: int = 3) -> pd.DataFrame:
    """The `n` things worth most: why, do, who, n, worth_cents (see `denials.worth`).

    Candidates: open denials by reason, and claims without an answer for longer than usual.
    """
    still = open_denials(outcomes)
    advice = {row["category"]: row for row in codes.rows("denial_categories")}
    rows = []
    for category, claims in still.groupby("category"):
        what = advice[str(category)]
        rows.append(
            {
                "why": what["label"],
                "do": what["what_to_do"],
                "who": what["who_can_act"],
                "n": len(claims),
                "worth_cents": denials.worth(claims, outcomes),
            }
        )
    late = waiting(outcomes)
    late = late[late["age_days"] > late["maturity_days"]]
    if len(late):
        rows.append(
            {
                "why": "no answer for longer than usual",
                "do": "ask the insurer whether it has the claim, and send it again if not",
                "who": "biller",
                "n": len(late),
                "worth_cents": denials.worth(late, outcomes),
            }
        )
    table = pd.DataFrame(rows, columns=["why", "do", "who", "n", "worth_cents"])
    return (
        table.sort_values(["worth_cents", "why"], ascending=[False, True])
        .head(n)
        .reset_index(drop=True)
    )


def waiting(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The claims without a final answer as of the as-of date, with `age_days` since submission."""
    claims = outcomes[outcomes["final_determination"] == "pending"]
    return claims.assign(age_days=(claims["as_of_date"] - population.known_from(claims)).dt.days)


def pending_by_age(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Claims without a final answer by age: age, n, charge_cents."""
    claims = waiting(outcomes)
    band = pd.cut(
        claims["age_days"].astype(float), [-float("inf"), *AGES.values()], labels=list(AGES)
    )
    table = claims.groupby(band.rename("age"), observed=False)["charge_cents"].agg(["size", "sum"])
    table = table.rename(columns={"size": "n", "sum": "charge_cents"}).reset_index()
    return table.astype({"age": "str", "charge_cents": "int64"})


def authorizations_running_out(
    authorizations: pd.DataFrame, claims: pd.DataFrame, payers: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """Authorizations in force by insurer: insurer, n, n_ending, n_nearly_used, n_used_up.

    In force on `as_of`. Ending: within 30 days. Nearly used: one or two visits left. Visits used
    are days of service on claims that carry the number.
    """
    today = pd.Timestamp(as_of)
    current = authorizations[
        (authorizations["status"] == "approved")
        & (authorizations["start_date"].fillna(today) <= today)
        & (authorizations["end_date"].fillna(today) >= today)
    ]
    used = claims.groupby("authorization_number")["service_date"].nunique()
    n_used = current["authorization_number"].map(used).astype(float).fillna(0)
    left = current["visits_authorized"].astype("Float64") - n_used
    counted = current.assign(
        n=1,
        n_ending=(current["end_date"] - today).dt.days.le(ENDING_DAYS).astype("int64"),
        n_nearly_used=left.between(1, NEARLY_USED).fillna(False).astype("int64"),
        n_used_up=left.le(0).fillna(False).astype("int64"),
    )
    counts = ["n", "n_ending", "n_nearly_used", "n_used_up"]
    table = counted.groupby("payer_id", as_index=False, dropna=False)[counts].sum()
    return population.largest_first(population.with_words(table, payers), ["insurer"])


def answers_in(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """The claims whose first answer came in `month`, with `is_approved`."""
    answers = population.answered(outcomes)
    came: pd.Series = answers["first_determination_date"].dt.to_period("M")
    return answers[came == pd.Period(month, "M")]


def _year_before(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    answers = population.answered(outcomes)
    came: pd.Series = answers["first_determination_date"].dt.to_period("M")
    this = pd.Period(month, "M")
    return answers[(came >= this - 12) & (came < this)]

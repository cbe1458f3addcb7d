"""One month for the practice: what changed, what is at stake, what to do next."""

from datetime import date
from typing import Any

import pandas as pd

from analysis import codes
from analysis.findings import denials, performance, population, rates
from analysis.findings.finding import Finding, Numbers, Question, Scope, written

AGES = {
    "up to 30 days": 30,
    "31 to 60 days": 60,
    "61 to 90 days": 90,
    "91 to 120 days": 120,
    "over 120 days": float("inf"),
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
    question="How much is waiting for the practice to act?",
    unit="dollar",
    definition=(
        "claims refused, rejected or unanswered for longer than usual, whose deadline is not over:"
        " the letter's where it was written down, else the contract's, else what is usual for that"
        " kind of insurance (reference/payer_types.csv; where none is known, the shortest)"
    ),
    method=(
        "refused charge times allowed over charged on the same insurer's approved claims; of it may"
        " come in: times the share of such actions that succeeded here, or a published one, with"
        " all shares at the lower or all at the upper end of their intervals"
    ),
    caveats=(
        "the denial letter's own deadline decides, not the usual one",
        "claims acted on so far were chosen; others may fare worse",
    ),
)
LISTED = Question(
    id="practice_month.listed",
    question="Where are the claims themselves?",
    unit="claim",
    definition=AT_STAKE.definition,
    method="count of all claims",
)
WITHIN_DAYS = 14
FEW_VISITS = 3
SEEN_DAYS = 90
VISIT_LIMITS = {
    "visits_per_year": "visits a year",
    "authorized_visits": "visits authorized",
    "prescribed_visits": "visits prescribed",
}


def scope(outcomes: pd.DataFrame, month: str) -> Scope:
    """What findings about one month speak about."""
    period = written(pd.Period(month, "M"), "month")
    return Scope(population.whose(outcomes), period, population.as_of(outcomes))


def glance(outcomes: pd.DataFrame, payments: pd.DataFrame, month: str) -> Finding:
    """What was sent, answered and deposited in the month; of answers without a day, that."""
    claims = population.of_month(outcomes, month)
    visits = claims[claims["submitted_date"].isna()]
    deposits = payments[payments["payment_date"].dt.to_period("M") == pd.Period(month, "M")]
    undated = len(population.undated(outcomes))
    sent = "{sent:n claim} sent"
    if len(visits):
        sent += ", {visits:n claim} of visits in it whose day of sending is in no file"
    template = (
        f"In {{period}}: {sent}, {{denominator:n claim}} answered for the first time,"
        " {deposited:dollars} deposited by insurers."
    )
    if undated:
        template = (
            f"In {{period}}: {sent}. How many were answered in it cannot be told:"
            " {undated:n answer} of all months came without their day. Name the export's column of"
            " it (payment_date) in practice.toml, or add the insurers' remittance files (ERA)."
        )
    return GLANCE.answer(
        template,
        scope(outcomes, month),
        Numbers(denominator=len(answers_in(outcomes, month))),
        {
            "sent": len(claims) - len(visits),
            "visits": len(visits),
            "deposited": int(deposits["deposit_cents"].sum()),
            "undated": undated,
        },
    )


def change(outcomes: pd.DataFrame, month: str, minimum_cell_size: int = 11) -> Finding:
    """Whether approvals among the month's answers differ from those of the year before."""
    now, before = answers_in(outcomes, month), _year_before(outcomes, month)
    if min(len(now), len(before)) < minimum_cell_size and len(population.undated(outcomes)):
        return CHANGE.answer(
            "Whether approvals changed cannot be told from answers without their day.",
            scope(outcomes, month),
        )
    if min(len(now), len(before)) < minimum_cell_size:
        return CHANGE.answer(
            "Too few answers in {period} or in the year before to tell a change:"
            " {denominator:n answer} and {before:count}.",
            scope(outcomes, month),
            Numbers(denominator=len(now)),
            {"before": len(before)},
        )
    this, usual = performance.rates_of(now, before)
    gap, gap_lower, gap_upper = rates.difference(this, usual)
    usual_lower, usual_upper = usual.interval()
    if gap_lower > 0:
        verdict = "This is a rise beyond what chance explains."
    elif gap_upper < 0:
        verdict = "This is a fall beyond what chance explains."
    else:
        verdict = "No change is shown beyond what chance makes."
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


def at_stake(open_claims: pd.DataFrame, outcomes: pd.DataFrame) -> Finding:
    """What waits for the practice, by `recovery.open_claims` counted from the as-of date."""
    claims = open_claims[~open_claims["is_late"]]
    late = open_claims[open_claims["is_late"]]
    as_of = population.as_of(outcomes)
    told = Scope(population.whose(outcomes), f"open on {written(as_of, 'date')}", as_of)
    if claims.empty:
        return AT_STAKE.answer(
            "No claim waits for you; {late:n claim} lie past the usual time to act.",
            told,
            values={"late": len(late)},
        )
    worth = claims["worth_cents"]
    soon = claims[(claims["days_left"] <= WITHIN_DAYS).fillna(False)]
    usual = int((soon["deadline_source"] == "default").sum())
    dateless = int(claims["days_left"].isna().sum())
    expected, lower, upper = (
        round(float((worth * claims[bound].fillna(0)).sum()))
        for bound in ("chance", "chance_lower", "chance_upper")
    )
    return AT_STAKE.answer(
        "On {as_of:date}, {denominator:n claim} needed something from you, worth about"
        " {worth:dollars} at what the insurers usually allow. Going by how such work went so far,"
        " about {expected:dollars} of it may come in once you act ({low:dollars} to"
        " {high:dollars})."
        " Due within {within:count} days: {soon:n claim}"
        + _by_usual_date(usual, len(soon))
        + (" For {dateless:n claim} no deadline is known." if dateless else ""),
        told,
        Numbers(denominator=len(claims)),
        {
            "worth": int(worth.sum()),
            "expected": expected,
            "low": lower,
            "high": upper,
            "soon": len(soon),
            "usual": usual,
            "dateless": dateless,
            "within": WITHIN_DAYS,
        },
    )


def _by_usual_date(usual: int, soon: int) -> str:
    if usual == 0:
        return "."
    of_them = "all" if usual == soon else "{usual:count} of them"
    return f", {of_them} by usual deadlines, not your letters': check each letter, its date counts."


def listed(open_claims: pd.DataFrame, outcomes: pd.DataFrame, practice: str) -> Finding:
    """Where the claims behind the tables are listed."""
    as_of = population.as_of(outcomes)
    claims = open_claims[~open_claims["is_late"]]
    return LISTED.answer(
        "To list all {denominator:count} with insurer, papers and deadline, type: outcomes"
        " worklist {practice}",
        Scope(population.whose(outcomes), f"open on {written(as_of, 'date')}", as_of),
        Numbers(denominator=len(claims)),
        {"practice": practice},
    )


def to_do(open_claims: pd.DataFrame, n: int = 3) -> pd.DataFrame:
    """The `n` things expected to bring most, of `recovery.open_claims` still in time.

    What falls due within WITHIN_DAYS is left to `deadlines`: it comes first, whatever it brings.
    Columns: step (what to do, and who can), reason (why they are open, and how), n, first_due,
    worth_cents, expected_cents, lower_cents, upper_cents (null where nothing tells a chance; the
    bounds as in `at_stake`).
    """
    is_soon = _is_soon(open_claims)
    claims = _with_reason(open_claims[~open_claims["is_late"] & ~is_soon])
    for bound in ("lower", "upper"):
        claims[f"{bound}_cents"] = claims["worth_cents"] * claims[f"chance_{bound}"]
    table = claims.groupby(["action", "category"], as_index=False).agg(
        n=("claim_id", "size"),
        first_due=("deadline_date", "min"),
        worth_cents=("worth_cents", "sum"),
        expected_cents=("expected_cents", _known_sum),
        lower_cents=("lower_cents", _known_sum),
        upper_cents=("upper_cents", _known_sum),
    )
    bounds = ["lower_cents", "upper_cents"]
    table[bounds] = table[bounds].astype("Float64").round()
    actions = {row["action"]: row for row in codes.rows("next_actions")}
    reasons = _reasons()
    table["step"] = [
        f"{actions[action]['label']} ({reasons[category]['who_can_act']})"
        for action, category in zip(table["action"], table["category"], strict=True)
    ]
    table["reason"] = [
        f"{reasons[category]['label']}: {actions[action]['what_to_do']}"
        for action, category in zip(table["action"], table["category"], strict=True)
    ]
    order = ["expected_cents", "worth_cents", "step", "reason"]
    table = table.sort_values(order, ascending=[False, False, True, True], na_position="last")
    columns = ["step", "reason", "n", "first_due", "worth_cents", "expected_cents", *bounds]
    return table[columns].head(n).reset_index(drop=True)


def _known_sum(cents: pd.Series) -> Any:
    return cents.sum(min_count=1)


def _is_soon(open_claims: pd.DataFrame) -> pd.Series:
    due: pd.Series = open_claims["days_left"] <= WITHIN_DAYS
    return due.fillna(False).astype(bool) & ~open_claims["is_late"]


def _with_reason(claims: pd.DataFrame) -> pd.DataFrame:
    claims = claims.assign(category=claims["category"].fillna("unknown"))
    claims.loc[claims["why"] == "no_answer", "category"] = "no_answer"
    return claims


def _reasons() -> dict[str, dict[str, str]]:
    """Each category of denials, and what no answer is: label, who_can_act."""
    reasons = {row["category"]: row for row in codes.rows("denial_categories")}
    reasons["no_answer"] = {"label": "no answer for longer than usual", "who_can_act": "biller"}
    return reasons


def deadlines(open_claims: pd.DataFrame) -> pd.DataFrame:
    """What falls due within WITHIN_DAYS, the next first.

    Columns: what, who, n, first_due, worth_cents, expected_cents (null without a chance), n_usual.
    `n_usual` counts the claims whose date is only what is usual for that kind of
    insurance.
    """
    soon = _with_reason(open_claims[_is_soon(open_claims)])
    who = soon["category"].map({name: row["who_can_act"] for name, row in _reasons().items()})
    table = (
        soon.assign(is_usual=soon["deadline_source"] == "default", who=who)
        .groupby("action", as_index=False)
        .agg(
            who=("who", lambda names: ", ".join(sorted(set(names)))),
            n=("claim_id", "size"),
            first_due=("deadline_date", "min"),
            worth_cents=("worth_cents", "sum"),
            expected_cents=("expected_cents", _known_sum),
            n_usual=("is_usual", "sum"),
        )
    )
    table["what"] = table["action"].map(codes.labels("next_actions"))
    columns = ["what", "who", "n", "first_due", "worth_cents", "expected_cents", "n_usual"]
    return table[columns].sort_values(["first_due", "what"]).reset_index(drop=True)


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


def visits_near_limits(
    visit_limits: pd.DataFrame, outcomes: pd.DataFrame, payers: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """Patients near a limit by insurer and kind of limit: insurer, limit, n, n_few, n_none.

    Patients seen within SEEN_DAYS of `as_of`, by their last visit; a yearly limit counts in its own
    year. n: with a known limit of that kind; n_few: one to three visits left; n_none: none left.
    Only where somebody has few left or none.
    """
    known = visit_limits[
        visit_limits["limit_kind"].isin(list(VISIT_LIMITS)) & visit_limits["is_past"].notna()
    ].merge(outcomes[["claim_id", "patient_id", "payer_id", "service_date"]], on="claim_id")
    is_recent = known["service_date"] > pd.Timestamp(as_of) - pd.Timedelta(days=SEEN_DAYS)
    is_over = (known["limit_kind"] == "visits_per_year") & (
        known["service_date"].dt.year != as_of.year
    )
    last = (
        known[is_recent & ~is_over]
        .sort_values(["service_date", "claim_id"])
        .drop_duplicates(["patient_id", "payer_id", "limit_kind"], keep="last")
    )
    left = last["allowed"] - last["used"]
    counted = last.assign(n=1, n_few=left.between(1, FEW_VISITS), n_none=left <= 0)
    by = ["payer_id", "limit_kind"]
    table = counted.groupby(by, as_index=False)[["n", "n_few", "n_none"]].sum()
    table = population.with_words(table[table["n_few"] + table["n_none"] > 0], payers)
    table["limit"] = table["limit_kind"].map(VISIT_LIMITS)
    order = ["n_few", "n_none", "insurer", "limit"]
    table = table.sort_values(order, ascending=[False, False, True, True])
    return table[["insurer", "limit", "n", "n_few", "n_none"]].reset_index(drop=True)


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

"""How visits stand against what plan, insurer, authorization and prescription allow.

A visit must stay within all of them at once. A limit nobody wrote down has no row, so it counts
neither as kept nor as passed.
"""

import pandas as pd

from analysis.findings import population
from analysis.findings.finding import Finding, Numbers, Question

KINDS = {
    "visits_per_year": "visits a year, by plan or insurer",
    "authorized_visits": "visits authorized",
    "prescribed_visits": "visits prescribed",
    "prescription_days": "last day of the prescription",
    "prescribed_weeks": "weeks in the plan of care",
    "prescribed_visits_per_week": "visits a week in the plan of care",
    "visits_per_week": "visits a week, by the insurer's rule",
    "weeks_per_episode": "weeks of treatment, by the insurer's rule",
    "units_per_visit": "units a visit, by the insurer's rule",
    "minutes_per_visit": "minutes a visit, by the insurer's rule",
}
# Those that a next visit uses up by one.
OF_VISITS = ("authorized_visits", "prescribed_visits", "visits_per_year")
# An episode ends with a gap of 90 days.
EPISODE_GAP = pd.Timedelta(days=90)

PAST = Question(
    id="limits.past",
    question="How many visits lie past a limit that was known?",
    unit="claim",
    definition=(
        "a limit of visits, weeks, days or units by plan, insurer's rule, authorization or"
        " prescription, counted up to and with the visit; voided claims use none"
    ),
    method="count of all claims with a limit on record; no sample, so no interval",
    caveats=(
        "limits nobody wrote down are not known",
        "visits with other therapists may use the same limit, and are not seen here",
    ),
)


def past(visit_limits: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> Finding:
    """How many claims with a known limit lie past at least one; how many have none on record."""
    claims = population.through(outcomes, month)
    known = visit_limits[visit_limits["claim_id"].isin(claims["claim_id"])]
    n_known = known["claim_id"].nunique()
    n_past = known.loc[known["is_past"].fillna(False).astype(bool), "claim_id"].nunique()
    template = (
        "Of {denominator:n claim} with a limit on record, {numerator:count} lay past at least one;"
        " for {without:n other claim} nobody wrote down a limit."
        if n_known
        else "No limit on visits is on record, so nothing can be said."
    )
    return PAST.answer(
        template,
        population.scope(claims, outcomes),
        Numbers(numerator=n_past, denominator=n_known),
        {"without": len(claims) - n_known},
    )


def by_kind(visit_limits: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """Each kind of limit: limit, n_within, n_past, n_open (cannot be told), n_none (not on record).

    The four counts of a row add up to the claims through `month`. No row where no limit at all is
    on record.
    """
    claims = population.through(outcomes, month)
    known = visit_limits[visit_limits["claim_id"].isin(claims["claim_id"])]
    rows = []
    for kind, words in KINDS.items() if len(known) else ():
        of_kind = known.loc[known["limit_kind"] == kind, "is_past"]
        n_past, n_within = int((of_kind == True).sum()), int((of_kind == False).sum())  # noqa: E712
        rows.append(
            {
                "limit": words,
                "n_within": n_within,
                "n_past": n_past,
                "n_open": len(of_kind) - n_past - n_within,
                "n_none": len(claims) - len(of_kind),
            }
        )
    return pd.DataFrame(rows)


def left_in_episodes(
    visit_limits: pd.DataFrame, visit_counts: pd.DataFrame, outcomes: pd.DataFrame, month: str
) -> pd.DataFrame:
    """Open episodes by what is left: limit, n_used_up, n_few (one to three), n_more, n_none.

    An episode is open while its last visit is less than 90 days old at the end of `month`; it
    stands where its last claim stands. The last row takes the limit with fewest visits left.
    """
    claims = population.through(outcomes, month).dropna(subset=["episode_id", "service_date"])
    # The claim with most visits of the episode behind it is the last; of a day, either.
    numbered = claims.merge(visit_counts, on="claim_id").dropna(subset="n_visits_episode")
    ordered = numbered.sort_values(["n_visits_episode", "claim_id"])
    last = ordered.drop_duplicates("episode_id", keep="last")
    end = pd.Period(month, "M").end_time.normalize()
    last = last[end - last["service_date"] < EPISODE_GAP]
    of_visits = visit_limits[visit_limits["limit_kind"].isin(OF_VISITS)]
    left = of_visits.assign(left=of_visits["allowed"] - of_visits["used"])
    left = left[left["claim_id"].isin(last["claim_id"])].dropna(subset="left")
    rows = [
        _left(KINDS[kind], left.loc[left["limit_kind"] == kind, "left"], len(last))
        for kind in OF_VISITS
    ]
    rows.append(_left("whichever ends first", left.groupby("claim_id")["left"].min(), len(last)))
    return pd.DataFrame(rows)


def _left(words: str, left: pd.Series, n_episodes: int) -> dict[str, object]:
    n_used_up, n_few = int((left <= 0).sum()), int(left.between(1, 3).sum())
    return {
        "limit": words,
        "n_used_up": n_used_up,
        "n_few": n_few,
        "n_more": len(left) - n_used_up - n_few,
        "n_none": n_episodes - len(left),
    }

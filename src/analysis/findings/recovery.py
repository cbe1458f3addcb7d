"""What acting on an open claim may bring: what is at stake, how likely, and what that rests on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from analysis import codes
from analysis.findings import denials, population, rates

MINIMUM_RECORD = 11
"""Decided actions below which the practice's own record tells too little."""

OWN_REASON = "own record, same reason"
OWN = "own record, all reasons"
PUBLISHED = "published, not yours"
NOTHING = "no figure"

# Estimate, lower, upper, number of decided actions, and what they are.
_Chance = tuple[float | None, float | None, float | None, int | None, str]
_NO_CHANCE: _Chance = (None, None, None, None, NOTHING)
_WON = ("overturned", "partial")


@dataclass(frozen=True)
class Tables:
    """The processed tables, as frames, that recovery is read from."""

    next_actions: pd.DataFrame
    claim_outcomes: pd.DataFrame
    appeal_outcomes: pd.DataFrame


def open_claims(given: Tables, today: date) -> pd.DataFrame:
    """One row for each claim there is something to do about, in the order to do them.

    Columns of `next_actions` and `claim_outcomes` (joined on claim_id), and: worth_cents (refused
    charge at the share the same insurer allows elsewhere), chance with lower, upper and n_record,
    chance_basis, expected_cents (chance times worth; null without a chance), days_left (null
    without a deadline) and is_late. Claims in time come first, by days left and expected dollars;
    then those without a clock; the late ones last, the latest first.
    """
    rows = given.next_actions[given.next_actions["state"] == "to_do"]
    rows = rows.merge(given.claim_outcomes, on="claim_id", validate="one_to_one")
    share = denials.allowed_share(rows, given.claim_outcomes)
    rows["worth_cents"] = (rows["refused_charge_cents"] * share).round().astype("int64")
    rows = rows.join(chances(rows, given))
    expected = (rows["worth_cents"] * rows["chance"]).round()
    rows["expected_cents"] = expected.astype("Int64")
    rows["days_left"] = (rows["deadline_date"] - pd.Timestamp(today)).dt.days.astype("Int64")
    rows["is_late"] = (rows["days_left"] < 0).fillna(False).astype(bool)
    order = {
        "is_late": True,
        "has_no_clock": True,
        "distance": True,
        "expected_cents": False,
        "worth_cents": False,
        "claim_id": True,
    }
    keyed = rows.assign(has_no_clock=rows["days_left"].isna(), distance=rows["days_left"].abs())
    keyed = keyed.sort_values(list(order), ascending=list(order.values()))
    return keyed[rows.columns].reset_index(drop=True)


def chances(rows: pd.DataFrame, given: Tables) -> pd.DataFrame:
    """For each of `rows` (see `open_claims`): chance, lower, upper, n_record and basis.

    The practice's own record for the same kind of reason counts, else its record over all reasons,
    each from eleven decided actions on; else a published figure for that action; else none. A
    claim unanswered for more than twice the usual time has none either.
    """
    judged_by = {row["action"]: row["judged_by"] for row in codes.rows("next_actions")}
    records = {name: _record(made(given)) for name, made in RECORDS.items()}
    is_silent = (rows["why"] == "no_answer") & (_age_days(rows) > 2 * rows["maturity_days"])
    found = []
    for action, category, kind, silent in zip(
        rows["action"], rows["category"], rows["payer_type"], is_silent, strict=True
    ):
        record = judged_by[action]
        own = _own_chance(records.get(record, {}), str(category), record != "appeals_of_the_reason")
        found.append(_NO_CHANCE if silent else own or _published_chance(action, kind))
    columns = ["chance", "chance_lower", "chance_upper", "n_record", "chance_basis"]
    table = pd.DataFrame(found, columns=columns, index=rows.index)
    kinds = {"chance": "float64", "chance_lower": "float64", "chance_upper": "float64"}
    return table.astype({**kinds, "n_record": "Int64"})


# ---- the practice's own record ------------------------------------------------------------


def appeals_decided(given: Tables) -> pd.DataFrame:
    """Decided first appeals; won: overturned in whole or in part."""
    return _appeals(given, is_first=True)


def next_appeals_decided(given: Tables) -> pd.DataFrame:
    """Decided appeals above the first level."""
    return _appeals(given, is_first=False)


def _appeals(given: Tables, *, is_first: bool) -> pd.DataFrame:
    appeals = given.appeal_outcomes
    appeals = appeals[appeals["outcome"].isin([*_WON, "upheld", "dismissed"])]
    appeals = appeals[(appeals["level"].fillna("1") == "1") == is_first]
    about = ["claim_id", "patient_id", "payer_id", "denial_category"]
    claims = appeals.merge(given.claim_outcomes[about], on="claim_id")
    return _judged(claims, claims["outcome"].isin(_WON))


def corrections_answered(given: Tables) -> pd.DataFrame:
    """Claims denied at first, sent again and answered again without an appeal; won: approved."""
    claims = given.claim_outcomes
    claims = claims[
        (claims["first_determination"] == "denied")
        & (claims["n_versions"] > 1)
        & claims["appeal_outcome"].isna()
        & claims["final_determination"].isin(population.ANSWERED)
        & (claims["final_determination_date"] > claims["first_determination_date"])
    ]
    return _judged(claims, claims["final_determination"].isin(population.APPROVED))


def first_answers(given: Tables) -> pd.DataFrame:
    """Claims answered for the first time; won: approved. What a rejected claim has not had yet."""
    claims = population.answered(given.claim_outcomes)
    return _judged(claims, claims["is_approved"])


def late_answers(given: Tables) -> pd.DataFrame:
    """Claims not answered within the usual time; won: approved before twice that time was over.

    Only claims old enough to have had twice the time count, the never answered among them, so that
    silence is not left out.
    """
    claims = given.claim_outcomes
    usual = claims["maturity_days"]
    took = claims["days_to_first_determination"]
    counted = claims["submitted_date"].notna() & (_age_days(claims) >= 2 * usual)
    claims = claims[counted & ~(took <= usual).fillna(False)]
    claims = claims[claims["first_determination"].isin([*population.ANSWERED, "pending"])]
    in_time = (took <= 2 * usual).fillna(False)[claims.index]
    return _judged(claims, claims["first_determination"].isin(population.APPROVED) & in_time)


def _age_days(claims: pd.DataFrame) -> pd.Series:
    age: pd.Series = (claims["as_of_date"] - population.known_from(claims)).dt.days
    return age


RECORDS: Mapping[str, Callable[[Tables], pd.DataFrame]] = {
    "appeals": appeals_decided,
    "appeals_of_the_reason": appeals_decided,
    "next_appeals": next_appeals_decided,
    "corrections": corrections_answered,
    "first_answers": first_answers,
    "late_answers": late_answers,
}


def _judged(claims: pd.DataFrame, won: pd.Series) -> pd.DataFrame:
    judged = claims[["claim_id", "patient_id", "payer_id"]].assign(is_approved=won.astype(bool))
    return judged.assign(category=claims["denial_category"].fillna("unknown"))


def _record(decided: pd.DataFrame) -> dict[str, rates.Rate]:
    """Kind of reason -> rate; '' is the rate over all reasons."""
    if decided.empty:
        return {}
    by_reason = rates.rates(decided, ["category"])
    known = {str(row["category"]): rates.rate_of(row) for _, row in by_reason.iterrows()}
    return known | {"": rates.overall(decided)}


def _own_chance(
    record: Mapping[str, rates.Rate], category: str, may_borrow: bool
) -> _Chance | None:
    """What the record tells of this kind of reason, else (where it may) of all of them."""
    for basis, rate in ((OWN_REASON, record.get(category)), (OWN, record.get(""))):
        if rate and rate.denominator >= MINIMUM_RECORD and (may_borrow or basis == OWN_REASON):
            return (rate.estimate, *rate.interval(), rate.denominator, basis)
    return None


def _published_chance(action: str, payer_type: str) -> _Chance:
    row = published_rate(action, payer_type)
    if not row:
        return _NO_CHANCE
    estimate, lower, upper = (
        float(row[name]) if row[name] else None for name in ("estimate", "lower", "upper")
    )
    return (estimate, lower, upper, None, PUBLISHED)


def published_rate(action: str, payer_type: str) -> Mapping[str, str]:
    """The row of reference/recovery_rates.csv for an action, by kind of insurance; else empty."""
    rows = {(row["action"], row["payer_type"]): row for row in codes.rows("recovery_rates")}
    return rows.get((action, payer_type)) or rows.get((action, "*")) or {}


def has_usual_time(action: str, payer_type: str) -> bool:
    """Whether reference/payer_types.csv states the time for an action and kind of insurance."""
    clock = next(row["deadline"] for row in codes.rows("next_actions") if row["action"] == action)
    days = "first_appeal_days" if clock == "appeal" else "timely_filing_days"
    return any(row[days] for row in codes.rows("payer_types") if row["payer_type"] == payer_type)

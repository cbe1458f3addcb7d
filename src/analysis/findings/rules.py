"""Rules of an insurer inferred from its answers: after which visit, without which document.

Nobody told these rules. An inference is stated only where chance, searched over every visit,
document and insurer at once, would hardly give as much; otherwise it is refused in words.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.findings import documentation, insurer, population, rates
from analysis.findings.finding import Finding, Numbers, Question, Value, written
from analysis.models.patients import patients

# Chance of one false alarm among all insurers together.
FALSE_ALARM = 0.05
N_DRAWS = 4000
# Where fewer denials would be expected on one side of a visit, none at all is no news.
EXPECTED_DENIALS = 5
# Sums of fractions that cancel out leave this much or less.
TINY = 1e-9
# A visit whose evidence falls short of the best one's by less than this may as well be it: the 95%
# point for a threshold (Hansen 2000), which no chi-square gives.
AS_GOOD = 7.35
# Standard errors beyond what is called found that make four findings in five.
POWER = 0.84

_CAVEATS = (
    "inferred from answers, not told by the insurer: ask it, and look into its policy",
    "no rule found is not the same as no rule",
)
VISIT = Question(
    id="rules.visit",
    question="After which visit of a treatment do approvals fall?",
    unit="claim",
    definition=(
        f"{population.DEFINITIONS['first']}; visits count within a treatment; claims known to lie"
        " past a yearly limit are left aside; before and after are compared among claims alike in"
        " whether a required document lacks"
    ),
    method=(
        "score of every visit that has enough patients on both sides, its largest fall held against"
        " random signs by patient, Bonferroni over the insurers; the visit itself by least squares,"
        " in brackets those that fit about as well (Hansen's range of a threshold)"
    ),
    caveats=_CAVEATS,
)
FALLS = replace(
    VISIT,
    id="rules.falls",
    question="From which visit on do insurers' approvals fall?",
    unit="insurer",
    method=f"{VISIT.method}; a fall most likely found is one found four times in five",
)
DOCUMENT = Question(
    id="rules.document",
    question="Which document's absence goes with denials?",
    unit="claim",
    definition=f"{population.DEFINITIONS['first']}; documents: {documentation.DEFINITION}",
    method=(
        "Newcombe intervals of claims without against claims with the document, Bonferroni over"
        " documents and insurers; a document not known to be there or not is left out"
    ),
    caveats=_CAVEATS,
)
COMPARED = (
    "document",
    "n_without",
    "without",
    "n_with",
    "with_it",
    "gap",
    "lower",
    "upper",
    "verdict",
)
FOUND, NONE_FOUND = "approvals fall", "none found"
TOO_FEW, TOO_UNCERTAIN = "too few patients to tell", "fall, too uncertain from where"
GOES_WITH, NOT_SHOWN = "goes with denials", "no difference shown"


class Fall(NamedTuple):
    """The visit after which approvals fall most: its range, and how often chance falls as far.

    `could_find` is the least fall, as a share, that would be found four times in five.
    """

    visit: int
    first: int
    last: int
    p_value: float
    could_find: float


def falls_after(
    claims: pd.DataFrame, minimum_cell_size: int = 11, level: float = FALSE_ALARM
) -> Fall | None:
    """Search every visit for the largest fall of approval after it; None with too few patients.

    A fall counts as found at a `p_value` of at most `level`, which `could_find` rests on.

    `claims` has patient_id, visit_number, is_approved and `stratum`, within which claims are alike
    otherwise. A visit is tried when at least `minimum_cell_size` patients have claims up to it and
    as many after it. A patient's claims count together, so a patient often refused is one case.
    """
    ordered = claims.sort_values(["patient_id", "visit_number", "claim_id"])
    visits = ordered["visit_number"].to_numpy(int)
    refused = 1 - float(ordered["is_approved"].mean()) if len(ordered) else 0.0
    cuts = [
        int(visit)
        for visit in sorted(set(visits))[:-1]
        if _carries(ordered[visits <= visit], refused, minimum_cell_size)
        and _carries(ordered[visits > visit], refused, minimum_cell_size)
    ]
    if not cuts:
        return None
    later = pd.DataFrame({cut: (visits > cut).astype(float) for cut in cuts}, index=ordered.index)
    stratum = ordered["stratum"]
    surplus = ordered["is_approved"].astype(float)
    surplus = surplus - surplus.groupby(stratum).transform("mean")
    apart = later - later.groupby(stratum).transform("mean")
    parts = apart.mul(surplus, axis=0).groupby(ordered["patient_id"]).sum().to_numpy(float)
    error = np.sqrt((parts**2).sum(axis=0))
    # A patient's own claims may cancel out exactly: such a visit tells nothing.
    error[error < TINY] = math.inf
    signs = np.random.default_rng(0).choice((-1.0, 1.0), size=(N_DRAWS, len(parts)))
    by_chance = (signs @ parts / error).min(axis=1)
    score = parts.sum(axis=0) / error
    p_value = (1 + int((by_chance <= score.min()).sum())) / (1 + N_DRAWS)
    # Least squares place the fall: the share of the surplus that each visit explains.
    spread = np.maximum((apart**2).sum(axis=0).to_numpy(float), TINY)
    explained = np.minimum(parts.sum(axis=0), 0) ** 2 / spread
    best = int(explained.argmax())
    variance = max(float((surplus**2).mean()) - explained[best] / len(ordered), TINY)
    # Claims of one patient are alike, which can only make the evidence weaker.
    alike = max(1.0, float((parts[:, best] ** 2).sum()) / spread[best] / variance)
    as_good = explained[best] - explained <= AS_GOOD * alike * variance
    fits = [cut for cut, is_as_good in zip(cuts, as_good, strict=True) if is_as_good]
    is_tried = np.isfinite(error)
    needed = POWER - float(np.quantile(by_chance, level))
    could_find = float((needed * error / spread)[is_tried].min()) if is_tried.any() else 1.0
    return Fall(cuts[best], fits[0], fits[-1], p_value, min(1.0, could_find))


def _carries(claims: pd.DataFrame, refused: float, minimum_cell_size: int) -> bool:
    """Whether one side of a visit can be judged: enough patients, and denials to be expected."""
    enough = claims["patient_id"].nunique() >= minimum_cell_size
    return enough and len(claims) * refused >= EXPECTED_DENIALS


def visit_rule(
    outcomes: pd.DataFrame,
    claim_features: pd.DataFrame,
    visit_limits: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    payer_id: str,
    minimum_cell_size: int = 11,
) -> Finding:
    """After which visit of a treatment one insurer's approvals fall, or why that cannot be told."""
    answers = population.answered(population.matured(outcomes, month))
    claims = _comparable(answers[answers["payer_id"] == payer_id], claim_features, visit_limits)
    scope = population.scope(claims, outcomes)
    told = _searched(claims, minimum_cell_size, _n_insurers(answers, minimum_cell_size))
    if told.verdict == TOO_FEW or told.fall is None:
        said = VISIT.answer("Too few patients to infer from which visit on it refuses.", scope)
    elif told.verdict == NONE_FOUND:
        template = (
            "No visit is found after which approvals fall by more than chance allows"
            " ({counted:n claim}); a fall of {could_find:points} points or more would most likely"
            " have been found."
        )
        values: dict[str, Value] = {"counted": len(claims), "could_find": told.fall.could_find}
        said = VISIT.answer(template, scope, values=values)
    elif told.verdict == TOO_UNCERTAIN:
        said = VISIT.answer(
            "Approvals fall in later visits, but too uncertain to state from which on.", scope
        )
    else:
        said = VISIT.answer(
            "Inferred from its answers, not told by it: approvals fall after visit {visit:count} of"
            " a treatment (somewhere from {first:count} to {last:count}): {before:percent} up to"
            " it, then {estimate:percent} ({lower:whole} to {upper:whole}) of {denominator:n claim}"
            " after it.",
            scope,
            told.after.numbers,
            {**told.fall._asdict(), "before": told.before.estimate or 0.0},
        )
    return insurer.naming(said, insurer.name(payers, payer_id))


class _Searched(NamedTuple):
    """What a search of one insurer's visits came to; `before` and `after` the best visit."""

    fall: Fall | None
    before: rates.Rate
    after: rates.Rate
    verdict: str


def _searched(claims: pd.DataFrame, minimum_cell_size: int, n_insurers: int) -> _Searched:
    level = FALSE_ALARM / n_insurers
    fall = falls_after(claims, minimum_cell_size, level)
    if fall is None:
        none = rates.overall(claims.iloc[:0])
        return _Searched(None, none, none, TOO_FEW)
    before, after = (
        rates.overall(claims[(claims["visit_number"] > fall.visit) == past])
        for past in (False, True)
    )
    verdict = FOUND
    if fall.p_value > level or (after.estimate or 0) >= (before.estimate or 0):
        verdict = NONE_FOUND
    elif any(side.refusal(minimum_cell_size) for side in (before, after)):
        verdict = TOO_UNCERTAIN
    return _Searched(fall, before, after, verdict)


def visits_by_insurer(
    outcomes: pd.DataFrame,
    claim_features: pd.DataFrame,
    visit_limits: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """After which visit approvals fall, for every insurer with claims enough for two groups.

    Columns: payer_id, insurer, n, verdict, visit, first, last, before, estimate, lower, upper (of
    approval after the visit, both null unless found), could_find. Found falls first.
    """
    answers = population.answered(population.matured(outcomes, month))
    n_insurers = _n_insurers(answers, minimum_cell_size)
    sizes = answers["payer_id"].value_counts()
    rows = []
    for payer_id in sorted(sizes.index[sizes >= 2 * minimum_cell_size]):
        claims = _comparable(answers[answers["payer_id"] == payer_id], claim_features, visit_limits)
        told = _searched(claims, minimum_cell_size, n_insurers)
        row: dict[str, object] = {"payer_id": payer_id, "n": len(claims), "verdict": told.verdict}
        if told.fall is not None:
            row["could_find"] = told.fall.could_find
        if told.verdict == FOUND and told.fall is not None:
            lower, upper = told.after.interval()
            row |= {"visit": told.fall.visit, "first": told.fall.first, "last": told.fall.last}
            row |= {"before": told.before.estimate, "estimate": told.after.estimate}
            row |= {"lower": lower, "upper": upper}
        rows.append(row)
    columns = ["payer_id", "insurer", "n", "verdict", "visit", "first", "last"]
    columns += ["before", "estimate", "lower", "upper", "could_find"]
    table = population.with_words(pd.DataFrame(rows, columns=[*columns[:1], *columns[2:]]), payers)
    order = table.assign(place=table["verdict"].map({FOUND: 0, TOO_UNCERTAIN: 1, NONE_FOUND: 2}))
    order = order.sort_values(["place", "n", "insurer"], ascending=[True, False, True])
    return order[columns].reset_index(drop=True)


def falls(table: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> Finding:
    """For which insurers approvals fall after some visit; `table` as of `visits_by_insurer`."""
    claims = population.matured(outcomes, month)
    scope = population.scope(claims, outcomes)
    found, searched = table[table["verdict"] == FOUND], table[table["verdict"] != TOO_FEW]
    values: dict[str, Value] = {"searched": len(searched), "few": len(table) - len(searched)}
    few = " {few:n other insurer} had too few patients to tell."
    if searched.empty:
        return FALLS.answer(
            "No insurer has patients enough to tell from which visit on it refuses.", scope
        )
    if len(searched) > len(found):
        open_ones = searched.loc[searched["verdict"] != FOUND, "could_find"].astype(float)
        values |= {"least": float(open_ones.min()), "most": float(open_ones.max())}
        reach = "{least:points}"
        if written(values["least"], "points") != written(values["most"], "points"):
            reach = "{least:points} to {most:points}"
        power = (
            f" For the others none is found: a fall of {reach} points, by insurer, would most"
            " likely have been found."
        )
    else:
        power = ""
    if found.empty:
        template = (
            "Among {searched:n insurer} no visit is found after which approvals fall. A fall of"
            f" {reach} points, by insurer, would most likely have been found."
        )
    else:
        first = found.iloc[0]
        values |= {
            "insurer": first["insurer"],
            "visit": int(first["visit"]),
            "first": int(first["first"]),
            "last": int(first["last"]),
            "before": float(first["before"]),
            "after": float(first["estimate"]),
            "found": len(found),
        }
        template = (
            "For {found:count} of {searched:n insurer} approvals fall after some visit, inferred"
            " from answers, not told. {insurer}: after visit {visit:count} (somewhere from"
            " {first:count} to {last:count}), {before:percent} then {after:percent}."
            f"{power}"
        )
    return FALLS.answer(
        template + few, scope, Numbers(numerator=len(found), denominator=len(searched)), values
    )


def first_found(table: pd.DataFrame) -> str:
    """The payer_id of the insurer with most claims where a fall is found, or ''."""
    found = table.loc[table["verdict"] == FOUND, "payer_id"]
    return "" if found.empty else str(found.iloc[0])


def by_visit(
    outcomes: pd.DataFrame,
    claim_features: pd.DataFrame,
    visit_limits: pd.DataFrame,
    month: str,
    payer_id: str,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """One insurer's approval by visit number: label, estimate, lower, upper, n.

    Empty unless a visit is found after which approvals fall. Neighbouring visits stand together
    until their rate can be stated, never across the visit of the fall.
    """
    answers = population.answered(population.matured(outcomes, month))
    claims = _comparable(answers[answers["payer_id"] == payer_id], claim_features, visit_limits)
    told = _searched(claims, minimum_cell_size, _n_insurers(answers, minimum_cell_size))
    rows: list[dict[str, object]] = []
    if told.verdict == FOUND and told.fall is not None:
        is_past = claims["visit_number"] > told.fall.visit
        rows = _stretches(claims[~is_past], minimum_cell_size)
        rows += _stretches(claims[is_past], minimum_cell_size)
    return pd.DataFrame(rows, columns=["label", "estimate", "lower", "upper", "n"])


def _stretches(claims: pd.DataFrame, minimum_cell_size: int) -> list[dict[str, object]]:
    """Neighbouring visits together, each stretch as short as its rate can be stated."""
    visits = claims["visit_number"].astype(int)
    made: list[tuple[int, int]] = []
    begin = None
    for visit in sorted(set(visits)):
        begin = visit if begin is None else begin
        if not rates.overall(claims[visits.between(begin, visit)]).refusal(minimum_cell_size):
            made.append((begin, visit))
            begin = None
    if begin is not None and made:
        # What is left over is too little for a rate of its own.
        made[-1] = (made[-1][0], int(visits.max()))
    told: list[dict[str, object]] = []
    for first, last in made:
        rate = rates.overall(claims[visits.between(first, last)])
        lower, upper = rate.interval()
        row: dict[str, object] = {
            "label": f"visit {first}" if first == last else f"visits {first} to {last}"
        }
        row |= {"estimate": rate.estimate, "lower": lower, "upper": upper, "n": rate.denominator}
        told.append(row)
    return told


def documents(
    items: pd.DataFrame,
    outcomes: pd.DataFrame,
    month: str,
    payer_id: str,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """One insurer's approval without and with each required document, the largest gap first.

    Columns as in COMPARED; `gap` is without minus with, lower and upper its interval. A document is
    compared only where both rates can be stated. `items` as from `documentation.required`.
    """
    answers = population.answered(population.matured(outcomes, month))
    its = answers[answers["payer_id"] == payer_id]
    known = items[items["status"].isin(["present", "absent"])]
    told = its.merge(known[["claim_id", "document", "status"]], on="claim_id")
    pairs = {
        str(name): pair
        for name, rows in told.groupby("document")
        if (pair := _pair(rows, minimum_cell_size))
    }
    level = 1 - FALSE_ALARM / max(1, len(pairs) * _n_insurers(answers, minimum_cell_size))
    rows = []
    for name, (without, having) in pairs.items():
        gap, lower, upper = rates.difference(without, having, level)
        rows.append(
            {
                "document": name,
                "n_without": without.denominator,
                "without": without.estimate,
                "n_with": having.denominator,
                "with_it": having.estimate,
                "gap": gap,
                "lower": lower,
                "upper": upper,
                "verdict": GOES_WITH if upper < 0 else NOT_SHOWN,
            }
        )
    table = pd.DataFrame(rows, columns=list(COMPARED))
    return table.sort_values(["gap", "document"]).reset_index(drop=True)


def document_rule(
    compared: pd.DataFrame,
    outcomes: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    payer_id: str,
) -> Finding:
    """Which documents' absence goes with an insurer's denials; `compared` as from `documents`."""
    claims = population.matured(insurer.of(outcomes, payer_id), month)
    found = compared[compared["verdict"] == GOES_WITH]
    numbers, values = Numbers(), dict[str, Value]()
    if compared.empty:
        template = "Too few claims without a document to infer which one it insists on."
    elif found.empty:
        template = (
            "Among {compared:n document} with enough claims, none is found whose absence goes with"
            " denials by more than chance allows."
        )
        values = {"compared": len(compared)}
    else:
        first = found.iloc[0]
        template = (
            "Inferred from its answers, not told by it: without {document}, it approved"
            " {without:percent} of {few:n claim}; with it, {with_it:percent} of {many:count}{also}."
        )
        also = ", ".join(found["document"].iloc[1:])
        numbers = Numbers(first["gap"], first["lower"], first["upper"])
        values = {
            "document": first["document"],
            "without": first["without"],
            "few": int(first["n_without"]),
            "with_it": first["with_it"],
            "many": int(first["n_with"]),
            "also": f". The same holds for {also}" if also else "",
        }
    said = DOCUMENT.answer(template, population.scope(claims, outcomes), numbers, values)
    return insurer.naming(said, insurer.name(payers, payer_id))


def _comparable(
    answers: pd.DataFrame, claim_features: pd.DataFrame, visit_limits: pd.DataFrame
) -> pd.DataFrame:
    """Answers with a visit number, not past a known yearly limit, with their `stratum`."""
    past_year = visit_limits[
        (visit_limits["limit_kind"] == "visits_per_year")
        & visit_limits["is_past"].fillna(False).astype(bool)
    ]
    lacking = claim_features[["claim_id", "n_required_absent", "n_gates_failed"]]
    claims = answers.merge(lacking, on="claim_id").dropna(subset="visit_number")
    claims = claims[~claims["claim_id"].isin(past_year["claim_id"])]
    stratum = (claims["n_gates_failed"] > 0) * 2 + (claims["n_required_absent"] > 0)
    return claims.assign(stratum=stratum, patient_id=patients(claims))


def _pair(claims: pd.DataFrame, minimum_cell_size: int) -> tuple[rates.Rate, rates.Rate] | None:
    """The rates without and with a document; None where either must not be stated."""
    by_status: Mapping[str, rates.Rate] = {
        str(row["status"]): rates.rate_of(row)
        for _, row in rates.rates(claims, ["status"]).iterrows()
    }
    if len(by_status) < 2 or any(r.refusal(minimum_cell_size) for r in by_status.values()):
        return None
    return by_status["absent"], by_status["present"]


def _n_insurers(answers: pd.DataFrame, minimum_cell_size: int) -> int:
    """How many insurers have claims enough for two groups: so many searches are made."""
    return max(1, int((answers["payer_id"].value_counts() >= 2 * minimum_cell_size).sum()))

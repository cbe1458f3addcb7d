"""How likely an approval was among claims chosen by insurer, condition, documents and visit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import codes
from analysis.findings import model, population, rates
from analysis.findings.finding import Finding, Numbers, Question
from analysis.models.patients import patients
from analysis.models.predictors import predictors
from analysis.schemas import CLAIM_DOCUMENTS

if TYPE_CHECKING:
    from analysis.models.mixed_effects import MixedEffectsLogisticRegression

LIKELIHOOD = Question(
    id="explore.likelihood",
    question="How likely was an approval among the chosen claims?",
    unit="claim",
    definition=population.DEFINITIONS["first"],
    method=rates.METHOD,
    caveats=(
        "chosen claims differ in more than what they were chosen by",
        "many choices tried find differences that are chance",
    ),
)
CHANCE = Question(
    id="explore.chance",
    question="What chance does the approval model give claims like the chosen ones?",
    unit="claim",
    definition=(
        "chance of approval at the first answer, as known at submission and for patients not met,"
        " averaged over the chosen claims"
    ),
    method="joint posterior draws of the approval model, 95% interval",
    caveats=("an association: claims differ in more than what is recorded",),
)
MODELLED = Question(
    id="explore.modelled",
    question="What did the model expect of the chosen claims?",
    unit="claim",
    definition="mean predicted chance, over the chosen claims that the model was tested on",
    method="predicted from earlier claims of other patients; beside it what happened",
    caveats=("the interval is of what happened; the prediction has none of its own",),
)


@dataclass(frozen=True)
class Choice:
    """Which claims: a value None or '' is any; `documents` maps a column to the status it has.

    `visits` are the first and last place of the visit in the patient's year; None is any, a claim
    whose place is not known among them.
    """

    payer_id: str = ""
    condition_group: str = ""
    documents: Mapping[str, str] = field(default_factory=dict)
    visits: tuple[int, int] | None = None


def documents() -> dict[str, str]:
    """The documents a claim can be chosen by: column of `claim_features` -> label."""
    named = codes.labels("documentation", by="name")
    return {column: named[column] for column in CLAIM_DOCUMENTS}


def claims(features: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """The matured, answered claims with `is_approved`, and what was known when they were sent.

    One row for each claim: columns of `claim_outcomes`, those of `documents`, and
    visit_number_in_year; null where only the remittance was seen.
    """
    known = features[["claim_id", *documents(), "visit_number_in_year"]]
    answered = population.answered(population.matured(outcomes, month))
    return answered.merge(known, on="claim_id", how="left", validate="one_to_one")


def chosen(claims: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """The rows of `claims` that a choice keeps."""
    wanted = {"payer_id": choice.payer_id, "condition_group": choice.condition_group}
    kept = pd.Series(True, index=claims.index)
    for column, value in {**wanted, **choice.documents}.items():
        if value:
            kept &= (claims[column] == value).fillna(False).astype(bool)
    if choice.visits:
        in_range = claims["visit_number_in_year"].between(*choice.visits)
        kept &= in_range.fillna(False).astype(bool)
    return claims[kept]


def likelihood(kept: pd.DataFrame, outcomes: pd.DataFrame, minimum_cell_size: int = 11) -> Finding:
    """The share approved among the `kept` claims with its interval, or why it is not stated."""
    scope = population.scope(kept, outcomes)
    rate = rates.overall(kept)
    n_patients = int(patients(kept).nunique())
    refusal = rate.refusal(minimum_cell_size)
    if refusal:
        return LIKELIHOOD.answer(
            "No rate is stated for these {denominator:n claim} of {patients:n patient}: {refusal}.",
            scope,
            Numbers(denominator=rate.denominator),
            {"patients": n_patients, "refusal": refusal},
        )
    return LIKELIHOOD.answer(
        "Insurers approved {estimate:percent} ({lower:whole} to {upper:whole}) of"
        " {denominator:n claim} of {patients:n patient} at the first answer, {period}.",
        scope,
        rate.numbers,
        {"patients": n_patients},
    )


def chance(
    model: "MixedEffectsLogisticRegression | None",
    learned: pd.DataFrame,
    kept: pd.DataFrame,
    outcomes: pd.DataFrame,
    minimum_cell_size: int = 11,
) -> Finding:
    """The model's chance of claims like the `kept` ones, those of them among what it `learned`.

    `learned` as from `population.modelled`. Not stated under `minimum_cell_size` claims, or where
    the interval is wider than 30 points.
    """
    alike = learned[learned["claim_id"].isin(kept["claim_id"])]
    scope = population.scope(kept, outcomes)
    numbers = Numbers(denominator=len(alike))
    if model is None or len(alike) < minimum_cell_size:
        return CHANCE.answer(
            "No chance is told by the model: {refusal}, {denominator:n claim} that it learned"
            " from.",
            scope,
            numbers,
            {"refusal": "there is none" if model is None else rates.TOO_FEW},
        )
    means = model.standardise(predictors(alike)).draws[:, 0]
    lower, upper = np.quantile(means, [0.025, 0.975])
    if upper - lower > rates.MAX_WIDTH:
        return CHANCE.answer(
            "The model is too uncertain to tell a chance for {denominator:n claim}: anywhere from"
            " {low:percent} to {high:percent}.",
            scope,
            numbers,
            {"low": float(lower), "high": float(upper)},
        )
    return CHANCE.answer(
        "The model gives claims like these a chance of {estimate:percent} ({lower:whole} to"
        " {upper:whole}), from {denominator:n claim} it learned from.",
        scope,
        Numbers(float(means.mean()), float(lower), float(upper), denominator=len(alike)),
    )


def modelled(
    kept: pd.DataFrame,
    predictions: pd.DataFrame,
    outcomes: pd.DataFrame,
    minimum_cell_size: int = 11,
) -> Finding:
    """What the model expected of those `kept` claims it was tested on, beside what happened."""
    own = predictions.loc[predictions["model"] == model.MODEL, ["claim_id", "approval_probability"]]
    tested = kept.merge(own, on="claim_id")
    scope = population.scope(tested, outcomes)
    rate = rates.overall(tested)
    refusal = rate.refusal(minimum_cell_size)
    if refusal:
        return MODELLED.answer(
            "The model was tested on {denominator:n claim} of these: {refusal}.",
            scope,
            Numbers(denominator=rate.denominator),
            {"refusal": refusal},
        )
    return MODELLED.answer(
        "The model expected {expected:percent} of the {denominator:n claim} it was tested on to be"
        " approved; {estimate:percent} were ({lower:whole} to {upper:whole}).",
        scope,
        rate.numbers,
        {"expected": float(tested["approval_probability"].mean())},
    )


def cells(kept: pd.DataFrame, payers: pd.DataFrame, minimum_cell_size: int = 11) -> pd.DataFrame:
    """The `kept` claims by insurer and condition, most claims first.

    Columns: insurer and condition in words, n, n_approved, estimate, lower, upper, refusal; a rate
    that must not be stated is null.
    """
    columns = ["insurer", "condition", "n", "n_approved", "estimate", "lower", "upper", "refusal"]
    if kept.empty:
        return pd.DataFrame(columns=columns)
    by = ["payer_id", "condition_group"]
    table = rates.judged(rates.rates(kept, by), minimum_cell_size)
    return population.largest_first(population.with_words(table, payers), by)[columns]

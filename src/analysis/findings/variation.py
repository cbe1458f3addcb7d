"""Where approvals vary: between insurers, plans, conditions, patients, or by chance alone."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.findings.finding import Finding, Numbers, Question, Scope

if TYPE_CHECKING:
    from analysis.models.mixed_effects import MixedEffectsLogisticRegression

BY_CHANCE = "one claim and the next, which nothing recorded tells apart"
# The variance of the logistic distribution: what a single answer varies by.
_OF_ONE_CLAIM = np.pi**2 / 3
_WORDS = {
    "payer_type": "kinds of insurance (who funds it)",
    "payer_id": "insurers of one kind",
    "plan_id": "plans of one insurer",
    "condition_group": "conditions",
    "network_status": "contract or none",
    "payer_id x condition_group": "conditions within one insurer",
    "lack of fit": "what fits none of these, by insurer, condition and papers missing",
    "stage of visits by payer_id": "visits of one treatment, within one insurer",
    "patient": "patients",
    "time": "periods",
}
VARIATION = Question(
    id="variation.shares",
    question="Where does what documents and visits leave open vary?",
    unit="share of variance",
    definition=(
        "variance of the log odds of approval that lies between groups, of all that documents,"
        " visit, units and days to sending leave; the logistic variance counts as chance"
    ),
    method=(
        "variance components of the approval model, 95% interval from their posterior draws; what"
        " fits none of them is measured on cells left out, and has no interval"
    ),
    caveats=(
        "of the log odds, not of the approvals themselves: a large share may move few answers",
        "how much documents matter differs between insurers too, and is not among these shares",
        "with few groups of a kind, a share is uncertain and drawn towards a moderate size",
    ),
)


def shares(model: "MixedEffectsLogisticRegression | None") -> pd.DataFrame:
    """Each group's share of the variation: between, share, lower, upper; the largest first.

    Chance stands last. Effects that change with a document have no share of their own. Empty
    without a model.
    """
    columns = ["between", "share", "lower", "upper"]
    if model is None:
        return pd.DataFrame(columns=columns)
    sloped = {effect.name for effect in model.terms_.random if effect.slopes}
    names = list(model.variance_components_)
    kept = [place for place, name in enumerate(names) if name not in sloped]
    words = [_WORDS.get(names[place], names[place].replace("_", " ")) for place in kept]
    variances = model.scale_draws_[:, kept] ** 2
    if model.model_error_:
        words.append(_WORDS["lack of fit"])
        variances = np.column_stack([variances, np.full(len(variances), model.model_error_**2)])
    parts = np.column_stack([variances, np.full(len(variances), _OF_ONE_CLAIM)])
    parts /= parts.sum(axis=1, keepdims=True)
    lower, upper = np.quantile(parts, [0.025, 0.975], axis=0)
    if model.model_error_:
        # Nobody knows how certain it is: the others' draws alone would make its range too narrow.
        lower[-2] = upper[-2] = np.nan
    table = pd.DataFrame(
        {
            "between": [*words, BY_CHANCE],
            "share": parts.mean(axis=0),
            "lower": lower,
            "upper": upper,
        }
    )
    order = table.assign(last=table["between"] == BY_CHANCE).sort_values(
        ["last", "share", "between"], ascending=[True, False, True]
    )
    return order[columns].reset_index(drop=True)


def largest(table: pd.DataFrame, scope: Scope) -> Finding:
    """Between what groups most of the variation lies; `table` as from `shares`."""
    between = table[table["between"] != BY_CHANCE]
    if between.empty:
        return VARIATION.answer("No model was fitted, so nothing can be said.", scope)
    first, chance = between.iloc[0], table.iloc[-1]
    has_range = bool(pd.notna(first["lower"]))
    span = " ({lower:whole} to {upper:whole})" if has_range else ""
    return VARIATION.answer(
        f"Of the variation that documents and visits leave, {{estimate:percent}}{span} lies between"
        " {between}, by the estimate the largest part; {chance:percent} lies between one claim and"
        " the next, which nothing recorded tells apart.",
        scope,
        Numbers(first["share"], *((first["lower"], first["upper"]) if has_range else ())),
        {"between": first["between"], "chance": chance["share"]},
    )

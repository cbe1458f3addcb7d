"""How insurers compare had they been sent the same claims, and how sure their order is."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.findings import insurer, population, rates
from analysis.findings.finding import Finding, Numbers, Question, Scope, Value
from analysis.models.predictors import predictors

if TYPE_CHECKING:
    from analysis.models.mixed_effects import MixedEffectsLogisticRegression

LOWEST = 3
SURE = 0.8
"""An insurer is called among the lowest only with a probability above this."""
FEWEST = 2 * LOWEST
"""Among fewer insurers, being one of the lowest three says nothing."""
N_CLAIMS = 200
# What an insurer brings with it: these go along with it, not with the claim.
_ITS_OWN = ["payer_type", "plan_id", "network_status"]
AMONG_LOWEST, NOT_LOWEST, OPEN = "yes", "no", "cannot be told"
COLUMNS = (
    "payer_id", "insurer", "n", "estimate", "lower", "upper",
    "rank", "rank_lower", "rank_upper", "chance_lowest", "verdict",
)  # fmt: skip
_DEFINITION = (
    f"{population.DEFINITIONS['first']}; the approval model's chance for the same claims of this"
    " practice, had each insurer been sent them under its own plans and contract"
)
_METHOD = (
    "joint posterior draws of the approval model, averaged over claims spread evenly over all"
    " modelled ones; 95% interval of the approval, ranks within each draw with 90% interval"
)
_CAVEATS = (
    "insurers with few claims lean on the others, which draws them to the middle",
    "what no file records, such as how severe a case is, is not made alike",
)
LOWEST_THREE = Question(
    id="ranks.lowest",
    question="Which insurers are surely among those that approve least?",
    unit="insurer",
    definition=f"{_DEFINITION}; called among the lowest three only with a probability above 80%",
    method=_METHOD,
    caveats=_CAVEATS,
)
PLACE = Question(
    id="ranks.place",
    question="Where does this insurer stand among all, had they been sent the same claims?",
    unit="claim",
    definition=_DEFINITION,
    method=_METHOD,
    caveats=_CAVEATS,
)


def compared(
    model: "MixedEffectsLogisticRegression | None",
    modelled: pd.DataFrame,
    payers: pd.DataFrame,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """Each insurer's approval of the same claims and its rank, 1 the lowest; columns as in COLUMNS.

    `modelled` as from `population.modelled`. Insurers with fewer than `minimum_cell_size` claims
    are not ranked; an approval with an interval over 30 points is null, its rank still holds as far
    as its interval tells. `chance_lowest` is the probability of a rank of 3 or less; no verdict is
    given among fewer than six insurers.
    """
    sizes = modelled.loc[modelled["payer_id"] != "unknown", "payer_id"].value_counts()
    names = sorted(sizes.index[sizes >= minimum_cell_size])
    if model is None or not names:
        return pd.DataFrame(columns=list(COLUMNS))
    sent = pd.concat([_sent_to(name, modelled) for name in names], ignore_index=True)
    draws = model.standardise(predictors(sent), by=["payer_id"]).draws
    ranks = 1 + draws.argsort(axis=1, kind="stable").argsort(axis=1)
    # No number of draws makes sure: half a draw is left to either side.
    chance = ((ranks <= LOWEST).sum(axis=0) + 0.5) / (len(ranks) + 1)
    lower, upper = np.quantile(draws, [0.025, 0.975], axis=0)
    rank_lower, rank_upper = np.quantile(ranks, [0.05, 0.95], axis=0, method="closest_observation")
    table = pd.DataFrame(
        {
            "payer_id": names,
            "n": sizes[names].to_numpy("int64"),
            "estimate": draws.mean(axis=0),
            "lower": lower,
            "upper": upper,
            "rank": ranks.mean(axis=0),
            "rank_lower": rank_lower.astype("int64"),
            "rank_upper": rank_upper.astype("int64"),
            "chance_lowest": chance,
            "verdict": [_verdict(p, len(names)) for p in chance],
        }
    )
    bounds = ["estimate", "lower", "upper"]
    table.loc[table["upper"] - table["lower"] > rates.MAX_WIDTH, bounds] = float("nan")
    ordered = population.with_words(table, payers).sort_values(["rank", "insurer"])
    return ordered[list(COLUMNS)].reset_index(drop=True)


def lowest(ranked: pd.DataFrame, scope: Scope, minimum_cell_size: int = 11) -> Finding:
    """Which insurers are among the lowest three for sure; `ranked` as from `compared`."""
    values: dict[str, Value] = {"ranked": len(ranked), "minimum": minimum_cell_size, "sure": SURE}
    named = ranked[ranked["verdict"] == AMONG_LOWEST]
    if len(ranked) < FEWEST:
        template = (
            "Too few insurers with {minimum:n claim} or more ({ranked:count}) to tell which of them"
            " approve least."
        )
    elif named.empty:
        template = (
            "Of {ranked:n insurer} with {minimum:n claim} or more, none is among the lowest three"
            " with a probability above {sure:percent}, had all been sent the same claims."
        )
    else:
        template = (
            "Had all {ranked:n insurer} with {minimum:n claim} or more been sent the same claims,"
            " among the lowest three with a probability above {sure:percent}: {names}."
        )
        values |= {"names": ", ".join(named["insurer"])}
    return LOWEST_THREE.answer(
        template, scope, Numbers(numerator=len(named), denominator=len(ranked)), values
    )


def place(ranked: pd.DataFrame, payers: pd.DataFrame, payer_id: str, scope: Scope) -> Finding:
    """Where one insurer stands; `ranked` as from `compared`."""
    rows = ranked[ranked["payer_id"] == payer_id]
    if rows.empty or len(ranked) < 2:
        said = PLACE.answer("Too few claims to rank it among the others.", scope)
        return insurer.naming(said, insurer.name(payers, payer_id))
    row = rows.iloc[0]
    words = {
        AMONG_LOWEST: "it is among the lowest three with a probability of {chance:percent}",
        NOT_LOWEST: "it is hardly among the lowest three (a probability of {chance:percent})",
        OPEN: "whether it is among the lowest three cannot be told",
    }
    is_stated = bool(row["estimate"] == row["estimate"])
    approval = (
        "it would approve {estimate:percent} ({lower:whole} to {upper:whole}), which places it"
        if is_stated
        else "how much it would approve is too uncertain to state; it stands"
    )
    numbers = Numbers(denominator=int(row["n"]))
    if is_stated:
        numbers = replace(numbers, estimate=row["estimate"], lower=row["lower"], upper=row["upper"])
    said = PLACE.answer(
        f"Had all been sent the same claims, {approval} somewhere from {{first:count}} to"
        " {last:count} of {ranked:n insurer}, the lowest first;"
        f" {words[str(row['verdict'])]}.",
        scope,
        numbers,
        {
            "first": int(row["rank_lower"]),
            "last": int(row["rank_upper"]),
            "ranked": len(ranked),
            "chance": float(row["chance_lowest"]),
        },
    )
    return insurer.naming(said, insurer.name(payers, payer_id))


def _sent_to(payer_id: str, modelled: pd.DataFrame) -> pd.DataFrame:
    """The same claims for every insurer, each under this one's own plans and contract.

    Its plans come as often as among its own claims, and are dealt out so that no plan gets one
    kind of claim.
    """
    k = min(N_CLAIMS, len(modelled))
    claims = modelled.iloc[np.arange(k) * len(modelled) // k].reset_index(drop=True)
    own = modelled.loc[modelled["payer_id"] == payer_id, _ITS_OWN].sort_values(_ITS_OWN)
    dealt = np.random.default_rng(0).permutation(np.arange(k) * len(own) // k)
    brought = own.iloc[dealt].reset_index(drop=True)
    return claims.assign(payer_id=payer_id, **{name: brought[name] for name in _ITS_OWN})


def _verdict(chance: float, n_insurers: int) -> str:
    if n_insurers < FEWEST:
        return OPEN
    return AMONG_LOWEST if chance > SURE else NOT_LOWEST if chance < 1 - SURE else OPEN

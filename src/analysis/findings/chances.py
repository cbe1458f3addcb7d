"""The chance of approval by insurer, condition and completeness of documents, small cells refused.

The approval model's, averaged over the cell's own claims. Where a cell is too thin or too uncertain
it borrows from a wider group, and says from which.
"""

from typing import TYPE_CHECKING

import pandas as pd

from analysis.findings import documentation, population, rates
from analysis.findings.approval import BORROWED, NOT_STATED, OWN
from analysis.findings.finding import Finding, Numbers, Question, Scope
from analysis.models.predictors import predictors

if TYPE_CHECKING:
    from analysis.models.mixed_effects import MixedEffectsLogisticRegression

CELL = ["payer_id", "payer_type", "condition_group", "band"]
COLUMNS = ("insurer", "condition", "band", "n", "estimate", "lower", "upper", "basis")

CHANCES = Question(
    id="chances.cells",
    question="For how many insurers, conditions and states of the documents can a chance be told?",
    unit="combination of insurer, condition and completeness",
    definition=(
        f"{population.DEFINITIONS['first']}; the approval model's chance averaged over the"
        " combination's own claims; stated from the minimum number of claims on and with an"
        " interval of at most thirty points, else borrowed from a wider group"
    ),
    method="joint posterior draws of the approval model, 95% interval",
    caveats=("an association: claims differ in more than what is recorded",),
)


def cells(
    model: "MixedEffectsLogisticRegression | None",
    modelled: pd.DataFrame,
    payers: pd.DataFrame,
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """The chance in every cell that has claims; columns as in COLUMNS, most claims first.

    `modelled` as from `population.modelled`; `band` is completeness as in `documentation.BANDS`.
    A cell speaks for itself with `minimum_cell_size` claims and a 95% interval of at most 30
    points; else it has the chance of the same kind of insurance and condition, else of the whole
    insurer, always in its own band; else none.
    """
    if model is None or modelled.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    claims = modelled.assign(band=documentation.bands(modelled))
    table = _standardised(model, claims, CELL, minimum_cell_size).assign(basis=OWN)
    bounds = ["estimate", "lower", "upper"]
    for basis, columns in BORROWED.items():
        by = [*columns, "band"]
        wider = _standardised(model, claims, by, minimum_cell_size)
        lent = table[by].merge(wider[[*by, *bounds]], on=by, how="left")
        thin = table["estimate"].isna() & lent["estimate"].notna()
        table.loc[thin, bounds] = lent.loc[thin, bounds]
        table.loc[thin, "basis"] = basis
    table.loc[table["estimate"].isna(), "basis"] = NOT_STATED
    worded = population.with_words(table, payers)
    place = {band: number for number, band in enumerate(documentation.BANDS)}
    order = worded.assign(place=worded["band"].map(place), is_own=worded["basis"] == OWN)
    order = order.sort_values(
        ["is_own", "n", "insurer", "condition", "place"], ascending=[False, False, True, True, True]
    )
    return order[list(COLUMNS)].reset_index(drop=True)


def told(table: pd.DataFrame, scope: Scope, minimum_cell_size: int = 11) -> Finding:
    """How many cells have a chance of their own, borrow one or have none; `table` as of `cells`."""
    own = int((table["basis"] == OWN).sum())
    unstated = int((table["basis"] == NOT_STATED).sum())
    if table.empty:
        return CHANCES.answer("No model was fitted, so no chance can be told.", scope)
    return CHANCES.answer(
        "Of {denominator:n combination} of insurer, condition and completeness with claims,"
        " {numerator:count} have a chance of their own ({minimum:n claim} or more and certain"
        " enough), {borrowed:count} mostly borrow one from a wider group, {unstated:count} have"
        " none.",
        scope,
        Numbers(numerator=own, denominator=len(table)),
        {
            "minimum": minimum_cell_size,
            "borrowed": len(table) - own - unstated,
            "unstated": unstated,
        },
    )


def _standardised(
    model: "MixedEffectsLogisticRegression",
    claims: pd.DataFrame,
    by: list[str],
    minimum_cell_size: int,
) -> pd.DataFrame:
    """Columns of `by`, n, estimate, lower, upper, the last three null where refused."""
    read = predictors(claims).assign(**{column: claims[column] for column in by})
    made = model.standardise(read, by=by)
    lower, upper = pd.DataFrame(made.draws).quantile([0.025, 0.975]).to_numpy()
    table = made.cells[[*by, "n_rows"]].rename(columns={"n_rows": "n"})
    table = table.assign(estimate=made.draws.mean(axis=0), lower=lower, upper=upper)
    refused = (table["n"] < minimum_cell_size) | (upper - lower > rates.MAX_WIDTH)
    table.loc[refused, ["estimate", "lower", "upper"]] = float("nan")
    return table

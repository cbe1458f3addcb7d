"""How likely an approval is, by insurer, kind of insurance and condition."""

from collections.abc import Sequence

import pandas as pd

from analysis.findings import population, rates
from analysis.findings.finding import Finding, Numbers, Question, Value

_CAVEATS = (
    "insurers and conditions see different claims; a difference says nothing of its cause",
    "no difference shown is not the same as no difference",
)
_METHOD = "Newcombe intervals of each against all others, Bonferroni over the comparisons"
SPREAD = {
    "payer_id": Question(
        id="approval.by_insurer",
        question="Do insurers differ in how often they approve?",
        unit="claim",
        definition=population.DEFINITIONS["first"],
        method=_METHOD,
        caveats=_CAVEATS,
    ),
    "condition_group": Question(
        id="approval.by_condition",
        question="Do conditions differ in how often they are approved?",
        unit="claim",
        definition=population.DEFINITIONS["first"],
        method=_METHOD,
        caveats=_CAVEATS,
    ),
}
CELLS = Question(
    id="approval.cells",
    question="Which insurer denies most for which condition, and how many such pairs can be told?",
    unit="claim",
    definition=population.DEFINITIONS["first"],
    method=(
        "count of denied claims among pairs of insurer and condition whose rate can be stated (the"
        " minimum number of claims, and an interval of at most the stated width)"
    ),
    caveats=_CAVEATS,
)
OWN, NOT_STATED = "its own claims", "not stated"
BORROWED = {
    "mostly borrowed: same kind of insurance, same condition": ["payer_type", "condition_group"],
    "mostly borrowed: this insurer, all conditions": ["payer_id"],
}
"""Where a thin cell borrows from, the nearest first: basis -> columns of the wider group."""
HIGHER, LOWER, NO_DIFFERENCE = "higher", "lower", "no difference shown"


def by(
    outcomes: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    columns: Sequence[str],
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """First-pass approval of matured claims by `columns` of claim_outcomes, most claims first.

    Adds the codes' words (insurer, insurer_type, condition) and n, n_approved, n_effective,
    estimate, lower, upper, refusal; a rate that must not be stated is null.
    """
    answers = population.answered(population.matured(outcomes, month))
    table = rates.judged(rates.rates(answers, columns), minimum_cell_size)
    return population.largest_first(population.with_words(table, payers), list(columns))


def by_insurer_and_condition(
    outcomes: pd.DataFrame, payers: pd.DataFrame, month: str, minimum_cell_size: int = 11
) -> pd.DataFrame:
    """Approval by insurer and condition; a cell too thin to state borrows a wider group's rate.

    `basis` names the claims behind the rate: the cell's own; else the same kind of insurance and
    condition; else the whole insurer; else nothing is stated. `n` and `n_denied` stay the cell's
    own. Cells with a rate of their own come first, of these the ones with most denials.
    """
    cells = by(
        outcomes, payers, month, ["payer_id", "payer_type", "condition_group"], minimum_cell_size
    )
    cells["n_denied"] = cells["n"] - cells["n_approved"]
    cells["basis"] = OWN
    is_borrowed = cells["estimate"].isna()
    bounds = ["estimate", "lower", "upper"]
    for basis, columns in BORROWED.items():
        group = by(outcomes, payers, month, columns, minimum_cell_size)
        lent = cells[columns].merge(group[[*columns, *bounds]], on=columns, how="left")
        thin = cells["estimate"].isna() & lent["estimate"].notna()
        cells.loc[thin, bounds] = lent.loc[thin, bounds]
        cells.loc[thin, "basis"] = basis
    cells.loc[cells["estimate"].isna(), "basis"] = NOT_STATED
    order = cells.assign(is_borrowed=is_borrowed).sort_values(
        ["is_borrowed", "n_denied", "n", "insurer", "condition"],
        ascending=[True, False, False, True, True],
    )
    return order.drop(columns="is_borrowed").reset_index(drop=True)


def most_denied(cells: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> Finding:
    """The pair of insurer and condition with most denials, and how many pairs have a rate.

    `cells` as from `by_insurer_and_condition`.
    """
    own = cells[cells["basis"] == OWN]
    n_stated = int((cells["basis"] != NOT_STATED).sum())
    values: dict[str, Value] = {
        "pairs": len(cells),
        "own": len(own),
        "borrowed": n_stated - len(own),
        "unstated": len(cells) - n_stated,
    }
    counted = (
        "Of {pairs:n pair} of insurer and condition, {own:count} have a rate of their own,"
        " {borrowed:count} borrow one from a wider group, {unstated:count} have none."
    )
    scope = population.scope(population.matured(outcomes, month), outcomes)
    if own.empty:
        return CELLS.answer(counted, scope, values=values)
    first = own.iloc[0]
    return CELLS.answer(
        "Most denials: {insurer}, {condition}, with {numerator:count} of {denominator:n claim}"
        f" denied. {counted}",
        scope,
        Numbers(numerator=int(first["n_denied"]), denominator=int(first["n"])),
        {**values, "insurer": first["insurer"], "condition": first["condition"]},
    )


def against_the_rest(
    outcomes: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    column: str = "payer_id",
    minimum_cell_size: int = 11,
) -> pd.DataFrame:
    """Each group's approval minus that of all other claims, the intervals true of all at once.

    Columns: the group and its words, n, gap, lower, upper, verdict (higher, lower, no difference
    shown). Groups whose own rate must not be stated are not compared. Method: Newcombe intervals,
    widened for the number of comparisons (Bonferroni).
    """
    answers = population.answered(population.matured(outcomes, month))
    of_group = rates.judged(rates.rates(answers, [column]), minimum_cell_size)
    is_stated = of_group[column].notna() & of_group["estimate"].notna()
    sizes = of_group[is_stated].set_index(column)["n"]
    compared = sorted(sizes.index)
    level = 1 - 0.05 / max(1, len(compared))
    rows = []
    for group in compared:
        gap, lower, upper = gap_to_rest(answers, answers[column] == group, level)
        verdict = HIGHER if lower > 0 else LOWER if upper < 0 else NO_DIFFERENCE
        rows.append((group, int(sizes[group]), gap, lower, upper, verdict))
    table = pd.DataFrame(rows, columns=[column, "n", "gap", "lower", "upper", "verdict"])
    return population.largest_first(population.with_words(table, payers), [column])


def gap_to_rest(
    answers: pd.DataFrame, in_group: pd.Series, level: float = 0.95
) -> tuple[float, float, float]:
    """(gap, lower, upper): approval in the group minus approval outside it.

    Without a claim on one side nothing is known: nought, anywhere from -1 to 1.
    """
    sides = rates.rates(answers.assign(inside=in_group.astype(bool)), ["inside"])
    by_side = {bool(row["inside"]): rates.rate_of(row) for _, row in sides.iterrows()}
    if len(by_side) < 2:
        return 0.0, -1.0, 1.0
    return rates.difference(by_side[True], by_side[False], level)


def spread(
    outcomes: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
    column: str = "payer_id",
    minimum_cell_size: int = 11,
) -> Finding:
    """Whether groups (insurers, conditions) differ by more than chance, and which stand out."""
    noun = {"payer_id": "insurer", "condition_group": "condition"}[column]
    table = against_the_rest(outcomes, payers, month, column, minimum_cell_size)
    apart = table[table["verdict"] != NO_DIFFERENCE]
    values: dict[str, Value] = {
        "compared": len(table),
        "less": _listed(apart.loc[apart["verdict"] == LOWER, noun]),
        "more": _listed(apart.loc[apart["verdict"] == HIGHER, noun]),
    }
    if len(table) < 2:
        template = f"Fewer than two {noun}s have a rate that can be stated, so none is compared."
    elif apart.empty:
        template = (
            f"Among {{compared:n {noun}}} with a stated rate, none differs from the rest by more"
            " than chance allows."
        )
    else:
        template = (
            "Approved less often than the rest, by more than chance allows: {less}; more often:"
            f" {{more}} (among {{compared:n {noun}}} with a stated rate, {{denominator:n claim}} in"
            " all, {period})."
        )
    return SPREAD[column].answer(
        template,
        population.scope(population.matured(outcomes, month), outcomes),
        Numbers(denominator=int(table["n"].sum())),
        values,
    )


def _listed(names: pd.Series) -> str:
    return ", ".join(names) if len(names) else "none"

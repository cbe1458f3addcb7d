"""The counts that a release is made of: answered claims by insurer, condition, quarter, outcome.

Two tables, insurer x condition x outcome and insurer x quarter x outcome, with all totals. They
share insurer x outcome only, and whatever fits both of them also fits some table of all four: the
counts that are not published (condition by quarter) add nothing to what an attacker knows.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

import pandas as pd

from analysis.errors import DataError
from analysis.findings import population, rates
from analysis.release.verify import ALL, OUTCOMES, Cell

OTHER_INSURERS, OTHER_CONDITIONS = "other insurers", "other conditions"


@dataclass(frozen=True)
class Categories:
    """The insurers, conditions and quarters that a release tells apart, each in its order.

    Crossed, insurers are told by condition and by quarter; else each of the three by itself.
    """

    insurers: tuple[str, ...]
    conditions: tuple[str, ...]
    quarters: tuple[str, ...]
    is_crossed: bool = True

    def rows(self, divided_by: str) -> list[tuple[str, str]]:
        """The rows of the table by insurer and `divided_by`, condition or quarter, totals first."""
        others = (ALL, *(self.conditions if divided_by == "condition" else self.quarters))
        return [
            (insurer, other)
            for insurer, other in itertools.product((ALL, *self.insurers), others)
            if self.is_crossed or ALL in (insurer, other)
        ]


@dataclass(frozen=True)
class Counted:
    """The true counts of a release, noughts included, and what its findings say of them.

    design_effect  how many claims count for one, since claims of a patient are alike; rounded up
                   to a tenth, which tells no count
    """

    values: dict[Cell, int]
    categories: Categories
    design_effect: float
    period: str
    as_of: date


def answers(outcomes: pd.DataFrame, payers: pd.DataFrame, month: str) -> pd.DataFrame:
    """The claims a release counts: old enough up to `month`, answered; one row each.

    Columns claim_id, patient_id, payer_id, is_approved and insurer, condition, quarter in words.
    Raises DataError when there is none.
    """
    claims = population.answered(population.matured(outcomes, month))
    if claims.empty:
        raise DataError("no claim is old enough and answered, so there is nothing to release")
    worded = population.with_words(claims, payers)
    quarters = population.known_from(claims).dt.to_period("Q")
    return worded.assign(
        quarter=[f"{q.year} Q{q.quarter}" for q in quarters],
        # An insurer called as the total is would be taken for it.
        insurer=worded["insurer"].str.strip().replace(ALL, f"{ALL} (an insurer's name)"),
    )


def merged(claims: pd.DataFrame, below: int, *, is_crossed: bool = True) -> Categories:
    """The categories when insurers and conditions of fewer than `below` claims become "other"."""

    def kept(column: str, other: str) -> tuple[str, ...]:
        sizes = claims[column].value_counts()
        large = sorted(sizes[sizes >= below].index)
        return tuple([*large, other] if len(large) < len(sizes) else large)

    return Categories(
        kept("insurer", OTHER_INSURERS),
        kept("condition", OTHER_CONDITIONS),
        tuple(sorted(claims["quarter"].unique())),
        is_crossed,
    )


def extended(earlier: Categories, claims: pd.DataFrame) -> Categories:
    """The categories of an earlier release, with the quarters and the "other" that came since."""

    def with_other(known: tuple[str, ...], column: str, other: str) -> tuple[str, ...]:
        is_new = not set(claims[column]) <= set(known)
        return (*known, other) if is_new and other not in known else known

    return Categories(
        with_other(earlier.insurers, "insurer", OTHER_INSURERS),
        with_other(earlier.conditions, "condition", OTHER_CONDITIONS),
        tuple(sorted({*earlier.quarters, *claims["quarter"]})),
        earlier.is_crossed,
    )


def count(
    claims: pd.DataFrame, categories: Categories, release: int, period: str, as_of: date
) -> Counted:
    """The counts of `claims` (as `answers` gives them) in these categories."""
    placed = claims.assign(
        insurer=_placed(claims["insurer"], categories.insurers, OTHER_INSURERS),
        condition=_placed(claims["condition"], categories.conditions, OTHER_CONDITIONS),
        outcome=claims["is_approved"].map({True: "approved", False: "denied"}),
    )
    values = {
        **_table(placed, "condition", categories, release),
        **_table(placed, "quarter", categories, release),
    }
    overall = rates.overall(claims)
    effect = max(1.0, -(-10 * overall.denominator // overall.effective) / 10)
    return Counted(values, categories, effect, period, as_of)


def _placed(column: pd.Series, known: Sequence[str], other: str) -> pd.Series:
    placed: pd.Series = column.where(column.isin(set(known)), other)
    return placed


def _table(
    placed: pd.DataFrame, column: str, categories: Categories, release: int
) -> dict[Cell, int]:
    totals: Counter[tuple[str, str, str]] = Counter()
    for key, n in placed.groupby(["insurer", column, "outcome"]).size().items():
        insurer, other, outcome = cast(tuple[str, str, str], key)
        totals.update(
            dict.fromkeys(itertools.product((ALL, insurer), (ALL, other), ("answered", outcome)), n)
        )
    values: dict[Cell, int] = {}
    for insurer, other in categories.rows(column):
        condition, quarter = (other, ALL) if column == "condition" else (ALL, other)
        for outcome in OUTCOMES:
            n = int(totals[insurer, other, outcome])
            values[Cell(release, insurer, condition, quarter, outcome)] = n
    return values

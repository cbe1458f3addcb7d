"""TRIPOD+AI and RECORD: what a study of this model must report, as far as software knows it.

The items stand in `reference/reporting_checklist.csv`, in our own words, with the guidelines'
numbers (Collins and others 2024; Benchimol and others 2015). Software fills what it knows from the
model's record; the rest is for people, and listed as such.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis import codes
from analysis.findings.finding import Finding, Numbers, Question, Scope

SOFTWARE, PEOPLE, TO_WRITE = "software", "people", "to be written"
COLUMNS = ("item_id", "asks_for", "filled_by", "where", "answer")
CHECKLIST = Question(
    id="checklist.filled",
    question="What of a study of this model is left for people to write?",
    unit="item",
    definition="items of the TRIPOD+AI and RECORD guidelines, in the words of this program",
    method="count of items; an item counts as filled where software knows its answer or place",
    caveats=("filled is not the same as sufficient: authors answer for every item",),
)


def filled(design: Mapping[str, Any]) -> pd.DataFrame:
    """Every item with its answer from the model's record; columns as in COLUMNS.

    `design` is the record of `models.approval.saved_design`. Where there is no model, an answer
    that rests on it says so.
    """
    items = pd.DataFrame(codes.rows("reporting_checklist"))[list(COLUMNS)]
    items["answer"] = [_answer(template, design) or None for template in items["answer"]]
    items["where"] = items["where"].where(items["filled_by"] == SOFTWARE, TO_WRITE)
    return items


def told(items: pd.DataFrame, scope: Scope) -> Finding:
    """How many items software filled, and how many are left for people; `items` as of `filled`."""
    n_filled = int((items["filled_by"] == SOFTWARE).sum())
    return CHECKLIST.answer(
        "Of {denominator:n item} that the guidelines for such studies ask for, {numerator:count}"
        " are filled from what software knows; {left:count} people must write.",
        scope,
        Numbers(numerator=n_filled, denominator=len(items)),
        {"left": len(items) - n_filled},
    )


def _answer(template: str, design: Mapping[str, Any]) -> str:
    if "{" not in template:
        return template
    if "refused" in design:
        return "there is no model"
    return template.format_map({key: _plain(value) for key, value in design.items()})


def _plain(value: Any) -> Any:
    """Lists and inner tables in words; what a template names inside a table stays reachable."""
    match value:
        case Mapping():
            return _Table({key: _plain(inner) for key, inner in value.items()})
        case list():
            return _List(map(_plain, value))
        case _:
            return value


class _Table(dict[str, Any]):
    def __format__(self, _: str) -> str:
        return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in sorted(self.items()))


class _List(list[Any]):
    def __format__(self, _: str) -> str:
        return ", ".join(str(value).replace("_", " ") for value in self)

"""The reference tables shipped with the package: code -> group, labels in our own words.

They are CSV files under `reference/`, each with its source and, where codes end, its dates.
"""

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = (
    "carc",
    "rarc",
    "cpt",
    "conditions",
    "documentation",
    "payer_types",
    "filing_indicators",
    "denial_categories",
    "next_actions",
    "recovery_rates",
    "checks",
    "modifiers",
    "group_codes",
    "claim_statuses",
    "claim_frequencies",
    "icd10_changes",
    "techniques",
    "reporting_checklist",
)


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """A reference table as row dicts, every value text, '' where nothing is stated."""
    if name not in NAMES:
        raise KeyError(f"no reference table {name!r}; known: {', '.join(NAMES)}")
    text = (files("analysis.reference") / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def table(name: str) -> "pa.Table":
    """A reference table as Arrow, every column text, null where nothing is stated."""
    import pyarrow as pa

    records = rows(name)
    columns = {
        column: pa.array([row[column] or None for row in records], pa.string())
        for column in records[0]
    }
    return pa.table(columns)


@cache
def labels(name: str, by: str = "") -> dict[str, str]:
    """Code -> label in words; the code is the column `by`, else the table's first.

    >>> labels("carc")["197"]
    'authorisation/notice absent'
    """
    records = rows(name)
    code = by or next(iter(records[0]))
    return {row[code]: row["label"] for row in records}

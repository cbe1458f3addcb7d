"""What the notebook of a release shows: its tables, findings and figures, from its folder alone."""

import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.findings.finding import Finding, Scope
from analysis.release import package, verify
from analysis.release.verify import ALL, Row
from analysis.reports.tables import ColumnSpec, Shown

if TYPE_CHECKING:
    from analysis.reports.book import Book
    from analysis.reports.figures import Drawn

# Every row of the page is held against the table.
_EVERY = 10_000
_WHAT = verify.WHAT
_COUNTS = [
    ColumnSpec("Answered", "count", missing=verify.SYMBOL),
    ColumnSpec("Approved", "count", missing=verify.SYMBOL),
    ColumnSpec("Denied", "count", missing=verify.SYMBOL),
    ColumnSpec("Share approved", "percent", missing="not stated"),
    ColumnSpec("Range", "interval", missing="not stated"),
]
NOTE = (
    f"'{verify.SYMBOL}' is a count withheld so that no small count can be told. No rate is stated"
    " where counts are withheld, few, or the range is too wide."
)

POOLED = (
    "Each practice gave counts in which small ones are withheld already. A pooled count is shown"
    " only where every practice shows its part, enough practices have one and none stands out; an"
    " insurer or condition is named only where enough practices tell it apart, and counts as"
    " 'other' elsewhere. The README beside this page says the figures."
)


def say(book: "Book", folder: Path) -> None:
    """Say every finding of the release, numbered; or that none could be stated."""
    told = [*findings(folder), *package.others_of(folder)]
    if not told:
        book.note("No rate can be stated: the counts are withheld, few, or too uncertain.")
    if unanswered := _stated(folder).get("unanswered"):
        book.note(unanswered)
    if "contributors" in _stated(folder):
        book.note(POOLED)
    for number, finding in enumerate(told, start=1):
        book.say(finding, number)


def draw(book: "Book", folder: Path) -> None:
    """Draw every figure of the release."""
    for name, caption, picture in drawn(folder):
        book.draw(picture, name, caption)


def findings(folder: Path) -> Iterator[Finding]:
    """The findings of the release, in the order of their numbers."""
    stated = _stated(folder)
    scope = Scope(stated["population"], stated["period"], date.fromisoformat(stated["as_of"]))
    for row in verify.rows_with_findings(folder):
        yield package.finding_of(row, stated["design_effect"], scope)


def table(folder: Path, *columns: str) -> Shown:
    """The released counts by insurer, condition, quarter, or insurer and condition."""
    effect = _stated(folder)["design_effect"]
    name = list(verify.TABLES)[columns == ("quarter",)]
    rows = [row for row in verify.read_tables(folder / "tables")[name] if _divided(row) == columns]
    frame = pd.DataFrame(
        [_cells(row, columns, effect) for row in rows],
        columns=[*columns, *verify.OUTCOMES, "share", "lower", "upper"],
    )
    words = " and ".join(columns) or "all claims"
    is_whole = all(verify.stated_rate(row, effect) for row in rows)
    heads = [ColumnSpec(column.capitalize()) for column in columns]
    return Shown(
        f"by_{'_and_'.join(columns)}",
        f"{_WHAT}, by {words}",
        frame,
        [*heads, *_COUNTS],
        "" if is_whole else NOTE,
        at_most=_EVERY,
    )


def _divided(row: Row) -> tuple[str, ...]:
    return tuple(n for n in ("insurer", "condition", "quarter") if getattr(row, n) != ALL)


def _cells(row: Row, columns: tuple[str, ...], effect: float) -> list[object]:
    rate = verify.stated_rate(row, effect) or (None, None, None)
    return [*(getattr(row, column) for column in columns), *row[3:], *rate]


def drawn(folder: Path) -> Iterator[tuple[str, str, "Drawn"]]:
    """Each figure of the release: name, caption, drawing. One without any rate is left out."""
    from analysis.reports import figures

    effect = _stated(folder)["design_effect"]
    read = verify.read_tables(folder / "tables")
    for name, (of, column) in verify.FIGURES.items():
        rows = verify.figure_rows(read[of], column, effect)
        if rows:
            frame = pd.DataFrame(rows, columns=["label", "estimate", "lower", "upper", "n"])
            typed = frame.astype({"estimate": float, "lower": float, "upper": float, "n": int})
            yield name, f"{_WHAT} by {column}", figures.rates_with_intervals(typed, _WHAT)


def pictures(folder: Path) -> dict[str, bytes]:
    """Each figure as SVG and PNG, by file name."""
    from analysis.reports import figures

    made = {}
    for name, _, picture in drawn(folder):
        made[f"{name}.svg"] = figures.svg(picture, name).encode()
        image = io.BytesIO()
        picture.figure.savefig(
            image, format="png", dpi=200, facecolor="white", metadata={"Software": None}
        )
        made[f"{name}.png"] = image.getvalue()
    return made


def _stated(folder: Path) -> dict[str, Any]:
    stated: dict[str, Any] = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    return stated

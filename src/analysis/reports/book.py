"""What a notebook's cells call: open the practice's month, read tables, say, show, draw.

Each of them displays something for the reader in JupyterLab and, in the same output, a record
of it under a media type of our own, which the runner harvests from the executed notebook.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any

from analysis import config, tables
from analysis.config import Folders
from analysis.reports import parameters, period
from analysis.reports import tables as shown_tables
from analysis.reports.parameters import Parameters
from analysis.reports.period import Month
from analysis.reports.tables import Shown

if TYPE_CHECKING:
    import pandas as pd

    from analysis.findings import Finding
    from analysis.models.mixed_effects import MixedEffectsLogisticRegression
    from analysis.reports.figures import Drawn

OPENED = "application/vnd.outcomes.book+json"
FINDING = "application/vnd.outcomes.finding+json"
NOTE = "application/vnd.outcomes.note+json"
TABLE = "application/vnd.outcomes.table+json"
FIGURE = "application/vnd.outcomes.figure+json"

# The parts of a finding a reader may ask for, in the order in which an opponent asks.
_COMPANY = {
    "definition": "Definition",
    "population": "Counted",
    "method": "Method",
    "caveats": "Mind",
    "must_not": "Limits",
}


@dataclass(frozen=True)
class Book:
    """One notebook's view of one practice and month."""

    notebook: str
    parameters: Parameters
    folders: Folders
    month: Month
    as_of: date
    practice_name: str
    _names: set[tuple[str, str]] = field(default_factory=set, repr=False)

    @classmethod
    def open(cls, notebook: str, **given: Any) -> "Book":
        """The book of a notebook, from the notebook's own parameters.

        Raises UsageError for a parameter or month that is wrong, DataError when the practice
        has no table, claim or complete month yet.
        """
        checked = parameters.parse(notebook, given)
        folders = checked.folders
        covered = period.covered(folders)
        name = config.load_practice(folders.raw).name or folders.practice
        return cls.of(notebook, checked, covered.month(checked.month), covered.as_of, name)

    @classmethod
    def of(cls, notebook: str, checked: Parameters, month: Month, as_of: date, who: str) -> "Book":
        """A book whose month, day of the answers and name are known, from checked parameters."""
        book = cls(notebook, checked, checked.folders, month, as_of, who)
        _display(
            f"<p>{escape(who)}, {month.label}, answers read as of {period.in_words(as_of)}.</p>",
            OPENED,
            checked.model_dump(),
        )
        return book

    def table(self, name: str) -> "pd.DataFrame":
        """A processed table, whole, as a pandas frame."""
        return tables.read_frame(self.folders.processed, name)

    def model(self) -> "MixedEffectsLogisticRegression | None":
        """The approval model of the last build; None where the claims were too few for one."""
        from analysis.models import saved

        return saved.load_if_any(self.folders.processed)

    def design(self) -> dict[str, Any]:
        """The record of how the model of the last build came about, or why there is none."""
        text = (self.folders.processed / "model_design.json").read_text(encoding="utf-8")
        record: dict[str, Any] = json.loads(text)
        return record

    def say(self, finding: "Finding", number: int | None = None) -> None:
        """Show a finding's sentence with what it rests on, and record it.

        With a `number` it is one that others cite: "Finding 3. Of 182 claims ...".
        """
        record = finding.as_dict()
        said = finding.sentence if number is None else f"Finding {number}. {finding.sentence}"
        self._once("finding", f"{record['id']} {number}")
        _display(_finding_html(said, record), FINDING, {**record, "said": said})

    def note(self, text: str) -> None:
        """Show fixed prose: a definition, or how to read what follows.

        Raises ValueError when it holds a digit: a number belongs into a finding.
        """
        if any(character.isdigit() for character in text):
            raise ValueError(f"a note holds no number, a finding does: {text!r}")
        _display(f"<p>{escape(text)}</p>", NOTE, {"text": text})

    def show(self, shown: Shown) -> None:
        """Show a table, and record it for the CSV that others re-check; nothing of an empty one."""
        if shown.frame.empty:
            return
        self._once("table", shown.name)
        record = shown_tables.record(shown)
        _display(shown_tables.html(record), TABLE, record)

    def draw(self, drawn: "Drawn", name: str, caption: str) -> None:
        """Show a figure of `figures` with its alternative text, and record it."""
        from analysis.reports import figures

        self._once("figure", name)
        svg = figures.svg(drawn, name)
        record = {"name": name, "caption": caption, "alt": drawn.alt, "svg": svg}
        _display(figures.html(record), FIGURE, record)

    def _once(self, kind: str, name: str) -> None:
        """Refuse a second record of the same name: it would replace the first in the report."""
        if (kind, name) in self._names:
            raise ValueError(f"{self.notebook}: {kind} {name!r} occurs twice")
        self._names.add((kind, name))


def _finding_html(sentence: str, record: Mapping[str, Any]) -> str:
    rows = [
        f"<dt>{word}</dt><dd>{escape(_text(record[key]))}</dd>"
        for key, word in _COMPANY.items()
        if record.get(key)
    ]
    company = (
        f"<details><summary>How this is counted</summary><dl>{''.join(rows)}</dl></details>"
        if rows
        else ""
    )
    return f'<div class="finding"><p>{escape(sentence)}</p>{company}</div>'


def _text(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _display(html: str, media_type: str, record: Mapping[str, Any]) -> None:
    from IPython.display import display

    # JupyterLab would typeset the text between two dollar amounts as a formula.
    shielded = f'<div class="mathjax_ignore tex2jax_ignore">{html}</div>'
    bundle = {"text/html": shielded, media_type: dict(record)}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]

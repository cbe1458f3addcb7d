"""An interactive view for JupyterLab: choose claims, and the likelihood moves along."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import tables, workbooks
from analysis.findings import population, selection
from analysis.models import saved
from analysis.reports import parameters, period
from analysis.schemas import DOCUMENT_STATUSES
from analysis.workbooks import Heading

if TYPE_CHECKING:
    import pandas as pd

_ANY = "any"
_SHOWN_ROWS = 20
_HEADINGS = (
    Heading("Insurer"), Heading("Condition"), Heading("Claims", "count"),
    Heading("Approved", "count"), Heading("Rate", "percent"), Heading("Lower", "percent"),
    Heading("Upper", "percent"), Heading("Why there is no rate"),
)  # fmt: skip


class Explorer:
    """Filters over one practice's answered claims, and what they leave, redrawn at each change."""

    def __init__(self, **given: Any) -> None:
        """`given` are the notebook's parameters. Raises UsageError for a wrong one."""
        import ipywidgets as widgets

        self._parameters = parameters.Parameters.model_validate(given)
        folders = self._parameters.folders
        self._private = folders.private
        read = {
            name: tables.read_frame(folders.processed, name)
            for name in ("claim_features", "claim_outcomes", "payers", "predictions")
        }
        self._outcomes, self._payers = read["claim_outcomes"], read["payers"]
        self._predictions = read["predictions"]
        self._learned = population.modelled(self._outcomes, read["claim_features"])
        self._model = saved.load_if_any(folders.processed)
        month = str(period.covered(folders).month(self._parameters.month))
        self._claims = selection.claims(read["claim_features"], self._outcomes, month)
        words = population.with_words(self._claims[["payer_id", "condition_group"]], self._payers)
        self.payer = _dropdown("Insurer", words, "insurer", "payer_id")
        self.condition = _dropdown("Condition", words, "condition", "condition_group")
        statuses = [(_ANY, ""), *((s.replace("_", " "), s) for s in DOCUMENT_STATUSES)]
        self.documents = {
            column: widgets.Dropdown(options=statuses, description=label, **_WIDE)
            for column, label in selection.documents().items()
        }
        last = max([1, *self._claims["visit_number_in_year"].dropna().astype(int)])
        self.visits = widgets.IntRangeSlider(
            value=(1, last), min=1, max=last, description="Visit in the year", **_WIDE
        )
        self.told = widgets.HTML()
        self.save = widgets.Button(
            description="Save the table as CSV", icon="download", layout={"width": "auto"}
        )
        self.saved = widgets.HTML()
        self._filters = [self.payer, self.condition, *self.documents.values(), self.visits]
        for one in self._filters:
            one.observe(self._redraw, "value")
        self.save.on_click(lambda _: self.write_csv())
        grid = widgets.GridBox(
            self._filters,
            layout=widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(28em, 1fr))"),
        )
        self.view = widgets.VBox([grid, self.told, widgets.HBox([self.save, self.saved])])
        self._redraw()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.view)  # type: ignore[no-untyped-call]

    @property
    def choice(self) -> selection.Choice:
        """What the filters say; the whole range of visits is any visit."""
        whole = (self.visits.min, self.visits.max)
        return selection.Choice(
            self.payer.value,
            self.condition.value,
            {column: one.value for column, one in self.documents.items() if one.value},
            None if tuple(self.visits.value) == whole else tuple(self.visits.value),
        )

    def table(self) -> "pd.DataFrame":
        """The chosen claims by insurer and condition, as `selection.cells` gives them."""
        kept = selection.chosen(self._claims, self.choice)
        return selection.cells(kept, self._payers, self._parameters.minimum_cell_size)

    def write_csv(self) -> Path:
        """Write the table as it stands into the practice's private folder (0600)."""
        rows = [
            [None if value != value else value for value in row]
            for row in self.table().itertuples(index=False, name=None)
        ]
        path = workbooks.write_csv(self._private / "explore.csv", _HEADINGS, rows)
        self.saved.value = f"Saved: {escape(str(path))}"
        return path

    def _redraw(self, _: object = None) -> None:
        kept = selection.chosen(self._claims, self.choice)
        least = self._parameters.minimum_cell_size
        told = [
            selection.likelihood(kept, self._outcomes, least).sentence,
            selection.chance(self._model, self._learned, kept, self._outcomes, least).sentence,
            selection.modelled(kept, self._predictions, self._outcomes, least).sentence,
        ]
        self.saved.value = ""
        sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in told)
        cells = selection.cells(kept, self._payers, least)
        self.told.value = sentences + _html(cells)


_WIDE: dict[str, Any] = {
    "style": {"description_width": "18em"},
    "layout": {"width": "34em"},
}


_LEFT, _RIGHT = (f' style="text-align: {side}; padding: 0 .6em"' for side in ("left", "right"))


def _dropdown(name: str, words: "pd.DataFrame", label: str, code: str) -> Any:
    import ipywidgets as widgets

    pairs = sorted(set(words[[label, code]].itertuples(index=False, name=None)))
    return widgets.Dropdown(options=[(_ANY, ""), *pairs], description=name, **_WIDE)


def _html(table: "pd.DataFrame") -> str:
    """The first rows, rates as percentages, every text escaped."""
    aligned = [_RIGHT if heading.kind in ("count", "percent") else _LEFT for heading in _HEADINGS]
    head = "".join(
        f'<th scope="col"{side}>{heading.title}</th>'
        for heading, side in zip(_HEADINGS, aligned, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{side}>{escape(_cell(value, heading.kind))}</td>"
            for value, heading, side in zip(row, _HEADINGS, aligned, strict=True)
        )
        + "</tr>"
        for row in table.head(_SHOWN_ROWS).itertuples(index=False, name=None)
    )
    more = len(table) - _SHOWN_ROWS
    rest = f"<p>{more} more rows are in the CSV.</p>" if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{rest}"


def _cell(value: Any, kind: str) -> str:
    if value != value:
        return ""
    return f"{value:.0%}" if kind == "percent" else str(value)

"""An executed notebook as one HTML file: no script, no request, readable on a phone and on paper.

Only the notebook's own prose and what its Book recorded reach the page; warnings, prints and code
never do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from analysis.reports import book, definitions, tables
from analysis.reports.period import in_words

TEMPLATES = Path(__file__).parent / "templates"
_RECORDED = {book.FINDING, book.NOTE, book.TABLE, book.FIGURE}


@dataclass(frozen=True)
class Page:
    """What a page says besides its notebook's content."""

    title: str
    insurer: str
    practice_name: str
    month: str
    as_of: date
    is_made_up: bool
    notebook: str
    version: str
    made_from: str
    up: str
    """Relative path from the page to the month's folder: '' or '../'."""
    tables: str = ""
    """The folder of its tables' CSV files, seen from `up`; '' where none are named like them."""
    pdf: str = ""
    """The PDF's name beside the page; '' where none is made."""
    limits: str = definitions.FOR_THE_PRACTICE
    """Whom the report is for."""
    is_release: bool = False
    """A release lies in a folder of its own; its other files have other names."""


def title_of(notebook: Any) -> str:
    """The first-level heading of the notebook's prose: the question it answers."""
    for cell in notebook.cells:
        match = re.search(r"^# (.+)$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and match:
            return match[1].strip()
    raise ValueError("the notebook has no first-level heading")


def render(notebook: Any, page: Page) -> str:
    """The page of an executed notebook. Equal input gives equal bytes."""
    sections = [
        section
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for section in re.findall(r'<h2 id="(.*?)">(.*?)</h2>', _prose(cell.source))
    ]
    words = {**vars(page), "as_of": in_words(page.as_of), "sections": sections}
    resources = {"page": words}
    html: str = _exporter().from_notebook_node(notebook, resources=resources)[0]
    return html


@cache
def _exporter() -> Any:
    from nbconvert.exporters import TemplateExporter

    exporter: Any = TemplateExporter(  # type: ignore[no-untyped-call]
        template_name="report",
        extra_template_basedirs=[str(TEMPLATES)],
        template_extension=".html.j2",
    )
    exporter.register_filter("prose", _prose)
    exporter.register_filter("shown", _shown)
    exporter.environment.autoescape = True
    exporter.environment.globals["definitions"] = definitions
    exporter.environment.tests["recorded"] = _is_recorded
    return exporter


def _is_recorded(output: Mapping[str, Any]) -> bool:
    return not _RECORDED.isdisjoint(output.get("data", {}))


def _shown(output: Mapping[str, Any], page: Mapping[str, Any]) -> str:
    """What the Book recorded, as HTML; a table with the way to its CSV."""
    data = output["data"]
    if book.TABLE not in data:
        return str(data["text/html"])
    return tables.html(data[book.TABLE], f"{page['up']}{page['tables']}" if page["tables"] else "")


def _prose(markdown: str) -> str:
    """A markdown cell as HTML, without its title, which the page's header shows."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    body = re.sub(r"^# .+$", "", markdown, count=1, flags=re.MULTILINE)
    renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
    html: str = MarkdownWithMath(renderer=renderer).render(body)
    return re.sub(r"<h2>(.*?)</h2>", _linked_heading, html)


def _linked_heading(heading: re.Match[str]) -> str:
    words = re.findall(r"\w+", re.sub(r"<.*?>|&\w+;", "", heading[1]).lower())
    return f'<h2 id="section-{"-".join(words)}">{heading[1]}</h2>'

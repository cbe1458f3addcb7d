"""Every page of a practice, in Chromium: accessible, silent, harmless, and as wide as a phone."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import nbformat
import pytest

from analysis.config import Folders
from analysis.reports import book

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
# All that WCAG 2.2 AA asks and a machine can check, and what is good practice besides.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def month(folders: Folders) -> str:
    """The one month that is published."""
    [published] = folders.reports.iterdir()
    return published.name


def pages(folders: Folders) -> dict[str, Path]:
    """Every page, by its path below the folder of all reports."""
    found = {
        path.relative_to(folders.reports_dir).as_posix(): path
        for path in [
            folders.reports_dir / "index.html",
            *sorted((folders.reports / month(folders)).rglob("*.html")),
        ]
    }
    assert len(found) > 15
    return found


@contextmanager
def opened(browser: Any, **how: Any) -> Iterator[tuple[Any, list[str]]]:
    """A tab, and all that what is opened in it asked for, complained of or ran."""
    context = browser.new_context(**{"viewport": DESK, **how})
    tab, noted = context.new_page(), []
    tab.on("console", lambda said: noted.append(f"console: {said.text}"))
    tab.on("pageerror", lambda error: noted.append(f"error: {error}"))
    tab.on("request", lambda asked: noted.append(f"request: {asked.url}"))
    tab.on("dialog", lambda dialog: (noted.append("dialog"), dialog.dismiss()))
    yield tab, noted
    context.close()


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [("light", DESK), ("dark", DESK), ("light", PHONE)],
    ids=["light", "dark", "phone"],
)
def test_axe_finds_nothing(
    browser: Any, practice: Folders, scheme: str, viewport: dict[str, int]
) -> None:
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    found = {}
    with opened(browser, color_scheme=scheme, viewport=viewport) as (tab, _):
        for name, path in pages(practice).items():
            tab.goto(path.as_uri())
            # What is folded away is read too.
            tab.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
            tab.evaluate(axe)
            violations = tab.evaluate(
                "tags => axe.run({runOnly: tags}).then(run => run.violations.map("
                "found => `${found.id}: ${found.nodes.map(node => node.html).join(' ; ')}`))",
                TAGS,
            )
            if violations:
                found[name] = violations
    assert found == {}


def test_a_page_asks_for_nothing_and_runs_nothing(browser: Any, practice: Folders) -> None:
    found = {}
    with opened(browser) as (tab, noted):
        for name, path in pages(practice).items():
            noted.clear()
            tab.goto(path.as_uri(), wait_until="networkidle")
            noted.remove(f"request: {path.as_uri()}")
            if noted:
                found[name] = [*noted]
    assert found == {}


def test_tables_and_figures_are_those_of_the_notebook(browser: Any, practice: Folders) -> None:
    """None is lost to what an insurer is called, and no name makes one up."""
    expected, counted = {}, {}
    executed = practice.private / "notebooks" / month(practice)
    with opened(browser) as (tab, _):
        for path in sorted(executed.rglob("*.ipynb")):
            notebook = nbformat.read(path, as_version=4)
            outputs = [
                output.get("data", {})
                for cell in notebook.cells
                if cell.cell_type == "code"
                for output in cell.outputs
            ]
            name = path.relative_to(executed).with_suffix(".html")
            expected[name] = {
                "table": sum(book.TABLE in data for data in outputs),
                "figure": sum(book.FIGURE in data for data in outputs),
            }
            tab.goto((practice.reports / executed.name / name).as_uri())
            counted[name] = {kind: tab.locator(f"main {kind}").count() for kind in expected[name]}
    assert counted == expected
    assert sum(kinds["figure"] for kinds in expected.values()) > 10


def test_a_figure_says_what_it_shows(browser: Any, practice: Folders) -> None:
    """Its alternative text holds every number written into it, and is no other's of its page."""
    n_figures = 0
    with opened(browser) as (tab, _):
        for name, path in pages(practice).items():
            tab.goto(path.as_uri())
            assert tab.locator("img, canvas, object, embed").count() == 0, name
            told: list[str] = []
            for figure in tab.locator("svg").all():
                said = figure.get_attribute("aria-label")
                assert figure.get_attribute("role") == "img"
                values = [
                    text for text in figure.locator("text").all_text_contents() if ", n " in text
                ]
                silent = [text for text in values if text.split(",", 1)[0] not in said]
                assert not silent, (name, silent, said)
                told.append(said)
            assert len(set(told)) == len(told), name
            n_figures += len(told)
    assert n_figures > 10


def test_a_phone_scrolls_in_one_direction(browser: Any, practice: Folders) -> None:
    wide = {}
    with opened(browser, viewport=PHONE) as (tab, _):
        for name, path in pages(practice).items():
            tab.goto(path.as_uri())
            width = tab.evaluate("document.documentElement.scrollWidth")
            if width > PHONE["width"]:
                wide[name] = width
    assert wide == {}

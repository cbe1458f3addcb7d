"""Pages as Chromium prints them: no row is cut, and a table that fits a page stands on one.

Chromium tags what it prints: each table and row names the pages on which its words stand.
"""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf

from analysis.config import Folders
from browser.test_pages import opened, pages

# Letter paper with margins of half an inch, in CSS pixels.
INCH = 96
WIDTH, HEIGHT = round(7.5 * INCH), 10 * INCH
# A table shares its page with the heading above it.
ROOM = 0.9 * HEIGHT
MARGIN = dict.fromkeys(("top", "bottom", "left", "right"), "0.5in")


def test_no_row_is_cut_and_a_table_that_fits_stands_on_one_page(
    browser: Any, practice: Folders
) -> None:
    cut, parted, n_tables = [], [], 0
    with opened(browser, viewport={"width": WIDTH, "height": HEIGHT}) as (tab, _):
        tab.emulate_media(media="print")
        for name, path in pages(practice).items():
            tab.goto(path.as_uri())
            heights = tab.evaluate(
                "[...document.querySelectorAll('table')].map(table => table.offsetHeight)"
            )
            printed = tab.pdf(format="Letter", margin=MARGIN, tagged=True)
            with pikepdf.open(io.BytesIO(printed)) as pdf:
                tables = list(tagged(pdf.Root.StructTreeRoot, "/Table"))
                assert len(tables) == len(heights), name
                for place, (table, height) in enumerate(zip(tables, heights, strict=True)):
                    for body in tagged(table, "/TBody"):  # the head stands on every page
                        rows = [standing_on(row) for row in tagged(body, "/TR")]
                        cut += [(name, place, row) for row, on in enumerate(rows) if len(on) > 1]
                    if height < ROOM and len(standing_on(table)) > 1:
                        parted.append((name, place))
            n_tables += len(heights)
    assert (cut, parted) == ([], [])
    assert n_tables > 50


def tagged(element: Any, tag: str) -> Iterator[Any]:
    """The elements of a structure type below an element."""
    for kid in kids(element):
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            if tag == kid.S:
                yield kid
            else:
                yield from tagged(kid, tag)


def standing_on(element: Any) -> set[Any]:
    """The pages on which words of an element stand."""
    on = set()
    for kid in kids(element):
        if isinstance(kid, int):
            on.add(element.Pg.objgen)
        elif "/MCID" in kid:
            on.add(kid.get("/Pg", element.get("/Pg")).objgen)
        else:
            on |= standing_on(kid)
    return on


def kids(element: Any) -> list[Any]:
    found = element.get("/K", pikepdf.Array())
    return list(found) if isinstance(found, pikepdf.Array) else [found]

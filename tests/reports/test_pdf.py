"""The PDF says what the page says, to eyes, ears and years: tagged, whole, the same everywhere."""

import io
import re
from datetime import date

import pikepdf
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.reports import book, pdf
from analysis.reports.page import Page
from reports.made_practice import HOSTILE

ALT = "Claims sent: Evergreen Health 20 (62%); Auto 12 (38%)."
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50">'
    '<text x="5" y="20" font-family="DejaVu Sans">Évergreen שלום 你</text></svg>'
)


def page(**given) -> Page:
    plain = Page(
        title="How many?",
        insurer="",
        practice_name="Clinic <b>North</b>",
        month="March 2026",
        as_of=date(2026, 4, 15),
        is_made_up=True,
        notebook="02_claim_outcomes",
        version="1.0",
        made_from="f" * 64,
        up="",
    )
    return Page(**{**vars(plain), **given})


def finding(sentence="20 claims sent."):
    return {
        "question": "How many?", "sentence": sentence, "said": sentence,
        "definition": "every claim sent",
        "population": "claims", "method": "count", "caveats": ["small"], "must_not": "be stretched",
    }  # fmt: skip


def table(n_rows=2, name="Evergreen Health", **given):
    cells = [[f"{name} {n}", str(n), "ask for it"] for n in range(n_rows)]
    return {
        "caption": "Claims by insurer", "note": "", "headers": ["Insurer", "Claims", "What to do"],
        "is_number": [False, True, False], "cells": cells, "rows": cells, "name": "claims",
        **given,
    }  # fmt: skip


def figure(alt=ALT):
    return {"name": "sent", "caption": "Claims sent", "alt": alt, "svg": SVG}


def notebook(*recorded):
    """A notebook that recorded these: (media type, record)."""
    outputs = [new_output("display_data", {kind: record}) for kind, record in recorded]
    cells = [
        new_markdown_cell("# How many?\n\nIts *prose*, `code`, a [link](findings.json).\n\n- one"),
        new_markdown_cell("## A section"),
        new_code_cell("stray", outputs=[new_output("stream", text="stray"), *outputs]),
    ]
    return new_notebook(cells=cells)


def opened(made: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(made))


def elements(made: pikepdf.Pdf, tag: str) -> list[pikepdf.Object]:
    return list(pdf._tagged(made.Root.StructTreeRoot.K, tag))


def attribute(element, name):
    [found] = [a[name] for a in element.A if name in a]
    return found


def rendered(*recorded, **given) -> pikepdf.Pdf:
    return opened(pdf.render(notebook(*recorded), page(**given)))


def test_equal_content_gives_equal_bytes_on_any_day():
    told = notebook((book.FINDING, finding()), (book.TABLE, table()), (book.FIGURE, figure()))
    first = pdf.render(told, page())
    pdf._compiler.cache_clear()
    assert pdf.render(told, page()) == first
    assert str(opened(first).docinfo.CreationDate).startswith("D:20260415")


def test_it_claims_the_standard_and_says_its_title_and_language():
    made = rendered((book.FINDING, finding()), insurer="Auto")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in made.Root.Metadata.read_bytes()
    assert str(made.docinfo.Title) == "How many?: Auto"
    assert str(made.Root.Lang) == "en-US"
    assert made.Root.ViewerPreferences.DisplayDocTitle


def test_every_cell_of_a_table_is_told_its_row_and_its_column():
    made = rendered((book.TABLE, table(3)), (book.TABLE, table(2)))
    heads = elements(made, "/TH")
    scopes = [str(attribute(head, "/Scope")) for head in heads]
    assert scopes == ["/Column"] * 3 + ["/Row"] * 3 + ["/Column"] * 3 + ["/Row"] * 2
    ids = {str(head.ID) for head in heads}
    assert len(ids) == len(heads)
    for cell in elements(made, "/TD"):
        headers = [str(name) for name in attribute(cell, "/Headers")]
        assert len(headers) == 2
        assert set(headers) <= ids
    names = list(made.Root.StructTreeRoot.IDTree.Names)[::2]
    assert [str(name) for name in names] == sorted(ids)


def test_a_table_carries_its_caption_and_a_drawing_its_words():
    made = rendered((book.TABLE, table()), (book.FIGURE, figure()))
    assert len(elements(made, "/Table")) == len(elements(made, "/Caption")) - 1 == 1
    [drawn] = [f for f in elements(made, "/Figure") if "/Alt" in f]
    assert str(drawn.Alt) == pdf._printable(ALT)


@pytest.mark.parametrize("nothing", ["", "  "])
def test_a_drawing_without_words_is_refused(nothing):
    with pytest.raises(pdf.Refused, match="missing alt text"):
        pdf.render(notebook((book.FIGURE, figure(alt=nothing))), page())


def test_a_short_table_moves_to_the_next_page_whole():
    filler = [(book.NOTE, {"text": "Words. " * 400})]
    made = rendered(*filler, (book.TABLE, table(12)))
    heads = elements(made, "/TH")
    assert len({head.Pg.objgen for head in heads}) == 1
    assert heads[0].Pg.objgen != made.pages[0].objgen, "there was room for half of it"


def test_a_long_table_repeats_its_header_on_each_page():
    made = rendered((book.TABLE, table(120)))
    # A repeated header is an artifact: the ears have heard it already.
    with_header = [
        bool(re.search(rb"/Artifact.{0,80}BDC|/Artifact BMC", p.Contents.read_bytes()))
        for p in made.pages
    ]
    assert len(made.pages) >= 4
    assert all(with_header[1:])


@pytest.mark.parametrize(
    "name",
    [HOSTILE, "#panic()", "$x$ @a <b> *c* _d_ `e` // f", "a\x00\ud800b", "你好 🙂"],
)
def test_no_name_is_a_command_or_breaks_the_page(name):
    hostile = [
        (book.FINDING, finding(f"{name}: 20 claims sent.")),
        (book.TABLE, table(2, name, caption=name, headers=[name, "Claims", name], note=name)),
        (book.FIGURE, {**figure(name + "."), "caption": name}),
    ]
    made = rendered(*hostile, insurer=name, practice_name=name, title=name)
    assert str(made.docinfo.Title) == f"{pdf._printable(name)}: {pdf._printable(name)}"
    assert len(made.pages) < 8


def test_a_list_and_a_link_of_the_prose_are_there():
    made = rendered()
    assert elements(made, "/LI")
    assert elements(made, "/Link")
    assert [str(h.T) for h in elements(made, "/H2")] == ["A section", "Definitions"]

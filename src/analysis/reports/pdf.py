"""An executed notebook as a PDF, from the same content as its page: PDF/UA-1, by typst.

The content reaches the typst template as data, never as markup, so no name can be read as a
command. Only fonts that are installed with the package are used, and the time of making is the
report's as-of date: equal input gives equal bytes on every system.

    pdf.render(executed_notebook, page)   ->  the bytes of the PDF

One process converts any number of reports: fonts and template are loaded once.
"""

import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from analysis.reports import book, definitions, tables
from analysis.reports.page import TEMPLATES, Page
from analysis.reports.period import in_words

_RECORDED = {
    book.FINDING: "finding",
    book.NOTE: "note",
    book.FIGURE: "figure",
}
# A word as long as this breaks anywhere rather than leave its column.
_LONGEST_WORD = 18
_ZERO_WIDTH_SPACE = "\u200b"


class Refused(Exception):  # noqa: N818 - what happened to a report
    """The content cannot become an accessible PDF; the text says why."""


def render(notebook: Any, page: Page) -> bytes:
    """The PDF of an executed notebook: tagged, with headers of rows and columns.

    Raises Refused when a figure has no alternative text, or anything else forbids PDF/UA-1.
    """
    from typst import TypstError

    report = {
        "page": {**vars(page), "as_of": in_words(page.as_of)},
        "blocks": list(_blocks(notebook, page.tables)),
        "definitions": list(definitions.DEFINITIONS.items()),
        "limits": [page.limits, definitions.WHAT_A_RATE_SAYS],
        "made_with": definitions.MADE_WITH,
        "made_up": definitions.MADE_UP,
    }
    try:
        made = _compiler().compile(
            input=TEMPLATES / "report" / "report.typ",
            format="pdf",
            pdf_standards=["ua-1"],
            sys_inputs={"report": json.dumps(_printable(report))},
            timestamp=datetime.combine(page.as_of, time(), UTC),
        )
    except TypstError as problem:
        # The message may quote the content.
        raise Refused(re.sub(r"`.*`", "…", problem.message, flags=re.DOTALL)) from problem
    return _with_row_headers(made)


def _blocks(notebook: Any, folder: str) -> Iterator[dict[str, Any]]:
    """The notebook's prose and what its Book recorded, in its order; CSVs lie in `folder`."""
    import mistune

    markdown: Any = mistune.create_markdown(renderer=None)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for node in markdown(cell.source):
                # The title stands in the page's head.
                if node["type"] != "heading" or node["attrs"]["level"] > 1:
                    yield {"kind": "prose", "node": node}
            continue
        for output in cell.get("outputs", []):
            for media_type, record in output.get("data", {}).items():
                if media_type == book.TABLE:
                    yield {"kind": "table", **record, "below": _below(record, folder)}
                elif media_type in _RECORDED:
                    yield {"kind": _RECORDED[media_type], **record}


def _below(record: Mapping[str, Any], folder: str) -> str:
    rest = tables.more(record)
    if rest:
        rest += f"; all stand in {folder}/{record['name']}.csv." if folder else "."
    return " ".join(filter(None, (rest, record["note"])))


# ---- what can be printed ------------------------------------------------------------------


def _printable(content: Any) -> Any:
    """The content with every text such that some font shows it and any column can hold it."""
    if isinstance(content, Mapping):
        return {
            # A drawing's own words have their places already.
            key: _shown(value) if key == "svg" else _printable(value)
            for key, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [_printable(value) for value in content]
    if isinstance(content, str):
        return re.sub(rf"\S{{{_LONGEST_WORD + 1},}}", _breakable, _shown(content))
    return content if isinstance(content, int | float | None) else str(content)


def _shown(text: str) -> str:
    """The text without what has no glyph; a sign that no font has becomes a replacement sign."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        sign if sign.isspace() or ord(sign) in _glyphs() else "\ufffd"
        for sign in text
        if unicodedata.category(sign) not in ("Cc", "Cf", "Cs") or sign.isspace()
    )


def _breakable(word: re.Match[str]) -> str:
    parts = [word[0][n : n + _LONGEST_WORD] for n in range(0, len(word[0]), _LONGEST_WORD)]
    return _ZERO_WIDTH_SPACE.join(parts)


@cache
def _glyphs() -> frozenset[int]:
    """The signs of the font that stands in where the text's own font has none."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(_fonts() / "DejaVuSans.ttf")).get_charmap())


def _fonts() -> Path:
    import matplotlib as mpl

    return Path(mpl.get_data_path(), "fonts", "ttf")


@cache
def _compiler() -> Any:
    import typst

    fonts = typst.Fonts(include_system_fonts=False, font_paths=[_fonts()])
    return typst.Compiler(root=TEMPLATES, font_paths=fonts)


# ---- headers of rows ----------------------------------------------------------------------


def _with_row_headers(made: bytes) -> bytes:
    """The PDF in which the first cell of each row of a table is tagged as the row's header.

    typst tags the headers of columns; what its language has for rows is not open to Python yet.
    """
    import pikepdf

    with pikepdf.open(io.BytesIO(made)) as pdf:
        root = pdf.Root.StructTreeRoot
        rows = [row for body in _tagged(root.K, "/TBody") for row in _tagged(body.K, "/TR")]
        named = pikepdf.Array(root.IDTree.Names) if "/IDTree" in root else pikepdf.Array()
        for number, row in enumerate(rows):
            identifier = pikepdf.String(f"row-{number:06}")
            first, *others = row.K
            first.S, first.ID = pikepdf.Name.TH, identifier
            _table_attributes(first).Scope = pikepdf.Name.Row
            for cell in others:
                _table_attributes(cell).Headers.append(identifier)
            named.extend([identifier, first])
        if rows:
            # Its names are sorted: U... of the columns stands before r... of the rows.
            root.IDTree = pikepdf.Dictionary(Names=named)
        text = io.BytesIO()
        pdf.save(text, deterministic_id=True)
        return text.getvalue()


def _tagged(kids: Any, tag: str) -> Iterator[Any]:
    """The elements of a structure type among `kids` and everything below them."""
    import pikepdf

    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            if tag == kid.S:
                yield kid
            elif "/K" in kid:
                yield from _tagged(kid.K, tag)


def _table_attributes(cell: Any) -> Any:
    return next(attributes for attributes in cell.A if attributes.O == "/Table")

"""Words that name a person in a practice's files, so that a text about to be published can be held
against them. They are returned to be compared, and never stored or shown."""

import re
from collections.abc import Iterator
from pathlib import Path

from analysis.intake import folder, sheets
from analysis.intake.cells import UnclearError
from analysis.intake.x12 import envelopes

# NM101 of the patient, the subscriber, and either under a corrected name (835).
_PEOPLE = {"QC", "IL", "74"}
_HEADED = re.compile(
    r"patient|client|member|subscriber|insured|guarantor|(first|last|full)[ _]?name|\s*name\s*$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{3,}")


def words(text: str) -> frozenset[str]:
    """The words of three letters or more in a text, without their case."""
    return frozenset(word.casefold() for word in _WORD.findall(text))


def named(raw: Path) -> frozenset[str]:
    """Every word of a patient's or subscriber's name in the files of a raw folder.

    Read from NM1 segments of X12, and from columns of other files whose heading speaks of
    patients or names. A file that cannot be read tells none.
    """
    return frozenset(word for file in folder.files(raw) for name in _names(file)
                     for word in words(name))  # fmt: skip


def _names(file: folder.File) -> Iterator[str]:
    if file.problem:
        return
    if folder.is_x12(file.opening()):
        with file.opened() as content:
            for interchange in envelopes.interchanges(content):
                for elements in envelopes.segments(interchange):
                    if elements[0] == "NM1" and len(elements) > 4 and elements[1] in _PEOPLE:
                        yield " ".join(elements[3:6])
        return
    try:
        for place, sheet in enumerate(sheets.sheets(file.content)):
            # A text stands there once for each delimiter, the likeliest first.
            if place == 0 or not sheet.delimiter:
                yield from _cells(sheet)
    except UnclearError:
        return


def _cells(sheet: sheets.Sheet) -> Iterator[str]:
    places: list[int] = []
    for row in sheet.rows():
        # The header may stand below other lines.
        places = places or [n for n, cell in enumerate(row.cells) if _HEADED.match(cell)]
        yield from (row.cells[n] for n in places if n < len(row.cells))

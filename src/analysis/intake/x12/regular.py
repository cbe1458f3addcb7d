"""Interchanges written as nearly all are, told apart together: most are small, and to look at each
by itself has its price.

A regular one holds one group, and no blanks but line ends stand between its segments. What is
found of it is what looking at it by itself finds; any other is left to that.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.intake.x12 import forms
from analysis.intake.x12.forms import Delimiters, Kind
from analysis.intake.x12.segments import Cut, Rows, Segments


class Regular(NamedTuple):
    """An interchange in its one form, what its group holds, how many records, and its segments.

    The latter are left out where its bytes are not those of UTF-8 without a doubt.
    """

    data: bytes
    kind: Kind
    problem: str | None
    n_records: int
    cut: Cut | None


def told(pieces: Sequence[bytes], delimiters: Delimiters) -> list[Regular | None]:
    """What each piece of a file is; None for one that is not regular.

    The pieces have these delimiters, and no blanks around them.
    """
    if not _tells_segments(delimiters):
        return [None] * len(pieces)
    pieces = [_without_line_ends(piece) for piece in pieces]
    segments = Segments(pieces, delimiters)
    ends = np.cumsum([0, *map(len, pieces)])
    # The first segment of each piece and, behind them, how many there are.
    firsts = np.searchsorted(segments.bounds, ends)
    is_bound = segments.bounds[firsts.clip(max=len(segments.starts))] == ends
    is_blank = np.zeros(256, dtype=np.bool_)
    is_blank[list(forms.BLANKS + delimiters.segment)] = True
    is_odd = is_blank[segments.bytes[segments.starts]]
    groups = segments.named("GS")
    first_group = np.searchsorted(groups, firsts)
    is_regular = is_bound[:-1] & is_bound[1:] & (np.diff(first_group) == 1)
    is_regular &= _between(np.flatnonzero(is_odd), firsts) == 0
    found: list[Regular | None] = [None] * len(pieces)
    n_records: dict[Kind, Rows] = {}
    is_ascii = segments.is_ascii
    bounds = firsts.tolist()
    for place in np.flatnonzero(is_regular).tolist():
        group = segments.starts[groups[first_group[place]]] - ends[place]
        kind, problem = forms.kind(pieces[place][group:], delimiters)
        if kind not in n_records:
            is_record = segments.called(*forms.RECORD_SEGMENTS[kind])
            n_records[kind] = _between(np.flatnonzero(is_record), firsts)
        cut = Cut(segments, *bounds[place : place + 2]) if is_ascii else None
        found[place] = Regular(pieces[place], kind, problem, int(n_records[kind][place]), cut)
    return found


def _tells_segments(delimiters: Delimiters) -> bool:
    """Whether segments can be told apart by bytes alone."""
    element, _, end = delimiters
    return len(end) == 1 and end not in forms.BLANKS and end != element


def _without_line_ends(piece: bytes) -> bytes:
    has_line_ends = b"\n" in piece or b"\r" in piece
    return piece.translate(None, b"\r\n") if has_line_ends else piece


def _between(places: Rows, bounds: Rows) -> Rows:
    """How many of the ordered places lie between each two neighbours in `bounds`."""
    return np.diff(np.searchsorted(places, bounds))

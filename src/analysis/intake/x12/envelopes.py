"""Splits a file into interchanges and says what each one is.

A byte order mark or blank lines may stand in front, and several interchanges with different
delimiters one after the other, so whatever reads an interchange is told its delimiters and its
kind. A long interchange comes in stretches, so that memory holds any file.
"""

import hashlib
import io
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import NamedTuple

from analysis.intake.x12 import forms, regular, stretches
from analysis.intake.x12.forms import Delimiters, Kind
from analysis.intake.x12.segments import Cut
from analysis.intake.x12.stretches import Long, Stretch

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# As much of a file is read at a time, and at least.
_BLOCK = 2**22


class Interchange(NamedTuple):
    """One interchange, or the part of one that holds one kind of content.

    `data` has one form whatever the line ends of the file were, and `digest`, its SHA-256, is the
    same wherever the same content comes again. `ordinal` counts interchanges and `first_position`
    records in the file, both from 1. `problem` says in a sentence why the kind is "other".
    `n_groups` counts the groups of the whole interchange; None where more of it follows. Of a long
    one `data` is a `stretch`, and the digest that of all its stretches. `cut` has the segments of
    `data` where they have been found already.
    """

    data: bytes
    digest: str
    kind: Kind
    ordinal: int
    first_position: int
    delimiters: Delimiters
    problem: str | None = None
    n_groups: int | None = None
    stretch: Stretch = stretches.WHOLE
    cut: Cut | None = None


class _Found(NamedTuple):
    """What there is to say of an interchange before it is numbered.

    `n_records` counts those behind the ones that its stretch tells of; of a stretch that goes on
    the next one tells.
    """

    data: bytes
    digest: str
    kind: Kind
    delimiters: Delimiters
    problem: str | None
    n_groups: int | None
    stretch: Stretch
    n_records: int
    cut: Cut | None = None


def split(data: bytes) -> list[Interchange]:
    """The interchanges of a file in their order; none for a file of blanks."""
    return list(interchanges(io.BytesIO(data)))


def interchanges(file: io.BufferedIOBase) -> Iterator[Interchange]:
    """The interchanges of a file in their order, read little further than the one asked for."""
    ordinal, first_position = 0, 1
    for found in _found(file):
        stretch = found.stretch
        ordinal += not stretch.number
        yield Interchange(
            found.data,
            found.digest,
            found.kind,
            ordinal,
            first_position + stretch.n_records,
            found.delimiters,
            found.problem,
            found.n_groups,
            stretch,
            found.cut,
        )
        if not stretch.goes_on:
            first_position += stretch.n_records + found.n_records


def _found(file: io.BufferedIOBase) -> Iterator[_Found]:
    for pieces in _pieces(file):
        if isinstance(pieces, Long):
            yield from _of_long(pieces)
            continue
        for delimiters, alike in groupby(pieces, forms.delimiters):
            yield from _of_pieces(list(alike), delimiters)


def _of_pieces(pieces: list[bytes], delimiters: Delimiters) -> Iterator[_Found]:
    """The interchanges of pieces of a file with the same delimiters."""
    for piece, one in zip(pieces, regular.told(pieces, delimiters), strict=True):
        if one:
            yield _whole(one.data, one.kind, delimiters, one.problem, 1, one.n_records, one.cut)
        else:
            yield from _of_piece(piece, delimiters)


def _of_piece(piece: bytes, delimiters: Delimiters) -> Iterator[_Found]:
    """The parts of a piece of a file."""
    whole = forms.one_form(piece, delimiters)
    starts = forms.group_starts(whole, delimiters)
    parts = list(_parts(whole, delimiters, starts))
    for place, (part, kind, problem) in enumerate(parts, start=1):
        n_groups = len(starts) if place == len(parts) else None
        n_records = len(forms.records(part, kind, delimiters))
        yield _whole(part, kind, delimiters, problem, n_groups, n_records)


def _whole(
    data: bytes,
    kind: Kind,
    delimiters: Delimiters,
    problem: str | None,
    n_groups: int | None,
    n_records: int,
    cut: Cut | None = None,
) -> _Found:
    """An interchange that is held as a whole."""
    digest = hashlib.sha256(data).hexdigest()
    whole = stretches.WHOLE
    return _Found(data, digest, kind, delimiters, problem, n_groups, whole, n_records, cut)


def _of_long(piece: Long) -> Iterator[_Found]:
    """The stretches of a long interchange.

    It is read twice, since what identifies its records is the digest of the whole.
    """
    digests, n_groups = piece.digests()
    for part in piece.parts():
        goes_on = part.stretch.goes_on
        is_last = part.run == len(digests) - 1 and not goes_on
        data = part.header + part.own
        yield _Found(
            data,
            digests[part.run],
            part.kind,
            piece.delimiters,
            part.problem,
            n_groups if is_last else None,
            part.stretch,
            0 if goes_on else len(forms.records(data, part.kind, piece.delimiters)),
        )


def record_segments(interchange: Interchange) -> list[str]:
    """The segment names of all records in an interchange, by bare counting, in their order."""
    found = forms.records(interchange.data, interchange.kind, interchange.delimiters)
    return [name.decode() for name in found]


def segments(interchange: Interchange) -> Iterator[list[str]]:
    """The elements of each segment, its name first. For small files: it builds text for all."""
    element, _, end = (part.decode("latin-1") for part in interchange.delimiters)
    for segment in text(interchange.data).split(end):
        yield segment.strip().split(element)


def text(data: bytes) -> str:
    """The text of an interchange: UTF-8, or Latin-1 where it is not valid UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def in_utf8(data: bytes) -> bytes:
    """The bytes of an interchange as UTF-8."""
    return data if data.isascii() else text(data).encode()


def _pieces(file: io.BufferedIOBase) -> Iterator[list[bytes] | Long]:
    """The file cut before every ISA that begins a segment, without surrounding blanks.

    What is read at a time comes at a time.
    """
    held = file.read(_BLOCK).removeprefix(_BYTE_ORDER_MARK)
    is_ended = False
    while not is_ended:
        # Twice as much each time, so that a long interchange is not searched over and over.
        more = file.read(max(_BLOCK, len(held)))
        is_ended = not more
        held += more
        # Whether an ISA is one cannot be told yet at the end of what is held.
        starts = forms.starts(held, 0, len(held) if is_ended else len(held) - forms.ISA_REACH)
        at = file.tell()
        pieces: list[bytes] = []
        for start, end in pairwise([0, *starts]):
            piece = held[start:end].strip()
            if long := _long(piece, file, at - len(held) + start):
                yield pieces
                yield long
                pieces = []
            elif piece:
                pieces.append(piece)
        yield pieces
        file.seek(at)
        held = held[starts[-1] if starts else 0 :]
        if not is_ended and (long := _long(held, file, at - len(held))):
            # Not held while it is read.
            held = b""
            yield long
    if piece := held.strip():
        yield _long(piece, file, at - len(held)) or [piece]


def _long(piece: bytes, file: io.BufferedIOBase, at: int) -> Long | None:
    """A piece that begins at a place in the file, if it is too long to be held.

    One whose ISA cannot be read is held as a whole: only the ISA tells how it is to be cut.
    """
    is_long = len(piece) >= stretches.LONG and forms.told_by_isa(piece)
    return Long(forms.delimiters(piece), file, at) if is_long else None


def _parts(
    piece: bytes, delimiters: Delimiters, starts: list[int]
) -> Iterator[tuple[bytes, Kind, str | None]]:
    """A piece as it is, or one part for each run of groups of one kind, each with the ISA."""
    starts = starts or [0]
    header = piece[: starts[0]]
    groups = [
        piece[start:end] for start, end in zip(starts, [*starts[1:], len(piece)], strict=True)
    ]
    runs: list[tuple[bytes, Kind, str | None]] = []
    for group in groups:
        kind, problem = forms.kind(group, delimiters)
        if runs and runs[-1][1:] == (kind, problem):
            runs[-1] = (runs[-1][0] + group, kind, problem)
        else:
            runs.append((header + group, kind, problem))
    for part, kind, problem in runs:
        yield part.strip(), kind, problem

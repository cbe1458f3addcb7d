"""Splits a file into interchanges and says what each one is.

Files that practices get are often not quite X12: a byte order mark or blank lines in front, an ISA
that is missing or padded wrongly, line ends where a terminator should be, several interchanges
with different delimiters one after the other. All of that is met here, so that whatever reads an
interchange is told its delimiters and its kind.
"""

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple

Kind = Literal["837P", "835", "277CA", "999", "other"]

# The segment that is one record; an acknowledgment has its answer in one of several.
RECORD_SEGMENTS: dict[Kind, tuple[str, ...]] = {
    "837P": ("CLM",),
    "835": ("CLP",),
    "277CA": ("STC",),
    "999": ("AK5", "IK5"),
    "other": ("CLM", "CLP"),
}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ISA = re.compile(rb"ISA([^\w\s])")
_ISA_ELEMENTS = 16
# Wide enough for an ISA (106 bytes) that somebody padded or wrapped.
_ISA_REACH = 300
# As much of a file is read at a time, and at least.
_BLOCK = 2**23
_SHORTEST_GAP, _LONGEST_GAP = 2, 6
_ST = re.compile(rb"(?<!\w)ST(?P<element>[^\w\s])\d{3}\b")
# The procedure in a service line: what stands after its qualifier parts components.
_PROCEDURE = re.compile(rb"\bSV[1C](?P<element>[^\w\s])(?:HC|AD|ER|IV|N4|NU|WK)([^\w\s])")
_AFTER_ST = re.compile(rb"\w(?P<gap>[^\w]+)(?:BPR|BHT|AK1)[^\w\s]")

_PROFESSIONAL = re.compile(rb"X(?:222|098)")
_INSTITUTIONAL = re.compile(rb"X(?:223|096)")
_DENTAL = re.compile(rb"X(?:224|097)")
_CLAIM_ACKNOWLEDGMENT = re.compile(rb"X(?:214|167|070)")


class Delimiters(NamedTuple):
    """The bytes that end an element, a component of an element, and a segment."""

    element: bytes
    component: bytes
    segment: bytes


@dataclass(frozen=True)
class Interchange:
    """One interchange, or the part of one that holds one kind of content.

    `data` has one form whatever the line ends of the file were, and `digest`, its SHA-256, is the
    same wherever the same content comes again. `ordinal` counts interchanges and `first_position`
    records in the file, both from 1. `problem` says in a sentence why the kind is "other".
    `n_groups` counts the groups of the whole interchange; None for a part that another follows.
    """

    data: bytes
    digest: str
    kind: Kind
    ordinal: int
    first_position: int
    delimiters: Delimiters
    problem: str | None = None
    n_groups: int | None = None


def split(data: bytes) -> list[Interchange]:
    """The interchanges of a file in their order; none for a file of blanks."""
    return list(interchanges(io.BytesIO(data)))


def interchanges(file: io.BufferedIOBase) -> Iterator[Interchange]:
    """The interchanges of a file in their order, read no further than the one that is asked for."""
    ordinal, first_position = 0, 1
    for piece in _pieces(file):
        delimiters = _delimiters(piece)
        whole = _one_form(piece, delimiters)
        starts = _group_starts(whole, delimiters)
        parts = list(_parts(whole, delimiters, starts))
        for place, (part, kind, problem) in enumerate(parts, start=1):
            ordinal += 1
            interchange = Interchange(
                data=part,
                digest=hashlib.sha256(part).hexdigest(),
                kind=kind,
                ordinal=ordinal,
                first_position=first_position,
                delimiters=delimiters,
                problem=problem,
                n_groups=len(starts) if place == len(parts) else None,
            )
            first_position += len(_records(interchange))
            yield interchange


def record_segments(interchange: Interchange) -> list[str]:
    """The segment names of all records in an interchange, by bare counting, in their order."""
    return [name.decode() for name in _records(interchange)]


def _records(interchange: Interchange) -> list[bytes]:
    # With the terminator in front of it, the first segment is like the others.
    data = interchange.delimiters.segment + interchange.data
    return _record(interchange.kind, interchange.delimiters).findall(data)


@cache
def _record(kind: Kind, delimiters: Delimiters) -> re.Pattern[bytes]:
    names = "|".join(RECORD_SEGMENTS[kind]).encode()
    element, _, end = map(re.escape, delimiters)
    return re.compile(rb"%b(%b)(?=%b|%b|\Z)" % (end, names, element, end))


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


def _pieces(file: io.BufferedIOBase) -> Iterator[bytes]:
    """The file cut before every ISA that begins a segment, without surrounding blanks."""
    held = file.read(_BLOCK).removeprefix(_BYTE_ORDER_MARK)
    is_ended = False
    while not is_ended:
        # Twice as much each time, so that a long interchange is not searched over and over.
        more = file.read(max(_BLOCK, len(held)))
        is_ended = not more
        held += more
        # Whether an ISA is one cannot be told yet at the end of what is held.
        starts = _starts(held, len(held) if is_ended else len(held) - _ISA_REACH)
        for start, end in pairwise([0, *starts]):
            if piece := held[start:end].strip():
                yield piece
        held = held[starts[-1] if starts else 0 :]
    if piece := held.strip():
        yield piece


def _starts(data: bytes, end: int) -> list[int]:
    return [
        match.start()
        for match in _ISA.finditer(data, 0, max(end, 0))
        if _begins_segment(data, match)
        and data.count(match[1], match.start(), match.start() + _ISA_REACH) >= _ISA_ELEMENTS
    ]


def _begins_segment(data: bytes, isa: re.Match[bytes]) -> bool:
    """Whether a terminator or a line end stands before an ISA, and not its element separator."""
    before = data[max(0, isa.start() - 10) : isa.start()].rstrip(b" \t")[-1:]
    return not before or (before != isa[1] and not before.isalnum())


def _delimiters(piece: bytes) -> Delimiters:
    """The delimiters told by the ISA, else by the segments around the first ST, else the usual."""
    told = _told_by_isa(piece) or _told_by_st(piece)
    # ISA16 is now and then copied from elsewhere, and then no procedure could be read.
    used = _PROCEDURE.search(piece)
    if used and used["element"] == told.element and used[2] not in (told.element, told.segment):
        return told._replace(component=used[2])
    return told


def _told_by_isa(piece: bytes) -> Delimiters | None:
    """The delimiters of an ISA followed by a GS; None where that cannot be read.

    Elements are counted, not bytes: ISA segments of 102 to 107 bytes occur.
    """
    if not (isa := _ISA.match(piece)):
        return None
    element = isa[1]
    header = piece[:_ISA_REACH].split(element, _ISA_ELEMENTS)
    gap, found, _ = header[-1].partition(b"GS" + element)
    # ISA16 and a terminator with its line ends; anything longer is not the end of an ISA.
    if len(header) <= _ISA_ELEMENTS or not found or not _SHORTEST_GAP <= len(gap) <= _LONGEST_GAP:
        return None
    end = _terminator(gap[1:])
    # A terminator that ends no other segment is none.
    return Delimiters(element, gap[:1], end) if _st_behind(element, end).search(piece) else None


@cache
def _st_behind(element: bytes, end: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"%b\s*ST%b" % (re.escape(end), re.escape(element)))


def _told_by_st(piece: bytes) -> Delimiters:
    """The delimiters between the first ST and the segment after it, else the usual ones."""
    gap = b"~" if b"~" in piece else b"\n"
    if not (st := _ST.search(piece)):
        return Delimiters(b"*", b":", _terminator(gap))
    if after := _AFTER_ST.search(piece, st.end()):
        gap = after["gap"].replace(st["element"], b"")
    return Delimiters(st["element"], b":", _terminator(gap))


def _terminator(gap: bytes) -> bytes:
    """The terminator among the bytes between two segments: a sign, else the line end."""
    return gap.strip()[-1:] or b"\n"


def _one_form(piece: bytes, delimiters: Delimiters) -> bytes:
    """The piece without blanks or nothing between segments, and without line ends that end none.

    Lines may end before a terminator, after it, or wherever a system broke them at 80 characters.
    """
    end = delimiters.segment
    if end == b"\n":
        piece = piece.replace(b"\r", b"\n")
    elif b"\r" in piece or b"\n" in piece:
        piece = piece.translate(None, b"\r\n")
    return _nothing(end).sub(end, piece)


@cache
def _nothing(end: bytes) -> re.Pattern[bytes]:
    """A terminator and the blanks or terminators behind it."""
    return re.compile(rb"%b(?:\s|%b)+" % (re.escape(end), re.escape(end)))


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
        kind, problem = _kind(group, delimiters)
        if runs and runs[-1][1:] == (kind, problem):
            runs[-1] = (runs[-1][0] + group, kind, problem)
        else:
            runs.append((header + group, kind, problem))
    for part, kind, problem in runs:
        yield part.strip(), kind, problem


def _group_starts(piece: bytes, delimiters: Delimiters) -> list[int]:
    found = _group(delimiters).finditer(delimiters.segment + piece)
    return [match.start() for match in found]


@cache
def _group(delimiters: Delimiters) -> re.Pattern[bytes]:
    return re.compile(re.escape(delimiters.segment + b"GS" + delimiters.element))


def _kind(group: bytes, delimiters: Delimiters) -> tuple[Kind, str | None]:
    """What a functional group holds, by ST01 and the version in GS08 or ST03."""
    st = _transaction(delimiters).search(delimiters.segment + group)
    if not st:
        return "other", "no transaction (ST segment) was found in it"
    header_end = group.find(delimiters.segment, st.end())
    header = group[: header_end if header_end >= 0 else len(group)]
    match st[1]:
        case b"835":
            return "835", None
        case b"837":
            return _claim_kind(header, group, delimiters)
        case b"277" if _CLAIM_ACKNOWLEDGMENT.search(header):
            return "277CA", None
        case b"997" | b"999":
            return "999", None
        case number:
            return "other", f"it holds X12 {number.decode()} content, which is not used here"


@cache
def _transaction(delimiters: Delimiters) -> re.Pattern[bytes]:
    element, _, end = map(re.escape, delimiters)
    return re.compile(rb"%bST%b(\d{3})\b" % (end, element))


def _claim_kind(header: bytes, group: bytes, delimiters: Delimiters) -> tuple[Kind, str | None]:
    element, _, end = delimiters
    # Where the version is missing, the kind of service line tells.
    if _PROFESSIONAL.search(header):
        return "837P", None
    if _INSTITUTIONAL.search(header) or end + b"SV2" + element in group:
        return "other", "it holds institutional claims (837I); only professional ones are read"
    if _DENTAL.search(header) or end + b"SV3" + element in group:
        return "other", "it holds dental claims (837D); only professional ones are read"
    return "837P", None

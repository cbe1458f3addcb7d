"""Splits a file into interchanges and says what each one is.

Files that practices get are often not quite X12: a byte order mark or blank lines in front, an ISA
that is missing or padded wrongly, line ends where a terminator should be, several interchanges
with different delimiters one after the other. All of that is met here, so that whatever reads an
interchange is told its delimiters and its kind.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
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
_ISA = re.compile(rb"(?:\A|(?P<before>[^\w ]))[ \t]*(?P<isa>ISA(?P<element>[^\w\s]))")
_ISA_ELEMENTS = 16
# Wide enough for an ISA (106 bytes) that somebody padded or wrapped.
_ISA_REACH = 300
_ST = re.compile(rb"(?<!\w)ST(?P<element>[^\w\s])\d{3}\b")
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

    `digest` is the SHA-256 of its bytes without surrounding blanks, so the same content has the
    same digest wherever it comes. `ordinal` counts interchanges and `first_position` records in
    the file, both from 1. `problem` says in a sentence why the kind is "other".
    """

    data: bytes
    digest: str
    kind: Kind
    ordinal: int
    first_position: int
    delimiters: Delimiters
    problem: str | None = None


def split(data: bytes) -> list[Interchange]:
    """The interchanges of a file in their order; none for a file of blanks."""
    found: list[Interchange] = []
    first_position = 1
    for piece in _pieces(data.removeprefix(_BYTE_ORDER_MARK)):
        delimiters = _delimiters(piece)
        for part, kind, problem in _parts(piece, delimiters):
            interchange = Interchange(
                data=part,
                digest=hashlib.sha256(part).hexdigest(),
                kind=kind,
                ordinal=len(found) + 1,
                first_position=first_position,
                delimiters=delimiters,
                problem=problem,
            )
            found.append(interchange)
            first_position += len(record_segments(interchange))
    return found


def record_segments(interchange: Interchange) -> list[str]:
    """The segment names of all records in an interchange, by bare counting, in their order."""
    names = "|".join(RECORD_SEGMENTS[interchange.kind]).encode()
    element, _, end = map(re.escape, interchange.delimiters)
    pattern = rb"(?:\A|%b)\s*(%b)(?=%b|%b|\Z)" % (end, names, element, end)
    return [name.decode() for name in re.findall(pattern, interchange.data)]


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


def _pieces(data: bytes) -> Iterator[bytes]:
    """The file cut before every ISA that begins a segment, without surrounding blanks."""
    starts = [
        match.start("isa")
        for match in _ISA.finditer(data)
        if match["before"] != match["element"]
        and data.count(match["element"], match.start("isa"), match.start("isa") + _ISA_REACH)
        >= _ISA_ELEMENTS
    ]
    for start, end in zip([0, *starts], [*starts, len(data)], strict=True):
        if piece := data[start:end].strip():
            yield piece


def _delimiters(piece: bytes) -> Delimiters:
    """The delimiters told by the ISA, else by the segments around the first ST, else the usual."""
    if piece.startswith(b"ISA") and (told := _told_by_isa(piece)):
        return told
    component = b">" if b">" in piece and b":" not in piece else b":"
    if not (st := _ST.search(piece)):
        return Delimiters(b"*", component, b"~")
    after = _AFTER_ST.search(piece, st.end())
    gap = after["gap"] if after else b"~" if b"~" in piece else b"\n"
    return Delimiters(st["element"], component, _terminator(gap.replace(st["element"], b"")))


def _told_by_isa(piece: bytes) -> Delimiters | None:
    """The delimiters of an ISA followed by a GS; None where that cannot be read.

    Elements are counted, not bytes: ISA segments of 102 to 107 bytes occur.
    """
    element = piece[3:4]
    header = piece[:_ISA_REACH].split(element, _ISA_ELEMENTS)
    if len(header) <= _ISA_ELEMENTS:
        return None
    gap, found, _ = header[_ISA_ELEMENTS].partition(b"GS" + element)
    # ISA16 and a terminator with its line ends; anything longer is not the end of an ISA.
    if not found or not 2 <= len(gap) <= 6:  # noqa: PLR2004
        return None
    return Delimiters(element, gap[:1], _terminator(gap[1:]))


def _terminator(gap: bytes) -> bytes:
    """The terminator among the bytes between two segments: a sign, else the line end."""
    signs = gap.strip()
    if signs:
        return signs[-1:]
    return b"\r" if b"\r" in gap else b"\n"


def _parts(piece: bytes, delimiters: Delimiters) -> Iterator[tuple[bytes, Kind, str | None]]:
    """A piece as it is, or one part for each run of groups of one kind, each with the ISA."""
    begins = rb"(?:\A|%b)\s*(GS%b)" % (re.escape(delimiters.segment), re.escape(delimiters.element))
    starts = [match.start(1) for match in re.finditer(begins, piece)]
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


def _kind(group: bytes, delimiters: Delimiters) -> tuple[Kind, str | None]:
    """What a functional group holds, by ST01 and the version in GS08 or ST03."""
    element, _, end = delimiters
    st = re.search(rb"(?:\A|%b)\s*ST%b(\d{3})\b" % (re.escape(end), re.escape(element)), group)
    if not st:
        return "other", "no transaction (ST segment) was found in it"
    header_end = group.find(end, st.end())
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

"""What the bytes of an interchange say of themselves: its delimiters, its kind, its groups.

Files that practices get are often not quite X12: an ISA that is missing or padded wrongly, line
ends where a terminator should be. All of that is met here.
"""

import re
from functools import cache
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

# What `\s` means in bytes.
BLANKS = b" \t\n\r\f\v"
# Wide enough for an ISA (106 bytes) that somebody padded or wrapped.
ISA_REACH = 300
# How far before an ISA is looked for what ends the segment before it.
LOOK_BEHIND = 10

_ISA = re.compile(rb"ISA([^\w\s])")
_ISA_ELEMENTS = 16
_SHORTEST_GAP, _LONGEST_GAP = 2, 6
_ST = re.compile(rb"(?<!\w)ST(?P<element>[^\w\s])\d{3}\b")
# The procedure in a service line: what stands after its qualifier parts components.
# The letters stand first, for they are what is searched for fast.
_PROCEDURE = re.compile(rb"SV(?<=\bSV)[1C](?P<element>[^\w\s])(?:HC|AD|ER|IV|N4|NU|WK)([^\w\s])")
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


def starts(data: bytes, begin: int, end: int) -> list[int]:
    """Where an interchange begins, from `begin` on; its ISA is to begin before `end`."""
    return [
        match.start()
        # What begins before `end` is found, also where it ends behind it.
        for match in _ISA.finditer(data, begin, max(end, begin) + len(b"ISA"))
        if _begins_segment(data, match)
        and data.count(match[1], match.start(), match.start() + ISA_REACH) >= _ISA_ELEMENTS
    ]


def _begins_segment(data: bytes, isa: re.Match[bytes]) -> bool:
    """Whether a terminator or a line end stands before an ISA, and not its element separator."""
    before = data[max(0, isa.start() - LOOK_BEHIND) : isa.start()].rstrip(b" \t")[-1:]
    return not before or (before != isa[1] and not before.isalnum())


def delimiters(piece: bytes) -> Delimiters:
    """The delimiters told by the ISA, else by the segments around the first ST, else the usual."""
    told = told_by_isa(piece) or _told_by_st(piece)
    # ISA16 is now and then copied from elsewhere, and then no procedure could be read.
    used = _PROCEDURE.search(piece)
    if used and used["element"] == told.element and used[2] not in told:
        return told._replace(component=used[2])
    return told


def told_by_isa(piece: bytes) -> Delimiters | None:
    """The delimiters of an ISA followed by a GS; None where that cannot be read.

    Elements are counted, not bytes: ISA segments of 102 to 107 bytes occur.
    """
    if not (isa := _ISA.match(piece)):
        return None
    element = isa[1]
    header = piece[:ISA_REACH].split(element, _ISA_ELEMENTS)
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


def one_form(piece: bytes, delimiters: Delimiters) -> bytes:
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


def group_starts(piece: bytes, delimiters: Delimiters) -> list[int]:
    """Where each functional group begins."""
    mark, end = delimiters.segment + b"GS" + delimiters.element, len(delimiters.segment)
    found = [0] if piece.startswith(mark[end:]) else []
    at = piece.find(mark)
    while at >= 0:
        found.append(at + end)
        at = piece.find(mark, at + 1)
    return found


def kind(group: bytes, delimiters: Delimiters) -> tuple[Kind, str | None]:
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


def records(data: bytes, kind: Kind, delimiters: Delimiters) -> list[bytes]:
    """The names of all segments that are a record, by bare counting, in their order."""
    # With the terminator in front of it, the first segment is like the others.
    return _record(kind, delimiters).findall(delimiters.segment + data)


@cache
def _record(kind: Kind, delimiters: Delimiters) -> re.Pattern[bytes]:
    names = "|".join(RECORD_SEGMENTS[kind]).encode()
    element, _, end = map(re.escape, delimiters)
    return re.compile(rb"%b(%b)(?=%b|%b|\Z)" % (end, names, element, end))

"""Whether an interchange is what it says it is: its counts, its control numbers, its form.

    ISA13 = IEA02, GS in it = IEA01     interchange
    GS06 = GE02, ST in it = GE01        group
    ST02 = SE02, segments = SE01        transaction
    HL01 counts up, HL02 is known, HL04 tells whether others hang on it
    a segment has the elements that its kind always needs

Some senders go on counting HL01 from one transaction to the next, which harms nothing.

A number that does not agree costs no claim: senders get them wrong, and the money has checks of
its own. It is marked, because it may be all that is left of a segment lost on the way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pyarrow as pa

from analysis import tables
from analysis.intake.x12.envelopes import Interchange
from analysis.intake.x12.forms import Delimiters
from analysis.intake.x12.reading import Understood

_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
# HL04: others hang on this level, or none do; some senders leave it out.
_CHILD_CODES = ("0", "1")
_SEGMENTS = rb"ISA|IEA|GS|GE|ST|SE|HL"
# Opening segment -> the check of its count, the check of its number, where its number stands.
CHECKS = {
    "ISA": ("interchange_groups", "interchange_number", 13),
    "GS": ("group_transactions", "group_number", 6),
    "ST": ("transaction_segments", "transaction_number", 2),
}
# Opening segment -> those of the envelopes that may stand in its own.
_WITHIN = {"ISA": ("GS", "ST"), "GS": ("ST",), "ST": ()}
CLOSERS = {"ISA": "IEA", "GS": "GE", "ST": "SE"}
_OPENERS = {closer: opener for opener, closer in CLOSERS.items()}

# Up to which element a segment is always filled (the implementation guides of 837P and 835); one
# that ends before was cut short.
LEAST_ELEMENTS = {
    "AMT": 2, "BHT": 4, "BPR": 4, "CAS": 3, "CLM": 9, "CLP": 7, "DTM": 2, "DTP": 3, "HI": 1,
    "HL": 3, "LQ": 2, "LX": 1, "N1": 1, "N3": 1, "N4": 1, "NM1": 2, "NM1*PR": 9, "PLB": 4,
    "QTY": 2, "REF": 2, "SBR": 9, "SV1": 4, "SVC": 3, "SVD": 2, "TRN": 2,
}  # fmt: skip

Check = dict[str, Any]


@dataclass
class _Envelope:
    """An envelope that is open: where it began, its number, and how many it holds so far."""

    segment: int
    number: str
    n_inside: int = 0


@dataclass
class _Levels:
    """The HL segments of a transaction: (segment, HL01, HL02, HL04)."""

    met: list[tuple[int, str, str, str]] = field(default_factory=list)

    def checks(self) -> Iterator[Check]:
        """One check: how many levels there are, and how many of them are numbered rightly."""
        parents = {parent for _, _, parent, _ in self.met}
        wrong = []
        known: set[str] = set()
        last = ""
        for segment, number, parent, has_child in self.met:
            follows = bool(_WHOLE.fullmatch(number)) and last in ("", str(int(number) - 1))
            is_child = not parent or parent in known
            is_parent = has_child not in _CHILD_CODES or (has_child == "1") == (number in parents)
            if not (follows and is_child and is_parent):
                wrong.append(segment)
            known.add(number)
            last = str(int(number)) if _WHOLE.fullmatch(number) else ""
        if self.met:
            n_levels = len(self.met)
            segment = wrong[0] if wrong else self.met[0][0]
            yield _counted("level_numbers", segment, n_levels, n_levels - len(wrong))


def file_checks(interchange: Interchange, file_name: str) -> pa.Table:
    """Table `file_checks` of one interchange."""
    rows = [
        {
            "file_check_id": f"{interchange.digest[:16]}-{place}",
            "file_name": file_name,
            "interchange": interchange.ordinal,
            **check,
        }
        for place, check in enumerate(checks(interchange), start=1)
    ]
    return tables.from_rows("file_checks", rows)


def checks(interchange: Interchange, understood: Understood | None = None) -> list[Check]:
    """What is checked of an interchange; `understood` is what of it was read."""
    return [
        *_envelopes(interchange),
        _complete(interchange),
        *(_understood(understood, interchange) if understood else ()),
    ]


def _envelopes(interchange: Interchange) -> Iterator[Check]:
    open_ones: dict[str, _Envelope] = {}
    levels = _Levels()
    stretch = interchange.stretch
    for segment, (name, *elements) in _marks(interchange):
        if name == "HL":
            number, parent, has_child = (_element(elements, n) for n in (1, 2, 4))
            levels.met.append((segment, number, parent, has_child))
            continue
        opener = _OPENERS.get(name, name)
        # An envelope ends at its own end, or at last where one of its kind or a wider one begins.
        for unclosed in _WITHIN[opener] if name != opener else (opener, *_WITHIN[opener]):
            if envelope := open_ones.pop(unclosed, None):
                yield from _unclosed(unclosed, envelope)
        if opener == "ST":
            yield from levels.checks()
            levels = _Levels()
        if name == opener:
            for wider in open_ones.values():
                wider.n_inside += 1
            open_ones[name] = _Envelope(segment, _element(elements, CHECKS[name][2]))
            if name == "GS" and segment == stretch.group_place:
                open_ones[name].n_inside = stretch.n_in_group
        else:
            yield from _closed(interchange, opener, open_ones.pop(opener, None), segment, elements)
    for unclosed, envelope in open_ones.items():
        is_open = unclosed == "GS" and stretch.goes_on
        if not is_open and (unclosed != "ISA" or interchange.n_groups is not None):
            yield from _unclosed(unclosed, envelope)
    yield from levels.checks()


def _closed(
    interchange: Interchange,
    opener: str,
    envelope: _Envelope | None,
    segment: int,
    elements: list[str],
) -> Iterator[Check]:
    """The two checks of an envelope at its end, whose count and number `elements` state."""
    of_count, of_number, _ = CHECKS[opener]
    stated = _element(elements, 1)
    n_stated = int(stated) if _WHOLE.fullmatch(stated) else None
    n_found = _n_inside(interchange, opener, envelope, segment) if envelope else None
    yield _counted(of_count, segment, n_stated, n_found)
    number = _element(elements, 2)
    is_same = envelope is not None and _same(envelope.number, number)
    yield {"check_name": of_number, "segment": segment, "is_holding": is_same}


def _n_inside(
    interchange: Interchange, opener: str, envelope: _Envelope, segment: int
) -> int | None:
    match opener:
        case "ST":
            return segment - envelope.segment + 1
        case "GS":
            return envelope.n_inside
        case _:
            # Groups of other kinds are read apart from these.
            return interchange.n_groups


def _unclosed(opener: str, envelope: _Envelope) -> Iterator[Check]:
    """An envelope whose end is missing states nothing."""
    of_count, of_number, _ = CHECKS[opener]
    yield _counted(of_count, envelope.segment, None, envelope.n_inside if opener == "GS" else None)
    yield {"check_name": of_number, "segment": envelope.segment, "is_holding": False}


def _counted(name: str, segment: int, n_expected: int | None, n_found: int | None) -> Check:
    return {
        "check_name": name,
        "segment": segment,
        "n_expected": n_expected,
        "n_found": n_found,
        "is_holding": n_expected is not None and n_expected == n_found,
    }


def _complete(interchange: Interchange) -> Check:
    """How many segments there are, and how many of them have the elements they need."""
    end, stretch = interchange.delimiters.segment, interchange.stretch
    # What stands in front of a stretch is counted where it was met first.
    data = end + interchange.data.split(end, stretch.n_header)[-1]
    found = list(_short_segments(interchange.delimiters).finditer(data))
    n_all = data.count(end) - 1
    before = stretch.n_segments + data.count(end, 0, found[0].start()) if found else 0
    segment = before + 1
    return _counted("complete_segments", segment, n_all, n_all - len(found))


@cache
def _short_segments(delimiters: Delimiters) -> re.Pattern[bytes]:
    """A segment that lacks an element its kind always has, with the terminator before it."""
    element, _, end = (re.escape(sign) for sign in delimiters)
    short = b"|".join(
        b"%b(?:%b[^%b%b]*){0,%d}"
        % (name.encode().replace(b"*", element), element, element, end, least - 1 - name.count("*"))
        for name, least in LEAST_ELEMENTS.items()
    )
    return re.compile(rb"%b(?:%b)(?=%b)" % (end, short, end))


def _understood(reading: Understood, interchange: Interchange) -> Iterator[Check]:
    """How many segments and values there are to read, and how many of them could be."""
    for name, n_all, unread in (
        ("known_segments", reading.n_segments, reading.unknown),
        ("readable_values", reading.n_segments, reading.unreadable),
    ):
        segments = sorted(set(unread.tolist()))
        first = interchange.stretch.n_segments + segments[0] + 1 if segments else 1
        yield _counted(name, first, n_all, n_all - len(segments))


def _marks(interchange: Interchange) -> Iterator[tuple[int, list[str]]]:
    """(place among the segments, from 1; name and elements) of the segments that frame others."""
    element, _, end = interchange.delimiters
    data = end + interchange.data
    at, segment = 0, 0
    for match in _framing_segments(interchange.delimiters).finditer(data):
        # The end before this segment stands between the two.
        segment += data.count(end, at, match.start()) + 1
        at = match.end()
        parts = match[1].decode("latin-1").split(element.decode("latin-1"))
        yield interchange.stretch.place(segment), [part.strip() for part in parts]


@cache
def _framing_segments(delimiters: Delimiters) -> re.Pattern[bytes]:
    element, _, end = (re.escape(sign) for sign in delimiters)
    return re.compile(rb"%b((?:%b)%b[^%b]*)" % (end, _SEGMENTS, element, end))


def _element(elements: list[str], number: int) -> str:
    """An element by its X12 number; empty where the segment is shorter."""
    return elements[number - 1] if len(elements) >= number else ""


def _same(opening: str, closing: str) -> bool:
    """Whether control numbers agree; some senders drop the zeros in front."""
    return bool(closing) and opening.lstrip("0") == closing.lstrip("0")

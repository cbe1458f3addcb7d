"""Table `file_checks` of interchanges read together, whole columns at a time.

`counts` walks from segment to segment, which takes longer than reading them. Nearly all
interchanges have their envelopes in order, one inside the other; what those state is held here
against what is there, for all of them at once. The others are walked through.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis import tables
from analysis.intake.parsed import Apart
from analysis.intake.x12 import counts
from analysis.intake.x12.batches import Batch, numbered
from analysis.intake.x12.reading import Reading, column, pick
from analysis.intake.x12.segments import Flags, Rows, Segments, number

# Framing segment -> those that may come next, the segments between them left out.
_NEXT = {
    "ISA": ("GS", "IEA"),
    "GS": ("ST", "GE"),
    "ST": ("HL", "SE"),
    "HL": ("HL", "SE"),
    "SE": ("ST", "GE"),
    "GE": ("GS", "IEA"),
    "IEA": (),
}
_FRAMING = list(_NEXT)
_MAY_COME = np.array([[two in _NEXT[one] for two in _FRAMING] for one in _FRAMING])

_QUALIFIED = {name: n for name, n in counts.LEAST_ELEMENTS.items() if "*" in name}
_UNQUALIFIED = {number(name): n for name, n in counts.LEAST_ELEMENTS.items() if "*" not in name}
# To look up a number is faster than to search for it; nearly all of this is never touched.
_LEAST = np.zeros(2**24, dtype=np.uint8)
_LEAST[list(_UNQUALIFIED)] = list(_UNQUALIFIED.values())

_COUNT = "^[0-9]{1,9}$"
# Written as nearly everybody does, so that levels can be compared as numbers.
_LEVEL = "^[1-9][0-9]{0,8}$"
# Beyond these signs, opinions differ on what is a blank.
_PLAIN = "^[ -~]*$"

_SCHEMA = pa.schema(
    [
        ("part", pa.int64()),
        ("at", pa.int64()),
        ("check_name", pa.string()),
        ("segment", pa.int64()),
        ("n_expected", pa.int64()),
        ("n_found", pa.int64()),
        ("is_holding", pa.bool_()),
    ]
)


def of_batch(reading: Reading) -> Apart:
    """Table `file_checks` of each interchange of a batch."""
    batch = reading.batch
    frames = _Frames(batch)
    is_regular = _are_plain(batch) & frames.are_regular()
    found = [
        frames.levels(),
        *(check for opener in counts.CHECKS for check in frames.closed(opener)),
        _of_all(batch, "complete_segments", _short(batch.segments)),
        _of_all(batch, "known_segments", np.unique(reading.unknown)),
        _of_all(batch, "readable_values", np.unique(reading.unreadable)),
    ]
    regular = pa.concat_tables(found)
    regular = regular.filter(pa.array(is_regular[regular["part"].to_numpy()]))
    walked = [_walked(reading, part) for part in np.flatnonzero(~is_regular).tolist()]
    checks = pa.concat_tables([regular, *walked])
    part, at = checks["part"].to_numpy(), checks["at"].to_numpy()
    # Checks at one place stay in the order in which they stand above.
    return _apart(batch, checks.take(pa.array(np.lexsort((at, part)))))


def _apart(batch: Batch, checks: pa.Table) -> Apart:
    """Checks in their order as rows of `file_checks`."""
    part = column(checks, "part").to_numpy()
    rank = np.arange(len(part)) - np.searchsorted(part, part) + 1
    of_part = pa.array(part)
    table = tables.from_columns(
        "file_checks",
        {
            "file_check_id": numbered(batch.prefixes.take(of_part), rank),
            **batch.sent_in(of_part),
            **{name: column(checks, name) for name in _SCHEMA.names[2:]},
        },
    )
    return batch.by_part(table, part)


def _walked(reading: Reading, part: int) -> pa.Table:
    """The checks of a part that is not regular."""
    interchange = reading.batch.interchanges[part]
    found = counts.checks(interchange, reading.understood(part))
    rows = [{"part": part, "at": at, **check} for at, check in enumerate(found)]
    return pa.Table.from_pylist(rows, _SCHEMA)


def _of_all(batch: Batch, name: str, wrong: Rows) -> pa.Table:
    """A check of all segments of each part; `wrong` are those that fail it, in their order."""
    begins, ends = batch.first_segments[:-1] + batch.stretch.n_header, batch.first_segments[1:]
    first, last = np.searchsorted(wrong, begins), np.searchsorted(wrong, ends)
    n_all, n_wrong = ends - begins, last - first
    part = np.arange(len(begins))
    place = np.append(wrong, 0)[first] - begins + 1 + batch.stretch.n_segments
    segment = np.where(n_wrong > 0, place, 1)
    return _counted(part, ends, name, segment, pa.array(n_all), pa.array(n_all - n_wrong))


def _counted(
    part: Rows, at: Rows, name: str, segment: Rows, n_expected: pa.Array, n_found: pa.Array
) -> pa.Table:
    holds = pc.fill_null(pc.equal(n_expected, n_found), False)
    return _table(part, at, name, segment, n_expected, n_found, holds)


def _table(part: Rows, at: Rows, name: str, segment: Rows, *told: pa.Array) -> pa.Table:
    """Rows of one check; `at` orders them within a part."""
    columns = [part, at, pa.repeat(name, len(part)), segment, *told]
    return pa.table(columns, schema=_SCHEMA)


def _are_plain(batch: Batch) -> Flags:
    """Of each part, whether it can be counted by bytes: it ends as its segments do."""
    delimiters = batch.interchanges[0].delimiters
    is_plain = b"".join(delimiters).isascii() and len(set(delimiters)) == len(delimiters)
    return np.array([is_plain and i.data.endswith(delimiters.segment) for i in batch.interchanges])


def _short(segments: Segments) -> Rows:
    """The segments that lack an element their kind always has."""
    is_short = segments.n_elements < _LEAST[segments.names]
    for name, n in _QUALIFIED.items():
        is_short[_beginning_with(name, segments, np.flatnonzero(segments.n_elements < n))] = True
    return np.flatnonzero(is_short)


def _beginning_with(name: str, segments: Segments, rows: Rows) -> Rows:
    """Of `rows`, the segments with a name and a first element like NM1*PR."""
    segment, _, qualifier = name.partition("*")
    rows = rows[segments.names[rows] == number(segment)]
    for place, sign in enumerate(segments.element + qualifier.encode(), start=len(segment)):
        rows = rows[segments.bytes[segments.starts[rows] + place] == sign]
    return rows[segments.is_sign(segments.bytes[segments.starts[rows] + len(name)])]


def _framing(segments: Segments) -> tuple[Rows, Rows]:
    """The segments that frame others, and what each is by its place in _FRAMING."""
    found = segments.named(*_FRAMING)
    numbers = np.array([number(name) for name in _FRAMING])
    order = np.argsort(numbers)
    return found, order[np.searchsorted(numbers[order], segments.names[found])]


class _Frames:
    """The framing segments of a batch, in their order."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._at, self._kinds = _framing(batch.segments)
        self._part = batch.part_of(self._at)
        self._place = batch.places(self._at)
        texts = batch.segments.texts(self._at)
        split = pc.split_pattern(texts, batch.interchanges[0].delimiters.element.decode("latin-1"))
        self._elements, self._offsets = split.values, split.offsets.to_numpy()
        self._is_odd = ~_flags(pc.match_substring_regex(texts, _PLAIN))
        self._is_odd |= self._are_out_of_order()
        self._is_odd[self._of("HL")] |= self._are_odd_levels()

    def are_regular(self) -> Flags:
        """Whether each part is framed, and its framing segments stand as they should."""
        n_parts = len(self._batch.interchanges)
        n_all = np.bincount(self._part, minlength=n_parts)
        n_odd = np.bincount(self._part[self._is_odd], minlength=n_parts)
        is_regular: Flags = (n_all > 0) & (n_odd == 0)
        return is_regular

    def closed(self, opener: str) -> list[pa.Table]:
        """The two checks of each envelope of a kind, where it ends."""
        of_count, of_number, place = counts.CHECKS[opener]
        ends = self._of(counts.CLOSERS[opener])
        begins = self._last(opener, ends)
        stated, number = self._element(ends, 1), self._element(ends, 2)
        n_stated = _whole(stated, _COUNT)
        bare, opening = (
            pc.utf8_ltrim(written, "0") for written in (number, self._element(begins, place))
        )
        is_same = pc.and_(pc.equal(bare, opening), pc.not_equal(number, ""))
        where = self._part[ends], self._at[ends]
        nulls = pa.nulls(len(ends), pa.int64())
        n_inside = self._n_inside(opener, begins, ends)
        return [
            _counted(*where, of_count, self._place[ends], n_stated, n_inside),
            _table(*where, of_number, self._place[ends], nulls, nulls, is_same),
        ]

    def _n_inside(self, opener: str, begins: Rows, ends: Rows) -> pa.Array:
        """How many segments a transaction, transactions a group, groups an interchange has."""
        match opener:
            case "ST":
                return pa.array(self._at[ends] - self._at[begins] + 1)
            case "GS":
                transactions = self._of("ST")
                n_met = np.diff(np.searchsorted(transactions, [begins, ends]), axis=0)[0]
                return pa.array(n_met + self._n_before(begins))
            case _:
                n_groups = [one.n_groups for one in self._batch.interchanges]
                return pa.array(n_groups, pa.int64()).take(pa.array(self._part[ends]))

    def _n_before(self, groups: Rows) -> Rows:
        """How many transactions of each group stand in earlier stretches of its interchange."""
        stretch = self._batch.stretch
        local = self._at[groups] - self._batch.first_segments[self._part[groups]] + 1
        return np.where(local == stretch.n_header, stretch.n_in_group, 0)

    def levels(self) -> pa.Table:
        """One check of each transaction with levels, all of which are numbered rightly."""
        levels = self._of("HL")
        _, first, n_levels = np.unique(
            self._transactions(levels), return_index=True, return_counts=True
        )
        opening, n_all = levels[first], pa.array(n_levels)
        where = self._part[opening], self._at[opening]
        return _counted(*where, "level_numbers", self._place[opening], n_all, n_all)

    def _are_out_of_order(self) -> Flags:
        """Whether a framing segment does not come next, or is the last one but closes nothing."""
        is_first = np.append(True, np.diff(self._part) > 0)[: len(self._part)]
        is_last = np.append(is_first[1:], True)[: len(self._part)]
        comes_next = np.append(False, _MAY_COME[self._kinds[:-1], self._kinds[1:]])
        may_begin = self._kinds == _FRAMING.index("ISA")
        # Behind the part of an interchange, another part may close it.
        goes_on = np.array([one.n_groups is None for one in self._batch.interchanges])[self._part]
        is_end = self._kinds == _FRAMING.index("IEA")
        may_end = is_end | (goes_on & (self._kinds == _FRAMING.index("GE")))
        # A stretch may end wherever a transaction may begin.
        if self._batch.stretch.goes_on:
            may_end |= np.isin(self._kinds, [_FRAMING.index(name) for name in ("GS", "SE")])
        stands_right: Flags = np.where(is_first, may_begin, comes_next) & (may_end | ~is_last)
        return ~stands_right

    def _are_odd_levels(self) -> Flags:
        """Of each HL, whether it does not count on from the one before it, hangs on none before
        it, or is wrong about what hangs on it.
        """
        levels = self._of("HL")
        transaction = self._transactions(levels)
        first = np.searchsorted(transaction, transaction)
        number, parent = (_integers(self._element(levels, n)) for n in (1, 2))
        rank, parent_rank = np.arange(len(levels)) - first, parent - number[first]
        is_child = (parent_rank >= 0) & (parent_rank < rank)
        has_children = np.zeros(len(levels), dtype=np.bool_)
        has_children[(first + parent_rank)[is_child]] = True
        has_no_parent = _flags(pc.equal(self._element(levels, 2), ""))
        told = self._element(levels, 4)
        tells_all, tells_none = (_flags(pc.equal(told, code)) for code in ("1", "0"))
        is_right = np.where(has_children, ~tells_none, ~tells_all)
        counts_on = (number >= 0) & (number == number[first] + rank)
        stands_right: Flags = counts_on & (has_no_parent | is_child) & is_right
        return ~stands_right

    def _of(self, name: str) -> Rows:
        """The framing segments of one name."""
        return np.flatnonzero(self._kinds == _FRAMING.index(name))

    def _last(self, name: str, rows: Rows) -> Rows:
        """For each of `rows`, the last framing segment of a name before it."""
        found = self._of(name)
        at = np.searchsorted(found, rows) - 1
        return np.append(found, -1)[at]

    def _transactions(self, rows: Rows) -> Rows:
        """For each of `rows`, the ST before it in its part, else where that begins."""
        begins = np.searchsorted(self._part, self._part[rows])
        return np.maximum(self._last("ST", rows), begins)

    def _element(self, rows: Rows, number: int) -> pa.Array:
        """An element of each row by its X12 number; empty where the segment is shorter."""
        at = self._offsets[rows] + number
        found = pick(self._elements, np.where(at < self._offsets[rows + 1], at, -1))
        return pc.utf8_trim_whitespace(pc.fill_null(found, ""))


def _whole(written: pa.Array, pattern: str) -> pa.Array:
    """Whole numbers; null where they are not written so."""
    is_number = pc.match_substring_regex(written, pattern)
    return pc.if_else(is_number, written, None).cast(pa.int64())


def _integers(written: pa.Array) -> Rows:
    numbers: Rows = pc.fill_null(_whole(written, _LEVEL), -1).to_numpy()
    return numbers


def _flags(values: pa.Array) -> Flags:
    flags: Flags = values.to_numpy(zero_copy_only=False)
    return flags

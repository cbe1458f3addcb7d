"""A batch of interchanges as Arrow tables, and the few column operations the readers share.

Nothing here loops over claims: whole columns are cast, joined by segment order and aggregated.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import oxedi
import pyarrow as pa
import pyarrow.compute as pc

from analysis.intake.x12 import spec
from analysis.intake.x12.batches import Batch
from analysis.intake.x12.envelopes import Interchange
from analysis.intake.x12.segments import Rows

# Larger amounts are no claim's; the limit keeps cents well inside 64 bits.
_CENTS_LIMIT = 10**15
# Quantities have more places.
_MONEY_SCALE = 2
_CLOSING = ("SE", "GE", "IEA")
_REDUCED = {"min": np.minimum, "max": np.maximum, "sum": np.add}


@dataclass(frozen=True)
class Reading:
    """The spec's tables of a batch: text trimmed (blank is null), money in cents, `segment` from 0.

    `cut_off`: the parts whose bytes end inside a transaction. `unknown`: the segments that no loop
    holds, or not where they stand; `unknown_in_records`: those no loop holds, inside records;
    `unreadable`: those with an amount, a quantity or a date that is none; all in their order.
    """

    batch: Batch
    tables: dict[str, pa.Table]
    cut_off: list[int]
    unknown: Rows
    unknown_in_records: Rows
    unreadable: Rows

    def understood(self, part: int) -> "Understood":
        """What is known of one part, its own segments counted from 0."""
        start, end = self.batch.first_segments[part : part + 2]
        start += self.batch.stretch.n_header
        unknown, unreadable = (
            segments[slice(*np.searchsorted(segments, (start, end)))] - start
            for segments in (self.unknown, self.unreadable)
        )
        return Understood(int(end - start), unknown, unreadable)


@dataclass(frozen=True)
class Understood:
    """The segments of one interchange: how many, and which are unknown or hold no such value."""

    n_segments: int
    unknown: Rows
    unreadable: Rows


def read(batch: Batch, spec_name: str, record_loop: str) -> Reading:
    """Read a batch by a spec. `record_loop` is the loop that holds one record."""
    element, component, segment = batch.interchanges[0].delimiters
    result = oxedi.parse(
        batch.segments.document,
        spec=spec.load(spec_name),
        delimiters=oxedi.Delimiters(element, component, segment),
    )
    unknown = [found for found in result.diagnostics if found.kind == "UnknownSegment"]
    in_records = [found for found in unknown if f"/{record_loop}#" in found.path]
    unreadable = [found for found in result.diagnostics if found.kind == "TypeMismatch"]
    tables = {name: _clean(pa.table(result.tables[name])) for name in result.tables}
    return Reading(
        batch,
        tables,
        _cut_off(batch),
        np.sort(np.concatenate([_segments(unknown), _misplaced(tables)])),
        _segments(in_records),
        _segments(unreadable),
    )


def _misplaced(tables: dict[str, pa.Table]) -> Rows:
    """Segments that belong to another loop, by the columns that a spec calls so."""
    found = [
        column(table, "misplaced").drop_null().to_numpy().astype(np.int64)
        for table in tables.values()
        if "misplaced" in table.column_names
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _segments(found: Iterable[oxedi.Diagnostic]) -> Rows:
    return np.array([diagnostic.segment for diagnostic in found], dtype=np.int64)


def _cut_off(batch: Batch) -> list[int]:
    """The parts whose last segment closes no transaction, group or interchange; nor comes more."""
    if batch.stretch.goes_on:
        return []
    is_closed = batch.segments.called(*_CLOSING)[batch.first_segments[1:] - 1]
    parts = np.flatnonzero(~is_closed).tolist()
    return [part for part in parts if not _is_closed(batch.interchanges[part])]


def _is_closed(interchange: Interchange) -> bool:
    """Whether a closing segment comes last, also with blanks around it."""
    element, _, end = interchange.delimiters
    last = interchange.data.rstrip(end).rpartition(end)[2].strip()
    return last.partition(element)[0].decode("latin-1") in _CLOSING


def _clean(table: pa.Table) -> pa.Table:
    """The table with its binary columns as trimmed text, blank as null, and money in cents."""
    columns = {field.name: table[field.name] for field in table.schema}
    columns |= _texts(table) | {
        field.name: _cents(column(table, field.name))
        for field in table.schema
        if pa.types.is_decimal(field.type) and field.type.scale == _MONEY_SCALE
    }
    return pa.table(columns)


def _texts(table: pa.Table) -> dict[str, pa.Array]:
    binary = [field.name for field in table.schema if pa.types.is_binary(field.type)]
    names = [name for name in binary if table[name].null_count < len(table)]
    texts = dict.fromkeys(binary, pa.nulls(len(table), pa.string()))
    if names:
        # One pass over all columns: each call has its price.
        written = pa.concat_arrays([chunk for name in names for chunk in table[name].chunks])
        trimmed = pc.utf8_trim_whitespace(written.cast(pa.string()))
        cleaned = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
        n = len(table)
        texts |= {name: cleaned.slice(place * n, n) for place, name in enumerate(names)}
    return texts


def _cents(amounts: pa.Array) -> pa.Array:
    """Whole cents; null where the file holds no amount, or more than any claim's."""
    # A decimal of two places is kept as a whole number of cents, in two words of 64 bits.
    words = np.frombuffer(amounts.buffers()[1], dtype="<i8").reshape(-1, 2)
    low, high = words[amounts.offset : amounts.offset + len(amounts)].T
    fits = (high == low >> 63) & (low > -_CENTS_LIMIT) & (low < _CENTS_LIMIT)
    return pc.if_else(pc.and_(amounts.is_valid(), pa.array(fits)), pa.array(low), None)


def column(table: pa.Table, name: str) -> pa.Array:
    """A column in one piece."""
    chunks = table[name]
    return chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()


def holding(table: pa.Table, name: str) -> pa.Table:
    """The rows that hold a value in a column."""
    values = table[name]
    return table.filter(values.is_valid()) if values.null_count else table


def segments(table: pa.Table) -> Rows:
    """The number of each row's segment in the batch."""
    numbers: Rows = column(table, "segment").to_numpy()
    return numbers


# ---- values -----------------------------------------------------------------------------


def number(table: pa.Table, name: str) -> pa.Array:
    """A quantity column as floating point."""
    return column(table, name).cast(pa.float64())


def period(written: pa.Array) -> tuple[pa.Array, pa.Array]:
    """First and last day of a DTP03: CCYYMMDD, CCYYMMDD-CCYYMMDD or CCYYMMDDHHMM.

    A day that does not exist is null.
    """
    first = _day(pc.utf8_slice_codeunits(written, 0, 8))
    is_range = pc.equal(pc.utf8_slice_codeunits(written, 8, 9), "-")
    return first, pc.if_else(is_range, _day(pc.utf8_slice_codeunits(written, 9, 17)), first)


def _day(digits: pa.Array) -> pa.Array:
    """CCYYMMDD as a date."""
    whole = pc.if_else(pc.match_substring_regex(digits, r"^\d{8}$"), digits, None)
    days = pc.strptime(whole, format="%Y%m%d", unit="s", error_is_null=True).cast(pa.date32())
    # strptime turns 30 February into 2 March; written back, such a day differs.
    back = pc.replace_substring(days.cast(pa.string()), "-", "")
    return pc.if_else(pc.equal(back, whole), days, None)


def joined(columns: Sequence[pa.Array]) -> pa.Array:
    """The values of each row joined by ':' without the missing ones; empty when there is none."""
    # Arrow's own null_handling="skip" drops rows in which every value is null (pyarrow 26).
    held = [part for part in columns if part.null_count < len(part)]
    marked = [pc.fill_null(pc.binary_join_element_wise(":", part, ""), "") for part in held]
    empty = pa.repeat("", len(columns[0]))
    return pc.utf8_slice_codeunits(pc.binary_join_element_wise(empty, *marked, ""), 1)


# ---- rows -------------------------------------------------------------------------------


def preceding(anchors: pa.Table, rows: pa.Table, within: str) -> Rows:
    """For each of `rows`, the last of `anchors` that opened before it in the same `within`.

    `within` names the column of the enclosing loop (a transaction, a billing provider). Going by
    segment order is what X12 means by it, and holds where a file leaves loops out.
    """
    at = np.searchsorted(column(anchors, "segment"), column(rows, "segment"), side="right") - 1
    same = pc.equal(pick(column(anchors, within), at), column(rows, within))
    return np.where(pc.fill_null(same, False), at, -1)


def pick(values: pa.Array, rows: Rows) -> pa.Array:
    """The value of each row; null for -1."""
    is_missing = rows < 0
    return values.take(pa.array(rows, mask=is_missing if is_missing.any() else None))


def places(owner: Rows) -> Rows:
    """The place of each row among those of its owner, from 1, in their order."""
    order = np.argsort(owner, kind="stable")
    ordered = owner[order]
    place = np.empty(len(owner), dtype=np.int64)
    place[order] = np.arange(len(owner)) - np.searchsorted(ordered, ordered) + 1
    return place


def gathered(owner: Rows, values: pa.Array, how: str, n_records: int) -> pa.Array:
    """One value for each of `n_records` from its rows: "min", "max", "sum", "first" or "list".

    Nulls are passed over; a record without any value gets null.
    """
    used = np.flatnonzero((owner >= 0) & values.is_valid().to_numpy(zero_copy_only=False))
    order = used[np.argsort(owner[used], kind="stable")]
    ordered, owners = values.take(pa.array(order)), owner[order]
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    match how:
        case "first":
            found = ordered.take(pa.array(starts))
        case "list":
            found = pa.ListArray.from_arrays(np.append(starts, len(order)), ordered)
        case _:
            kind = pa.int32() if pa.types.is_date32(values.type) else values.type
            reduced = _REDUCED[how].reduceat(ordered.cast(kind).to_numpy(), starts)
            found = pa.array(reduced, kind).cast(values.type)
    row = np.full(n_records, -1, dtype=np.int64)
    row[owners[starts]] = np.arange(len(starts))
    return pick(found, row)


def listed(owner: Rows, codes: pa.Array, n_records: int) -> pa.Array:
    """The codes of each record's rows joined by ':'; empty when there is none."""
    lists = gathered(owner, codes, "list", n_records)
    return pc.fill_null(pc.binary_join(lists, ":"), "")


def has_any(owner: Rows, n_records: int) -> pa.Array:
    """Whether each record owns a row."""
    return pa.array(np.bincount(owner[owner >= 0], minlength=n_records) > 0)

"""Interchanges that are read together: most are small, and every call on a table has its price.

Several interchanges of one kind and with the same delimiters, one behind the other, read like one
document. The segment numbers of that document tell which interchange a row came from.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.intake.parsed import Apart
from analysis.intake.x12.envelopes import Interchange, in_utf8
from analysis.intake.x12.segments import Cut, Rows, Segments, cuts, joined
from analysis.intake.x12.stretches import Stretch

# Enough for the price of a call to vanish, little enough for any memory.
_MOST_BYTES = 2**23


@dataclass(frozen=True)
class Batch:
    """Interchanges of one kind with the same delimiters, and the names of their files.

    A part is an interchange by its place among them, from 0.
    """

    interchanges: tuple[Interchange, ...]
    file_names: tuple[str, ...]

    @cached_property
    def _cuts(self) -> list[Cut]:
        found = groupby(self.interchanges, lambda one: one.cut is not None)
        return [cut for _, alike in found for cut in _cuts_of(list(alike))]

    @cached_property
    def segments(self) -> Segments:
        """The segments of all interchanges as one document, in UTF-8."""
        return joined(self._cuts)

    @cached_property
    def first_segments(self) -> Rows:
        """The number of each part's first segment, from 0; behind them, how many there are."""
        return np.cumsum([0, *(last - first for _, first, last in self._cuts)])

    @cached_property
    def _part_of(self) -> Rows:
        return np.repeat(np.arange(len(self.interchanges)), np.diff(self.first_segments))

    def part_of(self, segments: Rows) -> Rows:
        """The part in which each segment stands."""
        return self._part_of[segments]

    def places(self, segments: Rows) -> Rows:
        """Where each segment stands in its interchange, from 1, as people count."""
        before = self.stretch.n_segments - self.stretch.n_header
        return segments - self.first_segments[self.part_of(segments)] + 1 + before

    @property
    def stretch(self) -> Stretch:
        """What stretch of its interchange every part is: the whole, or the batch has but one."""
        return self.interchanges[0].stretch

    def ranks(self, segments: Rows) -> Rows:
        """The place of each segment among those of its part, from 0; they are in their order."""
        part = self.part_of(segments)
        return np.arange(len(segments)) - np.searchsorted(part, part)

    def positions(self, segments: Rows) -> pa.Array:
        """Of records, their place in the file among all its records, from 1."""
        return pc.add(self.first_positions(segments), pa.array(self.ranks(segments)))

    def first_positions(self, segments: Rows) -> pa.Array:
        """Of the interchange of each segment, the place in the file of its first record."""
        return self._first_positions.take(pa.array(self.part_of(segments)))

    @cached_property
    def _first_positions(self) -> pa.Array:
        return pa.array([one.first_position for one in self.interchanges])

    def origin(self, segments: Rows) -> dict[str, pa.Array]:
        """Where each segment stands: file, interchange, place in it."""
        return {
            **self.sent_in(pa.array(self.part_of(segments))),
            "segment": pa.array(self.places(segments)),
        }

    def sent_in(self, parts: pa.Array) -> dict[str, pa.Array]:
        """In which file and interchange parts stand."""
        return {name: held.take(parts) for name, held in self._sent_in.items()}

    @cached_property
    def _sent_in(self) -> dict[str, pa.Array]:
        ordinals = pa.array([one.ordinal for one in self.interchanges])
        return {"file_name": pa.array(self.file_names), "interchange": ordinals}

    def ids(self, segments: Rows, n_before: str = "n_records") -> pa.Array:
        """Identifiers `<digest>-<place>`, the same wherever the same content comes again.

        `n_before` names what of a stretch says how many like these stand before it.
        """
        prefixes = self.prefixes.take(pa.array(self.part_of(segments)))
        return numbered(prefixes, self.ranks(segments) + 1 + getattr(self.stretch, n_before))

    @cached_property
    def prefixes(self) -> pa.Array:
        """What the identifiers of each part begin with."""
        return pa.array([one.digest[:16] for one in self.interchanges])

    def apart(self, table: pa.Table, segments: Rows, kept: pa.Array | None = None) -> Apart:
        """The rows by the part in which their segments stand, those `kept`, in their order."""
        return self.by_part(table, self.part_of(segments), kept)

    def by_part(self, table: pa.Table, part: Rows, kept: pa.Array | None = None) -> Apart:
        """The rows by their `part`, those `kept`, in their order."""
        order = np.argsort(part, kind="stable")
        if kept is not None:
            order = order[kept.to_numpy(zero_copy_only=False)[order]]
        if len(order) < len(table) or np.any(np.diff(part) < 0):
            table = table.take(pa.array(order))
        return Apart(table, np.searchsorted(part[order], np.arange(len(self.interchanges) + 1)))


def _cuts_of(alike: list[Interchange]) -> list[Cut]:
    """The segments of each of some interchanges, if none of them or all have been found already."""
    found = [one.cut for one in alike if one.cut]
    return found or cuts(map(_document, alike), alike[0].delimiters)


def _document(interchange: Interchange) -> bytes:
    data, end = in_utf8(interchange.data), interchange.delimiters.segment
    return data if data.endswith(end) else data + end


def batched(sent: Iterable[tuple[Interchange, str]]) -> Iterator[tuple[list[int], Batch]]:
    """Interchanges with their files' names in batches; and the places of each among them.

    One without an ISA is read alone: it could be taken for a part of the one before it. So is a
    stretch, and in its turn, for its account is put together with those of the ones before it.
    """
    groups: dict[object, list[tuple[int, Interchange, str]]] = {}
    n_bytes: dict[object, int] = {}
    for place, (interchange, file_name) in enumerate(sent):
        is_whole = interchange.data.startswith(b"ISA" + interchange.delimiters.element)
        is_whole &= not interchange.stretch.is_part
        group = (interchange.kind, interchange.delimiters) if is_whole else place
        groups.setdefault(group, []).append((place, interchange, file_name))
        n_bytes[group] = n_bytes.get(group, 0) + len(interchange.data)
        if not is_whole or n_bytes[group] >= _MOST_BYTES:
            yield _batch(groups.pop(group))
            del n_bytes[group]
    yield from map(_batch, groups.values())


def _batch(group: list[tuple[int, Interchange, str]]) -> tuple[list[int], Batch]:
    places, interchanges, file_names = zip(*group, strict=True)
    return list(places), Batch(interchanges, file_names)


def numbered(prefixes: pa.Array, places: Rows) -> pa.Array:
    """Identifiers `<prefix>-<place>`."""
    return pc.binary_join_element_wise(prefixes, pa.array(places).cast(pa.string()), "-")

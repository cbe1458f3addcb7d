"""The segments of pieces put together, all of them at once: where they are, their names."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analysis.intake.x12.forms import Delimiters

# Numbers of rows in a table, or of segments; -1 where there is none.
Rows = npt.NDArray[np.int64]
Names = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]

_PADDING = 8
# The bytes of a name in a number: its first letter is the smallest.
_OF_TWO, _OF_THREE = np.array([0xFFFF, 0xFFFFFF], dtype=np.uint32)


class Segments:
    """Segments, each up to its terminator; what stands behind the last is none.

    `starts` has where each begins, `bounds` also where the last one ends, which need not be looked
    for where they are `known`, as are the names.
    """

    def __init__(
        self,
        pieces: Iterable[bytes | memoryview],
        delimiters: Delimiters,
        known: tuple[Rows, Names] | None = None,
    ) -> None:
        self.delimiters = delimiters
        self.element, _, self.end = delimiters
        # With some more, so that one may look at the bytes behind any name.
        self._padded = b"".join([*pieces, bytes(_PADDING)])
        self.bytes = np.frombuffer(self._padded, dtype=np.uint8)
        self.bounds, self.names = known or self._found()
        self.starts = self.bounds[:-1]

    @property
    def document(self) -> memoryview:
        """The pieces as one."""
        return memoryview(self._padded)[:-_PADDING]

    @property
    def is_ascii(self) -> bool:
        """Whether every byte is a sign of its own in any encoding."""
        return self._padded.isascii()

    def _found(self) -> tuple[Rows, Names]:
        """Bounds, and a `number` for each name of two or three signs, 0 for others."""
        bounds = np.concatenate([[0], np.flatnonzero(self.bytes == self.end[0]) + 1])
        n_words = len(self.bytes) - 3
        words = np.ndarray((n_words,), dtype="<u4", buffer=self.bytes, strides=(1,))[bounds[:-1]]
        is_of_two, is_of_three = self.is_sign(words >> 16 & 255), self.is_sign(words >> 24)
        return bounds, words & np.where(is_of_two, _OF_TWO, np.where(is_of_three, _OF_THREE, 0))

    @cached_property
    def n_elements(self) -> npt.NDArray[Any]:
        """How many elements follow each name."""
        is_separator = (self.bytes == self.element[0]).view(np.uint8)
        # Small numbers are summed several times as fast; a segment has fewer elements than bytes.
        longest = np.diff(self.bounds).max(initial=0)
        return np.add.reduceat(is_separator, self.starts, dtype=np.min_scalar_type(longest))

    def is_sign(self, found: npt.NDArray[Any]) -> Flags:
        """Whether a byte ends a name: an element or the next segment follows."""
        is_sign: Flags = (found == self.element[0]) | (found == self.end[0])
        return is_sign

    def called(self, *names: str) -> Flags:
        """Whether each segment has one of these names."""
        wanted = np.array([number(name) for name in names], dtype=np.uint32)
        return np.isin(self.names, wanted)

    def named(self, *names: str) -> Rows:
        """The segments with one of these names and an element behind it."""
        rows = np.flatnonzero(self.called(*names))
        length = np.where(self.names[rows] > _OF_TWO, 3, 2)
        named: Rows = rows[self.bytes[self.starts[rows] + length] == self.element[0]]
        return named

    def texts(self, rows: Rows) -> pa.Array:
        """The text of segments."""
        buffers = [pa.py_buffer(self.bounds.astype(np.int32)), pa.py_buffer(self.bytes)]
        every = pa.BinaryArray.from_buffers(pa.binary(), len(self.starts), [None, *buffers])
        return pc.binary_slice(every.take(pa.array(rows)), 0, -1).cast(pa.string())


class Cut(NamedTuple):
    """Some of the segments of a whole: from `first` up to but not including `last`."""

    whole: Segments
    first: int
    last: int


def cuts(pieces: Iterable[bytes], delimiters: Delimiters) -> list[Cut]:
    """The segments of each piece; what stands behind its last one belongs to the next piece."""
    pieces = list(pieces)
    whole = Segments(pieces, delimiters)
    places = np.searchsorted(whole.bounds, np.cumsum([0, *map(len, pieces)])).tolist()
    return [Cut(whole, first, last) for first, last in pairwise(places)]


def joined(found: Sequence[Cut]) -> Segments:
    """The segments of some cuts with the same delimiters, one behind the other, none looked for."""
    runs: list[Cut] = []
    for cut in found:
        before = runs[-1] if runs else None
        if before and before.whole is cut.whole and before.last == cut.first:
            runs[-1] = Cut(cut.whole, before.first, cut.last)
        else:
            runs.append(cut)
    pieces: list[memoryview] = []
    bounds, end = [np.zeros(1, dtype=np.int64)], 0
    for whole, first, last in runs:
        begin = whole.bounds[first]
        pieces.append(whole.document[begin : whole.bounds[last]])
        bounds.append(whole.bounds[first + 1 : last + 1] - begin + end)
        end += len(pieces[-1])
    names = [whole.names[first:last] for whole, first, last in runs]
    known = np.concatenate(bounds), np.concatenate(names)
    return Segments(pieces, runs[0].whole.delimiters, known)


def number(name: str) -> int:
    """The number of a name of two or three signs."""
    return int.from_bytes(name.encode(), "little")

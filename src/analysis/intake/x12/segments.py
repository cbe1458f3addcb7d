"""The segments of a piece, all of them at once: where they are, what they are called."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analysis.intake.x12.forms import Delimiters

# Numbers of rows in a table, or of segments; -1 where there is none.
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Segments:
    """The segments of a piece, each up to its terminator; what stands behind the last is none.

    `starts` has where each begins, `bounds` also where the last one ends.
    """

    def __init__(self, piece: bytes, delimiters: Delimiters) -> None:
        self.element, _, self.end = delimiters
        # So that one may look at the bytes behind any name.
        self.bytes = np.frombuffer(piece + bytes(8), dtype=np.uint8)
        ends = np.flatnonzero(self.bytes == self.end[0])
        self.bounds = np.concatenate([[0], ends + 1])
        self.starts = self.bounds[:-1]

    @cached_property
    def names(self) -> Rows:
        """A number for each name of two or three signs, as `number` makes it; 0 for others."""
        n_words = len(self.bytes) - 3
        words = np.ndarray((n_words,), dtype=">u4", buffer=self.bytes, strides=(1,))[self.starts]
        four = words.astype(np.int64)
        is_of_two, is_of_three = self.is_sign(four >> 8 & 255), self.is_sign(four & 255)
        two, three = four & 0xFFFF0000, four & 0xFFFFFF00
        return np.where(is_of_two, two, np.where(is_of_three, three, 0))

    @cached_property
    def n_elements(self) -> Rows:
        """How many elements follow each name."""
        is_separator = (self.bytes == self.element[0]).view(np.uint8)
        # Small numbers are summed several times as fast; a segment has fewer elements than bytes.
        is_small = np.diff(self.bounds).max(initial=0) < 2**16
        kind = np.uint16 if is_small else np.int64
        return np.add.reduceat(is_separator, self.starts, dtype=kind)

    def is_sign(self, found: npt.NDArray[Any]) -> Flags:
        """Whether a byte ends a name: an element or the next segment follows."""
        is_sign: Flags = (found == self.element[0]) | (found == self.end[0])
        return is_sign

    def called(self, *names: str) -> Flags:
        """Whether each segment has one of these names."""
        return np.isin(self.names, [number(name) for name in names])

    def with_elements(self) -> Flags:
        """Whether an element follows the name of each segment that `names` numbers."""
        # The sign behind a name of two stands where a name of three has its last letter.
        length = 2 + (self.names & 0xFF00 != 0)
        has_elements: Flags = self.bytes[self.starts + length] == self.element[0]
        return has_elements

    def texts(self, rows: Rows) -> pa.Array:
        """The text of segments."""
        buffers = [pa.py_buffer(self.bounds.astype(np.int32)), pa.py_buffer(self.bytes)]
        every = pa.BinaryArray.from_buffers(pa.binary(), len(self.starts), [None, *buffers])
        return pc.binary_slice(every.take(pa.array(rows)), 0, -1).cast(pa.string())


def number(name: str) -> int:
    """The number of a name of two or three signs."""
    return int.from_bytes(name.encode().ljust(4, b"\0"), "big")

"""What the segments of a piece are called, all of them at once."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.intake.x12.forms import Delimiters

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


def number(name: str) -> int:
    """The number of a name of two or three signs."""
    return int.from_bytes(name.encode().ljust(4, b"\0"), "big")

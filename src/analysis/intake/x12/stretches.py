"""A long interchange, cut before transactions into stretches that memory can hold.

Each stretch has the ISA and GS in front that its transactions stand under, and so reads like an
interchange. What is said once of the whole is put together again in `rejoined`.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analysis.intake.x12 import forms
from analysis.intake.x12.forms import Delimiters, Kind
from analysis.intake.x12.segments import Segments

# An interchange of as many bytes is long, and a stretch of it has about as many.
LONG = 2**24
_STRETCH = 2**23
_BLOCK = 2**20


@dataclass(frozen=True)
class Stretch:
    """Where a stretch stands in its interchange, by what was there before it.

    `number` counts from 0. In front of it stand `n_header` segments again, the last of which is the
    GS that stood at `group_place`, with `n_in_group` transactions of its own before. `goes_on`:
    another stretch follows.
    """

    number: int = 0
    n_header: int = 0
    n_segments: int = 0
    n_records: int = 0
    n_transactions: int = 0
    n_in_group: int = 0
    group_place: int = 0
    goes_on: bool = False

    def place(self, segment: int) -> int:
        """The place in the interchange of a segment by its place in the stretch, both from 1."""
        if segment > self.n_header:
            return segment - self.n_header + self.n_segments
        return self.group_place if segment == self.n_header else segment

    @property
    def is_part(self) -> bool:
        """Whether there are other stretches."""
        return self.goes_on or self.number > 0


WHOLE = Stretch()


@dataclass(frozen=True)
class Part:
    """A stretch's bytes, after those that are repeated, and in which run of one kind it stands."""

    run: int
    kind: Kind
    problem: str | None
    header: bytes
    own: bytes
    stretch: Stretch


@dataclass(frozen=True)
class _Run:
    """Some bytes of a run of groups of one kind; the first ones begin with the ISA."""

    number: int
    kind: Kind
    problem: str | None
    is_new_group: bool
    data: bytes


class Long:
    """A long interchange that begins `at` a place in a file; it may be read repeatedly.

    After it was read a second time, the file stands where it ends.
    """

    def __init__(self, delimiters: Delimiters, file: io.BufferedIOBase, at: int) -> None:
        self.delimiters = delimiters
        self._file, self._at = file, at
        self._end: int | None = None
        self._is_in_one_form = False

    def digests(self) -> tuple[list[str], int]:
        """The SHA-256 of each run of groups of one kind, and how many groups there are."""
        hashes: list[hashlib._Hash] = []
        n_groups = 0
        held = b""
        for run in self._runs():
            if run.number == len(hashes):
                # An interchange ends without blanks.
                held = held.rstrip()
                for earlier in hashes[-1:]:
                    earlier.update(held)
                hashes.append(hashlib.sha256())
            else:
                hashes[-1].update(held)
            held = run.data
            n_groups += run.is_new_group
        for last in hashes[-1:]:
            last.update(held.rstrip())
        return [one.hexdigest() for one in hashes], n_groups

    def parts(self) -> Iterator[Part]:
        """The stretches of each run, from the first on."""
        filling: _Filling | None = None
        for run in self._runs():
            if filling is None or filling.run.number != run.number:
                if filling:
                    yield filling.last()
                filling = _Filling(run, self.delimiters)
            filling.add(run.data)
            yield from filling.full()
        if filling:
            yield filling.last()

    def _runs(self) -> Iterator[_Run]:
        groups = _groups(self._whole_segments(), self.delimiters)
        _, isa = next(groups)
        number = -1
        told: tuple[Kind, str | None] | None = None
        for is_new, data in groups:
            if is_new and (now := forms.kind(data, self.delimiters)) != told:
                number, told = number + 1, now
                data = isa + data
            if told:
                yield _Run(number, *told, is_new, data)

    def _whole_segments(self) -> Iterator[bytes]:
        """Its bytes in the form that `forms.one_form` gives a piece."""
        end, is_changed = self.delimiters.segment, False
        between = forms.BLANKS + end
        held = b""
        for block in self._blocks():
            held += block
            whole, held = held[: held.rfind(end) + 1], held[held.rfind(end) + 1 :]
            if self._is_in_one_form:
                yield whole
                continue
            # A blank that ends what is cut off belongs to what comes next.
            ready = forms.one_form(whole, self.delimiters).lstrip(between)
            is_changed |= ready != whole
            yield ready
        yield forms.one_form(held, self.delimiters).strip(between)
        self._is_in_one_form = not is_changed

    def _blocks(self) -> Iterator[bytes]:
        """Its bytes up to the next interchange or the file's end."""
        self._file.seek(self._at)
        if self._end is None:
            yield from self._blocks_to_its_end()
            return
        # Its end was found when it was read before.
        for begin in range(self._at, self._end, _BLOCK):
            yield self._file.read(min(_BLOCK, self._end - begin))

    def _blocks_to_its_end(self) -> Iterator[bytes]:
        window, searched = b"", 1
        # Whether an ISA is one is told by what stands around it.
        kept = forms.ISA_REACH + forms.LOOK_BEHIND
        while more := self._file.read(_BLOCK):
            window += more
            if found := forms.starts(window, searched, len(window) - forms.ISA_REACH):
                break
            if len(window) > kept:
                yield window[:-kept]
                window, searched = window[-kept:], forms.LOOK_BEHIND
        else:
            found = forms.starts(window, searched, len(window))
        end = found[0] if found else len(window)
        self._end = self._file.tell() - len(window) + end
        yield window[:end]


class _Filling:
    """A run of groups, of which the last bytes wait for a stretch to be full."""

    def __init__(self, run: _Run, delimiters: Delimiters) -> None:
        self.run = run
        self._delimiters = delimiters
        end = delimiters.segment
        self._isa, self._group = run.data[: run.data.index(end) + len(end)], b""
        self._waiting: list[bytes] = []
        self._n_waiting = 0
        self._stretch = WHOLE

    def add(self, data: bytes) -> None:
        """Take what comes next."""
        self._waiting.append(data)
        self._n_waiting += len(data)

    def full(self) -> Iterator[Part]:
        """The stretches that there is enough for, each of whole transactions."""
        mark = self._mark(b"ST")
        while self._n_waiting >= _STRETCH:
            marked = self._marked()
            # The first transaction stays, however long it is.
            first = max(marked.find(mark), 0) + 1
            cut = marked.rfind(mark, first, _STRETCH)
            if cut < 0 and (cut := marked.find(mark, first)) < 0:
                return
            end = len(self._delimiters.segment)
            self._waiting, self._n_waiting = [], 0
            self.add(marked[end + cut :])
            own = marked[end : end + cut]
            yield self._part(own, goes_on=True)
            self._go_on(own)

    def last(self) -> Part:
        """The stretch that waits."""
        return self._part(b"".join(self._waiting).strip(), goes_on=False)

    def _marked(self) -> bytes:
        """What waits, with a terminator in front, so that its first segment is like the others."""
        return b"".join((self._delimiters.segment, *self._waiting))

    def _part(self, own: bytes, *, goes_on: bool) -> Part:
        header = self._isa + self._group if self._stretch.number else b""
        stretch = replace(self._stretch, goes_on=goes_on)
        run = self.run
        return Part(run.number, run.kind, run.problem, header, own, stretch)

    def _go_on(self, own: bytes) -> None:
        """Count what a stretch had, and keep the GS that the next one stands under."""
        before, segments = self._stretch, Segments([own], self._delimiters)
        transactions, groups = segments.named("ST"), segments.named("GS")
        group, n_in_group, group_place = 0, before.n_in_group, before.group_place
        if len(groups):
            group, n_in_group = int(groups[-1]), 0
            group_place = before.n_segments + group + 1
            self._group = own[segments.bounds[group] : segments.bounds[group + 1]]
        is_record = segments.called(*forms.RECORD_SEGMENTS[self.run.kind])
        n_begun = len(transactions) + _n_without_start(segments)
        self._stretch = Stretch(
            number=before.number + 1,
            n_header=self._isa.count(self._delimiters.segment) + 1,
            n_segments=before.n_segments + len(segments.starts),
            n_records=before.n_records + int(is_record.sum()),
            n_transactions=before.n_transactions + n_begun,
            n_in_group=n_in_group + int((transactions >= group).sum()),
            group_place=group_place,
        )

    def _mark(self, name: bytes) -> bytes:
        return self._delimiters.segment + name + self._delimiters.element


def _n_without_start(segments: Segments) -> int:
    """How many transactions begin without an ST, right behind a segment of their envelope."""
    framing = segments.named("ISA", "IEA", "GS", "GE", "ST", "SE")
    behind = segments.named("GS", "GE", "SE") + 1
    is_begun = ~np.isin(behind, framing) & (behind < len(segments.starts))
    return int(is_begun.sum())


def _groups(chunks: Iterable[bytes], delimiters: Delimiters) -> Iterator[tuple[bool, bytes]]:
    """The ISA, and then what each chunk has of each group; whether a group begins there.

    Where one begins, its first transaction stands as well, for that tells its kind.
    """
    transaction = delimiters.segment + b"ST" + delimiters.element
    held = b""
    for chunk in chunks:
        held += chunk
        starts = forms.group_starts(held, delimiters)
        if starts and transaction not in held[starts[-1] :]:
            yield from _split(held[: starts[-1]], starts[:-1])
            held = held[starts[-1] :]
        else:
            yield from _split(held, starts)
            held = b""
    if held:
        yield from _split(held, forms.group_starts(held, delimiters))


def _split(data: bytes, starts: list[int]) -> Iterator[tuple[bool, bytes]]:
    bounds = [*starts, len(data)]
    if rest := data[: bounds[0]]:
        yield False, rest
    for start, end in pairwise(bounds):
        yield True, data[start:end]

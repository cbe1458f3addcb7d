"""An attacker on published counts, who knows nothing but what is published.

He knows every shown count, how counts add up, rates published beside them, counts of earlier
releases, and that a hidden count is a whole number of at least 1 (noughts are shown). Two things
come of it: the range that linear programs leave to each hidden count, and worlds: whole numbers for
all hidden counts at once that fit everything published. A world in which a count is 11 or more
proves that nobody can prove it to be 10 or less; two worlds that differ in it, that nobody can tell
it. Worlds are checked by adding up, and they are made without the true counts, so they may be
published. This module shares no code with `disclosure`, whose work it checks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

SMALLEST_SHOWN = 11
_ENDLESS = 1e7
_NEAR = 1e-6
_GAP = 0.1

World = dict[int, int]


@dataclass(frozen=True)
class RoundedRate:
    """A published rate: counts[part] is `lower` to `upper` (shares) of counts[whole]."""

    part: int
    whole: int
    lower: float
    upper: float


@dataclass(frozen=True)
class Published:
    """All that is published: counts (None where hidden), and what binds them, by their places.

    sums   (total, parts)
    steps  (earlier, later): one count in two releases. The later is taken to be no smaller, and
           what was added between them is a count to protect as well
    rates  rates published beside the counts
    """

    counts: Sequence[int | None]
    sums: Sequence[tuple[int, tuple[int, ...]]]
    steps: Sequence[tuple[int, int]] = ()
    rates: Sequence[RoundedRate] = ()

    @property
    def hidden(self) -> list[int]:
        """The places of the hidden counts."""
        return [place for place, count in enumerate(self.counts) if count is None]


@dataclass(frozen=True)
class Attack:
    """What the attacker achieved.

    proven  places of hidden counts that he proves to be 10 or less
    told    places of hidden counts that he tells exactly
    added   steps of which he proves that 1 to 10 were added
    worlds  what refutes him on everything else: values by place of hidden count
    """

    proven: list[int]
    told: list[int]
    added: list[tuple[int, int]]
    worlds: list[World]

    @property
    def succeeded(self) -> bool:
        """Whether anything that was to be protected is exposed."""
        return bool(self.proven or self.told or self.added)


def ranges(published: Published) -> dict[int, tuple[int, int | None]]:
    """For each hidden count the least and the most it can be; None: no end is known.

    By linear programs: a range may be wider than whole numbers would leave it, never narrower.
    Raises ValueError when nothing fits what is published.
    """
    program = _Program(published)
    found: dict[int, tuple[int, int | None]] = {}
    for place in published.hidden:
        least, most = program.end(place, 1), program.end(place, -1)
        found[place] = (
            int(np.ceil(least - _NEAR)),
            None if most > _ENDLESS / 2 else int(np.floor(most + _NEAR)),
        )
    return found


def attack(published: Published) -> Attack:
    """Try to prove or tell every hidden count, and what was added between releases.

    Raises ValueError when nothing fits what is published.
    """
    program = _Program(published)
    program.whole()
    some = program.world(None, [])
    if some is None:
        raise ValueError("the published counts contradict one another")
    worlds = [some]
    doubts = list(_doubts(published, some))
    open_ = [doubt for doubt in doubts if not doubt.holds(some)]
    lost: list[_Doubt] = []
    while open_:
        doubt = open_[0]
        # One world serves many: all counts that are still in doubt are pushed up with it.
        pushed = [place for other in open_ for place in other.terms]
        for span in doubt.spans:
            world = program.world((doubt.terms, span), pushed)
            if world is not None:
                worlds.append(world)
                open_ = [other for other in open_ if not other.holds(world)]
                break
        else:
            lost.append(doubt)
            open_ = open_[1:]
    failed = {kind: [doubt.about for doubt in lost if doubt.kind == kind] for kind in _KINDS}
    return Attack(
        [place for place, *_ in failed["proven"]],
        [place for place, *_ in failed["told"]],
        [(about[0], about[1]) for about in failed["added"]] + _plainly_added(published),
        worlds,
    )


# ---- what must stay in doubt --------------------------------------------------------------

_KINDS = ("proven", "told", "added")
_Span = tuple[float, float]


@dataclass(frozen=True)
class _Doubt:
    """A sum of hidden counts (place -> 1 or -1) that must be possible in one of the spans."""

    kind: str
    about: tuple[int, ...]
    terms: dict[int, int]
    spans: tuple[_Span, ...]

    def holds(self, world: World) -> bool:
        value = sum(sign * world[place] for place, sign in self.terms.items())
        return any(low <= value <= high for low, high in self.spans)


def _doubts(published: Published, some: World) -> Iterator[_Doubt]:
    large = (SMALLEST_SHOWN, _ENDLESS)
    for place in published.hidden:
        yield _Doubt("proven", (place,), {place: 1}, (large,))
    for place in published.hidden:
        value = some[place]
        yield _Doubt("told", (place,), {place: 1}, ((value + 1, _ENDLESS), (0, value - 1)))
    for earlier, later in published.steps:
        before, after = published.counts[earlier], published.counts[later]
        terms = {p: s for p, s in ((later, 1), (earlier, -1)) if published.counts[p] is None}
        if terms:
            known = (after or 0) - (before or 0)
            spans = ((SMALLEST_SHOWN - known, _ENDLESS), (-_ENDLESS, -known))
            yield _Doubt("added", (earlier, later), terms, spans)


def _plainly_added(published: Published) -> list[tuple[int, int]]:
    """Steps between two shown counts that differ by 1 to 10."""
    found = []
    for earlier, later in published.steps:
        before, after = published.counts[earlier], published.counts[later]
        if before is not None and after is not None and 0 < after - before < SMALLEST_SHOWN:
            found.append((earlier, later))
    return found


# ---- the programs -------------------------------------------------------------------------


class _Program:
    """Everything that binds the hidden counts, as one linear or whole-number program.

    Columns: the hidden counts, then for each the part of it up to 11, which makes it worth pushing
    many counts up a little rather than one very far. The last row is for a question.
    """

    def __init__(self, published: Published) -> None:
        self.places = published.hidden
        self.column = {place: n for n, place in enumerate(self.places)}
        self.n = len(self.places)
        self.counts = published.counts
        self.program = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", _GAP)):
            self.program.setOptionValue(option, value)
        for _ in self.places:
            self.program.addVar(1.0, _ENDLESS)
        for _ in self.places:
            self.program.addVar(0.0, float(SMALLEST_SHOWN))
        for total, parts in published.sums:
            self._row({total: -1.0, **dict.fromkeys(parts, 1.0)}, 0.0, 0.0)
        for earlier, later in published.steps:
            self._row({later: 1.0, earlier: -1.0}, 0.0, highspy.kHighsInf)
        for rate in published.rates:
            self._row({rate.part: 1.0, rate.whole: -rate.lower}, -_NEAR, highspy.kHighsInf)
            self._row({rate.part: 1.0, rate.whole: -rate.upper}, -highspy.kHighsInf, _NEAR)
        for column in range(self.n):
            self._add([column, self.n + column], [1.0, -1.0], 0.0, highspy.kHighsInf)
        self.question = self.program.getNumRow()
        every = list(range(self.n))
        self._add(every, [0.0] * self.n, -highspy.kHighsInf, highspy.kHighsInf)

    def _row(self, terms: dict[int, float], low: float, high: float) -> None:
        known = sum(sign * (self.counts[p] or 0) for p, sign in terms.items())
        columns = [self.column[p] for p in terms if p in self.column]
        signs = [sign for p, sign in terms.items() if p in self.column]
        if columns:
            self._add(columns, signs, low - known, high - known)
        elif not low - _NEAR <= known <= high + _NEAR:
            raise ValueError("the published counts contradict one another")

    def _add(self, columns: list[int], signs: list[float], low: float, high: float) -> None:
        self.program.addRow(low, high, len(columns), np.array(columns, np.int32), np.array(signs))

    def whole(self) -> None:
        """From now on hidden counts are whole numbers."""
        for column in range(self.n):
            self.program.changeColIntegrality(column, highspy.HighsVarType.kInteger)

    def end(self, place: int, sign: int) -> float:
        """The least (1) or the most (-1) that a hidden count can be."""
        column = self.column[place]
        self.program.changeColCost(column, float(sign))
        self.program.run()
        if self.program.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise ValueError("the published counts contradict one another")
        self.program.changeColCost(column, 0.0)
        return float(self.program.getSolution().col_value[column])

    def world(
        self, asked: tuple[dict[int, int], _Span] | None, pushed: Sequence[int]
    ) -> World | None:
        """Whole numbers for all hidden counts that answer the question, or None if none do."""
        if not self.places:
            return {}
        terms, (low, high) = asked or ({}, (-_ENDLESS, _ENDLESS))
        for place, sign in terms.items():
            self.program.changeCoeff(self.question, self.column[place], float(sign))
        self.program.changeRowBounds(self.question, low, high)
        costs = np.zeros(self.n)
        for place in pushed:
            costs[self.column[place]] = -1.0
        parts = np.arange(self.n, 2 * self.n, dtype=np.int32)
        self.program.changeColsCost(self.n, parts, costs)
        self.program.run()
        status = self.program.getModelStatus()
        solution = np.array(self.program.getSolution().col_value[: self.n])
        for place in terms:
            self.program.changeCoeff(self.question, self.column[place], 0.0)
        if status != highspy.HighsModelStatus.kOptimal:
            return None
        return {p: round(float(v)) for p, v in zip(self.places, solution, strict=True)}

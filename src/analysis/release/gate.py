"""The gate: which counts a release shows, so that no count from 1 to 10 is told, now or jointly.

Earlier releases cannot be taken back. What they showed stays known, what they hid stays hidden, and
what was added since then is a count like any other: a cell that grew by three claims is hidden, or
another with it. The suppressor of `disclosure` chooses; `attacker` then tries what it chose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from analysis import disclosure
from analysis.errors import GateRefused
from analysis.release import attacker, verify
from analysis.release.attacker import Attack, Published
from analysis.release.counted import Counted
from analysis.release.verify import ALL, Cell

# Over this share of hidden cells a table says little; wider categories say more.
TOO_SPARSE = 0.25
_MARGIN_COST = 20.0
_NAMED_CELLS = 6
_TOTALS = {"insurer": ALL, "condition": ALL, "quarter": ALL, "outcome": "answered"}


@dataclass(frozen=True)
class Earlier:
    """An earlier release: its number, its true counts, and the cells it hid."""

    number: int
    values: Mapping[Cell, int]
    hidden: frozenset[Cell]


def hide(now: Counted, earlier: Sequence[Earlier]) -> frozenset[Cell]:
    """The cells of `now` to hide, so that nothing is told jointly with all earlier releases.

    Raises GateRefused, naming cells by category, when no choice keeps the promise.
    """
    last = earlier[-1] if earlier else None
    if last and same(now.values, last):
        return frozenset(_of(cell, now) for cell in last.hidden)
    problem = _Linked(now, earlier)
    chosen = problem.suppress()
    return frozenset(cell for cell in now.values if chosen[problem.place[cell]])


def hide_pooled(
    now: Counted, withheld: frozenset[Cell], apart: Mapping[Cell, int], own: Mapping[Cell, int]
) -> frozenset[Cell]:
    """The cells of a pool to hide: those some contributor withholds, and those kept apart.

    `now` holds possible counts where true ones are withheld. `apart` says how far a cell must be
    able to move for no contributor to come close to another's part; `own` is the largest part of
    each cell, which its contributor knows. Raises GateRefused where no choice does.
    """
    problem = _Linked(now, [])
    for cell in withheld:
        problem.fixed[problem.place[cell]] = "hidden"
    problem.own = {problem.place[cell]: n for cell, n in own.items()}
    problem.apart = {problem.place[cell]: n for cell, n in apart.items()}
    chosen = problem.suppress()
    return frozenset(cell for cell in now.values if chosen[problem.place[cell]])


def plain(now: Counted, hidden: frozenset[Cell]) -> frozenset[Cell]:
    """The hidden cells whose counts anyone can tell from the shown ones."""
    counts = {cell: None if cell in hidden else value for cell, value in now.values.items()}
    published, cells = as_published(
        counts, [(total, tuple(parts)) for total, parts in sums_of(now.values)], []
    )
    return frozenset(cells[place] for place in attacker.attack(published).told)


def audit(published: Published, cells: Sequence[Cell]) -> Attack:
    """The attacker's failure on everything published. Raises GateRefused when he succeeds.

    `cells` name the places of `published`; they are told by category, never by patient.
    """
    done = attacker.attack(published)
    if done.succeeded:
        exposed = [*done.proven, *done.told, *(later for _, later in done.added)]
        names = [cells[place] for place in dict.fromkeys(exposed)]
        raise GateRefused(f"{len(names)} counts would be exposed by this release: {_named(names)}")
    return done


def as_published(
    counts: verify.Counts, sums: verify.Sums, steps: Sequence[tuple[Cell, Cell]]
) -> tuple[Published, list[Cell]]:
    """What `verify` reads from a folder, as the attacker takes it, and the cells' order."""
    cells = list(counts)
    place = {cell: n for n, cell in enumerate(cells)}
    return (
        Published(
            [counts[cell] for cell in cells],
            [(place[total], tuple(place[part] for part in parts)) for total, parts in sums],
            [(place[before], place[after]) for before, after in steps],
        ),
        cells,
    )


def sparsity(now: Counted, hidden: frozenset[Cell]) -> float:
    """The share of cells with claims that are hidden."""
    with_claims = [cell for cell, value in now.values.items() if value]
    return len(hidden) / len(with_claims)


def restated(releases: Sequence[tuple[int, Mapping[Cell, int]]]) -> list[list[int]]:
    """Pairs of releases (numbers and true counts, in their order) between which a count fell."""
    return [
        [before, after]
        for place, (after, counts) in enumerate(releases)
        for before, earlier in releases[:place]
        if any(counts.get(_numbered(cell, after), n) < n for cell, n in earlier.items())
    ]


def _named(cells: Sequence[Cell]) -> str:
    named = "; ".join(verify.in_words(cell) for cell in cells[:_NAMED_CELLS])
    more = len(cells) - _NAMED_CELLS
    return named + (f"; and {more} more" if more > 0 else "")


def _numbered(cell: Cell, release: int) -> Cell:
    return cell._replace(release=release)


def _of(cell: Cell, now: Counted) -> Cell:
    return _numbered(cell, next(iter(now.values)).release)


def same(values: Mapping[Cell, int], last: Earlier) -> bool:
    """Whether these are the counts of an earlier release."""
    return {cell[1:]: n for cell, n in values.items()} == {
        cell[1:]: n for cell, n in last.values.items()
    }


class _Linked:
    """The counts of all releases, and of what was added between them, as the suppressor's."""

    def __init__(self, now: Counted, earlier: Sequence[Earlier]) -> None:
        self.names: list[Cell] = []
        self.place: dict[Cell, int] = {}
        self.values: list[int] = []
        self.fixed: list[str] = []
        self.at_least: list[int] = []
        self.rows: list[tuple[int, list[int]]] = []
        self.is_later = bool(earlier)
        self.own: dict[int, int] = {}
        self.apart: dict[int, int] = {}
        releases = [(e.number, e.values, e.hidden) for e in earlier]
        for _, values, hidden in releases:
            for cell, value in values.items():
                self._count(cell, value, "hidden" if cell in hidden else "shown")
        for cell, value in now.values.items():
            self._count(cell, value, "")
        for values in [e.values for e in earlier] + [now.values]:
            for total, parts in sums_of(values):
                self.rows.append((self.place[total], [self.place[part] for part in parts]))
        order = [e.values for e in earlier] + [now.values]
        for n, after in enumerate(order):
            for before in order[:n]:
                self._steps(before, after, is_next=before is order[n - 1])

    def _count(self, cell: Cell, value: int, fixed: str) -> int:
        place = len(self.values)
        self.place.setdefault(cell, place)
        self.names.append(cell)
        self.values.append(value)
        self.fixed.append(fixed)
        self.at_least.append(0)
        return place

    def _steps(
        self, before: Mapping[Cell, int], after: Mapping[Cell, int], *, is_next: bool
    ) -> None:
        """Tie each cell to itself in an earlier release, by what was added or taken away."""
        release = next(iter(before)).release
        added: dict[Cell, int | None] = {}
        for cell, value in after.items():
            same = _numbered(cell, release)
            if not before.get(same):
                # All of it was added; nothing, where it is still nought.
                added[cell] = self.place[cell] if value else None
                continue
            change = value - before[same]
            if not is_next and not 0 < abs(change) < disclosure.SMALLEST_SHOWN:
                continue
            smaller, larger = (same, cell) if change >= 0 else (cell, same)
            parts = [self.place[smaller]]
            if change:
                parts.append(self._count(cell, abs(change), "added"))
            if change >= 0:
                added[cell] = parts[1] if change else None
            self.rows.append((self.place[larger], parts))
        for total, cells in sums_of(after):
            # What was added adds up too, where nothing was taken away.
            place = added.get(total)
            if place is not None and all(cell in added for cell in cells):
                self.rows.append((place, [p for c in cells if (p := added[c]) is not None]))

    def suppress(self) -> disclosure.Mask:
        """What to hide of all counts. Raises GateRefused where no choice keeps the promise."""
        while True:
            try:
                return disclosure.suppress(self.counts())
            except disclosure.CannotProtectError as refusal:
                # That some were added may be plain from noughts that are none now: then what was
                # added need not look smaller, only larger.
                plain = [p for p in refusal.cells if self.at_least[p] < self.values[p]
                         and self.fixed[p] == "added"]  # fmt: skip
                if not plain:
                    cells = [self.names[place] for place in refusal.cells]
                    jointly = " together with the earlier releases" if self.is_later else ""
                    instead = "; count later months only" if self.is_later else ""
                    raise GateRefused(
                        f"{len(cells)} counts from 1 to 10 cannot be protected{jointly}:"
                        f" {_named(cells)}{instead}"
                    ) from refusal
                for place in plain:
                    self.at_least[place] = self.values[place]

    def counts(self) -> disclosure.Counts:
        """The suppressor's statement of it all."""
        values = np.array(self.values)
        fixed = np.array(self.fixed)
        terms = [(row, total, -1.0) for row, (total, _) in enumerate(self.rows)]
        terms += [(row, part, 1.0) for row, (_, parts) in enumerate(self.rows) for part in parts]
        row, column, sign = (np.array(part) for part in zip(*terms, strict=True))
        sums = sparse.csr_matrix((sign, (row, column)), shape=(len(self.rows), values.size))
        n_totals = np.array(
            [cell[1:].count(ALL) + (cell.outcome == "answered") for cell in self.names]
        )
        least = np.where(fixed == "added", self.at_least, np.minimum(values, 1))
        for place, own in self.own.items():
            least[place] = max(least[place], own)
        apart = np.zeros(values.size, np.int64)
        apart[list(self.apart)] = list(self.apart.values())
        return disclosure.Counts(
            values=values,
            sums=sums,
            # A total tells more than any of its parts.
            cost=np.log2(1.0 + values) * _MARGIN_COST ** np.clip(n_totals - 1, 0, 2) + 0.01,
            shown=fixed == "shown",
            hidden=np.isin(fixed, ("hidden", "added")),
            least=least,
            apart=apart,
        )


def sums_of(values: Mapping[Cell, int]) -> list[tuple[Cell, list[Cell]]]:
    """How counts add up: along each of insurer, condition, quarter and outcome."""
    sums: dict[tuple[str, Cell], list[Cell]] = {}
    for cell in values:
        for axis, total in (
            ("insurer", ALL),
            ("condition", ALL),
            ("quarter", ALL),
            ("outcome", "answered"),
        ):
            if getattr(cell, axis) != total:
                whole: Cell = cell._replace(**{axis: total})  # type: ignore[arg-type]
                sums.setdefault((axis, whole), []).append(cell)
    return [(total, parts) for (_, total), parts in sums.items()]

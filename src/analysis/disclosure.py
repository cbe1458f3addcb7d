"""Which counts a release must hide, so that none from 1 to 10 is told; at the least cost.

A count from 1 to 10 is hidden (primary suppression). Because published counts add up, others have
to be hidden with it (complementary suppression), over all linked tables at once. The attacker
planned against knows every count that is shown, how counts add up, that they are whole and not
negative, and the rule itself: noughts are shown, so a hidden count is at least 1. For every small
count his range must reach 11, and one below the count unless the noughts shown rule that out.

Exact: an integer program whose cuts come from single sums and from the attacker's linear program
(Fischetti and Salazar, Management Science 2001). Above `EXACT_CELLS` cells, and where the cuts do
not come to an end: a few rounds of the same, then the cheapest cells through which each small count
left can move, of which those are shown again that need not be hidden. The independent check of the
result is `release.attacker`, which shares no code with this module.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from analysis.errors import GateRefused

SMALLEST_SHOWN = 11
EXACT_CELLS = 1_500
_UNBOUNDED = 1e6
_TOLERANCE = 1e-6
_PRICE = 1e-9
_ROUGHLY = 0.01
_ROUGH_ROUNDS = 15
# A cut often serves other wants as well: of very many that fail, some teach the next choice enough.
_TAUGHT_BY = 200
_ROUNDS = 40
_DUAL, _PRIMAL = 1, 4
# Pushing many counts together is worth repeating while it settles this share of them.
_WORTH_A_PUSH = 0.05

Mask = NDArray[np.bool_]
Vector = NDArray[np.float64]
Places = NDArray[np.int64]


class CannotProtectError(GateRefused):
    """No choice of hidden counts keeps the promise; `cells` are the small counts left exposed."""

    def __init__(self, cells: list[int]) -> None:
        super().__init__(f"{len(cells)} small counts cannot be protected")
        self.cells = cells


@dataclass(frozen=True)
class Counts:
    """Counts that are to be published together, and what binds them.

    values    the true counts, not negative
    sums      sparse matrix; each row has -1 for a total and 1 for its parts, so sums @ values = 0
    cost      what hiding each count costs
    shown     counts that cannot be hidden, such as those of an earlier release; noughts never are
    hidden    counts that cannot be shown, such as the change since an earlier release
    least     what the attacker knows each count to be at least
    apart     how far each hidden count must be able to move either way besides, so that nobody
              comes close to a dominant part of it; None: no count has to
    """

    values: NDArray[np.int64]
    sums: sparse.csr_matrix
    cost: Vector
    shown: Mask
    hidden: Mask
    least: NDArray[np.int64]
    apart: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Refuse counts that do not add up: no conclusion from them would hold."""
        if (self.sums @ self.values != 0).any():
            raise ValueError("the counts do not add up")
        if (self.values < self.least)[~self.known].any():
            raise ValueError("a count is below what is known of it")
        if (self.shown & self.hidden).any():
            raise ValueError("a count cannot be both shown and hidden")

    @property
    def known(self) -> Mask:
        """Counts that stay visible whatever else is hidden."""
        known: Mask = self.shown | ((self.values == 0) & ~self.hidden)
        return known

    @property
    def small(self) -> Mask:
        """Counts from 1 to 10 that nobody knows yet."""
        return (self.values > 0) & (self.values < SMALLEST_SHOWN) & ~self.known

    @property
    def protected(self) -> Mask:
        """Counts that must stay open: the small ones, and those kept apart."""
        return self.small if self.apart is None else self.small | ((self.apart > 0) & ~self.known)


def suppress(counts: Counts) -> Mask:
    """The counts to hide: all small ones, and the cheapest others that protect them.

    Raises CannotProtectError when counts that must be shown give a small one away.
    """
    protected = counts.protected
    hidden = counts.hidden | protected
    if not protected.any():
        return hidden
    reach = _Reach(counts)
    exposed = reach.exposed(~counts.known)
    if exposed:
        raise CannotProtectError(exposed)
    if counts.values.size <= EXACT_CELLS:
        return _exact(counts, reach, hidden)
    return _repaired(counts, reach, hidden, _cuts_of_sums(reach, hidden))


def heuristic(counts: Counts) -> Mask:
    """What `suppress` hides where there are too many counts for the optimum; any size is taken."""
    reach, hidden = _Reach(counts), counts.hidden | counts.protected
    return _repaired(counts, reach, hidden, _cuts_of_sums(reach, hidden))


def exposed(counts: Counts, hidden: Mask) -> list[int]:
    """The small counts whose ranges are too narrow when `hidden` is hidden and the rest shown."""
    return _Reach(counts).exposed(hidden)


# ---- how far a count can move -------------------------------------------------------------


@dataclass(frozen=True)
class _Want:
    """A small count, its place among those that can be hidden, and how far it must move."""

    cell: int
    place: int
    sign: int
    need: float


class _Reach:
    """How far counts can move together while every sum and everything shown stays.

    One linear program, kept warm: its columns are the moves of the counts that can be hidden.
    """

    def __init__(self, counts: Counts) -> None:
        self.cells = np.flatnonzero(~counts.known)
        self.place = np.full(counts.values.size, -1)
        self.place[self.cells] = np.arange(self.cells.size)
        columns = counts.sums[:, self.cells].tocsr()
        self.sums = columns[np.diff(columns.indptr) > 0]
        self.matrix = self.sums.tocsc()
        self.down = (counts.values - counts.least)[self.cells].astype(float)
        self.up = np.full(self.cells.size, _UNBOUNDED)
        self.wants = _wants(counts, self.place)
        self.wants_at: dict[int, list[_Want]] = {}
        for want in self.wants:
            self.wants_at.setdefault(want.place, []).append(want)
        self.program = _program(self.matrix, -self.down, self.up)
        # Only what is to be gained changes: what was found before stays within its bounds.
        self.program.setOptionValue("simplex_strategy", _PRIMAL)
        self._all = np.arange(self.cells.size, dtype=np.int32)
        self._lower, self._upper = -self.down, self.up

    def open(self, share: Vector) -> None:
        """Let each count move by `share` (0: shown, 1: hidden) of what it could."""
        self._lower, self._upper = -self.down * share, self.up * share
        self.program.changeColsBounds(self.cells.size, self._all, self._lower, self._upper)

    def exposed(self, hidden: Mask) -> list[int]:
        """The small counts that cannot move as far as they must."""
        self.open(hidden[self.cells].astype(float))
        return sorted({want.cell for want, moved, _ in self.attempts(self.wants) if not moved.size})

    def attempts(self, wants: list[_Want]) -> Iterator[tuple[_Want, Places, Vector]]:
        """For each want: the places that move with it far enough, else none; and dual prices.

        One solution serves every want that it takes far enough. First all are pushed together:
        that settles most of them in a few programs.
        """
        columns = np.array([want.place for want in wants], dtype=int)
        signs = np.array([want.sign for want in wants], dtype=float)
        needs = np.array([want.need for want in wants]) - _TOLERANCE
        open_ = np.ones(len(wants), bool)
        none = np.zeros(0)

        def met(moves: Vector) -> NDArray[np.int64]:
            return np.flatnonzero(open_ & (signs * moves[columns] >= needs))

        for sign in (1.0, -1.0):
            while (left := np.flatnonzero(open_ & (signs == sign))).size > 1:
                moves = self._push_together([wants[n] for n in left])
                newly = met(moves)
                support = np.flatnonzero(np.abs(moves) > _TOLERANCE)
                open_[newly] = False
                yield from ((wants[n], support, none) for n in newly)
                if newly.size < _WORTH_A_PUSH * left.size:
                    break
        for n in range(len(wants)):
            if open_[n]:
                moves, reduced = self._push(columns[n : n + 1], -signs[n])
                support = np.flatnonzero(np.abs(moves) > _TOLERANCE)
                newly = met(moves)
                if not open_[n] or n not in newly:
                    open_[n] = False
                    yield wants[n], support[:0], reduced
                open_[newly] = False
                yield from ((wants[m], support, none) for m in newly)

    def _push_together(self, wants: list[_Want]) -> Vector:
        """Moves that bring all of `wants` (of one sign) together as far as they have to go."""
        columns = np.array([want.place for want in wants])
        needs = np.array([want.need for want in wants])
        # None gains by going further than it must, so that others get their share.
        lower, upper = self._lower[columns], self._upper[columns]
        if wants[0].sign == 1:
            kept = lower, np.minimum(upper, needs)
        else:
            kept = np.maximum(lower, -needs), upper
        which = columns.astype(np.int32)
        self.program.changeColsBounds(which.size, which, *kept)
        moves, _ = self._push(columns, -float(wants[0].sign))
        self.program.changeColsBounds(which.size, which, lower, upper)
        return moves

    def _push(self, columns: Places, cost: float) -> tuple[Vector, Vector]:
        """The moves that gain most when each of `columns` costs `cost`; the reduced costs."""
        which = columns.astype(np.int32)
        self.program.changeColsCost(which.size, which, np.full(which.size, cost))
        if not _solved(self.program):
            # From where it stood it got lost: from the start, and by the other way.
            self.program.clearSolver()
            self.program.setOptionValue("simplex_strategy", _DUAL)
            if not _solved(self.program):
                raise RuntimeError("the linear program of the attacker was not solved")
            self.program.setOptionValue("simplex_strategy", _PRIMAL)
        solution = self.program.getSolution()
        self.program.changeColsCost(which.size, which, np.zeros(which.size))
        return np.array(solution.col_value), np.array(solution.col_dual)


def _wants(counts: Counts, place: Places) -> list[_Want]:
    """How far up and down each small count must be able to move."""
    floor = _floor(counts)
    wants = []
    for cell in np.flatnonzero(counts.small):
        value = int(counts.values[cell])
        wants.append(_Want(int(cell), int(place[cell]), 1, float(SMALLEST_SHOWN - value)))
        if value > floor[cell]:
            wants.append(_Want(int(cell), int(place[cell]), -1, 1.0))
    for cell in np.flatnonzero(counts.protected & ~counts.small):
        need = int(counts.apart[cell]) if counts.apart is not None else 0
        wants.append(_Want(int(cell), int(place[cell]), 1, float(need)))
        if (down := min(need, int(counts.values[cell] - floor[cell]))) > 0:
            wants.append(_Want(int(cell), int(place[cell]), -1, float(down)))
    return wants


def _floor(counts: Counts) -> NDArray[np.int64]:
    """The least each count can be when everything that can be hidden is: its parts' least."""
    floor = np.where(counts.known, counts.values, counts.least)
    parts = counts.sums.maximum(0).astype(np.int64)
    totals = (-counts.sums).maximum(0).astype(np.int64).tocsr()
    by_total = totals.T.tocsr()
    # Where one part is open and the others are known, what its total is at least binds it too.
    open_parts = sparse.csr_matrix(parts.multiply(~counts.known))
    lone = np.flatnonzero(open_parts.getnnz(axis=1) == 1)
    part, total = open_parts[lone].indices, totals[lone].indices
    others = parts[lone] @ np.where(counts.known, counts.values, 0)
    while True:
        # A count may be the total of several sums; the largest binds.
        sums = by_total.multiply((parts @ floor)[None, :]).max(axis=1).toarray().ravel()
        raised = np.maximum(floor, sums)
        np.maximum.at(raised, part, floor[total] - others)
        if (raised == floor).all():
            return floor
        floor = raised


def _program(matrix: sparse.csc_matrix, lower: Vector, upper: Vector) -> highspy.Highs:
    """The linear program: `matrix` @ moves = 0, lower <= moves <= upper; nothing to gain yet."""
    rows, columns = matrix.shape
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, rows
    model.col_cost_ = np.zeros(columns)
    model.col_lower_, model.col_upper_ = lower, upper
    model.row_lower_ = model.row_upper_ = np.zeros(rows)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data.astype(float)
    program = highspy.Highs()  # type: ignore[no-untyped-call]
    program.setOptionValue("output_flag", False)
    program.setOptionValue("threads", 1)
    # Without it a program keeps the basis of the one before, which differs in one cost.
    program.setOptionValue("presolve", "off")
    program.passModel(model)
    return program


def _solved(program: highspy.Highs) -> bool:
    program.run()
    return bool(program.getModelStatus() == highspy.HighsModelStatus.kOptimal)


# ---- the optimum --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cut:
    """Of `cells` (places among those that can be hidden), weighted, at least `bound` is hidden."""

    cells: NDArray[np.int64]
    weights: Vector
    bound: float


def _exact(counts: Counts, reach: _Reach, hidden: Mask) -> Mask:
    """The cheapest sufficient set, by cuts: hide, let the attacker try, forbid what failed."""
    cost = np.where(hidden, 0.0, counts.cost)[reach.cells]
    must = hidden[reach.cells]
    cuts = _cuts_of_sums(reach, hidden)
    whole = False
    for _ in range(_ROUNDS):
        share = _cheapest(cost, must, cuts, whole=whole)
        reach.open(np.clip(share, 0.0, 1.0))
        failed = [
            (want, reduced)
            for want, moved, reduced in reach.attempts(reach.wants)
            if not moved.size
        ]
        cuts += [cut for found in failed if (cut := _cut(reach, must, *found))]
        if not failed and whole:
            chosen = hidden.copy()
            chosen[reach.cells[share > 0.5]] = True
            return chosen
        # Fractions first: they are solved quickly and teach most of the cuts.
        whole = whole or not failed
    return _repaired(counts, reach, hidden, cuts)


def _cuts_of_sums(reach: _Reach, hidden: Mask) -> list[_Cut]:
    """What each single sum says must be hidden besides, for a small count of it to move.

    Whatever one count of a sum moves by, the others have to make up for. That settles nearly
    everything before the first linear program.
    """
    cells, sign = reach.sums.indices.astype(np.int64), reach.sums.data
    must = hidden[reach.cells]
    cuts = {}
    for start, end in pairwise(reach.sums.indptr):
        row, signs = cells[start:end], sign[start:end]
        for at, place in enumerate(row):
            for want in reach.wants_at.get(int(place), ()):
                # The others move against it where they are parts alike, with it where one is total.
                is_up = signs * signs[at] * want.sign < 0
                gain = np.where(is_up, reach.up[row], reach.down[row])
                gain[at] = 0.0
                cut = _needed(row, gain, must[row], want.need)
                if cut:
                    cuts[(cut.cells.tobytes(), cut.weights.tobytes())] = cut
    return list(cuts.values())


def _cut(reach: _Reach, must: Mask, want: _Want, reduced: Vector) -> _Cut | None:
    """What the attacker's dual prices say must be hidden besides, to fulfil `want`."""
    gain = np.where(reduced < 0, -reduced * reach.up, reduced * reach.down)
    gain[np.abs(reduced) < _PRICE] = 0.0
    return _needed(np.arange(gain.size), gain, must, want.need)


def _needed(places: Places, gain: Vector, must: Mask, need: float) -> _Cut | None:
    """Of `places`, each of which gives its `gain` when hidden, so many that they give `need`."""
    bound = need - gain[must].sum()
    useful = ~must & (gain > _TOLERANCE)
    if bound <= _TOLERANCE or not useful.any():
        return None
    return _Cut(places[useful], np.minimum(gain[useful], bound), bound)


def _cheapest(
    cost: Vector, must: Mask, cuts: list[_Cut], *, whole: bool, gap: float = 0.0
) -> Vector:
    """What to hide (1) and show (0) at least cost under the cuts; fractions unless `whole`.

    At most `gap` (a share) dearer than the least.
    """
    solved = optimize.milp(
        cost,
        integrality=np.full(cost.size, int(whole)),
        bounds=optimize.Bounds(must.astype(float), np.ones(cost.size)),
        constraints=optimize.LinearConstraint(
            _matrix(cuts, cost.size), [cut.bound for cut in cuts], np.inf
        )
        if cuts
        else (),
        options={"mip_rel_gap": gap},
    )
    if solved.x is None:
        raise RuntimeError("the integer program of the gate was not solved")
    share: Vector = np.round(solved.x) if whole else solved.x
    return share


def _matrix(cuts: list[_Cut], n: int) -> sparse.csr_matrix:
    """The weights of the cuts, a row each, over `n` counts that can be hidden."""
    rows = np.repeat(np.arange(len(cuts)), [cut.cells.size for cut in cuts])
    columns = np.concatenate([cut.cells for cut in cuts]) if cuts else np.zeros(0, int)
    weights = np.concatenate([cut.weights for cut in cuts]) if cuts else np.zeros(0)
    return sparse.csr_matrix((weights, (rows, columns)), shape=(len(cuts), n))


# ---- the heuristic ------------------------------------------------------------------------


def _repaired(counts: Counts, reach: _Reach, hidden: Mask, cuts: list[_Cut]) -> Mask:
    """A sufficient set, not always the cheapest: some rounds of cuts, then cheapest moves."""
    must = hidden[reach.cells]
    cost = np.where(must, 0.0, counts.cost[reach.cells])
    proofs = _Proofs(reach)
    for _ in range(_ROUGH_ROUNDS):
        opened = _cheapest(cost, must, cuts, whole=True, gap=_ROUGHLY) > 0.5
        failed = list(islice(proofs.failed(opened), _TAUGHT_BY))
        cuts += [cut for found in failed if (cut := _cut(reach, must, *found))]
        if not failed:
            break
    moves = _CheapestMoves(reach, np.where(opened, 0.0, cost))
    while failed:
        for want, _ in failed:
            if not proofs.has(want, opened):
                moved = moves.through(want)
                opened[np.abs(moved) > _TOLERANCE] = True
                proofs.learn(moved)
        failed = list(proofs.failed(opened))
    # What no cut asks for may have come in for nothing; the dearest is tried first.
    needed = _matrix(cuts, opened.size).tocsc()
    spare = needed @ opened - np.array([cut.bound for cut in cuts])
    added = np.flatnonzero(opened & ~must)
    for place in added[np.argsort(-cost[added], kind="stable")]:
        column = needed[:, [place]]
        if (spare[column.indices] < column.data - _TOLERANCE).any():
            continue
        opened[place] = False
        if any(True for _ in proofs.failed(opened)):
            opened[place] = True
        else:
            spare[column.indices] -= column.data
    whole = hidden.copy()
    whole[reach.cells[opened]] = True
    return whole


class _Proofs:
    """What moved for each want, kept from one choice of hidden counts to the next.

    While all of that is hidden the want is fulfilled, whatever else is shown; so most wants need no
    linear program again.
    """

    def __init__(self, reach: _Reach) -> None:
        self.reach = reach
        self.moved: dict[_Want, Places] = {}
        self.places = np.array([want.place for want in reach.wants])
        self.signs = np.array([want.sign for want in reach.wants])
        self.needs = np.array([want.need for want in reach.wants]) - _TOLERANCE

    def has(self, want: _Want, opened: Mask) -> bool:
        """Whether what is known to move for `want` is hidden."""
        moved = self.moved.get(want)
        return moved is not None and bool(opened[moved].all())

    def learn(self, moves: Vector) -> None:
        """Keep what moved for every want that `moves` takes far enough."""
        support = np.flatnonzero(np.abs(moves) > _TOLERANCE)
        for n in np.flatnonzero(self.signs * moves[self.places] >= self.needs):
            self.moved[self.reach.wants[n]] = support

    def failed(self, opened: Mask) -> Iterator[tuple[_Want, Vector]]:
        """The wants that are not fulfilled when `opened` is hidden, with the dual prices."""
        self.reach.open(opened.astype(float))
        doubtful = [want for want in self.reach.wants if not self.has(want, opened)]
        for want, moved, reduced in self.reach.attempts(doubtful):
            if moved.size:
                self.moved[want] = moved
            else:
                yield want, reduced


class _CheapestMoves:
    """The cheapest counts to hide so that one small count can move as far as it must."""

    def __init__(self, reach: _Reach, cost: Vector) -> None:
        self.n = reach.cells.size
        # Moves up and moves down are apart, so that both cost; those already hidden cost nearly
        # nothing, which keeps the moves short.
        both = sparse.hstack([reach.matrix, -reach.matrix]).tocsc()
        self.ends = np.concatenate([reach.up, reach.down])
        self.program = _program(both, np.zeros(2 * self.n), self.ends)
        self._price(np.arange(2 * self.n), np.tile(cost + _PRICE, 2))

    def through(self, want: _Want) -> Vector:
        """The moves that fulfil `want`; what takes part in them costs nothing from then on."""
        up, down = want.place, want.place + self.n
        there, back = (up, down) if want.sign == 1 else (down, up)
        self.program.changeColBounds(there, want.need, want.need)
        self.program.changeColBounds(back, 0.0, 0.0)
        if not _solved(self.program):
            raise RuntimeError("the linear program of the gate was not solved")
        solution = np.array(self.program.getSolution().col_value)
        for column in (there, back):
            self.program.changeColBounds(column, 0.0, float(self.ends[column]))
        moves: Vector = solution[: self.n] - solution[self.n :]
        moved = np.flatnonzero(np.abs(moves) > _TOLERANCE)
        both = np.concatenate([moved, moved + self.n])
        self._price(both, np.full(both.size, _PRICE))
        return moves

    def _price(self, columns: Places, costs: Vector) -> None:
        self.program.changeColsCost(columns.size, columns.astype(np.int32), costs)

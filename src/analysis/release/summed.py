"""Contributions put together: the pooled counts, and which of them a pool must withhold.

A pooled count is shown only where every contributor shows his part of it. Above that, large counts
of one practice are its own affair: a pooled count needs at least `FEWEST_CONTRIBUTORS` contributors
and keeps the p%-rule with p = `P_PERCENT`: the second largest contributor, who knows his own part,
must not come within p% of the largest. (Both rules: Hundepool et al., Statistical Disclosure
Control, Wiley 2012, section 4.2; the figures are this project's.) What breaks them is merged into
"other", or withheld with what would give it away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from analysis.errors import GateRefused
from analysis.findings.finding import written
from analysis.release import density, gate, verify
from analysis.release.contribution import Checked
from analysis.release.counted import OTHER_CONDITIONS, OTHER_INSURERS, Categories, Counted
from analysis.release.verify import ALL, Cell

FEWEST_CONTRIBUTORS = 3
P_PERCENT = 20

Part = Mapping[Cell, int]


@dataclass(frozen=True)
class Pooled:
    """The contributions put together.

    parts     per contributor: possible counts by pooled cell
    withheld  cells of which some contributor withholds his part
    """

    parts: Sequence[Part]
    withheld: frozenset[Cell]
    categories: Categories

    def counted(self, effect: float, period: str, as_of: date) -> Counted:
        """The pooled counts; possible ones where they are withheld."""
        values = {cell: sum(part[cell] for part in self.parts) for cell in self.parts[0]}
        return Counted(values, self.categories, effect, period, as_of)

    def largest(self) -> dict[Cell, int]:
        """The largest part of each cell: what one contributor knows it to be at least."""
        return {cell: max(part[cell] for part in self.parts) for cell in self.parts[0]}

    def apart(self) -> dict[Cell, int]:
        """How far each cell that breaks a rule must move; cells withheld anyway are left out."""
        short = {cell: shortfall([part[cell] for part in self.parts]) for cell in self.parts[0]}
        return {cell: n for cell, n in short.items() if n and cell not in self.withheld}


def withheld(now: Counted, merged: Pooled) -> frozenset[Cell]:
    """The pooled cells to hide. Raises GateRefused where no choice keeps the rules.

    Two counts that a contributor withholds may have a plain sum. Where such a sum is pooled, what
    is shown tells it anyway, and it is shown as well.
    """
    apart = merged.apart()
    hidden = gate.hide_pooled(now, merged.withheld, apart, merged.largest())
    while True:
        plain = gate.plain(now, hidden) - apart.keys()
        shown = {c for c in plain if now.values[c] >= verify.SMALLEST_SHOWN}
        if not shown:
            return hidden
        hidden -= shown


def shortfall(parts: Sequence[int]) -> int:
    """How far a sum of parts must be able to move, for no contributor to come close to another.

    0 where the sum may be shown: at least `FEWEST_CONTRIBUTORS` parts, and what is left without the
    two largest is at least `P_PERCENT`% of the largest. Noughts are no parts.

    >>> shortfall([40, 30, 20]), shortfall([40, 30, 2]), shortfall([40, 30]), shortfall([0, 0])
    (0, 6, 8, 0)
    """
    known = sorted((n for n in parts if n), reverse=True)
    if not known:
        return 0
    wanted = -(-P_PERCENT * known[0] // 100)
    if len(known) < FEWEST_CONTRIBUTORS:
        return max(1, wanted)
    return max(0, wanted - sum(known[2:]))


def put_together(
    given: Sequence[Checked], number: int, below: int = 0, *, is_crossed: bool = True
) -> Pooled:
    """The contributions in common categories: those that enough of them tell apart.

    Those of fewer than `below` answered claims are "other". Not crossed, or where a contribution is
    not, insurers, conditions and quarters are told one by one.
    """
    is_crossed = is_crossed and all(_is_crossed(one) for one in given)
    insurers = _kept(given, "insurer", OTHER_INSURERS, below)
    conditions = _kept(given, "condition", OTHER_CONDITIONS, below)
    quarters = tuple(sorted({c.quarter for one in given for c in one.counts} - {ALL}))
    categories = Categories(insurers, conditions, quarters, is_crossed)
    places = [(i, c, ALL) for i, c in categories.rows("condition")]
    places += [(i, ALL, q) for i, q in categories.rows("quarter") if q != ALL]
    cells = [Cell(number, *at, outcome) for at in places for outcome in verify.OUTCOMES]
    parts, withheld = [], set()
    for one in given:
        part = dict.fromkeys(cells, 0)
        for cell, value in one.counts.items():
            at = Cell(
                number,
                cell.insurer if cell.insurer in (ALL, *insurers) else OTHER_INSURERS,
                cell.condition if cell.condition in (ALL, *conditions) else OTHER_CONDITIONS,
                cell.quarter,
                cell.outcome,
            )
            if at not in part:
                continue
            part[at] += one.possible[cell]
            if value is None:
                withheld.add(at)
        parts.append(part)
    return Pooled(parts, frozenset(withheld), categories)


def _is_crossed(one: Checked) -> bool:
    return any(cell[1:4].count(ALL) < 2 for cell in one.counts)


def _kept(given: Sequence[Checked], column: str, other: str, below: int) -> tuple[str, ...]:
    """The large categories that keep the contributor rules, and "other" for the rest."""
    parts: dict[str, list[int]] = {}
    for one in given:
        for cell, value in one.possible.items():
            name = getattr(cell, column)
            at_margin = cell[1:].count(ALL) == 2 and cell.outcome == "answered"
            if name != ALL and at_margin:
                parts.setdefault(name, []).append(value)
    kept = sorted(
        name for name, n in parts.items() if name != other and sum(n) >= below and not shortfall(n)
    )
    return (*kept, other) if len(kept) < len(parts) else tuple(kept)


def require_dense(
    given: Sequence[Checked], now: Counted, hidden: frozenset[Cell], below: int
) -> None:
    """Refuse a pool that would withhold over a quarter of its counts, saying what would hold.

    `below` is what it was put together by. Raises GateRefused.
    """
    share = gate.sparsity(now, hidden)
    if share <= gate.TOO_SPARSE:
        return

    def withheld_by(size: int, is_crossed: bool) -> float | None:
        merged = put_together(given, 1, size, is_crossed=is_crossed)
        if not merged.categories.insurers or not merged.categories.conditions:
            return None
        tried = merged.counted(now.design_effect, now.period, now.as_of)
        try:
            return gate.sparsity(tried, withheld(tried, merged))
        except GateRefused:
            return 1.0

    percent = written(share, "percent")
    lines = list(density.wider(withheld_by, below, is_crossed=now.categories.is_crossed))
    lines.append(f"leave it as it is: {percent}, add `--merge-below {below}`")
    refused = (
        f"{percent} of the pooled counts would be withheld, more than a quarter: whatever one of"
        f" the {len(given)} practices withholds is withheld in the pool"
    )
    raise GateRefused(density.choices(refused, lines))

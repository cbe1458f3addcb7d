"""`outcomes pool`: many practices' contributions merged into one public release.

Every contribution is safe against whoever holds it, so the pool, which is computed from them, tells
no count from 1 to 10 of any practice to anyone: neither to the public, nor to a contributor who
subtracts his own. A pooled count is shown only where every contributor shows his part of it. Above
that, large counts of one practice are its own affair: a pooled count needs at least
`FEWEST_CONTRIBUTORS` contributors and keeps the p%-rule with p = `P_PERCENT`: the second largest
contributor, who knows his own part, must not come within p% of the largest. (Both rules: Hundepool
et al., Statistical Disclosure Control, Wiley 2012, section 4.2; the figures are this project's.)
What breaks them is merged into "other", or withheld with what would give it away.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from analysis.config import Folders
from analysis.errors import GateRefused
from analysis.findings import public
from analysis.findings.finding import Finding, Scope, written
from analysis.models import between
from analysis.release import contribution, gate, publishing, verify
from analysis.release.contribution import Checked
from analysis.release.counted import OTHER_CONDITIONS, OTHER_INSURERS, Categories, Counted
from analysis.release.ledger import Ledger, digest
from analysis.release.months import Months
from analysis.release.publishing import Outgoing, Released
from analysis.release.verify import ALL, Cell

FEWEST_CONTRIBUTORS = 3
P_PERCENT = 20
HOME = "pools"
# What all contributions of a pool must agree in, and how it is called.
_SAME = {
    "program": "versions of the program",
    "definition": "definitions of an approval",
    "maturity": "rules of how old a claim must be",
    "last": "last months",
    "is_made_up": "data, some made up and some real",
}

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

    def values(self) -> dict[Cell, int]:
        """The pooled counts; possible ones where they are withheld."""
        return {cell: sum(part[cell] for part in self.parts) for cell in self.parts[0]}

    def largest(self) -> dict[Cell, int]:
        """The largest part of each cell: what one contributor knows it to be at least."""
        return {cell: max(part[cell] for part in self.parts) for cell in self.parts[0]}

    def apart(self) -> dict[Cell, int]:
        """How far each cell that breaks a rule must move; cells withheld anyway are left out."""
        short = {cell: shortfall([part[cell] for part in self.parts]) for cell in self.parts[0]}
        return {cell: n for cell, n in short.items() if n and cell not in self.withheld}


def pool(files: Sequence[Path], to: Path, home: Folders, say: Callable[[str], None]) -> Released:
    """Publish the pool of the contributions in `files`, and record it under `home`.

    Raises UsageError for a file that is no contribution, GateRefused for contributions that do not
    belong together and where something must not be published.
    """
    publishing.require_room(to)
    given = _in_order([contribution.read_checked(path) for path in files], files)
    ledger = _ledger(home, given)
    number, made_again = _number(ledger, given)
    months = _months(ledger, given)
    merged = put_together(given, number)
    values = merged.values()
    one = given[0].contribution
    scope = _scope(given)
    effect = max(checked.contribution.design_effect for checked in given)
    now = Counted(values, merged.categories, effect, scope.period, scope.as_of)
    hidden = withheld(now, merged)
    restated = _restated(ledger, given, number, months, now, hidden)
    about = {
        "number": number,
        "publisher": _publisher(given),
        "population": scope.population,
        "made_up": one.is_made_up,
        "first": months.first,
        "last": months.last,
        "period": scope.period,
        "as_of": scope.as_of.isoformat(),
        "definition": one.definition,
        "symbol": verify.SYMBOL,
        "design_effect": effect,
        "restated": restated,
        "templates": {**public.TEMPLATES, **public.BETWEEN_TEMPLATES},
        "version": one.program,
        "contributors": len(given),
        "fewest_contributors": FEWEST_CONTRIBUTORS,
        "p_percent": P_PERCENT,
    }
    done = publishing.put_out(
        Outgoing(
            to=to,
            month=one.last,
            scope=scope,
            about=about,
            now=now,
            hidden=hidden,
            ledgers=[ledger],
            home=home,
            between=list(_between(given, merged, scope)),
        ),
        say,
    )
    if not made_again:
        _keep(ledger, number, given, restated)
    return done


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


def put_together(given: Sequence[Checked], number: int) -> Pooled:
    """The contributions in common categories: those that enough of them tell apart."""
    insurers = _kept(given, "insurer", OTHER_INSURERS)
    conditions = _kept(given, "condition", OTHER_CONDITIONS)
    quarters = tuple(sorted({c.quarter for one in given for c in one.counts} - {ALL}))
    categories = Categories(insurers, conditions, quarters)
    cells = [
        Cell(number, i, c, q, outcome)
        for i in (ALL, *insurers)
        for c, q in [*((c, ALL) for c in (ALL, *conditions)), *((ALL, q) for q in quarters)]
        for outcome in verify.OUTCOMES
    ]
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
            part[at] += one.possible[cell]
            if value is None:
                withheld.add(at)
        parts.append(part)
    return Pooled(parts, frozenset(withheld), categories)


def _kept(given: Sequence[Checked], column: str, other: str) -> tuple[str, ...]:
    """The categories whose answered claims keep the contributor rules, and "other" for the rest."""
    parts: dict[str, list[int]] = {}
    for one in given:
        for cell, value in one.possible.items():
            name = getattr(cell, column)
            at_margin = cell[1:].count(ALL) == 2 and cell.outcome == "answered"
            if name != ALL and at_margin:
                parts.setdefault(name, []).append(value)
    kept = sorted(name for name, n in parts.items() if name != other and not shortfall(n))
    return (*kept, other) if len(kept) < len(parts) else tuple(kept)


# ---- what belongs together ------------------------------------------------------------------


def _in_order(given: Sequence[Checked], files: Sequence[Path]) -> list[Checked]:
    """The contributions by contributor. Raises GateRefused for those that do not go together."""
    if len(given) < FEWEST_CONTRIBUTORS:
        raise GateRefused(
            f"{len(given)} contributions, at least {FEWEST_CONTRIBUTORS} are needed: of fewer, each"
            " contributor could work out another's counts"
        )
    seen: dict[str, Path] = {}
    for one, path in zip(given, files, strict=True):
        found = one.contribution
        for key in (found.contributor, json.dumps(found.tables, sort_keys=True)):
            if key in seen:
                raise GateRefused(
                    f"{seen[key]} and {path} are of one contributor: their claims would be counted"
                    " twice; leave out the older one"
                )
            seen[key] = path
    for field, called in _SAME.items():
        values = sorted({str(getattr(one.contribution, field)) for one in given})
        if len(values) > 1:
            raise GateRefused(
                f"the contributions have different {called} ({' and '.join(values)}); have them"
                " made again alike"
            )
    return sorted(given, key=lambda one: one.contribution.contributor)


def _ledger(home: Folders, given: Sequence[Checked]) -> Ledger:
    """The ledger of this circle of contributors. Raises GateRefused where another overlaps it."""
    ids = [one.contribution.contributor for one in given]
    folder = home.private / "releases" / digest("\n".join(ids))[:16]
    for path in sorted(folder.parent.glob("*/contributors.json")):
        if path.parent != folder and set(json.loads(path.read_text("utf-8"))) & set(ids):
            raise GateRefused(
                "some of these contributors were pooled before, in another circle; one pool less"
                " the other would tell a single practice. Pool the same circle again"
            )
    return Ledger(folder)


def _number(ledger: Ledger, given: Sequence[Checked]) -> tuple[int, bool]:
    """The release's number, and whether just these contributions were pooled last."""
    numbers = ledger.numbers
    if not numbers:
        return 1, False
    kept = _kept_of(ledger, numbers[-1])
    if kept["checksums"] == [one.contribution.checksum for one in given]:
        if reason := ledger.reason_of_retraction(numbers[-1]):
            raise GateRefused(f"this is release {numbers[-1]}, which was retracted: {reason}")
        return numbers[-1], True
    if any(
        one.contribution.number < before for one, before in zip(given, kept["numbers"], strict=True)
    ):
        raise GateRefused("a contribution is older than the one pooled before; ask for the newest")
    return numbers[-1] + 1, False


def _months(ledger: Ledger, given: Sequence[Checked]) -> Months:
    """The months pooled: later ones than before by all, or from where each began before by all.

    Raises GateRefused where some count months again and others do not.
    """
    firsts = [one.contribution.first for one in given]
    months = Months(min(firsts), given[0].contribution.last)
    tied = ledger.tied(months)
    if ledger.numbers and not tied and len(set(firsts)) > 1:
        raise GateRefused(
            f"the contributions begin in different months ({' and '.join(sorted(set(firsts)))});"
            " after a pool all go on from the same one"
        )
    for number in tied:
        if _kept_of(ledger, number)["firsts"] != firsts:
            raise GateRefused(
                f"some contributions count months of pool {number} again and others do not;"
                f" have all made for months after {ledger.months[number].last}"
            )
    return months


def _restated(
    ledger: Ledger,
    given: Sequence[Checked],
    number: int,
    months: Months,
    now: Counted,
    hidden: frozenset[Cell],
) -> list[list[int]]:
    """Pairs of pools between which a count fell, or may have fallen where it is withheld."""
    before = [n for n in ledger.tied(months) if n < number]
    pairs: list[list[int]] = _kept_of(ledger, before[-1])["restated"] if before else []
    for earlier in before:
        shown = verify.counts_of(
            earlier, verify.read_tables(ledger.folder / str(earlier) / "tables")
        )
        fell = any(
            n is not None
            and (at := cell._replace(release=number)) not in hidden
            and now.values.get(at, n) < n
            for cell, n in shown.items()
        )
        if fell or any(one.contribution.is_restated for one in given):
            pairs = [*pairs, [earlier, number]]
    return pairs


def _keep(ledger: Ledger, number: int, given: Sequence[Checked], restated: list[list[int]]) -> None:
    ids = [one.contribution.contributor for one in given]
    kept = {
        "checksums": [one.contribution.checksum for one in given],
        "numbers": [one.contribution.number for one in given],
        "firsts": [one.contribution.first for one in given],
        "restated": restated,
    }
    for path, content in (
        (ledger.folder / "contributors.json", ids),
        (ledger.folder / str(number) / "pool.json", kept),
    ):
        path.touch(mode=0o600)
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")


def _kept_of(ledger: Ledger, number: int) -> dict[str, Any]:
    path = ledger.folder / str(number) / "pool.json"
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept


# ---- what it says ---------------------------------------------------------------------------


def _scope(given: Sequence[Checked]) -> Scope:
    found = [one.contribution for one in given]
    first = written(_month(min(one.first for one in found)), "month")
    last = written(_month(found[0].last), "month")
    spoken = f"submitted in {first}" if first == last else f"submitted {first} to {last}"
    as_of = min(date.fromisoformat(one.as_of) for one in found)
    return Scope(f"claims of {len(given)} practices together", spoken, as_of)


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def _publisher(given: Sequence[Checked]) -> str:
    names = [one.contribution.name for one in given]
    return ", ".join(sorted(names)) if all(names) else f"{len(given)} practices together"


def _between(given: Sequence[Checked], merged: Pooled, scope: Scope) -> Iterable[Finding]:
    """How practices differ, over all claims and by insurer, from counts that all of them show."""
    number = next(iter(merged.parts[0])).release
    for insurer in (ALL, *merged.categories.insurers):
        if insurer == OTHER_INSURERS:
            continue
        cells = [Cell(number, insurer, ALL, ALL, o) for o in ("approved", "denied")]
        if merged.withheld & set(cells):
            continue
        told = [
            (part[cells[0]], part[cells[1]], one.contribution.design_effect)
            for one, part in zip(given, merged.parts, strict=True)
            if part[cells[0]] + part[cells[1]]
        ]
        if len(told) >= between.FEWEST:
            approved, denied, effects = zip(*told, strict=True)
            yield public.between_practices(
                "" if insurer == ALL else insurer,
                between.between(approved, denied, effects),
                scope,
            )

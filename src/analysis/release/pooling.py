"""`outcomes pool`: many practices' contributions merged into one public release.

Every contribution is safe against whoever holds it, so the pool, which is computed from them, tells
no count from 1 to 10 of any practice to anyone: neither to the public, nor to a contributor who
subtracts his own. What is pooled, and what of it is withheld, is `summed`'s; which contributions
belong together, and what a circle of contributors published before, is decided here.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from analysis.config import Folders
from analysis.errors import GateRefused, UsageError
from analysis.findings import public
from analysis.findings.finding import Finding, Scope, written
from analysis.models import between
from analysis.release import contribution, publishing, verify
from analysis.release.contribution import Checked
from analysis.release.counted import OTHER_INSURERS, Counted
from analysis.release.ledger import Ledger, digest
from analysis.release.months import Months
from analysis.release.publishing import Outgoing, Released
from analysis.release.summed import (
    FEWEST_CONTRIBUTORS,
    P_PERCENT,
    Pooled,
    put_together,
    require_dense,
    withheld,
)
from analysis.release.verify import ALL, Cell

HOME = "pools"
# What all contributions of a pool must agree in, and how it is called.
_SAME = {
    "program": "versions of the program",
    "definition": "definitions of an approval",
    "maturity": "rules of how old a claim must be",
    "last": "last months",
    "is_made_up": "data, some made up and some real",
}


def pool(
    files: Sequence[Path],
    to: Path,
    home: Folders,
    say: Callable[[str], None],
    merge_below: int | None = None,
    *,
    is_crossed: bool = True,
) -> Released:
    """Publish the pool of the contributions in `files`, and record it under `home`.

    Insurers and conditions of fewer than `merge_below` claims become "other"; None lets the gate
    propose. Not crossed, insurers, conditions and quarters are told one by one. Raises UsageError
    for a file that is no contribution, GateRefused for contributions that do not belong together
    and where something must not be published.
    """
    publishing.require_room(to)
    given = _in_order([contribution.read_checked(path) for path in files], files)
    ledger = _ledger(home, given)
    number, made_again = _number(ledger, given)
    months = _months(ledger, given)
    is_chosen = merge_below is not None
    below = merge_below or 0
    if before := ledger.tied(months):
        below, is_crossed = _as_before(ledger, before[-1], merge_below, is_crossed=is_crossed)
    merged = put_together(given, number, below, is_crossed=is_crossed)
    one = given[0].contribution
    scope = _scope(given)
    effect = max(checked.contribution.design_effect for checked in given)
    now = merged.counted(effect, scope.period, scope.as_of)
    hidden = withheld(now, merged)
    if not is_chosen and not before:
        require_dense(given, now, hidden, below)
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
        _keep(ledger, number, given, restated, below, is_crossed=is_crossed)
    return done


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


def _as_before(
    ledger: Ledger, number: int, merge_below: int | None, *, is_crossed: bool
) -> tuple[int, bool]:
    """How an earlier pool of the same months was put together. Raises UsageError for other ways."""
    kept = _kept_of(ledger, number)
    if merge_below not in (None, kept["merge_below"]) or (kept["is_crossed"] and not is_crossed):
        raise UsageError(
            "these months were pooled in other categories; leave out --merge-below and"
            " --uncrossed, since tables of differing categories tell more together"
        )
    return kept["merge_below"], kept["is_crossed"]


def _keep(
    ledger: Ledger,
    number: int,
    given: Sequence[Checked],
    restated: list[list[int]],
    merge_below: int,
    *,
    is_crossed: bool,
) -> None:
    ids = [one.contribution.contributor for one in given]
    kept = {
        "checksums": [one.contribution.checksum for one in given],
        "numbers": [one.contribution.number for one in given],
        "firsts": [one.contribution.first for one in given],
        "restated": restated,
        "merge_below": merge_below,
        "is_crossed": is_crossed,
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
    return {"merge_below": 0, "is_crossed": True} | kept


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

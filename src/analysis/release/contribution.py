"""`outcomes contribute`: what one practice gives to a pool, in one file.

The file holds the practice's two tables as a release would show them: they pass the same gate,
jointly with all that left the practice before, and are recorded in its ledger. So whoever receives
the file, trusted or not, can tell no count from 1 to 10; and whatever is computed from such files
tells no more than they do. Insurers and conditions are told apart by the number of answered claims
alone, never by how they were answered, so that pooled rates are not selected by their outcome.
"""

import hashlib
import json
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from analysis import config, tables
from analysis.config import Folders
from analysis.errors import GateRefused, UsageError
from analysis.findings import population
from analysis.release import density, gate, package, publishing, verify
from analysis.release.ledger import Ledger
from analysis.release.publishing import Asked

FORMAT = "reimbursement-outcomes contribution"
VERSION = 1
MERGE_BELOW = 100
MATURITY = "older than the practice's 95th percentile of days to a first answer"


@dataclass(frozen=True)
class Contribution:
    """One practice's contribution; docs/pooling.md tells every field.

    contributor    made at random, the same in all contributions of a practice
    number         its number in the practice's own ledger
    first, last    the months counted, YYYY-MM
    maturity_days  how old a claim had to be to count, in this practice
    is_restated    whether some count fell since an earlier release or contribution
    tables         file name -> lines of CSV, as in a release
    """

    format: str
    version: int
    program: str
    contributor: str
    name: str
    is_made_up: bool
    number: int
    first: str
    last: str
    as_of: str
    maturity: str
    maturity_days: int
    definition: str
    design_effect: float
    is_restated: bool
    tables: Mapping[str, list[str]]

    @property
    def checksum(self) -> str:
        """SHA-256 of all fields, by which a changed file is found out."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def rows(self) -> dict[str, list[verify.Row]]:
        """The tables. Raises verify.Problem for what is no table of counts."""
        with tempfile.TemporaryDirectory() as room:
            for name in verify.TABLES:
                lines = self.tables[f"{name}.csv"]
                (Path(room) / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
            return verify.read_tables(Path(room))


def contribute(asked: Asked, say: Callable[[str], None], *, is_named: bool = False) -> Contribution:
    """Write one practice's contribution to the file `asked.to`, and record it in its ledger.

    Raises GateRefused when something must not leave, UsageError where `to` is something else.
    """
    (practice,), to = asked.practices, asked.to
    stated = config.load_practice(practice.require_raw())
    if is_named and not stated.name:
        raise UsageError("--named: practice.toml says no name; write one, or leave the option out")
    if to.exists() and not _is_contribution(to):
        raise UsageError(f"--to {to}: it is something else than a contribution; name a new file")
    ledger = publishing.ledger_of([practice])
    counts = publishing.counted_of(asked, ledger.months)
    scope = counts.scope
    is_chosen = asked.merge_below is not None
    if not ledger.numbers and not is_chosen:
        # Later contributions keep the categories of what left the practice before.
        asked = replace(asked, merge_below=MERGE_BELOW)
    now, earlier, is_again = publishing.counted_now(asked, ledger, counts)
    number = next(iter(now.values)).release
    if ledger.numbers or is_chosen:
        hidden = gate.hide(now, earlier)
    else:
        hidden = density.hidden(now, counts.claims, counts.everything, counts.months, MERGE_BELOW)
    say(f"{len(hidden)} of {sum(map(bool, now.values.values()))} counts are withheld")
    before = [e for e in earlier if e.number != number]
    order = [*((e.number, e.values) for e in before), (number, now.values)]
    restated = gate.restated(order)
    made = package.tables(now, hidden)
    _audit(ledger, [e.number for e in before], number, made, restated)
    outcomes = tables.read_frame(practice.processed, "claim_outcomes")
    done = Contribution(
        format=FORMAT,
        version=VERSION,
        program=publishing.program(),
        contributor=_contributor(practice),
        name=stated.name or "" if is_named else "",
        is_made_up=stated.made_up,
        number=number,
        first=counts.months.first,
        last=counts.months.last,
        as_of=scope.as_of.isoformat(),
        maturity=MATURITY,
        maturity_days=int(outcomes["maturity_days"].max()),
        definition=population.DEFINITIONS["first"],
        design_effect=now.design_effect,
        is_restated=any(after == number for _, after in restated),
        tables={name: content.decode().splitlines() for name, content in made.items()},
    )
    if not is_again:
        ledger.keep(number, now.values, now.categories, made)
        ledger.append(ledger.line(_entry(done, scope.population, scope.period, made)))
    _write(to, done)
    return done


@dataclass(frozen=True)
class Checked:
    """A contribution that holds, its counts (None where withheld), and possible ones for all."""

    contribution: Contribution
    counts: verify.Counts
    possible: Mapping[verify.Cell, int]


def read_checked(path: Path) -> Checked:
    """A contribution from its file, checked.

    Raises UsageError for what is no contribution that this program reads, GateRefused for one that
    was changed, does not add up or tells a small count.
    """
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        if stated["format"] != FORMAT:
            raise ValueError
        if stated["version"] != VERSION:
            raise UsageError(
                f"{path}: written as version {stated['version']} of contributions, this program"
                f" reads version {VERSION}; have it made again with the same program"
            )
        checksum = stated.pop("checksum")
        found = Contribution(
            **{field.name: stated.pop(field.name) for field in fields(Contribution)}
        )
        if stated:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UsageError(
            f"{path}: this is no contribution; one is made by `outcomes contribute`"
        ) from problem
    if checksum != found.checksum:
        raise GateRefused(
            f"{path}: changed since it was made (its checksum does not hold); ask for it again"
        )
    return _checked(path, found)


def _checked(path: Path, found: Contribution) -> Checked:
    try:
        rows = found.rows()
        counts = verify.counts_of(1, rows)
        sums = verify.sums_of(1, rows)
        broken = next(verify.contradictions(counts, sums), "")
        if not broken:
            published, cells = gate.as_published(counts, sums, [])
            world = gate.audit(published, cells).worlds[0]
    except (verify.Problem, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise GateRefused(f"{path}: its tables do not hold; ask for it again") from problem
    except GateRefused as problem:
        raise GateRefused(f"{path}: {problem}") from problem
    if broken:
        raise GateRefused(f"{path}: {broken}; ask for it again")
    possible = {
        cell: world[place] if (value := counts[cell]) is None else value
        for place, cell in enumerate(cells)
    }
    return Checked(found, counts, possible)


def _audit(
    ledger: Ledger,
    before: list[int],
    number: int,
    made: Mapping[str, bytes],
    restated: list[list[int]],
) -> None:
    """Let the attacker try everything that left the practice. Raises GateRefused if he succeeds."""
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        for place, content in [
            *((f"earlier/{n}", ledger.tables(n)) for n in before),
            ("tables", made),
        ]:
            (folder / place).mkdir(parents=True)
            for name, text in content.items():
                (folder / place / name).write_bytes(text)
        stated = {"number": number, "restated": restated}
        (folder / "release.json").write_text(json.dumps(stated), encoding="utf-8")
        gate.audit(*gate.as_published(*verify.published(folder)))


def _entry(
    done: Contribution, population_: str, period: str, made: Mapping[str, bytes]
) -> dict[str, Any]:
    return {
        "kind": "contribution",
        "release": done.number,
        "release_id": done.checksum,
        "population": population_,
        "period": period,
        "first": done.first,
        "last": done.last,
        "as_of": done.as_of,
        "files": {f"tables/{name}": hashlib.sha256(c).hexdigest() for name, c in made.items()},
    }


def _contributor(practice: Folders) -> str:
    """The practice's identifier among contributors; it tells nothing of the practice."""
    path = practice.private / "contributor"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(8), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _write(to: Path, done: Contribution) -> None:
    text = json.dumps(asdict(done) | {"checksum": done.checksum}, indent=1, ensure_ascii=False)
    to.parent.mkdir(parents=True, exist_ok=True)
    staged = to.with_name(f".{to.name}.part")
    staged.write_text(text + "\n", encoding="utf-8")
    staged.replace(to)


def _is_contribution(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_text(encoding="utf-8"))["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False

"""Checks the release it lies in: `python verify.py`, or `python verify.py FOLDER`.

Python's standard library is enough, and nothing is fetched. It recomputes from the tables: every
sum, rate, interval, finding, sentence and figure; it checks by adding up that the worlds of the
certificate fit everything published and leave every hidden count open; and it compares the files
with their checksums and with the ledger. It prints what does not hold and ends with 4, or with 0.

Whoever changes tables, findings, pages, certificate, checksums and ledger all at once, so that they
agree, is not found out from the folder alone. Compare the two numbers printed at the end with those
the publisher has made known elsewhere: they change with every file.
"""

import csv
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

SMALLEST_SHOWN = 11
MAX_WIDTH = 0.30
LEVEL = 95
SYMBOL = "*"
ALL = "all"
OUTCOMES = ("answered", "approved", "denied")
SUMS, LEDGER, PAGE = "SHA256SUMS", "ledger.jsonl", "public_findings.html"
# Table -> the column by which it divides each insurer's claims.
TABLES = {
    "approval_by_insurer_and_condition": "condition",
    "approval_by_insurer_and_quarter": "quarter",
}
# Figure -> table, and the column whose rows it draws.
FIGURES = {
    "approval_by_insurer": ("approval_by_insurer_and_condition", "insurer"),
    "approval_by_condition": ("approval_by_insurer_and_condition", "condition"),
    "approval_by_quarter": ("approval_by_insurer_and_quarter", "quarter"),
}
# Whatever else lies in a release's folder is not of it.
FILES = re.compile(
    r"(CITATION\.cff|README\.md|certificate\.json|datapackage\.json|findings(\.schema)?\.json"
    rf"|public_findings\.(html|pdf)|release\.json|verify\.py|(tables|earlier/\d+)/({'|'.join(TABLES)})"
    rf"\.csv|figures/({'|'.join(FIGURES)})\.(csv|png|svg))"
)
WHAT = "Approved at the first answer"
# What findings.json holds besides the findings on rows: of pools, and single cases told.
OTHERS = ("between_practices", "stories")
# What release.json and the ledger both say of a release.
ON_RECORD = ("population", "first", "last", "period", "as_of")
# Numbers that stand in definitions and explanations; reviewed whenever one is added.
PROSE_NUMBERS = {"95", "1", "10", "11", "30"}
_TOLD_OF_A_FILE = 3
_NUMBERS = ("numerator", "denominator", "estimate", "lower", "upper")
_NUMBER = re.compile(r"\d[\d.,]*")
_Z = NormalDist().inv_cdf(0.5 + LEVEL / 200)


class Cell(NamedTuple):
    """One count of one release; `all` where it is a total."""

    release: int
    insurer: str
    condition: str
    quarter: str
    outcome: str


Counts = dict[Cell, "int | None"]
Sums = list[tuple[Cell, tuple[Cell, ...]]]


class Row(NamedTuple):
    """A row of a table: whose claims, and the counts shown (None where hidden)."""

    insurer: str
    condition: str
    quarter: str
    answered: "int | None"
    approved: "int | None"
    denied: "int | None"


class Problem(Exception):  # noqa: N818 - a finding about a release, not a fault of this program
    """Something of a release does not hold; its text names the file and the place."""


def main(arguments: Sequence[str]) -> int:
    """Check a release and print what does not hold; 0 when everything does, else 4."""
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    found = problems(folder)
    for problem in _shortened(found):
        print(f"DOES NOT HOLD  {problem}")
    if found:
        print(f"{len(found)} problems: do not quote this release.")
        return 4
    print("Everything holds: checksums, ledger, sums, certificate, findings, page, figures.")
    if _json(folder, "release.json")["made_up"]:
        print("Made-up data: no number in it is real. Do not quote them.")
    print(f"Release   {release_id(folder)}")
    print(f"Ledger    {ledger_head(folder)}")
    print("Compare both with what the publisher made known elsewhere.")
    return 0


def _shortened(found: Sequence[str]) -> Iterator[str]:
    """The first problems of each file: one wrong count makes many others disagree."""
    met: dict[str, int] = {}
    for problem in found:
        place = problem.split(":")[0]
        met[place] = met.get(place, 0) + 1
        if met[place] <= _TOLD_OF_A_FILE:
            yield problem
    for place, n in met.items():
        if n > _TOLD_OF_A_FILE:
            yield f"{place}: and {n - _TOLD_OF_A_FILE} more"


def problems(folder: Path) -> list[str]:
    """Everything that does not hold, one sentence each."""
    found: list[str] = []
    if not (folder / "release.json").is_file():
        return [f"{folder}: no release lies here (release.json is missing)"]
    checks = (_checksums, _ledger, _tables, _certificate, _findings, _page, _figures, _texts)
    for check in checks:
        try:
            found += check(folder)
        except Problem as problem:
            found.append(str(problem))
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as problem:
            found.append(f"{check.__name__.strip('_')}: cannot be read ({type(problem).__name__})")
    return list(dict.fromkeys(found))


# ---- files ----------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(folder: Path) -> dict[str, str]:
    """Every file of a release but its ledger and checksums, with its SHA-256."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    kept = [n for n in names if n not in (SUMS, LEDGER) and "__pycache__" not in n]
    return {name: sha256(folder / name) for name in kept}


def release_id(folder: Path) -> str:
    """The release's own number: a hash of its tables, findings, figures' data and certificate."""
    files = files_of(folder)
    named = [
        name
        for name in files
        if name in ("release.json", "findings.json", "certificate.json")
        or (name.startswith(("tables/", "figures/", "earlier/")) and name.endswith(".csv"))
    ]
    return _digest("".join(f"{files[name]}  {name}\n" for name in named))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _json(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _checksums(folder: Path) -> Iterator[str]:
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    there = files_of(folder) | {LEDGER: sha256(folder / LEDGER)}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            yield f"{path.relative_to(folder).as_posix()}: a link; a release holds none"
    for name in sorted(listed.keys() | there.keys()):
        if name != LEDGER and not FILES.fullmatch(name):
            yield f"{name}: no file of a release"
        if name not in there:
            yield f"{name}: listed in {SUMS}, but missing"
        elif name not in listed:
            yield f"{name}: not listed in {SUMS}"
        elif there[name] != listed[name]:
            yield f"{name}: changed since {SUMS} was written"


# ---- ledger ---------------------------------------------------------------------------------


def ledger_entries(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Each entry of the ledger with the hash of its line."""
    lines = (folder / LEDGER).read_text(encoding="utf-8").splitlines()
    return [(_digest(line), json.loads(line)) for line in lines]


def ledger_head(folder: Path) -> str:
    """The hash of the ledger's last entry, which holds those of all before it."""
    return ledger_entries(folder)[-1][0]


def _ledger(folder: Path) -> Iterator[str]:
    entries = ledger_entries(folder)
    previous = "0" * 64
    for place, (digest, entry) in enumerate(entries, start=1):
        if entry["previous"] != previous:
            yield f"{LEDGER}: the chain is broken before entry {place}"
        previous = digest
    number = _json(folder, "release.json")["number"]
    of_releases = {e["release"]: e for _, e in entries if e["kind"] != "retraction"}
    for missing in sorted({*range(1, max(of_releases, default=0) + 1)} - of_releases.keys()):
        yield f"{LEDGER}: the entry of release {missing} is missing"
    if number not in of_releases:
        yield f"{LEDGER}: release {number} is not in it"
        return
    for _, entry in entries:
        if entry["kind"] == "retraction" and entry["release"] == number:
            yield f"release {number} was retracted: {entry['reason']}"
        if entry["kind"] == "correction" and entry["corrects"] == number:
            yield f"release {number} was replaced by release {entry['release']}: {entry['reason']}"
    recorded, there = of_releases[number]["files"], files_of(folder)
    for name in sorted(recorded.keys() | there.keys()):
        if recorded.get(name) != there.get(name):
            yield f"{name}: not as the ledger recorded it"
    own, stated = of_releases[number], _json(folder, "release.json")
    if own["release_id"] != release_id(folder):
        yield f"{LEDGER}: the release's number is not that of its files"
    for name in ON_RECORD:
        if own[name] != stated[name]:
            yield f"release.json: {name} is {stated[name]}, the ledger recorded {own[name]}"
    for other in of_releases.values():
        counts_the_same = other["first"] <= own["last"] and own["first"] <= other["last"]
        is_judged = other["release"] in _earlier(folder)
        if other["release"] < number and counts_the_same and not is_judged:
            yield f"earlier/{other['release']}: missing, though it counts the same months"
    for earlier in _earlier(folder):
        for table in TABLES:
            name = f"tables/{table}.csv"
            path = folder / "earlier" / str(earlier) / f"{table}.csv"
            if of_releases.get(earlier, {"files": {}})["files"].get(name) != sha256(path):
                yield f"{path.relative_to(folder).as_posix()}: not what release {earlier} published"


def _earlier(folder: Path) -> list[int]:
    parent = folder / "earlier"
    return sorted(int(path.name) for path in parent.iterdir()) if parent.is_dir() else []


# ---- tables ---------------------------------------------------------------------------------


def read_rows(path: Path) -> list[Row]:
    """The rows of one table. Raises Problem naming the row that cannot be read."""
    divided_by = TABLES[path.stem]
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        expected = ["insurer", divided_by, *OUTCOMES]
        if reader.fieldnames != expected:
            raise Problem(f"tables/{path.name}: its columns are not {', '.join(expected)}")
        rows = []
        for line, cells in enumerate(reader, start=2):
            counts = [_count(cells[outcome], path, line) for outcome in OUTCOMES]
            other = cells[divided_by]
            condition, quarter = (other, ALL) if divided_by == "condition" else (ALL, other)
            rows.append(Row(cells["insurer"], condition, quarter, *counts))
        return rows


def _count(text: str, path: Path, line: int) -> "int | None":
    if text == SYMBOL:
        return None
    if not re.fullmatch(r"0|[1-9]\d*", text):
        raise Problem(f"tables/{path.name}, line {line}: '{text}' is no count")
    return int(text)


def stated_rate(row: Row, design_effect: float) -> "tuple[float, float, float] | None":
    """Share approved and its 95% interval; None where counts are hidden, few or too uncertain."""
    if row.approved is None or row.answered is None or row.answered < SMALLEST_SHOWN:
        return None
    share, n = row.approved / row.answered, row.answered / design_effect
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * (share * (1 - share) / n + _Z**2 / (4 * n**2)) ** 0.5
    lower, upper = max(0.0, middle - half), min(1.0, middle + half)
    return None if upper - lower > MAX_WIDTH else (share, lower, upper)


def read_tables(folder: Path) -> dict[str, list[Row]]:
    """The tables of a release (folder `tables`) or of an earlier one (`earlier/<number>`)."""
    return {name: read_rows(folder / f"{name}.csv") for name in TABLES}


def counts_of(release: int, tables: dict[str, list[Row]]) -> Counts:
    """Every published count. Raises Problem when two tables tell one count differently."""
    counts: Counts = {}
    for name, rows in tables.items():
        for row in rows:
            for outcome in OUTCOMES:
                cell = Cell(release, row.insurer, row.condition, row.quarter, outcome)
                value = getattr(row, outcome)
                if counts.setdefault(cell, value) != value:
                    raise Problem(f"tables/{name}.csv: {in_words(cell)} differs between tables")
    return counts


def sums_of(release: int, tables: dict[str, list[Row]]) -> Sums:
    """How the counts of a release add up: over insurers, over the dividing column, over outcomes.

    Raises Problem when a table does not have every combination of its categories once, or, where it
    tells them one by one, every total.
    """
    sums: Sums = []
    for name, rows in tables.items():
        divided_by = TABLES[name]
        keys = [(row.insurer, getattr(row, divided_by)) for row in rows]
        insurers = list(dict.fromkeys(insurer for insurer, _ in keys))
        others = list(dict.fromkeys(other for _, other in keys))
        crossed = [(i, o) for i in insurers for o in others]
        one_by_one = [key for key in crossed if ALL in key]
        if keys not in (crossed, one_by_one) or (ALL, ALL) not in keys:
            raise Problem(f"tables/{name}.csv: not every combination of categories stands once")

        def cell(insurer: str, other: str, outcome: str, by: str = divided_by) -> Cell:
            condition, quarter = (other, ALL) if by == "condition" else (ALL, other)
            return Cell(release, insurer, condition, quarter, outcome)

        for i, o in keys:
            sums.append((cell(i, o, "answered"), (cell(i, o, "approved"), cell(i, o, "denied"))))
        for outcome in OUTCOMES:
            for o in others:
                apart = [(i, o) for i in insurers if i != ALL and (i, o) in keys]
                sums.append((cell(ALL, o, outcome), tuple(cell(*key, outcome) for key in apart)))
            for i in insurers:
                apart = [(i, o) for o in others if o != ALL and (i, o) in keys]
                sums.append((cell(i, ALL, outcome), tuple(cell(*key, outcome) for key in apart)))
    return [(total, parts) for total, parts in sums if parts]


def in_words(cell: Cell) -> str:
    """A cell as a reader finds it in the tables."""
    who = "all insurers" if cell.insurer == ALL else cell.insurer
    what = [part for part in (cell.condition, cell.quarter) if part != ALL]
    return ", ".join([f"release {cell.release}", who, *what, cell.outcome])


def published(folder: Path) -> tuple[Counts, Sums, list[tuple[Cell, Cell]]]:
    """All counts of a release and of the earlier ones, how they add up, and the steps.

    A step is one cell in two releases. Counts of a restated release are no start of one.
    """
    stated = _json(folder, "release.json")
    number = stated["number"]
    counts: Counts = {}
    sums: Sums = []
    places = [(n, folder / "earlier" / str(n)) for n in _earlier(folder)]
    for release, place in [*places, (number, folder / "tables")]:
        tables = read_tables(place)
        counts |= counts_of(release, tables)
        sums += sums_of(release, tables)
    order = [n for n, _ in places] + [number]
    steps = [
        (Cell(before, *cell[1:]), cell)
        for place, after in enumerate(order)
        for before in order[:place]
        if [before, after] not in stated["restated"]
        for cell in counts
        if cell.release == after and Cell(before, *cell[1:]) in counts
    ]
    return counts, sums, steps


def _tables(folder: Path) -> Iterator[str]:
    counts, sums, _ = published(folder)
    for problem in contradictions(counts, sums):
        yield f"tables: {problem}"


def contradictions(counts: Counts, sums: Sums) -> Iterator[str]:
    """Where shown counts do not add up, or one from 1 to 10 is shown."""
    for total, parts in sums:
        values = [counts[part] for part in parts]
        if counts[total] is not None and None not in values:
            added = sum(value or 0 for value in values)
            if counts[total] != added:
                yield f"{in_words(total)} is {counts[total]}, its parts add up to {added}"
    for cell, value in counts.items():
        if value is not None and 0 < value < SMALLEST_SHOWN:
            yield f"{in_words(cell)} shows a count under {SMALLEST_SHOWN}"


# ---- certificate ----------------------------------------------------------------------------


def _certificate(folder: Path) -> Iterator[str]:
    counts, sums, steps = published(folder)
    stated = _json(folder, "certificate.json")
    cells = [Cell(**{k: entry[k] for k in Cell._fields}) for entry in stated["hidden"]]
    hidden = [cell for cell, value in counts.items() if value is None]
    if sorted(cells) != sorted(hidden):
        yield "certificate.json: it does not list exactly the hidden counts"
        return
    worlds = [dict(zip(cells, world, strict=True)) for world in stated["worlds"]]
    for place, world in enumerate(worlds, start=1):
        yield from _misfit(place, {**counts, **world}, sums, steps)
    outer = outer_ranges(counts, sums, steps)
    for entry, cell in zip(stated["hidden"], cells, strict=True):
        values = [world[cell] for world in worlds]
        most = max(values)
        if most < SMALLEST_SHOWN:
            yield f"certificate.json: no world shows that {in_words(cell)} may be 11 or more"
        if most == min(values):
            yield f"certificate.json: all worlds agree on {in_words(cell)}"
        low, high = outer[cell]
        upper = entry["most"] if entry["most"] is not None else sys.maxsize
        if not low <= entry["least"] <= min(values) or not most <= upper <= high:
            yield f"certificate.json: the range of {in_words(cell)} is not what can be shown"
    full = [{**counts, **world} for world in worlds] or [counts]
    for before, after in steps:
        added = [(world[after] or 0) - (world[before] or 0) for world in full]
        if all(0 < n < SMALLEST_SHOWN for n in added):
            since = f"gained 1 to 10 since release {before.release}"
            yield f"certificate.json: {in_words(after)} {since}"


def _misfit(place: int, world: Counts, sums: Sums, steps: list[tuple[Cell, Cell]]) -> Iterator[str]:
    for total, parts in sums:
        if world[total] != sum(world[part] or 0 for part in parts):
            yield f"tables or certificate.json: {in_words(total)} does not fit world {place}"
    for before, after in steps:
        if (world[after] or 0) < (world[before] or 0):
            yield f"tables or certificate.json: {in_words(after)} falls in world {place}"
    if any(not isinstance(value, int) or value < 0 for value in world.values()):
        yield f"certificate.json: world {place} holds what is no count"


def outer_ranges(
    counts: Counts, sums: Sums, steps: list[tuple[Cell, Cell]]
) -> dict[Cell, tuple[int, int]]:
    """For each count a range that surely holds every possible value: sums passed on until still.

    Wider than what an attacker with linear programs reaches, so it can only bound his claims.
    """
    low = {cell: 1 if value is None else value for cell, value in counts.items()}
    high = {cell: sys.maxsize if value is None else value for cell, value in counts.items()}
    for _ in range(50):
        before = (dict(low), dict(high))
        for total, parts in sums:
            least, most = sum(low[p] for p in parts), sum(high[p] for p in parts)
            low[total], high[total] = max(low[total], least), min(high[total], most)
            for part in parts:
                low[part] = max(low[part], low[total] - (most - high[part]))
                high[part] = min(high[part], high[total] - (least - low[part]))
                least, most = sum(low[p] for p in parts), sum(high[p] for p in parts)
        for earlier, later in steps:
            low[later] = max(low[later], low[earlier])
            high[earlier] = min(high[earlier], high[later])
        if before == (low, high):
            break
    return {cell: (low[cell], high[cell]) for cell, value in counts.items() if value is None}


# ---- findings -------------------------------------------------------------------------------


def rows_with_findings(folder: Path) -> list[Row]:
    """The rows that findings are made of: every row with a rate, each once."""
    effect = _json(folder, "release.json")["design_effect"]
    rows: list[Row] = []
    for table in read_tables(folder / "tables").values():
        rows += [row for row in table if stated_rate(row, effect) and row not in rows]
    return [row for row in rows if row.quarter == ALL or row.insurer == ALL]


def _findings(folder: Path) -> Iterator[str]:
    stated = _json(folder, "release.json")
    found = _json(folder, "findings.json")["findings"]
    rows = {row[:3]: row for row in rows_with_findings(folder)}
    told = set()
    for place, finding in enumerate(found, start=1):
        name = f"findings.json, finding {finding['number']}"
        about = tuple(finding["row"][column] for column in ("insurer", "condition", "quarter"))
        row = rows.get(about)
        if finding["number"] != place or row is None or about in told:
            yield f"{name}: no row of the tables carries it"
            continue
        told.add(about)
        share, lower, upper = stated_rate(row, stated["design_effect"]) or (0.0, 0.0, 0.0)
        right = {
            "numerator": row.approved,
            "denominator": row.answered,
            "estimate": round(share, 9),
            "lower": round(lower, 9),
            "upper": round(upper, 9),
            **{name: stated[name] for name in ("population", "period", "as_of", "definition")},
            "sources": [f"tables/{table_of(row)}.csv"],
            "values": {
                **{name: at for name, at in finding["row"].items() if at != ALL},
                "whose": stated["population"].removeprefix("claims of "),
                "level": LEVEL,
            },
        }
        for field, value in right.items():
            same = (
                abs(finding[field] - value) < 1e-8
                if isinstance(value, float)
                else finding[field] == value
            )
            if not same:
                yield f"{name}: {field} is {finding[field]}, the tables give {value}"
        if finding["sentence"] != sentence(finding):
            yield f"{name}: its sentence does not say its own numbers"
        if finding["template"] != stated["templates"].get(_kind(row)):
            yield f"{name}: its sentence is not worded as the release's findings are"
    for about in rows.keys() - told:
        yield f"findings.json: the finding on {', '.join(about)} is missing"
    yield from _between(folder, len(found))
    yield from _stories(folder, found)


def _between(folder: Path, n_before: int) -> Iterator[str]:
    """What can be checked of the findings on differences between practices: that they agree."""
    stated = _json(folder, "release.json")
    found = _json(folder, "findings.json").get("between_practices", [])
    if found and "contributors" not in stated:
        yield "findings.json: differences between practices in a release that is no pool"
        return
    for place, finding in enumerate(found, start=n_before + 1):
        name = f"findings.json, finding {finding['number']}"
        values = finding["values"]
        kind = "between_insurer" if "insurer" in values else "between"
        ends = (values["predicted_lower"], finding["lower"], finding["estimate"],
                finding["upper"], values["predicted_upper"])  # fmt: skip
        if finding["number"] != place:
            yield f"{name}: out of order"
        if list(ends) != sorted(ends) or not 0 <= ends[0] <= ends[-1] <= 1:
            yield f"{name}: its intervals do not hold its estimate"
        if not values["sd_lower"] <= values["sd"] <= values["sd_upper"]:
            yield f"{name}: its interval does not hold its standard deviation"
        if not stated["fewest_contributors"] <= finding["denominator"] <= stated["contributors"]:
            yield f"{name}: {finding['denominator']} practices of {stated['contributors']}"
        if finding["sentence"] != sentence(finding):
            yield f"{name}: its sentence does not say its own numbers"
        if finding["template"] != stated["templates"].get(kind):
            yield f"{name}: its sentence is not worded as the release's findings are"


def _stories(folder: Path, findings: list[dict[str, Any]]) -> Iterator[str]:
    """What can be checked of single cases: no number of their own, and the rate of claims like."""
    stated, found = _json(folder, "release.json"), _json(folder, "findings.json")
    first = len(findings) + len(found.get("between_practices", [])) + 1
    for place, story in enumerate(found.get("stories", []), start=first):
        name = f"findings.json, finding {story['number']}"
        values = story["values"]
        like = {n: values[n] for n in ("insurer", "condition") if n in values}
        bases = [f for f in findings if {n: v for n, v in f["row"].items() if v != ALL} == like]
        if story["number"] != place:
            yield f"{name}: out of order"
        if {n: v for n, v in story["row"].items() if v != ALL} != like:
            yield f"{name}: its row is not that of its case"
        if _NUMBER.search(values["title"] + values["text"]):
            yield f"{name}: its case holds a number"
        if not bases or values["base"] != bases[0]["sentence"]:
            yield f"{name}: the rate beside its case is no finding's of this release"
        elif any(story[n] != bases[0][n] for n in _NUMBERS):
            yield f"{name}: its numbers are not those of the rate beside its case"
        if story["sentence"] != sentence(story):
            yield f"{name}: its sentence does not say its own words"
        if story["template"] != stated["templates"].get("story"):
            yield f"{name}: its sentence is not worded as the release's findings are"


def table_of(row: Row) -> str:
    """The table that a row stands in; rows of totals over both stand in the first."""
    first, second = TABLES
    return first if row.quarter == ALL else second


def _kind(row: Row) -> str:
    return "_".join(
        column for column in ("insurer", "condition", "quarter") if getattr(row, column) != ALL
    )


def sentence(finding: dict[str, Any]) -> str:
    """The sentence of a finding, filled in again from its template and its numbers."""
    values = {**finding, **finding["values"]}
    return re.sub(
        r"\{(\w+)(?::([^}]+))?\}",
        lambda match: written(values[match[1]], match[2] or ""),
        finding["template"],
    )


def written(value: Any, kind: str) -> str:
    """A value as the findings write it."""
    if kind == "percent":
        if 0 < value < 0.005:
            return "under 1%"
        if 0.995 <= value < 1:
            return "over 99%"
        return f"{_whole(value)}%"
    if kind == "whole":
        return str(_whole(value))
    if kind.startswith("n "):
        return f"{value:,} {kind[2:]}{'' if value == 1 else 's'}"
    if kind == "count":
        return f"{value:,}"
    if kind == "date":
        day = date.fromisoformat(value)
        return f"{day.day} {day:%B %Y}"
    return str(value)


def _whole(share: float) -> int:
    return int(100 * share + 0.5 + 1e-9)


# ---- page and figures -----------------------------------------------------------------------


class _Text(HTMLParser):
    """The texts of a page: findings' sentences, rows of tables, everything else but pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.sentences: list[str] = []
        self.rows: list[list[str]] = []
        self.rest: list[str] = []
        self.labels: list[str] = []
        self.open: list[str] = []
        self.is_finding = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, "str | None"]]) -> None:
        if tag in ("meta", "link", "br", "img", "hr", "path", "use"):
            return
        self.open.append(tag)
        self.labels += [
            said or "" for name, said in attrs if name in ("alt", "aria-label", "title")
        ]
        if ("class", "finding") in attrs:
            self.sentences.append("")
            self.is_finding = True
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass
        if tag == "p":
            self.is_finding = False

    def handle_data(self, data: str) -> None:
        if {"style", "svg", "title"} & set(self.open):
            return
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        elif self.is_finding:
            self.sentences[-1] += data
        else:
            self.rest.append(data)


def _page(folder: Path) -> Iterator[str]:
    page = _Text()
    page.feed((folder / PAGE).read_text(encoding="utf-8"))
    stated_findings = _json(folder, "findings.json")
    found = stated_findings["findings"]
    found += [one for name in OTHERS for one in stated_findings.get(name, [])]
    sentences = [text.strip() for text in page.sentences]
    right = [f"Finding {finding['number']}. {finding['sentence']}" for finding in found]
    for text in sentences:
        if text not in right:
            yield f"{PAGE}: a sentence is no finding's: {text[:90]}"
    for text in right:
        if text not in sentences:
            yield f"{PAGE}: a finding is not said: {text[:90]}"
    stated = _json(folder, "release.json")
    effect = stated["design_effect"]
    tables = read_tables(folder / "tables").values()
    rows = {tuple(shown_cells(row, effect)) for table in tables for row in table}
    for cells in page.rows:
        said = [cell.strip() for cell in cells]
        if cells[0] in ("Insurer", "Condition", "Quarter"):
            continue
        if tuple(said) not in rows:
            yield f"{PAGE}: a row is not the released table's: {' | '.join(said)}"
    allowed = set(_NUMBER.findall(json.dumps(stated, ensure_ascii=False)))
    allowed |= {n for f in found for n in _NUMBER.findall(json.dumps(f["values"]))}
    allowed |= PROSE_NUMBERS
    pictures = [label for label, _ in _drawn(folder).values()]
    for label in pictures:
        if label not in page.labels:
            yield f"{PAGE}: no picture says {label[:90]}"
    page.rest += [label for label in page.labels if label not in pictures]
    texts = " ".join(page.rest)
    if release_id(folder)[:12] not in texts:
        yield f"{PAGE}: it does not name this release, {release_id(folder)[:12]}"
    # Whatever release it names is no number.
    texts = re.sub(r"\b[0-9a-f]{12}\b", "", texts)
    for number in _NUMBER.findall(texts):
        if number.rstrip(".,") not in {a.rstrip(".,") for a in allowed}:
            yield f"{PAGE}: the number {number} is bound to no finding"


def shown_cells(row: Row, design_effect: float) -> list[str]:
    """A row as the page shows it: category, counts, share and interval in percent."""
    labels = [part for part in row[:3] if part != ALL] or [ALL]
    counts = [SYMBOL if n is None else f"{n:,}" for n in row[3:]]
    rate = stated_rate(row, design_effect)
    if rate is None:
        return [*labels, *counts, "not stated", "not stated"]
    share, lower, upper = rate
    return [*labels, *counts, written(share, "percent"), f"{_whole(lower)} to {_whole(upper)}%"]


def _drawn(folder: Path) -> "dict[str, tuple[str, list[list[str]]]]":
    """Each figure's alternative text and the rows it draws; a figure without rows is not made."""
    effect = _json(folder, "release.json")["design_effect"]
    tables = read_tables(folder / "tables")
    drawn = {}
    for name, (table, column) in FIGURES.items():
        rows = figure_rows(tables[table], column, effect)
        words = [
            f"{label} {written(float(share), 'percent')}"
            f" ({_whole(float(lower))} to {_whole(float(upper))}, n {int(n):,})"
            for label, share, lower, upper, n in rows
        ]
        if rows:
            drawn[name] = (f"{WHAT}: {'; '.join(words)}.", rows)
    return drawn


def _figures(folder: Path) -> Iterator[str]:
    for name, (label, rows) in _drawn(folder).items():
        with (folder / "figures" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            if list(csv.reader(file))[1:] != rows:
                yield f"figures/{name}.csv: not the numbers of the tables"
        picture = (folder / "figures" / f"{name}.svg").read_text(encoding="utf-8")
        if f'aria-label="{_escaped(label)}"' not in picture:
            yield f"figures/{name}.svg: it does not say {label}"


def _texts(folder: Path) -> Iterator[str]:
    """Words: which release this is, whose, its first finding, how many claims have no answer."""
    stated, digest = _json(folder, "release.json"), release_id(folder)
    found = _json(folder, "findings.json")["findings"][:1]
    named = {
        "CITATION.cff": [json.dumps(stated["publisher"], ensure_ascii=False), digest[:12]],
        "README.md": [stated["publisher"], digest, *(one["sentence"] for one in found)],
        # A pool is given no claims without an answer.
        PAGE: [stated["unanswered"]] if "unanswered" in stated else [],
    }
    for name, words in named.items():
        text = (folder / name).read_text(encoding="utf-8")
        for word in words:
            if word not in text:
                yield f"{name}: it does not say {word}"


def _escaped(text: str) -> str:
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(sign, entity)
    return text.replace("'", "&#x27;")


def figure_rows(rows: list[Row], column: str, design_effect: float) -> list[list[str]]:
    """What a figure draws: label, estimate, lower, upper, n of each category with a rate."""
    drawn = []
    for row in rows:
        others = [part for name, part in zip(Row._fields, row[:3], strict=False) if name != column]
        rate = stated_rate(row, design_effect)
        if getattr(row, column) != ALL and set(others) == {ALL} and rate:
            drawn.append([getattr(row, column), *(f"{s:.9f}" for s in rate), str(row.answered)])
    return drawn


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

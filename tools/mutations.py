"""Writes docs/mutations.md: what the program notices of damage done to its input files.

python tools/mutations.py

One change at a time is made to the 837P and 835 files of a made-up practice, and everything is read
and determined anew. A change is noticed when something is marked that was not marked before: a
record set aside, a sum, count or number that does not agree, a code nobody knows, an answer whose
claim or line is not found or in doubt. It is harmless when every table is the same as without it.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from functools import cache
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zipfile import ZipFile

import pyarrow as pa

from analysis import outcomes, synthetic
from analysis.claims import balances, coding, lineage
from analysis.config import Practice
from analysis.intake.folder import read_folder
from analysis.intake.pseudonymize import Pseudonyms

PAGE = Path(__file__).parents[1] / "docs" / "mutations.md"
N_EACH = 30
NOTICED, HARMLESS, UNSEEN = "noticed", "harmless", "unseen"

_AS_OF = date(2026, 9, 30)
# Where a record stands moves with the file; ids are made from content and place.
_PLACE = re.compile(r"^(file_name|file_hash|interchange|segment|position|duplicate_of)$|.+_id$")
_NAMES_OF_OTHERS = ("patient_id", "payer_id", "plan_id")

Tables = dict[str, pa.Table]
Segments = list[list[str]]


class Mutation(NamedTuple):
    """One change: its kind, the segment it was made to, the interchange and its new text."""

    kind: str
    segment: str
    place: int
    text: str

    def told(self) -> str:
        """The first segment that is no longer what it was; everybody in it is made up."""
        before, after = _split(interchanges()[self.place]), _split(self.text)
        pairs = list(zip_longest(before, after, fillvalue=list[str]()))
        was, now = next(pair for pair in pairs if pair[0] != pair[1])
        return f"`{'*'.join(was)}` became `{'*'.join(now)}`"


class Judged(NamedTuple):
    """What became of one change; `told` is every text that a person is shown because of it."""

    kind: str
    segment: str
    verdict: str
    told: str
    change: str


# ---- the files ----------------------------------------------------------------------------


@cache
def interchanges(n_claims: int = 30, seed: int = 11) -> tuple[str, ...]:
    """The interchanges of a small made-up practice; archives opened, copies left out."""
    found: dict[str, None] = {}
    with TemporaryDirectory() as root:
        made = synthetic.synthesize(
            "s", data_dir=Path(root), n_claims=n_claims, n_months=3, seed=seed
        )
        for path in sorted(made.raw_dir.iterdir()):
            if path.suffix == ".zip":
                with ZipFile(path) as archive:
                    found.update((archive.read(name).decode(), None) for name in archive.namelist())
            elif path.read_bytes().startswith(b"ISA"):
                found[path.read_text(encoding="utf-8")] = None
    return tuple(found)


def determined(files: Mapping[str, str]) -> Tables:
    """Every table up to the outcomes and the balances, of files by their names."""
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8", newline="")
        made = read_folder(Path(folder), Practice(as_of=_AS_OF), Pseudonyms(b"k" * 32))
    made |= lineage.lineage(made)
    made |= outcomes.outcomes(made, _AS_OF)
    return made | balances.balances(made) | coding.coding(made)


def _one_by_one(texts: Iterable[str]) -> dict[str, str]:
    return {f"{place:03}.x12": text for place, text in enumerate(texts)}


# ---- the changes --------------------------------------------------------------------------

# Where amounts, dates and codes stand: segment -> elements.
_AMOUNTS = {
    "BPR": (2,), "CLP": (3, 4, 5), "SVC": (2, 3), "CAS": (3, 6), "PLB": (4,), "CLM": (2,),
    "SV1": (2,), "AMT": (2,),
}  # fmt: skip
_DATES = {"DTM": (2,), "DTP": (3,), "BPR": (16,)}
_CODES = {"CLP": (2,), "SVC": (1,), "CAS": (1, 2), "SV1": (1,), "HI": (1,), "LQ": (2,), "CLM": (5,)}
_COUNTS = {"SE": (1,), "GE": (1,), "IEA": (1,), "HL": (1, 2), "SVC": (5, 7), "SV1": (4,)}
_NUMBERS = {
    "ISA": (13,), "IEA": (2,), "GS": (6,), "GE": (2,), "ST": (2,), "SE": (2,), "TRN": (2,),
    "CLP": (1, 7), "CLM": (1,), "REF": (2,), "LX": (1,),
}  # fmt: skip


def _split(text: str) -> Segments:
    element, end = text[3], text[105]
    return [part.strip("\n").split(element) for part in text.split(end) if part.strip("\n")]


def _joined(segments: Segments, like: str) -> str:
    element, end = like[3], like[105]
    return "".join(element.join(segment) + end + "\n" for segment in segments)


def _dropped(segments: Segments, at: int, _: random.Random) -> Segments:
    return segments[:at] + segments[at + 1 :]


def _doubled(segments: Segments, at: int, _: random.Random) -> Segments:
    return segments[: at + 1] + segments[at:]


def _swapped(segments: Segments, at: int, _: random.Random) -> Segments:
    after = min(at + 1, len(segments) - 1)
    changed = list(segments)
    changed[at], changed[after] = changed[after], changed[at]
    return changed


def _shortened(segments: Segments, at: int, dice: random.Random) -> Segments:
    kept = segments[at][: dice.randrange(1, max(2, len(segments[at])))]
    return [*segments[:at], kept, *segments[at + 1 :]]


def _on(places: Mapping[str, tuple[int, ...]], change: Callable[[str, random.Random], str]) -> Any:
    """A change to one of the elements at `places`; segments without one stay as they are."""

    def changed(segments: Segments, at: int, dice: random.Random) -> Segments:
        segment = list(segments[at])
        there = [n for n in places.get(segment[0], ()) if n < len(segment) and segment[n]]
        if there:
            n = dice.choice(there)
            segment[n] = change(segment[n], dice)
        return [*segments[:at], segment, *segments[at + 1 :]]

    changed.places = places  # type: ignore[attr-defined]
    return changed


def _other_digit(text: str, dice: random.Random) -> str:
    at = dice.choice([n for n, sign in enumerate(text) if sign.isdigit()] or [0])
    return text[:at] + dice.choice([d for d in "0123456789" if d != text[at]]) + text[at + 1 :]


def _other_day(text: str, dice: random.Random) -> str:
    days = dice.choice((-30, -1, 1, 30))
    moved = date.fromisoformat(text[:8]) + timedelta(days=days)
    return f"{moved:%Y%m%d}{text[8:]}"


def _other_sign(text: str, dice: random.Random) -> str:
    at = dice.choice([n for n, sign in enumerate(text) if sign.isalnum()])
    other = "0123456789" if text[at].isdigit() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return text[:at] + dice.choice([sign for sign in other if sign != text[at]]) + text[at + 1 :]


_CHANGES: dict[str, Callable[[Segments, int, random.Random], Segments]] = {
    "a segment dropped": _dropped,
    "a segment doubled": _doubled,
    "two neighbours swapped": _swapped,
    "a segment cut short": _shortened,
    "an amount changed": _on(_AMOUNTS, _other_digit),
    "a date changed": _on(_DATES, _other_day),
    "a code changed": _on(_CODES, _other_sign),
    "a count changed": _on(_COUNTS, _other_digit),
    "a number that names something changed": _on(_NUMBERS, _other_sign),
}


def _cut(text: str, dice: random.Random) -> str:
    return text[: dice.randrange(1, len(text) - 1)]


def _delimited(text: str, dice: random.Random) -> str:
    """The ISA announces another delimiter than the file uses."""
    at = dice.choice((3, 104, 105))
    return (
        text[:at] + dice.choice([sign for sign in "|^:>*~!" if sign != text[at]]) + text[at + 1 :]
    )


_TEXT_CHANGES = {"the file cut short": _cut, "a delimiter changed": _delimited}
KINDS = (*_CHANGES, *_TEXT_CHANGES)


def mutations(n_each: int, seed: int) -> Iterator[Mutation]:
    """`n_each` changes of every kind, each to one interchange, that do change its text."""
    texts = interchanges()
    for kind in KINDS:
        dice = random.Random(f"{seed} {kind}")  # noqa: S311 - chance, not secrecy
        made = 0
        while made < n_each:
            place = dice.randrange(len(texts))
            text = texts[place]
            if change := _CHANGES.get(kind):
                segments = _split(text)
                wanted = getattr(change, "places", None)
                choice = [n for n, s in enumerate(segments) if wanted is None or s[0] in wanted]
                at = dice.choice(choice)
                name, after = segments[at][0], _joined(change(segments, at, dice), text)
            else:
                name, after = "", _TEXT_CHANGES[kind](text, dice)
            if _split(after) != _split(text) if name else after != text:
                made += 1
                yield Mutation(kind, name, place, after)


# ---- what is noticed ----------------------------------------------------------------------


def judged(mutation: Mutation) -> Judged:
    """Read and determine everything with the change made, and compare with the unchanged."""
    texts = list(interchanges())
    texts[mutation.place] = mutation.text
    made, before = determined(_one_by_one(texts)), _unchanged()
    marks = _marks(made)
    if marks - _marks(before):
        verdict = NOTICED
    elif _content(made) == _content(before):
        verdict = HARMLESS
    else:
        verdict = UNSEEN
    told = " ".join(str(value) for mark in marks for value in mark)
    change = mutation.told() if verdict == UNSEEN else ""
    return Judged(mutation.kind, mutation.segment, verdict, told, change)


@cache
def _unchanged() -> Tables:
    return determined(_one_by_one(interchanges()))


def _marks(made: Tables) -> Counter[tuple[Any, ...]]:
    """Everything that the program marks for a person to look at."""
    ledger = [
        (row["record"], row["disposition"], re.sub(r"\d+", "", row["reason"] or ""))
        for row in made["row_ledger"].to_pylist()
        if row["disposition"] != "accepted" or row["reason"]
    ]
    money = _rows(made["imbalances"])
    unknown = _rows(made["unmapped_codes"])
    placed = [
        (name, row["match_kind"], row.get("is_doubtful"))
        for name in ("claim_lineage", "line_lineage", "provider_adjustment_lineage")
        for row in made[name].to_pylist()
        if row.get("is_doubtful")
        or row["match_kind"] in ("remittance_only", "beyond", "none", "several_claims")
    ]
    return Counter([*ledger, *money, *unknown, *placed])


def _content(made: Tables) -> dict[str, Counter[tuple[Any, ...]]]:
    return {name: Counter(_rows(table)) for name, table in made.items() if name != "row_ledger"}


def _rows(table: pa.Table) -> list[tuple[Any, ...]]:
    columns = [c for c in table.column_names if c in _NAMES_OF_OTHERS or not _PLACE.match(c)]
    return [tuple(row.values()) for row in table.select(columns).to_pylist()]


# ---- the page -----------------------------------------------------------------------------


_INTRO = """# What is noticed of damage to the files

Generated by `python tools/mutations.py`; do not edit. One change at a time is made to the 837P and
835 files of a made-up practice, and everything is read and determined anew. Noticed: something is
marked that was not marked before (a record set aside, a sum, count or number that does not agree,
an unknown code, an answer that finds no claim or line, or more than one). Harmless: every table is
the same as without the change. Unseen: neither. Every unseen change is listed below the table, so
that anyone can see what the files left no way to tell: each gives a file that could have been sent
as it stands, such as another day of an accident, and nothing in the other files contradicts it.
"""


def run(n_each: int = N_EACH, seed: int = 1) -> list[Judged]:
    """Every change judged, two at a time."""
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(judged, mutations(n_each, seed), chunksize=8))


def page(results: list[Judged]) -> str:
    """The page as it should stand in docs/."""
    counts = Counter((result.kind, result.verdict) for result in results)
    total = Counter(result.verdict for result in results)
    lines = [
        _INTRO,
        f"**{total[NOTICED] + total[HARMLESS]} of {len(results)} changes were noticed or"
        f" harmless**: {total[NOTICED]} noticed, {total[HARMLESS]} harmless,"
        f" {total[UNSEEN]} unseen. None stopped the program, and no mark shows a patient's value.",
        "",
        "| change | tried | noticed | harmless | unseen | unseen where |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for kind in KINDS:
        where = Counter(r.segment for r in results if r.kind == kind and r.verdict == UNSEEN)
        told = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in sorted(where.items()))
        row = [counts[kind, verdict] for verdict in (NOTICED, HARMLESS, UNSEEN)]
        lines.append(f"| {kind} | {sum(row)} | {' | '.join(map(str, row))} | {told or '–'} |")
    unseen = sorted({f"- {r.kind}: {r.change}" for r in results if r.verdict == UNSEEN})
    if unseen:
        lines += ["", "## What was not seen", "", *unseen]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(run()), encoding="utf-8")

"""The ledger of releases: append-only, each entry holding the hash of the one before.

It lies in the private folder of every practice of a population, with the true counts and the
published tables of each release, so that the next one is judged jointly with all of them. A copy
of its lines, which hold no count, goes with each release. Corrections and retractions are entries.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import GateRefused
from analysis.release import verify
from analysis.release.counted import Categories
from analysis.release.gate import Earlier
from analysis.release.months import Months
from analysis.release.verify import Cell

_FIRST = "0" * 64


@dataclass(frozen=True)
class Ledger:
    """The releases of one population, in a private folder; empty before the first."""

    folder: Path

    @property
    def text(self) -> str:
        """The lines as they stand."""
        path = self.folder / verify.LEDGER
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries in their order. Raises GateRefused when the chain is broken or too old."""
        previous, entries = _FIRST, []
        for place, line in enumerate(self.text.splitlines(), start=1):
            entry = json.loads(line)
            if entry["previous"] != previous:
                raise GateRefused(
                    f"{self.folder}: the ledger of releases is broken before entry {place}; "
                    "restore it from a release's own copy (ledger.jsonl) before releasing again"
                )
            if entry["kind"] != "retraction" and "first" not in entry:
                raise GateRefused(
                    f"{self.folder}: entry {place} of the ledger of releases does not say which "
                    "months it counts, for an earlier version wrote it. To go on, put that folder "
                    "aside, and release only months (--from) after those it published: of the "
                    "others the gate no longer knows what was shown"
                )
            entries.append(entry)
            previous = digest(line)
        return entries

    @property
    def numbers(self) -> list[int]:
        """The numbers of all releases ever made, retracted ones included: they stay known."""
        return sorted({e["release"] for e in self.entries if e["kind"] != "retraction"})

    @property
    def months(self) -> dict[int, Months]:
        """The months that each release counts, retracted ones included."""
        return {
            e["release"]: Months(e["first"], e["last"])
            for e in self.entries
            if e["kind"] != "retraction"
        }

    def tied(self, months: Months) -> list[int]:
        """The numbers of the releases that count some of `months`, in their order."""
        return [n for n, other in sorted(self.months.items()) if other.overlaps(months)]

    def reason_of_retraction(self, number: int) -> str:
        """Why a release was retracted, or ''."""
        reasons = [
            str(entry["reason"])
            for entry in self.entries
            if entry["kind"] == "retraction" and entry["release"] == number
        ]
        return reasons[-1] if reasons else ""

    def earlier(self, number: int) -> Earlier:
        """One release as the gate has to take it: its true counts and what it hid."""
        kept = json.loads((self._kept(number) / "counts.json").read_text(encoding="utf-8"))
        values = {Cell(number, *cell): value for *cell, value in kept["counts"]}
        shown = verify.counts_of(number, verify.read_tables(self._kept(number) / "tables"))
        hidden = frozenset(cell for cell, value in shown.items() if value is None)
        return Earlier(number, values, hidden)

    def categories(self, number: int) -> Categories:
        """The categories of a release."""
        kept = json.loads((self._kept(number) / "counts.json").read_text(encoding="utf-8"))
        stated = kept["categories"]
        names = {name: tuple(those) for name, those in stated.items() if name != "is_crossed"}
        return Categories(**names, is_crossed=stated.get("is_crossed", True))

    def tables(self, number: int) -> dict[str, bytes]:
        """The published tables of a release, by file name."""
        folder = self._kept(number) / "tables"
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}

    def line(self, entry: Mapping[str, Any]) -> str:
        """The line that would append `entry`."""
        lines = self.text.splitlines()
        chained = {**entry, "previous": digest(lines[-1]) if lines else _FIRST}
        return json.dumps(chained, sort_keys=True, ensure_ascii=False)

    def append(self, line: str) -> None:
        """Append a line made by `line`; the file is replaced whole."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged = self.folder / f".{verify.LEDGER}.part"
        staged.touch(mode=0o600)
        staged.write_text(f"{self.text}{line}\n", encoding="utf-8")
        staged.replace(self.folder / verify.LEDGER)

    def keep(
        self,
        number: int,
        values: Mapping[Cell, int],
        categories: Categories,
        tables: Mapping[str, bytes],
    ) -> None:
        """Keep the true counts and the published tables of a release for later joint audits."""
        folder = self._kept(number)
        (folder / "tables").mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        counts = {
            "counts": [[*cell[1:], value] for cell, value in values.items()],
            "categories": vars(categories),
        }
        path = folder / "counts.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(counts, ensure_ascii=False) + "\n", encoding="utf-8")
        for name, content in tables.items():
            (folder / "tables" / name).write_bytes(content)

    def _kept(self, number: int) -> Path:
        return self.folder / str(number)


def digest(line: str) -> str:
    """The hash by which the next entry holds on to this one."""
    return hashlib.sha256(line.encode()).hexdigest()

"""Which column of an export holds what: as practice.toml states, else a first guess.

A guess comes from a known layout (reference/export_layouts.toml) and is told in the ledger. Where
no layout fits, the headings that are known words become a proposal for practice.toml: an export
whose columns nobody confirmed is not read.
"""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from typing import Any

from analysis.config import ExportStatement, Practice
from analysis.intake.sheets import Row, Sheet


@dataclass(frozen=True)
class Layout:
    """A system's export, in the form of an [[exports]] block of practice.toml."""

    system: str
    recognised_by: frozenset[str]
    statement: ExportStatement


@dataclass(frozen=True)
class Mapping:
    """How a sheet is to be read: its header's row, and the columns of each of our names."""

    said_by: str
    is_guess: bool
    statement: ExportStatement
    header: tuple[str, ...]
    header_row: Row

    @property
    def places(self) -> dict[str, list[int]]:
        """Our name -> where its columns stand; a column that the export lacks is left out."""
        found = {
            name: [self.header.index(folded(its)) for its in columns if folded(its) in self.header]
            for name, columns in columns_of(self.statement).items()
        }
        return {name: places for name, places in found.items() if places}

    @property
    def told(self) -> str:
        """The mapping in words, with the export's own headings."""
        return "; ".join(
            f"{name} = {' + '.join(self.header_row.cells[place] for place in places)}"
            for name, places in self.places.items()
        )


def folded(text: str) -> str:
    """A heading without its capitals, underscores and repeated blanks."""
    return " ".join(text.lower().replace("_", " ").split())


def columns_of(statement: ExportStatement) -> dict[str, list[str]]:
    """Our name -> the export's columns, in the order of ExportColumns."""
    stated = statement.columns.model_dump(exclude_none=True) if statement.columns else {}
    return {name: [its] if isinstance(its, str) else list(its) for name, its in stated.items()}


def stated(practice: Practice, file_name: str) -> ExportStatement | None:
    """The first [[exports]] block whose `file` fits."""
    return next((e for e in practice.exports if fnmatch(file_name, e.file)), None)


def find(sheet: Sheet, statement: ExportStatement | None) -> Mapping | None:
    """The mapping that fits the sheet's header: practice.toml's columns, else a known layout's.

    What practice.toml says beside the columns, such as the order of dates, goes before the layout.
    """
    for row in sheet.head:
        header = tuple(map(folded, row.cells))
        if statement and statement.columns:
            wanted = {folded(its) for all_its in columns_of(statement).values() for its in all_its}
            if wanted <= set(header):
                return Mapping("as practice.toml says", False, statement, header, row)
            continue
        for layout in layouts():
            if layout.recognised_by <= set(header):
                update = (
                    {n: getattr(statement, n) for n in statement.model_fields_set}
                    if (statement)
                    else {}
                )
                said_by = f"as {layout.system}, guessed from its header"
                statement_used = layout.statement.model_copy(update=update)
                return Mapping(said_by, True, statement_used, header, row)
    return None


def missing(sheets: Sequence[Sheet], statement: ExportStatement) -> list[str]:
    """The stated columns that the best fitting row of the sheets lacks."""
    wanted = [its for all_its in columns_of(statement).values() for its in all_its]
    rows = [set(map(folded, row.cells)) for sheet in sheets for row in sheet.head]
    lacking = ([its for its in wanted if folded(its) not in header] for header in rows)
    return min(lacking, key=len, default=wanted)


def proposal(sheets: Sequence[Sheet], file_name: str) -> str | None:
    """An [[exports]] block for practice.toml from headings that are known words; None without any.

    Only a header that names a charge and a day or a code is taken for one: what is quoted here
    of headings and outcomes stands in our own lists, so it can be no patient's.
    """
    words = _headings()
    for sheet in sheets:
        for row in sheet.head:
            guess: dict[str, str] = {}
            for cell in row.cells:
                name = words.get(folded(cell))
                if name:
                    guess.setdefault(name, cell)
            if "charge" in guess and guess.keys() & {"service_date", "procedure_code"}:
                lines = ["[[exports]]", f"file = {json.dumps(file_name)}", "[exports.columns]"]
                lines += [f'{name} = "{its}"' for name, its in guess.items()]
                if "outcome" in guess:
                    lines += _outcome_words(sheet, row.cells.index(guess["outcome"]))
                return "\n".join(lines)
    return None


def _outcome_words(sheet: Sheet, place: int) -> list[str]:
    """The words of a column of outcomes that say plainly what they mean, as lines of TOML."""
    met = {row.cells[place] for row in sheet.rows() if place < len(row.cells)}
    lines = []
    for outcome, plain in _reference()["words"].items():
        if found := sorted(word for word in met if folded(word) in plain):
            lines.append(f"{outcome} = {json.dumps(found)}")
    return ["[exports.outcome_words]", *lines] if lines else []


@cache
def layouts() -> tuple[Layout, ...]:
    """The known layouts."""
    return tuple(
        Layout(
            entry.pop("system"),
            frozenset(map(folded, entry.pop("recognised_by"))),
            ExportStatement.model_validate({"file": "*", **entry}),
        )
        for entry in _reference()["layouts"]
    )


def _headings() -> dict[str, str]:
    """Heading -> our name: of the known layouts, and words that many systems use."""
    known = {
        folded(columns[0]): name
        for layout in layouts()
        for name, columns in columns_of(layout.statement).items()
        if len(columns) == 1
    }
    usual = {
        folded(its): name for name, all_its in _reference()["headings"].items() for its in all_its
    }
    return known | usual


def _reference() -> dict[str, Any]:
    text = (files("analysis.reference") / "export_layouts.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)

"""The files of a release, from its published counts: tables, findings, certificate, citation."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from analysis.findings import public
from analysis.findings.finding import Finding, Scope
from analysis.release import attacker, gate, verify
from analysis.release.counted import Counted
from analysis.release.verify import ALL, Cell, Row

_FIRST_TABLE = f"tables/{next(iter(verify.TABLES))}.csv"
_NOT_OF_FINDINGS = ("number", "row", "as_of", "caveats", "sources")
_COUNT_TYPE = {"type": "integer", "constraints": {"minimum": 0}}


def tables(now: Counted, hidden: frozenset[Cell]) -> dict[str, bytes]:
    """The tables as CSV, by file name; a hidden count is one symbol."""
    made = {}
    for table, divided_by in verify.TABLES.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["insurer", divided_by, *verify.OUTCOMES])
        release = next(iter(now.values)).release
        for insurer, other in now.categories.rows(divided_by):
            at = {"condition": ALL, "quarter": ALL, divided_by: other}
            cells = [
                Cell(release, insurer, at["condition"], at["quarter"], outcome)
                for outcome in verify.OUTCOMES
            ]
            shown = [verify.SYMBOL if c in hidden else now.values[c] for c in cells]
            writer.writerow([insurer, other, *shown])
        made[f"{table}.csv"] = text.getvalue().encode()
    return made


def findings(folder: Path, scope: Scope) -> list[dict[str, Any]]:
    """The numbered findings on the tables in a release's folder, as findings.json holds them."""
    effect = json.loads((folder / "release.json").read_text(encoding="utf-8"))["design_effect"]
    return [
        _numbered(number, row, finding_of(row, effect, scope))
        for number, row in enumerate(verify.rows_with_findings(folder), start=1)
    ]


def finding_of(row: Row, design_effect: float, scope: Scope) -> Finding:
    """The finding on a row that states a rate."""
    columns = ("insurer", "condition", "quarter")
    about = {name: getattr(row, name) for name in columns if getattr(row, name) != ALL}
    return public.approval(about, row.approved or 0, row.answered or 0, design_effect, scope)


def numbered_from(first: int, others: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings that say more than a row of the tables, as findings.json holds them."""
    return [
        {"number": number, **finding.as_dict(), "id": f"{finding.id}_{number}"}
        for number, finding in enumerate(others, start=first)
    ]


def stories_from(first: int, stories: Iterable[Finding]) -> list[dict[str, Any]]:
    """Single cases as findings.json holds them, each with the row of the rate beside it."""
    made = []
    for told in numbered_from(first, stories):
        at = {name: told["values"].get(name, ALL) for name in ("insurer", "condition")}
        made.append({**told, "row": {**at, "quarter": ALL}, "sources": [_FIRST_TABLE]})
    return made


def others_of(folder: Path) -> list[Finding]:
    """The findings that say more than a row of the tables, from a release's findings.json."""
    found = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    return [
        Finding(
            **{k: v for k, v in one.items() if k not in _NOT_OF_FINDINGS},
            as_of=date.fromisoformat(one["as_of"]),
            caveats=tuple(one["caveats"]),
            sources=tuple(one["sources"]),
        )
        for name in verify.OTHERS
        for one in found.get(name, [])
    ]


def _numbered(number: int, row: Row, finding: Finding) -> dict[str, Any]:
    return {
        "number": number,
        "row": {"insurer": row.insurer, "condition": row.condition, "quarter": row.quarter},
        **finding.as_dict(),
        "id": f"{finding.id}_{number}",
        "sources": [f"tables/{verify.table_of(row)}.csv"],
    }


def certificate(folder: Path) -> dict[str, Any]:
    """What the attacker could and could not do with everything published in the folder.

    Raises GateRefused when he exposes a count.
    """
    counts, sums, steps = verify.published(folder)
    published, cells = gate.as_published(counts, sums, steps)
    done = gate.audit(published, cells)
    found = attacker.ranges(published)
    return {
        "promise": (
            "No hidden count can be proven to be 10 or less, and none can be told. Each world"
            " gives whole numbers to all hidden counts, in the order of `hidden`, that fit"
            " everything published; they are made without the true counts."
        ),
        "hidden": [
            {**cells[place]._asdict(), "least": least, "most": most}
            for place, (least, most) in found.items()
        ],
        "worlds": [[world[place] for place in found] for world in done.worlds],
    }


def figures(folder: Path) -> dict[str, bytes]:
    """The data of every figure as CSV, by file name."""
    effect = json.loads((folder / "release.json").read_text(encoding="utf-8"))["design_effect"]
    read = verify.read_tables(folder / "tables")
    made = {}
    for name, (table, column) in verify.FIGURES.items():
        rows = verify.figure_rows(read[table], column, effect)
        if rows:
            made[f"{name}.csv"] = _csv(["label", "estimate", "lower", "upper", "n"], rows)
    return made


def datapackage(folder: Path, title: str) -> dict[str, Any]:
    """The Frictionless description of the tables and of the figures' data."""
    resources = []
    for path in sorted([*folder.glob("tables/*.csv"), *folder.glob("figures/*.csv")]):
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        fields = [{"name": name, **_TYPES.get(name, {"type": "number"})} for name in header]
        resources.append(
            {
                "name": path.stem if path.parent.name == "tables" else f"figure_{path.stem}",
                "path": path.relative_to(folder).as_posix(),
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "hash": f"sha256:{verify.sha256(path)}",
                "schema": {"fields": fields, "missingValues": ["", verify.SYMBOL]},
            }
        )
    return {
        "profile": "tabular-data-package",
        "name": "approval-of-claims",
        "title": title,
        "description": f"'{verify.SYMBOL}' is a withheld count; '{ALL}' is a total.",
        "resources": resources,
    }


_TYPES: Mapping[str, dict[str, Any]] = {
    **{name: {"type": "string"} for name in ("insurer", "condition", "quarter", "label")},
    **dict.fromkeys((*verify.OUTCOMES, "n"), _COUNT_TYPE),
}


def findings_schema() -> dict[str, Any]:
    """The JSON schema of findings.json."""
    text, number = {"type": "string"}, {"type": "number"}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    count = {"type": "integer", "minimum": 0}
    texts = {"type": "array", "items": text}
    finding = {
        "number": {"type": "integer", "minimum": 1, "description": "cite it by this"},
        "row": {"type": "object", "description": "the row of the table it is computed from"},
        "id": text,
        "question": text,
        "sentence": {**text, "description": "quote it whole"},
        "template": text,
        "unit": text,
        "population": text,
        "period": text,
        "as_of": {"type": "string", "format": "date"},
        "definition": text,
        "method": text,
        "must_not": text,
        "estimate": share,
        "lower": share,
        "upper": share,
        "numerator": count,
        "denominator": count,
        "coverage": {**number, "description": "share of such intervals that held the truth"},
        "caveats": texts,
        "sources": texts,
        "values": {"type": "object"},
    }
    other = {name: kind for name, kind in finding.items() if name != "row"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Findings of a release",
        "type": "object",
        "required": ["release", "findings"],
        "properties": {
            "release": {"type": "integer", "minimum": 1},
            "findings": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": finding,
                    "required": sorted(finding),
                    "additionalProperties": False,
                },
            },
            "between_practices": {
                "type": "array",
                "description": "of a pool: how practices differ; no row of the tables carries it",
                "items": {
                    "type": "object",
                    "properties": {**other, "numerator": {"type": "null"}},
                    "required": sorted(other),
                    "additionalProperties": False,
                },
            },
            "stories": {
                "type": "array",
                "description": "single cases, told with consent, each with a rate beside it",
                "items": {
                    "type": "object",
                    "properties": finding,
                    "required": sorted(finding),
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
    }


def _csv(header: list[str], rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()

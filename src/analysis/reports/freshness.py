"""Which published reports would come out the same again, so that only the others are made.

A report's key digests all it is made from: its notebook, its parameters, the practice's tables and
settings, this program and its libraries. The key stands in the month's manifest and is replaced
with the pages it describes, so an interrupted run cannot part the two.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import analysis
from analysis.config import Folders
from analysis.reports import staging
from analysis.reports.parameters import Parameters

# What no report is made with.
_APART = {"__pycache__", "cli.py", "synthetic", "worklist"}


def basis(folders: Folders, program: Mapping[str, Any], *, with_pdf: bool) -> str:
    """A digest of what every report of a practice is made from."""
    paths = [*folders.processed.glob("*.parquet"), *folders.processed.glob("*.json")]
    stated = folders.raw / "practice.toml"
    read = {path.name: _hash(path) for path in sorted(paths)}
    if stated.exists():
        read[stated.name] = _hash(stated)
    parts = {"read": read, "program": program, "code": _code(), "with_pdf": with_pdf}
    return staging.sha256(staging.as_json(parts))


def key(basis: str, notebook: Path, given: Parameters, insurer: str) -> str:
    """A digest of what one report is made from; the same wherever the folders lie."""
    told = given.model_dump(exclude={"data_dir", "reports_dir"})
    return staging.sha256(staging.as_json([basis, _hash(notebook), told, insurer]))


def published(month: Path) -> dict[str, Any]:
    """The manifest of a published month; an empty one where none is published."""
    path = month / staging.MANIFEST
    if not path.exists():
        return {"reports": {}, "files": {}, "failures": {}}
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def unchanged(month: Path, keys: Mapping[str, str]) -> set[str]:
    """The names among `keys` whose published report has that key and all its files, unharmed."""
    manifest = published(month)
    return {
        name
        for name, entry in manifest["reports"].items()
        if entry.get("key") == keys.get(name, "")
        and is_intact(month, {file: manifest["files"][file] for file in entry["files"]})
    }


def is_intact(month: Path, files: Mapping[str, str]) -> bool:
    """Whether the files (relative path -> SHA-256) are there as they were published."""
    return all(
        (month / name).is_file() and _hash(month / name) == stated for name, stated in files.items()
    )


@cache
def _code() -> str:
    root = Path(analysis.__file__).parent
    files = sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and _APART.isdisjoint(path.relative_to(root).parts)
    )
    return staging.sha256(
        "\n".join(f"{path.relative_to(root).as_posix()} {_hash(path)}" for path in files).encode()
    )


def _hash(path: Path) -> str:
    return staging.sha256(path.read_bytes())

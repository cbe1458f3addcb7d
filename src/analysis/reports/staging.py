"""Replace a published folder whole, or not at all."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from analysis.errors import UsageError

MANIFEST = "manifest.json"


def replace(target: Path, files: Mapping[str, bytes], manifest: Mapping[str, object]) -> None:
    """Put `files` (relative path -> content) and their manifest in place of the folder `target`.

    They are staged in a hidden folder beside it, flushed to the disk and renamed; the manifest is
    written last, so a folder that has one is complete. Raises UsageError when the system does not
    let go of the old folder, which then stays.
    """
    stage, old = _hidden(target, "part"), _hidden(target, "old")
    for name, content in sorted(files.items()):
        _write(stage / name, content)
    _write(stage / MANIFEST, as_json(manifest))
    try:
        if target.exists():
            target.rename(old)
        stage.rename(target)
    except OSError as problem:
        recover(target.parent)
        raise UsageError(
            f"{target}: the earlier reports cannot be replaced; "
            "close whatever is open from that folder and run again"
        ) from problem
    except KeyboardInterrupt:
        recover(target.parent)
        raise
    shutil.rmtree(old, ignore_errors=True)


def recover(parent: Path) -> None:
    """Undo what an interrupted `replace` left in `parent`: the earlier folder is back in place."""
    for stage in parent.glob(".*.part"):
        shutil.rmtree(stage)
    for old in parent.glob(".*.old"):
        target = parent / old.name[1:].removesuffix(".old")
        if target.exists():
            shutil.rmtree(old)
        else:
            old.rename(target)


def as_json(content: object) -> bytes:
    """JSON as published: sorted keys, UTF-8, readable, the same bytes every time."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _hidden(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{kind}")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

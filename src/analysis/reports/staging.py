"""Replace a published folder whole, or not at all."""

import ctypes
import hashlib
import json
import os
import shutil
import sys
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
        if target.exists() and _exchanged(stage, target):
            old = stage
        else:
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


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step, so that at no moment there is none; False where nothing can.

    Linux and macOS can, on most disks. Elsewhere the earlier folder is moved away first, and
    `recover` brings it back after a run that ended between the two steps.
    """
    names = os.fsencode(one), os.fsencode(other)
    here, swap = -100, 2
    try:
        if sys.platform == "linux":
            failed = ctypes.CDLL(None).renameat2(here, names[0], here, names[1], swap)
        elif sys.platform == "darwin":
            failed = ctypes.CDLL(None).renamex_np(*names, swap)
        else:
            return False
    except AttributeError:
        # A system library that does not know the call.
        return False
    return bool(failed == 0)


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

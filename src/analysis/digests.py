"""Digests of files, each found once in a build, however many ask for it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

# Path, size and time of the last change -> digest; None outside of `kept`.
_known: ContextVar[dict[tuple[Path, int, int], str] | None] = ContextVar("known", default=None)


@contextmanager
def kept() -> Iterator[None]:
    """Inside it, the digest of a file is kept for as long as the file stays as it is."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def of_file(path: Path) -> str:
    """The SHA-256 of a file's content. Raises OSError when it cannot be read."""
    known = _known.get()
    with path.open("rb") as file:
        if known is None:
            return hashlib.file_digest(file, "sha256").hexdigest()
        stands = path.stat()
        key = path.absolute(), stands.st_size, stands.st_mtime_ns
        if key not in known:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        return known[key]

"""A file's digest is found once in a build, and anew as soon as the file is another."""

import hashlib
import os
from pathlib import Path

import pytest

from analysis import digests


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_file_that_changes_within_a_build_is_told_by_its_new_content(tmp_path: Path) -> None:
    path = tmp_path / "a.835"
    with digests.kept():
        for text in ("first", "second, longer"):
            path.write_text(text)
            assert digests.of_file(path) == digests.of_file(path) == sha256(text)


def test_what_one_build_found_is_not_believed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.835"
    path.write_text("first")
    stood = path.stat()
    with digests.kept():
        assert digests.of_file(path) == sha256("first")
    path.write_text("other")
    # As some systems leave a file that is written twice within their clock's step.
    os.utime(path, ns=(stood.st_atime_ns, stood.st_mtime_ns))
    with digests.kept():
        assert digests.of_file(path) == sha256("other")
    assert digests.of_file(path) == sha256("other")


def test_a_file_that_is_gone_is_not_told_from_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.835"
    path.write_text("first")
    with digests.kept():
        digests.of_file(path)
        path.unlink()
        with pytest.raises(FileNotFoundError):
            digests.of_file(path)

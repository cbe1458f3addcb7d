"""A published folder is replaced whole, or stays as it was."""

import sys
from pathlib import Path

import pytest

from analysis.reports import staging


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def published(tmp_path: Path) -> Path:
    target = tmp_path / "2026-03"
    staging.replace(target, {"a.html": b"old", "gone.html": b"old"}, {"n": 1})
    return target


def test_the_new_folder_holds_nothing_of_the_old_one(published):
    staging.replace(published, {"a.html": b"new", "tables/b.csv": b"new"}, {"n": 2})
    assert contents(published) == {
        "a.html": "new",
        "tables/b.csv": "new",
        "manifest.json": '{\n  "n": 2\n}\n',
    }
    assert [path.name for path in published.parent.iterdir()] == ["2026-03"]


def test_a_run_that_stops_while_staging_leaves_the_earlier_folder(published, monkeypatch):
    before = contents(published)

    def full_disk(_: object) -> bytes:
        raise OSError("no space left")

    monkeypatch.setattr(staging, "as_json", full_disk)
    with pytest.raises(OSError, match="no space"):
        staging.replace(published, {"a.html": b"new"}, {})
    assert contents(published) == before
    staging.recover(published.parent)
    assert [path.name for path in published.parent.iterdir()] == ["2026-03"]


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="the system cannot swap")
def test_at_no_moment_is_there_no_folder(published, monkeypatch):
    def never(*_: object) -> None:
        pytest.fail("the earlier folder was moved away")

    monkeypatch.setattr(Path, "rename", never)
    staging.replace(published, {"a.html": b"new"}, {"n": 2})
    assert contents(published)["a.html"] == "new"
    assert [path.name for path in published.parent.iterdir()] == ["2026-03"]


def test_where_two_folders_cannot_be_swapped_one_gives_way_to_the_other(published, monkeypatch):
    monkeypatch.setattr(staging, "_exchanged", lambda *_: False)
    staging.replace(published, {"a.html": b"new"}, {"n": 2})
    assert contents(published)["a.html"] == "new"
    assert [path.name for path in published.parent.iterdir()] == ["2026-03"]


def test_a_run_killed_between_the_two_renames_is_undone(published):
    before = contents(published)
    published.rename(published.with_name(".2026-03.old"))
    (published.parent / ".2026-03.part").mkdir()
    staging.recover(published.parent)
    assert contents(published) == before


def test_a_run_killed_after_the_renames_only_leaves_rubbish(published):
    published.with_name(".2026-03.old").mkdir()
    staging.recover(published.parent)
    assert [path.name for path in published.parent.iterdir()] == ["2026-03"]
    assert contents(published)["a.html"] == "old"

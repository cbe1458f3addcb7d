"""A second run makes again only what changed, failed or was damaged."""

import threading
from pathlib import Path

import pytest
from filelock import FileLock

from analysis.config import Folders
from analysis.reports import pdf, publish
from analysis.reports.publish import Outcome
from reports.made_practice import SAY, SHOW, make_practice, write, write_notebook

FAILING = 'from analysis.errors import DataError\nraise DataError("too few claims")'


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return make_practice(tmp_path)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    write_notebook(folder, "02_claim_outcomes", SAY, SHOW)
    write_notebook(folder, "03_denial_reasons", SAY)
    return folder


def run(folders: Folders, library: Path, *, with_pdf: bool = False, **settings) -> list[str]:
    """The names of the reports that a run executed; what it left is in `left`."""
    said: list[str] = []
    reports = publish.plan(folders, None, None, settings, library=library)
    left.append(publish.publish(folders, reports, 1, said.append, with_pdf=with_pdf))
    return sorted(
        line.split(": ")[1].split()[0] for line in said if " of " in line and ": " in line
    )


left: list[Outcome] = []
BOTH = ["02_claim_outcomes", "03_denial_reasons"]


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.slow
def test_only_what_changed_failed_or_was_damaged_is_made_again(folders, library):
    assert run(folders, library) == BOTH
    month = left[-1].folder
    before = stamps(month)

    assert run(folders, library) == []
    assert stamps(month) == before, "an unchanged month is not even written again"
    assert left[-1].published == tuple(BOTH)

    write_notebook(library, "03_denial_reasons", FAILING)
    assert run(folders, library) == ["03_denial_reasons"]
    assert run(folders, library) == ["03_denial_reasons"]
    assert left[-1].failures == {"03_denial_reasons": "too few claims"}
    write_notebook(library, "03_denial_reasons", SAY)
    assert run(folders, library) == ["03_denial_reasons"]

    (month / "tables" / "by_insurer.csv").write_text("edited by hand", encoding="utf-8")
    assert run(folders, library) == ["02_claim_outcomes"]

    assert run(folders, library, minimum_cell_size="12") == BOTH
    write(folders, "payments", [{"payment_id": "1"}])
    assert run(folders, library, minimum_cell_size="12") == BOTH


def test_a_page_that_cannot_be_made_leaves_the_others_alone(folders, library, monkeypatch):
    render = pdf.render

    def refusing(notebook, page):
        if page.notebook == "03_denial_reasons":
            raise pdf.Refused("missing alt text")
        return render(notebook, page)

    monkeypatch.setattr(pdf, "render", refusing)
    run(folders, library, with_pdf=True)
    assert left[-1].published == ("02_claim_outcomes",)
    assert "missing alt text" in left[-1].failures["03_denial_reasons"]
    monkeypatch.undo()
    assert run(folders, library, with_pdf=True) == ["03_denial_reasons"]
    assert left[-1].failures == {}


def test_a_second_run_is_told_that_it_waits_and_then_finds_all_done(folders, library):
    run(folders, library)
    said: list[str] = []
    told = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        told.set()

    reports = publish.plan(folders, None, None, {}, library=library)
    lock = FileLock(folders.private / ".publish.lock", thread_local=False)
    lock.acquire()
    second = threading.Thread(
        target=lambda: publish.publish(folders, reports, 1, say, with_pdf=False)
    )
    second.start()
    try:
        assert told.wait(30)
    finally:
        lock.release()
    second.join(60)
    assert said == [
        "demo: another run is writing its reports; waiting until it is done",
        "2 of 2 reports are unchanged and stay as they are",
    ]

"""One made-up practice with a patient who must not be found again, and two releases of it."""

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis import pipeline, synthetic
from analysis.config import Folders
from analysis.release import publishing
from analysis.release.publishing import Asked, Released

# What the files say of one patient -> what they say instead.
CANARY = {
    "N000018": "QUINTESSA",
    "PATIENT*QUINTESSA": "ZZYZXOVA*QUINTESSA",
    "000000018": "CNRY77018X",
    "18 SAMPLE AVENUE": "77 KESTRELMOOR LANE",
    "PLAN OF CARE ON FILE": "FELL FROM A UNICYCLE",
}
# A PDF's words; CI has the program.
reads_pdf = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="needs pdftotext of poppler-utils"
)
TRACES = ("QUINTESSA", "ZZYZXOVA", "CNRY77018X", "KESTRELMOOR", "UNICYCLE")


@dataclass(frozen=True)
class Made:
    folders: Folders
    first: Released
    second: Released
    said: str


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A practice released through June and, a month later, through July."""
    root = tmp_path_factory.mktemp("release")
    synthetic.synthesize("canary", data_dir=root / "data", n_claims=2_000)
    folders = Folders(root / "data", root / "reports", "canary")
    for path in folders.raw.iterdir():
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        for told, instead in CANARY.items():
            text = text.replace(told, instead)
        path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        pipeline.build(folders, through="outcomes", say=print)
        first = publishing.release(Asked([folders], "2026-06", root / "one", 200), print)
        second = publishing.release(
            Asked([folders], "2026-07", root / "two", since="2024-10"), print
        )
    return Made(folders, first, second, said.getvalue())


@pytest.fixture
def released(made: Made, tmp_path: Path) -> Path:
    """A copy of the second release, to be tampered with."""
    return Path(shutil.copytree(made.second.folder, tmp_path / "release"))


@pytest.fixture
def alone(made: Made, tmp_path: Path) -> Path:
    """A copy of the first release, in which more is shown."""
    return Path(shutil.copytree(made.first.folder, tmp_path / "alone"))

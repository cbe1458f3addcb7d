"""The default made-up practice, built once for the tests of this folder."""

from pathlib import Path

import pytest

from analysis import pipeline, synthetic
from analysis.config import Folders


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("made_up")
    synthetic.synthesize("demo", data_dir=root / "data")
    folders = Folders(root / "data", root / "reports", "demo")
    pipeline.build(folders, say=lambda _: None)
    return folders


@pytest.fixture(scope="session")
def truth(made_up: Folders) -> Path:
    """What the synthesizer knows; the program itself never opens this folder."""
    return made_up.data_dir / "truth" / "demo"

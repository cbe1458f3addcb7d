"""The default made-up practice, written once for the tests of this folder."""

import csv
from pathlib import Path

import pytest

from analysis.synthetic import Synthesized, synthesize


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize("demo", data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def raw(made: Synthesized) -> Path:
    return made.raw_dir


@pytest.fixture(scope="session")
def truth(made: Synthesized) -> dict[str, dict[str, str]]:
    """Control number of the first version -> what really happened."""
    with (made.truth_dir / "claims.csv").open(encoding="utf-8", newline="") as file:
        return {row["control_number"]: row for row in csv.DictReader(file)}

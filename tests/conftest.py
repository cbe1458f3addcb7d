"""What tests of several subjects share."""

from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# An example may be the first to import something, or the machine busy: no test fails by the clock.
settings.register_profile("untimed", settings.default, deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Files made or published by others; they lie beside a checkout, not in it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the third-party samples in ../shared/data beside the project")
    return folder

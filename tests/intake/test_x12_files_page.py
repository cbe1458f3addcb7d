"""What files made by others gave is told in docs, and a second reader finds the same in them."""

import re
from pathlib import Path

import pytest

from tools import x12_files


@pytest.mark.slow
def test_the_page_tells_what_the_files_give(shared_data: Path) -> None:
    assert shared_data / "x12" == x12_files.FILES
    page = x12_files.page()
    assert x12_files.PAGE.read_text(encoding="utf-8") == page
    # The second reader stops at many of these files; where it does not, it must agree.
    assert len(re.findall(r"\| agrees \|$", page, re.MULTILINE)) >= 20
    assert "differs" not in page

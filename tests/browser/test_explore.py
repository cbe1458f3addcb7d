"""`outcomes explore` in Chromium, as a researcher uses it: choose an insurer, the numbers move."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import psutil
import pytest

from analysis.config import Folders
from browser.test_pages import DESK

# What the server is told besides the command's own words: no window of its own, a free port, and
# to leave the project's notebook as it is.
SERVER = {
    "ServerApp": {"open_browser": False, "port": 0, "allow_root": True},
    "IdentityProvider": {"token": ""},
}
LAB = {"@jupyterlab/docmanager-extension:plugin": {"autosave": False}}
# In milliseconds: a kernel starts and reads a practice; what is chosen then takes a moment.
STARTING, CHOOSING = 180_000, 30_000


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab that the command opened."""
    settings = tmp_path / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps(LAB), encoding="utf-8")
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(SERVER), encoding="utf-8")
    # Nothing of whoever runs the test.
    places = ("JUPYTER_CONFIG_PATH", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")
    command = subprocess.Popen(
        [sys.executable, "-m", "analysis", "explore"],
        env={**os.environ, **dict.fromkeys(places, str(tmp_path))},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stderr is not None
    told = (re.search(r"http://localhost:\d+/lab", line) for line in command.stderr)
    address = next(filter(None, told), None)
    assert address, "JupyterLab did not start"
    yield address[0]
    for process in psutil.Process(command.pid).children(recursive=True):
        process.terminate()
    command.communicate()


def test_choosing_an_insurer_moves_the_numbers(browser: Any, demo: Folders, lab: str) -> None:
    from playwright.sync_api import expect

    context = browser.new_context(viewport=DESK)
    tab = context.new_page()
    errors: list[str] = []
    elsewhere: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda asked: elsewhere.append(asked.url))
    tab.goto(f"{lab}/tree/10_explore.ipynb")
    # The menu speaks of the notebook once that has been opened.
    expect(tab.get_by_role("heading", name="Choose, and read")).to_be_visible(timeout=STARTING)
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    said = tab.locator(".widget-html p")
    rate, model = said.filter(has_text="Insurers approved"), said.filter(has_text="model gives")
    expect(model).to_be_visible(timeout=STARTING)
    before, chance_before = rate.inner_text(), model.inner_text()

    insurer = tab.get_by_label("Insurer", exact=True)
    name = insurer.locator("option").nth(1).inner_text().replace("\N{NO-BREAK SPACE}", " ")
    insurer.select_option(index=1)
    expect(rate).not_to_have_text(before, timeout=CHOOSING)
    expect(model).not_to_have_text(chance_before)
    share, lower, upper, n_claims = numbers(rate.inner_text())
    assert lower < share < upper
    moved = zip(numbers(before), (share, lower, upper, n_claims), strict=True)
    assert all(one != other for one, other in moved)

    tab.get_by_role("button", name="Save the table as CSV").click()
    expect(tab.get_by_text("Saved: ")).to_be_visible(timeout=CHOOSING)
    saved = pd.read_csv(demo.private / "explore.csv")
    assert set(saved["Insurer"]) == {name}
    assert saved["Claims"].sum() == n_claims

    assert tab.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert errors == []
    assert {urlsplit(url).hostname for url in elsewhere if url.startswith("http")} == {"localhost"}
    context.close()


def numbers(sentence: str) -> list[int]:
    """The share approved, its range in percent, and the claims behind it, as a sentence says."""
    found = re.match(r"\D+(\d+)% \((\d+) to (\d+)\) of ([\d,]+) claims", sentence)
    assert found, sentence
    return [int(number.replace(",", "")) for number in found.groups()]

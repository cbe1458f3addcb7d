"""Chromium, and the practices whose reports are looked at in it.

`python run.py browser` installs what drives it and runs these tests.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import run
from analysis import pipeline, synthetic
from analysis.config import Folders
from analysis.reports import publish

# What insurers are called instead, to break pages: each would run, load or typeset something.
HOSTILE = {
    "Cascadia Mutual": "<script>alert(1)</script>",
    "Puget Health Cooperative": "{{7*7}} {% raw %} ${x}",
    "Olympic Shield": "$x$ and $y$",
    "Orca Benefit Administrators": "a|b",
    "Evergreen Public Employees Plan": "חברת ביטוח בריאות",
    "State Industrial Fund": "</title></style><img src=http://example.test/x onerror=alert(1)>",
    "Veterans Care Network West": "long " + "W" * 295,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs `python run.py browser`")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "needs Chromium: sudo apt install chromium"
    with sync_api.sync_playwright() as playwright:
        # Without its sandbox it also starts for root, as which CI runs.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def demo() -> Folders:
    """The project's own demo practice, made as everyone makes it, or as it stands."""
    assert run.run_demo() == 0
    return Folders(run.ROOT / "data", run.ROOT / "reports", "demo")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A practice whose insurers, and itself, have hostile names."""
    root = tmp_path_factory.mktemp("hostile")
    folders = Folders(root / "data", root / "reports", "hostile")
    synthetic.synthesize("hostile", data_dir=folders.data_dir, n_claims=700, n_months=14)
    stated = folders.raw / "practice.toml"
    text = stated.read_text(encoding="utf-8")
    for name, instead in HOSTILE.items():
        assert f'name = "{name}"' in text
        text = text.replace(f'name = "{name}"', f"name = '{instead}'")
    own = text.split("\n", 1)[0]
    stated.write_text(text.replace(own, "name = 'Clinic <b>North</b> {{1+1}}'"), encoding="utf-8")
    pipeline.build(folders, say=lambda _: None)
    reports = publish.plan(folders, None, None, {})
    assert not publish.publish(folders, reports, 2, lambda _: None).failures
    return folders


@pytest.fixture(scope="session", params=["demo", "hostile"])
def practice(request: pytest.FixtureRequest) -> Folders:
    """Each practice in turn."""
    folders: Folders = request.getfixturevalue(request.param)
    return folders

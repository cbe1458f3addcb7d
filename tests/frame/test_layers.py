"""The order of the layers is kept, and the check of it would notice when it is not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    python_only = shutil.ignore_patterns("__pycache__", "*.csv", "*.html")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=python_only)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_layers_are_kept() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("errors.py", "analysis.cli"),
        ("claims/stray.py", "analysis.pipeline"),
        ("claims/stray.py", "analysis.intake"),
        ("synthetic/stray.py", "analysis.intake"),
        ("models/stray.py", "analysis.findings"),
    ],
)
def test_a_stage_that_reaches_up_or_aside_is_refused(
    copy: Path, module: str, imported: str
) -> None:
    with (copy / "src" / "analysis" / module).open("a", encoding="utf-8") as file:
        file.write(f"\nimport {imported}\n")
    done = lint_imports(copy)
    assert done.returncode == 1, done.stdout
    assert imported in done.stdout


def test_a_module_that_belongs_to_no_layer_is_refused(copy: Path) -> None:
    (copy / "src" / "analysis" / "utils.py").touch()
    done = lint_imports(copy)
    assert done.returncode == 1, done.stdout
    assert "utils" in done.stdout

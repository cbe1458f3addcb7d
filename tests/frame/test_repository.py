"""What a practice brings, and what is made of it, cannot slip into the repository."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None,
    reason="needs a Git checkout and git itself",
)


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )


def tracked(*patterns: str) -> list[Path]:
    names = git("ls-files", "-z", "--", *patterns).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.mark.parametrize(
    "name",
    [
        "data/raw/clinic/march.837",
        "data/raw/clinic/ERA 2025-03 (1).835",
        "data/raw/clinic/export.CSV",
        "data/raw/clinic/visits.xlsx",
        "data/raw/clinic/practice.toml",
        "data/raw/clinic/README.md",
        "data/raw/clinic/.hidden",
        "data/raw/clinic/no extension",
        "data/raw/clinic/2025/q1/nested.zip",
        "data/raw/Praxis Müller/überweisung.txt",
        "data/raw/loose.835",
        "data/dropped-too-high.csv",
        "data/processed/clinic/claims.parquet",
        "data/private/clinic/pseudonym.key",
        "data/truth/demo/claims.csv",
        "reports/index.html",
        "reports/clinic/2025-03/findings.json",
        "remittance.835",
        "export.csv",
        "out.ipynb",
        "notebooks/claims.csv",
        "notebooks/.ipynb_checkpoints/02_claim_outcomes-checkpoint.ipynb",
        ".venv/installed.txt",
    ],
)
def test_a_practices_file_cannot_be_committed_by_mistake(name: str) -> None:
    assert git("check-ignore", "--quiet", "--no-index", name).returncode == 0


@pytest.mark.parametrize(
    "name",
    [
        "data/README.md",
        "reports/README.md",
        "notebooks/01_data_quality.ipynb",
        "src/analysis/reference/carc.csv",
        "src/analysis/intake/templates/documentation.csv",
        "tests/golden/sample.835",
        "requirements.lock",
    ],
)
def test_the_projects_own_files_can(name: str) -> None:
    assert git("check-ignore", "--quiet", "--no-index", name).returncode == 1


def test_data_and_reports_hold_nothing_but_their_explanation() -> None:
    allowed = {ROOT / "data" / "README.md", ROOT / "reports" / "README.md"}
    assert set(tracked("data", "reports")) <= allowed


def test_notebooks_are_committed_without_outputs() -> None:
    with_outputs = [
        path.name
        for path in tracked("*.ipynb")
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if cell.get("outputs") or cell.get("execution_count")
    ]
    assert with_outputs == []


def test_nothing_ties_the_project_to_one_machine_or_one_package_index() -> None:
    ties = re.compile(
        rf"{re.escape(str(ROOT))}(?![\w-])|(?<![\w./-])/(root|home/[a-z]+)/"
        r"|--(extra-)?index-url [^ ]*://|[.](whl|tar[.]gz)#sha256"
    )
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path != Path(__file__) and (match := ties.search(path.read_text("utf-8", "replace")))
    ]
    assert found == []


def test_modules_are_named_for_their_subject() -> None:
    nameless = {"utils", "helpers", "common", "manager", "misc"}
    modules = (ROOT / "src").rglob("*.py")
    assert [path for path in modules if nameless & {path.stem, path.parent.name}] == []

"""run.py, tried out on a small project of its own that needs nothing from the internet."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Stands in for hatchling: an editable wheel is a zip with a .pth file and three metadata files.
BACKEND = """\
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "toy-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("toy.pth", str(pathlib.Path("src").resolve()))
        wheel.writestr("toy-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: toy\\nVersion: 1")
        wheel.writestr("toy-1.dist-info/WHEEL",
                       "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("toy-1.dist-info/RECORD", "")
    return name
"""
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "toy"
version = "1"
"""
# Stands in for the commands: says what it was asked and leaves what the real one leaves.
ANALYSIS = """\
import os, pathlib, sys
command = sys.argv[1]
print("asked:", *sys.argv[1:], "bytecode" if not sys.dont_write_bytecode else "no bytecode")
if command == "synthesize":
    pathlib.Path("data/raw/demo").mkdir(parents=True)
sys.exit(int(os.environ.get("EXIT_" + command, 0)))
"""
UNAVAILABLE = "no-such-package==1.0 --hash=sha256:" + "0" * 64


@dataclass(frozen=True)
class Project:
    """A small project, and what its first two starts said."""

    folder: Path
    without_network: subprocess.CompletedProcess[str]
    fresh: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Started once with a package that cannot be had, once more after that is put right."""
    folder = tmp_path_factory.mktemp("a folder with spaces")
    shutil.copy(ROOT / "run.py", folder)
    (folder / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    (folder / "backend.py").write_text(BACKEND, "utf-8")
    package = folder / "src" / "analysis"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(ANALYSIS, "utf-8")
    lock = folder / "requirements.lock"
    lock.write_text(f"{UNAVAILABLE}\n", "utf-8")
    without_network = start(folder)
    lock.write_text("# nothing\n", "utf-8")
    return Project(folder, without_network, fresh=start(folder))


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    no_network = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "run.py", *arguments],
        cwd=folder,
        env=os.environ | no_network | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def asked(output: str) -> list[str]:
    return re.findall(r"asked: (.*)", output)


# One worker has the project; making it is what takes the time.
@pytest.mark.xdist_group("run.py")
class TestStart:
    def test_what_could_not_be_installed_ends_in_advice(self, project: Project) -> None:
        done = project.without_network
        assert done.returncode == 1
        assert "Check the connection to the internet" in done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert asked(done.stdout) == []

    def test_an_installation_that_failed_is_begun_again(self, project: Project) -> None:
        done = project.fresh
        assert done.returncode == 0, done.stdout + done.stderr
        assert asked(done.stdout) == [
            "synthesize demo bytecode",
            "build demo bytecode",
            "report demo bytecode",
        ]
        assert done.stdout.rstrip().endswith("index.html")

    def test_the_next_start_installs_nothing(self, project: Project) -> None:
        stamp = project.folder / ".venv" / "installed.txt"
        before = stamp.stat().st_mtime_ns
        done = start(project.folder)
        assert stamp.stat().st_mtime_ns == before
        assert "Setting up" not in done.stdout
        assert asked(done.stdout) == ["build demo bytecode", "report demo bytecode"]

    def test_input_set_aside_does_not_stop_the_reports(self, project: Project) -> None:
        done = start(project.folder, EXIT_build="3")
        assert len(asked(done.stdout)) == 2
        assert done.returncode == 3

    def test_a_failed_build_does(self, project: Project) -> None:
        done = start(project.folder, EXIT_build="1")
        assert asked(done.stdout) == ["build demo bytecode"]
        assert done.returncode == 1

    @pytest.mark.parametrize(("ci", "slow_too"), [("true", True), ("", False)])
    def test_each_check_runs_though_others_fail(
        self, project: Project, ci: str, slow_too: bool
    ) -> None:
        done = start(project.folder, "test", CI=ci)
        assert done.returncode == 1
        begun = [line for line in done.stdout.splitlines() if line.startswith("-- ")]
        assert [line.split()[1] for line in begun] == [
            "ruff",
            "ruff",
            "mypy",
            "lint-imports",
            "pytest",
        ]
        assert ("not slow" not in begun[-1]) == slow_too
        assert "not browser and not oracle" in begun[-1]


@pytest.mark.parametrize("change", ["requirements.lock", "pyproject.toml", "folder", "python"])
def test_what_an_installation_depends_on_makes_it_anew(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("run.py", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    before = runpy.run_path(str(tmp_path / "run.py"))["stamp"]()
    if change == "folder":
        tmp_path = tmp_path.rename(tmp_path.with_name("moved"))
    elif change == "python":
        monkeypatch.setattr(sys, "version_info", (3, 14, 0, "final", 0))
    else:
        with (tmp_path / change).open("a") as file:
            file.write("\n# changed")
    assert runpy.run_path(str(tmp_path / "run.py"))["stamp"]() != before


@pytest.mark.parametrize("arguments", [["tests"], ["test", "--fast"], ["--help"]])
def test_other_arguments_are_answered_with_the_usage(arguments: list[str]) -> None:
    done = start(ROOT, *arguments)
    assert done.returncode == 2
    assert "python run.py test" in done.stderr


@pytest.mark.parametrize("version", [(3, 9, 6), (3, 15, 0)])
def test_a_python_that_does_not_fit_is_told_in_a_sentence(
    version: tuple[int, int, int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    main = runpy.run_path(str(ROOT / "run.py"))["main"]
    monkeypatch.setattr(sys, "version_info", version)
    assert main([]) == 2
    assert f"this is Python {version[0]}.{version[1]}" in capsys.readouterr().err

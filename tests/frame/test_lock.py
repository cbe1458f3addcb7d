"""pyproject.toml is the only place where dependencies are decided; the rest follows it."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import run
from tools import lock

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUNTIME = PYPROJECT["project"]["dependencies"]
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
GROUPS = PYPROJECT["dependency-groups"]
GROUP_LOCKS = [f"{group}.lock" for group in GROUPS]
LOCKS = ["requirements.lock", *GROUP_LOCKS]


def pins(lock: str = "requirements.lock") -> Iterator[Requirement]:
    """The lock's requirements that count for the Python running this."""
    for line in (ROOT / lock).read_text("utf-8").splitlines():
        if line[:1].isalnum():
            pin = Requirement(line.removesuffix("\\"))
            if pin.marker is None or pin.marker.evaluate():
                yield pin


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_was_made_from_these_dependencies(name: str) -> None:
    first_line = (ROOT / name).read_text("utf-8").split("\n", 1)[0]
    group = name.removesuffix(".lock")
    header = (
        lock.group_lock_header(PYPROJECT, group) if group in GROUPS else lock.lock_header(PYPROJECT)
    )
    assert first_line == header, "run: python tools/lock.py"


def test_every_group_is_locked() -> None:
    assert set(lock.GROUPS) == set(GROUPS)


def test_environment_yml_is_what_is_generated() -> None:
    written = (ROOT / "environment.yml").read_text("utf-8")
    assert written == lock.environment(PYPROJECT), "run: python tools/lock.py"


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        *(("requirements.lock", asked) for asked in RUNTIME),
        *(("requirements.lock", asked) for extra in EXTRAS.values() for asked in extra),
        *((f"{group}.lock", asked) for group, names in GROUPS.items() for asked in names),
    ],
)
def test_each_dependency_is_locked_in_an_allowed_version(lock: str, asked: str) -> None:
    wanted = Requirement(asked)
    locked = [
        pin for pin in pins(lock) if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
    ]
    assert len(locked) == 1
    version = next(iter(locked[0].specifier)).version
    assert wanted.specifier.contains(version)


@pytest.mark.parametrize("other", GROUP_LOCKS)
def test_what_two_locks_hold_is_of_one_version(other: str) -> None:
    first = {canonicalize_name(pin.name): str(pin.specifier) for pin in pins()}
    second = {canonicalize_name(pin.name): str(pin.specifier) for pin in pins(other)}
    assert {name: first[name] for name in first.keys() & second} == {
        name: second[name] for name in first.keys() & second
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_none_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    blocks = text.replace("\\\n", " ").splitlines()[1:]
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize(
    ("folder", "declared"),
    [
        ("src", [*RUNTIME, *GROUPS["spark"]]),
        (
            "tests",
            [*RUNTIME, *EXTRAS["dev"], *(name for group in GROUPS.values() for name in group)],
        ),
        ("tools", [*RUNTIME, *EXTRAS["dev"]]),
    ],
)
def test_what_is_imported_is_declared(folder: str, declared: list[str]) -> None:
    """A package that comes only because another one needs it may be gone tomorrow."""
    known = {canonicalize_name(Requirement(name).name) for name in declared}
    providers = packages_distributions()
    neighbours = {path.stem for path in (ROOT / folder).rglob("*") if "__" not in path.stem}
    own = {"analysis", "benchmarks", "run", "tools"} | neighbours | sys.stdlib_module_names
    undeclared = {
        f"{path.name}: {name}"
        for path in (ROOT / folder).rglob("*.py")
        for name in imported(path) - own
        # What the groups bring need not be installed here.
        if not known & {canonicalize_name(found) for found in providers.get(name, [name])}
    }
    assert undeclared == set()


def imported(path: Path) -> set[str]:
    """The top-level names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_run_py_asks_for_the_same_pythons() -> None:
    oldest, newest = run.OLDEST_PYTHON, run.NEWEST_PYTHON
    wanted = f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"
    assert PYPROJECT["project"]["requires-python"] == wanted

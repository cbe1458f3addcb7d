"""Regenerates requirements.lock, browser.lock and environment.yml from pyproject.toml.

    python tools/lock.py                              keep the versions that still fit
    python tools/lock.py --upgrade-package pandas     raise one
    python tools/lock.py --upgrade                    raise all

Further arguments go to `uv pip compile`. Needs uv (python -m pip install uv).
"""

import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "requirements.lock"
# Installed beside the first, for what each is named after.
GROUPS = ("benchmarks", "browser", "oracles", "spark")
ENVIRONMENT = ROOT / "environment.yml"


def main(arguments: list[str]) -> int:
    """Writes the locks and environment.yml; uv's exit code."""
    pyproject = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    wanted = {LOCK: (["pyproject.toml", "--all-extras"], lock_header(pyproject))}
    for group in GROUPS:
        asked = [f"--group=pyproject.toml:{group}", f"--python-version={oldest_python(pyproject)}"]
        # What it shares with the first must be of one version.
        asked.append(f"--constraints={LOCK}")
        wanted[ROOT / f"{group}.lock"] = (asked, group_lock_header(pyproject, group))
    for lock, (what, header) in wanted.items():
        resolve = [sys.executable, "-m", "uv", "pip", "compile", *what]
        resolve += ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate"]
        resolve += ["--no-header", "--quiet", f"--output-file={lock}"]
        compiled = subprocess.run([*resolve, *arguments], cwd=ROOT, check=False)  # noqa: S603
        if compiled.returncode != 0:
            return compiled.returncode
        _write(lock, f"{header}\n{lock.read_text(encoding='utf-8')}")
    _write(ENVIRONMENT, environment(pyproject))
    return 0


def lock_header(pyproject: dict[str, Any]) -> str:
    """The first line of requirements.lock: a digest of all that it was resolved from."""
    project = pyproject["project"]
    names = ("requires-python", "dependencies", "optional-dependencies")
    return _header({name: project[name] for name in names})


def group_lock_header(pyproject: dict[str, Any], group: str) -> str:
    """The first line of the lock of one of GROUPS, likewise."""
    return _header(pyproject["dependency-groups"][group])


def oldest_python(pyproject: dict[str, Any]) -> str:
    """The oldest Python that pyproject allows, such as 3.11."""
    asked: str = pyproject["project"]["requires-python"]
    return asked.split(",")[0].removeprefix(">=")


def environment(pyproject: dict[str, Any]) -> str:
    """environment.yml's text: the oldest Python that pyproject allows, and the lock."""
    # The one Python that every check runs on; a newer one may lack a built package.
    return f"""\
# Made by tools/lock.py from pyproject.toml. After `conda env create`, activate the environment
# and add the project itself: pip install --no-deps -e .
name: {pyproject["project"]["name"]}
channels:
  - conda-forge
dependencies:
  - python={oldest_python(pyproject)}
  - pip
  - pip:
      - -r requirements.lock
"""


def _header(asked: Any) -> str:
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return f"# Made by tools/lock.py from the dependencies in pyproject.toml, sha256 {digest}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Regenerates requirements.lock and environment.yml from pyproject.toml.

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
ENVIRONMENT = ROOT / "environment.yml"


def main(arguments: list[str]) -> int:
    """Writes both files; uv's exit code."""
    resolve = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml"]
    resolve += ["--universal", "--generate-hashes", "--all-extras", "--no-emit-index-url"]
    resolve += ["--no-annotate", "--no-header", "--quiet", f"--output-file={LOCK}"]
    compiled = subprocess.run([*resolve, *arguments], cwd=ROOT, check=False)  # noqa: S603
    if compiled.returncode != 0:
        return compiled.returncode
    pyproject = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    pins = LOCK.read_text(encoding="utf-8")
    _write(LOCK, f"{lock_header(pyproject)}\n{pins}")
    _write(ENVIRONMENT, environment(pyproject))
    return 0


def lock_header(pyproject: dict[str, Any]) -> str:
    """The lock's first line: a digest of all that it was resolved from."""
    project = pyproject["project"]
    names = ("requires-python", "dependencies", "optional-dependencies")
    asked = {name: project[name] for name in names}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return f"# Made by tools/lock.py from the dependencies in pyproject.toml, sha256 {digest}"


def environment(pyproject: dict[str, Any]) -> str:
    """environment.yml's text: the oldest Python that pyproject allows, and the lock."""
    project = pyproject["project"]
    # The one Python that every check runs on; a newer one may lack a built package.
    python = project["requires-python"].split(",")[0].removeprefix(">=")
    return f"""\
# Made by tools/lock.py from pyproject.toml. After `conda env create`, activate the environment
# and add the project itself: pip install --no-deps -e .
name: {project["name"]}
channels:
  - conda-forge
dependencies:
  - python={python}
  - pip
  - pip:
      - -r requirements.lock
"""


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

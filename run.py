"""Sets this project up on a fresh machine, then runs it.

    python run.py         the main job: reports for the bundled, made-up practice "demo"
    python run.py test    every check and test (the slow ones too where CI=true)
    python run.py browser the tests of reports and JupyterLab in Chromium, which must be there
    python run.py oracles the approval model against other programs' answers, a few minutes
    python run.py spark   Spark's tables of 100,000 claim lines against DuckDB's; needs Java 17

Needs Python 3.11 to 3.14 and, the first time, a connection to the internet. Everything is
installed into the folder .venv beside this file; deleting that folder undoes it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # No Python evaluates this, so that one too old for the notation can still say that it is.
    Command = list[str | Path]

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
BROWSER_LOCK = ROOT / "browser.lock"
ORACLES_LOCK = ROOT / "oracles.lock"
SPARK_LOCK = ROOT / "spark.lock"
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
# Written after everything else, so that an interrupted installation is begun again.
STAMP = VENV / "installed.txt"

INCOMPLETE = 3  # `outcomes` finished, but set some input aside: no reason to stop here
INTERRUPTED = 130


class SetupError(Exception):
    """The project could not be set up; the text says what to do."""


def main(arguments: list[str]) -> int:
    """Runs what `arguments` name and returns the exit code."""
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        here = ".".join(str(part) for part in sys.version_info[:2])
        print(
            f"This project needs Python 3.11 to 3.14, and this is Python {here}. Install one of "
            "those from https://www.python.org/downloads/ and start again with it.",
            file=sys.stderr,
        )
        return 2
    jobs = {
        (): run_demo,
        ("test",): run_tests,
        ("browser",): run_browser_tests,
        ("oracles",): run_oracle_tests,
        ("spark",): run_spark_tests,
    }
    job = jobs.get(tuple(arguments))
    if job is None:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        set_up()
        return job()
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Start again with the same command.", file=sys.stderr)
        return INTERRUPTED


def run_demo() -> int:
    """Makes the demo practice where it is absent, builds its tables and writes its reports."""
    steps = [("Building the tables", "build"), ("Writing the reports", "report")]
    if not (ROOT / "data" / "raw" / "demo").is_dir():
        steps.insert(0, ("Making up the demo practice", "synthesize"))
    result = 0
    for title, command in steps:
        say(f"{title}: outcomes {command} demo")
        code = call([PYTHON, "-m", "analysis", command, "demo"])
        if code not in (0, INCOMPLETE):
            say(f"`outcomes {command} demo` stopped with exit code {code}; its words are above.")
            return code
        result = max(result, code)
    say(f"Done. Open in a browser: {ROOT / 'reports' / 'index.html'}")
    return result


def run_tests() -> int:
    """Runs every check, also after one has failed. 0 when all pass, else 1."""
    kept = "not browser and not oracle and not spark"
    if os.environ.get("CI") != "true":
        kept += " and not slow"
    pytest = ["pytest", "-n", "2", "--dist", "loadgroup", "-m", kept]
    checks = [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["lint-imports"],
        pytest,
    ]
    failed = []
    for check in checks:
        title = " ".join(check)
        say(f"-- {title}")
        began = time.monotonic()
        program = shutil.which(check[0], path=str(SCRIPTS))
        if program is None or call([program, *check[1:]]) != 0:
            failed.append(title)
        say(f"   {time.monotonic() - began:.0f} s")
    say(f"Failed: {'; '.join(failed)}" if failed else "Every check and test passed.")
    return 1 if failed else 0


def run_browser_tests() -> int:
    """Adds what drives a browser to .venv, then runs the tests that need one; pytest's exit code.

    Raises SetupError.
    """
    install(["--require-hashes", "-r", BROWSER_LOCK])
    return call([PYTHON, "-m", "pytest", "tests/browser", "-m", "browser"])


def run_oracle_tests() -> int:
    """Adds the programs that the model is held against to .venv, then asks them; as above."""
    install(["--require-hashes", "-r", ORACLES_LOCK])
    return call([PYTHON, "-m", "pytest", "tests/oracles", "-m", "oracle"])


def run_spark_tests() -> int:
    """Adds Spark to .venv, then compares the tables it makes with DuckDB's; as above."""
    install(["--require-hashes", "-r", SPARK_LOCK])
    return call([PYTHON, "-m", "pytest", "tests/spark", "-m", "spark"])


def set_up() -> None:
    """Makes .venv hold exactly what requirements.lock says, and this project.

    Does nothing when an earlier start did it all. Raises SetupError when it cannot be done.
    """
    wanted = stamp()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    say("Setting up in .venv. This happens once and takes a few minutes.")
    make_venv()
    install(
        ["--require-hashes", "-r", LOCK],
        # The lock holds the build backend too, so nothing is fetched that has no hash.
        ["--no-deps", "--no-build-isolation", "-e", ROOT],
    )
    say("Compiling")
    # Some packages carry templates that are no valid Python: a failure here changes nothing.
    library = VENV / ("Lib" if os.name == "nt" else "lib")
    skipped = r"[\\/]tests[\\/]"  # of other packages: a quarter of all files, never imported
    call([PYTHON, "-m", "compileall", "-qq", "-j", "2", "-x", skipped, library, ROOT / "src"])
    STAMP.write_text(wanted, encoding="utf-8")


def stamp() -> str:
    """What an installation depends on, as text: a change in it means installing anew."""
    lines = [f"python {sys.version_info[0]}.{sys.version_info[1]}"]
    # The project is installed in place, so a folder that was moved no longer works.
    lines.append(f"folder {ROOT}")
    for path in (LOCK, ROOT / "pyproject.toml"):
        lines.append(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    return "\n".join(lines) + "\n"


def make_venv() -> None:
    """An empty .venv, in place of whatever was there. Raises SetupError."""
    try:
        STAMP.unlink(missing_ok=True)
        code = call([sys.executable, "-m", "venv", "--clear", VENV])
    except OSError:
        code = 1
    if code != 0:
        raise SetupError(
            f"The folder {VENV} could not be made anew. Close JupyterLab and every other window "
            "that uses this project, then start again. On Debian and Ubuntu, first: "
            "sudo apt install python3-venv"
        )


def install(*wanted: Command) -> None:
    """Installs what each of `wanted` asks of an installer, in this order. Raises SetupError."""
    for name, installer in installers():
        say(f"Installing the packages with {name}")
        if all(call([*installer, *what]) == 0 for what in wanted):
            return
    raise SetupError(
        "The packages could not be installed; the reason stands above. Check the connection to "
        "the internet and the free space on the disk, then start again: what was fetched is kept. "
        "Behind a company's proxy, set HTTPS_PROXY, or ask for the values of PIP_INDEX_URL and "
        "PIP_CERT."
    )


def installers() -> list[tuple[str, Command]]:
    """uv where this machine has it, since it is several times as fast; then pip, always there."""
    found: list[tuple[str, Command]] = []
    uv: Command = [shutil.which("uv") or ""]
    if importlib.util.find_spec("uv"):
        uv = [sys.executable, "-m", "uv"]
    if uv[0]:
        found.append(("uv", [*uv, "pip", "install", "--quiet", "--python", PYTHON]))
    # Compiled afterwards, with two processes.
    pip: Command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    found.append(("pip", [*pip, "--no-compile"]))
    return found


def call(command: Command) -> int:
    """Runs a program in the project's folder and environment; its exit code."""
    environment = dict(os.environ)
    # Without compiled bytecode each of many notebook kernels compiles everything again; the
    # others would let modules from elsewhere in.
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(name, None)
    # A Windows console's own encoding lacks signs that the reports use.
    environment.setdefault("PYTHONUTF8", "1")
    environment["PATH"] = f"{SCRIPTS}{os.pathsep}{environment.get('PATH', '')}"
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def say(text: str) -> None:
    """One line, at once, so that it stands before what a started program prints."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

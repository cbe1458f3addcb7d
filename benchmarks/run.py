"""Runs the benchmarks and writes what they found to docs/benchmarks.md.

    python benchmarks/run.py [--size small|full] [NAME ...]

Every other module here, unless it is a peer's, has `measure(size) -> list[Row]`; its docstring says
what it measures. Each gets a section of the page, with the machine and the versions it ran on. A
section whose benchmark was not run stays as it was.
"""

import argparse
import importlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measuring import Row  # noqa: E402 - found through the line above

PAGE = ROOT / "docs" / "benchmarks.md"
_APART = ("run", "measuring", "pandas_cleaning")
_PACKAGES = ("duckdb", "pyarrow", "oxedi", "pandas", "numpy", "scipy", "scikit-learn")
_OPENING = """# What it costs

Made by `python benchmarks/run.py`; do not edit. Every figure but memory is a ratio to a floor or to
a peer measured in the same run: the median of its repetitions, and between which they lay. Where
nothing else is said, it is a ratio of processor time.
"""


def main(arguments: list[str]) -> int:
    """0 when every median keeps its limit, else 1."""
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("names", metavar="NAME", nargs="*", choices=[[], *names()])
    asked = parser.parse_args(arguments)
    rows = []
    for name in asked.names or names():
        print(f"{name}, {asked.size} ...", flush=True)
        module = importlib.import_module(f"benchmarks.{name}")
        made = module.measure(asked.size)
        text = with_section(page(), name, section(module.__doc__, asked.size, made))
        PAGE.write_text(text, encoding="utf-8")
        print(table(made), flush=True)
        rows += made
    return int(any(row.holds is False for row in rows))


def names() -> list[str]:
    """The benchmarks there are."""
    found = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return [name for name in found if name not in _APART and not name.startswith("_")]


def page() -> str:
    """The page as it stands, or its opening."""
    return PAGE.read_text(encoding="utf-8") if PAGE.exists() else _OPENING


def with_section(text: str, name: str, new: str) -> str:
    """The page with the section of one benchmark put in, sections in the order of their names."""
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True)) | {name: f"\n{new}\n"}
    return "\n".join(
        [parts[0].rstrip() + "\n", *(f"## {key}\n{sections[key]}" for key in sorted(sections))]
    ).replace("\n\n\n", "\n\n")


def section(told: str | None, size: str, rows: list[Row]) -> str:
    """What was measured, on what, and the table."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    python = f"Python {platform.python_version()}"
    machine = f"{os.cpu_count()} cores, {processor()}, {platform.system()}"
    ran = f"Size {size}, {date.today()}; {machine}; {python}, {versions}; commit {commit()}."
    return f"{(told or '').strip()}\n\n{ran}\n\n{table(rows)}"


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | against | median | spread | asked |", "| --- | --- | ---: | --- | --- |"]
    for row in rows:
        spread = f"{min(row.figures):.2f} to {max(row.figures):.2f}, n={len(row.figures)}"
        verdict = "" if row.holds is None else ", holds" if row.holds else ", **does not hold**"
        median = f"{row.median:.2f} {row.unit}"
        lines.append(f"| {row.what} | {row.against} | {median} | {spread} | {row.limit}{verdict} |")
    return "\n".join(lines)


def processor() -> str:
    """The processor's name where the system tells it, else its architecture."""
    told = Path("/proc/cpuinfo")
    text = told.read_text() if told.exists() else ""
    found = re.search(r"model name\s*:\s*(.+)", text)
    return " ".join(found[1].split()) if found else platform.machine()


def commit() -> str:
    """The commit measured, with a plus where files differ from it."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ended.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

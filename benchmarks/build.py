"""`outcomes build` of a made-up practice against the floor of its imports, and a month on top.

The floor starts Python and imports the packages of others that a build needs, and nothing else. The
month on top is the build after the files of the last month came, against a build of all.
"""

import re
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Cost, Row, Size, at_most, in_turn, python, run

_FLOOR = """
import duckdb, filelock, numpy, oxedi, pandas, pyarrow, pyarrow.compute, pyarrow.parquet, pydantic
import rapidfuzz, scipy.linalg, scipy.sparse, scipy.special, sklearn.base, sklearn.utils.multiclass
import sklearn.utils.validation, threadpoolctl, typer
"""
_CLAIMS, _MONTHS = 2_000, 24
_MONTH = re.compile(r"\d{4}-\d{2}")


def measure(size: Size) -> list[Row]:
    """A full build of 2,000 claims of 24 months, and its last month on top of the others."""
    repetitions = {"small": 3, "full": 11}[size]
    with tempfile.TemporaryDirectory() as place:
        data = Path(place)
        options = ["--claims", str(_CLAIMS), "--months", str(_MONTHS)]
        _outcomes(data, "synthesize", *options)
        _outcomes(data, "build")
        costs = in_turn(
            repetitions, lambda: python(_FLOOR), lambda: _full(data), lambda: _month(data)
        )
    what = "2,000 claims of 24 months"
    floors = [build.cpu_seconds / floor.cpu_seconds for floor, build, _ in costs]
    shares = [month.cpu_seconds / build.cpu_seconds for _, build, month in costs]
    return [
        at_most(4, f"full build, {what}", "start and imports", floors),
        at_most(0.5, "the last month on top", f"full build, {what}", shares),
    ]


def _month(data: Path) -> Cost:
    """A build with the last month's files, after one without them."""
    raw = data / "raw" / "bench"
    months = {path: found[0] for path in raw.iterdir() if (found := _MONTH.search(path.name))}
    # What begins with a dot is not read.
    hidden = {
        path: raw / f".{path.name}" for path, m in months.items() if m == max(months.values())
    }
    for path, aside in hidden.items():
        path.rename(aside)
    _outcomes(data, "build")
    for path, aside in hidden.items():
        aside.rename(path)
    return _outcomes(data, "build")


def _full(data: Path) -> Cost:
    for table in (data / "processed" / "bench").glob("*.parquet"):
        table.unlink()
    return _outcomes(data, "build")


def _outcomes(data: Path, command: str, *options: str) -> Cost:
    return run(
        [sys.executable, "-m", "analysis", command, "bench", *options, "--data-dir", str(data)]
    )

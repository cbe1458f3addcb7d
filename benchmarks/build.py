"""`outcomes build` of a made-up practice against the floor of its imports.

The floor starts Python and imports the packages of others that a build needs, and nothing else.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Cost, Row, Size, at_most, in_turn, python, run

_FLOOR = """
import duckdb, filelock, numpy, oxedi, pandas, pyarrow, pyarrow.compute, pyarrow.parquet, pydantic
import rapidfuzz, scipy.linalg, scipy.sparse, scipy.special, scipy.stats, threadpoolctl, typer
import sklearn.compose, sklearn.impute, sklearn.linear_model, sklearn.metrics
import sklearn.model_selection, sklearn.pipeline, sklearn.preprocessing
"""
_CLAIMS, _MONTHS = 2_000, 24


def measure(size: Size) -> list[Row]:
    """A full build of 2,000 claims of 24 months."""
    repetitions = {"small": 5, "full": 11}[size]
    with tempfile.TemporaryDirectory() as place:
        data = Path(place)
        options = ["--claims", str(_CLAIMS), "--months", str(_MONTHS)]
        _outcomes(data, "synthesize", *options)
        _outcomes(data, "build")
        costs = in_turn(repetitions, lambda: python(_FLOOR), lambda: _full(data))
    ratios = [build.cpu_seconds / floor.cpu_seconds for floor, build in costs]
    return [at_most(4, "full build, 2,000 claims of 24 months", "start and imports", ratios)]


def _full(data: Path) -> Cost:
    for table in (data / "processed" / "bench").glob("*.parquet"):
        table.unlink()
    return _outcomes(data, "build")


def _outcomes(data: Path, command: str, *options: str) -> Cost:
    return run(
        [sys.executable, "-m", "analysis", command, "bench", *options, "--data-dir", str(data)]
    )

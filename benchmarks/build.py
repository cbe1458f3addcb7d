"""A made-up practice's tables against the floor of their imports, and a month on top.

The floor starts Python and imports what `outcomes build` needs, packages of others and modules of
its own, and does nothing else. All tables are those of `outcomes build` and the judgement of the
model on later claims, which `outcomes report` adds. The last three months come one after the other,
each on top of the tables without it; the as-of day follows the files. The model is judged anew only
with a month that ends a test period, and then fitted for that period alone. Without the judgement a
month costs what a build does: every claim and the model's fit are made anew. Making the new month
alone would not halve it either, since imports and most statements cost the same for few rows as for
many.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Cost, Row, Size, at_most, python, run

_OTHERS = """
import duckdb, filelock, numpy, oxedi, pandas, pyarrow, pyarrow.compute, pyarrow.parquet, pydantic
import rapidfuzz, scipy.linalg, scipy.sparse, scipy.special, threadpoolctl, typer
"""
_BUILD_AND_TELL = """
import sys
from analysis import cli, pipeline
pipeline.ready("bench", through="model", data_dir=sys.argv[1], say=lambda _: None)
print(*(name for name in sys.modules if name.partition(".")[0] == "analysis"))
"""
_CLAIMS, _MONTHS, _LAST = 2_000, 24, 3
_MONTH = re.compile(r"\d{4}-\d{2}")
_BUILD, _ALL = "model", "evaluation"


def measure(size: Size) -> list[Row]:
    """The full build, and the last three months on top, by whether they end a test period."""
    repetitions = {"small": 1, "full": 3}[size]
    with tempfile.TemporaryDirectory() as place:
        data = Path(place)
        made = ["--claims", str(_CLAIMS), "--months", str(_MONTHS), "--data-dir", str(data)]
        run([sys.executable, "-m", "analysis", "synthesize", "bench", *made])
        settings = data / "raw" / "bench" / "practice.toml"
        settings.write_text(re.sub(r"(?m)^as_of = .*\n", "", settings.read_text("utf-8")), "utf-8")
        floor_of = f"{_OTHERS}\nimport {', '.join(_own_modules(data))}"
        floors: list[float] = []
        builds: list[float] = []
        usual: list[float] = []
        ending: list[float] = []
        for _ in range(repetitions):
            floor = python(floor_of).cpu_seconds
            build, everything = (_full(data, through).cpu_seconds for through in (_BUILD, _ALL))
            floors.append(build / floor)
            builds += [month.cpu_seconds / build for month, _ in _months(data, _BUILD)]
            for month, is_judged in _months(data, _ALL):
                (ending if is_judged else usual).append(month.cpu_seconds / everything)
    what = "2,000 claims of 24 months"
    return [
        at_most(4, f"`outcomes build`, {what}", "start and imports", floors),
        at_most(0.5, "a month on top that ends no test period", f"all tables, {what}", usual),
        at_most(0.5, "a month on top that ends one", f"all tables, {what}", ending),
        at_most(0.5, "a month on top, not judged", f"`outcomes build`, {what}", builds),
    ]


def _own_modules(data: Path) -> list[str]:
    """The modules of the package that a build has imported at its end."""
    told = subprocess.run(
        [sys.executable, "-c", _BUILD_AND_TELL, str(data)],
        capture_output=True,
        check=True,
        text=True,
    )
    return told.stdout.split()


def _months(data: Path, through: str) -> list[tuple[Cost, bool]]:
    """For each of the last months what it costs on top, and whether the model was judged anew."""
    files = {
        path: found[0]
        for path in (data / "raw" / "bench").iterdir()
        if (found := _MONTH.search(path.name))
    }
    last = sorted(set(files.values()))[-_LAST:]
    # What begins with a dot is not read.
    hidden = {path: path.with_name(f".{path.name}") for path in files if files[path] in last}
    for path, aside in hidden.items():
        path.rename(aside)
    _ready(data, _ALL)
    costs = []
    for month in last:
        for path, aside in hidden.items():
            if files[path] == month:
                aside.rename(path)
        before = _judged(data)
        cost = _ready(data, through)
        costs.append((cost, _judged(data) != before))
    return costs


def _judged(data: Path) -> float | None:
    """When the model was judged last; None where that is due."""
    judged = data / "processed" / "bench" / "evaluation.parquet"
    return judged.stat().st_mtime if judged.exists() else None


def _full(data: Path, through: str) -> Cost:
    shutil.rmtree(data / "private" / "bench" / "foretold", ignore_errors=True)
    for table in (data / "processed" / "bench").glob("*.parquet"):
        table.unlink()
    return _ready(data, through)


def _ready(data: Path, through: str) -> Cost:
    """The step `model` is the last of `outcomes build`, `evaluation` that of `outcomes report`."""
    if through == _BUILD:
        command = ["-m", "analysis", "build", "bench", "--data-dir", str(data)]
        return run([sys.executable, *command])
    asked = f"pipeline.ready('bench', through={through!r}, data_dir={str(data)!r})"
    return python(f"from analysis import pipeline; {asked}")

"""What every benchmark shares: a command's cost, and a row of the table they make together.

A time alone says more about the machine than about the program. So every row is a ratio to a floor
(what any program would have to pay) or to a peer (another program doing the same job), both
measured in turn within one run.
"""

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Size = Literal["small", "full"]


@dataclass(frozen=True)
class Cost:
    """What one run of a command took: seconds of processor and of clock, and its largest memory."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Row:
    """One line of the table of results.

    `figures` has one value for each repetition; `limit` says in words what was asked of it, such
    as "at most 4", empty where nothing was; `holds` whether the median keeps it.
    """

    what: str
    against: str
    figures: tuple[float, ...]
    limit: str = ""
    holds: bool | None = None
    unit: str = "times"

    @property
    def median(self) -> float:
        """The middle of the repetitions."""
        return statistics.median(self.figures)


def at_most(
    limit: float, what: str, against: str, figures: Sequence[float], unit: str = "times"
) -> Row:
    """A row whose median is to stay at or below `limit`."""
    holds = statistics.median(figures) <= limit
    return Row(what, against, tuple(figures), f"at most {limit:g}", holds, unit)


def at_least(
    limit: float, what: str, against: str, figures: Sequence[float], unit: str = "times"
) -> Row:
    """A row whose median is to reach `limit`."""
    holds = statistics.median(figures) >= limit
    return Row(what, against, tuple(figures), f"at least {limit:g}", holds, unit)


def run(command: Sequence[str | os.PathLike[str]]) -> Cost:
    """Run a command to its end, with all the processes that it starts.

    Python keeps what it compiles, as it does for everybody who uses the program twice. Linux and
    Mac only: other systems do not tell the cost of one child. Raises CalledProcessError, with what
    the command said, when it fails.
    """
    began = time.monotonic()
    known = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen(command, env=known, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert child.stdout
    said = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.stdout.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, list(command), said)
    unit = 1 if sys.platform == "darwin" else 1024
    wall = time.monotonic() - began
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * unit)


def python(code: str, *arguments: str | os.PathLike[str]) -> Cost:
    """Run Python code in a process of its own; it finds the arguments in sys.argv[1:]."""
    return run([sys.executable, "-c", code, *arguments])


def child(module: str, function: str, *arguments: str | os.PathLike[str]) -> tuple[float, int]:
    """Processor seconds that a function of a benchmark says it took, and the largest memory.

    It runs in a process of its own, and times itself, so that starting and importing are left out.
    """
    cost = timed(module, function, *arguments)
    return cost.cpu_seconds, cost.peak_bytes


def timed(module: str, function: str, *arguments: str | os.PathLike[str]) -> Cost:
    """What a function of a benchmark says it took: processor seconds alone, or seconds of both.

    As `child`; where it tells no seconds of clock, they are those of the whole process.
    """
    root = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory() as place:
        told = Path(place) / "seconds"
        code = (
            f"import json, sys; sys.path.insert(0, {str(root)!r}); from pathlib import Path; "
            f"from benchmarks import {module}; seconds = {module}.{function}(*sys.argv[2:]); "
            "Path(sys.argv[1]).write_text(json.dumps(seconds))"
        )
        cost = python(code, told, *arguments)
        seconds = json.loads(told.read_text())
    cpu, wall = seconds if isinstance(seconds, list) else (seconds, cost.wall_seconds)
    return Cost(cpu, wall, cost.peak_bytes)


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns, run in a process of its own.

    What a benchmark holds while it makes its data would count with every process it starts later:
    a new process begins as a copy, and the system never forgets its largest memory.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        return processes.submit(function, *arguments).result()


def in_turn(repetitions: int, *measures: Callable[[], Cost]) -> list[tuple[Cost, ...]]:
    """The costs of each measure, one after the other, `repetitions` times over.

    Taking turns spreads whatever else the machine does over all of them.
    """
    return [tuple(measure() for measure in measures) for _ in range(repetitions)]

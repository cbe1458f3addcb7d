"""Lineages and outcomes of more claim lines than memory holds, entered as Parquet.

A made-up practice is repeated as in `cleaning`. The steps run as in a build, on all cores of the
machine, within a limit of memory; what the limit does not hold goes through files.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import cleaning
from benchmarks.measuring import Row, Size, apart, at_most, timed

# Claim lines, and the limit as the engine and as the row says it.
_LINES: dict[Size, tuple[int, str, int]] = {
    "small": (1_000_000, "1 GB", 1_000),
    "full": (50_000_000, "8 GB", 8_000),
}


def measure(size: Size) -> list[Row]:
    """Minutes of clock and of processor, and the largest memory; one run."""
    n_lines, limit, megabytes = _LINES[size]
    with TemporaryDirectory() as place:
        data = Path(place)
        apart(cleaning.practice, data)
        n_lines = apart(cleaning.repeat, data, "large", n_lines, ("lineage", "outcomes"), False)
        cost = timed("cleaning", "clean", data, "large", limit)
    what, against = f"{n_lines:,} claim lines", f"limit {limit}"
    return [
        Row(f"by the clock, {what}", against, (cost.wall_seconds / 60,), unit="minutes"),
        Row(f"processor, {what}", against, (cost.cpu_seconds / 60,), unit="minutes"),
        at_most(
            1.15 * megabytes, f"largest memory, {what}", against, [cost.peak_bytes / 1e6], "MB"
        ),
    ]

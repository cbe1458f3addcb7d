"""Cleaning: from the tables of intake to lineages, outcomes and features, in bounded memory.

A made-up practice is repeated, every number and patient made distinct, until it has enough claim
lines; its tables enter as Parquet. The steps lineage and outcomes run as in a build, their tables
checked and written, the engine limited to 2 GB; then, measured apart and on what the peer is given,
the step features on top of them. The floor reads every column of the same tables from CSV once. The
exponent says how processor time grows with lines: 1 is in proportion.

The peer is the lineage step written in pandas (`pandas_cleaning.py`): both read the same Parquet
files, join all versions and answers to claims, and write the same two tables, which the benchmark
compares to the row. pandas holds everything in memory, without a limit.

Where memory is short of all claims, outcomes and features are made by ranges of them. What ten
million lines cost beyond ten times what a million do goes into files that memory cannot hold.
"""

import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measuring import Row, Size, apart, at_least, at_most, child, timed

_LINES: dict[Size, tuple[int, int]] = {"small": (30_000, 300_000), "full": (1_000_000, 10_000_000)}
_REPETITIONS: dict[Size, int] = {"small": 3, "full": 1}
# What the peer is given: more would take more memory than there is.
_FOR_PEER: dict[Size, str] = {"small": "many", "full": "few"}
# With fewer, what a step costs whatever its size would be measured.
_ENOUGH_LINES = 100_000
_LIMIT, _LIMIT_MEGABYTES = "2 GB", 2_000
_STEPS = ("lineage", "outcomes")
_ON_TOP = ("features",)

# What tells two claims, lines, documents, payments or patients apart; other columns stay.
_DISTINCT = (
    "acknowledgment_id", "adjustment_id", "appeal_id", "attested_document_id", "authorization_id",
    "authorization_number", "benefit_call_id", "claim_version_id", "line_control_number",
    "original_reference_number", "patient_control_number", "patient_id",
    "payer_claim_control_number", "payment_id", "prescription_id", "provider_adjustment_id",
    "reference_number", "remark_id", "remittance_id", "remittance_line_id", "service_line_id",
    "set_reference", "trace_number", "visit_minutes_id", "visit_technique_id",
)  # fmt: skip


def measure(size: Size) -> list[Row]:
    """Processor time against the scan, its growth, and the largest memory; features; the peer."""
    ratios: dict[str, list[float]] = {"few": [], "many": []}
    exponents, peaks = [], []
    told, told_peaks = [], []
    cpu, wall = [], []
    few, many = _LINES[size]
    peer = _FOR_PEER[size]
    with TemporaryDirectory() as place:
        data = Path(place)
        apart(practice, data)
        n_lines = {
            name: apart(repeat, data, name, n, _STEPS + (_ON_TOP if name == peer else ()))
            for name, n in (("few", few), ("many", many))
        }
        for _ in range(_REPETITIONS[size]):
            small, _ = child("cleaning", "clean", data, "few")
            large, peak = child("cleaning", "clean", data, "many")
            floors = {name: child("cleaning", "scan", data, name)[0] for name in n_lines}
            ratios["few"].append(small / floors["few"])
            ratios["many"].append(large / floors["many"])
            exponents.append(math.log(large / small, n_lines["many"] / n_lines["few"]))
            peaks.append(peak / 1e6)
            features, peak = child("cleaning", "describe", data, peer)
            told.append(features / floors[peer])
            told_peaks.append(peak / 1e6)
            ours = timed("cleaning", "join", data, peer)
            theirs = timed("cleaning", "join_in_pandas", data, peer)
            _require_equal(data / "processed" / peer)
            cpu.append(theirs.cpu_seconds / ours.cpu_seconds)
            wall.append(theirs.wall_seconds / ours.wall_seconds)
    few_lines, many_lines = (f"{n:,} claim lines" for n in n_lines.values())
    lines = f"{n_lines[peer]:,} claim lines"
    scan, limit = "all-column CSV scan", f"limit {_LIMIT}"
    features_rows = [
        Row(f"features, {lines}", scan, tuple(told)),
        Row(f"features, largest memory, {lines}", limit, tuple(told_peaks), unit="MB"),
    ]
    return [
        *(
            at_most(12, f"lineages and outcomes, {n_lines[name]:,} claim lines", scan, figures)
            for name, figures in ratios.items()
            if n_lines[name] >= _ENOUGH_LINES
        ),
        at_most(1.1, f"growth to {many_lines}", few_lines, exponents, "as exponent"),
        at_most(1.15 * _LIMIT_MEGABYTES, f"largest memory, {many_lines}", limit, peaks, "MB"),
        *features_rows,
        at_least(2.5, f"pandas, lineages of {lines}", "the same tables", cpu),
        at_least(4, f"pandas, lineages of {lines}, by the clock", "the same tables", wall),
    ]


def practice(data: Path) -> None:
    """The tables of intake of a made-up practice, named `one`."""
    from analysis import pipeline, synthetic
    from analysis.config import Folders

    synthetic.synthesize("one", data_dir=data, n_claims=2_000, n_months=24, seed=1)
    pipeline.build(Folders(data, data / "reports", "one"), through="intake", say=lambda _: None)


def repeat(
    data: Path, name: str, n_lines: int, steps: tuple[str, ...] = _STEPS, as_csv: bool = True
) -> int:
    """Write the practice over and over as practice `name`; how many claim lines it has.

    Only the tables that `steps` read: as Parquet, and those of the scan as CSV too.
    """
    import duckdb

    one, folder = data / "processed" / "one", data / "processed" / name
    folder.mkdir()
    lines = _count(one)
    n_times = math.ceil(n_lines / lines)
    for table in sorted({*_inputs(_STEPS), *_inputs(steps)}):
        source = one / f"{table}.parquet"
        # In any order of rows, or tens of millions would have to be held for it.
        with duckdb.connect(
            config={"temp_directory": str(folder), "preserve_insertion_order": False}
        ) as connection:
            columns = [row[0] for row in connection.execute(f"DESCRIBE FROM '{source}'").fetchall()]
            told = [f"{c} || '-' || k AS {c}" if c in _DISTINCT else c for c in columns]
            # A list of insurers, say, stands once however often the claims do.
            n_copies = n_times if set(columns) & set(_DISTINCT) else 1
            connection.execute(
                f"CREATE VIEW repeated AS SELECT {', '.join(told)} "
                f"FROM '{source}', range({n_copies}) AS r(k)"
            )
            connection.execute(f"COPY repeated TO '{folder / table}.parquet'")
            if as_csv and table in _inputs(_STEPS):
                connection.execute(f"COPY repeated TO '{folder / table}.csv'")
    return lines * n_times


def _count(folder: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(folder / "service_lines.parquet").num_rows)


def _inputs(names: tuple[str, ...]) -> list[str]:
    """The tables of intake that the steps of these names read."""
    from analysis.pipeline import STEPS

    steps = [step for step in STEPS if step.name in names]
    made = {table for step in steps for table in step.writes}
    return sorted({table for step in steps for table in step.reads} - made)


# ---- what is measured, each in a process of its own -------------------------------------


def clean(data: str, name: str, limit: str = _LIMIT) -> tuple[float, float]:
    """Lineages and outcomes, as a build makes them; seconds of processor and of clock."""
    from analysis import outcomes
    from analysis.claims import coding, lineage

    assert all((outcomes, coding, lineage))  # imported before the clock starts
    return make(_STEPS, data, name, limit)


def describe(data: str, name: str) -> tuple[float, float]:
    """Features, from what `clean` left."""
    from analysis.features import calls, claim, documentation, policies, visits

    assert all((calls, claim, documentation, policies, visits))  # as in `clean`
    return make(_ON_TOP, data, name, _LIMIT)


def make(names: tuple[str, ...], data: str, name: str, limit: str) -> tuple[float, float]:
    """The tables of these steps, in their order; seconds of processor and of clock.

    Raises duckdb.OutOfMemoryException where `limit` is too little.
    """
    from analysis import engine, tables
    from analysis.config import Folders, Practice
    from analysis.pipeline import STEPS

    folders = Folders(Path(data), Path(data) / "reports", name)
    began = time.process_time(), time.monotonic()
    for step in STEPS:
        if step.name in names:
            with engine.workspace(folders.private / "work" / step.name, limit, grow=tables.growing):
                inputs = {table: tables.stored(folders.processed, table) for table in step.reads}
                made = step.function(folders, Practice(), inputs)
                written = {table: made[table] for table in step.writes}
                tables.write_all(folders.processed, written, {})
    return time.process_time() - began[0], time.monotonic() - began[1]


def join(data: str, name: str) -> tuple[float, float]:
    """Lineages alone, as the package makes them; seconds of processor and of clock."""
    from analysis import engine, tables
    from analysis.claims import lineage
    from analysis.config import Folders

    folders = Folders(Path(data), Path(data) / "reports", name)
    began = time.process_time(), time.monotonic()
    with engine.workspace(folders.private / "work" / "join", _LIMIT, grow=tables.growing):
        inputs = {table: tables.stored(folders.processed, table) for table in lineage.INPUTS}
        tables.write_all(folders.processed, lineage.lineage(inputs), {})
    return time.process_time() - began[0], time.monotonic() - began[1]


def join_in_pandas(data: str, name: str) -> tuple[float, float]:
    """The same lineages, as pandas makes them."""
    from benchmarks import pandas_cleaning

    folder = Path(data) / "processed" / name
    began = time.process_time(), time.monotonic()
    pandas_cleaning.write(_of_pandas(folder), pandas_cleaning.lineage(folder))
    return time.process_time() - began[0], time.monotonic() - began[1]


def _of_pandas(folder: Path) -> Path:
    made = folder / "pandas"
    made.mkdir(exist_ok=True)
    return made


def _require_equal(folder: Path) -> None:
    """Raises ValueError where the lineages that pandas made are not those of the package."""
    import duckdb

    from analysis.claims.lineage import OUTPUTS
    from analysis.tables import declared

    for table in OUTPUTS:
        columns = ", ".join(column.name for column in declared(table).columns)
        paths = (folder / f"{table}.parquet", _of_pandas(folder) / f"{table}.parquet")
        with duckdb.connect() as connection:
            sums = [
                connection.execute(
                    f"SELECT count(*), sum(hash({columns})) FROM '{path}'"
                ).fetchone()
                for path in paths
            ]
        if sums[0] != sums[1]:
            raise ValueError(f"{table}: pandas made {sums[1]}, the package {sums[0]}")


def scan(data: str, name: str) -> float:
    """The floor: every column of the same tables, once, from CSV."""
    import duckdb

    began = time.process_time()
    for table in _inputs(_STEPS):
        path = Path(data) / "processed" / name / f"{table}.csv"
        with duckdb.connect() as connection:
            connection.execute(f"SELECT count(COLUMNS(*)) FROM '{path}'").fetchall()
    return time.process_time() - began

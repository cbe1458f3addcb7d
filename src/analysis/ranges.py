"""Statements that treat every claim or patient by itself, made for a range of them at a time.

What memory cannot hold of all claims at once it holds of some of them. So where a step's inputs are
many for its memory limit, such statements run once for each range of claims, over its rows alone.
What they read lies in files, one for each range, and what they make for others goes to files, one
behind the other: memory is for the range in work. The tables that come out are the same, in the
same order.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from analysis import engine, tables
from analysis.engine import Source, words
from analysis.schemas import TABLES

# What a step makes of a row of its inputs before it is done with it, as measured.
_BYTES_PER_ROW = 400

# Threads of Arrow would each keep memory of their own.
_WRITTEN = pa.ipc.IpcWriteOptions(use_threads=False)
_READ = pa.ipc.IpcReadOptions(use_threads=False)


@dataclass(frozen=True)
class Stages:
    """Named statements in three parts, of which those `by_key` may be made by ranges.

    They treat each value of the column `key` by itself, and every table of `before` that they read
    has it. The table `numbering` among those holds all its values: 1, 2, 3 and so on.
    """

    key: str
    numbering: str
    before: Mapping[str, str]
    by_key: Mapping[str, str]
    after: Mapping[str, str]

    def divided(self) -> list[str]:
        """The tables that the ranges read by `key`."""
        return [name for name in self.before if name in _read(self.by_key)]


def run(
    stages: Stages,
    inputs: Mapping[str, Source],
    outputs: list[str],
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Source]:
    """As `engine.run` of all the statements."""
    folder = engine.room()
    n_ranges = 1 if engine.are_small(inputs) else _n_ranges(inputs.values())
    if n_ranges == 1 or folder is None:
        staged = {**stages.before, **stages.by_key, **stages.after}
        return engine.run(staged, inputs, outputs, parameters)
    later = {*outputs, *_read(stages.after)}
    # A database for each part: one that has once spilled asks for a file with every block it frees.
    with engine.connect(inputs) as connection:
        divided, kept = _divide(connection, folder, stages, later, n_ranges, parameters)
    with engine.connect(inputs) as connection:
        sql = engine.InProcess(connection, folder)
        finished, parts = _by_ranges(sql, folder, stages, later, divided, parameters)
    # Arrow would keep what it has freed, beside all that the engine may take.
    pa.default_memory_pool().release_unused()
    with engine.connect({**inputs, **kept}) as connection:
        sql = engine.InProcess(connection, folder, engine.grow())
        for name, files in parts.items():
            connection.read_parquet([str(file) for file in files]).create_view(name)
        sql.stage(stages.after, parameters, keep=outputs, fetched=outputs)
        return {name: finished.get(name) or sql.fetch(name) for name in outputs}


def _divide(
    connection: DuckDBPyConnection,
    folder: Path,
    stages: Stages,
    later: Collection[str],
    n_ranges: int,
    parameters: Mapping[str, Any] | None,
) -> tuple[dict[str, "_Divided"], dict[str, Path]]:
    """What is made before: what the ranges read, divided, and the files for later statements."""
    made: dict[str, _Divided] = {}

    def grow(path: Path, name: str) -> _Divided | None:
        if name not in dividing:
            return None
        ((n_values,),) = connection.table(stages.numbering).count("*").fetchall()
        made[name] = _Divided(path.parent, stages.key, n_values, n_ranges)
        return made[name]

    dividing = {f"divided_{name}": f"SELECT * FROM {name}" for name in stages.divided()}  # noqa: S608
    kept = [name for name in stages.before if name in later]
    filed = [*dividing, *kept]
    sql = engine.InProcess(connection, folder, grow)
    sql.stage({**stages.before, **dividing}, parameters, [*filed, stages.numbering], filed)
    divided = {name: made[f"divided_{name}"] for name in stages.divided()}
    return divided, {name: sql.put_away(folder, name) for name in kept}


class _Divided:
    """A table of which each row goes, as it comes, to the file of its range of the key.

    To sort all rows would take much longer, and within a range no order is asked for.
    """

    def __init__(self, folder: Path, key: str, n_values: int, n_ranges: int) -> None:
        self._key, self._width = key, max(1, math.ceil(n_values / n_ranges))
        # One that is new, since rows are put behind those there are.
        self._folder = Path(mkdtemp(dir=folder))
        # Of few values there are fewer ranges; of none there is one, without rows.
        n_files = max(1, math.ceil(n_values / self._width))
        self._files = [self._folder / f"{number}.arrow" for number in range(n_files)]

    def __len__(self) -> int:
        return len(self._files)

    def add(self, rows: pa.Table) -> None:
        """Write rows, each behind those of its range."""
        number = (rows[self._key].to_numpy() - 1) // self._width
        # Small numbers are put in order several times as fast.
        order = np.argsort(number.astype(np.min_scalar_type(len(self))), kind="stable")
        bounds = np.searchsorted(number[order], np.arange(len(self) + 1))
        rows = rows.take(pa.array(order))
        for file, (start, end) in zip(self._files, pairwise(bounds), strict=True):
            # A system lets few files be open at once.
            with (
                pa.OSFile(str(file), "ab") as opened,
                pa.ipc.new_stream(opened, rows.schema, options=_WRITTEN) as stream,
            ):
                stream.write_table(rows.slice(start, end - start))

    def close(self) -> Path:
        """The folder of the files, now whole."""
        return self._folder

    def rows(self, number: int) -> pa.Table:
        """The rows of a range, whose file is then no longer there."""
        parts = []
        with pa.OSFile(str(self._files[number])) as file:
            while file.tell() < file.size():
                parts.append(pa.ipc.open_stream(file, options=_READ).read_all())
        self._files[number].unlink()
        return pa.concat_tables(parts)


def _by_ranges(
    sql: engine.InProcess,
    folder: Path,
    stages: Stages,
    later: Collection[str],
    divided: Mapping[str, _Divided],
    parameters: Mapping[str, Any] | None,
) -> tuple[dict[str, Path], dict[str, list[Path]]]:
    """What later statements need of each range: declared tables, finished, and parts of others."""
    made = [name for name in stages.by_key if name in later]
    growing = {name: _file(folder, name) for name in made if _is_done(name, stages)}
    parts: dict[str, list[Path]] = {name: [] for name in made if name not in growing}
    for number in range(min(map(len, divided.values()))):
        for name, table in divided.items():
            sql.connection.register(name, table.rows(number))
        sql.stage(stages.by_key, parameters, keep=made, fetched=list(parts))
        for name, grown in growing.items():
            sql.pour(name, grown)
            sql.drop(name)
        for name, files in parts.items():
            file = sql.put_away(folder, name)
            files.append(file.rename(folder / f"{name}-{number}.parquet"))
    return {name: grown.close() for name, grown in growing.items()}, parts


def _read(statements: Mapping[str, str]) -> set[str]:
    """Every word of the statements, among them the tables that they read."""
    return {word for sql in statements.values() for word in words(sql)}


def _n_ranges(inputs: Collection[Source]) -> int:
    """How many ranges to make so that memory holds what is made of each."""
    memory = engine.memory()
    if memory is None:
        return 1
    return max(1, math.ceil(sum(map(_n_rows, inputs)) * _BYTES_PER_ROW / memory))


def _n_rows(source: Source) -> int:
    return int(pq.read_metadata(source).num_rows) if isinstance(source, Path) else len(source)


def _is_done(name: str, stages: Stages) -> bool:
    """Whether what is made of a range is a part of a declared table, and read by nothing else."""
    return name in TABLES and name not in _read(stages.after)


def _file(folder: Path, name: str) -> tables.Growing:
    """Where the rows of every range go, so that they are not held until the last one."""
    return tables.Growing(folder / f"{name}.parquet", name)

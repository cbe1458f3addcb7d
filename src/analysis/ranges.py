"""Statements that treat every claim or patient by itself, made for a range of them at a time.

What memory cannot hold of all claims at once it holds of some of them. So where a step's inputs are
many for its memory limit, such statements run once for each range of claims, over its rows alone.
What they read lies in files in the order of claims, and what they make for others goes to files,
one behind the other: memory is for the range in work. The tables that come out are the same, in the
same order.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from analysis import engine, tables
from analysis.engine import Source, words
from analysis.schemas import TABLES

# What a step makes of a row of its inputs before it is done with it, as measured.
_BYTES_PER_ROW = 400


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
        sql = engine.InProcess(connection, folder)
        whole, kept = _divide(sql, folder, stages, later, parameters)
    read = {f"whole_{name}": file for name, file in whole.items()}
    with engine.connect({**inputs, **read}) as connection:
        sql = engine.InProcess(connection, folder)
        finished, parts = _by_ranges(sql, folder, stages, later, n_ranges, parameters)
    with engine.connect({**inputs, **kept}) as connection:
        sql = engine.InProcess(connection, folder)
        for name, files in parts.items():
            connection.read_parquet([str(file) for file in files]).create_view(name)
        sql.stage(stages.after, parameters, keep=outputs, fetched=outputs)
        return {name: finished.get(name) or sql.fetch(name) for name in outputs}


def _divide(
    sql: engine.InProcess,
    folder: Path,
    stages: Stages,
    later: Collection[str],
    parameters: Mapping[str, Any] | None,
) -> tuple[dict[str, Path], dict[str, Path]]:
    """The files of what is made before: in the order of the key, and for later statements."""
    divided = stages.divided()
    ordered = {f"ordered_{x}": f"SELECT * FROM {x} ORDER BY {stages.key}" for x in divided}  # noqa: S608
    others = [name for name in stages.before if name in later and name not in divided]
    filed = [*ordered, *others]
    sql.stage({**stages.before, **ordered}, parameters, keep=filed, fetched=filed)
    whole = {name: sql.put_away(folder, f"ordered_{name}") for name in divided}
    kept = {name: file for name, file in whole.items() if name in later}
    return whole, kept | {name: sql.put_away(folder, name) for name in others}


def _by_ranges(
    sql: engine.InProcess,
    folder: Path,
    stages: Stages,
    later: Collection[str],
    n_ranges: int,
    parameters: Mapping[str, Any] | None,
) -> tuple[dict[str, Path], dict[str, list[Path]]]:
    """What later statements need of each range: declared tables, finished, and parts of others."""
    made = [name for name in stages.by_key if name in later]
    growing = {name: _file(folder, name) for name in made if _is_done(name, stages)}
    parts: dict[str, list[Path]] = {name: [] for name in made if name not in growing}
    for number, within in enumerate(_ranges(sql.connection, stages, n_ranges)):
        of_range = {name: f"FROM whole_{name} WHERE {within}" for name in stages.divided()}
        sql.stage({**of_range, **stages.by_key}, parameters, keep=made, fetched=list(parts))
        for name, table in growing.items():
            sql.pour(name, table)
            sql.drop(name)
        for name, files in parts.items():
            file = sql.put_away(folder, name)
            files.append(file.rename(folder / f"{name}-{number}.parquet"))
    return {name: table.close() for name, table in growing.items()}, parts


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


def _ranges(connection: DuckDBPyConnection, stages: Stages, n_ranges: int) -> list[str]:
    """The condition of each range; one that nothing fulfils where there are no values."""
    counted = connection.table(f"whole_{stages.numbering}").count("*").fetchall()
    width = max(1, math.ceil(counted[0][0] / n_ranges))
    starts = range(1, max(1, counted[0][0]) + 1, width)
    return [f"{stages.key} >= {start} AND {stages.key} < {start + width}" for start in starts]


def _is_done(name: str, stages: Stages) -> bool:
    """Whether what is made of a range is a part of a declared table, and read by nothing else."""
    return name in TABLES and name not in _read(stages.after)


def _file(folder: Path, name: str) -> tables.Growing:
    """Where the rows of every range go, so that they are not held until the last one."""
    return tables.Growing(folder / f"{name}.parquet", name)

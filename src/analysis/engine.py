"""Where set-based work runs: staged SQL on DuckDB inside the process.

Stages are lists of named SELECT statements kept in `.sql` files beside their modules. Values reach
SQL only as bound parameters; once the inputs are registered, the engine reads no other file and
reaches no network. In a workspace, tables larger than memory pass through files.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

# A table: rows in memory, or a Parquet file that holds them.
Source: TypeAlias = "pa.Table | Path"

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class _Workspace:
    folder: Path
    memory_limit: str


_workspace: ContextVar[_Workspace | None] = ContextVar("workspace", default=None)


@contextmanager
def workspace(folder: Path, memory_limit: str) -> Iterator[None]:
    """Inside it, results are Parquet files in `folder`, and what memory cannot hold spills there.

    `memory_limit` is the engine's share, such as '2 GB' or '60%'. The folder is made private, and
    it is for the caller to empty it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = _workspace.set(_Workspace(folder, memory_limit))
    try:
        yield
    finally:
        _workspace.reset(token)


@contextmanager
def connect(inputs: Mapping[str, Source] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-process DuckDB that sees only `inputs` (view name -> table) and its workspace."""
    inputs = inputs or {}
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    try:
        settings: dict[str, Any] = {
            "allowed_paths": [str(source) for source in inputs.values() if isinstance(source, Path)]
        }
        if room := _workspace.get():
            settings["memory_limit"] = room.memory_limit
            settings["temp_directory"] = str(room.folder)
            settings["allowed_directories"] = [str(room.folder)]
        # Last, since these close the door behind the others.
        settings |= {"enable_external_access": False, "lock_configuration": True}
        for name, value in settings.items():
            connection.execute(f"SET {name} = $value", {"value": value})
        for name, source in inputs.items():
            if isinstance(source, Path):
                connection.read_parquet(str(source)).create_view(name)
            else:
                connection.register(name, source)
        yield connection
    finally:
        connection.close()


def statements(package: str, file_name: str) -> dict[str, str]:
    """The named statements of a `.sql` file in `package`, in their order.

    Raises ValueError when a name occurs twice: the later would silently hide the earlier.
    """
    text = (files(package) / file_name).read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    names = parts[0::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{file_name}: a statement name occurs twice")
    return dict(zip(names, (sql.strip() for sql in parts[1::2]), strict=True))


def stage(
    connection: duckdb.DuckDBPyConnection,
    staged: Mapping[str, str],
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Run named statements in order; each sees the inputs and every earlier one by name.

    A parameter is written `getvariable('name')` in the SQL and bound here, never pasted into it.
    """
    for name, value in (parameters or {}).items():
        connection.execute(f"SET VARIABLE {name} = $value", {"value": value})
    for name, sql in staged.items():
        connection.execute(f"CREATE TEMP TABLE {name} AS {sql}")


def fetch(connection: duckdb.DuckDBPyConnection, name: str) -> Source:
    """A staged table: in memory, or as a file of the workspace."""
    room = _workspace.get()
    staged = connection.table(name)
    if room is None:
        return staged.to_arrow_table()
    path = room.folder / f"{name}.parquet"
    # Sums are 128 bits wide, for which Parquet has no whole number.
    columns = [
        f'CAST("{column}" AS BIGINT) AS "{column}"' if kind == "HUGEINT" else f'"{column}"'
        for column, kind in zip(staged.columns, staged.types, strict=True)
    ]
    staged.project(", ".join(columns)).to_parquet(str(path), compression="snappy", overwrite=True)
    return path


def run(
    staged: Mapping[str, str],
    inputs: Mapping[str, Source],
    outputs: list[str],
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Source]:
    """Run named statements over `inputs` and return the tables named in `outputs`."""
    with connect(inputs) as connection:
        stage(connection, staged, parameters)
        return {name: fetch(connection, name) for name in outputs}

"""Where set-based work runs: staged SQL on DuckDB inside the process.

Stages are lists of named SELECT statements kept in `.sql` files beside their modules. Values reach
SQL only as bound parameters; once the inputs are registered, the engine reads no file and reaches
no network.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import duckdb
import pyarrow as pa

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@contextmanager
def connect(inputs: Mapping[str, pa.Table] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-process DuckDB that sees only `inputs` (view name -> table)."""
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_access": False,
        }
    )
    try:
        for name, table in (inputs or {}).items():
            connection.register(name, table)
        connection.execute("SET lock_configuration = true")
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


def fetch(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    """A staged table as Arrow."""
    return connection.table(name).to_arrow_table()


def run(
    staged: Mapping[str, str],
    inputs: Mapping[str, pa.Table],
    outputs: list[str],
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, pa.Table]:
    """Run named statements over `inputs` and return the tables named in `outputs`."""
    with connect(inputs) as connection:
        stage(connection, staged, parameters)
        return {name: fetch(connection, name) for name in outputs}

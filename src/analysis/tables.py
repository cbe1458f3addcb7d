"""Read and write the tables `schemas` declares: checked, atomic, private, with provenance.

Tables are Parquet files, `<processed>/<name>.parquet`, written also when empty. Every write is
checked against the declaration by SQL, so one rule serves a table of ten rows and of ten million,
and no error text can quote a patient's value.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis import engine
from analysis.errors import DataError, TableError, nearest
from analysis.schemas import TABLES, Column, Table

if TYPE_CHECKING:
    import pandas as pd

_ARROW_TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}


def declared(name: str) -> Table:
    """The declaration of a table. Raises KeyError with the nearest name for an unknown one."""
    if name not in TABLES:
        raise KeyError(f"no table {name!r}; {nearest(name, list(TABLES))}")
    return TABLES[name]


def arrow_schema(name: str) -> pa.Schema:
    """The Arrow schema of a declared table."""
    return pa.schema(
        [pa.field(c.name, _ARROW_TYPES[c.kind], c.nullable) for c in declared(name).columns]
    )


def from_columns(name: str, columns: Mapping[str, Any]) -> pa.Table:
    """A declared table from columns of any Arrow-like values; columns not given are null."""
    schema = arrow_schema(name)
    unknown = sorted(set(columns) - set(schema.names))
    if unknown:
        raise TableError(f"table {name}: undeclared columns {', '.join(unknown)}")
    n_rows = len(next(iter(columns.values()))) if columns else 0
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.nulls(n_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def from_rows(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """A declared table from row dicts; missing keys are null, unknown keys refused."""
    keys = {key for row in rows for key in row}
    return from_columns(name, {key: [row.get(key) for row in rows] for key in sorted(keys)})


def conform(name: str, table: pa.Table) -> pa.Table:
    """`table` with exactly the declared columns, in order, with the declared types.

    Raises TableError when a column is missing, undeclared, or cannot be cast without loss.
    """
    schema = arrow_schema(name)
    missing = sorted(set(schema.names) - set(table.column_names))
    extra = sorted(set(table.column_names) - set(schema.names))
    if missing or extra:
        raise TableError(f"table {name}: columns missing {missing}, undeclared {extra}")
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, ValueError) as problem:
        # Arrow's own text quotes the offending value, which may be a patient's.
        raise TableError(f"table {name}: a column does not have its declared type") from problem


def problems(name: str, table: pa.Table) -> list[str]:
    """What in `table` breaks its declaration: one sentence per rule, with counts, no values."""
    declaration = declared(name)
    found = []
    with engine.connect({"t": table}) as connection:
        for column, rule, sql in _rules(declaration):
            row = connection.execute(sql).fetchone()
            if row and row[0]:
                found.append(f"table {name}, {column}: {row[0]} rows {rule}")
    return found


def _rules(table: Table) -> list[tuple[str, str, str]]:
    """(column, rule in words, SQL counting the rows that break it) for each declared rule."""
    key = ", ".join(f'"{name}"' for name in table.key)
    rules = [
        (
            ", ".join(table.key),
            "repeat a key",
            f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM t GROUP BY {key})",
        )
    ]
    for column in table.columns:
        if not column.nullable:
            sql = f'SELECT count(*) FROM t WHERE "{column.name}" IS NULL'
            rules.append((column.name, "are null", sql))
        if column.values:
            rules.append((column.name, "hold an undeclared value", _undeclared(column)))
    return rules


def _undeclared(column: Column) -> str:
    values = ", ".join(f"'{value}'" for value in column.values)
    return f'SELECT count(*) FROM t WHERE "{column.name}" NOT IN ({values})'


def write(folder: Path, name: str, table: pa.Table, made: Mapping[str, str]) -> Path:
    """Check `table` and write it to `folder/<name>.parquet`, whole or not at all, mode 0600.

    `made` (which step, under which key) is kept in the file's own metadata. Raises
    TableError with every broken rule; an earlier file of that name then stays as it was.
    """
    table = conform(name, table)
    broken = problems(name, table)
    if broken:
        raise TableError("; ".join(broken))
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"provenance": json.dumps(dict(made), sort_keys=True)}
    table = table.replace_schema_metadata(metadata)
    path = folder / f"{name}.parquet"
    staged = folder / f".{name}.parquet.part"
    pq.write_table(table, staged, compression="zstd")
    staged.chmod(0o600)
    return staged.replace(path)


def read(folder: Path, name: str) -> pa.Table:
    """A processed table as Arrow. Raises DataError when it has not been built yet."""
    path = folder / f"{declared(name).name}.parquet"
    if not path.exists():
        raise DataError(
            f"{folder.name}: table {name} is not there yet; run `outcomes build {folder.name}`"
        )
    return pq.read_table(path)


def provenance(folder: Path, name: str) -> dict[str, str]:
    """What `write` kept of a table's making; empty when there is no such table, or not ours."""
    path = folder / f"{declared(name).name}.parquet"
    try:
        metadata = pq.read_schema(path).metadata or {}
        kept: dict[str, str] = json.loads(metadata.get(b"provenance", b"{}"))
    except (OSError, pa.ArrowInvalid, ValueError):
        return {}
    return kept


def read_frame(folder: Path, name: str) -> "pd.DataFrame":
    """A processed table as a pandas frame: dates as datetime64, whole numbers stay whole."""
    return to_frame(read(folder, name))


def to_frame(table: pa.Table) -> "pd.DataFrame":
    """An Arrow table as a pandas frame in which null and false, and cents and floats, differ."""
    import pandas as pd

    whole = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = table.to_pandas(date_as_object=False, types_mapper=whole.get)
    return frame


def dictionary() -> str:
    """The data dictionary as Markdown, generated from the declarations."""
    lines = ["# Data dictionary", "", "Generated from `src/analysis/schemas.py`; do not edit.", ""]
    for table in TABLES.values():
        lines += [f"## {table.name}", "", f"One row is {table.grain}. Key: {', '.join(table.key)}."]
        lines += ["", "| column | kind | null | meaning |", "| --- | --- | --- | --- |"]
        for c in table.columns:
            values = f" ({', '.join(c.values)})" if c.values else ""
            null = "yes" if c.nullable else "no"
            lines.append(f"| {c.name} | {c.kind} | {null} | {c.description}{values} |")
        lines.append("")
    return "\n".join(lines)

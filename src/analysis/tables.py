"""Read and write the tables `schemas` declares: checked, atomic, private, with provenance.

Tables are Parquet files, `<processed>/<name>.parquet`, written also when empty. Every write is
checked against the declaration by SQL, so one rule serves a table of ten rows and of ten million,
and no error text can quote a patient's value.
"""

import hashlib
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analysis import engine
from analysis.engine import Source
from analysis.errors import DataError, TableError, nearest
from analysis.schemas import TABLES, Column, Table

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_ARROW_TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}

# How the tables of the step that is running are made; see `making`.
_made: ContextVar[Mapping[str, str]] = ContextVar("made", default=MappingProxyType({}))

# Rows of one row group: few enough to hold in any memory, many enough to read fast.
_GROUP_ROWS = 131_072

# Hashes of keys looked at together: 128 MB of them.
_MOST_HASHES = 2**24


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


def conform(name: str, source: Source) -> Source:
    """`source` with exactly the declared columns, in order, with the declared types.

    Of a file only the columns are checked here; `write` casts its rows. Raises TableError when a
    column is missing, undeclared, or cannot be cast without loss.
    """
    columns = pq.read_schema(source).names if isinstance(source, Path) else source.column_names
    schema = arrow_schema(name)
    missing = sorted(set(schema.names) - set(columns))
    extra = sorted(set(columns) - set(schema.names))
    if missing or extra:
        raise TableError(f"table {name}: columns missing {missing}, undeclared {extra}")
    return source if isinstance(source, Path) else _cast(name, source)


def _cast(name: str, table: pa.Table) -> pa.Table:
    schema = arrow_schema(name)
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, ValueError) as problem:
        # Arrow's own text quotes the offending value, which may be a patient's.
        raise TableError(f"table {name}: a column does not have its declared type") from problem


def problems(name: str, source: Source) -> list[str]:
    """What in `source` breaks its declaration: one sentence per rule, with counts, no values."""
    return _problems({name: source})


def _problems(sources: Mapping[str, Source]) -> list[str]:
    found = []
    # One database for all tables: opening one costs more than checking a small table.
    with engine.connect(sources) as connection:
        for name, source in sources.items():
            table = declared(name)
            rules = _rules(table, source)
            counts = ", ".join(["count(*)", *(count for _, _, count in rules)])
            n, *broken = connection.execute(f'SELECT {counts} FROM "{name}"').fetchone() or (0,)
            key = (", ".join(table.key), "repeat a key", "")
            counted = zip([key, *rules], [_n_repeated(connection, table, n), *broken], strict=True)
            found += [
                f"table {name}, {column}: {n_rows} rows {rule}"
                for (column, rule, _), n_rows in counted
                if n_rows
            ]
    return found


def _n_repeated(connection: "duckdb.DuckDBPyConnection", table: Table, n_rows: int) -> int:
    """How many of a table's rows repeat a key that another row has."""
    key = ", ".join(f'"{name}"' for name in table.key)
    groups = f'SELECT count(*) AS n FROM "{table.name}" GROUP BY {key}'
    if n_rows < 2 or _are_distinct(connection, table.name, key, n_rows):
        return 0
    (n_repeated,) = connection.execute(f"SELECT sum(n - 1) FROM ({groups})").fetchone() or (0,)
    return int(n_repeated)


def _are_distinct(
    connection: "duckdb.DuckDBPyConnection", name: str, key: str, n_rows: int
) -> bool:
    """Whether no hash of a key comes twice: then no key does, since equal keys have equal hashes.

    Sorting eight bytes a row takes less time and room than telling texts apart.
    """
    n_parts = 1 + n_rows // _MOST_HASHES
    for part in range(n_parts):
        of_part = f"WHERE hash({key}) % {n_parts} = {part}" if n_parts > 1 else ""
        found = connection.execute(f'SELECT hash({key}) AS hash FROM "{name}" {of_part}')
        hashes = np.asarray(found.fetchnumpy()["hash"])
        hashes.sort()
        if (hashes[1:] == hashes[:-1]).any():
            return False
    return True


def _rules(table: Table, source: Source) -> list[tuple[str, str, str]]:
    """(column, rule in words, SQL counting the rows that break it) for each rule on a column.

    A column of a file that was written as one without nulls can hold none.
    """
    schema = pq.read_schema(source) if isinstance(source, Path) else None
    rules = []
    for column in table.columns:
        if not column.nullable and (schema is None or schema.field(column.name).nullable):
            rules.append((column.name, "are null", f'count(*) - count("{column.name}")'))
        if column.values:
            rules.append((column.name, "hold an undeclared value", _undeclared(column)))
    return rules


def _undeclared(column: Column) -> str:
    values = ", ".join(f"'{value}'" for value in column.values)
    return f'count(*) FILTER (WHERE "{column.name}" NOT IN ({values}))'


def write(folder: Path, name: str, source: Source, made: Mapping[str, str]) -> Path:
    """Check and write one table; see `write_all`."""
    write_all(folder, {name: source}, made)
    return stored(folder, name)


def write_all(folder: Path, sources: Mapping[str, Source], made: Mapping[str, str]) -> None:
    """Check tables and write each to `folder/<name>.parquet`, whole or not at all, mode 0600.

    `made` (which step, under which key) is kept in the files' own metadata, with a digest of the
    rows: tables of the same rows in the same order have the same. Raises TableError with every
    broken rule before anything is written; the earlier files then stay as they were.
    """
    sources = {name: conform(name, source) for name, source in sources.items()}
    broken = _problems(sources)
    if broken:
        raise TableError("; ".join(broken))
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources.items():
        _write(folder, name, source, made)
    # Arrow would keep what it has freed, beside all that the next step's engine may take.
    pa.default_memory_pool().release_unused()


def _write(folder: Path, name: str, source: Source, made: Mapping[str, str]) -> None:
    staged = folder / f".{name}.parquet.part"
    if isinstance(source, Path) and _is_final(source, name, made):
        shutil.move(source, staged)
    else:
        with making(made):
            grown = Growing(staged, name)
        for rows in in_groups(source):
            grown.add(rows)
        grown.close()
    staged.chmod(0o600)
    staged.replace(folder / f"{name}.parquet")


@contextmanager
def making(made: Mapping[str, str]) -> Iterator[None]:
    """Inside it, what `Growing` writes is final for a `write_all` with the same `made`."""
    token = _made.set(made)
    try:
        yield
    finally:
        _made.reset(token)


class Growing:
    """A declared table that is written a few rows at a time, to a file of the workspace."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self._name = name
        self._made = _made.get()
        self._bytes = _Digested(path)
        schema = arrow_schema(name)
        self._file = pq.ParquetWriter(
            self._bytes,
            schema,
            compression="zstd",
            # A dictionary of values that differ in every row would only be made and thrown away.
            use_dictionary=[c for c in schema.names if c not in declared(name).key],
            # So would one of values that differ in most rows, which is noticed the sooner.
            dictionary_pagesize_limit=2**16,
            # Between which texts the others lie helps no query.
            write_statistics=[f.name for f in schema if not pa.types.is_string(f.type)],
        )

    def add(self, rows: pa.Table) -> None:
        """Write rows behind those there are. Raises TableError as `conform` does."""
        rows = conform(self._name, rows)
        # No rows in memory and none in a file shall leave the same bytes: no group of rows.
        if len(rows):
            self._file.write_table(rows, _GROUP_ROWS)

    def close(self) -> Path:
        """The file, now whole."""
        # Only the rows have been written so far: what follows them tells how they were made.
        kept = {**self._made, "content": self._bytes.digest.hexdigest()}
        self._file.add_key_value_metadata({"provenance": json.dumps(kept, sort_keys=True)})
        self._file.close()
        self._bytes.close()
        return self.path


def growing(path: Path, name: str) -> Growing | None:
    """The file of a declared table, to be written a few rows at a time; None for any other."""
    return Growing(path, name) if name in TABLES else None


class _Digested(io.BufferedWriter):
    """A file that digests what is written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "w"))
        self.digest = hashlib.sha256()

    def write(self, written: Any) -> int:
        self.digest.update(written)
        return super().write(written)


def _is_final(path: Path, name: str, made: Mapping[str, str]) -> bool:
    kept = _provenance(path)
    is_ours = kept.pop("content", None) is not None and kept == made
    return is_ours and bool(pq.read_schema(path).equals(arrow_schema(name)))


def in_groups(source: Source, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """The rows in their order, few enough at a time for any memory; all `columns` if not told."""
    if isinstance(source, Path):
        with pq.ParquetFile(source) as file:
            for batch in file.iter_batches(_GROUP_ROWS, columns=columns):
                yield pa.Table.from_batches([batch])
    else:
        yield source.select(columns) if columns else source


def stored(folder: Path, name: str) -> Path:
    """The file of a processed table. Raises DataError when it has not been built yet."""
    path = folder / f"{declared(name).name}.parquet"
    if not path.exists():
        raise DataError(
            f"{folder.name}: table {name} is not there yet; run `outcomes build {folder.name}`,"
            " and for the approval model's evaluation `outcomes report`"
        )
    return path


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove processed tables where they stand."""
    for name in names:
        (folder / f"{declared(name).name}.parquet").unlink(missing_ok=True)


def read(folder: Path, name: str) -> pa.Table:
    """A processed table as Arrow. Raises DataError when it has not been built yet."""
    return pq.read_table(stored(folder, name))


def load(source: Source) -> pa.Table:
    """The rows of a table that Python itself has to look at."""
    return pq.read_table(source) if isinstance(source, Path) else source


def provenance(folder: Path, name: str) -> dict[str, str]:
    """What `write` kept of a table's making, and the digest of its rows, `content`.

    Empty when there is no such table, or it is not ours.
    """
    return _provenance(folder / f"{declared(name).name}.parquet")


def _provenance(path: Path) -> dict[str, str]:
    try:
        metadata = pq.read_metadata(path).metadata or {}
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

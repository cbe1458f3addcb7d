"""Rows as they are read: in memory while they are few, else in files of the workspace."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis import engine, tables
from analysis.engine import Source

# Of all tables together.
_MOST_BYTES = 2**24


class Spool:
    """Declared tables that grow row by row, in the order in which the rows are added."""

    def __init__(self, names: Iterable[str]) -> None:
        self._kept: dict[str, list[pa.Table]] = {name: [] for name in names}
        self._n_bytes = 0
        self._folder = engine.room()
        self._files: dict[str, tables.Growing] = {}

    def add(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table."""
        self._kept[name].append(rows)
        self._n_bytes += rows.nbytes
        if self._folder and self._n_bytes > _MOST_BYTES:
            self._write(self._folder)

    def sources(self) -> dict[str, Source]:
        """Every table, also when empty; nothing is added after that."""
        if self._folder and self._files:
            self._write(self._folder)
            # What reading took is not kept in store: the engine needs it next.
            pa.default_memory_pool().release_unused()
        return {
            name: self._files[name].close() if name in self._files else _joined(name, kept)
            for name, kept in self._kept.items()
        }

    def _write(self, folder: Path) -> None:
        for name, kept in self._kept.items():
            if any(map(len, kept)):
                if name not in self._files:
                    self._files[name] = tables.Growing(folder / f"read_{name}.parquet", name)
                self._files[name].add(pa.concat_tables(kept))
            kept.clear()
        self._n_bytes = 0


class Rows:
    """Rows of a table that is declared nowhere, on their way to one that is."""

    def __init__(self, name: str, schema: pa.Schema) -> None:
        self._name, self._schema = name, schema
        self._kept: list[pa.Table] = []
        self._file: pq.ParquetWriter | None = None

    def add(self, rows: pa.Table) -> None:
        """Add rows of the schema."""
        self._kept.append(rows)
        folder = engine.room()
        if folder and sum(rows.nbytes for rows in self._kept) > _MOST_BYTES:
            if self._file is None:
                self._file = pq.ParquetWriter(folder / f"{self._name}.parquet", self._schema)
            self._file.write_table(self._joined())

    def source(self) -> Source:
        """All rows; none is added after that."""
        if self._file is None:
            return self._joined()
        self._file.write_table(self._joined())
        self._file.close()
        return Path(self._file.where)

    def _joined(self) -> pa.Table:
        rows = pa.concat_tables([self._schema.empty_table(), *self._kept]).combine_chunks()
        self._kept.clear()
        return rows


def changed(name: str, source: Source, change: Callable[[pa.Table], pa.Table]) -> Source:
    """A declared table whose rows are changed, a few at a time where they stand in a file."""
    if isinstance(source, pa.Table):
        return change(source)
    made = tables.Growing(source.with_stem(f"{source.stem}_changed"), name)
    for rows in tables.in_groups(source):
        made.add(change(rows))
    source.unlink()
    return made.close()


def _joined(name: str, kept: list[pa.Table]) -> pa.Table:
    # In one piece: thousands of small ones would slow down everything that follows.
    return pa.concat_tables([tables.arrow_schema(name).empty_table(), *kept]).combine_chunks()

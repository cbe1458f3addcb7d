"""Rows as they are read: in memory while they are few, else in files of the workspace."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis import engine, tables
from analysis.engine import Source

# Of all tables together.
_MOST_BYTES = 2**26


class Spool:
    """Declared tables that grow row by row, in the order in which the rows are added."""

    def __init__(self, names: Iterable[str]) -> None:
        self._kept: dict[str, list[pa.Table]] = {name: [] for name in names}
        self._n_bytes = 0
        self._folder = engine.room()
        self._files: dict[str, pq.ParquetWriter] = {}

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
        for file in self._files.values():
            file.close()
        return {
            name: Path(self._files[name].where) if name in self._files else _joined(name, kept)
            for name, kept in self._kept.items()
        }

    def _write(self, folder: Path) -> None:
        for name, kept in self._kept.items():
            rows = _joined(name, kept)
            if len(rows):
                if name not in self._files:
                    self._files[name] = _writer(folder / f"read_{name}.parquet", rows.schema)
                self._files[name].write_table(rows)
            kept.clear()
        self._n_bytes = 0


def changed(source: Source, change: Callable[[pa.Table], pa.Table]) -> Source:
    """A table whose rows are changed, a few at a time where they stand in a file."""
    if isinstance(source, pa.Table):
        return change(source)
    path = source.with_stem(f"{source.stem}_changed")
    with pq.ParquetFile(source) as rows, _writer(path, rows.schema_arrow) as file:
        for some in rows.iter_batches():
            file.write_table(change(pa.Table.from_batches([some])))
    source.unlink()
    return path


def _joined(name: str, kept: list[pa.Table]) -> pa.Table:
    # In one piece: thousands of small ones would slow down everything that follows.
    return pa.concat_tables([tables.arrow_schema(name).empty_table(), *kept]).combine_chunks()


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # These files are read once or twice, soon; packing them would cost more than it saves.
    return pq.ParquetWriter(path, schema, compression="none", use_dictionary=False)

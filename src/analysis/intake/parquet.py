"""A Parquet file's cells as the texts that a CSV of the same rows holds, a few rows at a time."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.intake.cells import UnclearError

# The second opens a file whose very list of columns is encrypted.
MAGIC = (b"PAR1", b"PARE")
_BATCH_ROWS = 2**16
# Whole numbers beyond it are no longer exact as fractions.
_EXACT = 2**53

_DAMAGED = (
    "is a Parquet file that cannot be read: it is damaged or cut short; make or copy it again"
)
_LOCKED = "is an encrypted Parquet file; write it again without encryption"


class Stored:
    """The columns of a Parquet file, read by row group. Raises UnclearError for what is none."""

    def __init__(self, content: bytes | Path) -> None:
        self._content = content

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns' names and types."""
        with self._open() as file:
            return file.schema_arrow

    @cached_property
    def names(self) -> list[str]:
        """The columns' names, in their order."""
        return [name.strip() for name in self.schema.names]

    def holds_days(self, place: int) -> bool:
        """Whether a column's type says that it holds days, in whatever way they were written."""
        kind = self.schema.field(place).type
        return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))

    def batches(self, places: Iterable[int]) -> Iterator[tuple[int, dict[int, pa.Array]]]:
        """Some rows after the other: the first one's number, from 1, and the texts of each column.

        A cell that holds nothing is blank. Raises UnclearError for a column without plain cells.
        """
        wanted = sorted(set(places))
        columns = [self.schema.names[place] for place in wanted]
        for place, name in zip(wanted, columns, strict=True):
            if self.schema.names.count(name) > 1:
                raise UnclearError(f"holds the column {name} twice; rename one of them")
            _require_plain(name, self.schema.field(place).type)
        first = 1
        with self._open() as file:
            for rows in file.iter_batches(_BATCH_ROWS, columns=columns):
                by_name = {name: _texts(rows.column(name)) for name in columns}
                yield first, {place: by_name[self.schema.names[place]] for place in wanted}
                first += len(rows)

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        content = self._content
        opened = content.open("rb") if isinstance(content, Path) else io.BytesIO(content)
        try:
            with opened, pq.ParquetFile(opened, buffer_size=2**20, pre_buffer=False) as file:
                yield file
        except (pa.ArrowException, OSError) as problem:
            is_locked = "encrypt" in str(problem).lower() or "decrypt" in str(problem).lower()
            raise UnclearError(_LOCKED if is_locked else _DAMAGED) from None


def _require_plain(name: str, kind: pa.DataType) -> None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_timestamp(kind) and kind.tz not in (None, "UTC"):
        raise UnclearError(f"holds times of a zone in its column {name}; write days instead")
    plain = (
        pa.types.is_primitive(kind) and not (pa.types.is_time(kind) or pa.types.is_duration(kind)),
        pa.types.is_string(kind),
        pa.types.is_large_string(kind),
        pa.types.is_string_view(kind),
        pa.types.is_decimal(kind),
        pa.types.is_null(kind),
    )
    if not any(plain):
        raise UnclearError(
            f"holds no plain values in its column {name} (its type is {_word(kind)}); write a"
            " text, a number or a day in each cell"
        )


def _word(kind: pa.DataType) -> str:
    """A type in a word: what it is made of may be names from the data."""
    return "list" if pa.types.is_list(kind) else str(kind).split("<")[0].split("[")[0]


def _texts(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        column = column.cast(pa.date32(), safe=False)
    elif pa.types.is_floating(kind):
        return _decimals(column.cast(pa.float64()))
    return pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))


def _decimals(column: pa.Array) -> pa.Array:
    """Fractions as people write them: 97124, not 97124.0."""
    is_known = pc.is_finite(column)
    is_whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _EXACT))
    whole = pc.if_else(pc.and_(is_known, is_whole), column, None).cast(pa.int64())
    texts = pc.coalesce(whole.cast(pa.string()), column.cast(pa.string()))
    return pc.fill_null(pc.if_else(is_known, texts, ""), "")

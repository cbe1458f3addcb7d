"""What reading inputs gives: declared tables, and an account of every record in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

LEDGER = pa.schema(
    [
        ("record", pa.string()),
        ("position", pa.int64()),
        ("disposition", pa.string()),
        ("reason", pa.string()),
        ("charge_cents", pa.int64()),
        ("paid_cents", pa.int64()),
    ]
)


@dataclass(frozen=True)
class LedgerRow:
    """What became of one record; `position` is its ordinal in the file (of a CSV row, its line).

    Its money, as written in the record itself, keeps the account whole where it is set aside.
    """

    record: str
    position: int
    disposition: str
    reason: str | None = None
    charge_cents: int | None = None
    paid_cents: int | None = None


@dataclass(frozen=True)
class Parsed:
    """Declared tables by name (those that got rows), and one ledger row for each record."""

    tables: dict[str, pa.Table]
    ledger: list[LedgerRow]


@dataclass(frozen=True)
class Apart:
    """A table whose rows stand in the order of the inputs that they come from.

    `starts` has the first row of each input and, behind them, the number of rows.
    """

    rows: pa.Table
    starts: npt.NDArray[np.int64]

    def between(self, first: int, last: int) -> pa.Table:
        """The rows of the inputs from `first` up to but not including `last`."""
        start = self.starts[first]
        return self.rows.slice(start, self.starts[last] - start)


@dataclass(frozen=True)
class Together:
    """What inputs that are read together give: each in its turn is a `Parsed`.

    `tables` as in `Parsed`; `ledger` has the columns of a LedgerRow.
    """

    tables: dict[str, Apart]
    ledger: Apart

    @classmethod
    def of(cls, each: Sequence[Parsed]) -> "Together":
        """What inputs give that were read one by one."""
        ledgers = [pa.Table.from_pylist(list(map(vars, one.ledger)), LEDGER) for one in each]
        tables = {
            name: _joined([one.tables.get(name) for one in each])
            for name in dict.fromkeys(name for one in each for name in one.tables)
        }
        return cls(tables, _joined(ledgers))

    @classmethod
    def alone(cls, tables: Mapping[str, pa.Table], ledger: pa.Table) -> "Together":
        """What a single input gives; `ledger` has the columns of LEDGER."""
        return cls({name: _whole(rows) for name, rows in tables.items()}, _whole(ledger))

    @property
    def n_bytes(self) -> int:
        """How much memory the rows take."""
        return sum(each.rows.nbytes for each in (self.ledger, *self.tables.values()))

    def __len__(self) -> int:
        return len(self.ledger.starts) - 1

    def __iter__(self) -> Iterator[Parsed]:
        for place in range(len(self)):
            tables = {name: rows.between(place, place + 1) for name, rows in self.tables.items()}
            ledger = self.ledger.between(place, place + 1).to_pylist()
            yield Parsed(tables, [LedgerRow(**row) for row in ledger])


def _whole(rows: pa.Table) -> Apart:
    return Apart(rows, np.array([0, len(rows)]))


def _joined(each: Sequence[pa.Table | None]) -> Apart:
    n_rows = [0 if rows is None else len(rows) for rows in each]
    found = [rows for rows in each if rows is not None]
    return Apart(pa.concat_tables(found), np.cumsum([0, *n_rows]))

"""What reading one input gives: declared tables, and an account of every record in it."""

from dataclasses import dataclass

import pyarrow as pa


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

"""The account of a long interchange that was read in stretches, as if it had been read whole."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis import tables
from analysis.intake.parsed import LEDGER, LedgerRow, Together
from analysis.intake.x12.batches import numbered
from analysis.intake.x12.envelopes import Interchange

# Checks of all segments, of which an interchange has one each, behind the others.
_SUMMED = ("complete_segments", "known_segments", "readable_values")


@dataclass
class Rejoined:
    """What the stretches met so far say that is said once, at the end."""

    n_checks: int = 0
    n_records: int = 0
    sums: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    empty: dict[str, Any] | None = None

    def add(self, stretch: Interchange, read: Together) -> Together:
        """What a stretch says; with the last one, what all say together."""
        made = {name: rows.rows for name, rows in read.tables.items()}
        if "file_checks" in made:
            made["file_checks"] = self._checks(made["file_checks"], stretch)
        return Together.alone(made, self._ledger(read.ledger.rows, stretch))

    def _checks(self, checks: pa.Table, stretch: Interchange) -> pa.Table:
        is_summed = pc.is_in(checks["check_name"], pa.array(_SUMMED))
        for row in checks.filter(is_summed).to_pylist():
            total = self.sums.setdefault(row["check_name"], row | {"n_expected": 0, "n_found": 0})
            if total["n_expected"] == total["n_found"]:
                total["segment"] = row["segment"]
            total["n_expected"] += row["n_expected"]
            total["n_found"] += row["n_found"]
            total["is_holding"] = total["n_expected"] == total["n_found"]
        made = checks.filter(pc.invert(is_summed))
        if not stretch.stretch.goes_on:
            sums = tables.from_rows("file_checks", list(self.sums.values()))
            made = pa.concat_tables([made, sums])
        rank = np.arange(len(made)) + self.n_checks + 1
        self.n_checks += len(made)
        ids = numbered(pa.repeat(stretch.digest[:16], len(made)), rank)
        return made.set_column(0, made.schema.field(0), ids)

    def _ledger(self, ledger: pa.Table, stretch: Interchange) -> pa.Table:
        is_of_all = pc.equal(ledger["record"], "interchange")
        records = ledger.filter(pc.invert(is_of_all))
        self.n_records += len(records)
        for row in ledger.filter(is_of_all).to_pylist():
            if row["disposition"] == "accepted":
                self.empty = row
            else:
                self.notes.append(row["reason"])
        if stretch.stretch.goes_on:
            return records
        told = []
        if self.notes:
            reason = " ".join(self.notes)
            told = [vars(LedgerRow("interchange", stretch.ordinal, "quarantined", reason))]
        elif not self.n_records and self.empty:
            told = [self.empty]
        return pa.concat_tables([records, pa.Table.from_pylist(told, LEDGER)])

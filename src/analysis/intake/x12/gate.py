"""The gate: which records of an interchange can be used, and why the others are set aside.

A record is set aside when its money cannot be trusted: an amount is missing or masked, the file
ends inside the record, or a segment in it is garbled and its lines no longer add up. Everything
that is merely odd (an unknown code, a wrong count, a date that does not exist) passes. Sentences
say where, what and what next; they never quote the file.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.intake.parsed import LedgerRow
from analysis.intake.x12.envelopes import Interchange
from analysis.intake.x12.reading import Reading, Rows, cents, column, pick

_SEND_AGAIN = "ask the clearinghouse or insurer to send the file again"


class Gate:
    """Judges the records of one interchange, each by itself.

    `records` is the table of records, `name` the segment that opens one: CLM or CLP.
    """

    def __init__(
        self, interchange: Interchange, file_name: str, records: pa.Table, name: str
    ) -> None:
        self._interchange = interchange
        self._file_name = file_name
        self._segments = column(records, "segment").to_numpy()
        self._name = name
        self._charges = cents(records, "charge").to_pylist()
        is_answer = "paid" in records.column_names
        self._paid = cents(records, "paid").to_pylist() if is_answer else [None] * len(records)
        self._reasons: dict[int, str] = {}
        self._notes: list[str] = []

    def require_amount(self, rows: pa.Table, name: str, element: str, owner: Rows) -> None:
        """Set aside the owner of every row without an amount in column `name`, X12's `element`."""
        missing = _missing(rows, name)
        segments = column(rows, "segment").to_numpy()[missing]
        what = f"{element} holds no amount, so this claim cannot be counted; {_SEND_AGAIN}"
        self._refuse(segments, owner[missing], what)

    def note_amount(self, rows: pa.Table, name: str, element: str) -> None:
        """Note rows outside any record that lack an amount."""
        for segment in column(rows, "segment").to_numpy()[_missing(rows, name)]:
            self._note(segment, f"{element} holds no amount, so it is unknown; {_SEND_AGAIN}")

    def require_owner(self, lines: pa.Table, owner: Rows) -> None:
        """Note service lines that no claim precedes: the claim's own segment is lost."""
        stray = column(lines, "segment").to_numpy()[owner < 0]
        if len(stray):
            what = f"service lines without a claim, from here on: {len(stray)}; {_SEND_AGAIN}"
            self._note(stray[0], what)

    def require_end(self, reading: Reading, transactions: pa.Table) -> None:
        """Set aside the last record where the file ends before its transaction does."""
        if not reading.is_cut_off:
            return
        last = self._segments[-1:]
        opened = column(transactions, "segment").to_numpy()
        if len(last) and last[0] >= opened[-1]:
            what = f"the file ends before this claim is closed; {_SEND_AGAIN}"
            self._refuse(last, np.array([len(self._segments) - 1]), what)
        where = f"{self._file_name}, interchange {self._interchange.ordinal}"
        what = "ends without its closing segments (SE, GE, IEA), so claims may be missing"
        self._notes.append(f"{where}: {what}; {_SEND_AGAIN}")

    def require_whole(self, reading: Reading, charges: pa.Array, line_totals: pa.Array) -> None:
        """Set aside records with a garbled segment whose lines do not add up to the charge.

        Either alone is merely odd. Together they say that a line, or the start of the next claim,
        was lost.
        """
        unknown = reading.unknown_in_records
        owner = np.searchsorted(self._segments, unknown, side="right") - 1
        differs = pc.fill_null(pick(pc.not_equal(charges, line_totals), owner), False)
        torn = differs.to_numpy(zero_copy_only=False)
        what = "cannot be read, and the lines of this claim do not add up to its charge"
        self._refuse(unknown[torn], owner[torn], f"{what}; {_SEND_AGAIN}")

    @property
    def kept(self) -> pa.Array:
        """Which records passed."""
        kept = np.ones(len(self._segments), dtype=np.bool_)
        kept[list(self._reasons)] = False
        return pa.array(kept)

    def keeps(self, owner: Rows) -> pa.Array:
        """Which rows belong to a record that passed."""
        return pc.fill_null(pick(self.kept, owner), False)

    def ledger(self) -> list[LedgerRow]:
        """One row for each record; one more for the interchange where there is more to say."""
        first = self._interchange.first_position
        rows = [
            LedgerRow(
                self._name,
                first + record,
                "quarantined" if record in self._reasons else "accepted",
                self._reasons.get(record),
                self._charges[record],
                self._paid[record],
            )
            for record in range(len(self._segments))
        ]
        ordinal = self._interchange.ordinal
        if self._notes:
            rows.append(LedgerRow("interchange", ordinal, "quarantined", " ".join(self._notes)))
        elif not rows:
            rows.append(LedgerRow("interchange", ordinal, "accepted", "holds no claims"))
        return rows

    def _refuse(self, segments: Rows, owner: Rows, what: str) -> None:
        for segment, record in zip(segments.tolist(), owner.tolist(), strict=True):
            # Rows outside any record are noted as such.
            if record >= 0:
                self._reasons.setdefault(record, f"{self._where(segment)}: {what}.")

    def _note(self, segment: int, what: str) -> None:
        self._notes.append(f"{self._where(segment)}: {what}.")

    def _where(self, segment: int) -> str:
        ordinal = self._interchange.ordinal
        inside = f" of interchange {ordinal}" if ordinal > 1 else ""
        return f"{self._file_name}, segment {segment + 1}{inside}"


def _missing(rows: pa.Table, name: str) -> Rows:
    """The rows that hold no amount."""
    return np.flatnonzero(cents(rows, name).is_null())

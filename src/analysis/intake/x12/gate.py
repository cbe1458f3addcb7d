"""The gate: which records of interchanges can be used, and why the others are set aside.

A record is set aside when its money cannot be trusted: an amount is missing or masked, the file
ends inside the record, or a segment in it is garbled and its lines no longer add up. Everything
that is merely odd (an unknown code, a wrong count, a date that does not exist) passes. Sentences
say where, what and what next; they never quote the file.
"""

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.intake.parsed import LEDGER, Apart, LedgerRow, Together
from analysis.intake.x12.batches import Batch
from analysis.intake.x12.reading import Reading, column, pick, segments
from analysis.intake.x12.segments import Rows

_SEND_AGAIN = "ask the clearinghouse or insurer to send the file again"


class Gate:
    """Judges the records of a batch, each by itself.

    `records` is the table of records, `name` the segment that opens one: CLM or CLP.
    """

    def __init__(self, batch: Batch, records: pa.Table, name: str) -> None:
        self._batch = batch
        self._segments = segments(records)
        self._parts = batch.part_of(self._segments)
        self._name = name
        self._charges = column(records, "charge")
        is_answer = "paid" in records.column_names
        nothing = pa.nulls(len(records), pa.int64())
        self._paid = column(records, "paid") if is_answer else nothing
        self._reasons: dict[int, str] = {}
        self._notes: dict[int, list[str]] = defaultdict(list)

    def require_amount(self, rows: pa.Table, name: str, element: str, owner: Rows) -> None:
        """Set aside the owner of every row without an amount in column `name`, X12's `element`."""
        missing = _missing(rows, name)
        what = f"{element} holds no amount, so this claim cannot be counted; {_SEND_AGAIN}"
        self._refuse(segments(rows)[missing], owner[missing], what)

    def note_amount(self, rows: pa.Table, name: str, element: str) -> None:
        """Note rows outside any record that lack an amount."""
        for segment in segments(rows)[_missing(rows, name)]:
            self._note(segment, f"{element} holds no amount, so it is unknown; {_SEND_AGAIN}")

    def require_owner(self, lines: pa.Table, owner: Rows) -> None:
        """Note service lines that no claim precedes: the claim's own segment is lost."""
        stray = segments(lines)[owner < 0]
        _, first, n_stray = np.unique(
            self._batch.part_of(stray), return_index=True, return_counts=True
        )
        for segment, n_lines in zip(stray[first].tolist(), n_stray.tolist(), strict=True):
            what = f"service lines without a claim, from here on: {n_lines}; {_SEND_AGAIN}"
            self._note(segment, what)

    def require_end(self, reading: Reading, transactions: pa.Table) -> None:
        """Set aside the last record where the file ends before its transaction does."""
        opened = segments(transactions)
        for part in reading.cut_off:
            end = self._batch.first_segments[part + 1]
            record = np.searchsorted(self._segments, end) - 1
            transaction = np.searchsorted(opened, end) - 1
            last = self._segments[record : record + 1]
            if record >= 0 and self._parts[record] == part and last[0] >= opened[transaction]:
                what = f"the file ends before this claim is closed; {_SEND_AGAIN}"
                self._refuse(last, np.array([record]), what)
            ordinal = self._batch.interchanges[part].ordinal
            where = f"{self._batch.file_names[part]}, interchange {ordinal}"
            what = "ends without its closing segments (SE, GE, IEA), so claims may be missing"
            self._notes[part].append(f"{where}: {what}; {_SEND_AGAIN}")

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

    def parsed(self, read: dict[str, Apart]) -> Together:
        """What each part gives: its rows of the tables in `read`, its ledger."""
        return Together(read, self._ledger())

    def _ledger(self) -> Apart:
        """A row for each record; one more for an interchange where there is more to say."""
        reasons = np.full(len(self._segments), None, dtype=object)
        reasons[list(self._reasons)] = list(self._reasons.values())
        records = pa.table(
            {
                "record": pa.repeat(self._name, len(reasons)),
                "position": self._batch.positions(self._segments),
                "disposition": pc.if_else(self.kept, "accepted", "quarantined"),
                "reason": pa.array(reasons, pa.string()),
                "charge_cents": self._charges,
                "paid_cents": self._paid,
            },
            LEDGER,
        )
        more = self._more_to_say()
        rows = pa.Table.from_pylist(list(map(vars, more.values())), LEDGER)
        part = np.concatenate([self._parts, np.array(list(more), dtype=np.int64)])
        return self._batch.by_part(pa.concat_tables([records, rows]), part)

    def _more_to_say(self) -> dict[int, LedgerRow]:
        """The ledger row of each part with notes or without records."""
        n_records = np.bincount(self._parts, minlength=len(self._batch.interchanges))
        more = {}
        for part in sorted({*self._notes, *np.flatnonzero(n_records == 0).tolist()}):
            ordinal = self._batch.interchanges[part].ordinal
            more[part] = (
                LedgerRow("interchange", ordinal, "quarantined", " ".join(notes))
                if (notes := self._notes.get(part))
                else LedgerRow("interchange", ordinal, "accepted", "holds no claims")
            )
        return more

    def _refuse(self, places: Rows, owner: Rows, what: str) -> None:
        for segment, record in zip(places.tolist(), owner.tolist(), strict=True):
            # Rows outside any record are noted as such.
            if record >= 0:
                self._reasons.setdefault(record, f"{self._where(segment)}: {what}.")

    def _note(self, segment: int, what: str) -> None:
        part = int(self._batch.part_of(np.array([segment]))[0])
        self._notes[part].append(f"{self._where(segment)}: {what}.")

    def _where(self, segment: int) -> str:
        part = int(self._batch.part_of(np.array([segment]))[0])
        ordinal = self._batch.interchanges[part].ordinal
        inside = f" of interchange {ordinal}" if ordinal > 1 else ""
        place = self._batch.places(np.array([segment]))[0]
        return f"{self._batch.file_names[part]}, segment {place}{inside}"


def _missing(rows: pa.Table, name: str) -> Rows:
    """The rows that hold no amount."""
    return np.flatnonzero(column(rows, name).is_null())

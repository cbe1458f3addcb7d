"""Exports (CSV, TSV, xlsx, Parquet) into claims and, where told, remittances.

They come from a practice's software, or from a state's all-payer claims. Which column holds what is
found in `export_mapping`; how it was understood is told in the ledger. Every row below the header
is accounted for, and no reason quotes a cell. A file of any size is read a few rows at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine, tables
from analysis.config import Practice
from analysis.engine import Source
from analysis.intake import export_cells, export_mapping
from analysis.intake.cells import UnclearError
from analysis.intake.export_cells import Read
from analysis.intake.export_mapping import Mapping as ColumnMapping
from analysis.intake.export_rows import Batch
from analysis.intake.parsed import LEDGER, LedgerRow, Parsed, Together
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.sheets import Sheet, sheets
from analysis.intake.spool import Rows

_TABLES = (
    "claims",
    "service_lines",
    "claim_diagnoses",
    "remittances",
    "remittance_lines",
    "adjustments",
)


def read(
    content: bytes | Path, digest: str, file_name: str, practice: Practice, pseudonyms: Pseudonyms
) -> Iterator[Together] | None:
    """The export's rows as declared tables, one ledger row each, and one telling the columns.

    They come in parts, the ledger first, of which each is an input by itself. `digest` is the
    SHA-256 of the content. None when neither practice.toml nor a known layout fits and nothing
    looks like an export.
    """
    try:
        return _parts(sheets(content), digest[:16], file_name, practice, pseudonyms)
    except UnclearError as unclear:
        row = LedgerRow("file", 1, "quarantined", f"{file_name}: {unclear}")
        return iter([Together.of([Parsed({}, [row])])])


def _parts(
    found: list[Sheet], digest: str, file_name: str, practice: Practice, pseudonyms: Pseudonyms
) -> Iterator[Together] | None:
    statement = export_mapping.stated(practice, file_name)
    mapped = [(n, sheet, export_mapping.find(sheet, statement)) for n, sheet in enumerate(found, 1)]
    fitting = [(n, sheet, mapping) for n, sheet, mapping in mapped if mapping]
    if not fitting:
        if statement and statement.columns:
            lacking = ", ".join(export_mapping.missing(found, statement))
            raise UnclearError(f"lacks columns that practice.toml names for it: {lacking}")
        proposal = export_mapping.proposal(found, file_name)
        if proposal is None:
            return None
        raise UnclearError(
            "looks like an export of a practice's software in a layout not known here. State in "
            "practice.toml what its columns hold. A first guess, to be checked and completed:\n"
            f"{proposal}"
        )
    # A text stands there once for each delimiter; the first that fits is the right one.
    of_text = [(n, sheet, mapping) for n, sheet, mapping in fitting if sheet.delimiter][:1]
    entries = Rows("export_entries", export_cells.ENTRIES)
    ledger = Rows("export_ledger", LEDGER)
    notes = []
    for number, sheet, mapping in of_text or fitting:
        note = f"{file_name}: {_read_sheet(sheet, mapping, pseudonyms, file_name, entries, ledger)}"
        notes.append(LedgerRow("file", number, "accepted", note))
    unread = [str(n) for n, sheet, mapping in mapped if not mapping and not sheet.delimiter]
    if unread:
        note = f"{file_name}: no known header, so not read: sheet {', '.join(unread)}"
        notes.append(LedgerRow("file", len(found) + 1, "accepted", note))
    used = (of_text or fitting)[0][2]
    made = _tables(entries.source(), digest, file_name, used)
    return _told(notes, ledger.source(), made)


def _read_sheet(
    sheet: Sheet,
    mapping: ColumnMapping,
    pseudonyms: Pseudonyms,
    file_name: str,
    entries: Rows,
    ledger: Rows,
) -> str:
    """How a sheet was read, in words; its rows are added to `entries` and `ledger`."""
    n_told = n_unclear = 0
    for batch, told in export_cells.Reader(sheet, mapping, pseudonyms).read():
        entries.add(told.entries)
        ledger.add(_ledger(batch, told, sheet, file_name))
        n_told += told.n_told
        n_unclear += told.n_unclear
    what_next = "State it in practice.toml" if mapping.is_guess else "Correct it there"
    note = f"read {mapping.said_by}: {mapping.told}. Wrong? {what_next}"
    if n_unclear:
        note += (
            f". {n_unclear} of {n_told} outcomes are words that outcome_words does not explain:"
            " their claims are judged by amounts and codes alone"
        )
    return note


def _ledger(batch: Batch, told: Read, sheet: Sheet, file_name: str) -> pa.Table:
    """One row for each row of a batch, and for each line of a row that was set aside."""
    is_set_aside = pc.is_valid(told.set_aside)
    dispositions = pc.case_when(
        pc.make_struct(pc.is_valid(told.passed_over), is_set_aside),
        "skipped",
        "quarantined",
        "accepted",
    )
    numbers = pc.subtract(batch.first, sheet.before).cast(pa.string())
    where = pc.binary_join_element_wise(f"{file_name}, {sheet.counted}", numbers, " ")
    why = pc.coalesce(told.passed_over, told.set_aside)
    n_lines = pc.add(pc.subtract(batch.last, batch.first), 1)
    repeats = pc.if_else(is_set_aside, n_lines, 1).to_numpy(zero_copy_only=False)
    of = np.repeat(np.arange(len(batch)), repeats)
    first = batch.first.to_numpy(zero_copy_only=False)[of]
    rows = {
        "record": pa.repeat(pa.scalar("row"), len(of)),
        "position": pa.array(first + np.arange(len(of)) - np.searchsorted(of, of)),
        "disposition": dispositions.take(pa.array(of)),
        "reason": pc.binary_join_element_wise(where, why, ": ").take(pa.array(of)),
        "charge_cents": pa.nulls(len(of), pa.int64()),
        "paid_cents": pa.nulls(len(of), pa.int64()),
    }
    return pa.table(rows, LEDGER)


def _tables(
    entries: Source, digest: str, file_name: str, mapping: ColumnMapping
) -> dict[str, Source]:
    """The declared tables of the accepted rows."""
    staged = engine.statements("analysis.intake", "practice_exports.sql")
    parameters = {
        "digest": digest,
        "file_name": file_name,
        "is_numbered": "line_number" in mapping.places,
        "is_posting": mapping.statement.row_is == "posting",
    }
    return engine.run(staged, {"entries": entries}, list(_TABLES), parameters)


def _told(
    notes: Sequence[LedgerRow], ledger: Source, made: Mapping[str, Source]
) -> Iterator[Together]:
    """The account of an export and its tables, a part at a time."""
    yield Together.of([Parsed({}, list(notes))])
    for rows in tables.in_groups(ledger):
        yield Together.alone({}, rows)
    for name, source in made.items():
        for rows in tables.in_groups(source):
            if len(rows):
                yield Together.alone({name: _declared(name, rows)}, LEDGER.empty_table())
    for source in (ledger, *made.values()):
        if isinstance(source, Path):
            source.unlink()


def _declared(name: str, rows: pa.Table) -> pa.Table:
    return tables.from_columns(name, {c: rows[c].combine_chunks() for c in rows.column_names})

"""What the cells of an export say: a batch of rows as typed columns, and why a row is set aside.

Each distinct text of a column is read once. No reason quotes a cell.
"""

import re
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis.intake import cells, export_rows
from analysis.intake.cells import UnclearError
from analysis.intake.export_mapping import Mapping, folded
from analysis.intake.export_rows import Batch
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.sheets import Sheet

_DATES = ("service_date", "service_to_date", "submitted_date", "payment_date")
_MONEYS = ("charge", "paid", "allowed", "patient_responsibility")
_COUNTS = ("line_number", "version")
_TEXTS = (
    "patient_control_number",
    "payer_id",
    "payer_name",
    "plan_id",
    "procedure_code",
    "authorization_number",
    "payer_claim_control_number",
)

# `sheet` tells the sheets of a file apart, `position` is the row's line. Amounts are whole cents;
# `diagnoses` and `modifiers` are joined by ':'; `stated` is the outcome told in words, and `tells`
# whether the row tells any answer.
ENTRIES = pa.schema(
    [
        ("sheet", pa.int64()),
        ("position", pa.int64()),
        ("patient_id", pa.string()),
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.date32()) for name in _DATES),
        *((name, pa.int64()) for name in (*_MONEYS, *_COUNTS)),
        ("units", pa.float64()),
        ("modifiers", pa.string()),
        ("diagnoses", pa.string()),
        ("group_code", pa.string()),
        ("reason_code", pa.string()),
        ("stated", pa.string()),
        ("tells", pa.bool_()),
    ]
)

# Texts of plain letters and single blanks, as most are: nothing in them is to be tidied.
_TIDY = r"^(?:[!-)+-~]+(?: [!-)+-~]+)*)?$"

_cents = lru_cache(2**17)(cells.cents)


@dataclass(frozen=True)
class Read:
    """A batch as read: rows of ENTRIES, those that were accepted.

    `passed_over` and `set_aside` have a reason for each row of the batch, null where there is none;
    `n_unclear` of `n_told` outcomes are words that nobody explained.
    """

    entries: pa.Table
    passed_over: pa.Array
    set_aside: pa.Array
    n_told: int
    n_unclear: int


class Reader:
    """Reads a sheet's rows by the mapping of its columns.

    Raises UnclearError when a column to be read stands twice, or does not prove its dates' order.
    """

    def __init__(self, sheet: Sheet, mapping: Mapping, pseudonyms: Pseudonyms) -> None:
        self._sheet, self._mapping, self._pseudonyms = sheet, mapping, pseudonyms
        self._statement, self._places = mapping.statement, mapping.places
        columns = self._statement.columns
        # In the order in which they are declared: the first that is unclear gives the reason.
        self._names = (
            [n for n in type(columns).model_fields if n in self._places] if columns else []
        )
        self._refuse_repeated()
        words = self._statement.outcome_words.model_dump()
        self._outcomes = {folded(word): told for told, its in words.items() for word in its}
        self._filters = [
            (column, mapping.header.index(folded(column)), set(map(folded, its)), is_kept)
            for rows, is_kept in ((self._statement.skip, False), (self._statement.only, True))
            for column, its in rows.items()
            if folded(column) in mapping.header
        ]
        self._orders = self._date_orders()

    def _refuse_repeated(self) -> None:
        header = self._mapping.header
        read = [place for places in self._places.values() for place in places]
        cells_of = self._mapping.header_row.cells
        twice = sorted({cells_of[place] for place in read if header.count(header[place]) > 1})
        if twice:
            raise UnclearError(
                f"a column to be read stands twice in the header: {', '.join(twice)}; rename one"
            )

    def _date_orders(self) -> dict[str, str | None]:
        """The order of each column's dates, as practice.toml states or the column proves."""
        dated = {name: self._places[name][0] for name in _DATES if name in self._places}
        if self._statement.date_order:
            return dict.fromkeys(dated, self._statement.date_order)
        stored = self._sheet.stored
        asked = {
            n: place for n, place in dated.items() if not (stored and stored.holds_days(place))
        }
        proven: dict[str, set[str]] = {name: set() for name in asked}
        is_needed = dict.fromkeys(asked, False)
        for batch in self._batches(asked.values()) if asked else ():
            for name, place in asked.items():
                texts = pc.unique(batch.texts[place]).to_pylist()
                proven[name] |= cells.proven_orders(texts)
                is_needed[name] |= cells.needs_order(texts)
        orders: dict[str, str | None] = dict.fromkeys(dated)
        for name, place in asked.items():
            try:
                orders[name] = cells.decided_order(proven[name], is_needed[name])
            except UnclearError as unclear:
                heading = self._mapping.header_row.cells[place]
                raise UnclearError(f"the column {heading} {unclear}") from None
        return orders

    def _batches(self, places: Iterable[int]) -> Iterable[Batch]:
        return export_rows.batches(self._sheet, self._mapping, places)

    def read(self) -> Iterator[tuple[Batch, Read]]:
        """Every batch of the sheet's rows, and what it says."""
        places = [place for places in self._places.values() for place in places]
        places += [place for _, place, _, _ in self._filters]
        for batch in self._batches(places):
            yield batch, self._read(batch)

    def _read(self, batch: Batch) -> Read:
        passed_over = _by_index(batch.passed_over, len(batch))
        for column, place, words, is_kept in self._filters:
            is_no_visit = pc.not_equal(_is_among(batch.texts[place], words), is_kept)
            reason = pc.if_else(is_no_visit, f"is no visit by its column {column}", None)
            passed_over = pc.coalesce(passed_over, reason)
        columns, unclear = self._columns(batch)
        # A posting may take an earlier one back.
        is_posting = self._statement.row_is == "posting"
        lacks = pc.or_(
            pc.is_null(columns["charge"]),
            pc.and_(pc.less(pc.fill_null(columns["charge"], 0), 0), not is_posting),
        )
        no_charge = pc.if_else(lacks, "charge is empty or below zero; a claim needs one", None)
        set_aside = pc.coalesce(_by_index(batch.torn, len(batch)), *unclear, no_charge)
        set_aside = pc.if_else(pc.is_valid(passed_over), None, set_aside)
        is_accepted = pc.and_(pc.is_null(passed_over), pc.is_null(set_aside))
        told = columns.pop("outcome").filter(is_accepted)
        entries = pa.table([columns[name] for name in ENTRIES.names], ENTRIES).filter(is_accepted)
        n_told = len(told) - told.null_count
        return Read(
            entries,
            passed_over,
            set_aside,
            n_told,
            n_told - (len(entries) - entries["stated"].null_count),
        )

    # ---- the columns --------------------------------------------------------------------

    def _columns(self, batch: Batch) -> tuple[dict[str, pa.Array], list[pa.Array]]:
        """The columns of ENTRIES and `outcome`; and what in them is unclear, as reasons."""
        made: dict[str, pa.Array] = {
            field.name: pa.nulls(len(batch), field.type) for field in ENTRIES
        }
        made |= {
            "sheet": pa.repeat(self._sheet.before, len(batch)),
            "position": batch.first,
            "modifiers": pa.repeat("", len(batch)),
            "outcome": made["stated"],
        }
        unclear: list[pa.Array] = []
        for name in self._names:
            texts = [batch.texts[place] for place in self._places[name]]
            values, faults = self._values(name, texts)
            made |= values
            unclear += [pc.binary_join_element_wise(name, fault, " ") for fault in faults]
        told = [made[name] for name in ("paid", "allowed", "patient_responsibility", "outcome")]
        is_told = [pc.is_valid(values) for values in told]
        made["tells"] = pc.or_(pc.or_(is_told[0], is_told[1]), pc.or_(is_told[2], is_told[3]))
        return made, unclear

    def _values(
        self, name: str, texts: Sequence[pa.Array]
    ) -> tuple[dict[str, pa.Array], list[pa.Array]]:
        """The columns that one of our names fills, and what is unclear in its cells."""
        if name in _MONEYS:
            amounts = [_each(each, self._amount, pa.int64()) for each in texts]
            faults = [fault for _, found in amounts for fault in found]
            return {name: _sum([amount for amount, _ in amounts])}, faults
        if name in _DATES:
            order, origin = self._orders[name], self._sheet.serial_origin
            days, faults = _each(texts[0], lambda t: cells.day(t, order, origin), pa.date32())
            return {name: days}, faults
        # A code may hold a hyphen of its own kind; diagnoses part at blanks.
        told = _joined(texts, " " if name == "diagnoses" else "-")
        match name:
            case "patient":
                return {"patient_id": self._pseudonyms.of(told)}, []
            case "line_number" | "version":
                numbers, faults = _each(told, cells.count, pa.int64())
                return {name: numbers}, faults
            case "units":
                return {"units": _each(told, _units, pa.float64())[0]}, []
            case "modifiers":
                parted = _each(told, lambda text: ":".join(re.split(r"[,;:\s-]+", text)))[0]
                return {"modifiers": pc.fill_null(parted, "")}, []
            case "diagnoses":
                return {"diagnoses": _each(told, _codes)[0]}, []
            case "reason_code":
                group = _each(told, lambda text: _reason(text)[0])[0]
                code = _each(told, lambda text: _reason(text)[1])[0]
                return {"group_code": group, "reason_code": code}, []
            case "outcome":
                stated = _each(told, lambda text: self._outcomes.get(folded(text)))[0]
                return {"outcome": told, "stated": stated}, []
        return {name: told}, []

    def _amount(self, text: str) -> int | None:
        amount = _cents(text)
        if amount is not None and self._statement.amounts_in_cents:
            amount, rest = divmod(amount, 100)
            if rest:
                raise UnclearError("is no whole number of cents, as amounts_in_cents says it is")
        return abs(amount) if amount is not None and self._statement.ignore_signs else amount


def _is_among(texts: pa.Array, words: set[str]) -> pa.Array:
    return _each(texts, lambda text: folded(text) in words, pa.bool_())[0]


def _by_index(reasons: typing.Mapping[int, str], n_rows: int) -> pa.Array:
    """The reasons of rows, by their index, as a column."""
    return pa.array([reasons.get(number) for number in range(n_rows)], pa.string())


def _each(
    texts: pa.Array, meaning: Callable[[str], Any], kind: pa.DataType | None = None
) -> tuple[pa.Array, list[pa.Array]]:
    """What each text means, null staying null; and, where some are unclear, why."""
    coded = texts.dictionary_encode()
    meanings: list[Any] = []
    faults: list[str | None] = []
    for text in coded.dictionary.to_pylist():
        try:
            meanings.append(meaning(text))
            faults.append(None)
        except UnclearError as unclear:
            meanings.append(None)
            faults.append(str(unclear))
    values = pa.array(meanings, kind or pa.string()).take(coded.indices)
    return values, [pa.array(faults, pa.string()).take(coded.indices)] if any(faults) else []


def _sum(amounts: Sequence[pa.Array]) -> pa.Array:
    """The sum of what is known; null where nothing is."""
    total = amounts[0]
    for amount in amounts[1:]:
        total = pc.coalesce(pc.add(total, amount), total, amount)
    return total


def _joined(texts: Sequence[pa.Array], sign: str) -> pa.Array:
    """The texts of a row's cells, tidied and joined by a sign; null where all are blank."""
    tidied = list(map(_tidied, texts))
    if len(tidied) == 1:
        return tidied[0]
    # Arrow's own null_handling="skip" drops rows in which every value is null (pyarrow 26).
    marked = [pc.fill_null(pc.binary_join_element_wise(sign, text, ""), "") for text in tidied]
    joined = pc.utf8_slice_codeunits(pc.binary_join_element_wise(*marked, ""), 1)
    return pc.if_else(pc.equal(joined, ""), None, joined)


def _tidied(texts: pa.Array) -> pa.Array:
    """Texts without asterisks and repeated blanks; null for a blank one."""
    if not pc.all(pc.match_substring_regex(texts, _TIDY)).as_py():
        texts, _ = _each(texts, lambda text: " ".join(text.replace("*", " ").split()))
    return pc.if_else(pc.is_in(texts, pa.array(sorted(cells.BLANK))), None, texts)


def _units(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d+)?", text, re.ASCII) else None


def _codes(text: str) -> str | None:
    """The diagnosis codes in a text, each once, with the point after the third sign."""
    codes = [code.upper().replace(".", "") for code in re.split(r"[,;|\s:]+", text)]
    pointed = (code[:3] + "." + code[3:] if len(code) > 3 else code for code in codes if code)
    return ":".join(dict.fromkeys(pointed)) or None


def _reason(text: str) -> tuple[str | None, str | None]:
    """The group (where there is one) and the CARC."""
    match = re.fullmatch(r"(?:(CO|PR|OA|PI|CR)[ -]?)?([A-Z]?\d{1,3})", text)
    return (match[1], match[2]) if match else (None, None)

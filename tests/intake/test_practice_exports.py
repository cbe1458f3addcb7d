"""What a practice's software exports is read as the practice means it, or set aside aloud."""

import csv
import io
import json
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import tables
from analysis.config import Practice
from analysis.intake import export_mapping, practice_exports
from analysis.intake.parsed import Parsed
from analysis.intake.pseudonymize import Pseudonyms

PSEUDONYMS = Pseudonyms(b"k" * 32)
FEES = {"service_date": "DOS", "charge": "Fee"}


def read(data: bytes, **stated: object) -> Parsed:
    exports = [{"file": "export*", **stated}] if stated else []
    practice = Practice.model_validate({"exports": exports})
    parts = practice_exports.read(data, "d" * 64, "export.csv", practice, PSEUDONYMS)
    assert parts
    parsed = together([part for each in parts for part in each])
    for name, table in parsed.tables.items():
        assert tables.problems(name, table) == []
    return parsed


def together(parts: list[Parsed]) -> Parsed:
    names = dict.fromkeys(name for part in parts for name in part.tables)
    rows = {name: [p.tables[name] for p in parts if name in p.tables] for name in names}
    return Parsed(
        {name: pa.concat_tables(found) for name, found in rows.items()},
        [row for part in parts for row in part.ledger],
    )


def reasons(parsed: Parsed) -> dict[int, str]:
    """Line -> why it was set aside, and nothing of it told."""
    rows = {r.position: r.reason or "" for r in parsed.ledger if r.disposition == "quarantined"}
    assert not any("SECRET" in reason for reason in rows.values())
    return rows


def spreadsheet(*sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


# ---- every known layout -----------------------------------------------------------------

# System -> one visit (charged 90, allowed 70, paid 60) as its export writes it, rows that tell of
# no visit, and how the file comes.
VISITS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "TherapyNotes": (
        [{"Type": "Appointment", "Date": 46097, "Patient Name": "*A B*", "Service Code": "97124",
          "Primary Insurer Name": "Alder Mutual", "Insurance Amount Due": -70,
          "Insurance Amount Paid": -60, "Patient Amount Due": -20}],
        [{"Type": "Payment", "Date": 46098, "Patient Name": "A B", "Insurance Amount Due": 1}],
    ),
    "SimplePractice": (
        [{"Date of Service": "03/16/2026", "Client": "A B", "Billing Code": "97124", "Units": 4,
          "Total Fee": "$90.00", "Progress Note Status": "LOCKED", "Paid": "--"}],
        [],
    ),
    "Prompt EMR (physical therapy)": (
        [{"Patient Account Number": "77", "DOS": "3/16/26", "Visit Stage": "Balance",
          "Prompt Claim Number": "C1", "Last Billed": "3/17/26", "Primary Allowed": "$70.00",
          "Primary Not Allowed": "$20.00", "Primary Insurance Paid": "$60.00",
          "Total Pat. Res.": "10.00", "Hanging": "(30.00)", "Last Remit Date": "4/2/26",
          "Case Primary Insurance": "Alder Mutual"}],
        [{"Patient Account Number": "77", "DOS": "3/18/26", "Visit Stage": "No Show"}],
    ),
    "AdvancedMD": (
        [{"Patient Name (First Last)": "A B", "Service Date": "03/16/2026", "Charges": "$90.00",
          "Adjustments": "(20.00)", "Insurance Payments": "$60.00", "Patient Payments": "$10.00"}],
        [{"Patient Name (First Last)": "Total", "Charges": "$90.00"}],
    ),
    "Therabill (WebPT)": (
        [{"DOS": "03/16/2026", "Service/CPT Code": "97124", "Client": "A B", "Charge": "90.00",
          "Insurance/Agency Payments": "60.00", "Adjustments": "20.00", "Status": "Zero Balance"}],
        [{"DOS": "03/18/2026", "Client": "A B", "Charge": "90.00", "Status": "Canceled"}],
    ),
    "OpenEMR": (
        [{"pid": "7", "encounter": "12", "code": "97124", "payer_type": 1, "pay_amount": "60.00",
          "adj_amount": "0.00", "post_time": "2026-03-30 09:00:00"},
         {"pid": "7", "encounter": "12", "code": "97124", "payer_type": 1, "pay_amount": "0.00",
          "adj_amount": "30.00", "reason_code": "45", "post_time": "2026-03-30 09:00:00"}],
        [{"pid": "7", "encounter": "12", "code": "97124", "payer_type": 0, "pay_amount": "10.00",
          "adj_amount": "0.00"}],
    ),
}  # fmt: skip


def written(known: dict[str, Any]) -> bytes:
    """A file in the layout as its `report` and `quirks` describe it."""
    rows = [row for part in VISITS[known["system"]] for row in part]
    header = [*known["columns"], *known.get("also_seen", [])]
    cells = [header, *([row.get(column, "") for column in header] for row in rows)]
    if "xlsx" in known["report"] and "csv" not in known["report"]:
        summary = [["Primary Payer", "Total Visits"], ["Alder Mutual", 1]]
        return spreadsheet(cells, summary)
    is_advanced = known["system"] == "AdvancedMD"
    text = io.StringIO()
    csv.writer(text, delimiter="\t" if is_advanced else ",").writerows(cells)
    return text.getvalue().encode("utf-16" if is_advanced else "utf-8-sig")


@pytest.fixture(params=VISITS)
def known(request: pytest.FixtureRequest, shared_data: Path) -> dict[str, Any]:
    path = shared_data / "practice_exports" / "headers.json"
    systems = {entry["system"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))}
    assert systems.keys() == VISITS.keys(), "every layout known has a visit here"
    entry: dict[str, Any] = systems[request.param]
    return entry


def test_every_known_layout_is_guessed_and_read_and_the_guess_is_told(
    known: dict[str, Any],
) -> None:
    parsed = read(written(known))
    visits, others = VISITS[known["system"]]
    assert [row.disposition for row in parsed.ledger if row.record == "row"] == (
        ["accepted"] * len(visits) + ["skipped"] * len(others)
    )
    note = parsed.ledger[0].reason or ""
    assert known["system"].split(" (")[0] in note
    assert "guessed from its header: " in note
    assert "charge = " in note
    [claim] = parsed.tables["claims"].to_pylist()
    [line] = parsed.tables["service_lines"].to_pylist()
    assert claim["charge_cents"] == line["charge_cents"] == 9000
    assert claim["patient_id"].startswith("p_")
    if known["system"] != "OpenEMR":  # its table of payments has no day of service
        assert claim["service_date"] == date(2026, 3, 16)
    if known["system"] != "SimplePractice":  # it says nothing of what the insurer paid
        assert parsed.tables["remittances"]["paid_cents"].to_pylist() == [6000]


def test_the_guess_told_is_a_mapping_that_a_therapist_can_write(known: dict[str, Any]) -> None:
    data = written(known)
    guessed = read(data)
    told = (guessed.ledger[0].reason or "").split("header: ")[1].split(". Wrong?")[0]
    columns = {
        name: its.split(" + ") if " + " in its else its
        for name, its in (pair.split(" = ") for pair in told.split("; "))
    }
    layout = next(
        layout for layout in export_mapping.layouts()
        if layout.system.startswith(known["system"].split(" (")[0])
    )  # fmt: skip
    beside = layout.statement.model_dump(include={"skip", "only", "ignore_signs", "row_is",
                                                  "date_order", "outcome_words"})  # fmt: skip
    stated = read(data, columns=columns, **beside)
    assert "as practice.toml says" in (stated.ledger[0].reason or "")
    assert stated.tables == guessed.tables


def test_closed_with_nothing_paid_is_not_called_denied() -> None:
    header = "DOS,Service/CPT Code,Client,Charge,Insurance/Agency Payments,Status\n"
    parsed = read((header + "03/16/2026,97124,A,90,0,Zero Balance\n").encode())
    assert parsed.tables["remittances"]["stated_determination"].to_pylist() == [None]


def test_postings_of_one_code_are_one_line_with_each_reason_kept() -> None:
    header = "pid,encounter,code,modifier,payer_type,pay_amount,adj_amount,reason_code\n"
    rows = (
        "7,12,97124,,1,60,0,\n7,12,97124,,1,0,20,45\n7,12,97124,,1,-60,0,\n7,12,97140,,1,0,40,50\n"
    )
    parsed = read((header + rows).encode())
    lines = parsed.tables["remittance_lines"].to_pylist()
    assert [(r["procedure_code"], r["charge_cents"], r["paid_cents"]) for r in lines] == [
        ("97124", 2000, 0), ("97140", 4000, 0)
    ]  # fmt: skip
    kept = parsed.tables["adjustments"].to_pylist()
    assert [(a["reason_code"], a["amount_cents"]) for a in kept] == [("45", 2000), ("50", 4000)]


# ---- a layout nobody knows --------------------------------------------------------------


def test_ten_thousand_claims_load_through_the_mapping_that_is_proposed(shared_data: Path) -> None:
    data = (shared_data / "synthetic_claims" / "healthcare_claims_10000.csv").read_bytes()
    [asked] = read(data).ledger
    assert asked.disposition == "quarantined"
    reason = asked.reason or ""
    assert "A first guess" in reason
    [export] = tomllib.loads(reason[reason.index("[[exports]]") :])["exports"]
    assert export["file"] == "export.csv"
    assert export["outcome_words"] == {"approved": ["Approved"], "denied": ["Denied"]}
    assert export["columns"] == {
        "patient_control_number": "claim_id", "patient": "patient_id",
        "submitted_date": "submission_date", "payer_name": "payer_name",
        "procedure_code": "cpt_code", "diagnoses": "icd10_code", "charge": "claim_amount",
        "outcome": "claim_status", "reason_code": "carc_code", "paid": "amount_paid",
    }  # fmt: skip
    parsed = read(data, **export)
    rows = [row.disposition for row in parsed.ledger if row.record == "row"]
    assert Counter(rows) == {"accepted": 10_000}
    told = parsed.tables["remittances"]["stated_determination"].to_pylist()
    assert Counter(told) == {"denied": 1254, "approved": 8746}


def test_outcomes_in_words_nobody_explained_are_counted_and_not_quoted() -> None:
    data = b"DOS,Fee,Status\n2026-03-16,90,Paid\n2026-03-17,90,SECRET\n2026-03-18,90,\n"
    columns = {**FEES, "outcome": "Status"}
    [note, *_] = read(data, columns=columns, outcome_words={"approved": ["paid"]}).ledger
    assert "1 of 2 outcomes are words that outcome_words does not explain" in (note.reason or "")
    assert "SECRET" not in (note.reason or "")
    [asked] = read(data.replace(b"Fee", b"Charge")).ledger
    assert 'approved = ["Paid"]' in (asked.reason or "")
    assert "SECRET" not in (asked.reason or "")


def test_a_file_without_a_word_we_know_is_no_export() -> None:
    practice = Practice()
    sheet = b"name,born\nA,1980\n"
    assert practice_exports.read(sheet, "d" * 64, "x.csv", practice, PSEUDONYMS) is None


def test_a_column_that_practice_toml_misspells_is_named() -> None:
    parsed = read(b"DOS,Fee\n2026-03-04,90\n", columns={"service_date": "DOS", "charge": "Fees"})
    assert reasons(parsed) == {1: "export.csv: lacks columns that practice.toml names for it: Fees"}


# ---- text, spreadsheets and their quirks --------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_encoding_delimiter_and_preamble(encoding: str, delimiter: str, newline: str) -> None:
    table = [["José's practice"], [], ["", "printed today"], ["DOS", "Fee", "Insurance"],
             ["2026-03-16", "$ 90.50", "Crédit, Santé; et al|x"]]  # fmt: skip
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(table)
    columns = FEES | {"payer_name": "Insurance"}
    parsed = read(text.getvalue().encode(encoding), columns=columns)
    [claim] = parsed.tables["claims"].to_pylist()
    assert (claim["charge_cents"], claim["payer_name"]) == (9050, "Crédit, Santé; et al|x")
    assert [row.position for row in parsed.ledger] == [1, 5]


def test_several_sheets_are_read_and_the_one_without_a_header_is_told() -> None:
    march = [["DOS", "Fee"], [date(2026, 3, 16), 90.5], ["", ""], ["soon", 1]]
    april = [["DOS", "Fee"], [46113, "(1)"], [46113, 80]]
    parsed = read(spreadsheet(march, [["Summary"]], april), columns=FEES)
    days = parsed.tables["claims"]["service_date"].to_pylist()
    assert days == [date(2026, 3, 16), date(2026, 4, 1)]
    rows = [(r.position, r.disposition) for r in parsed.ledger if r.record == "row"]
    assert rows == [(2, "accepted"), (4, "quarantined"), (7, "quarantined"), (8, "accepted")]
    assert reasons(parsed)[7].startswith("export.csv, sheet 3, row 2: charge is empty or below")
    assert "not read: sheet 2" in (parsed.ledger[2].reason or "")


def test_an_unproved_date_order_is_asked_about_and_then_obeyed() -> None:
    data = b"DOS,Fee\n03/04/2026,90\n"
    [reason] = reasons(read(data, columns=FEES)).values()
    assert reason.startswith("export.csv: the column DOS may hold dates month first or day first")
    assert 'date_order = "MDY"' in reason
    told = read(data, columns=FEES, date_order="DMY")
    assert told.tables["claims"]["service_date"].to_pylist() == [date(2026, 4, 3)]


def test_each_column_proves_its_own_order() -> None:
    data = b"DOS,Remitted,Fee\n16/03/2026,04/20/2026,90\n02/03/2026,04/05/2026,80\n"
    columns = FEES | {"payment_date": "Remitted", "paid": "Fee"}
    parsed = read(data, columns=columns)
    assert parsed.tables["claims"]["service_date"].to_pylist()[1] == date(2026, 3, 2)
    assert parsed.tables["remittances"]["payment_date"].to_pylist()[1] == date(2026, 4, 5)


# ---- hostile cells ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-03-16,=1+1", "charge is no amount"),
        ("2026-03-16,=cmd|'/c SECRET'!A1", "charge is no amount"),
        ("2026-03-16,NULL", "charge is no amount"),
        ("2026-03-16,", "charge is empty"),
        ("2026-03-16", "charge is empty"),
        ("2026-03-16,-90", "charge is empty or below zero"),
        ("SECRET,90", "service_date is not a date"),
        ("2026-03-16,90,,SECRET", "has more cells than the header"),
        ("2026-03-16," + "9" * 1_000_000, "cannot be split into cells"),
        ('2026-03-16,"90\n2026-03-17,80\n2026-03-18,70"', "a quotation mark opens here and closes"),
        ('2026-03-16,"90\n2026-03-17,80', "a quotation mark opens here and closes on line 3"),
    ],
)
def test_a_row_that_cannot_be_understood_is_set_aside_and_the_next_is_read(
    row: str, reason: str
) -> None:
    found = reasons(read(f"DOS,Fee\n{row}".encode(), columns=FEES))
    assert list(found) == [2 + n for n in range(len(row.splitlines()))]
    assert all(f"export.csv, line 2: {reason}" in told for told in found.values())
    if row.count('"') != 1:
        parsed = read(f"DOS,Fee\n{row}\n2026-03-20,10\n".encode(), columns=FEES)
        assert parsed.tables["claims"]["charge_cents"].to_pylist() == [1000]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"DOS,Fee,Fee\n2026-03-16,1,2\n", "a column to be read stands twice in the header: Fee"),
        (b"PK\x03\x04SECRET", "is a spreadsheet that cannot be opened; save it as CSV"),
        (b"\xd0\xcf\x11\xe0SECRET", "is an old or a locked spreadsheet (.xls)"),
        (b"<html><table><tr><td>SECRET", "is a web page, whatever its name says"),
        (b"", "lacks columns that practice.toml names for it: DOS, Fee"),
        (b"\n\n", "lacks columns that practice.toml names for it: DOS, Fee"),
        (b"\x00\x00\x00\x01\x02", "is neither X12 nor text nor a spreadsheet nor Parquet"),
    ],
)
def test_a_file_that_cannot_be_understood_says_what_to_do(data: bytes, reason: str) -> None:
    parsed = read(data, columns=FEES)
    assert parsed.tables == {}
    assert [told.split(": ", 1)[1][: len(reason)] for told in reasons(parsed).values()] == [reason]


def test_a_header_without_rows_is_read_and_holds_nothing() -> None:
    parsed = read(b"DOS,Fee\n", columns=FEES)
    assert (parsed.tables, len(parsed.ledger)) == ({}, 1)


CELLS = st.sampled_from(
    ["", "2026-03-16", "3/16/2026", "16/3/2026", "3/4/2026", "90", "(90)", "Total", '"', "a\nb",
     "=1", "DOS", "é\u2028", "٣"]
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(st.lists(CELLS, max_size=4), max_size=8), st.sampled_from(",;\t|"))
def test_every_row_is_accounted_for_once_whatever_it_holds(
    rows: list[list[str]], delimiter: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([["DOS", "Fee"], *rows])
    parsed = read(text.getvalue().encode(), columns=FEES)
    if parsed.ledger[0].disposition == "quarantined":
        assert len(parsed.ledger) == 1  # the order of its dates, asked about
        return
    told = [row.position for row in parsed.ledger if row.record == "row"]
    assert told == sorted(set(told))
    accepted = [row for row in parsed.ledger[1:] if row.disposition == "accepted"]
    n_filled = sum(any(cell.strip() for cell in row) for row in rows)
    assert len(told) >= n_filled
    lines = parsed.tables["service_lines"].num_rows if parsed.tables else 0
    assert lines == len(accepted)


@settings(max_examples=50)
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"DOS,Fee\n"]))
def test_random_bytes_never_raise(noise: bytes, opening: bytes) -> None:
    practice = Practice.model_validate({"exports": [{"file": "*", "columns": FEES}]})
    parts = practice_exports.read(opening + noise, "d" * 64, "x.csv", practice, PSEUDONYMS)
    assert parts
    assert any(part.ledger.rows for part in parts)

"""What a practice's software exports is read as the practice means it, or set aside aloud."""

import io
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import tables
from analysis.config import Practice
from analysis.intake import practice_exports
from analysis.intake.parsed import Parsed
from analysis.intake.practice_exports import UnclearError, cents, date_order, day
from analysis.intake.pseudonymize import Pseudonyms

PSEUDONYMS = Pseudonyms(b"k" * 32)
MAPPING = {
    "patient_control_number": "claim_id",
    "patient": "patient_id",
    "submitted_date": "submission_date",
    "payer_name": "payer_name",
    "procedure_code": "cpt_code",
    "diagnoses": "icd10_code",
    "charge": "claim_amount",
    "paid": "amount_paid",
    "outcome": "claim_status",
    "reason_code": "carc_code",
}


def read(data: bytes, **stated: object) -> Parsed:
    exports = [{"file": "export*", **stated}] if stated else []
    practice = Practice.model_validate({"exports": exports})
    parsed = practice_exports.read(data, "export.csv", practice, PSEUDONYMS)
    assert parsed
    for name, table in parsed.tables.items():
        assert tables.problems(name, table) == []
    return parsed


def test_ten_thousand_claims_load_through_a_mapping(shared_data: Path) -> None:
    data = (shared_data / "synthetic_claims" / "healthcare_claims_10000.csv").read_bytes()
    parsed = read(
        data, columns=MAPPING, outcome_words={"approved": ["Approved"], "denied": ["Denied"]}
    )
    rows = [row.disposition for row in parsed.ledger if row.record == "row"]
    assert Counter(rows) == {"accepted": 10_000}
    stated = parsed.tables["remittances"]["stated_determination"].to_pylist()
    assert Counter(stated) == {"denied": 1254, "approved": 8746}


def test_utf16_tabs_behind_a_preamble_are_read_with_the_guess_told() -> None:
    header = "Patient Name (First Last)\tService Date\tCharges\tInsurance Payments\n"
    text = "Clinic\n\n" * 4 + header + 'A B\t03/16/2026\t"$1,234.50"\t--\nTotal\t\t1,234.50\t\n'
    parsed = read(text.encode("utf-16"))
    assert "guessed" in (parsed.ledger[0].reason or "")
    assert [row.disposition for row in parsed.ledger[1:]] == ["accepted", "skipped"]
    [claim] = parsed.tables["claims"].to_pylist()
    assert (claim["charge_cents"], claim["service_date"]) == (123450, date(2026, 3, 16))
    assert claim["patient_id"].startswith("p_")
    assert "remittances" not in parsed.tables


def test_a_spreadsheet_with_serial_dates_passes_over_what_is_no_appointment() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet
    sheet.append(["Type", "Date", "Patient Name", "Insurance Amount Due", "Insurance Amount Paid"])
    sheet.append(["Appointment", 46097, "*A B*", -90.5, -60])
    sheet.append(["Payment", 46098, "A B", 1, 1])
    packed = io.BytesIO()
    book.save(packed)
    parsed = read(packed.getvalue())
    assert [row.disposition for row in parsed.ledger[1:]] == ["accepted", "skipped"]
    [claim] = parsed.tables["claims"].to_pylist()
    assert (claim["charge_cents"], claim["service_date"]) == (9050, date(2026, 3, 16))
    assert parsed.tables["remittances"]["paid_cents"].to_pylist() == [6000]


def test_closed_with_nothing_paid_is_not_called_denied() -> None:
    header = "DOS,Service/CPT Code,Client,Charge,Insurance/Agency Payments,Status\n"
    parsed = read((header + "03/16/2026,97124,A,90,0,Zero Balance\n").encode())
    assert parsed.tables["remittances"]["stated_determination"].to_pylist() == [None]


def test_an_unproved_date_order_is_asked_about_and_then_obeyed() -> None:
    data = b"DOS,Fee\n03/04/2026,90\n"
    columns = {"service_date": "DOS", "charge": "Fee"}
    [row] = read(data, columns=columns).ledger
    assert row.disposition == "quarantined"
    assert 'date_order = "MDY"' in (row.reason or "")
    told = read(data, columns=columns, date_order="DMY")
    assert told.tables["claims"]["service_date"].to_pylist() == [date(2026, 4, 3)]


def test_a_column_that_holds_both_orders_is_refused() -> None:
    assert date_order(["13/01/2026", "02/03/2026"]) == "DMY"
    with pytest.raises(UnclearError, match="both"):
        date_order(["13/01/2026", "01/13/2026"])


@given(st.integers(-(10**9), 10**9))
def test_money_survives_every_way_of_writing_it(amount: int) -> None:
    whole, part = divmod(abs(amount), 100)
    plain = f"{whole:,}.{part:02d}"
    ways = [f"({plain})", f"-${plain}", f"{plain}-"] if amount < 0 else [plain, f"$ {plain}"]
    assert {cents(way) for way in ways} == {amount}


@given(st.dates(date(1960, 1, 1), date(2090, 1, 1)))
def test_a_day_survives_every_way_of_writing_it(when: date) -> None:
    serial = str((when - date(1899, 12, 30)) // timedelta(days=1))
    assert day(when.isoformat(), None) == day(serial, None) == when
    assert day(f"{when.month}/{when.day}/{when.year}", "MDY") == when
    assert day(f"{when.day}.{when.month}.{when.year}", "DMY") == when


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"DOS,Fee\n"]))
def test_random_bytes_never_raise(noise: bytes, opening: bytes) -> None:
    stated = {"file": "*", "columns": {"service_date": "DOS", "charge": "Fee"}}
    practice = Practice.model_validate({"exports": [stated]})
    practice_exports.read(opening + noise, "x.csv", practice, PSEUDONYMS)

"""The records a therapist keeps: what is read, what is set aside, and what people are told."""

import io
import time
from datetime import date
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import codes, tables
from analysis.intake import records
from analysis.intake.parsed import Parsed
from analysis.intake.pseudonymize import Pseudonyms

PSEUDONYMS = Pseudonyms(b"k" * 32)


def read(text: str | bytes, file_name: str = "documentation.csv") -> Parsed:
    data = text if isinstance(text, bytes) else text.encode()
    return records.read(data, file_name, PSEUDONYMS)


def only_row(parsed: Parsed, table: str) -> dict[str, Any]:
    [row] = parsed.tables[table].to_pylist()
    return row


def account(parsed: Parsed) -> list[tuple[int, str]]:
    return [(row.position, row.disposition) for row in parsed.ledger]


def test_a_visit_becomes_one_row_per_answered_item_and_technique() -> None:
    parsed = read(
        "claim_number,service_date,techniques,license,prescription,authorization,plan_of_care,lmn\n"
        "C1,2026-03-04,Deep Tissue; trigger  point,yes,2026-02-20,NO,,n/a\n"
    )
    documents = parsed.tables["attested_documents"]
    assert [
        (row["item_id"], row["status"], row["existed_date"]) for row in documents.to_pylist()
    ] == [
        ("D01_license", "present", None),
        ("D02_prescription", "present", date(2026, 2, 20)),
        ("D04_authorization", "absent", None),
        ("D13_lmn", "not_required", None),
    ]
    assert set(documents["service_date"].to_pylist()) == {date(2026, 3, 4)}
    assert set(documents["position"].to_pylist()) == {2}
    techniques = parsed.tables["visit_techniques"]["technique"].to_pylist()
    assert techniques == ["deep tissue", "trigger point"]
    assert account(parsed) == [(2, "accepted")]


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("Y", "present"),
        ("TRUE", "present"),
        ("x", "present"),
        ("1", "present"),
        ("No", "absent"),
        ("0", "absent"),
        ("Not needed", "not_required"),
        ("NA", "not_required"),
        ("?", "unknown"),
    ],
)
def test_words_people_write_for_a_document(cell: str, status: str) -> None:
    parsed = read(f"claim_number,service_date,license\nC1,2026-03-04,{cell}\n")
    assert only_row(parsed, "attested_documents")["status"] == status


def test_an_unclear_row_is_quarantined_with_its_line_and_the_others_are_read() -> None:
    parsed = read(
        "claim_number,service_date,license\n"
        "C1,2026-03-04,yes\n"
        "C2,the 5th of March,yes\n"
        "C3,2026-03-06,perhaps DOE JANE\n"
        ",2026-03-07,yes\n"
        "C5,2026-02-30,yes\n"
    )
    assert parsed.tables["attested_documents"]["patient_control_number"].to_pylist() == ["C1"]
    reasons = {row.position: row.reason for row in parsed.ledger if row.reason}
    assert reasons[3] == (
        "documentation.csv, line 3: service_date is not a date; write it as YYYY-MM-DD"
    )
    assert reasons[4].startswith("documentation.csv, line 4: license is not understood; write")
    assert reasons[5] == "documentation.csv, line 5: claim_number is empty; every row needs it"
    assert "service_date is not a date" in reasons[6]
    assert not any("DOE" in reason or "5th" in reason for reason in reasons.values())


def test_every_line_with_content_is_accounted_for_and_blank_lines_are_none() -> None:
    parsed = read(
        "\nclaim_number,service_date,license\n\nC1,2026-03-04,yes\n,,\nC2,2026-03-05,yes,more\n"
    )
    assert account(parsed) == [(4, "accepted"), (6, "quarantined")]


def test_a_row_written_twice_counts_once() -> None:
    parsed = read(
        "claim_number,service_date,license\nC1,2026-03-04,yes\nC1,2026-03-04,yes\n",
    )
    assert parsed.tables["attested_documents"].num_rows == 1
    assert account(parsed) == [(2, "accepted"), (3, "duplicate")]
    assert parsed.ledger[1].reason == "documentation.csv, line 3: says the same as line 2"


def test_a_quote_never_closed_swallows_no_row_silently() -> None:
    rows = "".join(f"C{n},2026-03-04,yes\n" for n in range(3, 6))
    parsed = read(
        f'claim_number,service_date,license\nC1,2026-03-04,yes\nC2,"2026-03-04,no\n{rows}'
    )
    assert account(parsed) == [(2, "accepted"), *((n, "quarantined") for n in range(3, 7))]
    assert "opens on line 3 and closes on line 6" in parsed.ledger[-1].reason
    endless = read('claim_number,service_date,license\nC1,"' + "x\n" * 100_000)
    assert [row.position for row in endless.ledger] == list(range(2, 100_002))
    assert "accepted" not in {row.disposition for row in endless.ledger}
    assert "quotation mark" in endless.ledger[0].reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_write(encoding: str, delimiter: str, newline: str) -> None:
    lines = [["Claim Number", "service-date", " Techniques "], ["C1", "2026-03-04", "pétrissage"]]
    text = newline.join(delimiter.join(cells) for cells in lines)
    parsed = read(text.encode(encoding))
    assert parsed.tables["visit_techniques"]["technique"].to_pylist() == ["pétrissage"]


def test_a_record_kept_as_a_spreadsheet_is_read_with_its_rows_named() -> None:
    book = openpyxl.Workbook()
    book.active.append(["claim_number", "service_date", "license"])
    book.active.append(["C1", date(2026, 3, 4), "yes"])
    book.active.append(["C2", "soon", "yes"])
    packed = io.BytesIO()
    book.save(packed)
    parsed = read(packed.getvalue(), "documentation.xlsx")
    assert only_row(parsed, "attested_documents")["service_date"] == date(2026, 3, 4)
    assert account(parsed) == [(2, "accepted"), (3, "quarantined")]
    assert parsed.ledger[1].reason.startswith("documentation.xlsx, row 3: service_date is not")


def test_month_first_dates_are_read_where_nothing_in_the_file_speaks_against_it() -> None:
    parsed = read("claim_number,service_date,license\nC1,3/4/2026,1/31/26\n")
    row = only_row(parsed, "attested_documents")
    assert (row["service_date"], row["existed_date"]) == (date(2026, 3, 4), date(2026, 1, 31))


def test_one_day_above_twelve_proves_the_order_of_the_file() -> None:
    parsed = read("claim_number,service_date,license\nC1,3/4/2026,31.1.2026\n")
    row = only_row(parsed, "attested_documents")
    assert (row["service_date"], row["existed_date"]) == (date(2026, 4, 3), date(2026, 1, 31))


def test_a_file_with_both_orders_has_its_ambiguous_dates_set_aside() -> None:
    parsed = read(
        "claim_number,service_date,license\n"
        "C1,3/4/2026,yes\n"
        "C2,31/3/2026,yes\n"
        "C3,3/31/2026,yes\n"
        "C4,2026-03-04 00:00:00,yes\n"
    )
    assert account(parsed) == [(2, "quarantined"), *((line, "accepted") for line in (3, 4, 5))]
    assert "may be month first or day first" in parsed.ledger[0].reason


def test_an_authorization_finds_its_patient_by_pseudonym_only() -> None:
    parsed = read(
        "authorization_number,payer_id,member_id,procedure_codes,visits_authorized,"
        "start_date,end_date,requested_date,decision_date,status\n"
        "A77,00123,m-1,97124;97140,12,2026-01-01,2026-04-01,2025-12-20,2025-12-28,Approved\n",
        "authorizations.csv",
    )
    row = only_row(parsed, "authorizations")
    assert row["patient_id"] == PSEUDONYMS.of(pa.array(["M-1"]))[0].as_py()
    assert row["payer_id"] == "00123"
    assert row["procedure_codes"] == "97124:97140"
    assert (row["visits_authorized"], row["status"]) == (12, "approved")


def test_a_call_keeps_unknown_apart_from_no() -> None:
    parsed = read(
        "call_date,call_time,payer_id,member_id,representative,reference_number,covered,"
        "authorization_required,referral_required,visits_allowed,visits_remaining,"
        "written_confirmation_date\n"
        "2026-01-05,2:30 PM,00123,M1,Kim,R-9,yes,no,,20.0,,2026-01-09\n",
        "benefit_calls.csv",
    )
    row = only_row(parsed, "benefit_calls")
    assert row["call_time"] == "14:30"
    assert row["is_covered"] is True
    assert row["is_authorization_required"] is False
    assert row["is_referral_required"] is None
    assert (row["visits_allowed"], row["visits_remaining"]) == (20, None)


def test_appeals_and_policies_keep_to_the_declared_words() -> None:
    appeals = read(
        "claim_number,level,filed_date,outcome,assisted_by\n"
        "C1,1,2026-01-05,Overturned,nobody\nC2,1,2026-01-05,won,nobody\n",
        "appeals.csv",
    )
    assert only_row(appeals, "appeals")["outcome"] == "overturned"
    assert appeals.ledger[1].reason == (
        "appeals.csv, line 3: outcome is not understood; write one of: "
        "overturned, upheld, partial, pending, withdrawn"
    )
    policies = read(
        "payer_id,plan_id,state,procedure_code,rule,value,effective_from,effective_to,source\n"
        "00123,,wa,,authorization_after_visit,6,2018-06-07,,RCW 48.43.016\n",
        "rules of insurers.csv",
    )
    row = only_row(policies, "policies")
    assert (row["state"], row["rule"], row["value"]) == ("WA", "authorization_after_visit", 6.0)
    assert (row["plan_id"], row["effective_to"]) == (None, None)


def test_optional_columns_may_be_missing_and_foreign_ones_are_left_alone() -> None:
    parsed = read("claim_number,mood,level,filed_date\nC1,calm,2,2026-01-05\n", "appeals.csv")
    row = only_row(parsed, "appeals")
    assert (row["level"], row["filed_date"], row["outcome"]) == ("2", date(2026, 1, 5), None)
    assert account(parsed) == [(2, "accepted")]


def test_a_misspelt_column_is_not_lost_silently() -> None:
    parsed = read("claim_number,service_date,license,perscription\nC1,2026-03-04,yes,yes\n")
    assert account(parsed) == [(1, "quarantined"), (2, "accepted")]
    assert parsed.ledger[0].reason == (
        "documentation.csv: column 4 was not read: did you mean 'prescription'?"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("claim_number,license\nC1,yes\n", "nearest to documentation.csv, but lacks service_date"),
        ("PATIENT,N1,1980-01-01\n", "its first line is no header known here; expected a claim"),
        ("", "its first line is no header known here"),
        (b"\x89PNG\x00\x00\x01", "is neither X12 nor text nor a spreadsheet nor Parquet; expected"),
        (
            "claim_number,service_date,license,license\nC1,2026-03-04,yes,no\n",
            "a column stands twice",
        ),
    ],
)
def test_a_file_that_is_no_record_file_says_what_was_expected(
    text: str | bytes, reason: str
) -> None:
    parsed = read(text, "something.csv")
    assert parsed.tables == {}
    assert account(parsed) == [(1, "quarantined")]
    assert reason in parsed.ledger[0].reason
    assert "PATIENT" not in parsed.ledger[0].reason


def test_every_kind_of_file_gives_tables_as_declared() -> None:
    for known in records.RECORD_FILES:
        parsed = read(",".join(known.headers) + "\n", known.name)
        assert parsed.ledger == []
        for name, table in parsed.tables.items():
            assert table.schema == tables.arrow_schema(name)
            assert table.num_rows == 0


def test_a_hundred_thousand_visits_take_a_few_seconds() -> None:
    items = [row["name"] for row in codes.rows("documentation")]
    header = ",".join(["claim_number", "service_date", "techniques", *items])
    cells = ",".join(["2026-02-20", "yes", "no", "n/a"] * 4 + ["yes"] * 3)
    text = (
        header
        + "\n"
        + "".join(
            f"C{n},2026-03-{n % 28 + 1:02d},deep tissue;trigger point,{cells}\n"
            for n in range(100_000)
        )
    )
    start = time.process_time()
    parsed = read(text)
    assert time.process_time() - start < 10
    assert parsed.tables["attested_documents"].num_rows == 100_000 * len(items)


CELLS = st.sampled_from(
    [
        "",
        " ",
        "C1",
        "yes",
        "n/a",
        "2026-03-04",
        "3/4/26",
        "31/1/2026",
        "٣",
        "=1",
        '"',
        "\0",
        "é\u2028",
    ]
)


@settings(max_examples=150)
@given(st.lists(st.lists(CELLS, max_size=5), max_size=8), st.sampled_from([",", ";", "\t"]))
def test_no_content_makes_the_reader_fail_or_lose_a_line(
    rows: list[list[str]], delimiter: str
) -> None:
    header = ["claim_number", "service_date", "license", "techniques"]
    lines = [delimiter.join(cells) for cells in [header, *rows]]
    parsed = read("\n".join(lines))
    positions = [row.position for row in parsed.ledger]
    assert positions == sorted(set(positions))
    if [row.record for row in parsed.ledger] != ["file"]:
        said = {n for n, line in enumerate(lines[1:], start=2) if line.strip(delimiter + ' "')}
        assert said <= set(positions)
    for name, table in parsed.tables.items():
        assert tables.problems(name, table) == []


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_random_bytes_are_set_aside(data: bytes) -> None:
    assert account(read(data)) == [(1, "quarantined")]

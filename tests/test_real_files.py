"""The main job on files made by others: nothing crashes, nothing is lost, pairs find each other."""

import csv
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from analysis import pipeline, tables
from analysis.config import Folders
from analysis.reports import publish
from analysis.reports.parameters import MONTHLY

_KINDS = ("era835", "claims837p", "pairs837_835")


@pytest.fixture(scope="module")
def practice(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("real")
    folders = Folders(root / "data", root / "reports", "shared")
    for kind in _KINDS:
        for path in sorted((shared_data / "x12" / kind).rglob("*")):
            if path.is_file():
                link = folders.raw / path.relative_to(shared_data / "x12")
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path)
    pipeline.build(folders, say=lambda _: None)
    return folders


def test_every_file_is_in_the_ledger_as_read_or_as_set_aside(practice: Folders) -> None:
    ledger = tables.read(practice.processed, "row_ledger").to_pylist()
    files = {p.relative_to(practice.raw).as_posix() for p in practice.raw.rglob("*") if p.is_file()}
    assert {row["file_name"] for row in ledger} == files
    assert all(row["reason"] for row in ledger if row["disposition"] == "quarantined")


def test_most_claims_and_answers_are_read(practice: Folders) -> None:
    ledger = tables.read(practice.processed, "row_ledger").to_pylist()
    answers = Counter(row["disposition"] for row in ledger if row["record"] == "CLP")
    assert sum(answers.values()) == 29
    assert answers["accepted"] >= 18
    with_claims = {
        row["file_name"]
        for row in ledger
        if row["record"] == "CLM"
        and row["disposition"] == "accepted"
        and row["file_name"].startswith("claims837p/")
    }
    assert len(with_claims) >= 35


def test_what_does_not_balance_is_kept_and_told_with_its_place(practice: Folders) -> None:
    off = tables.read(practice.processed, "imbalances").to_pylist()
    assert all(row["file_name"] and row["segment"] for row in off)
    of_money = [row for row in off if row["expected_cents"] is not None]
    assert {row["check_name"] for row in of_money} >= {"deposit", "line_paid", "sent_charge"}
    for row in of_money:
        assert row["difference_cents"] == row["found_cents"] - row["expected_cents"] != 0
    kept = {
        row[name]
        for table, name in (
            ("claims", "claim_version_id"),
            ("payments", "payment_id"),
            ("remittances", "remittance_id"),
            ("remittance_lines", "remittance_line_id"),
        )
        for row in tables.read(practice.processed, table).to_pylist()
    }
    assert {row["record_id"] for row in of_money} <= kept


def test_claims_of_the_matched_pairs_have_their_answers(practice: Folders) -> None:
    claim_of = {
        row["record_id"]: row["claim_id"]
        for row in tables.read(practice.processed, "claim_lineage").to_pylist()
    }
    sent = {
        row["file_name"].rsplit("/", 1)[1].removesuffix("_837.edi"): row["claim_version_id"]
        for row in tables.read(practice.processed, "claims").to_pylist()
        if row["file_name"].startswith("pairs837_835/")
    }
    answered = {
        row["file_name"].rsplit("/", 1)[1].removesuffix("_835.edi"): row["remittance_id"]
        for row in tables.read(practice.processed, "remittances").to_pylist()
        if row["file_name"].startswith("pairs837_835/")
    }
    assert sent.keys() == answered.keys() == {"facility", "professional"}
    for name, version_id in sent.items():
        assert claim_of[version_id] == claim_of[answered[name]]


@pytest.mark.slow
def test_every_report_is_made_of_them(practice: Folders) -> None:
    planned = publish.plan(practice, None, [], {"minimum_cell_size": "3"})
    assert {report.name for report in planned} >= set(MONTHLY) - {"08_insurer_scorecard"}
    outcome = publish.publish(practice, planned, 2, lambda _: None, with_pdf=True)
    assert outcome.failures == {}


def test_a_corrected_file_takes_its_rows_out_of_quarantine(
    practice: Folders, tmp_path: Path
) -> None:
    folders = Folders(tmp_path / "data", tmp_path / "reports", "again")
    folders.raw.mkdir(parents=True)
    source = practice.raw / "era835" / "zentist__TigerShark" / "sample_835.txt"
    shutil.copyfile(source, folders.raw / "masked.835")

    def set_aside() -> int:
        pipeline.build(folders, through="intake", say=lambda _: None)
        ledger = tables.read(folders.processed, "row_ledger").to_pylist()
        return sum(row["disposition"] == "quarantined" for row in ledger)

    assert set_aside() > 0
    good = practice.raw / "era835" / "zentist__TigerShark" / "5010-835-example-1.txt"
    shutil.copyfile(good, folders.raw / "masked.835")
    assert set_aside() == 0


def test_outcomes_of_ten_thousand_exported_claims_say_that_an_export_told_them(
    shared_data: Path, tmp_path: Path
) -> None:
    folders = Folders(tmp_path / "data", tmp_path / "reports", "export")
    folders.raw.mkdir(parents=True)
    source = shared_data / "synthetic_claims" / "healthcare_claims_10000.csv"
    (folders.raw / "claims.csv").symlink_to(source)
    (folders.raw / "practice.toml").write_text(
        """
[[exports]]
file = "claims.csv"
[exports.columns]
patient_control_number = "claim_id"
patient = "patient_id"
payer_name = "payer_name"
submitted_date = "submission_date"
procedure_code = "cpt_code"
diagnoses = "icd10_code"
charge = "claim_amount"
paid = "amount_paid"
outcome = "claim_status"
reason_code = "carc_code"
[exports.outcome_words]
approved = ["Approved"]
denied = ["Denied"]
""",
        encoding="utf-8",
    )
    pipeline.build(folders, through="outcomes", say=lambda _: None)
    ledger = tables.read(folders.processed, "row_ledger").to_pylist()
    assert Counter((row["record"], row["disposition"]) for row in ledger) == {
        ("file", "accepted"): 1,
        ("row", "accepted"): 10_000,
    }
    outcomes = tables.read(folders.processed, "claim_outcomes").to_pylist()
    assert Counter((o["first_determination"], o["outcome_source"]) for o in outcomes) == {
        ("approved", "export"): 8_746,
        ("denied", "export"): 1_193,
        # Called denied in the file with CARC 18: copies, on which nobody decided.
        ("unknown", None): 61,
    }
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column, name in (("charge_cents", "claim_amount"), ("paid_cents", "amount_paid")):
        assert sum(o[column] for o in outcomes) == sum(Decimal(r[name]) * 100 for r in rows)

"""The main job on files made by others: nothing crashes, nothing is lost, pairs find each other."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from analysis import pipeline, tables
from analysis.config import Folders

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

"""A 277CA answers for a batch, a provider or a claim; a 999 for a set."""

from datetime import date

import pytest

from analysis import tables
from analysis.intake import acknowledgments
from analysis.intake.parsed import Parsed
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import envelopes

ISA = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         "
    "*240201*1200*^*00501*000000001*0*P*:"
)
CLAIM_ANSWERS = (
    "GS*HN*PAYER*CLINIC*20240116*1200*1*X*005010X214",
    "ST*277*0001*005010X214",
    "BHT*0085*08*1*20240116*1200*TH",
    "HL*1**20*1",
    "TRN*1*BATCH",
    "HL*2*1*21*1",
    "TRN*2*BATCH",
    "STC*A1:19:PR*20240115*WQ*300",
    "HL*3*2*19*1",
    "HL*4*3*PT",
    "NM1*QC*1*ROE*ANN****MI*MEMBER1",
    "TRN*2*A1",
    "STC*A2:20:PR*20240115*WQ*100",
    "HL*5*3*PT",
    "TRN*2*A2",
    "STC*A7:562:85**U*200",
    "HL*6*3*PT",
    "TRN*2*A3",
    "STC*Z9",
    "SE*18*0001",
)


def read(*segments: str) -> Parsed:
    (interchange,) = envelopes.split("".join(s + "~\n" for s in (ISA, *segments)).encode())
    parsed = acknowledgments.read(interchange, "a.277", Pseudonyms(b"k" * 32))
    found = parsed.tables["acknowledgments"]
    assert tables.problems("acknowledgments", tables.conform("acknowledgments", found)) == []
    return parsed


def test_each_claim_is_told_whether_it_was_taken_in() -> None:
    parsed = read(*CLAIM_ANSWERS)
    told = [
        (
            row["patient_control_number"],
            row["category_code"],
            row["status_code"],
            row["is_accepted"],
            row["effective_date"],
        )
        for row in parsed.tables["acknowledgments"].to_pylist()
    ]
    assert told == [
        (None, "A1", "19", True, date(2024, 1, 15)),
        ("A1", "A2", "20", True, date(2024, 1, 15)),
        ("A2", "A7", "562", False, date(2024, 1, 16)),
        ("A3", "Z9", None, None, date(2024, 1, 16)),
    ]
    assert [(row.record, row.position) for row in parsed.ledger] == [
        ("status", place) for place in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize(("code", "verdict"), [("A", True), ("E", True), ("R", False), ("?", None)])
@pytest.mark.parametrize("segment", ["IK5", "AK5"])
def test_a_set_is_accepted_or_rejected(segment: str, code: str, verdict: bool | None) -> None:
    parsed = read(
        "GS*FA*PAYER*CLINIC*20240116*1200*1*X*005010X231A1",
        "ST*999*0001*005010X231A1",
        "AK1*HC*1",
        "AK2*837*0001",
        f"{segment}*{code}",
        "SE*5*0001",
    )
    (row,) = parsed.tables["acknowledgments"].to_pylist()
    assert (row["transaction"], row["is_accepted"]) == ("999", verdict)
    assert row["set_reference"] == "1/0001"
    assert row["effective_date"] == date(2024, 1, 16)


def test_a_group_refused_whole_is_one_answer_for_all_its_sets() -> None:
    parsed = read(
        "GS*FA*PAYER*CLINIC*20240116*1200*1*X*005010X231A1",
        "ST*999*0001*005010X231A1",
        "AK1*HC*17",
        "AK9*R*2*2*0",
        "SE*4*0001",
    )
    (row,) = parsed.tables["acknowledgments"].to_pylist()
    assert (row["set_reference"], row["is_accepted"]) == ("17/", False)

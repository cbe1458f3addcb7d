"""Every sum a file states is held against its parts; what does not agree is marked and kept."""

from datetime import date
from pathlib import Path

import pytest

from analysis import tables
from analysis.claims.balances import balances
from analysis.claims.lineage import lineage
from analysis.config import Practice
from analysis.intake.folder import read_folder
from analysis.intake.pseudonymize import Pseudonyms
from analysis.outcomes import outcomes
from analysis.schemas import BALANCES, FILE_CHECKS

ISA = (
    "ISA*00*          *00*          *ZZ*A              *ZZ*B              "
    "*240201*1200*^*00501*000000007*0*P*:"
)
SENT = (
    "HL*1**20*1",
    "HL*2*1*22*0",
    "SBR*P*18*******CI",
    "NM1*IL*1*WREN*ADA****MI*W77",
    "NM1*PR*2*KIND MUTUAL*****PI*00123",
    "CLM*A1*150***11:B:1*Y*A*Y*Y",
    "HI*ABK:M5450",
    "LX*1",
    "SV1*HC:97124:GP*100*UN*4***1",
    "DTP*472*D8*20240110",
    "REF*6R*1",
    "LX*2",
    "SV1*HC:97140*50*UN*2***1",
    "DTP*472*D8*20240110",
    "REF*6R*2",
)
PAID = (
    "BPR*I*95*C*ACH************20240201",
    "TRN*1*CHECK1*1999999999",
    "N1*PR*KIND MUTUAL",
    "REF*2U*00123",
    "CLP*A1*1*150*110*20*12*ICN1*11",
    "DTM*232*20240110",
    "SVC*HC:97124:GP*100*80**4",
    "CAS*CO*45*10",
    "CAS*PR*2*10",
    "REF*6R*1",
    "SVC*HC:97140*50*30**2",
    "CAS*CO*45*10",
    "CAS*PR*2*10",
    "REF*6R*2",
    "PLB*1*20241231*WO:ICN0*15",
)


def claims(*body: str) -> str:
    inside = ("ST*837*1*005010X222A1", "BHT*0019*00*1*20240115*1200*CH", *body)
    end = (f"SE*{len(inside) + 1}*1", "GE*1*5", "IEA*1*000000007")
    return "~".join((ISA, "GS*HC*A*B*20240115*1200*5*X*005010X222A1", *inside, *end, ""))


def answers(*body: str) -> str:
    inside = ("ST*835*1", *body)
    end = (f"SE*{len(inside) + 1}*1", "GE*1*5", "IEA*1*000000007")
    return "~".join((ISA, "GS*HP*A*B*20240201*1200*5*X*005010X221A1", *inside, *end, ""))


def changed(body: tuple[str, ...], *pairs: tuple[str, str]) -> tuple[str, ...]:
    """The segments with some replaced; an empty one is dropped."""
    new = dict(pairs)
    assert set(new) <= set(body)
    return tuple(segment for old in body if (segment := new.get(old, old)))


@pytest.fixture
def accounts(tmp_path: Path):
    """Reads files and gives (what does not hold, on how many each check was made)."""

    def read(*files: str):
        for n, text in enumerate(files):
            (tmp_path / f"{n}.x12").write_text(text, encoding="utf-8")
        found = read_folder(tmp_path, Practice(), Pseudonyms(b"k" * 32))
        found |= lineage(found)
        found |= outcomes(found, date(2024, 6, 30))
        made = balances(found)
        for name, table in made.items():
            assert tables.problems(name, table) == []
        checks = {row["check_name"]: row for row in made["checks"].to_pylist()}
        off = made["imbalances"].to_pylist()
        for name, check in checks.items():
            n_off = sum(row["check_name"] == name for row in off)
            assert check["n_checked"] == check["n_holding"] + n_off
        return off, checks

    return read


def brief(off):
    return [(row["check_name"], row["segment"], row["difference_cents"]) for row in off]


def test_a_claim_and_its_answer_that_add_up_pass_every_check(accounts):
    off, checks = accounts(claims(*SENT), answers(*PAID))
    assert off == []
    assert list(checks) == [*FILE_CHECKS, *BALANCES]
    made = {name for name, check in checks.items() if check["n_checked"]}
    # No second insurer answered.
    assert made == set(checks) - {"first_insurer_answered"}
    assert not any(check["n_unknown"] for check in checks.values())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("BPR*I*95*C*ACH************20240201", "BPR*I*96*C*ACH************20240201",
         [("deposit", 3, 100)]),
        ("PLB*1*20241231*WO:ICN0*15", "PLB*1*20241231*WO:ICN0*14.99", [("deposit", 3, -1)]),
        ("CLP*A1*1*150*110*20*12*ICN1*11", "CLP*A1*1*150*109*20*12*ICN1*11",
         [("deposit", 3, 100), ("claim_paid", 8, -100), ("claim_paid_by_lines", 8, -100)]),
        ("CLP*A1*1*150*110*20*12*ICN1*11", "CLP*A1*1*151*110*20*12*ICN1*11",
         [("answered_charge", 8, 100), ("claim_charge", 8, 100), ("claim_paid", 8, -100)]),
        ("CLP*A1*1*150*110*20*12*ICN1*11", "CLP*A1*1*150*110*21*12*ICN1*11",
         [("responsibility", 8, 100)]),
        ("CLP*A1*1*150*110*20*12*ICN1*11", "CLP*A1*1*150*110**12*ICN1*11",
         [("responsibility", 8, -2000)]),
        ("SVC*HC:97140*50*30**2", "SVC*HC:97140*50*31**2",
         [("claim_paid_by_lines", 8, -100), ("line_paid", 14, 100)]),
    ],
)  # fmt: skip
def test_one_amount_changed_is_told_with_segment_and_difference(accounts, old, new, expected):
    off, _ = accounts(claims(*SENT), answers(*changed(PAID, (old, new))))
    assert brief(off) == expected
    assert {row["file_name"] for row in off} == {"1.x12"}


def test_a_charge_sent_that_is_not_its_lines(accounts):
    off, _ = accounts(
        claims(*changed(SENT, ("CLM*A1*150***11:B:1*Y*A*Y*Y", "CLM*A1*160***11:B:1*Y*A*Y*Y")))
    )
    assert [(row["check_name"], row["segment"], row["expected_cents"], row["found_cents"])
            for row in off] == [("sent_charge", 10, 15_000, 16_000)]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("SVC*HC:97124:GP*100*80**4", "SVC*HC:97112*100*80**4", "answered_code"),
        ("SVC*HC:97124:GP*100*80**4", "SVC*HC:97124*100*80**3", "answered_units"),
        ("CLP*A1*1*150*110*20*12*ICN1*11", "CLP*B1*1*150*110*20*12*ICN1*11", "answer_has_claim"),
        ("REF*6R*1", "DTM*472*20240111", "answered_day"),
        ("REF*6R*1", "REF*6R*7", "answered_number"),
        ("CAS*CO*45*10", "CAS*CO*125*10", "answered_reason_in_force"),
        ("CLP*A1*1*150*110*20*12*ICN1*11", "CLP*A1*1*150*110*20*12*ICN1*12", "answered_place"),
        (
            "CLP*A1*1*150*110*20*12*ICN1*11",
            "CLP*A1*2*150*110*20*12*ICN1*11",
            "first_insurer_answered",
        ),
        ("DTM*232*20240110", "DTM*472*20240110", "known_segments"),
    ],
)
def test_an_answer_unlike_the_claim_sent_is_marked(accounts, old, new, check):
    off, _ = accounts(claims(*SENT), answers(*changed(PAID, (old, new))))
    assert {row["check_name"] for row in off} == {check}
    assert off[0]["expected"] != off[0]["found"]
    assert off[0]["difference_cents"] is None


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("NM1*IL*1*WREN*ADA****MI*W77", "NM1*IL*1*WREN*ADA***", "sent_member"),
        ("HI*ABK:M5450", "HI*ABF:M5450", "sent_diagnosis"),
        ("SV1*HC:97140*50*UN*2***1", "SV1*HC:97140*50*UN*2", "sent_line_diagnosis"),
        ("SV1*HC:97140*50*UN*2***1", "SV1*HC:97140*50*UN*0***1", "sent_units"),
        ("DTP*472*D8*20240110", "", "sent_day"),
    ],
)
def test_a_claim_that_lacks_what_every_claim_names_is_marked(accounts, old, new, check):
    off, _ = accounts(claims(*changed(SENT, (old, new))))
    assert check in {row["check_name"] for row in off}
    assert {row["file_name"] for row in off} == {"0.x12"}


def test_a_line_recoded_by_the_insurer_is_told_by_the_code_sent(accounts):
    recoded = changed(PAID, ("SVC*HC:97124:GP*100*80**4", "SVC*HC:97112*100*80**4*HC:97124*4"))
    assert accounts(claims(*SENT), answers(*recoded))[0] == []


def test_a_line_the_insurer_passed_over_is_marked(accounts):
    one_line = changed(
        PAID,
        ("BPR*I*95*C*ACH************20240201", "BPR*I*65*C*ACH************20240201"),
        ("CLP*A1*1*150*110*20*12*ICN1*11", "CLP*A1*1*100*80*10*12*ICN1*11"),
        *((segment, "") for segment in PAID[10:14] if segment not in PAID[7:9]),
    )
    kept = (*one_line[:9], "REF*6R*1", one_line[-1])
    off, _ = accounts(claims(*SENT), answers(*kept))
    assert {(row["check_name"], row["file_name"], row["segment"]) for row in off} == {
        ("sent_line_answered", "0.x12", 17),
        ("answered_charge", "1.x12", 8),
    }


def test_an_adjustment_of_the_whole_claim_lowers_what_its_lines_pay(accounts):
    reduced = changed(
        PAID,
        ("BPR*I*95*C*ACH************20240201", "BPR*I*93*C*ACH************20240201"),
        ("CLP*A1*1*150*110*20*12*ICN1*11", "CLP*A1*1*150*108*20*12*ICN1*11"),
        ("DTM*232*20240110", "CAS*CO*253*2"),
    )
    assert accounts(claims(*SENT), answers(*reduced))[0] == []


def test_a_claim_without_lines_balances_at_its_own_level(accounts):
    body = (*PAID[:4], "CLP*A1*1*150*110*20*12*ICN1*11", "CAS*CO*45*20", "CAS*PR*2*20", PAID[-1])
    off, checks = accounts(claims(*SENT), answers(*body))
    assert off == []
    assert checks["claim_paid"]["n_checked"] == 1
    assert checks["claim_charge"]["n_checked"] == 0
    assert checks["sent_line_answered"]["n_checked"] == 0


def test_a_reversal_and_its_correction_balance_with_negative_amounts(accounts):
    body = (
        "BPR*I*30*C*ACH************20240301",
        *PAID[1:4],
        "CLP*A1*22*-150*-110**12*ICN1*11",
        "SVC*HC:97124*-100*-80**4",
        "CAS*CO*45*-10",
        "CAS*PR*2*-10",
        "SVC*HC:97140*-50*-30**2",
        "CAS*CO*45*-10",
        "CAS*PR*2*-10",
        "CLP*A1*1*150*140**12*ICN2",
        "SVC*HC:97124*100*95**4",
        "CAS*CO*45*5",
        "SVC*HC:97140*50*45**2",
        "CAS*CO*45*5",
    )
    off, checks = accounts(claims(*SENT), answers(*PAID), answers(*body))
    assert off == []
    assert checks["claim_paid"]["n_checked"] == 3


def test_a_secondary_answer_balances_with_what_the_first_insurer_did(accounts):
    body = (
        "BPR*I*20*C*ACH************20240301",
        "TRN*1*CHECK2*1999999999",
        "N1*PR*SECOND",
        "CLP*A1*2*150*20**12*ICN9",
        "CAS*OA*23*130",
    )
    off, _ = accounts(claims(*SENT), answers(*PAID), answers(*body))
    assert off == []


def test_a_claim_split_over_two_payments_is_one_charge(accounts):
    first = (*PAID[:4], "CLP*A1*1*100*80*10*12*ICN1*11", *PAID[6:10])
    second = (*PAID[:4], "CLP*A1*1*50*30*10*12*ICN2", *PAID[10:14])
    first = changed(first, (PAID[0], "BPR*I*80*C*ACH************20240201"))
    second = changed(second, (PAID[0], "BPR*I*30*C*ACH************20240215"))
    assert accounts(claims(*SENT), answers(*first), answers(*second))[0] == []


def test_a_deposit_that_cannot_be_read_is_unknown_and_not_zero(accounts):
    masked = changed(PAID, (PAID[0], "BPR*I*MASKED*C*ACH************20240201"))
    off, checks = accounts(claims(*SENT), answers(*masked))
    assert [row["check_name"] for row in off] == ["readable_values"]
    assert checks["deposit"] | {"check_name": ""} == {
        "check_name": "", "n_checked": 0, "n_holding": 0, "n_unknown": 1,
    }  # fmt: skip


def test_answers_to_months_whose_claims_were_never_given_are_no_fault(accounts):
    earlier = changed(
        PAID, ("DTM*232*20240110", "DTM*232*20220110"), (PAID[4], PAID[4].replace("A1", "B1"))
    )
    off, checks = accounts(claims(*SENT), answers(*earlier))
    assert off == []
    assert checks["answer_has_claim"]["n_checked"] == 0


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("SVC*HC:97124:GP*100*80**4", "SVC*HC:97124:59*100*80**4",
         ("answered_modifiers", "GP", "59")),
        ("SVC*HC:97124:GP*100*80**4", "SVC*HC:97124*100*80**4", None),
        ("CLP*A1*1*150*110*20*12*ICN1*11", "CLP*A1*4*150*110*20*12*ICN1*11",
         ("status_and_payment", "one thing", "denied, and paid")),
        ("BPR*I*95*C*ACH************20240201", "BPR*I*95*C*ACH************20240109",
         ("answered_in_time_order", "in order", "answered before the visit")),
        ("SV1*HC:97140*50*UN*2***1", "SV1*HC:97140*50*UN*0", ("sent_units", "some units", "none")),
        ("NM1*PR*2*KIND MUTUAL*****PI*00123", "NM1*PR*2*KIND MUTUAL",
         ("complete_segments", "22", "21")),
    ],
)  # fmt: skip
def test_an_answer_or_claim_that_contradicts_itself_is_marked(accounts, old, new, expected):
    sent, paid = ((changed(body, (old, new)) if old in body else body) for body in (SENT, PAID))
    off, _ = accounts(claims(*sent), answers(*paid))
    told = [(row["check_name"], row["expected"], row["found"]) for row in off]
    assert expected in told if expected else told == []


@pytest.mark.parametrize(
    ("segment", "found"),
    [
        ("DTP*439*D8*20240111", "an event after the visit"),
        ("DTP*439*D8*20230111", None),
    ],
)
def test_days_out_of_order_are_marked_and_the_claim_stays(accounts, segment, found):
    at = SENT.index("LX*1")
    off, checks = accounts(claims(*SENT[:at], segment, *SENT[at:]), answers(*PAID))
    assert [row["found"] for row in off] == ([found] if found else [])
    assert checks["sent_in_time_order"]["n_checked"] == 1

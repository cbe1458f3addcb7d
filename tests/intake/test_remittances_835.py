"""What an 835 says about a payment, the answers in it, their lines, adjustments and remarks."""

from datetime import date

import pyarrow as pa
import pytest

from analysis import tables
from analysis.intake import remittances_835
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import envelopes

PSEUDONYMS = Pseudonyms(b"k" * 32)
HEADER = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         "
    "*240201*1200*^*00501*000000001*0*P*:",
    "GS*HP*PAYER*CLINIC*20240201*1200*1*X*005010X221A1",
)
TRAILER = ("GE*1*1", "IEA*1*000000001")


def transaction(*body: str, bpr: str = "BPR*I*65.25*C*ACH************20240201") -> tuple[str, ...]:
    head = ("ST*835*0001", bpr, "TRN*1*CHECK1*1999999999", "N1*PR*KIND MUTUAL*XV*00456")
    return (*head, "REF*2U*00123", "N1*PE*HANDS CLINIC*XX*1234567893", "LX*1", *body, "SE*9*0001")


def read(*segments: str, name: str = "a.835") -> dict[str, pa.Table]:
    data = "".join(segment + "~" for segment in (*HEADER, *segments, *TRAILER)).encode()
    (interchange,) = envelopes.split(data)
    parsed = remittances_835.read(interchange, name, PSEUDONYMS)
    assert {row.disposition for row in parsed.ledger} == {"accepted"}
    for table, rows in parsed.tables.items():
        assert tables.problems(table, tables.conform(table, rows)) == []
    return parsed.tables


def rows(table: pa.Table, *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in table.select(names).to_pylist()]


ANSWER = (
    "CLP*A1*1*200.5*65.25*25*12*ICN1*11*7",
    "CAS*OA*23*10",
    "NM1*QC*1*ROE*ANN****MI*MEMBER1",
    "NM1*IL*1*ROE*BEN****MI*MEMBER2",
    "NM1*82*1*HAND*HELEN****XX*1222222223",
    "MIA*0****N30",
    "MOA***MA01*N793",
    "DTM*050*20240115",
    "SVC*HC:97124:GP:59*120.5*65.25**3*HC:97140*4",
    "DTM*472*20240110",
    "CAS*CO*45*20.25*1*59*5",
    "CAS*PR*2*20",
    "REF*6R*LINE1",
    "AMT*B6*85.25",
    "LQ*HE*N130",
    "LQ*RX*75",
    "SVC*HC:97010*80*0",
    "DTM*150*20240111",
    "DTM*151*20240112",
    "CAS*CO*97*80",
)


def test_an_answer_is_read_with_its_payment() -> None:
    found = read(*transaction(*ANSWER))
    (payment,), (answer,) = found["payments"].to_pylist(), found["remittances"].to_pylist()
    assert payment | {"payment_id": ""} == {
        "payment_id": "",
        "file_name": "a.835",
        "position": 1,
        "interchange": 1,
        "segment": 3,
        "payer_id": "00123",
        "payer_name": "KIND MUTUAL",
        "trace_number": "CHECK1",
        "payment_date": date(2024, 2, 1),
        "payment_method_code": "ACH",
        "deposit_cents": 6525,
    }
    assert answer | {"remittance_id": "", "patient_id": ""} == {
        "remittance_id": "",
        "payment_id": payment["payment_id"],
        "file_name": "a.835",
        "position": 1,
        "interchange": 1,
        "segment": 10,
        "patient_control_number": "A1",
        "claim_status_code": "1",
        "charge_cents": 20050,
        "paid_cents": 6525,
        "patient_responsibility_cents": 2500,
        "filing_indicator_code": "12",
        "payer_claim_control_number": "ICN1",
        "facility_code": "11",
        "source": "x12",
        "stated_determination": None,
        "claim_frequency_code": "7",
        "patient_id": "",
        "payer_id": "00123",
        "payer_name": "KIND MUTUAL",
        "trace_number": "CHECK1",
        "payment_date": date(2024, 2, 1),
        "received_date": date(2024, 1, 15),
        "service_date": date(2024, 1, 10),
        "service_to_date": date(2024, 1, 12),
        "rendering_provider_id": "1222222223",
    }
    assert answer["patient_id"] == PSEUDONYMS.of(pa.array(["MEMBER1"]))[0].as_py()


def test_lines_keep_modifiers_recodes_units_and_days() -> None:
    first, second = read(*transaction(*ANSWER))["remittance_lines"].to_pylist()
    assert (first["procedure_code"], first["modifiers"]) == ("97124", "GP:59")
    assert (first["submitted_procedure_code"], second["submitted_procedure_code"]) == (
        "97140",
        None,
    )
    assert (first["charge_cents"], first["paid_cents"], first["allowed_cents"]) == (
        12050,
        6525,
        8525,
    )
    assert (first["units"], first["submitted_units"]) == (3.0, 4.0)
    assert (first["line_control_number"], second["line_control_number"]) == ("LINE1", None)
    assert (first["service_date"], first["service_to_date"]) == (date(2024, 1, 10),) * 2
    assert (second["service_date"], second["service_to_date"]) == (
        date(2024, 1, 11),
        date(2024, 1, 12),
    )
    assert (second["line_number"], second["modifiers"], second["allowed_cents"]) == (2, "", None)


def test_each_adjustment_triplet_is_a_row_on_its_level() -> None:
    found = read(*transaction(*ANSWER))
    columns = ("level", "group_code", "reason_code", "amount_cents", "quantity")
    assert rows(found["adjustments"], *columns) == [
        ("claim", "OA", "23", 1000, None),
        ("line", "CO", "45", 2025, 1.0),
        ("line", "CO", "59", 500, None),
        ("line", "PR", "2", 2000, None),
        ("line", "CO", "97", 8000, None),
    ]
    first, second = found["remittance_lines"]["remittance_line_id"].to_pylist()
    lines = found["adjustments"]["remittance_line_id"].to_pylist()
    assert lines == [None, first, first, first, second]


def test_remarks_come_from_lines_and_from_the_claim() -> None:
    found = read(*transaction(*ANSWER))
    line, _ = found["remittance_lines"]["remittance_line_id"].to_pylist()
    assert set(rows(found["remarks"], "segment", "remark_code", "remittance_line_id")) == {
        ("LQ", "N130", line),
        ("MOA", "MA01", None),
        ("MOA", "N793", None),
        ("MIA", "N30", None),
    }


def test_money_outside_the_claims_is_kept_pair_by_pair() -> None:
    plb = "PLB*1234567893*20241231*WO:ICN0*30.5*L6*-1.25"
    found = read(*transaction(*ANSWER, plb))
    columns = ("reason_code", "reference_number", "amount_cents", "fiscal_date")
    assert rows(found["provider_adjustments"], *columns) == [
        ("WO", "ICN0", 3050, date(2024, 12, 31)),
        ("L6", None, -125, date(2024, 12, 31)),
    ]


def test_a_reversal_keeps_its_negative_amounts_and_a_debit_lowers_the_account() -> None:
    reversal = ("CLP*A1*22*-100*-60**12*ICN1", "SVC*HC:97124*-100*-60", "CAS*CO*45*-40")
    found = read(*transaction(*reversal, bpr="BPR*I*60*D*ACH************20240201"))
    assert rows(found["remittances"], "charge_cents", "paid_cents") == [(-10000, -6000)]
    assert found["adjustments"]["amount_cents"].to_pylist() == [-4000]
    assert found["payments"]["deposit_cents"].to_pylist() == [-6000]


def test_each_transaction_is_a_payment_with_its_own_claims() -> None:
    found = read(*transaction(*ANSWER), *transaction("CLP*B1*4*100*0"), *transaction())
    payments = found["payments"]["payment_id"].to_pylist()
    assert len(set(payments)) == 3
    assert found["remittances"]["payment_id"].to_pylist() == payments[:2]
    assert found["payments"]["position"].to_pylist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("missing", "payer"),
    [((), "00123"), (("REF*2U",), "00456"), (("REF*2U", "N1*PR"), "1999999999")],
)
def test_the_insurer_is_known_by_the_best_number_given(
    missing: tuple[str, ...], payer: str
) -> None:
    segments = [s for s in transaction(*ANSWER) if not s.startswith(("never", *missing))]
    assert read(*segments)["remittances"]["payer_id"].to_pylist() == [payer]


def test_the_subscriber_stands_in_where_the_patient_has_no_number() -> None:
    segments = (segment.removesuffix("****MI*MEMBER1") for segment in ANSWER)
    patient = read(*transaction(*segments))["remittances"]["patient_id"].to_pylist()
    assert patient == PSEUDONYMS.of(pa.array(["MEMBER2"])).to_pylist()


def test_names_and_member_ids_end_at_intake() -> None:
    text = "".join(str(table.to_pylist()) for table in read(*transaction(*ANSWER)).values())
    assert not any(secret in text for secret in ("ROE", "ANN", "BEN", "MEMBER1", "MEMBER2"))


def test_ids_depend_on_the_content_alone() -> None:
    one = read(*transaction(*ANSWER), name="a.835")
    other = read(*transaction(*ANSWER), name="b.835")
    for table, key in (("remittances", "remittance_id"), ("adjustments", "adjustment_id")):
        assert one[table][key] == other[table][key]


def test_version_4010_reads_alike() -> None:
    segments = [s.replace("005010X221A1", "004010X091A1") for s in transaction(*ANSWER)]
    assert read(*segments)["remittance_lines"]["paid_cents"].to_pylist() == [6525, 0]

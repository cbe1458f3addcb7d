"""What an 837P says about a claim, its patient, its plan and its lines."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from analysis import tables
from analysis.intake import claims_837p
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import envelopes

PSEUDONYMS = Pseudonyms(b"k" * 32)
HEADER = (
    "ISA*00*          *00*          *ZZ*CLINIC         *ZZ*PAYER          "
    "*240115*1200*^*00501*000000001*0*P*:",
    "GS*HC*CLINIC*PAYER*20240115*1200*1*X*005010X222A1",
    "ST*837*0001*005010X222A1",
    "BHT*0019*00*1*20240114*1200*CH",
    "HL*1**20*1",
    "NM1*85*2*HANDS CLINIC*****XX*1234567893",
    "REF*EI*999999999",
)
SUBSCRIBER = (
    "HL*2*1*22*1",
    "SBR*P**GROUP7*BIG EMPLOYER*****CI",
    "NM1*IL*1*ROE*ANN****MI*MEMBER1",
    "DMG*D8*19700101*F",
    "NM1*PR*2*KIND MUTUAL*****PI*00123",
)
TRAILER = ("SE*9*0001", "GE*1*1", "IEA*1*000000001")


def claim(number: str, *inside: str, charge: str = "100") -> tuple[str, ...]:
    return (
        f"CLM*{number}*{charge}***11:B:1*Y*A*Y*Y",
        *inside,
        "LX*1",
        f"SV1*HC:97124*{charge}*UN*4***1",
    )


def read(*body: str, name: str = "a.837") -> dict[str, pa.Table]:
    data = "".join(segment + "~" for segment in (*HEADER, *body, *TRAILER)).encode()
    (interchange,) = envelopes.split(data)
    parsed = claims_837p.read(interchange, name, PSEUDONYMS)
    assert {row.disposition for row in parsed.ledger} == {"accepted"}
    for table, rows in parsed.tables.items():
        assert tables.problems(table, tables.conform(table, rows)) == []
    return parsed.tables


def only(table: pa.Table) -> dict[str, Any]:
    (row,) = table.to_pylist()
    return row


def patient(member: str, suffix: str | None = None) -> str:
    return PSEUDONYMS.of(pa.array([member]), pa.array([suffix], pa.string()))[0].as_py()


def test_a_claim_is_read_with_its_references_dates_and_plan() -> None:
    found = read(
        *SUBSCRIBER,
        "CLM*A1*180.5***11:B:7*Y*A*Y*Y**AA:OA::WA",
        "DTP*431*D8*20231201",
        "DTP*439*D8*20231130",
        "DTP*454*D8*20231202",
        "PWK*OZ*EL",
        "PWK*B3*EL",
        "REF*F8*ICN1",
        "REF*G1*AUTH1",
        "REF*9F*REFERRAL1",
        "NTE*ADD*SECRET",
        "HI*ABK:M545*ABF:m5450",
        "HI*BG:17*ABF:F41.1",
        "NM1*DN*1*DOC*DAN****XX*1111111112",
        "NM1*82*1*HAND*HELEN****XX*1222222223",
        "LX*1",
        "SV1*HC:97124:GP:59*120.5*UN*3***1:2",
        "DTP*472*D8*20240110",
        "REF*6R*LINE1",
        "REF*G1*AUTH2",
        "LX*2",
        "SV1*HC:97140*60*UN*1.5***2",
        "DTP*472*RD8*20240111-20240112",
    )
    assert only(found["claims"]) | {"claim_version_id": "", "patient_id": ""} == {
        "claim_version_id": "",
        "file_name": "a.837",
        "position": 1,
        "interchange": 1,
        "segment": len(HEADER) + len(SUBSCRIBER) + 1,
        "set_reference": "1/0001",
        "submitted_date": date(2024, 1, 14),
        "patient_control_number": "A1",
        "source": "x12",
        "claim_frequency_code": "7",
        "original_reference_number": "ICN1",
        "patient_id": "",
        "payer_id": "00123",
        "payer_name": "KIND MUTUAL",
        "plan_id": "GROUP7",
        "plan_name": "BIG EMPLOYER",
        "payer_sequence_code": "P",
        "filing_indicator_code": "CI",
        "charge_cents": 18050,
        "facility_code": "11",
        "related_cause_codes": "AA:OA",
        "authorization_number": "AUTH1",
        "referral_number": "REFERRAL1",
        "referring_provider_id": "1111111112",
        "rendering_provider_id": "1222222223",
        "onset_date": date(2023, 12, 1),
        "accident_date": date(2023, 11, 30),
        "initial_treatment_date": date(2023, 12, 2),
        "attachment_codes": "OZ:B3",
        "has_note": True,
        "note_codes": "ADD",
        "other_payer_paid_cents": None,
        "service_date": date(2024, 1, 10),
        "service_to_date": date(2024, 1, 12),
    }
    first, second = found["service_lines"].to_pylist()
    assert (first["procedure_code"], first["modifiers"]) == ("97124", "GP:59")
    assert (first["charge_cents"], first["units"]) == (12050, 3.0)
    assert (first["diagnosis_pointers"], first["line_control_number"]) == ("1:2", "LINE1")
    assert first["authorization_number"] == "AUTH2"
    assert (second["line_number"], second["modifiers"], second["units"]) == (2, "", 1.5)
    assert second["service_to_date"] == date(2024, 1, 12)
    assert found["claim_diagnoses"]["diagnosis_code"].to_pylist() == ["M54.5", "M54.50", "F41.1"]
    assert found["claim_diagnoses"]["diagnosis_position"].to_pylist() == [1, 2, 3]


def test_subscribers_and_dependents_keep_to_their_own_claims() -> None:
    found = read(
        *SUBSCRIBER,
        *claim("ANN1"),
        "HL*3*2*23*0",
        "PAT*19",
        "NM1*QC*1*ROE*Ben",
        "DMG*D8*20100101*M",
        *claim("BEN1"),
        *claim("BEN2"),
        "HL*4*2*23*0",
        "PAT*19",
        "NM1*QC*1*ROE*CLEO",
        "DMG*D8*20120101*F",
        *claim("CLEO1"),
        "HL*5*1*22*0",
        "SBR*S*18*******MC",
        "NM1*IL*1*POE*DORA****MI*MEMBER2",
        "NM1*PR*2*OTHER PLAN*****PI*00456",
        *claim("DORA1"),
    )
    assert found["claims"]["patient_id"].to_pylist() == [
        patient("MEMBER1"),
        patient("MEMBER1", "BEN:20100101"),
        patient("MEMBER1", "BEN:20100101"),
        patient("MEMBER1", "CLEO:20120101"),
        patient("MEMBER2"),
    ]
    assert found["claims"]["payer_id"].to_pylist() == ["00123"] * 4 + ["00456"]
    assert found["claims"]["payer_sequence_code"].to_pylist() == ["P"] * 4 + ["S"]


def test_a_second_billing_provider_does_not_inherit_the_first_ones_patient() -> None:
    found = read(
        *SUBSCRIBER,
        *claim("A1"),
        "HL*3**20*1",
        "NM1*85*2*OTHER CLINIC*****XX*1987654328",
        *claim("A2"),
    )
    assert found["claims"]["patient_id"].to_pylist() == [patient("MEMBER1"), None]
    assert found["claims"]["rendering_provider_id"].to_pylist() == ["1234567893", "1987654328"]


def test_another_insurers_references_are_not_the_claims_own() -> None:
    found = read(
        *SUBSCRIBER,
        "CLM*A1*100***11:B:1",
        "SBR*S*18*******MC",
        "AMT*D*20.5",
        "OI***Y",
        "NM1*IL*1*ROE*ANN****MI*OTHER1",
        "NM1*PR*2*SECOND PLAN*****PI*00789",
        "REF*G1*THEIRS",
        "REF*F8*THEIRS",
        "SBR*T*18*******MC",
        "AMT*D*4.5",
        "LX*1",
        "SV1*HC:97124*100*UN*4",
        "REF*G1*LINES",
    )
    row = only(found["claims"])
    assert (row["authorization_number"], row["original_reference_number"]) == (None, None)
    assert (row["payer_id"], row["patient_id"]) == ("00123", patient("MEMBER1"))
    assert row["other_payer_paid_cents"] == 2500


def test_names_birth_dates_and_member_ids_end_at_intake() -> None:
    found = read(
        *SUBSCRIBER,
        "HL*3*2*23*0",
        "NM1*QC*1*SURNAME*FORENAME",
        "DMG*D8*20100203*M",
        *claim("A1", "NTE*ADD*SECRET"),
    )
    text = "".join(str(table.to_pylist()) for table in found.values())
    for secret in ("ROE", "ANN", "SURNAME", "FORENAME", "2010", "1970", "MEMBER1", "SECRET"):
        assert secret not in text


def test_ids_depend_on_the_content_alone() -> None:
    one = read(*SUBSCRIBER, *claim("A1"), name="a.837")
    other = read(*SUBSCRIBER, *claim("A1"), name="b.837")
    assert one["claims"]["claim_version_id"] == other["claims"]["claim_version_id"]
    assert one["service_lines"]["service_line_id"] == other["service_lines"]["service_line_id"]


@pytest.mark.parametrize("written", ["20240231", "2024011", "SECRET", "00000000", ""])
def test_a_day_that_does_not_exist_is_unknown(written: str) -> None:
    found = read(*SUBSCRIBER, *claim("A1", f"DTP*431*D8*{written}"))
    assert only(found["claims"])["onset_date"] is None


@pytest.mark.parametrize(
    ("bht", "gs", "expected"),
    [
        ("20240114", "20240115", date(2024, 1, 14)),
        ("", "20240115", date(2024, 1, 15)),
        ("", "", date(2024, 1, 16)),
    ],
)
def test_the_day_of_submission_falls_back_to_the_envelope(
    bht: str, gs: str, expected: date
) -> None:
    segments = [
        HEADER[0].replace("240115", "240116"),
        HEADER[1].replace("20240115", gs),
        HEADER[2],
        HEADER[3].replace("20240114", bht),
        *HEADER[4:],
        *SUBSCRIBER,
        *claim("A1"),
        *TRAILER,
    ]
    (interchange,) = envelopes.split("".join(segment + "~" for segment in segments).encode())
    parsed = claims_837p.read(interchange, "a.837", PSEUDONYMS)
    assert only(parsed.tables["claims"])["submitted_date"] == expected


def test_an_orderer_on_a_line_counts_as_referrer_and_a_line_without_lx_is_read() -> None:
    found = read(
        *SUBSCRIBER,
        "CLM*A1*100***11:B:1",
        "SV1*HC:97124*60*UN*2",
        "NM1*DK*1*DOC*DAN****XX*1333333334",
        "SV1*HC:97140*40*UN*1",
    )
    assert only(found["claims"])["referring_provider_id"] == "1333333334"
    assert found["service_lines"]["charge_cents"].to_pylist() == [6000, 4000]


def test_names_in_latin_1_do_not_stop_the_reading() -> None:
    data = "".join(s + "~" for s in (*HEADER, *SUBSCRIBER, *claim("A1"), *TRAILER))
    (interchange,) = envelopes.split(data.replace("KIND", "GÜTE").encode("latin-1"))
    parsed = claims_837p.read(interchange, "a.837", PSEUDONYMS)
    assert only(parsed.tables["claims"])["payer_name"] == "GÜTE MUTUAL"

"""A record whose money cannot be trusted is set aside, alone, with a sentence; odd ones pass."""

import pytest

from analysis.intake import claims_837p, remittances_835
from analysis.intake.parsed import Parsed
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import envelopes

ISA = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         "
    "*240201*1200*^*00501*000000001*0*P*:"
)
HEADER = (
    ISA,
    "GS*HP*PAYER*CLINIC*20240201*1200*1*X*005010X221A1",
    "ST*835*0001",
    "BPR*I*120*C*ACH************20240201",
    "TRN*1*CHECK1*1999999999",
    "N1*PR*KIND MUTUAL",
)
FIRST = ("CLP*A1*1*100*60*40*12*ICN1", "NM1*QC*1*ROE*ANN", "SVC*HC:97124*100*60", "CAS*PR*2*40")
SECOND = ("CLP*A2*1*100*60*40*12*ICN2", "SVC*HC:97124*100*60", "CAS*PR*2*40")
TRAILER = ("SE*11*0001", "GE*1*1", "IEA*1*000000001")


def read(*segments: str, name: str = "march.835") -> Parsed:
    (interchange,) = envelopes.split("~\n".join((*segments, "")).encode())
    reader = claims_837p if interchange.kind == "837P" else remittances_835
    return reader.read(interchange, name, Pseudonyms(b"k" * 32))


def told(parsed: Parsed) -> list[tuple[str, int, str]]:
    return [(row.record, row.position, row.disposition) for row in parsed.ledger]


def altered(old: str, new: str) -> Parsed:
    """A remittance file with two claims, one thing of it altered."""
    segments = (*HEADER, *FIRST, *SECOND, *TRAILER)
    assert any(old in segment for segment in segments)
    return read(*(segment.replace(old, new) for segment in segments))


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("CLP*A1*1*100*60", "CLP*A1*1*XXX*60", "segment 7: CLP03"),
        ("CLP*A1*1*100*60", "CLP*A1*1*100*", "segment 7: CLP04"),
        ("CLP*A1*1*100*60", "CLP*A1*1*100*1,60", "segment 7: CLP04"),
        ("CLP*A1*1*100*60", "CLP*A1*1*100*" + "9" * 30, "segment 7: CLP04"),
    ],
)
def test_a_claim_without_an_amount_is_set_aside_alone(old: str, new: str, where: str) -> None:
    parsed = altered(old, new)
    assert told(parsed) == [("CLP", 1, "quarantined"), ("CLP", 2, "accepted")]
    assert f"march.835, {where}" in str(parsed.ledger[0].reason)
    for name in ("remittances", "remittance_lines", "adjustments"):
        assert parsed.tables[name]["remittance_id"].unique().to_pylist() == [
            parsed.tables["remittances"]["remittance_id"][0].as_py()
        ]
    assert parsed.tables["remittances"]["patient_control_number"].to_pylist() == ["A2"]


@pytest.mark.parametrize(
    ("segment", "where"),
    [("SVC*HC:97124*100*MASKED", "segment 9: SVC03"), ("SVC*HC:97124", "segment 9: SVC02")],
)
def test_a_masked_line_sets_its_claim_aside(segment: str, where: str) -> None:
    parsed = read(*HEADER, *FIRST[:2], segment, *SECOND, *TRAILER)
    assert told(parsed) == [("CLP", 1, "quarantined"), ("CLP", 2, "accepted")]
    assert where in str(parsed.ledger[0].reason)


def test_a_masked_adjustment_sets_its_claim_aside() -> None:
    parsed = read(*HEADER, *FIRST[:3], "CAS*PR*1*40*1*2*SECRET", *SECOND, *TRAILER)
    assert told(parsed)[0] == ("CLP", 1, "quarantined")
    assert "segment 10" in str(parsed.ledger[0].reason)


def test_reasons_say_what_next_and_quote_nothing() -> None:
    parsed = altered("CLP*A1*1*100*60", "CLP*A1*1*100*ROE")
    reason = str(parsed.ledger[0].reason)
    assert "ask the clearinghouse" in reason
    assert not any(word in reason for word in ("ROE", "ANN", "A1", "ICN1"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SE*11*0001", "SE*99*7"),
        ("CLP*A1*1*100", "CLP**1*100"),
        ("CLP*A1*1*100*60", "CLP*A1*77*100*61"),
        ("20240201", "20240231"),
        ("NM1*QC*1*ROE*ANN", "NM9*QC*1*ROE*ANN"),
        ("N1*PR*KIND MUTUAL", "N7*PR"),
        ("TRN*1*CHECK1*1999999999", "PER*CX"),
    ],
)
def test_what_is_merely_odd_is_accepted(old: str, new: str) -> None:
    parsed = altered(old, new)
    assert told(parsed) == [("CLP", 1, "accepted"), ("CLP", 2, "accepted")]


def test_a_file_cut_off_loses_its_last_claim_only_and_says_so() -> None:
    parsed = read(*HEADER, *FIRST, *SECOND[:2])
    assert told(parsed) == [
        ("CLP", 1, "accepted"),
        ("CLP", 2, "quarantined"),
        ("interchange", 1, "quarantined"),
    ]
    assert "closing segments" in str(parsed.ledger[-1].reason)


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_missing_group_and_interchange_ends_are_no_cut(kept: int) -> None:
    parsed = read(*HEADER, *FIRST, *SECOND, *TRAILER[:kept])
    assert [row.disposition for row in parsed.ledger] == ["accepted", "accepted"]


def test_lines_of_a_lost_claim_do_not_pass_as_those_of_the_claim_before() -> None:
    parsed = altered("CLP*A2", "CLQ*A2")
    assert told(parsed) == [("CLP", 1, "quarantined")]
    assert "segment 11: cannot be read" in str(parsed.ledger[0].reason)


def test_lines_before_any_claim_are_noted() -> None:
    parsed = read(*HEADER, *FIRST[2:], *SECOND, *TRAILER)
    assert told(parsed) == [("CLP", 1, "accepted"), ("interchange", 1, "quarantined")]
    assert "service lines without a claim" in str(parsed.ledger[-1].reason)


def test_a_payment_without_amount_stays_with_its_claims_and_is_marked() -> None:
    parsed = altered("BPR*I*120", "BPR*I*MASKED")
    assert told(parsed)[:2] == [("CLP", 1, "accepted"), ("CLP", 2, "accepted")]
    assert "BPR02" in str(parsed.ledger[-1].reason)
    (payment,) = parsed.tables["payments"].to_pylist()
    assert payment["deposit_cents"] is None
    assert payment["trace_number"] == "CHECK1"


def test_a_claim_sent_without_an_amount_is_set_aside() -> None:
    parsed = read(
        ISA,
        "GS*HC*CLINIC*PAYER*20240115*1200*1*X*005010X222A1",
        "ST*837*0001*005010X222A1",
        "CLM*A1*MASKED***11:B:1",
        "SV1*HC:97124*100*UN*4",
        "CLM*A2*100***11:B:1",
        "SV1*HC:97124**UN*4",
        "CLM*A3*100***11:B:1",
        "SV1*HC:97124*100*UN*4",
        "SE*8*0001",
    )
    assert [row.disposition for row in parsed.ledger] == ["quarantined", "quarantined", "accepted"]
    assert "segment 4: CLM02" in str(parsed.ledger[0].reason)
    assert "segment 7: SV102" in str(parsed.ledger[1].reason)
    assert len(parsed.tables["service_lines"]) == 1


def test_an_interchange_without_claims_still_has_a_ledger_row() -> None:
    assert told(read(*HEADER, *TRAILER)) == [("interchange", 1, "accepted")]

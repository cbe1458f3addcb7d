"""A long interchange, read by transaction, gives the rows that it gives when it is read whole."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import tables
from analysis.config import Practice
from analysis.intake import folder
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import batches, envelopes, stretches

PSEUDONYMS = Pseudonyms(b"k" * 32)
ISA = (
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       "
    "*260310*1200*^*00501*000000001*0*P*:"
)


def remittance(number: int, n_claims: int = 2) -> list[str]:
    """A transaction of 835; one without a claim moves money in a PLB."""
    body = [
        f"BPR*I*{80 * n_claims}*C*ACH************20260310", f"TRN*1*T{number}*1999", "N1*PR*BLUE",
        "REF*2U*00123", "N1*PE*CLINIC*XX*1234567893", "LX*1",
    ]  # fmt: skip
    for claim in range(n_claims):
        body += [
            f"CLP*C{number}-{claim}*1*100*80*20*12*ICN{number}{claim}*11*1",
            "NM1*QC*1*PATIENT*N1****MI*M1", "SVC*HC:97124*100*80**2", "DTM*472*20260302",
            "CAS*CO*45*20", "LQ*HE*N130",
        ]  # fmt: skip
    body += [] if n_claims else ["PLB*1999*20261231*WO:ICN1*-5"]
    return [f"ST*835*{number:04}", *body, f"SE*{len(body) + 2}*{number:04}"]


def claims(number: int) -> list[str]:
    """A transaction of 837P with two patients."""
    body = [f"BHT*0019*00*{number}*20260303*1200*CH", "HL*1**20*1", "NM1*85*2*CLINIC*****XX*1"]
    for patient in (2, 3):
        body += [
            f"HL*{patient}*1*22*0", "SBR*P*18*G-5500*EMPLOYER*****BL",
            f"NM1*IL*1*PATIENT*N{patient}****MI*M{patient}", "NM1*PR*2*BLUE*****PI*00123",
            f"CLM*D{number}-{patient}*100***11:B:1*Y*A*Y*Y", "HI*ABK:M5450", "LX*1",
            "SV1*HC:97124*100*UN*2***1", "DTP*472*D8*20260302",
        ]  # fmt: skip
    return [
        f"ST*837*{number:04}*005010X222A1", *body, f"SE*{len(body) + 2}*{number:04}",
    ]  # fmt: skip


def group(number: int, kind: str, version: str, transactions: list[list[str]]) -> list[str]:
    inside = [segment for transaction in transactions for segment in transaction]
    end = f"GE*{len(transactions)}*{number}"
    return [f"GS*{kind}*S*R*20260310*1200*{number}*X*{version}", *inside, end]


def interchange(*groups: list[str]) -> list[str]:
    inside = [segment for one in groups for segment in one]
    return [ISA, *inside, f"IEA*{len(groups)}*000000001"]


ANSWERS = group(1, "HP", "005010X221A1", [remittance(n, n % 3) for n in range(1, 9)])
MORE_ANSWERS = group(2, "HP", "005010X221A1", [remittance(n, 1) for n in range(20, 23)])
CLAIMS = group(3, "HC", "005010X222A1", [claims(n) for n in range(1, 6)])
OTHER = group(4, "HB", "005010X279A1", [["ST*271*0001", "BHT*0022*11*1", "SE*3*0001"]])


def read(**files: bytes) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table that files give."""
    reading = folder._Reading(Practice(), PSEUDONYMS)
    for name, data in files.items():
        reading.take(folder.File(name, data))
    reading.read_waiting()
    return {name: tables.load(rows).to_pylist() for name, rows in reading.spool.sources().items()}


def in_stretches(
    patch: pytest.MonkeyPatch, stretch: int, block: int, waiting: int = 1, batch: int = 2_000
) -> None:
    """Every interchange is long, and cut as soon as a stretch has so many bytes.

    They are read once so many bytes are `waiting`, in batches of at most so many.
    """
    patch.setattr(folder, "_MOST_WAITING", waiting)
    patch.setattr(batches, "_MOST_BYTES", batch)
    patch.setattr(envelopes, "_BLOCK", 2_000)
    patch.setattr(stretches, "LONG", 1)
    patch.setattr(stretches, "_STRETCH", stretch)
    patch.setattr(stretches, "_BLOCK", block)


def test_each_stretch_holds_whole_transactions_under_their_own_header(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_stretches(monkeypatch, 900, 500)
    data = "~".join((*interchange(ANSWERS, MORE_ANSWERS), "")).encode()
    found = envelopes.split(data)
    assert len(found) == 4
    for one in found:
        assert one.data.startswith(ISA.encode() + b"~GS*HP*")
        assert one.data.count(b"~ST*") == one.data.count(b"~SE*") > 0
    assert {one.ordinal for one in found} == {1}
    assert len({one.digest for one in found}) == 1
    assert [one.n_groups for one in found] == [None] * (len(found) - 1) + [2]


def test_a_transaction_that_lost_its_st_still_counts_for_those_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Payments are named by the place of their transaction, however an earlier one begins."""
    segments = interchange(ANSWERS)
    segments.remove("ST*835*0002")
    data = "~".join((*segments, "")).encode()
    whole = read(file=data)
    in_stretches(monkeypatch, 900, 500)
    assert len(envelopes.split(data)) > 2
    assert read(file=data) == whole


@settings(max_examples=30)
@given(
    groups=st.sampled_from([
        (ANSWERS, MORE_ANSWERS), (CLAIMS,), (ANSWERS, CLAIMS, MORE_ANSWERS), (CLAIMS, OTHER),
        (OTHER, ANSWERS),
    ]),
    stretch=st.integers(200, 4_000),
    block=st.integers(320, 3_000),
    waiting=st.sampled_from([1, 5_000]),
    batch=st.integers(200, 4_000),
    end=st.sampled_from(["~", "~\n", "~\r\n", "\n", "\r\n", "|"]),
    dropped=st.none() | st.integers(20, 60),
    again=st.booleans(),
)  # fmt: skip
def test_the_same_rows_whether_an_interchange_is_read_whole_or_by_transaction(
    groups: tuple[list[str], ...],
    stretch: int,
    block: int,
    waiting: int,
    batch: int,
    end: str,
    dropped: int | None,
    again: bool,
) -> None:
    segments = interchange(*groups)
    if dropped is not None:
        # A lost segment: a count no longer agrees, a claim may be torn.
        del segments[dropped % (len(segments) - 10) + 5]
    data = "".join(segment + end for segment in segments).encode() * (1 + again)
    whole = read(file=data)
    with pytest.MonkeyPatch.context() as patch:
        in_stretches(patch, stretch, block, waiting, batch)
        parts = read(file=data)
    for name, rows in whole.items():
        assert parts[name] == rows, name


def test_a_copy_of_a_long_interchange_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    in_stretches(monkeypatch, 900, 500)
    data = "~".join((*interchange(ANSWERS), "")).encode()
    made = read(first=data, copy=data)
    assert len(made["remittances"]) == 9
    told = [row["disposition"] for row in made["row_ledger"]]
    assert told == ["accepted"] * 9 + ["duplicate"] * 9

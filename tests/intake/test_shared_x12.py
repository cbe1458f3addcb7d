"""Third-party X12 files, and damage done to them: nothing crashes and no claim goes missing.

Figures are held against a second opinion that shares no code: segments cut out with `split`.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import tables
from analysis.intake import acknowledgments, claims_837p, remittances_835
from analysis.intake.parsed import Parsed
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import envelopes

READERS = {
    "837P": claims_837p.read,
    "835": remittances_835.read,
    "277CA": acknowledgments.read,
    "999": acknowledgments.read,
}
DAMAGED = [
    ("claims837p/imsweb__x12-parser/x12_complex.txt", "CLM"),
    ("era835/CHS-CDS-AIML__edi-835-parser/emedny_sample.txt", "CLP"),
]
ODD_DELIMITERS = {
    "x12_valid_different_separators.txt": (b"~", b"_"),
    "835-example.txt": (b"|", b"~"),
    "sample_835.txt": (b"*", b"\n"),
    "sample837-original.edi": (b"*", b"\n"),
    "sample837-small.edi": (b"*", b"\n"),
}


def parts(data: bytes) -> Iterator[tuple[envelopes.Interchange, Parsed]]:
    """Each interchange with what was read; what is no claim or answer stays unread."""
    for interchange in envelopes.split(data):
        if interchange.kind in READERS:
            parsed = READERS[interchange.kind](interchange, "file", Pseudonyms(b"k" * 32))
        else:
            parsed = Parsed({}, [])
        for name, table in parsed.tables.items():
            conforming = tables.conform(name, table)
            keys = conforming.select(list(tables.declared(name).key))
            assert len(keys.group_by(keys.column_names).aggregate([])) == len(table)
            for field in conforming.schema:
                assert field.nullable or not conforming[field.name].null_count
        yield interchange, parsed


def segments(path: Path) -> list[list[str]]:
    """The second opinion."""
    element, end = ODD_DELIMITERS.get(path.name, (b"*", b"~"))
    found = path.read_bytes().split(end)
    return [[part.decode().strip() for part in segment.split(element)] for segment in found]


def remittance_files(shared_data: Path) -> list[Path]:
    x12 = shared_data / "x12"
    return sorted(x12.glob("era835/*/*")) + sorted(x12.glob("pairs837_835/*/*_835.edi"))


def claim_files(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "x12").glob("claims837p/*/*"))


def accounted(path: Path, record: str) -> Counter[str]:
    """How many records of a file were accepted and set aside, with positions checked."""
    ledger = [row for _, parsed in parts(path.read_bytes()) for row in parsed.ledger]
    found = [row for row in ledger if row.record == record]
    assert [row.position for row in found] == list(range(1, len(found) + 1))
    assert all(row.reason for row in ledger if row.disposition == "quarantined")
    return Counter(row.disposition for row in found)


def gathered(path: Path, name: str, column: str) -> int:
    values = [parsed.tables[name][column] for _, parsed in parts(path.read_bytes())]
    return sum(pc.sum(value).as_py() or 0 for value in values)


def test_every_remittance_is_accounted_for_and_most_are_read(shared_data: Path) -> None:
    total: Counter[str] = Counter()
    for path in remittance_files(shared_data):
        found = accounted(path, "CLP")
        assert found.total() == sum(segment[0] == "CLP" for segment in segments(path)), path.name
        total += found
    # One file has letters for amounts (2), one lacks the charge of a line (1).
    assert total == {"accepted": 26, "quarantined": 3}


def test_every_claim_is_accounted_for_and_all_are_read(shared_data: Path) -> None:
    n_files = 0
    for path in claim_files(shared_data):
        found = accounted(path, "CLM")
        assert found.total() == sum(segment[0] == "CLM" for segment in segments(path)), path.name
        n_files += found["accepted"] > 0 and not found["quarantined"]
    assert n_files == 48


def test_amounts_agree_with_the_second_opinion(shared_data: Path) -> None:
    for path in claim_files(shared_data):
        if not accounted(path, "CLM")["quarantined"]:
            sent = [segment for segment in segments(path) if segment[0] == "CLM"]
            expected = sum(Decimal(clm[2]) * 100 for clm in sent)
            assert gathered(path, "claims", "charge_cents") == expected, path.name
    for path in remittance_files(shared_data):
        if not accounted(path, "CLP")["quarantined"]:
            clp = [segment for segment in segments(path) if segment[0] == "CLP"]
            svc = [segment for segment in segments(path) if segment[0] == "SVC"]
            paid, lines = (
                sum(Decimal(s[at]) * 100 for s in kind) for at, kind in ((4, clp), (3, svc))
            )
            assert gathered(path, "remittances", "paid_cents") == paid, path.name
            assert gathered(path, "remittance_lines", "paid_cents") == lines, path.name


def test_every_line_of_a_claim_is_read(shared_data: Path) -> None:
    for path in claim_files(shared_data):
        if accounted(path, "CLM")["accepted"]:
            n_lines = sum(segment[0] == "SV1" for segment in segments(path))
            found = [parsed.tables["service_lines"] for _, parsed in parts(path.read_bytes())]
            assert pa.concat_tables(found).num_rows == n_lines, path.name


def test_acknowledgments_are_read(shared_data: Path) -> None:
    found = [
        row
        for path in sorted((shared_data / "x12").glob("acks277_999/*/*"))
        for _, parsed in parts(path.read_bytes())
        for row in parsed.tables.get("acknowledgments", pa.table({})).to_pylist()
    ]
    # Six 277CA and 999 sets; answers to status inquiries (277 X212) are none.
    assert Counter(row["transaction"] for row in found) == {"277CA": 2, "999": 6}


def surviving(data: bytes, record: bytes) -> int:
    return sum(segment.strip().startswith(record + b"*") for segment in data.split(b"~"))


def in_ledger(data: bytes, record: str) -> int:
    """Records that the ledger tells of; those of an unreadable interchange are told by its kind."""
    n_told = 0
    for interchange, parsed in parts(data):
        if interchange.kind == "other":
            n_told += envelopes.record_segments(interchange).count(record)
        n_told += sum(row.record == record for row in parsed.ledger)
    return n_told


@pytest.mark.parametrize(("file", "record"), DAMAGED)
@settings(max_examples=60)
@given(start=st.floats(0, 1), n_deleted=st.integers(0, 400), inserted=st.binary(max_size=3))
def test_damage_never_raises_and_never_loses_a_claim(
    shared_data: Path, file: str, record: str, start: float, n_deleted: int, inserted: bytes
) -> None:
    whole = (shared_data / "x12" / file).read_bytes()
    at = int(start * len(whole))
    damaged = whole[:at] + inserted + whole[at + n_deleted :]
    assert in_ledger(damaged, record) == surviving(damaged, record.encode())


@pytest.mark.parametrize(("file", "record"), DAMAGED)
@settings(max_examples=30)
@given(kept=st.floats(0, 1))
def test_a_truncated_file_loses_no_claim(
    shared_data: Path, file: str, record: str, kept: float
) -> None:
    whole = (shared_data / "x12" / file).read_bytes()
    cut = whole[: int(kept * len(whole))]
    assert in_ledger(cut, record) >= surviving(cut, record.encode())


@settings(max_examples=100)
@given(data=st.binary(max_size=300))
def test_bytes_at_random_never_raise(data: bytes) -> None:
    assert sum(1 for _ in parts(data)) <= 300
    assert all(parsed is not None for _, parsed in parts(b"ISA*" + data + b"~ST*835*1~CLP*"))

"""Interchanges read together say exactly what each says by itself, damaged ones among them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import tables
from analysis.intake import claims_837p, remittances_835
from analysis.intake.parsed import Parsed
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import envelopes
from analysis.intake.x12.batches import Batch, batched

READERS = {"837P": claims_837p, "835": remittances_835}
PSEUDONYMS = Pseudonyms(b"k" * 32)
ISA = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*00501"


def sent(files: dict[str, bytes]) -> list[tuple[envelopes.Interchange, str]]:
    """The interchanges that are read, with their files' names."""
    found = ((one, name) for name, data in files.items() for one in envelopes.split(data))
    return [(one, name) for one, name in found if one.kind in READERS]


def assert_together_is_as_alone(files: dict[str, bytes]) -> int:
    """Reads in batches and one by one; the size of the largest batch."""
    all_of_them = sent(files)
    together: dict[int, Parsed] = {}
    largest = 0
    for places, batch in batched(all_of_them):
        reader = READERS[batch.interchanges[0].kind]
        read = reader.read_batch(batch, PSEUDONYMS)
        together |= dict(zip(places, read, strict=True))
        largest = max(largest, len(places))
    assert sorted(together) == list(range(len(all_of_them)))
    for place, (interchange, name) in enumerate(all_of_them):
        # Its segments looked for anew.
        alone = READERS[interchange.kind].read(interchange._replace(cut=None), name, PSEUDONYMS)
        assert together[place].ledger == alone.ledger
        assert set(together[place].tables) == set(alone.tables)
        for table, rows in alone.tables.items():
            got, expected = together[place].tables[table], rows
            assert tables.conform(table, got).equals(tables.conform(table, expected)), table
    return largest


def test_files_of_others(shared_data: Path) -> None:
    paths = sorted(path for path in (shared_data / "x12").rglob("*") if path.is_file())
    files = {path.name + str(place): path.read_bytes() for place, path in enumerate(paths)}
    assert assert_together_is_as_alone(files) > 20


def remit(control: str, *, claims: int = 2) -> bytes:
    body = "".join(
        f"CLP*{control}{n}*1*100*60*40*12*ICN{n}~CAS*CO*45*10~NM1*QC*1*ROE*ANN****MI*M{n}~"
        "MOA***N1*N2~SVC*HC:97124*100*60**2~DTM*472*20260110~CAS*CO*45*40~LQ*HE*N130~"
        for n in range(claims)
    )
    return (
        f"{ISA}*{control}*0*P*:~GS*HP*A*B*20260301*1200*1*X*005010X221A1~ST*835*0001~"
        f"BPR*I*120*C*ACH************20260301~TRN*1*T{control}*1999999999~N1*PR*KIND MUTUAL~LX*1~"
        f"{body}PLB*1234567893*20261231*WO:R1*-5~SE*9*0001~GE*1*1~IEA*1*{control}~"
    ).encode()


@given(data=st.data())
@settings(max_examples=60)
def test_a_damaged_one_does_not_touch_its_neighbours(data: st.DataObject) -> None:
    whole = remit("000000002")
    start = data.draw(st.integers(0, len(whole)), label="cut from")
    end = data.draw(st.integers(start, len(whole)), label="cut to")
    files = {
        "a.835": remit("000000001"),
        "b.835": whole[:start] + whole[end:],
        "c.835": remit("000000003") + remit("000000004", claims=0),
    }
    assert_together_is_as_alone(files)


def test_one_without_an_isa_is_read_alone() -> None:
    headless = remit("000000002").partition(b"~")[2]
    files = {"a.835": remit("000000001"), "b.835": headless, "c.835": remit("000000003")}
    assert sorted(places for places, _ in batched(sent(files))) == [[0, 2], [1]]
    assert_together_is_as_alone(files)


@pytest.mark.parametrize("n_files", [1, 7])
def test_a_part_knows_its_own_segments(n_files: int) -> None:
    all_of_them = sent({f"{n}.835": remit(f"{n:09}") for n in range(n_files)})
    batch = Batch(*map(tuple, zip(*all_of_them, strict=True)))
    n_segments = [one.data.count(b"~") for one, _ in all_of_them]
    assert batch.places(batch.first_segments[1:] - 1).tolist() == n_segments

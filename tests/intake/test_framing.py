"""The checks of whole columns say what walking from segment to segment says, faults included."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.intake.x12 import counts, envelopes, framing, reading
from analysis.intake.x12.batches import batched

RECORD_LOOPS = {"835": "2100", "837P": "2300"}
ISA = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*00501"
CLAIMS = (
    f"{ISA}*000000007*0*P*:~GS*HC*A*B*20260301*1200*5*X*005010X222A1~ST*837*0001*005010X222A1~"
    "BHT*0019*00*1*20260301*1200*CH~HL*1**20*1~NM1*85*2*CLINIC*****XX*1234567893~HL*2*1*22*1~"
    "SBR*P*18*******CI~NM1*PR*2*KIND MUTUAL*****PI*00123~HL*3*2*23*0~PAT*19~"
    "CLM*A1*100***11:B:1*Y*A*Y*Y~HI*ABK:M545~LX*1~SV1*HC:97124*100*UN*4***1~"
    "DTP*472*D8*20260110~HL*4*1*22*0~CLM*A2*100***11:B:1*Y*A*Y*Y~SE*17*0001~ST*837*0002~"
    "BHT*0019*00*1*20260301*1200*CH~HL*5**20*1~HL*6*5*22*0~SE*5*0002~GE*2*5~IEA*1*000000007~"
)
ANSWERS = (
    f"{ISA}*000000008*0*P*:~GS*HP*A*B*20260301*1200*1*X*005010X221A1~ST*835*0001~"
    "BPR*I*60*C*ACH************20260301~TRN*1*T1*1999999999~N1*PR*KIND MUTUAL~LX*1~"
    "CLP*A1*1*100*60*40*12*ICN~CAS*CO*45*40~NM1*QC*1*ROE*ANN****MI*M1~SVC*HC:97124*100*60**2~"
    "DTM*472*20260110~CAS*CO*45*40~LQ*HE*N130~SE*13*0001~ST*835*0002~BPR*H*0*C*NON~SE*3*0002~"
    "GE*2*1~GS*HP*A*B*20260301*1200*2*X*005010X221A1~ST*835*3~SE*2*3~GE*1*2~IEA*2*000000008~"
)
OTHER_KIND = "GS*HN*A*B*20260301*1200*6*X*005010X212~ST*277*1~SE*2*1~GE*1*6~"
# What takes the place of an element: nothing, blanks, signs beyond plain ones, numbers that are
# none, and those that stand elsewhere.
ELEMENTS = ("", " 1", "0001", "\xa01", "\x1f", "Ä", "-1", "1.0", "9" * 12, "PR", "0", "1", "2", "3")


def assert_columns_say_what_walking_says(data: bytes) -> None:
    sent = [(one, "a") for one in envelopes.split(data) if one.kind in RECORD_LOOPS]
    for _, batch in batched(sent):
        kind = batch.interchanges[0].kind
        read = reading.read(batch, kind.lower(), RECORD_LOOPS[kind])
        checks = framing.of_batch(read)
        for part in range(len(batch.interchanges)):
            table = checks.between(part, part + 1)
            interchange = batch.interchanges[part]
            names = ("check_name", "segment", "n_expected", "n_found", "is_holding")
            walked = counts.checks(interchange, read.understood(part))
            assert table.select(names).to_pylist() == [
                {name: check.get(name) for name in names} for check in walked
            ]
            prefix = interchange.digest[:16]
            expected = [f"{prefix}-{place}" for place in range(1, len(walked) + 1)]
            assert table["file_check_id"].to_pylist() == expected


def test_whole_ones_hold() -> None:
    for text in (CLAIMS, ANSWERS):
        (sent,) = envelopes.split(text.encode())
        assert [check for check in counts.checks(sent) if not check["is_holding"]] == []
        assert_columns_say_what_walking_says((text + ANSWERS + CLAIMS).encode())


def test_files_of_others(shared_data: Path) -> None:
    for path in sorted((shared_data / "x12").rglob("*")):
        if path.is_file():
            assert_columns_say_what_walking_says(path.read_bytes())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Two interchanges, a few of whose segments are lost, doubled, moved, cut or rewritten."""
    text = draw(st.sampled_from([CLAIMS + ANSWERS, ANSWERS + ANSWERS, CLAIMS + CLAIMS]))
    if draw(st.booleans()):
        text = text.replace("IEA", f"{OTHER_KIND}IEA", 1)
    segments = text.split("~")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(segments) - 1))
        match draw(st.sampled_from(["lose", "double", "move", "cut", "rewrite", "open"])):
            case "lose":
                del segments[at]
            case "double":
                segments.insert(at, segments[at])
            case "move":
                segments.insert(draw(st.integers(0, len(segments) - 1)), segments.pop(at))
            case "cut":
                segments[at] = segments[at][: draw(st.integers(0, len(segments[at])))]
            case "open":
                segments[at] = draw(st.sampled_from(["HL*1", "ST", "SE*1*1", "GS*HP", "IEA"]))
            case _:
                elements = segments[at].split("*")
                elements[draw(st.integers(0, len(elements) - 1))] = draw(st.sampled_from(ELEMENTS))
                segments[at] = "*".join(elements)
        segments = segments or [""]
    return "~".join(segments).encode(draw(st.sampled_from(["utf-8", "latin-1"])))


@given(data=damaged())
@settings(max_examples=150)
def test_damaged_ones(data: bytes) -> None:
    assert_columns_say_what_walking_says(data)

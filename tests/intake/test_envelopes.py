"""A file is split into interchanges whatever its line ends, delimiters and missing headers."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.intake.x12 import envelopes, forms

ISA = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         "
    "*240201*1200*^*00501*000000001*0*P*:"
)
REMITTANCE = (
    "GS*HP*PAYER*CLINIC*20240201*1200*1*X*005010X221A1",
    "ST*835*0001",
    "BPR*I*60*C*ACH************20240201",
    "CLP*A1*1*100*60**12*ICN1",
    "SVC*HC:97124*100*60",
    "SE*5*0001",
    "GE*1*1",
    "IEA*1*000000001",
)
CLAIM = (
    "GS*HC*CLINIC*PAYER*20240115*1200*1*X*005010X222A1",
    "ST*837*0001*005010X222A1",
    "BHT*0019*00*1*20240115*1200*CH",
    "CLM*A1*100***11:B:1",
    "LX*1",
    "SV1*HC:97124*100*UN*4",
    "SE*6*0001",
    "GE*1*1",
    "IEA*1*000000001",
)


def file_of(*segments: str, end: str = "~") -> bytes:
    return "".join(segment + end for segment in segments).encode()


PLAIN = file_of(ISA, *REMITTANCE)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + PLAIN,
        b"\r\n\r\n" + PLAIN + b"\r\n\r\n",
        file_of(ISA, *REMITTANCE, end="~\r\n"),
        file_of(ISA, *REMITTANCE, end="\n~"),
        b"\r\n".join(PLAIN[at : at + 80] for at in range(0, len(PLAIN), 80)),
    ],
    ids=["byte order mark", "blank lines", "CRLF", "line end before", "broken at 80"],
)
def test_the_same_content_is_the_same_interchange_whatever_its_line_ends(data: bytes) -> None:
    (plain,) = envelopes.split(PLAIN)
    (found,) = envelopes.split(data)
    assert (found.kind, found.digest) == ("835", plain.digest)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_can_be_the_terminator(end: str) -> None:
    (found,) = envelopes.split(file_of(ISA, *REMITTANCE, end=end))
    assert found.delimiters == (b"*", b":", b"\n")
    assert envelopes.record_segments(found) == ["CLP"]


@pytest.mark.parametrize("sender", ["PAYER", "PAYER" + " " * 11, ""])
def test_an_isa_of_odd_length_is_read_by_its_elements(sender: str) -> None:
    data = PLAIN.replace(b"PAYER          *ZZ", sender.encode() + b"*ZZ", 1)
    (found,) = envelopes.split(data)
    assert found.kind == "835"
    assert found.delimiters == (b"*", b":", b"~")


@pytest.mark.parametrize("n_missing", [0, 1])
def test_a_file_without_isa_or_group_is_read_from_what_there_is(n_missing: int) -> None:
    (found,) = envelopes.split(file_of(*REMITTANCE[n_missing:]))
    assert found.kind == "835"
    assert envelopes.record_segments(found) == ["CLP"]


def test_each_interchange_has_its_own_delimiters_and_counts_on() -> None:
    other = PLAIN.decode().translate(str.maketrans("*:~", "|>!")).encode()
    first, second = envelopes.split(PLAIN + b"\n" + other)
    assert second.delimiters == (b"|", b">", b"!")
    assert [first.ordinal, second.ordinal] == [1, 2]
    assert [first.first_position, second.first_position] == [1, 2]


def test_a_patient_called_isa_starts_no_interchange() -> None:
    names = ["NM1*QC*1*ISA*ISA*" + "*".join("ABCDEFGHIJKLMNOP")]
    (found,) = envelopes.split(file_of(ISA, *REMITTANCE[:4], *names, *REMITTANCE[4:]))
    assert found.kind == "835"


def test_groups_of_two_kinds_in_one_interchange_are_told_apart() -> None:
    data = file_of(ISA, *CLAIM[:-1], *REMITTANCE)
    claims, remittances = envelopes.split(data)
    assert [claims.kind, remittances.kind] == ["837P", "835"]
    assert remittances.data.startswith(b"ISA*")
    assert [claims.first_position, remittances.first_position] == [1, 2]


@pytest.mark.parametrize(
    ("version", "line", "word"),
    [
        ("005010X223A2", "SV2", "institutional"),
        ("005010X224A2", "SV3", "dental"),
        ("005010", "SV2", "institutional"),
    ],
)
def test_claims_that_are_not_professional_are_set_aside(version: str, line: str, word: str) -> None:
    data = (
        file_of(ISA, *CLAIM)
        .replace(b"005010X222A1", version.encode())
        .replace(b"SV1", line.encode())
    )
    (found,) = envelopes.split(data)
    assert found.kind == "other"
    assert word in str(found.problem)
    assert envelopes.record_segments(found) == ["CLM"]


def test_components_are_parted_as_the_service_lines_do_it() -> None:
    (found,) = envelopes.split(PLAIN.replace(b"HC:97124", b"HC>97124"))
    assert found.delimiters.component == b">"


def test_other_content_says_what_it_is() -> None:
    data = file_of(ISA, "GS*HB*A*B*20240101*1200*1*X*005010X279A1", "ST*271*0001", "SE*2*0001")
    (found,) = envelopes.split(data)
    assert found.kind == "other"
    assert "271" in str(found.problem)


@pytest.mark.parametrize("data", [b"", b" \r\n", b"\xef\xbb\xbf"])
def test_nothing_is_no_interchange(data: bytes) -> None:
    assert envelopes.split(data) == []


NOTE = "NTE*ADD*GS"
# What senders make of segments and of the ends between them, and what damage does to both.
ODD = ["NTE*ADD*GS", "", " ", "GS", "CLP", "GS*HP", "ST*271*1", "SV2*0420*HC:97124"]
SEGMENTS = st.sampled_from([*REMITTANCE, *CLAIM, *ODD])
ENDS = st.sampled_from([*["~"] * 12, "~\r\n", "~\n", "\n~", "~~", "~ ", "~\t", ""])
PIECES = st.lists(st.tuples(SEGMENTS, ENDS), max_size=12).map(
    lambda found: f"{ISA}~{''.join(map(''.join, found))}".strip().encode()
)


@example([PLAIN + b"CLP"])
@given(st.lists(PIECES, min_size=1, max_size=5))
def test_interchanges_told_apart_together_are_what_each_is_by_itself(odd: list[bytes]) -> None:
    pieces = [PLAIN, *odd, PLAIN]
    delimiters = forms.delimiters(PLAIN)
    by_itself = [one for piece in pieces for one in envelopes._of_piece(piece, delimiters)]
    together = list(envelopes._of_pieces(pieces, delimiters))
    assert [found._replace(cut=None) for found in together] == by_itself

"""What an interchange says of itself is held against what is in it; faults are marked."""

import pytest

from analysis.intake.x12 import counts, envelopes

ISA = (
    "ISA*00*          *00*          *ZZ*CLINIC         *ZZ*PAYER          "
    "*240201*1200*^*00501*000000007*0*P*:"
)
GS = "GS*HC*CLINIC*PAYER*20240201*1200*5*X*005010X222A1"
TRANSACTION = (
    "ST*837*0001*005010X222A1",
    "BHT*0019*00*1*20240201*1200*CH",
    "HL*1**20*1",
    "HL*2*1*22*1",
    "HL*3*2*23*0",
    "CLM*A1*100***11:B:1*Y*A*Y*Y",
    "HL*4*1*22*0",
    "CLM*A2*100***11:B:1*Y*A*Y*Y",
    "SE*9*0001",
)
WHOLE = (ISA, GS, *TRANSACTION, "GE*1*5", "IEA*1*000000007")


def failing(*segments: str) -> list[tuple[str, int, int | None, int | None]]:
    """(check, segment, expected, found) of every check that does not hold."""
    found = []
    for interchange in envelopes.split("~".join((*segments, "")).encode()):
        for row in counts.file_checks(interchange, "a.837").to_pylist():
            if not row["is_holding"]:
                found.append((row["check_name"], row["segment"], row["n_expected"], row["n_found"]))
    return found


def altered(old: str, new: str) -> list[tuple[str, int, int | None, int | None]]:
    assert sum(old == segment for segment in WHOLE) == 1
    return failing(*(new if old == segment else segment for segment in WHOLE))


def without(name: str) -> list[tuple[str, int, int | None, int | None]]:
    return failing(*(segment for segment in WHOLE if segment.split("*")[0] != name))


def test_a_whole_interchange_passes() -> None:
    assert failing(*WHOLE) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("SE*9*0001", "SE*10*0001", ("transaction_segments", 11, 10, 9)),
        ("SE*9*0001", "SE*NINE*0001", ("transaction_segments", 11, None, 9)),
        ("SE*9*0001", "SE*9*0002", ("transaction_number", 11, None, None)),
        ("GE*1*5", "GE*2*5", ("group_transactions", 12, 2, 1)),
        ("GE*1*5", "GE*1*6", ("group_number", 12, None, None)),
        ("GE*1*5", "GE*1", ("group_number", 12, None, None)),
        ("IEA*1*000000007", "IEA*3*000000007", ("interchange_groups", 13, 3, 1)),
        ("IEA*1*000000007", "IEA*1*000000070", ("interchange_number", 13, None, None)),
        ("HL*2*1*22*1", "HL*2*1*22*0", ("level_numbers", 6, 4, 3)),
        ("HL*4*1*22*0", "HL*4*1*22*1", ("level_numbers", 9, 4, 3)),
        ("HL*4*1*22*0", "HL*4*9*22*0", ("level_numbers", 9, 4, 3)),
        ("HL*4*1*22*0", "HL*5*1*22*0", ("level_numbers", 9, 4, 3)),
        ("HL*4*1*22*0", "HL*X*1*22*0", ("level_numbers", 9, 4, 3)),
        ("CLM*A2*100***11:B:1*Y*A*Y*Y", "CLM*A2*100", ("complete_segments", 10, 13, 12)),
    ],
)
def test_a_count_or_number_that_does_not_agree_is_told_with_its_place(
    old: str, new: str, expected: tuple[str, int, int | None, int | None]
) -> None:
    assert altered(old, new) == [expected]


@pytest.mark.parametrize("name", ["ISA", "GS", "ST", "SE", "GE", "IEA"])
def test_an_envelope_without_its_beginning_or_end_does_not_pass(name: str) -> None:
    assert without(name)


@pytest.mark.parametrize("place", range(3, 10))
def test_a_segment_that_is_missing_or_comes_twice_changes_the_count(place: int) -> None:
    lost = failing(*WHOLE[:place], *WHOLE[place + 1 :])
    assert ("transaction_segments", 10, 9, 8) in lost
    twice = failing(*WHOLE[: place + 1], *WHOLE[place:])
    assert ("transaction_segments", 12, 9, 10) in twice


def test_zeros_in_front_of_a_number_and_counting_on_do_not_matter() -> None:
    assert altered("IEA*1*000000007", "IEA*1*7") == []
    again = [
        segment.replace("HL*1**", "HL*5**")
        .replace("HL*2*1", "HL*6*5")
        .replace("HL*3*2", "HL*7*6")
        .replace("HL*4*1", "HL*8*5")
        for segment in TRANSACTION
    ]
    assert failing(ISA, GS, *TRANSACTION, *again, "GE*2*5", "IEA*1*000000007") == []


def test_groups_of_another_kind_count_in_their_interchange() -> None:
    other = ("GS*HN*A*B*20240201*1200*6*X*005010X212", "ST*277*1", "SE*2*1", "GE*1*6")
    assert failing(*WHOLE[:-1], *other, "IEA*2*000000007") == []
    assert failing(ISA, *other, *WHOLE[1:-1], "IEA*3*000000007") == [
        ("interchange_groups", 13, 3, 2)
    ]


def test_blank_lines_between_segments_count_for_nothing() -> None:
    assert failing(*WHOLE[:4], "", "\n", *WHOLE[4:]) == []

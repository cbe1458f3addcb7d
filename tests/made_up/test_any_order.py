"""The same interchanges in any order, in any files, met any number of times: the same answers.

And nothing is lost on the way: the ledgers hold every record and every cent that a bare split of
the files finds, damaged ones among them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analysis.schemas import BALANCES
from intake.lines import assert_named_for_their_places
from synthetic import bare_split
from tools import mutations

_OUTCOMES = ("claim_outcomes", "line_outcomes", "line_lineage", "provider_adjustment_lineage")
_BALANCES = ("imbalances", "checks", "unmapped_codes")
# Where a record stands differs with the files, and who it is with what else its interchange holds.
_WHERE = {"file_name", "interchange", "position", "file_hash", "reason", "duplicate_of"}

# An example takes seconds, so what fails is told as it stands, not shrunk for minutes.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

Files = dict[str, list[str]]
Tables = dict[str, pa.Table]


# ---- histories, and ways to lay them down -------------------------------------------------


def _on_segment(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    """A damage done to the first segment of that name; files without one stay whole."""

    def damage(text: str) -> str:
        element, end = text[3], text[105]
        parts = text.split(end)
        at = next((n for n, p in enumerate(parts) if p.strip().split(element)[0] == name), None)
        if at is None:
            return text
        changed = element.join(change(parts[at].split(element)))
        return end.join([*parts[:at], *([changed] if changed else []), *parts[at + 1 :]])

    return damage


_DAMAGES: tuple[Callable[[str], str], ...] = (
    _on_segment("CLP", lambda clp: [*clp[:4], "7.77", *clp[5:]]),
    _on_segment("CLP", lambda clp: [*clp[:3], "MASKED", *clp[4:]]),
    _on_segment("SVC", lambda svc: [*svc[:3], "", *svc[4:]]),
    _on_segment("CAS", lambda _: []),
    _on_segment("CLM", lambda clm: [*clm[:2], "1.23", *clm[3:]]),
    _on_segment("SV1", lambda _: []),
    lambda text: text[: int(len(text) * 0.7)],
)


@st.composite
def _practices(draw: st.DrawFn) -> list[str]:
    """Interchanges of generated histories, a few of them damaged."""
    interchanges = list(mutations.interchanges(40, draw(st.integers(1, 4))))
    for damage in draw(st.lists(st.sampled_from(_DAMAGES), max_size=4)):
        at = draw(st.integers(0, len(interchanges) - 1))
        interchanges[at] = damage(interchanges[at])
    return list(dict.fromkeys(interchanges))


def _apart(text: str) -> list[str]:
    """An interchange of claims as one interchange for each subscriber; others as they are."""
    element, end = text[3], text[105]
    whole = [part.strip("\n") for part in text.split(end) if part.strip("\n")]
    names = [part.split(element)[0] for part in whole]
    if names[-3:] != ["SE", "GE", "IEA"] or whole[2].split(element)[1] != "837":
        return [text]
    starts = [n for n, part in enumerate(whole) if part.split(element)[3:4] == ["22"]]
    made = []
    for start, stop in zip(starts, [*starts[1:], len(whole) - 3], strict=True):
        hung = [_renumbered(part, element) for part in whole[start:stop]]
        se = element.join(["SE", str(starts[0] - 2 + len(hung) + 1), *whole[-3].split(element)[2:]])
        made.append(end.join([*whole[: starts[0]], *hung, se, *whole[-2:], ""]))
    return made


def _renumbered(part: str, element: str) -> str:
    """The levels of a subscriber and his dependents, numbered as the first of the file."""
    name, *rest = part.split(element)
    if name != "HL":
        return part
    return element.join([name, *(("2", "1") if rest[2] == "22" else ("3", "2")), *rest[2:]])


def _in_files(interchanges: Sequence[str], n_each: int) -> Files:
    starts = range(0, len(interchanges), n_each)
    return {f"{n:04}.txt": list(interchanges[n : n + n_each]) for n in starts}


def _determine(files: Files) -> Tables:
    return mutations.determined({name: "\n".join(texts) for name, texts in files.items()})


# ---- what must be the same ----------------------------------------------------------------


def _told(table: pa.Table, *, with_ids: bool = True) -> Counter[tuple[Any, ...]]:
    """The rows of a table without the place where they stood."""
    names = [
        name
        for name in table.column_names
        if name not in _WHERE and (with_ids or not name.endswith(("_id", "segment")))
    ]
    return Counter(tuple(row.values()) for row in table.select(names).to_pylist())


def _accepted(ledger: pa.Table) -> Counter[tuple[Any, ...]]:
    """The rows of the ledger that are no repeats."""
    told = _told(ledger)
    names = [name for name in ledger.column_names if name not in _WHERE]
    at = names.index("disposition")
    return Counter({row: n for row, n in told.items() if row[at] != "duplicate"})


def _assert_same(made: Tables, expected: Tables) -> None:
    for name in _OUTCOMES:
        assert made[name].equals(expected[name]), name
    for name in _BALANCES:
        assert _told(made[name]) == _told(expected[name]), name
    # Whole interchanges are counted by their place in the file, so only records are compared.
    assert _accepted(made["row_ledger"]) == _accepted(expected["row_ledger"])


def _assert_any_arrangement(interchanges: list[str], data: st.DataObject) -> None:
    expected = _determine(_in_files(interchanges, 1))
    shuffled = data.draw(st.permutations(interchanges))
    again = data.draw(st.lists(st.sampled_from(interchanges), max_size=3))
    files = _in_files([*shuffled, *again], data.draw(st.integers(1, 7)))
    made = _determine(files)
    _assert_same(made, expected)
    _assert_accounted(made, files)
    _assert_placed(made)

    # Every file once more, under a name that sorts before or after it.
    copies = {f"{data.draw(st.sampled_from('0z'))}copy of {n}": files[n] for n in files}
    _assert_same(_determine(files | copies), expected)

    apart = [part for text in shuffled for part in _apart(text)]
    made = _determine(_in_files(apart, data.draw(st.integers(1, 7))))
    for name in _OUTCOMES:
        same = _told(made[name], with_ids=False) == _told(expected[name], with_ids=False)
        assert same, name
    assert _by_check(made) == _by_check(expected)


def _by_check(made: Tables) -> dict[str, tuple[int, int]]:
    """How often each check of money and likeness was made and passed; envelopes are others."""
    rows = made["checks"].to_pylist()
    return {
        r["check_name"]: (r["n_checked"], r["n_holding"])
        for r in rows
        if r["check_name"] in BALANCES
    }


@settings(max_examples=3, suppress_health_check=list(HealthCheck), phases=_PHASES)
@given(interchanges=_practices(), data=st.data())
def test_order_split_and_repetition_change_nothing(
    interchanges: list[str], data: st.DataObject
) -> None:
    _assert_any_arrangement(interchanges, data)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=list(HealthCheck), phases=_PHASES)
@given(interchanges=_practices(), data=st.data())
def test_order_split_and_repetition_change_nothing_at_length(
    interchanges: list[str], data: st.DataObject
) -> None:
    _assert_any_arrangement(interchanges, data)


# ---- every row and every cent -------------------------------------------------------------


def _cents(amount: str) -> int | None:
    try:
        return bare_split.cents(amount) if amount else None
    except ValueError:
        return None


def _records(text: str) -> Iterator[list[list[str]]]:
    """The segments of each CLM or CLP and what hangs on it, cut out by splitting alone."""
    record: list[list[str]] = []
    for segment in [*bare_split.segments(text), ["SE"]]:
        if segment[0] in ("CLM", "CLP", "PLB", "SE", "HL", "ST"):
            if record:
                yield record
            record = [segment] if segment[0] in ("CLM", "CLP") else []
        elif record:
            record.append(segment)


def _assert_accounted(made: Tables, files: Files) -> None:
    """The ledger holds each record of the files once with its money; the tables those accepted."""
    ledger = {
        (row["file_name"], row["record"], row["position"]): row
        for row in made["row_ledger"].to_pylist()
        if row["record"] in ("CLM", "CLP")
    }
    kept: Counter[str] = Counter()
    for name, interchanges in files.items():
        position = 0
        for text in interchanges:
            for record in _records(text):
                position += 1
                row = ledger.pop((name, record[0][0], position))
                charge_at = 2 if record[0][0] == "CLM" else 3
                assert row["charge_cents"] == _cents("".join(record[0][charge_at : charge_at + 1]))
                if record[0][0] == "CLP":
                    assert row["paid_cents"] == _cents("".join(record[0][4:5]))
                if row["disposition"] == "accepted":
                    kept.update(_parts(record))
                else:
                    assert row["disposition"] == "duplicate" or row["reason"]
    assert ledger == {}, "the ledger tells of records that are in no file"
    distinct = {text for interchanges in files.values() for text in interchanges}
    for text in distinct:
        kept.update(_outside(text))
    assert kept == _in_tables(made)


def _assert_placed(made: Tables) -> None:
    """Each record is placed once, each claim is named for one of its own and came to something."""
    placed = made["claim_lineage"].to_pylist()
    sent = Counter(
        ("claim_version", name) for name in made["claims"]["claim_version_id"].to_pylist()
    )
    sent.update(("remittance", name) for name in made["remittances"]["remittance_id"].to_pylist())
    assert Counter((row["record"], row["record_id"]) for row in placed) == sent
    named = {row["claim_id"] for row in placed if row["record_id"] == row["claim_id"]}
    assert named == {row["claim_id"] for row in placed}
    assert sorted(named) == sorted(made["claim_outcomes"]["claim_id"].to_pylist())
    assert_named_for_their_places(made)


def _parts(record: list[list[str]]) -> Counter[str]:
    """Records, lines and adjustments of one CLM or CLP, and their cents."""
    found: Counter[str] = Counter({record[0][0]: 1})
    for segment in record:
        match segment[0]:
            case "CLM":
                found["CLM02"] += bare_split.cents(segment[2])
            case "CLP":
                found["CLP03"] += bare_split.cents(segment[3])
                found["CLP04"] += bare_split.cents(segment[4])
            case "SV1":
                found["SV1"] += 1
                found["SV102"] += bare_split.cents(segment[2])
            case "SVC":
                found["SVC"] += 1
                found["SVC02"] += bare_split.cents(segment[2])
                found["SVC03"] += bare_split.cents(segment[3])
            case "CAS" if record[0][0] == "CLP":
                for _, _, cents in bare_split.adjustments(segment):
                    found["CAS"] += 1
                    found["CAS03"] += cents
    return found


def _outside(text: str) -> Counter[str]:
    """Payments and what they move outside claims, with their cents."""
    found: Counter[str] = Counter()
    for segment in bare_split.segments(text):
        if segment[0] == "BPR" and (deposit := _cents("".join(segment[2:3]))) is not None:
            found["BPR"] += 1
            found["BPR02"] += deposit
        if segment[0] == "PLB":
            amounts = [cents for a in segment[4::2] if (cents := _cents(a)) is not None]
            found["PLB"] += len(amounts)
            found["PLB04"] += sum(amounts)
    return found


def _in_tables(made: Tables) -> Counter[str]:
    found: Counter[str] = Counter()
    for count, table, columns in (
        ("CLM", "claims", {"CLM02": "charge_cents"}),
        ("SV1", "service_lines", {"SV102": "charge_cents"}),
        ("CLP", "remittances", {"CLP03": "charge_cents", "CLP04": "paid_cents"}),
        ("SVC", "remittance_lines", {"SVC02": "charge_cents", "SVC03": "paid_cents"}),
        ("CAS", "adjustments", {"CAS03": "amount_cents"}),
        ("BPR", "payments", {"BPR02": "deposit_cents"}),
        ("PLB", "provider_adjustments", {"PLB04": "amount_cents"}),
    ):
        for element, column in columns.items():
            values = [value for value in made[table][column].to_pylist() if value is not None]
            found[count] = len(values)
            found[element] = sum(values)
    return found

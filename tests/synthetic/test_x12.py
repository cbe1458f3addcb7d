"""The X12 files hold together: envelopes, counts, balances, dates."""

import re
from collections import Counter
from pathlib import Path

import oxedi
import pytest

from synthetic.bare_split import (
    adjustments,
    cents,
    claim_payments,
    component,
    segments,
    transactions,
    x12_texts,
)

AS_OF = "20260930"


@pytest.mark.parametrize("transaction", ["837", "835"])
def test_envelopes_count_what_they_hold_and_number_it_once(raw: Path, transaction: str) -> None:
    numbers: dict[str, list[str]] = {"ISA": [], "GS": [], "ST": []}
    for file_name, text in x12_texts(raw, transaction):
        parts = segments(text)
        assert [parts[0][0], parts[1][0]] == ["ISA", "GS"], file_name
        assert [parts[-2][0], parts[-1][0]] == ["GE", "IEA"], file_name
        assert len(text.split(text[105])[0]) == 105, file_name
        numbers["ISA"].append(parts[0][13])
        numbers["GS"].append(parts[1][6])
        assert parts[-1][1:] == ["1", parts[0][13]]
        inside = list(transactions(text))
        assert parts[-2][1:] == [str(len(inside)), parts[1][6]]
        for sent in inside:
            numbers["ST"].append(sent[0][2])
            assert sent[-1] == ["SE", str(len(sent)), sent[0][2]], file_name
    for kind, seen in numbers.items():
        assert seen, kind
        assert len(seen) == len(set(seen)), kind


def test_every_remittance_balances_at_line_claim_and_deposit(raw: Path) -> None:
    n_claims = n_without_lines = 0
    for file_name, text in x12_texts(raw, "835"):
        for payment in transactions(text):
            paid = 0
            for claim in claim_payments(payment):
                clp = claim[0]
                where = (file_name, clp[1])
                n_claims += 1
                paid += cents(clp[4])
                at_claim, at_lines, patient_part = _check_claim(claim, where)
                assert cents(clp[3]) - cents(clp[4]) == at_claim + at_lines, where
                if clp[2] != "22":
                    assert cents(clp[5]) == patient_part, where
                n_without_lines += not any(s[0] == "SVC" for s in claim)
            moved = sum(cents(amount) for s in payment if s[0] == "PLB" for amount in s[4::2])
            bpr = payment[1]
            assert cents(bpr[2]) == paid - moved, file_name
            assert cents(bpr[2]) >= 0, file_name
            assert (bpr[4] == "NON") == (cents(bpr[2]) == 0), file_name
    assert n_claims > 2500
    assert n_without_lines > 20


def _check_claim(claim: list[list[str]], where: tuple[str, str]) -> tuple[int, int, int]:
    """Checks the lines; returns claim and line adjustments and the patient's part, in cents."""
    at_claim = at_lines = patient_part = line_charge = line_paid = 0
    open_line: int | None = None
    for segment in claim:
        if segment[0] == "SVC":
            assert open_line in (None, 0), where
            line_charge += cents(segment[2])
            line_paid += cents(segment[3])
            open_line = cents(segment[2]) - cents(segment[3])
        if segment[0] == "CAS":
            for group, _, amount in adjustments(segment):
                patient_part += amount if group == "PR" else 0
                if open_line is None:
                    at_claim += amount
                else:
                    at_lines += amount
                    open_line -= amount
    assert open_line in (None, 0), where
    if open_line is not None:
        assert line_charge == cents(claim[0][3]), where
        assert line_paid == cents(claim[0][4]), where
    return at_claim, at_lines, patient_part


def test_a_claim_charges_what_its_lines_charge(raw: Path) -> None:
    for _, text in x12_texts(raw, "837"):
        open_claims: list[int] = []
        for segment in segments(text):
            if segment[0] == "CLM":
                open_claims.append(cents(segment[2]))
            if segment[0] == "SV1":
                open_claims[-1] -= cents(segment[2])
        assert not any(open_claims)


def test_oxedi_reads_every_remittance_without_complaint(raw: Path) -> None:
    spec = oxedi.Spec.builtin("5010")
    for file_name, text in x12_texts(raw, "835", copies=True):
        result = oxedi.parse(text.encode(), spec=spec)
        assert [(d.segment, d.rule) for d in result.diagnostics if d.level >= 2] == [], file_name


def test_nothing_is_dated_after_the_last_day_of_data(raw: Path) -> None:
    latest = []
    for transaction in ("837", "835"):
        for file_name, text in x12_texts(raw, transaction):
            for segment in segments(text):
                if segment[0] == "PLB":
                    segment = segment[:2]  # the fiscal year ends later, as it must
                days = [e for e in segment if re.fullmatch(r"20[0-9]{6}", e)]
                assert all(day <= AS_OF for day in days), (file_name, segment[0])
                latest += days if segment[0] in ("BHT", "BPR") else []
    assert max(latest) == AS_OF
    for path in raw.glob("*.csv"):
        columns = path.read_text(encoding="utf-8").splitlines()[0].split(",")
        may_lie_ahead = {
            columns.index(c) for c in ("deadline_date", "end_date", "expiry_date") if c in columns
        }
        for row in path.read_text(encoding="utf-8").splitlines()[1:]:
            for i, cell in enumerate(row.split(",")):
                if i not in may_lie_ahead and re.fullmatch(r"20\d\d-\d\d-\d\d", cell):
                    assert cell <= "2026-09-30", (path.name, columns[i])


def test_a_claim_file_is_dated_the_day_it_is_sent(raw: Path) -> None:
    for file_name, text in x12_texts(raw, "837"):
        parts = segments(text)
        sent = {s[4] for s in parts if s[0] == "BHT"}
        assert sent == {f"20{parts[0][9]}"}, file_name
        served = [s[3] for s in parts if s[0] == "DTP" and s[1] == "472"]
        assert max(served) <= max(sent), file_name


def test_remittances_come_in_several_dialects_and_wrappings(raw: Path) -> None:
    dialects = {
        (text[3], component(text), text[105:107].strip("GS")) for _, text in x12_texts(raw, "835")
    }
    assert dialects == {("*", ":", "~"), ("|", ">", "~"), ("*", ":", "~\n")}
    names = [p.name for p in raw.iterdir() if p.name.startswith("remits_")]
    zipped_months = Counter(n.split("_")[1] for n in names if n.endswith(".zip"))
    assert len(zipped_months) > 20
    assert set(zipped_months.values()) == {1}
    odd_years = Counter(n.split("_")[1][:4] for n in names if n.endswith((".txt", ".edi")))
    assert set(odd_years.values()) == {1}


def test_two_files_lie_there_twice_under_another_name(raw: Path) -> None:
    copies = sorted(raw.glob("copy_of_*"))
    assert len(copies) == 2
    for copy in copies:
        original = raw / copy.name.removeprefix("copy_of_")
        assert copy.read_bytes() == original.read_bytes()


def test_identifiers_are_valid_in_form_and_nobodys(raw: Path) -> None:
    npis = set()
    for _, text in x12_texts(raw, "837"):
        for segment in segments(text):
            if segment[0] == "NM1" and "XX" in segment:
                npis.add(segment[segment.index("XX") + 1])
            if segment[0] == "NM1" and segment[1] in ("IL", "QC"):
                assert segment[3] in ("PATIENT", "SUBSCRIBER")
                assert re.fullmatch(r"N\d{6}", segment[4])
    assert len(npis) > 5
    for npi in npis:
        assert npi.startswith("2")  # real ones start with 1
        digits = [int(d) for d in reversed(f"80840{npi}")]
        doubled = [sum(divmod(2 * d, 10)) if i % 2 else d for i, d in enumerate(digits)]
        assert sum(doubled) % 10 == 0


def test_secondary_claims_carry_the_first_insurers_answer(raw: Path) -> None:
    open_amounts: list[int] = []
    for _, text in x12_texts(raw, "837"):
        is_second = False
        for segment in segments(text):
            match segment[0]:
                case "HL":
                    is_second = False
                case "SBR" if segment[1] == "S":
                    is_second = True
                case "CLM" if is_second:
                    open_amounts.append(cents(segment[2]))
                case "AMT" if is_second:
                    open_amounts[-1] -= cents(segment[2])
                case "CAS" if is_second:
                    open_amounts[-1] -= sum(amount for _, _, amount in adjustments(segment))
    assert len(open_amounts) > 20
    assert not any(open_amounts)

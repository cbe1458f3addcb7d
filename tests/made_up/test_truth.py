"""The package's answers against the truth the synthesizer kept apart."""

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from analysis import findings, tables
from analysis.config import Folders

# In one process, so that the practice is built once.
pytestmark = pytest.mark.xdist_group("made_up")


def _truth(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "claims.csv").open(encoding="utf-8", newline="") as file:
        return {row["control_number"]: row for row in csv.DictReader(file)}


def test_every_claim_gets_the_determination_it_was_given(made_up: Folders, truth: Path) -> None:
    known = _truth(truth)
    made = {
        row["patient_control_number"]: row
        for row in tables.read(made_up.processed, "claim_outcomes").to_pylist()
    }
    assert set(made) == set(known)
    wrong = Counter()
    for number, row in known.items():
        outcome = made[number]
        told = {
            "first": outcome["first_determination"],
            "final": outcome["final_determination"],
            "category": outcome["denial_category"] or "",
            "paid": outcome["paid_cents"],
            "payer": outcome["payer_id"],
            "condition": outcome["condition_group"],
            "submitted": str(outcome["submitted_date"]),
        }
        meant = {
            "first": row["first_determination"],
            "final": row["final_determination"],
            "category": row["denial_category"],
            "paid": int(row["paid_cents"]),
            "payer": row["payer_id"],
            "condition": row["condition_group"],
            "submitted": row["first_submitted_date"],
        }
        wrong.update(
            (row["history"], key, meant[key], told[key]) for key in meant if told[key] != meant[key]
        )
    assert not wrong


AGREEMENT_OF = {
    "right": "agree",
    "never_updated": "not_updated",
    "unrecorded": "not_recorded",
    "wrong": "disagree",
}


def test_every_appeal_ends_as_the_insurer_answered_whatever_the_record_says(
    made_up: Folders, truth: Path
) -> None:
    number_of = {
        row["claim_id"]: row["patient_control_number"]
        for row in tables.read(made_up.processed, "claim_outcomes").to_pylist()
    }
    told = Counter(
        (number_of[row["claim_id"]], row["level"], row["outcome"], row["agreement"])
        for row in tables.read(made_up.processed, "appeal_outcomes").to_pylist()
    )
    meant = Counter()
    with (truth / "appeals.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            agreement = AGREEMENT_OF[row["record"]]
            if row["outcome"] == "pending":
                agreement = "open"
            elif row["level"] == "2":
                # Insurers of the made-up world answer a second appeal by letter alone.
                agreement = "recorded_only"
            level = None if row["record"] == "unrecorded" else row["level"]
            meant[row["claim_number"], level, row["outcome"], agreement] += 1
    assert told == meant
    assert {agreement for *_, agreement in meant} >= set(AGREEMENT_OF.values())


def test_versions_of_one_claim_are_one_claim(made_up: Folders, truth: Path) -> None:
    claim_of = {
        row["record_id"]: row["claim_id"]
        for row in tables.read(made_up.processed, "claim_lineage").to_pylist()
        if row["record"] == "claim_version"
    }
    numbers = defaultdict(set)
    for row in tables.read(made_up.processed, "claims").to_pylist():
        numbers[claim_of[row["claim_version_id"]]].add(row["patient_control_number"])
    meant = {frozenset(row["control_numbers"].split(";")) for row in _truth(truth).values()}
    assert {frozenset(together) for together in numbers.values()} == meant


def test_every_dollar_adds_up_to_the_deposits(made_up: Folders) -> None:
    def total(table: str, column: str) -> int:
        return sum(tables.read(made_up.processed, table)[column].to_pylist())

    deposits = total("payments", "deposit_cents")
    moved_outside = total("provider_adjustments", "amount_cents")
    on_remittances = total("remittances", "paid_cents")
    on_claims = total("claim_outcomes", "paid_cents")
    assert deposits > 0
    assert moved_outside != 0
    assert on_remittances - moved_outside == deposits
    assert on_claims == on_remittances

    remittances = tables.read(made_up.processed, "remittances").to_pylist()
    lines = tables.read(made_up.processed, "remittance_lines").to_pylist()
    with_lines = {line["remittance_id"] for line in lines}
    without_lines = sum(
        r["paid_cents"] for r in remittances if r["remittance_id"] not in with_lines
    )
    assert sum(line["paid_cents"] for line in lines) + without_lines == on_remittances
    # Each claim's lines carry the claim's money.
    assert total("line_outcomes", "paid_cents") == on_claims


def test_every_payment_adds_up_on_its_own(made_up: Folders) -> None:
    paid: Counter[str] = Counter()
    for row in tables.read(made_up.processed, "remittances").to_pylist():
        paid[row["payment_id"]] += row["paid_cents"]
    for row in tables.read(made_up.processed, "provider_adjustments").to_pylist():
        paid[row["payment_id"]] -= row["amount_cents"]
    deposits = {
        row["payment_id"]: row["deposit_cents"]
        for row in tables.read(made_up.processed, "payments").to_pylist()
    }
    assert {payment: paid[payment] for payment in deposits} == deposits


def test_every_record_is_accepted_or_met_twice(made_up: Folders) -> None:
    ledger = tables.read(made_up.processed, "row_ledger").to_pylist()
    assert Counter(row["disposition"] for row in ledger).keys() == {"accepted", "duplicate"}
    accepted = Counter(row["record"] for row in ledger if row["disposition"] == "accepted")
    assert accepted["CLM"] == tables.read(made_up.processed, "claims").num_rows
    assert accepted["CLP"] == tables.read(made_up.processed, "remittances").num_rows
    files = {p.name for p in made_up.raw.rglob("*") if p.is_file() and p.suffix != ".toml"}
    assert {row["file_name"].split("/")[0] for row in ledger} == files


def test_no_patient_is_named_in_any_table(made_up: Folders) -> None:
    for path in made_up.processed.glob("*.parquet"):
        table = tables.read(made_up.processed, path.stem)
        for name, column in zip(table.column_names, table.columns, strict=True):
            if str(column.type) == "string":
                values = {value for value in column.to_pylist() if value}
                assert not any("PATIENT" in value.upper() for value in values), (path.stem, name)


def test_only_tests_open_the_truth() -> None:
    source = Path(__file__).parents[2] / "src" / "analysis"
    readers = [
        path.name
        for path in source.rglob("*.py")
        if "synthetic" not in path.parts and '"truth"' in path.read_text(encoding="utf-8")
    ]
    assert readers == []


def test_a_built_in_visit_after_which_an_insurer_refuses_is_found_and_no_other(
    made_up: Folders, truth: Path
) -> None:
    """Insurers that want an authorization after some visit refuse more from there on."""
    stated = json.loads((truth / "parameters.json").read_text("utf-8"))["payers"]
    names = ("claim_outcomes", "claim_features", "visit_limits", "payers")
    given = [tables.read_frame(made_up.processed, name) for name in names]
    found = {
        payer["id"]: findings.rules.visit_rule(*given, "2026-09", payer["id"]) for payer in stated
    }
    for payer in stated:
        finding = found[payer["id"]]
        if finding.estimate is not None:
            # Nobody without a rule is accused, and who has one is placed within the range told.
            assert payer["authorization_after"], payer["id"]
            assert finding.values["first"] <= payer["authorization_after"] <= finding.values["last"]
    # The two largest with such a rule have claims enough for it to show.
    assert found["00430"].values["visit"] == found["PHC01"].values["visit"] == 6


def test_the_last_quarter_is_foreseen_near_its_true_chance(made_up: Folders, truth: Path) -> None:
    """The mean chance of its claims lies in the range foreseen, though a third still wait."""
    outcomes = tables.to_frame(tables.read(made_up.processed, "claim_outcomes"))
    finding = findings.outcomes.recent_approval(outcomes, "2026-09")
    chance = {number: float(row["approval_probability"]) for number, row in _truth(truth).items()}
    recent = outcomes[
        (outcomes["submitted_date"] >= "2026-07-01")
        & outcomes["first_determination"].isin(
            ["approved", "partially_approved", "denied", "pending"]
        )
    ]
    true = recent["patient_control_number"].map(chance).mean()
    assert finding.denominator == len(recent)
    assert finding.values["waiting"] > len(recent) / 4
    assert finding.lower <= true <= finding.upper
    assert abs(finding.estimate - true) < 0.025

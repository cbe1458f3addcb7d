"""The made-up world is the one that was stated, and the truth agrees with the files."""

import csv
import json
import math
import re
import stat
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from analysis.config import load_practice
from analysis.errors import UsageError
from analysis.synthetic import Synthesized, synthesize
from synthetic.bare_split import (
    adjustments,
    cents,
    claim_payments,
    segments,
    transactions,
    x12_texts,
)

REFERENCE = Path(__file__).parents[2] / "src" / "analysis" / "reference"
SYNTHETIC = REFERENCE.parent / "synthetic"

STORIES = {
    "paid",
    "cost_share",
    "deductible_only",
    "partial_bundled",
    "partial_units_cut",
    "split_payment",
    "secondary_billed",
    "secondary_forwarded",
    "recouped_netted",
    "recouped_withheld",
    "recouped_returned",
    "reversed_open",
    "voided_before_answer",
    "voided_after_answer",
    "voided_resubmitted",
    "duplicate",
    "rejected_resent",
    "rejected_not_resent",
    "pended_finalised",
    "pended_open",
    "unanswered",
    "denied_not_worked",
    "corrected_approved",
    "corrected_denied",
    "appeal_won",
    "appeal_partly_won",
    "appeal_lost",
    "appeal_pending",
}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    made = [
        synthesize("a", data_dir=tmp_path / run, n_claims=250, n_months=6, seed=seed)
        for run, seed in (("first", 7), ("again", 7), ("other", 8))
    ]
    first, again, other = (
        {
            path.name: path.read_bytes()
            for folder in (m.raw_dir, m.truth_dir)
            for path in folder.iterdir()
        }
        for m in made
    )
    assert first == again
    assert first != other


def test_every_story_happens_in_the_default_world(truth: dict[str, dict[str, str]]) -> None:
    told = Counter(row["history"] for row in truth.values())
    assert set(told) >= STORIES
    assert set(told) <= STORIES | {"corrected_unanswered"}


def test_every_trace_a_story_leaves_can_be_found(raw: Path) -> None:
    statuses, reasons, remarks, moved = Counter(), Counter(), Counter(), Counter()
    for _, text in x12_texts(raw, "835"):
        for segment in segments(text):
            match segment[0]:
                case "CLP":
                    statuses[segment[2]] += 1
                case "CAS":
                    reasons.update(carc for _, carc, _ in adjustments(segment))
                case "LQ":
                    remarks[segment[2]] += 1
                case "MOA":
                    remarks.update(code for code in segment[3:] if code)
                case "PLB":
                    moved.update(re.split("[:>]", pair)[0] for pair in segment[3::2])
    assert set(statuses) == {"1", "2", "4", "19", "22"}
    assert {"18", "29", "97", "119", "133", "151", "193", "197", "198", "253"} <= set(reasons)
    assert {"MA130", "MA46", "MA91", "N690", "N22", "MA02"} <= set(remarks)
    assert set(moved) == {"WO", "72", "L6", "FB"}
    frequencies = Counter(
        re.split("[:>]", segment[5])[2]
        for _, text in x12_texts(raw, "837")
        for segment in segments(text)
        if segment[0] == "CLM"
    )
    assert set(frequencies) == {"1", "7", "8"}


def test_replacements_and_voids_name_the_insurers_number(raw: Path) -> None:
    answered = {
        claim[0][7]
        for _, text in x12_texts(raw, "835")
        for payment in transactions(text)
        for claim in claim_payments(payment)
    }
    named = defaultdict(list)
    for _, text in x12_texts(raw, "837"):
        frequency = ""
        for segment in segments(text):
            if segment[0] == "CLM":
                frequency = re.split("[:>]", segment[5])[2]
            if segment[:2] == ["REF", "F8"]:
                named[frequency].append(segment[2] in answered)
    assert set(named) == {"7", "8"}
    assert all(named["7"])
    assert 0 < sum(named["8"]) < len(named["8"])  # some are voided before any answer


def test_truth_has_the_money_of_the_remittances(
    raw: Path, truth: dict[str, dict[str, str]]
) -> None:
    claim_of = {
        version: number
        for number, row in truth.items()
        for version in row["control_numbers"].split(";")
    }
    paid: Counter[str] = Counter()
    for _, text in x12_texts(raw, "835"):
        for payment in transactions(text):
            for claim in claim_payments(payment):
                paid[claim_of[claim[0][1]]] += cents(claim[0][4])
    assert {n: paid[n] for n in truth} == {n: int(row["paid_cents"]) for n, row in truth.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_one_claim_in_seven_is_denied_at_first(tmp_path: Path, seed: int) -> None:
    made = synthesize("a", data_dir=tmp_path, seed=seed)
    rows = _rows(made.truth_dir / "claims.csv")
    decided = [
        row
        for row in rows
        if row["first_determination"] in ("approved", "partially_approved", "denied")
    ]
    n_denied = sum(row["first_determination"] == "denied" for row in decided)
    assert 0.12 < n_denied / len(decided) < 0.17
    # The first determinations are drawn from the stated probabilities.
    chances = [1 - float(row["approval_probability"]) for row in decided]
    deviation = math.sqrt(sum(p * (1 - p) for p in chances))
    assert abs(n_denied - sum(chances)) < 3 * deviation
    n_partial = sum(row["first_determination"] == "partially_approved" for row in decided)
    assert 0.02 < n_partial / len(decided) < 0.05


def test_causes_raise_denial_as_stated(made: Synthesized, truth: dict[str, dict[str, str]]) -> None:
    """Visits past the authorization boundary, and without the authorization, do worse."""
    cells = {row["claim_number"]: row for row in _rows(made.raw_dir / "documentation.csv")}
    rates = {}
    for name, is_meant in {
        "missing": lambda cell: cell == "no",
        "there": lambda cell: re.fullmatch(r"\d{4}-\d\d-\d\d", cell),
        "not asked": lambda cell: cell == "n/a",
    }.items():
        chances = [
            float(truth[number]["approval_probability"])
            for number, row in cells.items()
            if is_meant(row["authorization"])
        ]
        assert len(chances) > 50, name
        rates[name] = sum(chances) / len(chances)
    assert rates["missing"] + 0.2 < rates["there"] < rates["not asked"]


def test_insurers_are_of_very_unequal_size(made: Synthesized, truth: dict) -> None:
    sizes = Counter(row["payer_id"] for row in truth.values())
    assert sizes.most_common(1)[0][1] > len(truth) / 3
    assert sum(3 <= n <= 25 for n in sizes.values()) >= 4
    practice = load_practice(made.raw_dir)
    assert practice.made_up
    assert {payer.id for payer in practice.payers} == set(sizes)
    assert {(row["payer_id"], row["plan_id"]) for row in truth.values()} <= {
        (plan.payer_id, plan.id) for plan in practice.plans
    }


def test_insurers_spell_their_names_as_the_practice_knows_them(made: Synthesized) -> None:
    known = {
        payer.id: {payer.name.upper(), *payer.aliases}
        for payer in load_practice(made.raw_dir).payers
    }
    spelt = defaultdict(set)
    for _, text in x12_texts(made.raw_dir, "837"):
        for segment in segments(text):
            if segment[:2] == ["NM1", "PR"]:
                spelt[segment[9]].add(segment[3])
    assert all(names <= known[payer_id] for payer_id, names in spelt.items())
    assert max(len(names) for names in spelt.values()) > 2


def test_denial_codes_mean_what_the_reference_tables_say() -> None:
    reasons = {row["reason_code"]: row for row in _rows(REFERENCE / "carc.csv")}
    remarks = {row["remark_code"]: row for row in _rows(REFERENCE / "rarc.csv")}
    for row in _rows(SYNTHETIC / "denial_codes.csv"):
        reason = reasons[row["reason_code"]]
        assert reason["is_denial"] == "yes", row
        deciding = remarks[row["remark_code"]] if reason["needs_remark"] == "yes" else reason
        assert deciding["category"] == row["category"], row


def test_diagnoses_are_valid_on_the_day_and_of_the_stated_condition(
    raw: Path, truth: dict[str, dict[str, str]]
) -> None:
    groups = [
        (re.compile(row["icd10_pattern"].replace(r"\.", "")), row)
        for row in _rows(REFERENCE / "conditions.csv")
    ]
    seen = set()
    for _, text in x12_texts(raw, "837"):
        number = ""
        for segment in segments(text):
            if segment[0] == "CLM":
                number = segment[1]
            if segment[0] == "HI" and number in truth:
                code = re.split("[:>]", segment[1])[1]
                day = truth[number]["service_date"]
                group = next(
                    row["condition_group"]
                    for pattern, row in groups
                    if pattern.search(code)
                    and row["valid_from"] <= day
                    and (not row["valid_to"] or day <= row["valid_to"])
                )
                assert group == truth[number]["condition_group"], (code, day)
                seen.add(code)
    assert {"G35", "M5450"} <= seen
    assert seen & {"G35A", "G35C1", "G35D"}


def test_papers_obtained_after_a_denial_are_dated_after_submission(
    made: Synthesized, truth: dict[str, dict[str, str]]
) -> None:
    n_later = 0
    for row in _rows(made.raw_dir / "documentation.csv"):
        told = truth[row["claim_number"]]
        for item, cell in row.items():
            if item == "service_date" or not re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
                continue
            if cell > told["first_submitted_date"]:
                n_later += 1
                assert told["history"].startswith(("corrected", "appeal")), item
    assert n_later > 20


def test_the_practice_forgot_to_write_down_a_little_of_everything(raw: Path) -> None:
    rows = _rows(raw / "documentation.csv")
    empty = Counter(item for row in rows for item, cell in row.items() if not cell)
    shares = {item: n / len(rows) for item, n in empty.items()}
    assert "claim_number" not in shares
    assert shares["treatment_note"] < 0.04 < shares["functional_goals"] < 0.15


def test_appeals_agree_with_their_stories(made: Synthesized, truth: dict) -> None:
    outcome_of = {
        "appeal_won": "overturned",
        "appeal_partly_won": "partial",
        "appeal_lost": "upheld",
        "appeal_pending": "pending",
    }
    appeals = _rows(made.truth_dir / "appeals.csv")
    first = {row["claim_number"]: row for row in appeals if row["level"] == "1"}
    for number, row in truth.items():
        assert (number in first) == (row["history"] in outcome_of)
        if number in first:
            assert first[number]["outcome"] == outcome_of[row["history"]]


def test_the_record_of_appeals_slips_only_where_the_truth_says_so(made: Synthesized) -> None:
    kept = {(row["claim_number"], row["level"]): row for row in _rows(made.raw_dir / "appeals.csv")}
    records = Counter()
    for row in _rows(made.truth_dir / "appeals.csv"):
        written = kept.pop((row["claim_number"], row["level"]), None)
        records[row["record"]] += 1
        match row["record"]:
            case "right":
                assert (written["outcome"], written["filed_date"]) == (
                    row["outcome"],
                    row["filed_date"],
                )
            case "unrecorded":
                assert written is None
            case "never_updated":
                assert (written["outcome"], written["decision_date"]) == ("pending", "")
            case "wrong":
                assert (written["outcome"] == "upheld") != (row["outcome"] == "upheld")
                assert written["decision_date"]
        if written:
            assert written["filed_date"] <= written["deadline_date"]
            assert written["assisted_by"] in ("nobody", "advocate", "lawyer")
    assert kept == {}
    assert records.keys() == {"right", "unrecorded", "never_updated", "wrong"}
    assert records["right"] > 0.8 * records.total()


def test_an_appeal_won_turns_a_denial_into_an_approval(truth: dict) -> None:
    for row in truth.values():
        if row["history"] == "appeal_won":
            assert (row["first_determination"], row["final_determination"]) == (
                "denied",
                "approved",
            )
            assert row["denial_category"]


def test_authorizations_on_claims_are_on_record(raw: Path) -> None:
    on_record = {row["authorization_number"] for row in _rows(raw / "authorizations.csv")}
    on_claims = {
        segment[2]
        for _, text in x12_texts(raw, "837")
        for segment in segments(text)
        if segment[:2] == ["REF", "G1"]
    }
    assert on_claims
    assert on_claims <= on_record


def test_minutes_are_written_where_the_chart_has_them(made: Synthesized) -> None:
    rows = _rows(made.raw_dir / "documentation.csv")
    assert not any(row["treatment_minutes"] for row in rows if row["minutes"] == "no")
    written = [row["treatment_minutes"] for row in rows if row["treatment_minutes"]]
    assert len(written) > len(rows) / 2
    in_total = [cell for cell in written if "=" not in cell]
    assert 0.15 < len(in_total) / len(written) < 0.25
    assert all(20 <= int(cell) <= 75 for cell in in_total)


def test_prescriptions_agree_with_the_documents_of_the_episode(made: Synthesized) -> None:
    rows = _rows(made.raw_dir / "prescriptions.csv")
    assert [row["prescribed_date"] for row in rows] == sorted(r["prescribed_date"] for r in rows)
    assert all(row["prescribed_date"] < row["expiry_date"] for row in rows)
    written = {
        row["prescription"] for row in _rows(made.raw_dir / "documentation.csv")
    } & {row["prescribed_date"] for row in rows}  # fmt: skip
    assert len(written) > 50
    # Some episodes are prescribed again: more prescriptions than patients who have one.
    assert len(rows) > len({row["member_id"] for row in rows}) * 1.1


def test_parameters_state_every_effect(made: Synthesized) -> None:
    stated = json.loads((made.truth_dir / "parameters.json").read_text(encoding="utf-8"))
    assert stated["arguments"] == {"n_claims": 5000, "n_months": 24, "seed": 1}
    assert stated["cause_effects"]["authorization"] > stated["cause_effects"]["functional_goals"]
    assert set(stated["payer_effects"]) == {payer["id"] for payer in stated["payers"]}
    assert {"base_denial_rate", "interruption_rates", "approval_rates", "as_of"} <= set(stated)


def test_months_and_counts_are_those_asked_for(made: Synthesized, truth: dict) -> None:
    assert (made.n_claims, len(truth)) == (5000, 5000)
    assert made.n_files == len(list(made.raw_dir.iterdir()))
    months = {row["service_date"][:7] for row in truth.values()}
    assert (min(months), max(months)) == (made.first_month, made.last_month)
    assert (made.first_month, made.last_month) == ("2024-10", "2026-09")
    assert len(months) == 24


def test_visits_of_an_episode_are_numbered_without_a_gap_of_90_days(truth: dict) -> None:
    visits = defaultdict(list)
    for row in truth.values():
        day = date.fromisoformat(row["service_date"])
        visits[row["patient_key"], row["condition_group"]].append((day, int(row["visit_number"])))
    for days in visits.values():
        days.sort()
        expected = 0
        previous: date | None = None
        for day, number in days:
            starts = previous is None or (day - previous).days > 90
            expected = 1 if starts else expected + 1
            assert number == expected
            previous = day


def test_nothing_is_overwritten(made: Synthesized) -> None:
    with pytest.raises(UsageError, match="exists already"):
        synthesize("demo", data_dir=made.raw_dir.parents[1], n_claims=10)
    assert not any(p.name.startswith(".") for p in made.raw_dir.parent.iterdir())


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("../x", {}, "no practice name"),
        ("x", {"n_claims": 0}, "claims: 0"),
        ("x", {"n_months": 61}, "months: 61"),
        ("x", {"seed": -1}, "seed: -1"),
    ],
)
def test_arguments_out_of_range_are_refused_in_words(
    tmp_path: Path, name: str, arguments: dict[str, int], said: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        synthesize(name, data_dir=tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_one_claim_makes_a_practice(tmp_path: Path) -> None:
    made = synthesize("tiny", data_dir=tmp_path, n_claims=1, n_months=1)
    assert len(_rows(made.truth_dir / "claims.csv")) == 1


def test_folders_and_files_are_the_owners_alone(made: Synthesized) -> None:
    for folder in (made.raw_dir, made.truth_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}

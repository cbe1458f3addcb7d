"""Documents: unknown is never absent, and association is never advice."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis.findings import documentation as documents
from analysis.findings import unbound_digits
from analysis.schemas import TABLES
from findings.made_claims import claim, claims, frame, outcomes, payers

MONTH = "2026-08"
NOTE, PLAN = "D07_treatment_note", "D05_plan_of_care"


def told(*rows):
    """Rows of (claim, item, channel, status), the document required unless marked otherwise."""
    return frame(
        "documentation",
        [
            {"claim_id": c, "item_id": item, "channel": channel, "status": status,
             "is_required": not extra}
            for c, item, channel, status, *extra in rows
        ],
    )  # fmt: skip


def test_the_practices_word_counts_before_what_the_claim_shows():
    items = documents.required(
        told(
            ("c0", NOTE, "attested", "absent"),
            ("c0", NOTE, "claim", "present"),
            ("c1", NOTE, "attested", "unknown"),
            ("c1", NOTE, "claim", "present"),
            ("c2", NOTE, "attested", "unknown"),
            ("c2", NOTE, "claim", "unknown"),
        ),
        outcomes(claims(3, 0)),
    )
    assert items["status"].tolist() == ["absent", "present", "unknown"]


def test_what_the_insurer_said_afterwards_is_no_document_status():
    rows = told(("c0", NOTE, "remittance", "absent"), ("c0", NOTE, "claim", "unknown"))
    assert documents.required(rows, outcomes(claims(1, 0)))["status"].tolist() == ["unknown"]


def test_a_document_nobody_asked_for_is_not_counted():
    rows = told(("c0", NOTE, "attested", "absent", "not required"))
    assert documents.required(rows, outcomes(claims(1, 0))).empty


def test_unknown_stands_beside_absent_and_is_not_added_to_it():
    rows = [(f"c{n}", NOTE, "attested", s) for n, s in enumerate(["absent", "unknown", "unknown"])]
    claims_sent = outcomes(claims(3, 0))
    items = documents.required(told(*rows), claims_sent)
    counts = documents.by_item(items).iloc[0]
    assert counts[["present", "absent", "unknown", "n"]].tolist() == [0, 1, 2, 3]
    finding = documents.coverage(items, claims_sent, MONTH)
    assert finding.estimate == pytest.approx(1 / 3)
    missing = documents.most_missing(items, claims_sent, MONTH)
    assert "on 1 of 3 claims that required it; unknown on another 2" in missing.sentence


def test_missing_documents_by_insurer_count_known_statuses_only():
    rows = [(f"c{n}", NOTE, "attested", "absent" if n < 5 else "present") for n in range(12)]
    rows += [(f"c{n}", NOTE, "attested", "unknown") for n in range(12, 30)]
    items = documents.required(told(*rows), outcomes(claims(30, 0)))
    table = documents.missing_by_insurer(items, payers())
    assert table[["insurer", "n_absent", "n"]].values.tolist() == [["Evergreen Health", 5, 12]]


def test_a_note_on_file_that_the_insurer_asked_for_is_a_contradiction():
    rows = told(
        ("c0", NOTE, "attested", "present"),
        ("c0", NOTE, "remittance", "absent"),
        ("c1", PLAN, "attested", "absent"),
        ("c1", PLAN, "remittance", "absent"),
    )
    table = documents.contradictions(rows, outcomes(claims(2, 0)), MONTH)
    assert table["n"].tolist() == [1]


def features(rows):
    """claim_features where only the counts of missing documents matter."""
    plain = {"payer_id": "x", "payer_type": "x", "plan_id": "x", "network_status": "in",
             "condition_group": "x", "n_lines": 1, "has_authorization_number": False,
             "has_referral": False, "has_massage_line": True, "has_manual_therapy_line": False,
             "n_required_unknown": 0, "n_gates_failed": 0}  # fmt: skip
    statuses = [
        c.name for c in TABLES["claim_features"].columns if "as of submission" in c.description
    ]
    plain |= dict.fromkeys(statuses, "unknown")
    return frame("claim_features", [plain | row for row in rows])


def lacking(table, absent):
    counts = zip(table["claim_id"], absent, strict=True)
    return features([{"claim_id": c, "n_required_absent": int(n)} for c, n in counts])


def test_completeness_bands_keep_unknown_apart():
    table = outcomes(claims(40, 0))
    rows = [{"claim_id": f"c{n}", "n_required_absent": n % 2, "n_required_unknown": n // 20,
             "n_gates_failed": int(n in (1, 3))} for n in range(40)]  # fmt: skip
    bands = documents.by_completeness(features(rows), table, MONTH).set_index("band")["n"]
    assert bands.to_dict() == {
        documents.COMPLETE: 10,
        documents.NONE_MISSING: 10,
        documents.SOME_MISSING: 18,
        documents.GATE_MISSING: 2,
    }


def test_a_strict_insurer_is_not_mistaken_for_missing_documents():
    # One insurer denies half and gets poor files; the other approves nine in ten with good ones.
    # Within each, documents make no difference.
    strict = claims(40, 40, 0, payer_id="7") + claims(10, 10, 100, payer_id="7")
    easy = claims(18, 2, 200) + claims(72, 8, 300)
    table = outcomes(strict + easy)
    absent = [1] * 80 + [0] * 20 + [1] * 20 + [0] * 80
    finding = documents.association(lacking(table, absent), table, MONTH)
    assert "not associated" in finding.sentence
    raw = documents.by_completeness(lacking(table, absent), table, MONTH).set_index("band")
    assert (
        raw.loc[documents.COMPLETE, "estimate"] - raw.loc[documents.SOME_MISSING, "estimate"] > 0.2
    )


def test_a_difference_is_told_as_an_association_with_its_interval():
    table = outcomes(claims(180, 20) + claims(120, 80, 300))
    finding = documents.association(lacking(table, [0] * 200 + [1] * 200), table, MONTH)
    assert finding.estimate == pytest.approx(0.3)
    assert "was associated with 30 points more approval (22 to 38;" in finding.sentence
    assert "raise" not in finding.sentence
    assert unbound_digits(finding) == []


def test_the_difference_within_insurers_covers_the_truth_when_patients_differ():
    draw = np.random.default_rng(8)
    covered = 0
    for _ in range(100):
        patient = np.repeat(np.arange(80), 6)
        # A practice documents a patient's visits alike, so the patient is the unit that varies.
        exposed = (draw.random(80) < 0.5)[patient]
        chance = draw.beta(2, 1, size=80)[patient] * 0.9 + 0.1 * exposed
        answers = pd.DataFrame(
            {"is_approved": draw.random(480) < chance, "patient_id": patient.astype(str),
             "claim_id": np.arange(480).astype(str)}
        )  # fmt: skip
        gap, error, _ = documents.within_groups(
            answers, pd.Series(exposed), pd.Series(patient % 3).astype(str)
        )
        covered += abs(gap - 0.1) <= 1.96 * error
    assert covered >= 88


def test_without_claims_on_both_sides_nothing_is_compared():
    table = outcomes(claims(100, 20))
    finding = documents.association(lacking(table, [0] * 120), table, MONTH)
    assert finding.estimate is None
    assert finding.sentence.startswith("Too few claims with and without")


def test_claims_of_patients_not_yet_answered_stay_out():
    table = outcomes([*claims(50, 10), claim(99, "pending", submitted_date=date(2026, 8, 1))])
    assert documents.by_completeness(lacking(table, [0] * 61), table, MONTH)["n"].sum() == 60

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


def test_a_document_the_practice_knows_to_be_needless_is_in_no_count():
    rows = told(("c0", NOTE, "attested", "not_required"), ("c0", NOTE, "claim", "present"),
                ("c1", NOTE, "attested", "absent"))  # fmt: skip
    items = documents.required(rows, outcomes(claims(2, 0)))
    assert items["claim_id"].tolist() == ["c1"]


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


def disputed(*rows):
    """documentation_contradictions of (claim, item, has it, lacks it, code)."""
    names = ("claim_id", "item_id", "present_channel", "absent_channel", "code")
    return frame(
        "documentation_contradictions", [dict(zip(names, row, strict=True)) for row in rows]
    )


def test_a_disagreement_counts_its_claim_once_and_names_every_code():
    table = disputed(
        ("c0", NOTE, "attested", "remittance", "N205"),
        ("c0", NOTE, "attested", "remittance", "N466"),
        ("c1", NOTE, "attested", "remittance", "N205"),
        ("c1", "D02_prescription", "claim", "attested", "NM1 DN"),
        ("c2", "D02_prescription", "claim", "attested", "REF 9F"),
        ("c9", NOTE, "attested", "remittance", "N205"),
    )
    sent = outcomes(claims(4, 0))
    shown = documents.contradictions(table, sent)
    assert shown[["has_it", "lacks_it", "codes", "n"]].values.tolist() == [
        ["the claim", "the practice's record", "NM1 DN, REF 9F", 2],
        ["the practice's record", "the insurer's remark", "N205, N466", 2],
    ]
    finding = documents.disagreement(table, sent, MONTH)
    assert finding.sentence.startswith("On 3 of 4 claims one source had a document")
    assert "; on 2 it was the insurer" in finding.sentence
    assert unbound_digits(finding) == []


def test_where_nobody_disagrees_the_table_is_empty_and_the_sentence_says_none():
    sent = outcomes(claims(2, 0))
    assert documents.contradictions(disputed(), sent).empty
    assert documents.disagreement(disputed(), sent, MONTH).numerator == 0


GATE = "D02_prescription"


def test_a_missing_gate_stands_apart_and_an_unknown_one_is_no_missing_one():
    rows = told(
        ("c0", GATE, "attested", "absent"),
        ("c0", "D01_license", "attested", "unknown"),
        ("c1", GATE, "attested", "unknown"),
        ("c2", GATE, "attested", "present"),
        ("c3", NOTE, "attested", "absent"),
    )
    sent = outcomes(claims(4, 0))
    finding = documents.gates(documents.required(rows, sent), sent, MONTH)
    assert (finding.numerator, finding.denominator, finding.values["unclear"]) == (1, 3, 1)
    assert unbound_digits(finding) == []
    nothing = documents.gates(documents.required(told(), sent), sent, MONTH)
    assert nothing.sentence.startswith("No such document was required")


def test_the_score_stands_beside_what_is_known_and_the_gates():
    sent = outcomes(claims(3, 0) + claims(2, 0, 10, payer_id="900"))
    rows = [
        {"claim_id": "c0", "completeness": 1.0, "completeness_coverage": 0.5},
        {"claim_id": "c1", "completeness": 0.5, "completeness_coverage": 1.0, "n_gates_failed": 1},
        {"claim_id": "c2", "completeness": None, "completeness_coverage": 0.0},
        {"claim_id": "c10", "completeness": None, "completeness_coverage": None},
        {"claim_id": "c11", "completeness": None, "completeness_coverage": 0.0},
    ]
    table = documents.score_by_insurer(
        features([{"n_required_absent": 0} | row for row in rows]), sent, payers(), 1
    ).set_index("insurer")
    own = table.loc["Evergreen Health"]
    assert own[["n", "completeness", "coverage", "n_gate_missing"]].tolist() == [3, 0.75, 0.5, 1]
    # A claim that nothing is asked of has no score; one of which nothing is known has no zero.
    other = table.loc["Cascade Auto"]
    assert (other["n"], other["coverage"]) == (1, 0)
    assert pd.isna(other["completeness"])
    few = documents.score_by_insurer(
        features([{"n_required_absent": 0} | row for row in rows]), sent, payers()
    )
    assert few[["completeness", "coverage"]].isna().all(axis=None)


def test_of_documents_that_hardly_anybody_wrote_down_no_completeness_is_stated():
    """An export shows the diagnosis alone: what is known is there, and that is next to nothing."""
    sent = outcomes(claims(20, 0))
    rows = [
        {"claim_id": f"c{n}", "completeness": 1.0, "completeness_coverage": 0.19,
         "n_required_absent": 0}
        for n in range(20)
    ]  # fmt: skip
    [told_of] = documents.score_by_insurer(features(rows), sent, payers()).to_dict("records")
    assert told_of["coverage"] == pytest.approx(0.19)
    assert pd.isna(told_of["completeness"])
    unknown = told(*((f"c{n}", NOTE, "attested", "unknown") for n in range(20)))
    finding = documents.most_missing(documents.required(unknown, sent), sent, MONTH)
    assert "known to be missing; of 20 of 20 nobody wrote down" in finding.sentence
    assert unbound_digits(finding) == []


def test_the_figure_shows_the_documents_that_lack_or_are_unknown_most_often():
    rows = [(f"c{n}", NOTE, "attested", "absent" if n < 2 else "present") for n in range(10)]
    rows += [(f"c{n}", PLAN, "attested", "unknown" if n < 3 else "present") for n in range(10)]
    counts = documents.by_item(documents.required(told(*rows), outcomes(claims(10, 0))))
    assert documents.least_complete(counts, 1)["item_id"].tolist() == [PLAN]


def test_documents_nobody_wrote_down_are_seen_by_insurer():
    rows = [(f"c{n}", NOTE, "attested", "unknown" if n < 5 else "present") for n in range(20)]
    rows += [(f"c{n}", PLAN, "attested", "absent" if n < 1 else "present") for n in range(20)]
    items = documents.required(told(*rows), outcomes(claims(20, 0)))
    table = documents.by_item_and_insurer(items, payers())
    counts = ["absent", "unknown", "present", "n", "share"]
    assert table[counts].values.tolist() == [[0, 5, 15, 20, 0.25]]
    assert documents.by_item_and_insurer(items, payers(), 21).empty


def test_the_insurer_with_most_claims_concerned_comes_before_the_one_with_the_largest_share():
    table = outcomes(claims(20, 0, payer_id="7") + claims(200, 0, 100))
    rows = [(f"c{n}", PLAN, "attested", "absent" if n < 16 else "present") for n in range(20)]
    rows += [(f"c{n + 100}", PLAN, "attested", "absent" if n < 60 else "present")
             for n in range(200)]  # fmt: skip
    shown = documents.by_item_and_insurer(documents.required(told(*rows), table), payers())
    assert shown["insurer"].tolist() == ["Evergreen Health", "Harbor Trust"]
    assert shown["share"].tolist() == [0.3, 0.8]


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

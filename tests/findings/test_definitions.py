"""One practice's claims, its denials counted as others count them."""

from datetime import date

import pytest

from analysis.findings import definitions, unbound_digits
from analysis.reports.parameters import DEFINITIONS
from findings.made_claims import claim, frame, outcomes, payers

MONTH = "2026-08"


def counted(rows, remittances=(), lines=()):
    """Claims to count; remittances are (claim, CLP02, paid)."""
    answers = [
        {"remittance_id": f"r{n}", "payment_id": "t", "file_name": "a", "position": n,
         "source": "x12", "charge_cents": 100, "claim_status_code": status, "paid_cents": paid}
        for n, (_, status, paid) in enumerate(remittances, 1)
    ]  # fmt: skip
    placed = [
        {"record": "remittance", "record_id": f"r{n}", "claim_id": claim_id,
         "match_kind": "control_number", "is_doubtful": False}
        for n, (claim_id, *_) in enumerate(remittances, 1)
    ]  # fmt: skip
    return definitions.claims_to_count(
        outcomes(rows),
        frame("line_outcomes", list(lines)),
        frame("remittances", answers),
        frame("claim_lineage", placed),
        payers(),
        MONTH,
    )


def told(of) -> dict[str, tuple[int, int]]:
    table = definitions.side_by_side(of).set_index("name")
    return {name: (int(row["numerator"]), int(row["n"])) for name, row in table.iterrows()}


def test_a_claim_that_meets_the_deductible_is_refused_only_where_payment_counts():
    of = counted([claim(1, paid_cents=0)], [("c1", "1", 0)])
    rates = told(of)
    assert rates["allowed"] == (0, 1)
    assert rates["paid"] == (1, 1)
    assert rates["zero_paid"] == (1, 1)


def test_a_denial_overturned_is_denied_at_first_and_not_at_last():
    won = claim(1, "denied", final_determination="approved", paid_cents=50, is_corrected=True)
    rates = told(counted([won], [("c1", "4", 0), ("c1", "22", 0), ("c1", "1", 50)]))
    assert (rates["allowed"], rates["allowed_final"]) == ((1, 1), (0, 1))
    # Two remittances of the first insurer, one of which pays nothing; the reversal is none.
    assert rates["zero_paid"] == (1, 2)


@pytest.mark.parametrize(
    ("determination", "kff", "hfma"),
    [
        ("pending", (0, 1), (0, 1)),
        ("rejected", (0, 0), (0, 1)),
        ("denied", (1, 1), (1, 1)),
    ],
)
def test_who_stays_in_the_denominator_differs(determination, kff, hfma):
    rates = told(counted([claim(1, determination)]))
    assert (rates["kff"], rates["hfma"]) == (kff, hfma)
    assert rates["allowed"][1] == (determination == "denied")


def test_one_denied_visit_makes_its_treatment_one_with_a_denial():
    paid = [claim(n, episode_id="e1") for n in range(1, 5)]
    denied = claim(9, "denied", episode_id="e1")
    rates = told(counted([*paid, denied, claim(20, episode_id="e2")]))
    assert rates["episodes"] == (1, 2)
    assert rates["allowed"] == (1, 6)


def test_denied_charges_stand_beside_every_count():
    of = counted([claim(1, charge_cents=30_001), claim(2, "denied", charge_cents=9_999)])
    table = definitions.side_by_side(of).set_index("name")
    assert table.loc["allowed", ["denied_cents", "charge_cents"]].tolist() == [9_999, 40_000]


def line(claim_id, number, determination, cents, final=None):
    return {
        "claim_id": claim_id,
        "line_number": number,
        "charge_cents": cents,
        "allowed_cents": 0,
        "paid_cents": 0,
        "first_determination": determination,
        "final_determination": final or determination,
    }


def test_four_levels_count_lines_claims_treatments_and_dollars():
    rows = [
        claim(1, "partially_approved", episode_id="e1", patient_id="p1"),
        claim(2, "denied", episode_id="e1", patient_id="p1"),
        claim(3, "denied", episode_id="e3") | {"final_determination": "approved"},
        claim(4, "pending", episode_id="e3"),
    ]
    lines = [
        line("c1", 1, "approved", 6_000),
        line("c1", 2, "denied", 4_000),
        line("c2", 1, "denied", 10_000),
        line("c3", 1, "denied", 30_000, final="approved"),
        line("c4", 1, "pending", 10_000),
    ]
    table = definitions.levels(counted(rows, lines=lines))
    assert {row.level: (row.of, row.estimate) for row in table.itertuples()} == {
        "service lines, first": ("4 lines", 1 / 4),
        "claims, first": ("3 claims", 1 / 3),
        "treatments without a denial, first": ("2 treatments", 0),
        "dollars charged, first": ("$500", 0.12),
        "service lines, in the end": ("4 lines", 2 / 4),
        "claims, in the end": ("3 claims", 2 / 3),
        "treatments without a denial, in the end": ("2 treatments", 1 / 2),
        "dollars charged, in the end": ("$500", 0.72),
    }


def test_the_switch_says_how_it_counted_and_from_what():
    rows = [claim(n) for n in range(80)] + [claim(n, "denied") for n in range(100, 120)]
    finding = definitions.chosen(counted(rows), outcomes(rows), "kff")
    assert finding.sentence.startswith("Denied, counted as “as KFF counts insurers' reports”: 20%")
    assert "100 claims" in finding.sentence
    assert "in network" in finding.definition
    assert unbound_digits(finding) == []


def test_every_definition_can_be_chosen():
    assert tuple(definitions.DEFINITIONS) == DEFINITIONS


def test_a_claim_known_from_its_remittance_alone_was_not_sent_by_us():
    alone = claim(1, submitted_date=None, service_date=date(2026, 3, 1))
    assert told(counted([alone]))["hfma"] == (0, 0)

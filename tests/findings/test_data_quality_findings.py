"""Nothing read is lost, and no cent is unexplained."""

from datetime import date

import pandas as pd

from analysis import codes
from analysis.findings import data_quality, unbound_digits
from analysis.schemas import CHECKS
from findings.made_claims import AS_OF, claims, frame, outcomes


def ledger():
    rows = [
        {"file_name": "a.835", "file_hash": "1", "record": "CLP", "position": n,
         "disposition": "accepted"}
        for n in range(1, 6)
    ]  # fmt: skip
    rows += [
        {"file_name": "b.835", "file_hash": "1", "record": "CLP", "position": n,
         "disposition": "duplicate", "duplicate_of": "a.835"}
        for n in range(1, 4)
    ]  # fmt: skip
    rows.append(
        {"file_name": "c.835", "file_hash": "2", "record": "file", "position": 1,
         "disposition": "quarantined", "reason": "not an X12 file; ask for the ERA"}
    )  # fmt: skip
    return frame("row_ledger", rows)


def test_every_record_read_is_kept_a_repeat_or_set_aside():
    finding = data_quality.accounted(ledger(), AS_OF)
    assert finding.sentence == (
        "3 files gave 9 records: 5 kept, 3 already known from another file, 0 telling of no visit,"
        " 1 set aside with a reason."
    )
    kinds = data_quality.by_kind(ledger())
    assert kinds["n"].sum() == finding.denominator
    assert unbound_digits(finding) == []


def test_what_was_set_aside_says_what_to_do():
    aside = data_quality.set_aside(ledger())
    assert aside.to_dict("records") == [
        {"file_name": "c.835", "reason": "not an X12 file; ask for the ERA", "n": 1}
    ]
    assert data_quality.duplicates(ledger())["duplicate_of"].tolist() == ["a.835"]


def _money(deposit):
    payments = frame(
        "payments",
        [{"payment_id": "t1", "file_name": "a.835", "position": 1, "payer_name": "Evergreen",
          "payment_date": date(2026, 3, 1), "deposit_cents": deposit}],
    )  # fmt: skip
    remittances = frame(
        "remittances",
        [
            {"remittance_id": f"r{n}", "payment_id": "t1", "source": "x12", "file_name": "a.835",
             "position": n, "charge_cents": 10_000, "paid_cents": paid}
            for n, paid in enumerate([8_000, -3_000], 1)
        ],
    )  # fmt: skip
    recouped = frame(
        "provider_adjustments",
        [{"provider_adjustment_id": "a1", "payment_id": "t1", "reason_code": "WO",
          "amount_cents": 1_500}],
    )  # fmt: skip
    return data_quality.balances(payments, remittances, recouped)


def test_a_recoupment_outside_the_claims_explains_the_smaller_deposit():
    balance = _money(3_500)
    assert balance["difference_cents"].tolist() == [0]
    assert data_quality.money(balance, ledger(), AS_OF).sentence.startswith(
        "The money adds up: all 1 payment"
    )


def test_a_deposit_that_does_not_add_up_is_named_to_the_dollar():
    finding = data_quality.money(_money(4_700), ledger(), AS_OF)
    assert finding.sentence == (
        "Not equal to their claims less adjustments: 1 payment of 1, by $12 in all; ask the insurer"
        " for the missing pages."
    )


def test_answers_set_aside_are_mended_before_the_insurer_is_asked():
    aside = {"file_name": "a.835", "file_hash": "1", "record": "CLP", "position": 9}
    rows = frame("row_ledger", [aside | {"disposition": "quarantined", "reason": "no charge"}])
    sentence = data_quality.money(_money(4_700), rows, AS_OF).sentence
    assert "1 answer set aside may be what is missing: mend that first" in sentence


def test_a_deposit_that_cannot_be_read_is_not_counted_as_adding_up():
    balance = pd.concat([_money(3_500), _money(None)], ignore_index=True)
    finding = data_quality.money(balance, ledger(), AS_OF)
    assert (finding.numerator, finding.denominator) == (1, 1)
    assert finding.sentence.endswith(
        "$35 deposited in all. Without a legible deposit, so not checked: 1 payment."
    )
    alone = data_quality.money(_money(None), ledger(), AS_OF)
    assert alone.sentence == "Without a legible deposit, so not checked: 1 payment."


def test_answers_without_a_claim_are_counted():
    rows = [
        ("claim_version", "v1", "original", False),
        ("remittance", "r1", "control_number", True),
        ("remittance", "r2", "remittance_only", False),
    ]
    lineage = frame(
        "claim_lineage",
        [
            {"record": record, "record_id": i, "claim_id": i, "match_kind": kind, "is_doubtful": d}
            for record, i, kind, d in rows
        ],
    )
    finding = data_quality.matched(lineage, AS_OF)
    assert finding.sentence == (
        "50% of 2 answers found the claim they answer; without their claim's file: 1; fitting more"
        " than one claim: 1."
    )


def test_no_input_at_all_is_said():
    assert "No payment was found" in data_quality.money(_empty_balance(), ledger(), AS_OF).sentence
    nothing = data_quality.matched(frame("claim_lineage", []), AS_OF)
    assert nothing.sentence == "No insurer's answer was found."


def _empty_balance():
    return data_quality.balances(
        frame("payments", []), frame("remittances", []), frame("provider_adjustments", [])
    )


def test_what_nobody_told_is_counted_as_unknown():
    table = outcomes(claims(3, 0) + claims(1, 0, 9, payer_id=None, condition_group="unknown"))
    unknown = data_quality.unknowns(table, "2026-08").set_index("what")["n_unknown"]
    assert unknown[["insurer", "condition", "patient"]].tolist() == [1, 1, 0]


def _checks(*rows):
    """Table checks of (name, checked, holding)."""
    return frame(
        "checks",
        [
            {"check_name": name, "n_checked": n, "n_holding": holding, "n_unknown": 0}
            for name, n, holding in rows
        ],
    )


def test_checks_that_fail_come_with_what_to_do_and_others_are_only_counted():
    checks = _checks(("deposit", 10, 9), ("line_paid", 40, 40), ("sent_charge", 5, 2))
    finding = data_quality.balanced(checks, AS_OF)
    assert finding.sentence.startswith("4 of 55 checks of counts, sums and answers do not hold, of")
    assert "2 kinds" in finding.sentence
    table = data_quality.by_check(checks)
    assert table["n_off"].tolist() == [3, 1]
    assert table.loc[1, "what_next"].startswith("compare with your bank")


def test_where_everything_agrees_one_sentence_says_so():
    checks = _checks(("deposit", 10, 10))
    assert data_quality.balanced(checks, AS_OF).sentence == (
        "All 10 checks of counts, sums and answers hold."
    )
    assert data_quality.by_check(checks).empty


def test_what_does_not_agree_is_told_to_the_cent_with_its_place():
    table = frame(
        "imbalances",
        [
            {"check_name": "answered_code", "record_id": "l1", "file_name": "a.835",
             "interchange": 1, "segment": 30, "expected": "97124", "found": "97140"},
            {"check_name": "deposit", "record_id": "p1", "file_name": "b.835", "interchange": 1,
             "segment": 4, "expected_cents": 100_001, "found_cents": 100_000,
             "difference_cents": -1},
            {"check_name": "sent_day", "record_id": "v1", "file_name": "c.csv",
             "expected": "a day of service", "found": "none"},
        ],
    )  # fmt: skip
    assert data_quality.off(table)[["place", "expected", "found"]].values.tolist() == [
        ["b.835, segment 4", "$1,000.01", "$1,000.00"],
        ["a.835, segment 30", "97124", "97140"],
        ["c.csv", "a day of service", "none"],
    ]


def test_every_check_has_words_and_an_advice():
    told = {row["check_name"]: row for row in codes.rows("checks")}
    assert list(told) == list(CHECKS)
    assert all(row["label"] and row["what_next"] for row in told.values())

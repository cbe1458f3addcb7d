"""One insurer: chosen by what the files hold, compared fairly, held to its word."""

from datetime import date

import pytest

from analysis.errors import UsageError
from analysis.findings import approval, insurer, unbound_digits
from findings.made_claims import claim, claims, frame, outcomes, payers

MONTH = "2026-08"


def test_the_largest_insurer_is_chosen_unless_one_is_named():
    table = outcomes(claims(5, 0) + claims(9, 0, 50, payer_id="900"))
    assert insurer.chosen(table, payers(), MONTH) == "900"
    assert insurer.chosen(table, payers(), MONTH, "00123") == "00123"


def test_a_misspelt_insurer_is_refused_with_the_nearest_one():
    with pytest.raises(UsageError, match="did you mean '00123'"):
        insurer.chosen(outcomes(claims(5, 0)), payers(), MONTH, "123")


def test_an_insurer_is_compared_with_all_others():
    table = outcomes(claims(100, 100) + claims(180, 20, 300, payer_id="900"))
    finding = insurer.compared(table, payers(), MONTH, "00123")
    assert finding.sentence.startswith(
        "Evergreen Health: 50% of claims approved at the first answer (43 to 57), 200 claims"
    )
    assert "all other insurers together 90%" in finding.sentence
    assert finding.sentence.endswith("approves less often than the others, by more than chance"
                                     " explains.")  # fmt: skip
    assert unbound_digits(finding) == []


def test_the_only_insurer_is_not_compared():
    finding = insurer.compared(outcomes(claims(150, 50)), payers(), MONTH, "00123")
    assert "75%" in finding.sentence
    assert "all other insurers" not in finding.sentence
    assert finding.sentence.endswith("too few claims of other insurers to compare.")


def test_a_scorecard_and_the_table_of_insurers_agree():
    # Twelve insurers alike: one comparison at a time would name the luckiest.
    rows = [row for n in range(11) for row in claims(85, 15, n * 200, payer_id=f"{n}x")]
    table = outcomes(rows + claims(92, 8, 9000, payer_id="00123"))
    finding = insurer.compared(table, payers(), MONTH, "00123")
    assert finding.sentence.endswith("No difference from the others is shown.")
    shown = approval.by(table, payers(), MONTH, ["payer_id"]).set_index("payer_id").loc["00123"]
    assert (finding.lower, finding.upper) == (shown["lower"], shown["upper"])


def test_a_sentence_quoted_alone_names_the_insurer_also_where_it_states_nothing():
    table = outcomes(claims(3, 0) + claims(50, 5, 100, payer_id="900"))
    said = [
        insurer.compared(table, payers(), MONTH, "00123"),
        insurer.waiting(table, payers(), MONTH, "00123"),
    ]
    assert said[0].sentence.startswith("Evergreen Health: too few claims to give a rate")
    assert said[1].sentence.startswith("Evergreen Health: half of the claims")


def call(number, day, **said):
    return {"benefit_call_id": f"b{number}", "file_name": "a.csv", "position": number,
            "call_date": day, "payer_id": "00123", "patient_id": "p1", **said}  # fmt: skip


def test_a_denial_for_what_was_ruled_out_on_the_phone_counts_against_the_insurer():
    calls = frame(
        "benefit_calls",
        [call(1, date(2026, 2, 1), is_authorization_required=False,
              written_confirmation_date=date(2026, 2, 9))],
    )  # fmt: skip
    table = outcomes(
        [
            claim(1, "denied"),
            claim(2, "denied", patient_id="p1", denial_category="documentation"),
            claim(3, "denied", patient_id="p9"),
            claim(4, "denied", patient_id="p1", submitted_date=date(2026, 1, 5)),
        ]
    )
    said = insurer.said_and_done(calls, table, MONTH, "00123").set_index("said")
    row = said.loc["no authorization needed"]
    assert row[["n_calls", "n_in_writing", "n", "n_against"]].tolist() == [1, 1, 2, 1]
    assert said.loc["massage is covered", "n_calls"] == 0
    finding = insurer.broken_promises(calls, table, payers(), MONTH, "00123")
    assert finding.sentence.startswith(
        "Evergreen Health: of 2 claims answered after a recorded call"
    )
    assert finding.sentence.endswith("ruled out on the phone: 1.")


def test_a_later_call_replaces_what_was_said_before():
    calls = frame(
        "benefit_calls",
        [
            call(1, date(2026, 1, 1), is_authorization_required=False),
            call(2, date(2026, 2, 1), is_authorization_required=True),
        ],
    )
    said = insurer.said_and_done(calls, outcomes([claim(1, "denied")]), MONTH, "00123")
    assert said["n_against"].sum() == 0


def test_what_was_said_more_than_a_year_ago_binds_nobody():
    calls = frame("benefit_calls", [call(1, date(2025, 2, 28), is_authorization_required=False)])
    said = insurer.said_and_done(calls, outcomes([claim(1, "denied")]), MONTH, "00123")
    assert said["n"].sum() == 0


def test_no_recorded_call_is_said():
    table = outcomes(claims(50, 5))
    finding = insurer.broken_promises(frame("benefit_calls", []), table, payers(), MONTH, "00123")
    assert finding.sentence.startswith("Evergreen Health: no claim was answered after a")

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


def after(number, result, said="no_authorization", **stated):
    """A row of call_outcomes: claim `number` after call b1."""
    return {"benefit_call_id": "b1", "claim_id": f"c{number}", "said": said, "payer_id": "00123",
            "patient_id": f"p{number}", "call_date": date(2026, 2, 1),
            "service_date": date(2026, 3, 1), "is_in_writing": False,
            "result": result, **stated}  # fmt: skip


def test_a_denial_for_what_was_ruled_out_on_the_phone_counts_against_the_insurer():
    calls = frame(
        "call_outcomes",
        [
            after(1, "broken", is_in_writing=True),
            after(2, "kept", benefit_call_id="b2"),
            after(2, "kept", "covered", benefit_call_id="b2"),
            after(3, "cannot_tell"),
            after(50, "broken", payer_id="900"),
        ],
    )
    table = outcomes(
        [claim(1, "denied"), claim(2), claim(3, "denied"), claim(50, "denied", payer_id="900")]
    )
    said = insurer.said_and_done(calls, table, MONTH, "00123").set_index("said")
    counts = ["n_calls", "n_in_writing", "n_kept", "n_broken", "n_cannot_tell"]
    assert said.loc["no authorization needed", counts].tolist() == [2, 1, 1, 1, 1]
    assert said.loc["massage is covered", counts].tolist() == [1, 0, 1, 0, 0]
    assert said.loc["no referral needed", counts].tolist() == [0] * 5
    assert set(said["refusal"]) == {"too few claims"}
    finding = insurer.broken_promises(calls, table, payers(), MONTH, "00123")
    assert finding.sentence.startswith(
        "Evergreen Health: of 2 claims whose answer can be held against a recorded call"
    )
    assert finding.sentence.endswith("phone: 1 (1 of them with a written confirmation).")
    assert unbound_digits(finding) == []


def test_the_share_broken_leaves_out_what_cannot_be_told():
    rows = [after(n, "broken" if n < 10 else "kept") for n in range(100)]
    rows += [after(n, "cannot_tell") for n in range(100, 200)]
    table = outcomes(claims(200, 0))
    said = insurer.said_and_done(frame("call_outcomes", rows), table, MONTH, "00123")
    row = said.set_index("said").loc["no authorization needed"]
    assert row["estimate"] == pytest.approx(0.1)
    assert row["lower"] < 0.1 < row["upper"]


def test_a_claim_sent_after_the_month_is_not_counted_yet():
    table = outcomes([claim(1, "denied", submitted_date=date(2026, 9, 1))])
    said = insurer.said_and_done(
        frame("call_outcomes", [after(1, "broken")]), table, MONTH, "00123"
    )
    assert said["n_broken"].sum() == 0


def test_no_recorded_call_is_said():
    table = outcomes(claims(50, 5))
    finding = insurer.broken_promises(frame("call_outcomes", []), table, payers(), MONTH, "00123")
    assert finding.sentence.startswith("Evergreen Health: no claim can be held against a recorded")

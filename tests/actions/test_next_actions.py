"""What to do next, told as claim histories: one action each, the reason, and until when."""

from datetime import date, timedelta

from analysis import codes, tables
from analysis.actions import next_actions
from analysis.outcomes import outcomes
from stories import reader

AS_OF = date(2026, 6, 30)
SENT = {"sent": "C1", "on": "2026-05-04", "service": "2026-05-01", "lines": "97124 100.00"}
UPHELD = {
    "filed_date": date(2026, 5, 25),
    "decision_date": date(2026, 6, 20),
    "outcome": "upheld",
}


def answer(lines, claim="C1", level=""):
    return {
        "answered": claim,
        "status": "1",
        "on": "2026-05-20",
        "service": "2026-05-01",
        "insurer's number": f"ICN-{claim}",
        "lines": lines,
        "claim level": level,
    }


def refused(said, **more):
    return answer(f"97124 100.00 paid 0 {said}", **more)


def actions_of(sent, answers, appeals=(), policies=(), kind="commercial_unspecified"):
    """Rows of next_actions by control number, read on 30 June 2026 by a practice in Washington."""
    story = reader.Story("", sent=list(sent), answered=list(answers))
    inputs = reader.placed([story], mark="")
    payer = {"payer_id": "A", "payer_name": "A", "payer_type": kind}
    payer |= {"payer_type_source": "practice", "network_status": "in"}
    made = inputs | {"payers": tables.from_rows("payers", [payer])}
    made |= {"appeals": records("appeals", "appeal_id", appeals)}
    made |= outcomes(made, AS_OF)
    made |= {"policies": records("policies", "policy_id", policies)}
    numbers = {
        row["claim_id"]: row["patient_control_number"] for row in made["claim_outcomes"].to_pylist()
    }
    rows = next_actions(made, "WA").to_pylist()
    return {numbers[row["claim_id"]]: row for row in rows}


def records(name, key, rows):
    plain = {"file_name": "kept.csv", "payer_id": "A", "patient_control_number": "C1", "level": "1"}
    known = tables.arrow_schema(name).names
    kept = [
        {k: v for k, v in plain.items() if k in known} | {key: f"{n}", "position": n} | row
        for n, row in enumerate(rows, 1)
    ]
    return tables.from_rows(name, kept) if kept else tables.arrow_schema(name).empty_table()


def next_of(*answers, sent=(SENT,), **more):
    """The row for one claim, sent on 4 May 2026 for a visit on the 1st."""
    [row] = actions_of(sent, answers, **more).values()
    return row


# ---- what is not offered ----------------------------------------------------------------


def test_an_approved_claim_is_settled_also_when_all_went_to_the_deductible():
    row = next_of(refused("PR-1 60.00 CO-45 40.00"))
    assert (row["state"], row["why"], row["action"]) == ("settled", "approved", None)
    assert row["refused_charge_cents"] == 0


def test_a_contract_reduction_alone_is_settled_and_no_denial():
    row = next_of(refused("CO-45 100.00"))
    assert (row["state"], row["why"], row["action"]) == ("settled", "contract_only", "post")


def test_a_claim_without_an_answer_waits_within_the_usual_time():
    row = next_of()
    assert (row["state"], row["why"], row["deadline_date"]) == ("waiting", "usual_time", None)


def test_a_claim_without_an_answer_for_longer_than_usual_is_asked_about():
    early = SENT | {"on": "2026-03-09", "service": "2026-03-06"}
    row = next_of(sent=[early])
    assert (row["state"], row["why"], row["action"]) == ("to_do", "no_answer", "ask_insurer")
    # 90 days from the visit are over: what the insurer has in hand runs against no clock.
    assert row["deadline_date"] is None


def test_an_appeal_that_was_filed_waits_for_its_answer():
    filed = {"filed_date": date(2026, 6, 1), "outcome": "pending"}
    row = next_of(refused("CO-50 100.00"), appeals=[filed])
    assert (row["state"], row["why"], row["action"]) == ("waiting", "appeal_filed", None)


def test_a_correction_that_was_sent_waits_for_its_answer():
    again = SENT | {"frequency": "7", "replaces": "ICN1", "on": "2026-06-10"}
    row = next_of(refused("CO-4 100.00"), sent=[SENT | {"frequency": "1", "replaces": ""}, again])
    assert (row["state"], row["why"]) == ("waiting", "correction_sent")


def test_a_voided_claim_is_settled():
    void = SENT | {"frequency": "8", "replaces": "ICN1", "on": "2026-06-10"}
    row = next_of(sent=[SENT | {"frequency": "1", "replaces": ""}, void])
    assert (row["state"], row["why"]) == ("settled", "voided")


# ---- the order of decision --------------------------------------------------------------


REASONS = {
    # No appeal is advised where a remark forbids it, whatever the reason code says.
    "CO-50 100.00 N211": ("correct", "no_appeal_right"),
    "CO-50 100.00 MA44": ("correct", "no_appeal_right"),
    "CO-18 100.00 N111": ("check_first_claim", "no_appeal_right"),
    "CO-22 100.00 N211": ("rebill", "no_appeal_right"),
    "CO-197 100.00 N704": ("correct", "no_appeal_right"),
    "CO-22 100.00": ("rebill", "cob_other_payer"),
    "CO-4 100.00": ("correct", "coding_bundling"),
    "CO-16 100.00 M76": ("correct", "missing_info"),
    "CO-16 100.00 N706": ("send_records", "documentation"),
    "CO-252 100.00 N716": ("send_records", "documentation"),
    "CO-50 100.00": ("appeal", "medical_necessity"),
    "CO-197 100.00": ("appeal", "authorization"),
    "CO-284 100.00": ("correct", "authorization"),
    "CO-29 100.00": ("appeal", "timely_filing"),
    "PR-119 100.00": ("check_plan", "benefit_limit"),
    "PR-204 100.00": ("check_plan", "non_covered"),
    "CO-185 100.00": ("check_contract", "provider_network"),
    "PR-27 100.00": ("check_coverage", "eligibility"),
    "CO-777 100.00": ("ask_insurer", "unmapped"),
}


def test_the_reason_decides_the_action():
    claims = {f"C{n}": said for n, said in enumerate(REASONS, 1)}
    sent = [SENT | {"sent": claim, "patient": claim} for claim in claims]
    made = actions_of(sent, [refused(said, claim=claim) for claim, said in claims.items()])
    for claim, said in claims.items():
        row, (action, reason) = made[claim], REASONS[said]
        assert (row["state"], row["action"]) == ("to_do", action), said
        assert reason in (row["why"], row["category"]), said


def test_what_could_not_be_processed_is_sent_anew():
    row = next_of(refused("CO-16 100.00 MA130"))
    assert (row["state"], row["why"], row["action"]) == ("to_do", "rejected", "new_claim")
    assert row["deadline_date"] == date(2026, 7, 30)


def test_of_several_reasons_the_one_to_be_cleared_first_decides():
    two = SENT | {"lines": "97124 100.00; 97140 50.00"}
    row = next_of(
        answer("97124 100.00 paid 0 CO-50 100.00; 97140 50.00 paid 0 CO-4 50.00"), sent=[two]
    )
    # An appeal against a claim that carries a wrong modifier would be turned away.
    assert (row["action"], row["reason_code"]) == ("correct", "4")


def test_of_a_partly_approved_claim_only_the_refused_part_is_at_stake():
    two = SENT | {"lines": "97124 100.00; 97140 50.00"}
    row = next_of(
        answer("97124 100.00 paid 60.00 CO-45 40.00; 97140 50.00 paid 0 CO-97 50.00"), sent=[two]
    )
    assert (row["state"], row["action"], row["refused_charge_cents"]) == ("to_do", "correct", 5000)


def test_the_remark_names_the_document():
    assert next_of(refused("CO-252 100.00 N706"))["item_id"] == "unspecified"
    assert next_of(refused("CO-151 100.00 N224"))["item_id"] == "D10_progress_report"


def test_a_pended_claim_whose_insurer_asks_for_records_is_not_left_to_wait():
    row = next_of(refused("OA-133 100.00 N716"))
    assert (row["why"], row["action"]) == ("records_requested", "send_records")


def test_a_lost_appeal_leads_to_the_next_level_and_the_last_one_ends():
    row = next_of(refused("CO-50 100.00"), appeals=[UPHELD])
    assert (row["why"], row["action"]) == ("appeal_lost", "next_appeal")
    # The clock of the next level runs from the decision.
    assert row["deadline_date"] == date(2026, 6, 20) + timedelta(days=180)
    row = next_of(refused("CO-50 100.00"), appeals=[UPHELD | {"level": "external"}])
    assert (row["state"], row["why"]) == ("settled", "appeals_used_up")


def test_an_appeal_won_but_not_paid_is_asked_about():
    won = UPHELD | {"outcome": "overturned"}
    row = next_of(refused("CO-50 100.00"), appeals=[won])
    assert (row["why"], row["action"]) == ("appeal_won_unpaid", "ask_insurer")


# ---- deadlines --------------------------------------------------------------------------


LETTER = {"deadline_date": date(2026, 7, 9), "deadline_source": "letter"}
CONTRACT = {"rule": "appeal_days", "value": 60.0}


def test_the_letter_rules_over_the_contract_and_the_contract_over_what_is_usual():
    denied = refused("CO-50 100.00")
    row = next_of(denied, appeals=[LETTER], policies=[CONTRACT])
    assert (row["deadline_date"], row["deadline_source"]) == (date(2026, 7, 9), "letter")
    row = next_of(denied, policies=[CONTRACT])
    assert (row["deadline_date"], row["deadline_source"]) == (date(2026, 7, 19), "contract")
    row = next_of(denied)
    assert (row["deadline_date"], row["deadline_source"]) == (date(2026, 11, 16), "default")


def test_where_nobody_knows_the_time_the_shortest_counts():
    stated = [row["first_appeal_days"] for row in codes.rows("payer_types")]
    shortest = min(int(days) for days in stated if days)
    row = next_of(refused("CO-50 100.00"), kind="unknown")
    assert row["deadline_date"] == date(2026, 5, 20) + timedelta(days=shortest)


def test_a_correction_is_due_within_timely_filing_unless_the_contract_counts_from_the_answer():
    wrong = refused("CO-4 100.00")
    assert next_of(wrong)["deadline_date"] == date(2026, 7, 30)
    filing = {"rule": "timely_filing_days", "value": 365.0}
    assert next_of(wrong, policies=[filing])["deadline_date"] == date(2027, 5, 1)
    correction = {"rule": "correction_days", "value": 60.0}
    row = next_of(wrong, policies=[filing, correction])
    assert (row["deadline_date"], row["deadline_source"]) == (date(2026, 7, 19), "contract")


def test_a_rule_of_another_state_or_another_year_does_not_count():
    elsewhere = CONTRACT | {"state": "OR"}
    ended = CONTRACT | {"effective_to": date(2026, 1, 1)}
    row = next_of(refused("CO-50 100.00"), policies=[elsewhere, ended])
    assert row["deadline_source"] == "default"


# ---- the reference ----------------------------------------------------------------------


def test_every_first_action_of_a_refusing_code_leads_somewhere():
    known = {word for row in codes.rows("next_actions") for word in row["first_actions"].split(";")}
    asked = {
        row["first_action"] for row in codes.rows("carc") if row["is_denial"] in ("yes", "depends")
    }
    assert asked <= known


def test_every_kind_of_reason_leads_to_one_action():
    listed = ";".join(row["categories"] for row in codes.rows("next_actions") if row["categories"])
    assert sorted(listed.split(";")) == sorted(
        row["category"] for row in codes.rows("denial_categories")
    )

"""Key figures: counted as billers do, and called news only where chance cannot explain them."""

from datetime import date

import pytest

from analysis.findings import performance, unbound_digits
from findings.made_claims import AS_OF, claim, claims, outcomes

MONTH = "2026-08"
NOW = {"first_determination_date": date(2026, 8, 10)}
BEFORE = {"first_determination_date": date(2026, 3, 10)}


def figures(rows):
    return performance.key_figures(outcomes(rows), MONTH).set_index("measure")


def test_the_denial_rate_counts_first_answers_of_the_month():
    rows = claims(30, 10, **NOW) + claims(90, 10, 100, **BEFORE)
    later = claims(0, 50, 300, first_determination_date=date(2026, 9, 2))
    figure = figures(rows + later).loc["Initial denial rate"]
    assert (figure["n_counted"], figure["n"]) == (10, 40)
    assert (figure["estimate"], figure["usual"]) == (0.25, 0.1)
    assert figure["lower"] < 0.25 < figure["upper"]
    assert figure["verdict"] == performance.HIGHER


def test_noise_is_no_news_and_few_claims_tell_nothing():
    rows = claims(17, 3, **NOW) + claims(90, 10, 100, **BEFORE)
    assert figures(rows).loc["Initial denial rate", "verdict"] == performance.NO_NEWS
    few = claims(2, 2, **NOW) + claims(90, 10, 100, **BEFORE)
    figure = figures(few).loc["Initial denial rate"]
    assert figure["verdict"] == performance.TOO_FEW
    assert figure["estimate"] != figure["estimate"] or figure["estimate"] is None
    assert figure["n"] == 4


def test_the_first_pass_leaves_out_cut_claims_and_those_sent_twice():
    cut = [claim(50, "partially_approved", **NOW)]
    twice = [claim(51, "approved", n_versions=2, **NOW)]
    figure = figures(claims(10, 3, **NOW) + cut + twice).loc["First-pass rate"]
    assert (figure["n_counted"], figure["n"]) == (10, 15)


def test_a_denied_claim_that_was_corrected_later_was_clean_when_sent():
    denied = [claim(50, "denied", n_versions=2, **NOW)]
    rejected = [claim(51, "rejected", submitted_date=date(2026, 8, 3))]
    elsewhere = [claim(52, "rejected", submitted_date=date(2026, 7, 3))]
    rows = claims(12, 0, **NOW) + denied + rejected + elsewhere
    figure = figures(rows).loc["Clean-claim rate"]
    assert (figure["n_counted"], figure["n"]) == (13, 14)


def test_days_in_receivables_weigh_open_charges_by_usual_work():
    sent = {"submitted_date": date(2026, 8, 1), "charge_cents": 9_000}
    rows = claims(9, 0, **sent, **NOW)
    rows += [claim(50, "pending", **sent)]
    # Answered after the month: with the insurer at its end. Voided and rejected: not.
    rows += [claim(51, "approved", first_determination_date=date(2026, 9, 5), **sent)]
    rows += [claim(52, "voided", **sent), claim(53, "rejected", **sent)]
    finding = performance.days_in_receivables(outcomes(rows), MONTH)
    assert finding.denominator == 2
    assert (finding.values["charged"], finding.values["sent"]) == (18_000, 117_000)
    assert "14 days of work" in finding.sentence
    assert unbound_digits(finding) == []


def test_net_collection_is_what_insurers_paid_of_what_they_owe():
    paid = {"allowed_cents": 8_000, "patient_responsibility_cents": 2_000}
    # A second insurer's payment of the patient's share does not count for the first.
    rows = claims(8, 0, paid_cents=6_000, **paid) + claims(1, 0, 50, paid_cents=8_000, **paid)
    rows += claims(0, 1, 100)
    finding = performance.net_collection(outcomes(rows), MONTH)
    assert (finding.values["paid"], finding.values["lost"]) == (54_000, 8_000)
    assert finding.values["due"] == 62_000
    assert unbound_digits(finding) == []


def test_a_month_without_enough_answers_leaves_a_gap():
    rows = claims(20, 5, **NOW) + claims(3, 0, 100, first_determination_date=date(2026, 7, 2))
    table = performance.by_month(outcomes(rows), MONTH)
    assert table["month"].tolist()[-2:] == ["2026-07", "2026-08"]
    assert len(table) == 13
    assert table["n"].tolist()[-2:] == [3, 25]
    assert table["estimate"].isna().tolist()[-2:] == [True, False]
    assert table["estimate"].iloc[-1] == pytest.approx(0.2)


def test_a_practice_without_answers_has_figures_that_say_nothing():
    table = outcomes([claim(1, "pending", submitted_date=AS_OF)])
    assert set(performance.key_figures(table, MONTH)["verdict"]) == {performance.TOO_FEW}
    assert performance.by_month(table, MONTH)["n"].sum() == 0
    assert performance.net_collection(table, MONTH).estimate is None

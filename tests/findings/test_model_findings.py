"""The model beside what it must beat, and refusals where it cannot be judged."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis.findings import model, unbound_digits
from findings.made_claims import claims, frame, outcomes, payers


def evaluation(*rows, kind="overall", value="all"):
    return frame(
        "evaluation",
        [
            {"model": name, "group_kind": kind, "group_value": value, "metric": metric,
             "value": v, "lower": lower, "upper": upper, "n_claims": 400}
            for name, metric, v, lower, upper in rows
        ],
    )  # fmt: skip


def predicted(chances, approved, name=model.MODEL):
    return [
        {"claim_id": f"c{n}", "model": name, "approval_probability": float(chance),
         "is_approved": bool(said), "split_date": date(2026, 1, 1)}
        for n, (chance, said) in enumerate(zip(chances, approved, strict=True))
    ]  # fmt: skip


TABLE = outcomes(claims(170, 30))
TRUTH = [True] * 170 + [False] * 30
SCOPE = model.scope(frame("predictions", predicted([0.5] * 200, TRUTH)), TABLE)


def test_ranking_is_said_beside_what_a_coin_would_reach():
    table = evaluation((model.MODEL, "auc", 0.72, 0.66, 0.78))
    finding = model.ranking(table, SCOPE)
    assert "72% of the time (66 to 78; a coin would reach 50)" in finding.sentence
    assert finding.period == "submitted from 1 January 2026 to 1 March 2026"
    assert unbound_digits(finding) == []


@pytest.mark.parametrize(
    ("lower", "upper", "said"),
    [(0.4, 0.8, "too bold"), (0.8, 1.3, "in keeping"), (1.1, 1.9, "too timid")],
)
def test_calibration_slope_is_put_into_words(lower, upper, said):
    table = evaluation((model.MODEL, "calibration_slope", (lower + upper) / 2, lower, upper))
    assert said in model.trust(table, SCOPE).sentence


@pytest.mark.parametrize(
    ("chances", "raw", "said"),
    [
        (np.where(TRUTH, 0.95, 0.4), [0.85] * 200, "was better than"),
        ([0.85] * 200, np.where(TRUTH, 0.95, 0.4), "was worse than"),
        ([0.85] * 200, [0.85] * 200, "was not clearly better than"),
    ],
)
def test_the_model_must_earn_its_place_beside_raw_rates(chances, raw, said):
    rows = predicted(chances, TRUTH) + predicted(raw, TRUTH, "cell_rate")
    finding = model.beside(frame("predictions", rows), TABLE, SCOPE)
    assert said in finding.sentence
    assert finding.denominator == 200


def test_a_plain_logistic_regression_as_good_is_said_so():
    rows = predicted([0.85] * 200, TRUTH) + predicted([0.85] * 200, TRUTH, model.ONE_HOT)
    finding = model.beside(frame("predictions", rows), TABLE, SCOPE, model.ONE_HOT)
    assert "not clearly better than the one-hot logistic regression" in finding.sentence
    assert unbound_digits(finding) == []


@pytest.mark.parametrize(
    ("chances", "said"),
    [(np.where(TRUTH, 0.95, 0.4), "Signal found"), ([0.85] * 200, "No signal found")],
)
def test_signal_is_what_beats_the_overall_rate_clearly(chances, said):
    rows = predicted(chances, TRUTH) + predicted([0.85] * 200, TRUTH, model.BASE)
    finding = model.signal(frame("predictions", rows), TABLE, SCOPE)
    assert finding.sentence.startswith(said)
    assert finding.denominator == 200
    assert unbound_digits(finding) == []


@pytest.mark.parametrize(
    ("trees", "said"), [(np.where(TRUTH, 0.95, 0.4), "misses something"), ([0.85] * 200, "not cl")]
)
def test_trees_that_know_more_tell_that_the_form_lacks_something(trees, said):
    rows = predicted([0.85] * 200, TRUTH) + predicted(trees, TRUTH, model.TREES)
    finding = model.structure(frame("predictions", rows), TABLE, SCOPE)
    assert said in finding.sentence
    assert unbound_digits(finding) == []


def test_every_prediction_stands_in_one_row_and_one_chance_for_all_ranks_nobody():
    table = evaluation(
        (model.BASE, "auc", 0.5, 0.5, 0.5),
        (model.BASE, "brier", 0.16, 0.12, 0.2),
        (model.MODEL, "auc", 0.72, 0.66, 0.78),
        (model.MODEL, "brier", 0.1, 0.05, 0.2),
    )
    shown = model.metrics(table)
    assert shown["model"].tolist() == ["approval model", "overall rate"]
    assert shown["brier"].tolist() == ["0.100 (0.050 to 0.200)", "0.160 (0.120 to 0.200)"]
    assert shown["auc"].isna().tolist() == [False, True]


def test_cells_stand_from_the_emptiest_to_the_fullest():
    sizes = ("over 50", "0", "11 to 50", "1 to 10")
    table = pd.concat(
        evaluation((model.MODEL, "brier", 0.1, 0.05, 0.2), kind="cell_size", value=value)
        for value in sizes
    )
    rows = model.by_group(table, payers())
    assert rows["group"].tolist() == [
        f"{size} known claims" for size in ("0", "1 to 10", "11 to 50", "over 50")
    ]
    assert set(rows["brier"]) == {"0.10 (0.05 to 0.20)"}


def test_calibration_compares_predicted_with_observed_in_equal_parts():
    draw = np.random.default_rng(2)
    chances = draw.uniform(0.5, 1, 200)
    approved = draw.random(200) < chances
    table = model.calibration(frame("predictions", predicted(chances, approved)), TABLE)
    assert table["n"].tolist() == [20] * 10
    assert table["predicted"].is_monotonic_increasing
    assert (
        (table["lower"] <= table["predicted"]) & (table["predicted"] <= table["upper"])
    ).sum() >= 8


def test_no_model_is_an_answer():
    empty, none = frame("evaluation", []), frame("predictions", [])
    scope = model.scope(none, TABLE)
    for finding in (
        model.ranking(empty, scope),
        model.trust(empty, scope),
        model.beside(none, TABLE, scope),
        model.signal(none, TABLE, scope),
        model.structure(none, TABLE, scope),
    ):
        assert finding.estimate is None
        assert finding.sentence.startswith("Too few answered claims")
    assert model.calibration(none, TABLE).empty
    assert model.metrics(empty).empty


def test_a_refused_model_says_what_is_missing_and_what_was_left_out():
    undated = outcomes(claims(3, 0, submitted_date=None, service_date=date(2026, 3, 1)))
    design = {"refused": "no approval model: denied claims: 4, at least 20 needed"}
    finding = model.unjudged(design, frame("predictions", []), undated, SCOPE)
    assert finding.sentence == (
        "There is no approval model: denied claims: 4, at least 20 needed. 3 answered claims of all"
        " months have no day of submission and are left out."
    )
    assert unbound_digits(finding) == []


@pytest.mark.parametrize(("n_denied", "is_judged"), [(10, False), (11, True)])
def test_a_model_tested_on_few_denials_is_not_praised(n_denied, is_judged):
    approved = np.arange(60) >= n_denied
    rows = predicted(np.where(approved, 0.9, 0.2), approved)
    finding = model.unjudged({}, frame("predictions", rows), TABLE, SCOPE)
    assert (finding is None) == is_judged
    if finding is not None:
        assert "50 of 60 later claims approved" in finding.sentence
        assert unbound_digits(finding) == []


def test_a_model_that_no_period_has_tested_yet_is_said_to_be_untested():
    finding = model.unjudged({}, frame("predictions", []), TABLE, SCOPE)
    assert "no test period with claims of new patients has ended" in finding.sentence
    assert unbound_digits(finding) == []


def test_a_group_too_small_to_be_judged_shows_its_claims_and_no_value():
    table = evaluation((model.MODEL, "brier", None, None, None), kind="payer", value="900")
    rows = model.by_group(table, payers())
    assert rows[["group_kind", "group", "n_claims"]].values.tolist() == [
        ["insurer", "Cascade Auto", 400]
    ]
    assert rows[list(model.METRICS)].isna().all(axis=None)

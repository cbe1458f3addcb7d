import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from analysis import tables
from analysis.models import evaluation
from analysis.models.evaluation import evaluate


def predicted(n_claims=400, *, patients=None, seed=3, **columns):
    """Claims whose chances are right; two insurers, one of them with 12 claims."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.05, 0.95, n_claims).round(2)
    frame = pd.DataFrame(
        {
            "model": "one_hot_logistic",
            "patient": [f"p{i % (patients or n_claims)}" for i in range(n_claims)],
            "approval_probability": chance,
            "is_approved": rng.random(n_claims) < chance,
            "payer_type": "auto_PIP",
            "payer_id": ["small" if i < 12 else "large" for i in range(n_claims)],
            "condition_group": "neck_pain",
            "cell_size": "over 50",
        }
    )
    return frame.assign(**columns)


def measured(frame, n_resamples=100, seed=0):
    table = evaluate(frame, n_resamples, seed)
    assert tables.problems("evaluation", table) == []
    return {(r["group_kind"], r["group_value"], r["metric"]): r for r in table.to_pylist()}


def test_values_agree_with_the_textbook_implementations():
    frame = predicted()
    chance, approved = frame["approval_probability"], frame["is_approved"]
    logit = np.log(chance / (1 - chance)).to_numpy()[:, None]
    line = LogisticRegression(C=np.inf, tol=1e-10).fit(logit, approved)
    expected = {
        "log_loss": sklearn_log_loss(approved, chance),
        "brier": brier_score_loss(approved, chance),
        "auc": roc_auc_score(approved, chance),
        "calibration_slope": line.coef_[0, 0],
    }
    rows = measured(frame)
    for metric, value in expected.items():
        assert rows[("overall", "all", metric)]["value"] == pytest.approx(value, rel=1e-5)


def test_a_weighted_column_counts_a_claim_as_often_as_its_weight():
    frame = predicted(60)
    weights = np.random.default_rng(1).integers(0, 3, len(frame))
    repeated = frame.loc[frame.index.repeat(weights)]
    chance, approved = (
        frame["approval_probability"].to_numpy(),
        frame["is_approved"].to_numpy(float),
    )
    for measure in evaluation.METRICS.values():
        weighted = measure(chance, approved, weights[:, None].astype(float))
        again = measure(
            repeated["approval_probability"].to_numpy(),
            repeated["is_approved"].to_numpy(float),
            np.ones((len(repeated), 1)),
        )
        assert weighted == pytest.approx(again, rel=1e-8)


def test_right_chances_are_calibrated_and_exaggerated_ones_are_not():
    right = predicted(3000)
    rows = measured(right)
    assert covers(rows[("overall", "all", "calibration_slope")], 1)
    assert covers(rows[("overall", "all", "calibration_intercept")], 0)
    logit = np.log(right["approval_probability"] / (1 - right["approval_probability"]))
    exaggerated = measured(right.assign(approval_probability=1 / (1 + np.exp(-2 * logit))))
    slope = exaggerated[("overall", "all", "calibration_slope")]
    assert slope["value"] == pytest.approx(0.5, abs=0.1)
    assert slope["upper"] < 1


def test_too_low_chances_have_an_intercept_above_zero():
    frame = predicted(3000)
    logit = np.log(frame["approval_probability"] / (1 - frame["approval_probability"]))
    rows = measured(frame.assign(approval_probability=1 / (1 + np.exp(1 - logit))))
    assert rows[("overall", "all", "calibration_intercept")]["lower"] > 0


def test_random_labels_have_an_auc_interval_around_one_half():
    rng = np.random.default_rng(5)
    frame = predicted(1000, is_approved=rng.random(1000) < 0.8)
    assert covers(measured(frame)[("overall", "all", "auc")], 0.5)


def test_claims_of_few_patients_tell_less_than_as_many_of_many():
    once = predicted(60)
    # Every patient's claim ten times over: ten times the rows and no more knowledge.
    tenfold = pd.concat([once] * 10, ignore_index=True)
    few = measured(tenfold)[("overall", "all", "brier")]
    many = measured(predicted(600))[("overall", "all", "brier")]
    assert few["upper"] - few["lower"] > 2 * (many["upper"] - many["lower"])


def test_a_group_of_ten_claims_is_named_with_its_count_and_no_value():
    frame = predicted(50)
    rows = measured(frame.assign(payer_id=["tiny" if i < 10 else "large" for i in range(50)]))
    row = rows[("payer", "tiny", "log_loss")]
    assert (row["value"], row["lower"], row["upper"]) == (None, None, None)
    assert row["n_claims"] == 10


def test_one_class_carries_no_auc_and_no_calibration():
    rows = measured(predicted(40, is_approved=True))
    assert rows[("overall", "all", "brier")]["value"] is not None
    for metric in ("auc", "calibration_slope", "calibration_intercept"):
        assert rows[("overall", "all", metric)]["value"] is None


def test_chances_that_separate_the_outcomes_have_no_slope():
    frame = predicted(40)
    rows = measured(frame.assign(is_approved=frame["approval_probability"] > 0.5))
    assert rows[("overall", "all", "calibration_slope")]["value"] is None
    assert rows[("overall", "all", "auc")]["value"] == 1


@pytest.mark.parametrize("drawn", [[11], [2, 13]], ids=["one claim", "both answers, one chance"])
def test_a_resample_of_one_chance_has_no_slope_whatever_rounding_leaves(drawn):
    chances = [0.5603, 0.7416, 0.5978, 0.8749, 0.4999, 0.932, 0.6281, 0.7887, 0.5929, 0.8825]
    chance = np.array([*chances, 0.8202, 0.7348, 0.9755, 0.5978])
    approved = np.array([1.0] * 13 + [0.0])
    approved[[3, 9]] = 0
    counts = np.zeros((len(chance), 20))
    counts[drawn] = np.arange(1, 21)
    slopes = evaluation.calibration_slope(
        chance, approved, np.column_stack([np.ones(len(chance)), counts])
    )
    assert np.isfinite(slopes[0])
    assert np.isnan(slopes[1:]).all()


def test_a_value_whose_interval_cannot_be_had_is_not_told():
    # One denied claim: a third of the resamples miss its patient.
    frame = predicted(30, is_approved=[i > 0 for i in range(30)])
    row = measured(frame)[("overall", "all", "auc")]
    assert (row["value"], row["lower"], row["upper"]) == (None, None, None)


def test_one_chance_for_all_has_no_slope_and_tells_nobody_apart():
    rows = measured(predicted(100, approval_probability=0.5))
    assert rows[("overall", "all", "calibration_slope")]["value"] is None
    assert rows[("overall", "all", "auc")]["value"] == 0.5


def test_a_certain_chance_that_failed_costs_much_but_not_everything():
    rows = measured(predicted(100, approval_probability=1.0))
    assert np.isfinite(rows[("overall", "all", "log_loss")]["value"])


def test_the_order_of_the_claims_does_not_matter():
    frame = predicted(200)
    shuffled = frame.sample(frac=1, random_state=2)
    again = measured(shuffled)
    for key, row in measured(frame).items():
        assert again[key] == pytest.approx(row, abs=1e-8)


def test_bands_of_cell_size_have_the_stated_ends():
    n_known = np.array([0, 1, 10, 11, 50, 51, 10_000])
    assert evaluation.cell_sizes(n_known).tolist() == [
        "0", "1 to 10", "1 to 10", "11 to 50", "11 to 50", "over 50", "over 50",
    ]  # fmt: skip


def test_a_gain_in_log_loss_is_the_difference_of_both_and_nought_beside_itself():
    frame = predicted(500)
    chance, approved = frame["approval_probability"].to_numpy(), frame["is_approved"].to_numpy(int)
    flat = np.full(500, approved.mean())
    patients = frame["patient"].to_numpy(object)
    gain, error = evaluation.log_loss_gain(chance, flat, approved, patients)
    expected = sklearn_log_loss(approved, flat) - sklearn_log_loss(approved, chance)
    assert gain == pytest.approx(expected)
    assert gain > 5 * error > 0
    assert evaluation.log_loss_gain(flat, flat, approved, patients) == (0.0, 0.0)


def test_ten_copies_of_a_patient_s_claim_are_no_more_evidence():
    once = predicted(80)
    told = []
    for times in (1, 10):
        frame = pd.concat([once] * times, ignore_index=True)
        told.append(
            evaluation.log_loss_gain(
                frame["approval_probability"].to_numpy(),
                np.full(len(frame), 0.5),
                frame["is_approved"].to_numpy(int),
                frame["patient"].to_numpy(object),
            )
        )
    assert told[0] == pytest.approx(told[1])


def covers(row, value):
    return row["lower"] <= value <= row["upper"]

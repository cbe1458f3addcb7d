import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from analysis.models.approval import MixedEffectsLogisticRegression, RandomEffect
from analysis.models.estimator import MixedEffectsClassifier
from models.threads import agree_on_threads

EFFECTS = (
    RandomEffect("payer", ("payer",)),
    RandomEffect("condition", ("condition",)),
    RandomEffect("payer x condition", ("payer", "condition")),
    RandomEffect("documents by payer", ("payer",), ("note_missing",)),
)
FIXED = ("note_missing", "visit")


def made(n, seed=0, payers=8, payer_sd=0.8, cell_sd=0.3):
    """Claims of known truth: a frame, outcomes, patients and each claim's true chance."""
    rng = np.random.default_rng(seed)
    by_payer = rng.normal(0, payer_sd, payers)
    by_cell = rng.normal(0, cell_sd, (payers, 5))
    payer, condition = rng.integers(payers, size=n), rng.integers(5, size=n)
    patient = rng.integers(max(1, n // 5), size=n)
    note, visit = rng.random(n) < 0.25, rng.random(n)
    odds = 1.2 + by_payer[payer] + by_cell[payer, condition] - 1.0 * note - 0.5 * visit
    frame = pd.DataFrame(
        {
            "payer": [f"p{i}" for i in payer],
            "condition": [f"c{i}" for i in condition],
            "note_missing": note.astype(float),
            "visit": visit,
        }
    )
    own = rng.normal(0, 0.3, patient.max() + 1)[patient]
    chance = expit(odds / np.sqrt(1 + np.pi * 0.09 / 8))
    return frame, (rng.random(n) < expit(odds + own)).astype(int), patient, chance


def model(**given):
    return MixedEffectsLogisticRegression(FIXED, EFFECTS, **{"n_variance_draws": 8} | given)


@pytest.fixture(scope="module")
def claims():
    return made(1500)


@pytest.fixture(scope="module")
def fitted(claims):
    frame, y, patient, _ = claims
    return model().fit(frame, y, groups=patient)


def test_known_truth_is_found_and_covered(claims, fitted):
    frame, _, _, chance = claims
    assert_allclose(fitted.coef_[1], -1.0, atol=0.45)
    assert 0.2 < fitted.variance_components_["payer"] ** 0.5 < 1.6
    cells = fitted.standardise(frame, by=["payer", "condition"])
    truth = frame.assign(chance=chance).groupby(["payer", "condition"])["chance"].mean().to_numpy()
    covered = (cells.cells["lower"] <= truth) & (truth <= cells.cells["upper"])
    assert covered.mean() >= 0.75
    assert np.sqrt(np.mean((cells.cells["mean"] - truth) ** 2)) < 0.07
    width = cells.cells["upper"] - cells.cells["lower"]
    assert width.mean() < 0.3


def test_small_cells_are_wider_and_nearer_the_others():
    frame, y, _, _ = made(600)
    few = frame.index[frame["payer"] == "p0"][3:]
    frame, y = frame.drop(few), np.delete(y, few)
    cells = model().fit(frame, y).standardise(frame, by=["payer"]).cells.set_index("payer")
    width = cells["upper"] - cells["lower"]
    assert width["p0"] == width.max()


def test_a_level_never_met_varies_as_levels_do_and_is_shared(fitted, claims):
    frame = claims[0].iloc[[0, 0, 0, 0]].assign(payer=["new", "new", "other", "p1"])
    draws = fitted.posterior_draws(frame, n=400)
    assert_array_equal(draws[:, 0], draws[:, 1])
    assert np.abs(np.corrcoef(draws[:, 0], draws[:, 2])[0, 1]) < 0.5
    spread = logit(draws).std(axis=0)
    assert spread[0] > 1.5 * spread[3]
    assert spread[0] > 0.7 * fitted.variance_components_["payer"] ** 0.5


def test_draws_belong_together_across_calls(fitted, claims):
    frame = claims[0].head(40).assign(payer=["new"] * 20 + ["p1"] * 20)
    whole = fitted.posterior_draws(frame, n=50)
    assert_allclose(fitted.posterior_draws(frame.iloc[15:25], n=50), whole[:, 15:25], rtol=1e-12)
    assert not np.allclose(fitted.posterior_draws(frame, n=50, random_state=1), whole)


def test_chances_are_the_posterior_mean(fitted, claims):
    frame = claims[0].head(50)
    chances = fitted.predict_proba(frame)
    assert_allclose(chances.sum(axis=1), 1)
    assert_allclose(chances[:, 1], fitted.posterior_draws(frame, n=2000).mean(axis=0), atol=0.03)


def test_standardising_sets_what_is_asked(fitted, claims):
    frame = claims[0]
    absent = fitted.standardise(frame, set={"note_missing": 1.0})
    present = fitted.standardise(frame, set={"note_missing": 0.0})
    gain = present.draws - absent.draws
    assert gain.shape == (400, 1)
    assert np.quantile(gain, 0.05) > 0.05
    assert 0.1 < gain.mean() < 0.3


def test_weights_are_repeated_rows(claims):
    frame, y, patient, _ = claims
    frame, y, patient = frame.head(300), y[:300], patient[:300]
    count = np.arange(300) % 4
    repeated = np.repeat(np.arange(300), count)
    weighted = model().fit(frame, y, groups=patient, sample_weight=count)
    rows = model().fit(frame.iloc[repeated], y[repeated], groups=patient[repeated])
    assert_array_equal(weighted.coef_, rows.coef_)
    assert_array_equal(weighted.posterior_draws(frame), rows.posterior_draws(frame))


def test_rows_of_one_pattern_are_one_row():
    frame, y, _, _ = made(4000)
    fitted = model().fit(frame.assign(visit=0.5), y)
    assert fitted.n_patterns_ == 8 * 5 * 2


def test_the_order_of_rows_says_nothing(claims):
    frame, y, patient, _ = claims
    frame, y, patient = frame.head(400), y[:400], patient[:400]
    other = np.random.default_rng(3).permutation(400)
    one = model().fit(frame, y, groups=patient)
    two = model().fit(frame.iloc[other], y[other], groups=patient[other])
    assert_array_equal(one.posterior_draws(frame), two.posterior_draws(frame))


@pytest.mark.parametrize("outcome", [0, 1])
def test_all_of_one_outcome_is_answered_with_an_honest_width(outcome):
    frame, _, patient, _ = made(60)
    fitted = model().fit(frame, np.full(60, outcome), groups=patient)
    told = fitted.standardise(frame).cells.iloc[0]
    assert 0 < told["lower"] < told["mean"] < told["upper"] < 1
    assert abs(told["mean"] - outcome) < 0.1


def test_separation_leaves_a_finite_effect():
    frame, _, _, _ = made(200)
    y = 1 - frame["note_missing"].to_numpy(int)
    fitted = model().fit(frame, y)
    assert np.isfinite(fitted.coef_).all()
    assert fitted.coef_[1] < -2


def test_one_claim_is_answered_with_almost_nothing_known():
    frame, _, _, _ = made(1)
    fitted = model().fit(frame, [1], groups=["a"])
    told = fitted.standardise(frame).cells.iloc[0]
    assert told["upper"] - told["lower"] > 0.5


def test_an_effect_of_a_single_level_is_not_split_off():
    frame, y, _, _ = made(300)
    fitted = model().fit(frame.assign(payer="only"), y)
    told = fitted.standardise(frame.assign(payer="only")).cells.iloc[0]
    assert told["lower"] < y.mean() < told["upper"]
    assert told["upper"] - told["lower"] < 0.2


def test_a_missing_category_is_a_level_of_its_own():
    frame, y, _, _ = made(800)
    frame["payer"] = frame["payer"].mask(frame["payer"] == "p2")
    unnamed = frame["payer"].isna().to_numpy()
    y = np.where(unnamed, 0, y)
    fitted = model().fit(frame, y)
    chance = fitted.predict_proba(frame)[:, 1]
    assert chance[unnamed].max() < chance[~unnamed].mean() - 0.3
    as_category = frame.assign(payer=frame["payer"].astype("category"))
    assert_array_equal(fitted.predict_proba(as_category)[:, 1], chance)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda g: g | {"X": g["X"].assign(visit=np.nan)}, "column 'visit' has 50 numbers"),
        (lambda g: g | {"X": g["X"].drop(columns="payer")}, "lack columns"),
        (lambda g: g | {"y": [None, *g["y"][1:]]}, "never missing"),
        (lambda g: g | {"y": [2, 1, 0, *g["y"][3:]]}, "0 \\(denied\\) or 1"),
        (lambda g: g | {"y": g["y"][1:]}, "50 claims but 49 outcomes"),
        (lambda g: g | {"groups": [None] * 50}, "groups needs one value"),
        (lambda g: g | {"time": [None] * 50}, "time needs one value"),
        (lambda g: g | {"sample_weight": [-1] * 50}, "sample_weight"),
        (lambda g: g | {"sample_weight": [0] * 50}, "no claims"),
        (lambda g: g | {"X": g["X"].head(0), "y": []}, "no claims"),
    ],
)
def test_what_is_missing_is_refused_by_name(spoil, said):
    frame, y, _, _ = made(50)
    with pytest.raises(ValueError, match=said):
        model().fit(**spoil({"X": frame, "y": y}))


def test_periods_that_differ_widen_what_is_said_of_the_next_one():
    frame, _, _, _ = made(2400)
    month = np.arange(2400) % 12
    rng = np.random.default_rng(0)
    drift = rng.normal(0, 1.2, 12)[month]
    y = (rng.random(2400) < expit(0.3 + drift)).astype(int)
    steady = model().fit(frame, y).standardise(frame).cells.iloc[0]
    drifting = model().fit(frame, y, time=month).standardise(frame).cells.iloc[0]
    assert drifting["upper"] - drifting["lower"] > 4 * (steady["upper"] - steady["lower"])


def test_cells_that_the_form_misses_widen_the_intervals():
    """A payer's rule that strikes by condition is no sum of payer and condition."""
    frame, _, _, _ = made(4000)
    strikes = frame["payer"].str[-1].astype(int) % 2 == frame["condition"].str[-1].astype(int) % 2
    y = (np.random.default_rng(5).random(4000) < np.where(strikes, 0.3, 0.9)).astype(int)
    blind = (
        RandomEffect("payer", ("payer",)),
        RandomEffect("cell by visit", ("payer", "condition"), ("visit",)),
    )
    missed = MixedEffectsLogisticRegression((), blind, n_variance_draws=8).fit(frame, y)
    frame2, y2, _, _ = made(4000, cell_sd=0.0)
    held = MixedEffectsLogisticRegression((), blind, n_variance_draws=8).fit(frame2, y2)
    assert missed.model_error_ > 0.4
    assert held.model_error_ < 0.25
    # With an intercept for each cell, its variance is what cells differ by.
    whole = MixedEffectsLogisticRegression((), (*blind, EFFECTS[2]), n_variance_draws=8)
    whole.fit(frame, y)
    assert whole.model_error_ == 0
    assert whole.variance_components_["payer x condition"] ** 0.5 > missed.model_error_


def test_a_lack_of_fit_within_cells_widens_the_intervals():
    """A note counts differently in each cell: no effect of the form says so, nor cells left out."""
    frame, _, _, _ = made(3000)
    frame["note"] = frame["note_missing"].map({0.0: "there", 1.0: "missing"})
    by = ["payer", "condition", "note"]
    cell = frame.groupby(by).ngroup().to_numpy()
    rng = np.random.default_rng(2)
    chance = expit(0.8 + rng.normal(0, 0.8, cell.max() + 1))[cell]
    y = (rng.random(3000) < chance).astype(int)
    truth = frame.assign(chance=chance).groupby(by)["chance"].mean().to_numpy()

    def covered(effects, model_error="auto"):
        unfitted = MixedEffectsLogisticRegression(
            FIXED, effects, n_variance_draws=8, model_error=model_error
        )
        fitted = unfitted.fit(frame, y)
        cells = fitted.standardise(frame, by=by).cells
        return ((cells["lower"] <= truth) & (truth <= cells["upper"])).mean()

    assert covered(EFFECTS) < 0.75
    assert covered((*EFFECTS, RandomEffect("lack of fit", tuple(by)))) >= 0.8
    # Where that would be too many columns, it is measured on the same cells left out.
    assert covered(EFFECTS, tuple(by)) >= 0.8
    with pytest.raises(ValueError, match=r"got 'note'"):
        covered(EFFECTS, "note")


def test_slopes_without_levels_are_drawn_towards_each_other():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({name: rng.integers(0, 2, 400).astype(float) for name in "abcd"})
    y = (rng.random(400) < expit(1 - frame.sum(axis=1))).astype(int)
    pooled = MixedEffectsLogisticRegression((), [RandomEffect("all", (), tuple("abcd"))]).fit(
        frame, y
    )
    apart = MixedEffectsLogisticRegression(tuple("abcd")).fit(frame, y)
    assert np.abs(pooled.coef_[1:]).sum() < np.abs(apart.coef_[1:]).sum()
    assert pooled.predict_proba(frame).shape == (400, 2)


def test_a_fit_that_does_not_converge_says_what_to_do(monkeypatch):
    from analysis.errors import DataError
    from analysis.models import laplace

    frame, y, _, _ = made(100)
    monkeypatch.setattr(laplace, "_MOST_STEPS", 1)
    with pytest.raises(DataError, match="scale of about one"):
        model().fit(frame, y)
    monkeypatch.undo()
    monkeypatch.setattr(laplace, "_MOST_ROUNDS", 1)
    with pytest.raises(DataError, match="Leave out the random effects"):
        model().fit(frame, y)


def test_a_variance_at_its_bound_does_not_keep_the_others_from_settling():
    """Levels that do not differ at all, in many claims: the likeliest variance lies below any."""
    levels = pd.MultiIndex.from_product([range(30), range(20), [1, 0]]).to_frame(index=False)
    frame = levels.set_axis(["payer", "condition", "y"], axis=1).astype(str)
    count = np.where(frame["y"] == "1", 7_000, 3_000)
    fitted = MixedEffectsLogisticRegression((), EFFECTS[:3], n_variance_draws=2)
    fitted.fit(frame, frame["y"].astype(int), sample_weight=count)
    assert fitted.variance_components_["payer x condition"] == pytest.approx(1e-4)
    assert fitted.n_iter_ < 20
    told = fitted.standardise(frame, by=["payer"]).cells
    assert_allclose(told["mean"], 0.7, atol=0.001)


@pytest.mark.parametrize("many", ["_MANY_TO_LEARN_FROM", "_MANY_COLUMNS"])
def test_a_large_model_begins_with_a_smaller_one_and_ends_at_the_same(monkeypatch, claims, many):
    """With some of the patients where claims are many, without an effect where columns are."""
    from analysis.models import laplace

    frame, y, patient, _ = claims
    plain = model().fit(frame, y, groups=patient)
    monkeypatch.setattr(laplace, many, 20)
    started = model().fit(frame, y, groups=patient)
    assert_allclose(started.coef_, plain.coef_, atol=1e-3)
    for name, variance in plain.variance_components_.items():
        assert started.variance_components_[name] == pytest.approx(variance, rel=0.02)


def test_draws_may_share_what_patients_tell(monkeypatch, claims):
    """Interpolated between few standard deviations of patients, or told at each of them."""
    from analysis.models import laplace

    frame, y, patient, _ = claims
    shared = model(n_variance_draws=24).fit(frame, y, groups=patient)
    monkeypatch.setattr(laplace, "_INTERPOLATED", 1e-300)
    apart = model(n_variance_draws=24).fit(frame, y, groups=patient)
    assert_array_equal(shared.scale_draws_, apart.scale_draws_)
    assert_allclose(shared.coefficient_draws_, apart.coefficient_draws_, atol=1e-4)
    assert_allclose(shared.factor_draws_, apart.factor_draws_, atol=1e-3)


@pytest.mark.slow
def test_runs_and_thread_counts_agree():
    assert agree_on_threads(
        "from models.test_mixed_effects import made, model\n"
        "frame, y, patient, _ = made(300)\n"
        "print(model().fit(frame, y, groups=patient).posterior_draws(frame, n=20).tobytes().hex())"
    )


NOT_APPLICABLE = {
    "check_fit2d_1feature": "the model reads the columns it names, and one column is not both",
    "check_array_api_input": "it reads data frames, and arrays of numpy alone",
}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [MixedEffectsClassifier((0, 1), n_variance_draws=2)],
    expected_failed_checks=lambda _: NOT_APPLICABLE,
)
def test_scikit_learn_checks_that_apply(estimator, check):
    check(estimator)


def test_it_is_cloned_and_refuses_before_the_fit():
    frame, _, _, _ = made(5)
    copy = clone(MixedEffectsClassifier(FIXED, EFFECTS))
    assert copy.random == EFFECTS
    with pytest.raises(NotFittedError):
        copy.predict_proba(frame)


def test_scikit_learns_classifier_is_the_same_model(claims, fitted):
    frame, y, patient, _ = claims
    classifier = MixedEffectsClassifier(FIXED, EFFECTS, n_variance_draws=8)
    classifier.fit(frame, y, groups=patient)
    assert_array_equal(classifier.posterior_draws(frame, 20), fitted.posterior_draws(frame, 20))

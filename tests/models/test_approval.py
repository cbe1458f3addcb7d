import json
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from analysis import findings, tables
from analysis.config import ModelDesign
from analysis.errors import DataError
from analysis.models import approval, judging, periods, predictors, saved
from analysis.models.one_hot import OneHotLogistic
from analysis.schemas import MODELS, TABLES
from analysis.synthetic import known_truth
from models.threads import agree_on_threads
from models.world import with_column, with_regulars, world

# In one process, since what they share takes long to make.
pytestmark = pytest.mark.xdist_group("approval")

# One long period, so that as few fits as possible are judged on as many claims.
DESIGN = ModelDesign(n_resamples=20, n_periods=1, growth=1.9)
ROLLING = ModelDesign(n_resamples=20)


@pytest.fixture(scope="module")
def known():
    return world(700)


@pytest.fixture(scope="module")
def fitted(known):
    return both(known, DESIGN)


@pytest.fixture(scope="module")
def small():
    return with_regulars(world(300))


@pytest.fixture(scope="module")
def rolled(small):
    return both(small, ROLLING)


@pytest.fixture(scope="module")
def large():
    return world(6000)


@pytest.fixture(scope="module")
def learned(large):
    return both(large, ModelDesign(n_periods=1, growth=1.9))


def both(made, design):
    """The model learned from a world's claims, and how such models are judged on later ones."""
    chosen = periods.modelled(made.features, made.outcomes, design)
    learned = approval.learn(chosen, design)
    judged = judging.judge(**periods.to_judge(chosen), design=design)
    return SimpleNamespace(**learned._asdict(), **judged._asdict(), chosen=chosen)


def judge(features, outcomes, design):
    """How models of these claims are judged."""
    return judging.judge(
        **periods.to_judge(periods.modelled(features, outcomes, design)), design=design
    )


def learn(features, outcomes, design):
    """The model learned from these claims."""
    return approval.learn(periods.modelled(features, outcomes, design), design)


def metrics(result, model="mixed_effects_logistic"):
    rows = result.evaluation.to_pylist()
    return {
        row["metric"]: row
        for row in rows
        if row["model"] == model and row["group_kind"] == "overall"
    }


def test_tables_keep_their_declaration(fitted):
    assert tables.problems("predictions", fitted.predictions) == []
    assert tables.problems("evaluation", fitted.evaluation) == []


def chances_and_truth(result, truth):
    rows = [r for r in result.predictions.to_pylist() if r["model"] == "mixed_effects_logistic"]
    told = np.array([row["approval_probability"] for row in rows])
    is_approved = np.array([row["is_approved"] for row in rows])
    return (
        told,
        np.array([truth.approval_probability[row["claim_id"]] for row in rows]),
        is_approved,
    )


def test_known_truth_is_found(large, learned):
    overall = metrics(learned)
    assert overall["calibration_slope"]["lower"] <= 1 <= overall["calibration_slope"]["upper"]
    # Beside the true chances, since the answers drawn from them stray by as much as this alone.
    told, truth, _ = chances_and_truth(learned, large)
    assert abs(np.mean(told - truth)) < 0.02
    assert np.sqrt(np.mean((told - truth) ** 2)) < 0.06


def test_discrimination_is_what_the_truth_allows(large, learned):
    _, truth, is_approved = chances_and_truth(learned, large)
    ceiling = roc_auc_score(is_approved, truth)
    assert metrics(learned)["auc"]["value"] == pytest.approx(ceiling, abs=0.03)


def test_the_model_beats_the_raw_rates_where_documents_matter(learned):
    assert (
        metrics(learned)["log_loss"]["value"] < metrics(learned, "cell_rate")["log_loss"]["value"]
    )


@pytest.mark.parametrize(("effect", "said"), [(0.0, "No signal found"), (1.0, "Signal found")])
def test_random_answers_hold_no_signal_and_explained_ones_do(effect, said):
    made = world(1200, seed=7, effect=effect)
    result = both(made, DESIGN)
    outcomes = tables.to_frame(made.outcomes)
    outcomes["patient_id"] = tables.to_frame(made.features)["patient_id"]
    predictions = tables.to_frame(result.predictions)
    scope = findings.model.scope(predictions, outcomes)
    assert findings.model.signal(predictions, outcomes, scope).sentence.startswith(said)
    auc = metrics(result)["auc"]
    assert (auc["lower"] <= 0.5) == (effect == 0.0)


def test_the_size_of_a_cell_counts_what_was_known_before(small, rolled):
    rows = {row["claim_id"]: row for row in small.features.to_pylist()}
    patience = {p.first_day: timedelta(p.maturity_days) for p in rolled.chosen.periods}
    known_before = []
    for told in rolled.predictions.to_pylist():
        if told["model"] == "base_rate":
            mine = rows[told["claim_id"]]
            known_before.append(
                sum(
                    row["submitted_date"] <= told["split_date"] - patience[told["split_date"]]
                    and row["payer_id"] == mine["payer_id"]
                    and row["condition_group"] == mine["condition_group"]
                    for row in rows.values()
                )
            )
    bands = {
        row["group_value"]: row["n_claims"]
        for row in rolled.evaluation.to_pylist()
        if (row["group_kind"], row["model"], row["metric"]) == ("cell_size", "base_rate", "brier")
    }
    assert bands["1 to 10"] == sum(1 <= n <= 10 for n in known_before)
    assert bands["11 to 50"] == sum(11 <= n <= 50 for n in known_before)


def test_every_claim_is_a_modelled_one_or_counted_among_those_left_out(known):
    n = len(known.outcomes)
    is_mature = [i >= 50 for i in range(n)]
    determination = known.outcomes["first_determination"].to_pylist()
    determination[100:140] = ["pending"] * 40
    determination[140:147] = ["rejected"] * 7
    determination[147:160] = ["partially_approved"] * 13
    outcomes = with_column(known.outcomes, "is_mature", is_mature)
    outcomes = with_column(outcomes, "first_determination", determination)
    features = known.features.slice(0, n - 30)
    population = learn(features, outcomes, DESIGN).design["population"]
    left_out = population["n_left_out"]
    assert left_out["without_submission"] == 30
    assert left_out["not_mature"] == 50
    assert left_out["first_determination_pending"] == 40
    assert left_out["first_determination_rejected"] == 7
    assert population["n_modelled"] == n - 30 - 50 - 40 - 7


def test_a_claim_that_is_not_mature_yet_cannot_move_the_model(known):
    n = len(known.outcomes)
    is_mature = [i % 10 != 0 for i in range(n)]
    half = with_column(known.outcomes, "is_mature", is_mature)
    told = half["first_determination"].to_pylist()
    turned = [value if mature else "denied" for value, mature in zip(told, is_mature, strict=True)]
    one = periods.modelled(known.features, half, DESIGN)
    other = periods.modelled(
        known.features, with_column(half, "first_determination", turned), DESIGN
    )
    pd.testing.assert_frame_equal(one.claims, other.claims)
    assert len(one.claims) == sum(is_mature)


def test_the_same_claims_in_another_order_give_the_same_answer(known, fitted):
    order = np.random.default_rng(4).permutation(len(known.features))
    mixed = SimpleNamespace(
        features=known.features.take(order), outcomes=known.outcomes.take(order[::-1])
    )
    again = both(mixed, DESIGN)
    assert again.predictions.equals(fitted.predictions)
    assert again.evaluation.equals(fitted.evaluation)
    assert again.design == fitted.design


@pytest.mark.parametrize(
    ("n_claims", "turned", "missing"),
    [
        (40, {}, "matured claims approved or denied: 40, at least 100 needed"),
        (400, {"denied": "approved"}, "denied claims among them: 0, at least 20 needed"),
        (400, {"approved": "denied"}, "patients with an approved claim to learn from: 0"),
        (400, {"approved": "pending", "denied": "pending"}, "approved or denied: 0"),
    ],
)
def test_what_is_missing_for_a_model_is_named(n_claims, turned, missing):
    small = world(n_claims)
    values = [turned.get(v, v) for v in small.outcomes["first_determination"].to_pylist()]
    outcomes = with_column(small.outcomes, "first_determination", values)
    with pytest.raises(DataError, match=missing):
        learn(small.features, outcomes, DESIGN)
    with pytest.raises(DataError, match=missing):
        judge(small.features, outcomes, DESIGN)


def test_without_new_patients_a_model_is_learned_but_not_judged():
    steady = world(400)
    regulars = [f"p_{place % 12}" for place in range(400)]
    result = both(
        SimpleNamespace(
            features=with_column(steady.features, "patient_id", regulars),
            outcomes=steady.outcomes,
        ),
        ROLLING,
    )
    assert result.model is not None
    assert result.design["population"]["n_test"] == 0
    assert result.design["population"]["n_left_out"]["later_claims_of_known_patients"] > 0
    for name, table in (("predictions", result.predictions), ("evaluation", result.evaluation)):
        assert table.num_rows == 0
        assert tables.problems(name, table) == []


def test_denials_of_one_patient_alone_carry_no_model(known):
    is_denied = [v == "denied" for v in known.outcomes["first_determination"].to_pylist()]
    patients = [
        "p_x" if denied else patient
        for denied, patient in zip(is_denied, known.features["patient_id"].to_pylist(), strict=True)
    ]
    features = with_column(known.features, "patient_id", patients)
    with pytest.raises(DataError, match="patients with a denied claim to learn from: 1"):
        learn(features, known.outcomes, DESIGN)


def test_a_refusal_leaves_empty_tables_and_its_reason():
    result = approval.refused("no approval model: too few claims")
    assert result.design == {"refused": "no approval model: too few claims"}
    assert approval.fits(result)["refusal"].to_pylist() == ["no approval model: too few claims"]
    for name, table in periods.to_judge(None).items():
        assert table.num_rows == 0
        assert tables.problems(name, table) == []


def test_the_saved_design_is_json_without_a_row_of_the_data(known, fitted):
    text = json.dumps(fitted.design, sort_keys=True)
    assert fitted.design["settings"]["seed"] == DESIGN.seed
    assert fitted.design["features"] == list(approval.FEATURES)
    assert fitted.design["saved_model"].startswith("learned from all modelled claims")
    assert not any(f'"{value}"' in text for value in known.features["claim_id"].to_pylist())
    assert "p_" not in json.dumps(fitted.design["population"])


def test_the_digest_follows_the_data(known, fitted):
    first, *others = known.features["n_units"].to_pylist()
    other = with_column(known.features, "n_units", [first + 1, *others])
    changed = learn(other, known.outcomes, DESIGN)
    assert changed.design["data_sha256"] != fitted.design["data_sha256"]


def plain_chances(features, outcomes, **papers):
    """What the one-hot logistic regression of all claims tells of them, with some papers so."""
    claims = tables.to_frame(features)
    is_approved = np.array(outcomes["first_determination"].to_pylist()) == "approved"
    plain = OneHotLogistic()
    plain.fit(claims, is_approved, claims["patient_id"].to_numpy(str))
    return plain.predict_proba(claims.assign(**papers))[:, 1]


@pytest.mark.parametrize("paper", ["authorization", "plan_of_care"])
def test_a_paper_that_is_absent_lowers_the_chance(known, paper):
    present, absent = (
        plain_chances(known.features, known.outcomes, **{paper: status})
        for status in ("present", "absent")
    )
    assert (absent < present).all()


def test_unknown_is_never_read_as_absent_however_rare_it_is(known):
    values = ["present" if v == "unknown" else v for v in known.features["minutes"].to_pylist()]
    features = with_column(known.features, "minutes", ["unknown", *values[1:]])
    unknown, absent = (
        plain_chances(features, known.outcomes, minutes=status) for status in ("unknown", "absent")
    )
    assert (unknown != absent).all()


def test_an_insurer_never_met_before_is_predicted_from_the_rest(known):
    payers = known.features["payer_id"].to_pylist()
    days = known.features["submitted_date"].to_pylist()
    (period,) = periods.modelled(known.features, known.outcomes, DESIGN).periods
    last = max(i for i, day in enumerate(days) if day < period.end_day)
    payers[last] = "payer_new"
    features = with_column(known.features, "payer_id", payers)
    rows = judge(features, known.outcomes, DESIGN).predictions.to_pylist()
    claim_id = known.features["claim_id"][last].as_py()
    told = [row["approval_probability"] for row in rows if row["claim_id"] == claim_id]
    assert len(told) == len(MODELS)
    assert all(0 < chance < 1 for chance in told)


def test_a_saved_model_scores_as_it_did_and_holds_no_claim(known, fitted, tmp_path):
    saved.save(fitted.model, tmp_path)
    read = approval.load(tmp_path)
    frame = predictors.predictors(tables.to_frame(known.features).head(30))
    frame.loc[0, "payer_id"] = "payer_new"
    assert np.array_equal(read.posterior_draws(frame), fitted.model.posterior_draws(frame))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["approval_model.json", "approval_model.npz"]
    text = (tmp_path / "approval_model.json").read_text()
    for column in ("claim_id", "patient_id"):
        assert not any(f'"{value}"' in text for value in known.features[column].to_pylist())
    saved.forget(tmp_path)
    with pytest.raises(DataError, match="outcomes build"):
        approval.load(tmp_path)


def test_predictors_are_known_on_the_day_of_submission():
    """Everything the model reads stands in claim_features, and none of it names an answer."""
    declared = {column.name for column in TABLES["claim_features"].columns}
    assert set(approval.FEATURES) <= declared
    effects, _ = predictors.form(1_000_000)
    named = {*predictors.FIXED, *(column for e in effects for column in e.by)}
    for name in named | set(approval.FEATURES):
        assert not any(word in name for word in predictors.KNOWN_ONLY_LATER), name


@pytest.mark.slow
def test_of_many_claims_the_model_learns_where_an_insurer_stops_approving(monkeypatch):
    """Along a slope alone chances fall long before the limit, and not far enough behind it."""
    made = known_truth.practice(40_000, "visit_cliff", seed=1)
    y, patients = made.earlier["is_approved"].to_numpy(int), made.earlier["patient"]
    visit = made.later["visit_number"]
    around = made.later[visit.between(11, 14)]
    steps = around.groupby(["payer_id", around["visit_number"] > 12])["chance"].mean().unstack()
    limited = steps.index[(steps[False] - steps[True]) > 0.2]
    assert len(limited) >= 2
    asked = around[around["payer_id"].isin(limited)]

    def error() -> float:
        model = approval.unfitted(len(made.earlier), 0)
        model.fit(predictors.predictors(made.earlier), y, groups=patients)
        chance = model.predict_proba(predictors.predictors(asked))[:, 1]
        return float(np.sqrt(np.mean((chance - asked["chance"]) ** 2)))

    with_steps = error()
    monkeypatch.setattr(predictors, "STAGES", ())
    assert with_steps < 0.8 * error()


def test_a_number_nobody_knows_is_marked_and_never_nought_in_silence(known):
    claims = tables.to_frame(known.features).head(3)
    claims["visit_number"] = claims["visit_number"].astype("Int64")
    claims.loc[0, "visit_number"] = pd.NA
    claims.loc[1, "visit_number"] = 500
    made = predictors.predictors(claims)
    assert made["visit_number_missing"].tolist() == [1.0, 0.0, 0.0]
    assert made["visit_number"].iloc[1] == 1.0
    assert not made.isna().any().any()


@pytest.mark.slow
def test_runs_and_thread_counts_agree():
    assert agree_on_threads(
        "from analysis.config import ModelDesign\n"
        "from models.test_approval import judge, learn\n"
        "from models.world import world\n"
        "made = world(300)\n"
        "told = [made.features, made.outcomes, ModelDesign(n_resamples=20)]\n"
        "print(*(table.to_pylist() for table in judge(*told)), learn(*told).design['sha256'])"
    )

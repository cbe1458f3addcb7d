"""How far the approval model can be trusted, on later claims it had not seen."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.findings import population, rates
from analysis.findings.finding import Finding, Numbers, Question, Scope, written
from analysis.models.evaluation import CELL_SIZES, log_loss, log_loss_gain
from analysis.models.patients import patients

MODEL, ONE_HOT, RAW = "mixed_effects_logistic", "one_hot_logistic", "cell_rate"
TREES, BASE = "boosted_trees", "base_rate"
MODEL_LABELS = {
    MODEL: "approval model",
    ONE_HOT: "one-hot logistic regression",
    RAW: "raw rate of insurer and condition",
    TREES: "boosted trees",
    BASE: "overall rate",
}
METRICS = ("log_loss", "brier", "auc", "calibration_slope", "calibration_intercept")
GROUPS = {
    "payer": "insurer",
    "payer_type": "kind of insurance",
    "condition": "condition",
    "cell_size": "insurer and condition",
}
N_BINS = 10
FEWEST = 11
UNJUDGED = Question(
    id="approval_model.unjudged",
    question="Why is there nothing to say of the model?",
    unit="claim",
    definition="what a fit and a test of it need at least, in claims, denials and patients",
    method="counted before the fit, and among the later claims of patients it had not met",
)
RANKING = Question(
    id="approval_model.ranking",
    question="Can approvals be told from denials before sending?",
    unit="area under the ROC curve",
    definition="chance that an approved claim got a higher probability than a denied one",
    method="learned on the first day of each test period, tested on its claims; interval by"
    " resampling patients",
    caveats=("a value near one would point to a leak, not to skill",),
)
_BESIDE = Question(
    id="approval_model.beside",
    question="Is the model better than a simpler one?",
    unit="Brier score",
    definition="mean squared error of the predicted approval, model minus the simpler one; below"
    " nought the model is better",
    method="paired on the same later claims, 95% interval with claims of one patient kept together",
)
BESIDE = {
    RAW: replace(
        _BESIDE,
        id="approval_model.beside_raw_rates",
        question="Is the model better than looking up the insurer's rate?",
    ),
    ONE_HOT: replace(
        _BESIDE,
        id="approval_model.beside_one_hot",
        question="Is the model better than a plain logistic regression?",
    ),
}
_LOG_LOSS_GAIN = Question(
    id="approval_model.signal",
    question="Does anything known before sending tell approvals from denials?",
    unit="log loss",
    definition="log loss of the overall approval rate minus that of the model; above nought the"
    " model knew more",
    method="paired on the same later claims, two standard errors either way with claims of one"
    " patient kept together",
)
SIGNAL = _LOG_LOSS_GAIN
STRUCTURE = replace(
    _LOG_LOSS_GAIN,
    id="approval_model.structure",
    question="Does the model's form lack something?",
    definition="log loss of the model minus that of boosted trees, which may form any interaction;"
    " above nought the trees knew more",
)
TRUST = Question(
    id="approval_model.calibration",
    question="May a predicted chance be read as a chance?",
    unit="calibration slope",
    definition="slope of the outcome on the predicted log odds; one is right, lower is too bold",
    method="logistic recalibration on later claims; interval by resampling patients",
)


def metrics(evaluation: pd.DataFrame) -> pd.DataFrame:
    """Overall test metrics of every model, as text: model, n_claims and one column of METRICS.

    Null where a model has no such metric: one chance for everybody ranks nobody and has no slope.
    """
    rows = evaluation[
        (evaluation["group_kind"] == "overall")
        & evaluation["model"].isin(list(MODEL_LABELS))
        & evaluation["metric"].isin(list(METRICS))
    ]
    rows = rows[(rows["model"] != BASE) | rows["metric"].isin(["log_loss", "brier"])]
    table = _by_metric(rows, ["model", "n_claims"], "precise").set_index("model")
    table = table.reindex([name for name in MODEL_LABELS if name in table.index]).reset_index()
    return table.assign(model=table["model"].map(MODEL_LABELS))


def by_group(evaluation: pd.DataFrame, payers: pd.DataFrame) -> pd.DataFrame:
    """The model's metrics by group, as text: group, group_kind, n_claims and one column of METRICS.

    The last groups are of claims whose insurer and condition had so many known claims before them.
    A value is null where the group is too small to carry it.
    """
    rows = evaluation[
        (evaluation["model"] == MODEL)
        & evaluation["metric"].isin(list(METRICS))
        & evaluation["group_kind"].isin(list(GROUPS))
    ]
    table = _by_metric(rows, ["group_kind", "group_value", "n_claims"], "number")
    column = {"payer": "payer_id", "payer_type": "payer_type", "condition": "condition_group"}
    table["group"] = table["group_value"] + " known claims"
    for kind, name in column.items():
        of_kind = table["group_kind"] == kind
        words = population.with_words(
            table.loc[of_kind, ["group_value"]].rename(columns={"group_value": name}), payers
        )
        table.loc[of_kind, "group"] = words.iloc[:, -1]
    of_size = table["group_kind"] == "cell_size"
    table["size"] = table["group_value"].where(of_size).map(CELL_SIZES.index, na_action="ignore")
    table["order"] = table["group_kind"].map({kind: place for place, kind in enumerate(GROUPS)})
    table = table.sort_values(
        ["order", "size", "n_claims", "group"], ascending=[True, True, False, True]
    )
    table["group_kind"] = table["group_kind"].map(GROUPS)
    return table[["group", "group_kind", "n_claims", *METRICS]].reset_index(drop=True)


def calibration(
    predictions: pd.DataFrame, outcomes: pd.DataFrame, minimum_cell_size: int = 11
) -> pd.DataFrame:
    """Predicted against observed approval in tenths: predicted, observed, lower, upper, n.

    Tenths hold equally many test claims; those under `minimum_cell_size` are left out.
    """
    tested = predictions[predictions["model"] == MODEL].merge(
        outcomes[["claim_id", "patient_id", "payer_id"]], on="claim_id"
    )
    if tested.empty:
        return pd.DataFrame(columns=["predicted", "observed", "lower", "upper", "n"], dtype=float)
    tested = tested.sort_values(["approval_probability", "claim_id"]).reset_index(drop=True)
    tested["tenth"] = tested.index * N_BINS // len(tested)
    table = rates.rates(tested, ["tenth"])
    table["predicted"] = tested.groupby("tenth")["approval_probability"].mean().to_numpy()
    table = table[table["n"] >= minimum_cell_size].rename(columns={"estimate": "observed"})
    return table[["predicted", "observed", "lower", "upper", "n"]].reset_index(drop=True)


def scope(predictions: pd.DataFrame, outcomes: pd.DataFrame) -> Scope:
    """What findings about the model speak about: the claims it was tested on."""
    period = "no claims"
    if len(predictions):
        sent = outcomes["submitted_date"][outcomes["claim_id"].isin(predictions["claim_id"])]
        first, last = predictions["split_date"].min(), sent.max()
        period = f"submitted from {written(first, 'date')} to {written(last, 'date')}"
    as_of = population.as_of(outcomes)
    return Scope("matured claims of patients the model had not met", period, as_of)


def unjudged(
    design: Mapping[str, Any], predictions: pd.DataFrame, outcomes: pd.DataFrame, scope: Scope
) -> Finding | None:
    """Why the model cannot be judged: there is none, or later answers are too few; else None.

    `design` as of `Book.design`. Later claims need FEWEST approved and FEWEST denied ones: below
    that, two standard errors hold less often than they promise.
    """
    if "refused" in design:
        undated = int(population.answered(outcomes)["submitted_date"].isna().sum())
        told = (
            " {undated:n answered claim} of all months have no day of submission and are left out."
        )
        return UNJUDGED.answer(
            "There is {refused}." + (told if undated else ""),
            scope,
            values={"refused": str(design["refused"]), "undated": undated},
        )
    later = predictions.loc[predictions["model"] == MODEL, "is_approved"].astype(bool)
    n_approved = int(later.sum())
    if later.empty:
        return UNJUDGED.answer(
            "A model was learned, but nothing tells yet how good it is: no test period with claims"
            " of new patients has ended. Take its chances as untested.",
            scope,
        )
    if min(n_approved, len(later) - n_approved) >= FEWEST:
        return None
    return UNJUDGED.answer(
        "A model was learned, but too few later claims tell how good it is: {numerator:count} of"
        " {denominator:n later claim} approved, where {fewest:count} approved and as many denied"
        " are needed. Take its chances as untested.",
        scope,
        Numbers(numerator=n_approved, denominator=len(later)),
        {"fewest": FEWEST},
    )


def ranking(evaluation: pd.DataFrame, scope: Scope) -> Finding:
    """How well the model tells approvals from denials on later claims."""
    row = _overall(evaluation, MODEL, "auc")
    if row is None:
        return RANKING.answer("Too few answered claims to fit and test a model.", scope)
    return RANKING.answer(
        "On {denominator:n later claim} the model ranked an approved claim above a denied one"
        " {estimate:percent} of the time ({lower:whole} to {upper:whole}; a coin would reach"
        " {coin:whole}).",
        scope,
        _numbers(row),
        {"coin": 0.5},
    )


def beside(
    predictions: pd.DataFrame, outcomes: pd.DataFrame, scope: Scope, simpler: str = RAW
) -> Finding:
    """Whether the model earns its place beside a `simpler` one: RAW rates, or ONE_HOT."""
    errors = _squared_errors(predictions, outcomes, simpler)
    if errors.empty:
        return BESIDE[simpler].answer(
            "Too few answered claims to compare the model with a simpler one.", scope
        )
    gap = errors["model"] - errors["simpler"]
    mean = float(gap.mean())
    spread = math.sqrt(((gap - mean).groupby(errors["patient"]).sum() ** 2).sum()) / len(gap)
    lower, upper = mean - 1.96 * spread, mean + 1.96 * spread
    verdict = (
        "better than" if upper < 0 else "worse than" if lower > 0 else "not clearly better than"
    )
    return BESIDE[simpler].answer(
        "The model was {verdict} the {simpler}: mean squared error {model:precise} against"
        " {other:precise} on {denominator:n later claim}.",
        scope,
        Numbers(mean, lower, upper, denominator=len(gap)),
        {
            "verdict": verdict,
            "model": float(errors["model"].mean()),
            "other": float(errors["simpler"].mean()),
            "simpler": MODEL_LABELS[simpler],
        },
    )


_BY_LOG_LOSS = (
    "{verdict} (log loss {after:precise} against {before:precise}; the difference is"
    " {estimate:precise}, {lower:precise} to {upper:precise}, on {denominator:n later claim})."
)


def signal(predictions: pd.DataFrame, outcomes: pd.DataFrame, scope: Scope) -> Finding:
    """Whether the model knew more of later claims than the overall approval rate does.

    Signal is found where its log loss is lower by more than two standard errors of the difference.
    """
    gain = _log_loss_gain(predictions, outcomes, MODEL, BASE)
    if gain is None:
        return SIGNAL.answer("Too few answered claims to look for signal.", scope)
    numbers, values, is_clear = gain
    verdict = (
        "Signal found: what is known before sending foretold later answers better than the overall"
        " rate"
        if is_clear
        else "No signal found: what is known before sending did not clearly foretell later answers"
        " better than the overall rate, so read nothing into this practice's predicted chances"
    )
    return SIGNAL.answer(_BY_LOG_LOSS, scope, numbers, {"verdict": verdict, **values})


def structure(predictions: pd.DataFrame, outcomes: pd.DataFrame, scope: Scope) -> Finding:
    """Whether boosted trees knew more of later claims than the model, by the rule of `signal`."""
    gain = _log_loss_gain(predictions, outcomes, TREES, MODEL)
    if gain is None:
        return STRUCTURE.answer("Too few answered claims to compare forms of models.", scope)
    numbers, values, is_clear = gain
    verdict = (
        "Boosted trees foretold later answers better than the model, so its form misses something:"
        " take its chances as rough"
        if is_clear
        else "Boosted trees, which may form any interaction, did not clearly foretell later answers"
        " better than the model"
    )
    return STRUCTURE.answer(_BY_LOG_LOSS, scope, numbers, {"verdict": verdict, **values})


def trust(evaluation: pd.DataFrame, scope: Scope) -> Finding:
    """Whether predicted chances may be read as chances (calibration)."""
    row = _overall(evaluation, MODEL, "calibration_slope")
    if row is None:
        return TRUST.answer("Too few answered claims to check the predicted chances.", scope)
    if row["upper"] < 1:
        verdict = "too bold: high chances are too high and low ones too low"
    elif row["lower"] > 1:
        verdict = "too timid: they differ less than the outcomes do"
    else:
        verdict = "in keeping with what happened"
    return TRUST.answer(
        "Predicted chances were {verdict} (calibration slope {estimate:number}, {lower:number} to"
        " {upper:number}, {denominator:n later claim}).",
        scope,
        _numbers(row),
        {"verdict": verdict},
    )


def _log_loss_gain(
    predictions: pd.DataFrame, outcomes: pd.DataFrame, model: str, simpler: str
) -> tuple[Numbers, dict[str, float], bool] | None:
    """By how much log loss falls from one model to another, both, and whether it falls clearly.

    Clearly is by more than two standard errors; `lower` and `upper` lie two of them away. None
    where nothing was tested.
    """
    wide = predictions.pivot(index="claim_id", columns="model", values="approval_probability")
    wide = wide.reindex(columns=[model, simpler]).dropna()
    if wide.empty:
        return None
    approved = predictions.drop_duplicates("claim_id").set_index("claim_id")["is_approved"]
    was_approved = approved.reindex(wide.index).to_numpy(float)
    one, other = wide[model].to_numpy(float), wide[simpler].to_numpy(float)
    gain, error = log_loss_gain(one, other, was_approved, _patients(wide.index, outcomes))
    if not math.isfinite(error):
        return None
    once = np.ones((len(wide), 1))
    after, before = (float(log_loss(chance, was_approved, once)[0]) for chance in (one, other))
    lower, upper = gain - 2 * error, gain + 2 * error
    numbers = Numbers(gain, lower, upper, denominator=len(wide))
    return numbers, {"after": after, "before": before}, lower > 0


def _patients(claim_ids: pd.Index, outcomes: pd.DataFrame) -> NDArray[np.int64]:
    """Each of these claims' patient."""
    known = pd.Series(patients(outcomes).to_numpy(), index=outcomes["claim_id"])
    return known.reindex(claim_ids).to_numpy(np.int64)


def _by_metric(rows: pd.DataFrame, group: list[str], kind: str) -> pd.DataFrame:
    """One row for each `group`, and what METRICS came to as text, with their intervals."""
    value, lower, upper = (
        rows[column].map(lambda number: written(number, kind), na_action="ignore").astype("str")
        for column in ("value", "lower", "upper")
    )
    told = rows.assign(told=value + " (" + lower + " to " + upper + ")")
    table = told.set_index([*group, "metric"])["told"].unstack("metric").reset_index()
    return table.reindex(columns=[*group, *METRICS]).rename_axis(columns=None)


def _numbers(row: pd.Series) -> Numbers:
    return Numbers(
        float(row["value"]),
        float(row["lower"]),
        float(row["upper"]),
        denominator=int(row["n_claims"]),
    )


def _overall(evaluation: pd.DataFrame, model: str, metric: str) -> pd.Series | None:
    rows = evaluation[
        (evaluation["group_kind"] == "overall")
        & (evaluation["model"] == model)
        & (evaluation["metric"] == metric)
    ].dropna(subset=["value", "lower", "upper"])
    return None if rows.empty else rows.iloc[0]


def _squared_errors(
    predictions: pd.DataFrame, outcomes: pd.DataFrame, simpler: str
) -> pd.DataFrame:
    """Squared error of both models on each test claim, with its patient."""
    errors = (predictions["approval_probability"] - predictions["is_approved"].astype(float)) ** 2
    wide = predictions.assign(error=errors).pivot(index="claim_id", columns="model", values="error")
    wide = wide.reindex(columns=[MODEL, simpler]).dropna()
    wide = wide.rename(columns={MODEL: "model", simpler: "simpler"})
    return wide.assign(patient=_patients(wide.index, outcomes))

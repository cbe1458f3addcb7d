"""How well the approval model's intervals hold: measured on made-up practices of known truth."""

# scikit-learn's estimators carry no types.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student_t

from analysis import tables
from analysis.findings.finding import Finding, Numbers, Question, Scope
from analysis.synthetic import known_truth

if TYPE_CHECKING:
    from analysis.models.approval import MixedEffectsLogisticRegression

CELL = ["payer_id", "condition_group", "profile"]
BANDS = {"0": (0, 0), "1-10": (1, 10), "11-50": (11, 50), "more": (51, None)}
"""Claims learned from in a cell, least and most."""
KINDS = tuple(known_truth.KINDS)
_LEVEL = 0.90
_N_DRAWS = 400
_N_LOWEST, _SURE = 3, 0.8
_FEWEST_TO_RANK = 11
_TOO_LOW = 0.80
_FEWEST_WORLDS = 4
_FEWEST_CELLS = 11
SIGNS: Mapping[str, tuple[str, ...]] = {
    "time": ("drift",),
    "visits": ("visit_cliff",),
    "unrecorded": ("documentation_after_denial",),
    "unanswered": ("informative_pending",),
    "calibration": ("drift", "documentation_after_denial"),
    "trees": ("visit_cliff", "interactions"),
}
"""A sign that an assumption is broken, and the kinds of practices that it makes suspected."""
_UNLIKELY = 0.05
_MOST_OPEN = 0.05
_SHARE_LATER, _N_RESAMPLES = 0.3, 200
_IN_BAND = {
    "0": " of cells without a claim to learn from",
    "1-10": " of cells of 1 to 10 claims",
    "11-50": " of cells of 11 to 50 claims",
    "more": " of cells of more than 50 claims",
}
QUOTED = Question(
    id="method_check.coverage",
    question="How far can the model's ranges be trusted?",
    unit="share of ranges that held the true chance",
    definition=(
        "cells of insurer, condition and number of missing documents in the next year, each counted"
        " once, whose range held the true mean chance"
    ),
    method="the model fitted to made-up practices of known truth, of the nearest size",
    caveats=("real claims may break what was assumed in making these up",),
)
WARNED = replace(
    QUOTED,
    id="method_check.warning",
    question="Do the claims look as where the model's ranges fail?",
)
UNSHOWN = replace(
    QUOTED,
    id="method_check.unshown",
    question="What could make the ranges fail without a sign in the claims?",
)
ALARMS = replace(
    QUOTED,
    id="method_check.alarms",
    question="How often do the claims show that an assumption is broken?",
    unit="share of made-up practices",
    definition="practices that break an assumption, in which a sign that fits it showed",
)
MEASURED = replace(
    QUOTED,
    id="method_check.measured",
    question="Do the model's ranges hold the truth?",
    method="the model fitted to made-up practices of known truth, of several sizes",
    must_not="must not be read as a promise for a practice that breaks the model's assumptions",
)


def measure(n_claims: int, kind: str, seed: int) -> dict[str, Any]:
    """One made-up practice: how near the model's chances came to the true ones, and how often.

    A cell is an insurer, a condition and the number of documents recorded as absent; its truth is
    the mean true chance of its claims of the next year. Counts of cells and of cells whose 90%
    interval holds the truth, overall and by the claims learned from in the cell; mean width; root
    mean squared error beside one-hot logistic regressions: one_hot as the reports show it (rare
    categories joined, penalty chosen by cross-validation), plain as scikit-learn has it by default
    (every category, C=1); bias (predicted minus true); calibration
    slope; insurers said to be among the lowest three, and wrongly; documents, whose gain the
    interval holds, and their bias; 1 for each of SIGNS that shows, else 0.
    """
    from analysis.models import approval
    from analysis.models.one_hot import OneHotLogistic
    from analysis.models.predictors import predictors

    made = known_truth.practice(n_claims, kind, seed)
    earlier, later = made.earlier, made.later
    y = earlier["is_approved"].to_numpy()
    model = approval.unfitted(len(earlier), seed)
    model.fit(predictors(earlier), y.astype(int), groups=earlier["patient"])
    patient = earlier["patient"].to_numpy(str)
    one_hot = OneHotLogistic().fit(earlier, y, patient)
    plain = OneHotLogistic(minimum_cell_size=1, penalties=(1.0,)).fit(earlier, y, patient)
    draws = model.posterior_draws(predictors(later), _N_DRAWS)
    told = later.assign(
        mean=model.predict_proba(predictors(later))[:, 1],
        one_hot=one_hot.predict_proba(later)[:, 1],
        plain=plain.predict_proba(later)[:, 1],
    )
    return {
        "kind": kind,
        "n_claims": n_claims,
        "seed": seed,
        "n_earlier": len(earlier),
        **_cells(earlier, told, draws),
        "calibration_slope": _slope(told["mean"], told["chance"]),
        "one_hot_slope": _slope(told["one_hot"], told["chance"]),
        **_ranks(earlier, told, draws),
        **_documents(model, later, made.gain),
        "model_error": model.model_error_,
        **_signs(model, made, told, seed),
    }


def _cells(
    earlier: pd.DataFrame, later: pd.DataFrame, draws: NDArray[np.float64]
) -> dict[str, Any]:
    cells = later.groupby(CELL)[["chance", "mean", "one_hot", "plain"]].mean()
    cells["n"] = earlier.groupby(CELL).size().reindex(cells.index, fill_value=0)
    cells["lower"], cells["upper"] = _interval(_means(later, CELL, draws))
    is_covered = (cells["lower"] <= cells["chance"]) & (cells["chance"] <= cells["upper"])
    made: dict[str, Any] = {
        "n_cells": len(cells),
        "n_covered": int(is_covered.sum()),
        "mean_width": float((cells["upper"] - cells["lower"]).mean()),
        "rmse": _root_mean_square(cells["mean"] - cells["chance"]),
        "rmse_one_hot": _root_mean_square(cells["one_hot"] - cells["chance"]),
        "rmse_plain": _root_mean_square(cells["plain"] - cells["chance"]),
        "bias": float((cells["mean"] - cells["chance"]).mean()),
    }
    for band, (least, most) in BANDS.items():
        of_band = cells["n"].between(least, np.inf if most is None else most)
        made[f"n_cells_{band}"] = int(of_band.sum())
        made[f"n_covered_{band}"] = int(is_covered[of_band].sum())
    return made


def _ranks(
    earlier: pd.DataFrame, later: pd.DataFrame, draws: NDArray[np.float64]
) -> dict[str, int]:
    """Insurers said to be among the three that approve least of their own claims, and wrongly."""
    counted = earlier["payer_id"].value_counts()
    is_known = later["payer_id"].isin(counted.index[counted >= _FEWEST_TO_RANK]).to_numpy()
    known = later[is_known]
    truth = known.groupby("payer_id")["chance"].mean().to_numpy()
    means = _means(known, ["payer_id"], draws[:, is_known])
    is_lowest = _rank(truth[None, :]) < _N_LOWEST
    share = (_rank(means) < _N_LOWEST).mean(axis=0)
    named = share > _SURE
    return {
        "n_named_lowest": int(named.sum()),
        "n_named_wrongly": int((named & ~is_lowest[0]).sum()),
    }


def _documents(
    model: "MixedEffectsLogisticRegression", later: pd.DataFrame, gain: dict[str, float]
) -> dict[str, Any]:
    from analysis.models.predictors import predictors

    covered, errors = [], []
    for document, truth in gain.items():
        asked = later[later[document] != "not_required"].head(_N_DRAWS)
        with_it, without = (
            model.posterior_draws(
                predictors(known_truth.with_document(asked, document, status)), _N_DRAWS
            ).mean(axis=1)
            for status in ("present", "absent")
        )
        lower, upper = _interval((with_it - without)[:, None])
        covered.append(bool(lower[0] <= truth <= upper[0]))
        errors.append(float((with_it - without).mean() - truth))
    return {
        "n_documents": len(gain),
        "n_documents_covered": sum(covered),
        "document_bias": float(np.mean(errors)),
    }


def _signs(
    model: "MixedEffectsLogisticRegression",
    made: known_truth.Practice,
    told: pd.DataFrame,
    seed: int,
) -> dict[str, int]:
    """The signs that a report would see, later claims answered at random by their true chance."""
    from analysis.models import evaluation
    from analysis.models.challenger import BoostedTrees
    from analysis.models.predictors import predictors

    earlier = made.earlier
    seen = learned(model, earlier, earlier["quarter"]) | left_open(_sent(made))
    rng = np.random.default_rng([seed, len(earlier)])
    judged = told.head(max(_FEWEST_TO_RANK, int(_SHARE_LATER * len(earlier))))
    chance = judged["mean"].to_numpy()
    approved = (rng.random(len(judged)) < judged["chance"].to_numpy()).astype(float)
    judged = judged.assign(
        model="mixed_effects_logistic",
        approval_probability=chance,
        is_approved=approved,
        cell_size=evaluation.CELL_SIZES[0],
    )
    boosted = BoostedTrees(random_state=seed)
    boosted.fit(predictors(earlier), earlier["is_approved"].to_numpy(int))
    gain, error = evaluation.log_loss_gain(
        boosted.predict_proba(predictors(judged))[:, 1],
        chance,
        approved,
        judged["patient"].to_numpy(),
    )
    table = tables.to_frame(evaluation.evaluate(judged, _N_RESAMPLES, seed))
    seen |= judged_later(table, gain - 2 * error)
    return {f"sign_{name}": int(name in seen) for name in SIGNS}


def shown(
    model: "MixedEffectsLogisticRegression | None",
    claims: pd.DataFrame,
    due: pd.DataFrame,
    evaluation_table: pd.DataFrame,
    lead_of_trees: float | None,
) -> set[str]:
    """All SIGNS that a practice shows: in the `claims` its model learned from, where it has one,
    in the claims `due` for an answer, and in later ones; as `learned`, `left_open`, `judged_later`.
    """
    seen = left_open(due) | judged_later(evaluation_table, lead_of_trees)
    return seen if model is None else seen | learned(model, claims, claims["submitted_date"])


def learned(
    model: "MixedEffectsLogisticRegression", claims: pd.DataFrame, sent: pd.Series
) -> set[str]:
    """The SIGNS that the claims the model learned from show by themselves.

    `claims` has the columns of `claim_features`, is_approved and patient; `sent` is when each was
    sent, a day or a number.
    """
    from analysis.models import signs
    from analysis.models.predictors import predictors

    chance = model.predict_proba(predictors(claims))[:, 1]
    seen = set()
    if signs.unsteady(chance, claims, sent) < _UNLIKELY:
        seen.add("time")
    if signs.unsteady(chance, claims, claims["visit_number"]) < _UNLIKELY:
        seen.add("visits")
    if signs.gain_of_unrecorded(model, claims)[0] > 0:
        seen.add("unrecorded")
    return seen


def left_open(claims: pd.DataFrame) -> set[str]:
    """The sign of SIGNS that claims old enough for an answer show: payer_id, is_answered."""
    from analysis.models import signs

    return {"unanswered"} if signs.left_open(claims) > _MOST_OPEN else set()


def _sent(made: known_truth.Practice) -> pd.DataFrame:
    """The earlier claims of a made-up practice, as `left_open` asks for them."""
    payers = pd.concat([made.earlier["payer_id"], made.unanswered], ignore_index=True)
    return pd.DataFrame({"payer_id": payers, "is_answered": payers.index < len(made.earlier)})


def judged_later(evaluation_table: pd.DataFrame, lead_of_trees: float | None) -> set[str]:
    """The SIGNS that later claims show: calibration clearly off, boosted trees clearly ahead.

    `lead_of_trees` is the least that log loss falls from the model to boosted trees, as in
    `findings.model.structure`; null where nothing was tested.
    """
    seen = set()
    if _is_off(evaluation_table, "calibration_slope", 1.0):
        seen.add("calibration")
    if lead_of_trees is not None and lead_of_trees > 0:
        seen.add("trees")
    return seen


def _means(claims: pd.DataFrame, by: list[str], draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each draw's mean chance of every cell, cells in order: (draws, cells)."""
    cell = claims.groupby(by).ngroup().to_numpy()
    size = np.bincount(cell)
    return np.array([np.bincount(cell, draw) / size for draw in draws])


def _interval(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    made: NDArray[np.float64] = np.quantile(draws, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=0)
    return made


def _rank(means: NDArray[np.float64]) -> NDArray[np.int64]:
    return means.argsort(axis=1).argsort(axis=1)


def _slope(told: pd.Series, truth: pd.Series) -> float:
    from analysis.models import evaluation

    weights = np.ones((len(told), 1))
    slope = evaluation.calibration_slope(told.to_numpy(), truth.to_numpy(), weights)
    return float(slope[0])


def _root_mean_square(errors: pd.Series) -> float:
    return float(np.sqrt((errors**2).mean()))


def summary(worlds: pd.DataFrame) -> pd.DataFrame:
    """Rows of `measure`, put together by kind and n_claims.

    Shares of cells over all worlds (coverage, coverage_<band>, this with n_, lower_ and upper_),
    mean_width, rmse_ratio and plain_ratio (the model's over those of the two logistic regressions
    of `measure`), bias, the mean calibration slope, ranks_wrong (of insurers named),
    document_coverage and document_bias; null where there was nothing to count.
    """
    grouped = worlds.groupby(["kind", "n_claims"], sort=False)
    total = grouped.sum(numeric_only=True)
    mean = grouped.mean(numeric_only=True)
    shares = {
        "coverage": ("n_covered", "n_cells"),
        **{f"coverage_{b}": (f"n_covered_{b}", f"n_cells_{b}") for b in BANDS},
        "ranks_wrong": ("n_named_wrongly", "n_named_lowest"),
        "document_coverage": ("n_documents_covered", "n_documents"),
    }
    made = pd.DataFrame(
        {
            "n_worlds": grouped.size(),
            **{
                name: total[held] / total[of].where(total[of] > 0)
                for name, (held, of) in shares.items()
            },
            "mean_width": mean["mean_width"],
            "rmse": mean["rmse"],
            "rmse_ratio": mean["rmse"] / mean["rmse_one_hot"],
            "plain_ratio": mean["rmse"] / mean["rmse_plain"],
            "bias": mean["bias"],
            "calibration_slope": mean["calibration_slope"],
            "document_bias": mean["document_bias"],
        }
    )
    for band in BANDS:
        held, of = f"n_covered_{band}", f"n_cells_{band}"
        made[f"n_{band}"] = total[of]
        ends = [_clustered(w[held].to_numpy(float), w[of].to_numpy(float)) for _, w in grouped]
        made[[f"lower_{band}", f"upper_{band}"]] = ends
    return made.reset_index()


def _clustered(held: NDArray[np.float64], of: NDArray[np.float64]) -> tuple[float, float]:
    """95% interval of a share of cells; the cells of one practice miss together."""
    n, n_cells = len(of), float(of.sum())
    if n < _FEWEST_WORLDS or not n_cells:
        return float("nan"), float("nan")
    share = float(held.sum()) / n_cells
    apart = held - share * of
    error = float(np.sqrt(n / (n - 1) * (apart @ apart))) / n_cells
    reach = float(student_t.ppf(0.975, n - 1)) * error
    return max(0.0, share - reach), min(1.0, share + reach)


def measured_path() -> Path:
    """The reference table of what the benchmark measured: one row is one made-up practice."""
    return Path(str(files("analysis.reference") / "model_coverage.csv"))


def measured() -> pd.DataFrame:
    """What the benchmark measured: rows of `measure`, with the day of each."""
    return pd.read_csv(measured_path())


def live(n_claims: int, kinds: Iterable[str], n_worlds: int, seed: int = 0) -> pd.DataFrame:
    """Rows of `measure` for `n_worlds` practices of each kind, made now."""
    return pd.DataFrame(
        [measure(n_claims, kind, seed + place) for kind in kinds for place in range(n_worlds)]
    )


def quoted(n_claims: int, scope: Scope) -> Finding:
    """How often the model's intervals held the truth in made-up practices of this size.

    At the size measured that is nearest to `n_claims`, the claims the model learned from.
    """
    table = _at_size(summary(measured()), n_claims)
    if table.empty:
        return QUOTED.answer(
            "How often the model's ranges hold the truth was not measured for practices this small:"
            " take them as rough.",
            scope,
        )
    row = table[table["kind"] == known_truth.AS_ASSUMED].iloc[0]
    return replace(QUOTED, coverage=float(row["coverage"])).answer(
        "In made-up practices of {size:count} claims, the ranges that should hold the true chance"
        " {level:whole} times in every hundred held it {estimate:whole} times.",
        scope,
        Numbers(float(row["coverage"])),
        {"size": int(row["n_claims"]), "level": _LEVEL},
    )


def warned(n_claims: int, seen: set[str], scope: Scope) -> Finding | None:
    """A warning where the data show signs of a broken assumption under which intervals failed.

    `seen` are the SIGNS that `learned` and `judged_later` found. The rule: coverage measured below
    80% at the size nearest to `n_claims`, of all cells or in a band of cell size with cells enough
    to tell.
    """
    suspected = {kind for sign in seen for kind in SIGNS[sign]}
    failed = _failed(_at_size(summary(measured()), n_claims))
    failed = failed[failed["kind"].isin(suspected)]
    if failed.empty:
        return None
    worst = failed.sort_values(["share", "kind"]).iloc[0]
    return WARNED.answer(
        "Take the model's ranges as too narrow: the claims look as they would where {means},"
        " and there ranges{where} held the true chance only {estimate:whole} times in every"
        " hundred.",
        scope,
        Numbers(float(worst["share"])),
        {"means": known_truth.KINDS[worst["kind"]], "where": _IN_BAND.get(worst["band"], "")},
    )


def unshown(n_claims: int, scope: Scope) -> Finding | None:
    """The worst of what no sign can show and under which intervals failed; the rule of `warned`."""
    shown = {kind for kinds in SIGNS.values() for kind in kinds}
    table = _at_size(summary(measured()), n_claims)
    failed = _failed(table)
    failed = failed[~failed["kind"].isin(shown)]
    if failed.empty:
        return None
    worst = failed.sort_values(["share", "kind"]).iloc[0]
    return UNSHOWN.answer(
        "One thing shows no sign: in made-up practices of {size:count} claims where {means},"
        " ranges{where} held the true chance only {estimate:whole} times in every hundred.",
        scope,
        Numbers(float(worst["share"])),
        {
            "size": int(table["n_claims"].iloc[0]),
            "means": known_truth.KINDS[worst["kind"]],
            "where": _IN_BAND.get(worst["band"], ""),
        },
    )


def alarms(worlds: pd.DataFrame) -> pd.DataFrame:
    """Rows kind and n_claims: n_worlds, and in how many each of SIGNS showed, and any that fits.

    `fitting` counts practices with a sign that makes their kind suspected; where the form holds,
    with any sign, which is a false alarm. Practices whose signs were not looked for are left out.
    """
    columns = [f"sign_{name}" for name in SIGNS]
    counts = worlds[["kind", "n_claims", *columns]].dropna()
    counts = counts.astype(dict.fromkeys(columns, int)).assign(fitting=0)
    for name, kinds in SIGNS.items():
        fits = counts["kind"].isin([*kinds, known_truth.AS_ASSUMED])
        counts.loc[fits, "fitting"] |= counts.loc[fits, f"sign_{name}"]
    grouped = counts.groupby(["kind", "n_claims"], sort=False)
    return grouped.sum().assign(n_worlds=grouped.size()).reset_index()


def reliability(n_claims: int, scope: Scope) -> Finding | None:
    """How often signs of broken assumptions showed in made-up practices of this size.

    None where no practices this small were measured.
    """
    table = alarms(measured())
    can_show = {kind for kinds in SIGNS.values() for kind in kinds}
    is_broken = table["kind"].isin(can_show)
    near = _at_size(table[is_broken], n_claims)
    if near.empty:
        return None
    size = near["n_claims"].min()
    broken = table[is_broken & (table["n_claims"] == size)]
    held = table[(table["kind"] == known_truth.AS_ASSUMED) & (table["n_claims"] == size)].iloc[0]
    n, n_found = int(broken["n_worlds"].sum()), int(broken["fitting"].sum())
    return ALARMS.answer(
        "The data are searched for signs that the model's assumptions are broken. In made-up"
        " practices of {size:count} claims such a sign showed in {numerator:count} of"
        " {denominator:count} with an assumption broken, and falsely in {false:count} of"
        " {of:count} without.",
        scope,
        Numbers(n_found / n, numerator=n_found, denominator=n),
        {
            "size": int(size),
            "false": int(held["fitting"]),
            "of": int(held["n_worlds"]),
        },
    )


def _failed(table: pd.DataFrame) -> pd.DataFrame:
    """Rows kind, band ("all" or one of BANDS) and share where coverage was measured too low."""
    shares = [table.assign(band="all", share=table["coverage"])]
    for band in BANDS:
        can_tell = table[table[f"n_{band}"] >= _FEWEST_CELLS]
        shares.append(can_tell.assign(band=band, share=can_tell[f"coverage_{band}"]))
    told = pd.concat(shares)
    return told.loc[told["share"] < _TOO_LOW, ["kind", "band", "share"]]


def _at_size(table: pd.DataFrame, n_claims: int) -> pd.DataFrame:
    """Of each kind the rows at the size measured that is nearest to `n_claims`, as a ratio.

    Empty where `n_claims` is below all sizes: what holds of more claims need not hold of so few.
    """
    if table.empty or n_claims < table["n_claims"].min():
        return table.head(0)
    away = np.log(table["n_claims"] / n_claims).abs()
    near: pd.DataFrame = table[away == away.groupby(table["kind"]).transform("min")]
    return near


def _is_off(evaluation_table: pd.DataFrame, metric: str, right: float) -> bool:
    """Whether the model's interval of an overall metric leaves out what is right."""
    rows = evaluation_table[
        (evaluation_table["model"] == "mixed_effects_logistic")
        & (evaluation_table["group_kind"] == "overall")
        & (evaluation_table["metric"] == metric)
    ].dropna(subset=["lower", "upper"])
    return bool(((rows["upper"] < right) | (rows["lower"] > right)).any())


def scope(worlds: pd.DataFrame) -> Scope:
    """Made-up practices, as of the last day of measuring."""
    return Scope(
        "made-up practices of known truth",
        "two years to learn from and the next to be judged on",
        date.fromisoformat(worlds["date"].max()),
    )


def overall(worlds: pd.DataFrame, scope: Scope) -> Finding:
    """How often intervals held the truth where the model's form holds, over all sizes."""
    held = worlds[worlds["kind"] == known_truth.AS_ASSUMED]
    n, covered = int(held["n_cells"].sum()), int(held["n_covered"].sum())
    return MEASURED.answer(
        "Where the model's form holds, {estimate:percent} of {denominator:n range} held the true"
        " chance; {level:percent} should.",
        scope,
        Numbers(covered / n, numerator=covered, denominator=n),
        {"level": _LEVEL},
    )


def ranges(worlds: pd.DataFrame) -> pd.DataFrame:
    """How often ranges held the truth, for a table: practice, n_claims, n_worlds, shares, width."""
    columns = ["coverage", *(f"coverage_{band}" for band in BANDS), "mean_width"]
    return _in_words(summary(worlds))[["practice", "n_claims", "n_worlds", *columns]]


def errors(worlds: pd.DataFrame) -> pd.DataFrame:
    """How far predictions, ranks and documents' gains were off, for a table."""
    columns = ["rmse_ratio", "bias", "calibration_slope", "ranks_wrong"]
    columns += ["document_coverage", "document_bias"]
    return _in_words(summary(worlds))[["practice", "n_claims", *columns]]


def signs_shown(worlds: pd.DataFrame) -> pd.DataFrame:
    """In how many practices each sign showed, for a table: practice, n_claims, n_worlds, SIGNS."""
    columns = [f"sign_{name}" for name in SIGNS]
    return _in_words(alarms(worlds))[["practice", "n_claims", "n_worlds", *columns]]


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of kind and n_claims with the kind in words, kinds in their order and each by size."""
    table = table.copy()
    table["order"] = table["kind"].map({kind: place for place, kind in enumerate(KINDS)})
    table = table.assign(practice=table["kind"].map(known_truth.KINDS))
    return table.sort_values(["order", "n_claims"], ignore_index=True)

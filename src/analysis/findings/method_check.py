"""How well the approval model's intervals hold: measured on made-up practices of known truth."""

# scikit-learn's estimators carry no types.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.models import approval, evaluation
from analysis.models.predictors import predictors
from analysis.synthetic import known_truth

CELL = ["payer_id", "condition_group", "profile"]
BANDS = {"0": (0, 0), "1-10": (1, 10), "11-50": (11, 50), "more": (51, None)}
"""Claims learned from in a cell, least and most."""
_LEVEL = 0.90
_N_DRAWS = 400
_N_LOWEST, _SURE = 3, 0.8
_FEWEST_TO_RANK = 11


def measure(n_claims: int, kind: str, seed: int) -> dict[str, Any]:
    """One made-up practice: how near the model's chances came to the true ones, and how often.

    A cell is an insurer, a condition and the number of documents recorded as absent; its truth is
    the mean true chance of its claims of the next year. Counts of cells and of cells whose 90%
    interval holds the truth, overall and by the claims learned from in the cell; mean width; root
    mean squared error beside one-hot logistic regression; bias (predicted minus true); calibration
    slope; insurers said to be among the lowest three, and wrongly; documents, whose gain the
    interval holds, and their bias.
    """
    made = known_truth.practice(n_claims, kind, seed)
    earlier, later = made.earlier, made.later
    y = earlier["is_approved"].to_numpy()
    model = approval.unfitted(len(earlier), seed)
    model.fit(predictors(earlier), y.astype(int), groups=earlier["patient"])
    plain = approval.OneHotLogistic().fit(earlier, y, earlier["patient"].to_numpy(str))
    draws = model.posterior_draws(predictors(later), _N_DRAWS)
    told = later.assign(
        mean=model.predict_proba(predictors(later))[:, 1],
        one_hot=plain.predict_proba(later)[:, 1],
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
    }


def _cells(
    earlier: pd.DataFrame, later: pd.DataFrame, draws: NDArray[np.float64]
) -> dict[str, Any]:
    cells = later.groupby(CELL)[["chance", "mean", "one_hot"]].mean()
    cells["n"] = earlier.groupby(CELL).size().reindex(cells.index, fill_value=0)
    cells["lower"], cells["upper"] = _interval(_means(later, CELL, draws))
    is_covered = (cells["lower"] <= cells["chance"]) & (cells["chance"] <= cells["upper"])
    made: dict[str, Any] = {
        "n_cells": len(cells),
        "n_covered": int(is_covered.sum()),
        "mean_width": float((cells["upper"] - cells["lower"]).mean()),
        "rmse": _root_mean_square(cells["mean"] - cells["chance"]),
        "rmse_one_hot": _root_mean_square(cells["one_hot"] - cells["chance"]),
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
    model: approval.MixedEffectsLogisticRegression, later: pd.DataFrame, gain: dict[str, float]
) -> dict[str, Any]:
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
    weights = np.ones((len(told), 1))
    slope = evaluation.calibration_slope(told.to_numpy(), truth.to_numpy(), weights)
    return float(slope[0])


def _root_mean_square(errors: pd.Series) -> float:
    return float(np.sqrt((errors**2).mean()))


def summary(worlds: pd.DataFrame) -> pd.DataFrame:
    """Rows of `measure`, put together by kind and n_claims.

    Shares of cells over all worlds (coverage, coverage_<band>), mean_width, rmse_ratio (the model's
    over one-hot logistic regression's), bias, the mean calibration slope, ranks_wrong (of insurers
    named), document_coverage and document_bias; null where there was nothing to count.
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
            "bias": mean["bias"],
            "calibration_slope": mean["calibration_slope"],
            "document_bias": mean["document_bias"],
        }
    )
    return made.reset_index()


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

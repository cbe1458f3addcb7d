"""How much rates differ between practices: a random-effects summary of counts of each.

Each practice's log odds is normal around its own mean, with the variance that its counts leave; the
means are normal between practices. Between-practice variance by restricted maximum likelihood, its
interval by the Q-profile (Viechtbauer, Statistics in Medicine 2007); the mean's interval by Hartung
and Knapp (Statistics in Medicine 2001); the prediction interval by Higgins, Thompson and
Spiegelhalter (JRSS A 2009), with a t distribution of two degrees fewer than practices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

LEVEL = 0.95
FEWEST = 5
_LARGEST = 25.0

Vector = NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Between:
    """The typical practice's share, where a further practice's lies, and the spread of log odds."""

    share: float
    share_interval: Interval
    prediction: Interval
    sd: float
    sd_interval: Interval
    n_practices: int


def between(
    approved: Sequence[int], denied: Sequence[int], design_effects: Sequence[float]
) -> Between:
    """The summary of one count of each per practice.

    Raises ValueError for fewer than `FEWEST` practices.
    """
    if len(approved) < FEWEST:
        raise ValueError(f"{len(approved)} practices, at least {FEWEST} are needed")
    # Half a claim more of each keeps the log odds finite where none was denied.
    yes, no = np.asarray(approved) + 0.5, np.asarray(denied) + 0.5
    logit = np.log(yes / no)
    variance = np.asarray(design_effects) * (1 / yes + 1 / no)
    found = optimize.minimize_scalar(
        lambda spread: _loss(spread, logit, variance), bounds=(0.0, _LARGEST), method="bounded"
    )
    tau2 = 0.0 if _loss(0.0, logit, variance) <= found.fun else float(found.x)
    mean, weight = _mean(tau2, logit, variance)
    k = logit.size
    scale = (weight * (logit - mean) ** 2).sum() / (k - 1)
    # Hartung and Knapp's factor may fall below 1 by chance; then the plain error is kept.
    error = float(np.sqrt(max(1.0, scale) / weight.sum()))
    sure = stats.t.ppf((1 + LEVEL) / 2, k - 1) * error
    wide = stats.t.ppf((1 + LEVEL) / 2, k - 2) * np.sqrt(tau2 + error**2)
    low, high = _profile(logit, variance)
    return Between(
        share=float(special.expit(mean)),
        share_interval=(float(special.expit(mean - sure)), float(special.expit(mean + sure))),
        prediction=(float(special.expit(mean - wide)), float(special.expit(mean + wide))),
        sd=float(np.sqrt(tau2)),
        sd_interval=(float(np.sqrt(low)), float(np.sqrt(high))),
        n_practices=k,
    )


def _mean(tau2: float, logit: Vector, variance: Vector) -> tuple[float, Vector]:
    weight = 1 / (variance + tau2)
    return float((weight * logit).sum() / weight.sum()), weight


def _loss(tau2: float, logit: Vector, variance: Vector) -> float:
    """Minus twice the restricted log likelihood, but for a constant."""
    mean, weight = _mean(tau2, logit, variance)
    fit = (weight * (logit - mean) ** 2).sum()
    return float(fit - np.log(weight).sum() + np.log(weight.sum()))


def _profile(logit: Vector, variance: Vector) -> Interval:
    """The interval of the variance: where the generalised Q leaves what chance allows."""

    def above(tau2: float, quantile: float) -> float:
        mean, weight = _mean(tau2, logit, variance)
        return float((weight * (logit - mean) ** 2).sum() - quantile)

    ends = []
    for share in ((1 + LEVEL) / 2, (1 - LEVEL) / 2):
        quantile = float(stats.chi2.ppf(share, logit.size - 1))
        if above(0.0, quantile) <= 0:
            ends.append(0.0)
        elif above(_LARGEST, quantile) >= 0:
            ends.append(_LARGEST)
        else:
            ends.append(float(optimize.brentq(above, 0.0, _LARGEST, args=(quantile,))))
    return ends[0], ends[1]

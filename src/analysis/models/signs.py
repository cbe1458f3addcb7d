"""Signs, in the claims the model learned from or had to leave out, that an assumption is broken.

They cost no second fit: what the model leaves unexplained is enough.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from analysis.models.mixed_effects import MixedEffectsLogisticRegression
from analysis.models.predictors import DOCUMENTS, predictors

_N_STRETCHES = 8
_N_FLIPS = 999
_MOST_CLAIMS = 5_000
_N_DRAWS = 400
_UNSURE = 0.05


def unsteady(
    chance: NDArray[np.float64], claims: pd.DataFrame, along: pd.Series, seed: int = 0
) -> float:
    """How likely insurers' approvals would stray so far along an order if they were steady.

    `chance` is the model's for `claims` (is_approved, payer_id, patient); `along` a day or a number
    of each. It is the score test against a random walk of each insurer's log odds (Nyblom 1989):
    what is unexplained, the insurer's own mean taken off, is added up along eight stretches of
    equal size. Its law comes from turning the signs of all that is unexplained of a patient, at
    random, so that a patient's claims count together.
    """
    payer = pd.factorize(claims["payer_id"], sort=True)[0]
    stretch = _stretches(along)
    n_payers, n_stretches = payer.max() + 1, stretch.max() + 1
    left = claims["is_approved"].to_numpy(float) - chance
    weight = np.bincount(
        payer * n_stretches + stretch, chance * (1 - chance), n_payers * n_stretches
    ).reshape(n_payers, n_stretches)
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    one = pd.DataFrame({"payer": payer, "patient": claims["patient"].to_numpy()})
    whose = one.groupby(["payer", "patient"], sort=True).ngroup().to_numpy()
    n_whose = whose.max() + 1
    payer_of = np.zeros(n_whose, np.int64)
    payer_of[whose] = payer
    sums = np.bincount(whose * n_stretches + stretch, left, n_whose * n_stretches)
    sums = sums.reshape(n_whose, n_stretches)
    apart = sums - share[payer_of] * sums.sum(axis=1, keepdims=True)
    strayed = np.cumsum(apart, axis=1)[:, :-1]
    rng = np.random.default_rng(seed)
    seen, by_chance = 0.0, np.zeros(_N_FLIPS)
    for number in range(n_payers):
        mine = strayed[payer_of == number]
        flips = rng.integers(0, 2, (_N_FLIPS, len(mine)), dtype=np.int8) * 2 - 1
        seen += float((mine.sum(axis=0) ** 2).sum())
        by_chance += ((flips @ mine) ** 2).sum(axis=1)
    return float((1 + (by_chance >= seen).sum()) / (1 + _N_FLIPS))


def gain_of_unrecorded(
    model: MixedEffectsLogisticRegression, claims: pd.DataFrame
) -> tuple[float, float]:
    """90% interval of what leaving documents unrecorded adds to the chance, against recording them.

    A document of which nobody knows may be there or not, so it cannot bring more approvals than one
    that is there, unless records were filled in after the answer. NaN where all are recorded.
    `claims` has the columns of `claim_features`.
    """
    statuses = claims[list(DOCUMENTS)]
    is_unknown = (statuses == "unknown").any(axis=1)
    asked = claims[is_unknown].head(_MOST_CLAIMS)
    if asked.empty:
        return float("nan"), float("nan")
    recorded = asked.assign(**asked[list(DOCUMENTS)].replace("unknown", "present"))
    gain = (
        model.posterior_draws(predictors(asked), _N_DRAWS)
        - model.posterior_draws(predictors(recorded), _N_DRAWS)
    ).mean(axis=1)
    lower, upper = np.quantile(gain, [0.05, 0.95])
    return float(lower), float(upper)


def left_open(claims: pd.DataFrame) -> float:
    """The share of claims that the worst of the insurers at least leaves without an answer.

    Of claims old enough for one: payer_id, is_answered. The lower end of an insurer's exact 95%
    interval, in which all insurers count as tried; nought without any claim. What is left open
    may be denials, which then nobody learns from.
    """
    by_payer = (
        (~claims["is_answered"].astype(bool)).groupby(claims["payer_id"]).agg(["sum", "size"])
    )
    if by_payer.empty:
        return 0.0
    n_open, n = by_payer["sum"].to_numpy(float), by_payer["size"].to_numpy(float)
    tail = _UNSURE / 2 / len(by_payer)
    least = beta.ppf(tail, np.maximum(n_open, 1), n - n_open + 1)
    return float(np.where(n_open > 0, least, 0.0).max())


def _stretches(along: pd.Series) -> NDArray[np.int64]:
    """Which of eight stretches of about equal size each value lies in; equal values in one."""
    place = along.rank(method="average").to_numpy() / (len(along) + 1)
    made = np.floor(place * _N_STRETCHES).astype(np.int64)
    return np.unique(made, return_inverse=True)[1].astype(np.int64)

"""How often claims will have been approved once those that still wait are answered too.

By the estimator of Aalen and Johansen (1978) for two competing answers. Among recent claims quick
answers are in and slow ones are not, and approvals and denials need not be equally quick: to leave
waiting claims out, or to count them as denied, is biased. Here each waits on as earlier claims of
the same set did.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.models.rates import wilson_interval

Vector = NDArray[np.float64]


class Awaited(NamedTuple):
    """A share of approvals among first answers, foreseen from claims of which some still wait.

    `answered` is the share of claims answered within the longest wait seen so far: beyond it
    nothing is known. `effective` is how many independent claims would tell as much.
    """

    share: float
    answered: float
    effective: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Wilson's interval on the effective number of claims."""
        n = np.array(self.effective)
        lower, upper = wilson_interval(self.share * n, n, level)
        return float(lower), float(upper)


def awaited_approval(
    days: NDArray[np.int64],
    is_answered: NDArray[np.bool_],
    is_approved: NDArray[np.bool_],
    patients: NDArray[np.object_],
) -> Awaited | None:
    """The share approved of the first answers to all claims; None before any answer.

    `days` count from submission to the answer, or to the day the answers were read where a claim
    still waits. The interval's variance is the infinitesimal jackknife with a patient's claims
    taken together. Waiting must end for reasons of its own (the day of reading): claims that will
    never be answered, such as voided ones, do not belong here.
    """
    if not is_answered.any():
        return None
    exits, place = np.unique(days, return_inverse=True)
    approved, denied = (
        np.bincount(place, is_answered & (is_approved == kind), len(exits)).astype(float)
        for kind in (True, False)
    )
    at_risk = np.bincount(place, minlength=len(exits))[::-1].cumsum()[::-1].astype(float)
    hazard = (approved + denied) / at_risk
    waiting = np.concatenate([[1.0], np.cumprod(1 - hazard)[:-1]])
    moved = {}
    reached = {}
    for kind, answers in ((True, approved), (False, denied)):
        reach = np.cumsum(waiting * answers / at_risk)
        reached[kind] = float(reach[-1])
        # What an answer on a day takes from those that would have come later.
        to_come = np.zeros(len(exits))
        np.divide(reach[-1] - reach, 1 - hazard, out=to_come, where=hazard < 1)
        exposed = np.cumsum((waiting * answers / at_risk - to_come * hazard) / at_risk)
        own = np.where(is_approved == kind, waiting[place], 0.0) - to_come[place]
        moved[kind] = np.where(is_answered, own, 0.0) / at_risk[place] - exposed[place]
    answered = reached[True] + reached[False]
    share = reached[True] / answered
    influence = ((1 - share) * moved[True] - share * moved[False]) / answered
    of_patient = pd.Series(influence).groupby(patients).sum().to_numpy()
    n = len(of_patient)
    variance = n / max(n - 1, 1) * float(of_patient @ of_patient)
    # Answers that all agree have no variance; then each patient counts once.
    effective = float(len(np.unique(patients[is_answered])))
    if variance > 1e-12:
        effective = min(share * (1 - share) / variance, float(len(days)))
    return Awaited(share, answered, effective)

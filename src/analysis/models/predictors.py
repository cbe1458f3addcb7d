"""What the approval models read of a claim: only what was known on the day it was sent."""

import pandas as pd

from analysis.models.terms import RandomEffect
from analysis.schemas import CLAIM_DOCUMENTS

DOCUMENTS = tuple(CLAIM_DOCUMENTS)
CATEGORIES = ("payer_type", "payer_id", "plan_id", "condition_group", "network_status")

# Beyond these nothing more is learned: few claims lie there, and they would pull on every other.
LARGEST = {"visit_number": 20, "submission_lag_days": 90, "n_units": 8, "completeness": 1}

FEATURES = (*CATEGORIES, *DOCUMENTS, *LARGEST)

KNOWN_ONLY_LATER = (
    "paid",
    "allowed",
    "adjust",
    "carc",
    "rarc",
    "denial",
    "denied",
    "determination",
    "appeal",
    "remit",
    "outcome",
    "mature",
    "received",
    "check",
    "balance",
)
"""Words that no predictor's name may hold: what they name exists only after the answer."""

ABSENT = tuple(f"{document}_absent" for document in DOCUMENTS)
UNKNOWN = tuple(f"{document}_unknown" for document in DOCUMENTS)
_MEASURES = (*LARGEST, *(f"{number}_missing" for number in LARGEST))
NUMBERS = (*ABSENT, *UNKNOWN, *_MEASURES)
# Counts of documents in threes are of about unit scale.
_A_FEW = 3
_MOST_TOLD_APART = 2
# Limits on visits are usually even.
_VISITS_PER_STAGE = 2

# What documents have in common is fixed, how each differs is drawn towards it: in a small practice
# no document has claims enough to tell its own share.
FIXED = ("n_absent", "n_unknown", *_MEASURES)
RANDOM = (
    *(RandomEffect(column, (column,)) for column in CATEGORIES),
    RandomEffect("payer_id x condition_group", ("payer_id", "condition_group")),
    RandomEffect("documents absent", (), ABSENT),
    RandomEffect("documents unknown", (), UNKNOWN),
    RandomEffect("documents by payer_id", ("payer_id",), ABSENT),
)
# Where documents count otherwise than any effect says, it shows in these.
CELLS = ("payer_id", "condition_group", "lacking")

RICHER = (
    RandomEffect("documents by condition_group", ("condition_group",), ABSENT),
    RandomEffect("completeness by payer_id", ("payer_id",), ("n_absent",)),
    # An insurer's limit on visits shows as a steeper fall along them.
    RandomEffect("visits by payer_id", ("payer_id",), ("visit_number",)),
)
# A slope cannot tell where a limit falls. Only many claims show that it is none.
STAGES = (RandomEffect("stage of visits by payer_id", ("payer_id", "visit_stage")),)
# With fewer claims a cell hardly tells its own miss, only how large misses are.
MISSES = (RandomEffect("lack of fit", CELLS),)
RICHER_FROM, STAGES_FROM, MISSES_FROM = 750, 20_000, 100_000
"""Claims to learn from on, from which the model also has these effects."""


def form(n_claims: int) -> tuple[tuple[RandomEffect, ...], tuple[str, ...]]:
    """The random effects of a model that learns from so many claims, and where it may miss."""
    more = ((RICHER_FROM, RICHER), (STAGES_FROM, STAGES), (MISSES_FROM, MISSES))
    effects = [effect for least, some in more if n_claims >= least for effect in some]
    return (*RANDOM, *effects), CELLS if n_claims >= RICHER_FROM else ()


def predictors(claims: pd.DataFrame) -> pd.DataFrame:
    """Rows of `claim_features` (columns FEATURES) as the mixed-effects model reads them.

    Categories as they are; of each document whether it is absent and whether nobody wrote it down,
    0 or 1, and how many are, in threes; numbers as shares of LARGEST, at most 1, nought and
    a mark where missing; `lacking` tells whether no document is absent, one, or more;
    `visit_stage` counts visits in twos, nought where missing.
    """
    made = {column: claims[column] for column in CATEGORIES}
    for document in DOCUMENTS:
        for status in ("absent", "unknown"):
            made[f"{document}_{status}"] = (claims[document] == status).astype(float)
    n_absent = (claims[list(DOCUMENTS)] == "absent").sum(axis=1)
    made["n_absent"] = n_absent / _A_FEW
    made["n_unknown"] = (claims[list(DOCUMENTS)] == "unknown").sum(axis=1) / _A_FEW
    made["lacking"] = n_absent.clip(upper=_MOST_TOLD_APART)
    visits = claims["visit_number"].astype(float).clip(upper=LARGEST["visit_number"])
    made["visit_stage"] = (visits.fillna(0.0) + _VISITS_PER_STAGE - 1) // _VISITS_PER_STAGE
    for column, most in LARGEST.items():
        number = claims[column].astype(float).clip(lower=0, upper=most) / most
        made[column] = number.fillna(0.0)
        made[f"{column}_missing"] = number.isna().astype(float)
    return pd.DataFrame(made, index=claims.index)

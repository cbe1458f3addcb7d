"""The approval model judged by rolling origin, beside what it has to beat.

The claims of each test period are predicted by models that learned on its first day from what was
known then, for patients they have not met: the overall rate, raw rates of cells, a plain one-hot
logistic regression, the approval model, and boosted trees that would show what its form lacks.
"""

# threadpoolctl carries no types.
# mypy: disable-error-code="import-untyped"

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits

from analysis import tables
from analysis.config import ModelDesign
from analysis.models import approval
from analysis.models.challenger import BoostedTrees
from analysis.models.evaluation import cell_sizes, evaluate
from analysis.models.one_hot import OneHotLogistic
from analysis.models.patients import patients
from analysis.models.periods import Parts, Period
from analysis.models.predictors import predictors
from analysis.models.rates import PAYER_BY_CONDITION, predict_from_rates


class Judged(NamedTuple):
    """Tables `predictions` and `evaluation`."""

    predictions: pa.Table
    evaluation: pa.Table


def judge(test_periods: pa.Table, judged_claims: pa.Table, design: ModelDesign) -> Judged:
    """Predict and judge the claims of each test period; both tables are as `periods` makes them.

    Empty tables where no period has a claim of a patient not met before.
    """
    claims = tables.to_frame(judged_claims)
    periods = [Period(**row) for row in test_periods.select(list(Period._fields)).to_pylist()]
    told = [
        _told(period, parts, design)
        for period in periods
        if len((parts := period.parts(claims)).test)
    ]
    if not told:
        return Judged(*(tables.from_columns(name, {}) for name in Judged._fields))
    judged = pd.concat(told, ignore_index=True)
    # A patient may be new in several periods.
    judged = judged.assign(patient=patients(judged))
    columns = ["claim_id", "model", "approval_probability", "is_approved", "split_date"]
    predictions = tables.from_columns("predictions", {column: judged[column] for column in columns})
    return Judged(predictions, evaluate(judged, design.n_resamples, design.seed))


def _told(period: Period, parts: Parts, design: ModelDesign) -> pd.DataFrame:
    """The claims tested in one period, once for each model, as `evaluate` reads them."""
    train, test = parts.train, parts.test
    boosted = BoostedTrees(design.minimum_cell_size, design.seed)
    boosted.fit(predictors(train), train["is_approved"].to_numpy(int))
    mixed = approval.fitted(train, design)
    chances = {
        "base_rate": np.full(len(test), train["is_approved"].mean()),
        "cell_rate": predict_from_rates(
            test, train, train["is_approved"], design.minimum_cell_size
        ),
        "one_hot_logistic": _plain(train, design).predict_proba(test)[:, 1],
        "boosted_trees": boosted.predict_proba(predictors(test))[:, 1],
        "mixed_effects_logistic": mixed.predict_proba(predictors(test))[:, 1],
    }
    cell = list(PAYER_BY_CONDITION)
    n_known = test[cell].merge(train.value_counts(cell).reset_index(), on=cell, how="left")["count"]
    test = test.assign(
        split_date=period.first_day,
        cell_size=cell_sizes(n_known.fillna(0).to_numpy(np.int64)),
    )
    return pd.concat(
        # Eight places: what is left behind them differs between machines.
        [test.assign(model=name, approval_probability=p.round(8)) for name, p in chances.items()],
        ignore_index=True,
    )


def _plain(claims: pd.DataFrame, design: ModelDesign) -> OneHotLogistic:
    """The one-hot logistic regression that the model has to beat, learned from `claims`."""
    # Matrices this small only wait for each other on several threads, the longer the busier the
    # machine; and one thread gives one answer everywhere.
    with threadpool_limits(limits=1):
        return OneHotLogistic(design.minimum_cell_size).fit(
            claims, claims["is_approved"].to_numpy(bool), claims["patient"].to_numpy(str)
        )

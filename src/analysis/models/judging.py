"""The approval model judged by rolling origin, beside what it has to beat.

The claims of each test period are predicted by models that learned on its first day from what was
known then, for patients they have not met: the overall rate, raw rates of cells, a plain one-hot
logistic regression, the approval model, and boosted trees that would show what its form lacks.
"""

# threadpoolctl carries no types.
# mypy: disable-error-code="import-untyped"

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

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


Foretell: TypeAlias = Callable[[Period, Parts, ModelDesign], pa.Table]


def foretell(period: Period, parts: Parts, design: ModelDesign) -> pa.Table:
    """The rows of `predictions` of one test period, from what its own claims say and nothing else.

    The claims in the order of `parts.test`, once for each model.
    """
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
    told = {
        "claim_id": np.tile(test["claim_id"], len(chances)),
        "model": np.repeat(list(chances), len(test)),
        # Eight places: what is left behind them differs between machines.
        "approval_probability": np.concatenate(list(chances.values())).round(8),
        "is_approved": np.tile(test["is_approved"], len(chances)),
        "split_date": [period.first_day] * (len(test) * len(chances)),
    }
    return tables.from_columns("predictions", told)


def judge(
    test_periods: pa.Table,
    judged_claims: pa.Table,
    design: ModelDesign,
    foretell: Foretell = foretell,
) -> Judged:
    """Predict and judge the claims of each test period; both tables are as `periods` makes them.

    `foretell` gives a period's predictions, made now or earlier. Empty tables where no period has a
    claim of a patient not met before.
    """
    claims = tables.to_frame(judged_claims)
    periods = [Period(**row) for row in test_periods.select(list(Period._fields)).to_pylist()]
    tested = [(period, parts) for period in periods if len((parts := period.parts(claims)).test)]
    if not tested:
        return Judged(*(tables.from_columns(name, {}) for name in Judged._fields))
    foretold = [foretell(period, parts, design) for period, parts in tested]
    judged = pd.concat(
        [_judged(parts, told) for (_, parts), told in zip(tested, foretold, strict=True)],
        ignore_index=True,
    )
    # A patient may be new in several periods.
    judged = judged.assign(patient=patients(judged))
    evaluation = evaluate(judged, design.n_resamples, design.seed)
    return Judged(pa.concat_tables(foretold), evaluation)


def _judged(parts: Parts, foretold: pa.Table) -> pd.DataFrame:
    """The claims tested in one period, once for each model, as `evaluate` reads them."""
    cell = list(PAYER_BY_CONDITION)
    met = parts.train.value_counts(cell).reset_index()
    n_known = parts.test[cell].merge(met, on=cell, how="left")["count"]
    test = parts.test.assign(cell_size=cell_sizes(n_known.fillna(0).to_numpy(np.int64)))
    told = tables.to_frame(foretold.select(["claim_id", "model", "approval_probability"]))
    return told.merge(test, on="claim_id", validate="many_to_one")


def _plain(claims: pd.DataFrame, design: ModelDesign) -> OneHotLogistic:
    """The one-hot logistic regression that the model has to beat, learned from `claims`."""
    # Matrices this small only wait for each other on several threads, the longer the busier the
    # machine; and one thread gives one answer everywhere.
    with threadpool_limits(limits=1):
        return OneHotLogistic(design.minimum_cell_size).fit(
            claims, claims["is_approved"].to_numpy(bool), claims["patient"].to_numpy(str)
        )

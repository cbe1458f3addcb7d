"""The approval model as reports fit it, with its intervals, against logistic regression.

Two peers tell no intervals, the penalty of each chosen by cross-validation that keeps a patient's
claims together: the one-hot model of report 06, which is exact to the last digit, and what
scikit-learn's user would write, LogisticRegressionCV as it comes on a sparse one-hot matrix, which
stops at four digits and is the stricter reading of what was asked. The first, whose matrices are
dense, takes about seven minutes of processor at 1,000,000 claims and is left out there. One peer
tells intervals: statsmodels' mixed logistic regression by variational Bayes, without patients (with
them it had not finished 5,000 claims after three minutes) and with fewer effects; measured once, at
5,000 claims. It comes from `pip install --require-hashes -r benchmarks.lock`.

All learn from the same claims of `claim_features`, made up in memory: 16 insurers, 64 plans, 20
conditions, 9 documents, 4 numbers, 5 claims a patient, each with any insurer, so that hardly two
rows are the same. The model also tells the intervals of every insurer and condition. Starting,
imports and making the claims are left out of times, but not out of the memory.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measuring import Row, Size, at_most, python

_CLAIMS = """
import sys, time
from pathlib import Path
import numpy as np, pandas as pd
from threadpoolctl import threadpool_limits
from analysis.models.approval import unfitted
from analysis.models.one_hot import OneHotLogistic
from analysis.models.predictors import CATEGORIES, DOCUMENTS, FIXED, LARGEST, predictors
from scipy.sparse import hstack
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import OneHotEncoder, StandardScaler

n, rng = int(sys.argv[1]), np.random.default_rng(0)
payer, condition = rng.integers(16, size=n), rng.integers(20, size=n)
patient = rng.integers(n // 5, size=n)
statuses = np.array(["present", "absent", "not_required", "unknown"])
documents = {name: rng.choice(4, n, p=[0.7, 0.15, 0.05, 0.1]) for name in DOCUMENTS}
visit, lag = rng.integers(1, 21, n), rng.integers(0, 40, n)
odds = 1.8 + rng.normal(0, 0.8, 16)[payer] + rng.normal(0, 0.4, 20)[condition]
odds += rng.normal(0, 0.3, (16, 20))[payer, condition] + rng.normal(0, 0.4, n // 5)[patient]
odds -= 1.2 * (documents["authorization"] == 1) + 0.8 * (documents["plan_of_care"] == 1)
y = rng.random(n) < 1 / (1 + np.exp(-odds + 0.05 * visit))
X = pd.DataFrame({name: statuses[drawn] for name, drawn in documents.items()}).assign(
    payer_type=(payer % 4).astype(str),
    payer_id=payer.astype(str),
    plan_id=(payer * 4 + rng.integers(4, size=n)).astype(str),
    condition_group=condition.astype(str),
    network_status=np.array(["in", "out"])[rng.integers(2, size=n)],
    visit_number=visit,
    submission_lag_days=lag,
    n_units=rng.integers(1, 5, n),
    completeness=rng.integers(0, 10, n) / 9,
)
patient = patient.astype(str)
"""
_ONE_HOT = """
with threadpool_limits(limits=1):
    OneHotLogistic().fit(X, y, patient)
"""
_SPARSE = """
with threadpool_limits(limits=1):
    columns = make_column_transformer(
        (OneHotEncoder(), [*CATEGORIES, *DOCUMENTS]), (StandardScaler(), list(LARGEST))
    )
    X = columns.fit_transform(X)
    folds = list(GroupKFold(5).split(X, y, patient))
    LogisticRegressionCV(cv=folds, scoring="neg_log_loss", max_iter=1_000).fit(X, y)
"""
_VARIATIONAL = """
from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

with threadpool_limits(limits=1):
    X = predictors(X)
    effects = [*CATEGORIES, "payer_id x condition_group"]
    X[effects[-1]] = X["payer_id"] + X["condition_group"]
    levels = [OneHotEncoder().fit_transform(X[[effect]]) for effect in effects]
    of = np.repeat(np.arange(len(effects)), [one.shape[1] for one in levels])
    fixed = np.column_stack([np.ones(n), X[list(FIXED)].to_numpy(float)])
    BinomialBayesMixedGLM(y.astype(float), fixed, hstack(levels).tocsr(), of).fit_vb()
"""
_MIXED = """
X = predictors(X)
model = unfitted(n, 0).fit(X, y.astype(int), groups=patient)
model.standardise(X.head(5_000), by=["payer_id", "condition_group"])
"""
_TOLD = "Path(sys.argv[2]).write_text(str(time.process_time() - began))"
_DENSE_PEER = {"one-hot model of report 06": _ONE_HOT}
_SPARSE_PEER = {"LogisticRegressionCV": _SPARSE}
_MIXED_PEER = {"statsmodels' BinomialBayesMixedGLM": _VARIATIONAL}
_LIMITS = {
    5_000: (4, _DENSE_PEER | _SPARSE_PEER),
    50_000: (6, _DENSE_PEER | _SPARSE_PEER),
    1_000_000: (6, _SPARSE_PEER),
}
_MOST_GIGABYTES = 2


def measure(size: Size) -> list[Row]:
    """5,000 and 50,000 claims; at full size also 1,000,000, and the mixed peer, once each."""
    rows = []
    for n, (limit, peers) in _LIMITS.items():
        if n < max(_LIMITS) or size == "full":
            rows += _rows(n, limit, 3 if n < max(_LIMITS) else 1, peers)
    if size == "full":
        rows += _rows(min(_LIMITS), None, 1, _MIXED_PEER)[:1]
    return rows


def _rows(n: int, limit: float | None, repetitions: int, peers: dict[str, str]) -> list[Row]:
    runs = [[_cost(job, n) for job in (_MIXED, *peers.values())] for _ in range(repetitions)]
    seconds = [[cost for cost, _ in jobs] for jobs in runs]
    memory = [jobs[0][1] / 2**30 for jobs in runs]
    what = f"fit with intervals, {n:,} claims"
    rows = []
    for place, peer in enumerate(peers):
        ratios = tuple(mixed / others[place] for mixed, *others in seconds)
        rows.append(at_most(limit, what, peer, ratios) if limit else Row(what, peer, ratios))
    return [
        *rows,
        Row(what, "nothing", tuple(mixed for mixed, *_ in seconds), unit="CPU s"),
        at_most(_MOST_GIGABYTES, f"peak memory of it, {n:,} claims", "nothing", memory, "GB"),
    ]


def _cost(job: str, n: int) -> tuple[float, int]:
    """Processor seconds of a job on `n` claims, by its own clock, and its process's memory."""
    with TemporaryDirectory() as place:
        told = Path(place) / "seconds"
        code = f"{_CLAIMS}\nbegan = time.process_time()\n{job}\n{_TOLD}"
        cost = python(code, str(n), told)
        return float(told.read_text()), cost.peak_bytes

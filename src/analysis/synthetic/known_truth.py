"""Made-up claims whose true chance of approval is known, to measure a model against.

Not files: rows as table `claim_features` has them, so that hundreds of practices cost seconds. Two
years of claims to learn from, and the next year's with the chance that each had before its answer,
for a patient not met before. Each kind of practice but the first breaks one assumption of the
approval model.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from analysis.schemas import CLAIM_DOCUMENTS

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int64]

AS_ASSUMED = "as_assumed"
KINDS: Mapping[str, str] = {
    AS_ASSUMED: "the model's form holds",
    "visit_cliff": "some insurers stop approving after a certain visit",
    "interactions": "documents count differently by condition, and completeness by insurer",
    "hidden_confounder": "something unrecorded both thins the documents and lowers approval",
    "drift": "insurers change from quarter to quarter",
    "informative_pending": "denials, more than approvals, are never answered",
    "documentation_after_denial": "documents are looked up after a denial, else left unrecorded",
}

DOCUMENTS = tuple(CLAIM_DOCUMENTS)
PAYER_TYPES = ("commercial", "medicaid", "auto", "workers_compensation")
CONDITIONS = ("low_back_pain", "neck_pain", "headache", "shoulder", "anxiety", "fibromyalgia")
N_PAYERS = 14
N_PLANS = 2
N_QUARTERS = 12
# A payer met only in the last four quarters, a plan and a condition met rarely: all occur.
N_LATE_PAYERS = 2
FEWEST_LATER, MOST_LATER = 3_000, 20_000

_N_HIDDEN_DRAWS = 60
_CARE = np.polynomial.hermite_e.hermegauss(11)
_CARE_COUNTS = 0.8
# Beside as many claims as are answered.
_SHARE_LOST = 0.02
_CONFOUNDER_SHARE, _CONFOUNDER_COUNTS = 0.4, 1.2


class Practice(NamedTuple):
    """`earlier` to learn from, `later` to be judged on: columns of claim_features, and patient.

    Both have `quarter`, in which a claim was sent. `earlier` has is_approved; `later` has chance,
    the true one given what was recorded. `profile` counts the required documents recorded as
    absent. `gain` is what each document truly adds to the mean chance of the later claims that
    require it, in points from 0 to 1. `unanswered` names the insurer of each claim sent earlier
    that never got an answer: of every kind some, whatever it would have been.
    """

    earlier: pd.DataFrame
    later: pd.DataFrame
    gain: dict[str, float]
    unanswered: pd.Series


class _Law(NamedTuple):
    """What decides the claims of one practice, on the log odds of approval."""

    intercept: float
    payer_type: Vector
    payer: Matrix
    plan: Matrix
    condition: Vector
    payer_condition: Matrix
    document: Matrix
    visit: float
    lag: float
    patient_sd: float
    confounder: float
    cliff: Vector
    document_condition: Matrix
    absent_payer: Vector
    cell: NDArray[np.float64]
    required: NDArray[np.bool_]
    is_absent: Vector
    unrecorded: tuple[float, float]
    unanswered: Vector


class _Claims(NamedTuple):
    payer: Places
    plan: Places
    condition: Places
    visit: Places
    lag: Places
    units: Places
    quarter: Places
    patient: Places


def practice(n_claims: int, kind: str = AS_ASSUMED, seed: int = 0) -> Practice:
    """A practice of one of KINDS with about `n_claims` earlier claims; equal seeds, equal rows."""
    if kind not in KINDS:
        raise ValueError(f"no kind of practice {kind!r}; there are {', '.join(KINDS)}")
    seeds = [seed, n_claims, list(KINDS).index(kind)]
    rng = np.random.default_rng(seeds)
    law = _law(kind, rng)
    earlier, unanswered = _happened(law, n_claims, range(8), rng)
    is_lost = np.random.default_rng([*seeds, 1]).random(len(earlier)) < _SHARE_LOST
    unanswered = pd.concat([unanswered, earlier.loc[is_lost, "payer_id"]], ignore_index=True)
    n_later = int(np.clip(n_claims, FEWEST_LATER, MOST_LATER))
    later, gain = _expected(law, n_later, range(8, N_QUARTERS), rng)
    return Practice(earlier, later, gain, unanswered)


def with_document(claims: pd.DataFrame, document: str, status: str) -> pd.DataFrame:
    """The claims as recorded had the document been `status` wherever it is required."""
    is_required = claims[document] != "not_required"
    changed = claims.assign(**{document: claims[document].where(~is_required, status)})
    return changed.assign(**_completeness(changed))


def _law(kind: str, rng: np.random.Generator) -> _Law:
    n_documents, n_conditions = len(DOCUMENTS), len(CONDITIONS)
    steps = rng.normal(0, 0.2 if kind == "drift" else 0.0, (N_PAYERS, N_QUARTERS))
    payer = rng.normal(0, rng.uniform(0.5, 0.9), (N_PAYERS, 1)) + np.cumsum(steps, axis=1)
    has_cliff = rng.random(N_PAYERS) < 0.4
    crossed = float(kind == "interactions")
    after_denial = kind == "documentation_after_denial"
    return _Law(
        intercept=rng.uniform(1.6, 2.6),
        payer_type=rng.normal(0, 0.4, len(PAYER_TYPES)),
        payer=payer,
        plan=rng.normal(0, rng.uniform(0.1, 0.4), (N_PAYERS, N_PLANS)),
        condition=rng.normal(0, 0.4, n_conditions),
        payer_condition=rng.normal(0, rng.uniform(0.2, 0.5), (N_PAYERS, n_conditions)),
        document=-rng.uniform(0.0, 1.4, n_documents)
        + rng.normal(0, rng.uniform(0.1, 0.5), (N_PAYERS, n_documents)),
        visit=rng.uniform(-1.2, 0.0),
        lag=rng.uniform(-0.8, 0.0),
        patient_sd=rng.uniform(0.3, 0.8),
        confounder=-_CONFOUNDER_COUNTS if kind == "hidden_confounder" else 0.0,
        cliff=np.where(has_cliff & (kind == "visit_cliff"), -2.0, 0.0),
        document_condition=crossed * rng.normal(0, 0.5, (n_conditions, n_documents)),
        absent_payer=crossed * rng.normal(0, 0.35, N_PAYERS),
        cell=crossed * rng.normal(0, 0.3, (N_PAYERS, n_conditions, 3)),
        required=rng.random((N_PAYERS, n_documents)) < 0.7,
        is_absent=rng.normal(-1.6, 0.5, n_documents),
        # Of a document that was there, and of one that was not.
        unrecorded=(0.15, 0.6) if after_denial else (0.1, 0.1),
        unanswered=rng.uniform(0, 0.4, N_PAYERS) * (kind == "informative_pending"),
    )


def _sent(n_claims: int, quarters: range, rng: np.random.Generator) -> _Claims:
    share = 1 / np.arange(1, N_PAYERS + 1)
    share[-N_LATE_PAYERS:] *= quarters.stop > 8
    n_patients = max(1, n_claims // 5)
    of_patient = rng.choice(N_PAYERS, n_patients, p=share / share.sum())
    plans = rng.choice(N_PLANS, n_patients, p=[0.75, 0.25])
    frequent = np.array([0.3, 0.25, 0.18, 0.14, 0.09, 0.04])
    conditions = rng.choice(len(CONDITIONS), n_patients, p=frequent)
    patient = rng.integers(n_patients, size=n_claims)
    quarter = rng.choice(list(quarters), n_claims)
    return _Claims(
        of_patient[patient],
        plans[patient],
        conditions[patient],
        np.minimum(rng.geometric(0.12, n_claims), 30),
        np.minimum(rng.geometric(0.08, n_claims), 120),
        rng.integers(1, 5, n_claims),
        quarter,
        patient,
    )


def _odds(law: _Law, claims: _Claims, is_absent: NDArray[np.bool_], hidden: Vector) -> Vector:
    """Log odds of approval, but for the patient's own share."""
    payer, condition = claims.payer, claims.condition
    lacking = is_absent & law.required[payer]
    n_lacking = lacking.sum(axis=1)
    counts = law.document[payer] + law.document_condition[condition]
    made: Vector = (
        law.intercept
        + law.payer_type[payer % len(PAYER_TYPES)]
        + law.payer[payer, claims.quarter]
        + law.plan[payer, claims.plan]
        + law.condition[condition]
        + law.payer_condition[payer, condition]
        + law.cell[payer, condition, np.minimum(n_lacking, 2)]
        + (counts * lacking).sum(axis=1)
        + law.absent_payer[payer] * n_lacking
        + law.visit * np.minimum(claims.visit, 20) / 20
        + law.lag * np.minimum(claims.lag, 90) / 90
        + law.cliff[payer] * (claims.visit > 12)
        + law.confounder * hidden
    )
    return made


def _happened(
    law: _Law, n_claims: int, quarters: range, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.Series]:
    """Claims with their answers, as a practice has them in the end; insurers of unanswered ones."""
    claims = _sent(n_claims, quarters, rng)
    hidden = _hidden(law, claims.patient, rng)
    is_absent = _absent(law, n_claims, hidden, rng)
    own = rng.normal(0, law.patient_sd, claims.patient.max() + 1)[claims.patient]
    is_approved = rng.random(n_claims) < expit(_odds(law, claims, is_absent, hidden) + own)
    statuses = _recorded(law, claims, is_absent, rng)
    if law.unrecorded[0] != law.unrecorded[1]:
        looked_up = ~is_approved & (rng.random(n_claims) < 0.6)
        known = np.where(is_absent, "absent", "present")
        unknown = (statuses == "unknown") & looked_up[:, None]
        statuses = np.where(unknown, known, statuses)
    never = ~is_approved & (rng.random(n_claims) < law.unanswered[claims.payer])
    made = _features(claims, statuses, "e")
    made["is_approved"] = is_approved
    return made[~never].reset_index(drop=True), made.loc[never, "payer_id"]


def _expected(
    law: _Law, n_claims: int, quarters: range, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Claims with their true chance given what was recorded, and what each document gains them."""
    claims = _sent(n_claims, quarters, rng)
    hidden = _hidden(law, claims.patient, rng)
    is_absent = _absent(law, n_claims, hidden, rng)
    statuses = _recorded(law, claims, is_absent, rng)
    chance = np.zeros(n_claims)
    gained = np.zeros((len(DOCUMENTS), n_claims))
    posterior = _posterior(law, statuses)
    for place in range(_N_HIDDEN_DRAWS):
        # Patients in equal steps of their distribution, whatever else is hidden at random.
        own = law.patient_sd * ndtri((place + 0.5) / _N_HIDDEN_DRAWS)
        also_hidden, care = _drawn(posterior, rng)
        lacking = _drawn_absent(law, statuses, also_hidden, care, rng)
        chance += expit(_odds(law, claims, lacking, also_hidden) + own)
        for document in range(len(DOCUMENTS)):
            there, gone = lacking.copy(), lacking.copy()
            there[:, document], gone[:, document] = False, True
            gained[document] += expit(_odds(law, claims, there, also_hidden) + own)
            gained[document] -= expit(_odds(law, claims, gone, also_hidden) + own)
    gain = {
        name: float(gained[place][statuses[:, place] != "not_required"].mean() / _N_HIDDEN_DRAWS)
        for place, name in enumerate(DOCUMENTS)
        if (statuses[:, place] != "not_required").any()
    }
    later = _features(claims, statuses, "l")
    later["chance"] = chance / _N_HIDDEN_DRAWS
    return later, gain


def _hidden(law: _Law, patient: Places, rng: np.random.Generator) -> Vector:
    """1 for the patients with the unrecorded trait, which only some practices have."""
    is_marked = rng.random(int(patient.max()) + 1) < _CONFOUNDER_SHARE * (law.confounder != 0)
    made: Vector = is_marked.astype(float)[patient]
    return made


def _absence(law: _Law, hidden: Vector, care: Vector) -> Matrix:
    """Chance that each document is absent, given the trait and the care taken with the claim."""
    shift = _CARE_COUNTS * care + (law.confounder != 0) * _CONFOUNDER_COUNTS * hidden
    made: Matrix = expit(law.is_absent + shift[:, None])
    return made


def _absent(law: _Law, n: int, hidden: Vector, rng: np.random.Generator) -> NDArray[np.bool_]:
    absence = _absence(law, hidden, rng.standard_normal(n))
    made: NDArray[np.bool_] = rng.random(absence.shape) < absence
    return made


def _recorded(
    law: _Law, claims: _Claims, is_absent: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.str_]:
    known = np.where(is_absent, "absent", "present")
    left_out = rng.random(is_absent.shape) < np.where(is_absent, *reversed(law.unrecorded))
    statuses = np.where(left_out, "unknown", known)
    return np.where(law.required[claims.payer], statuses, "not_required")


def _posterior(law: _Law, statuses: NDArray[np.str_]) -> Matrix:
    """Chance of each trait and care given what was recorded: (claims, 2 traits x nodes of care)."""
    nodes, weights = _CARE
    there, gone = law.unrecorded
    share = _CONFOUNDER_SHARE * (law.confounder != 0)
    made = []
    for trait, of_trait in ((0.0, 1 - share), (1.0, share)):
        for node, weight in zip(nodes, weights, strict=True):
            absence = _absence(law, np.array([trait]), np.array([node]))
            likely = np.select(
                [statuses == "present", statuses == "absent", statuses == "unknown"],
                [(1 - absence) * (1 - there), absence * (1 - gone),
                 (1 - absence) * there + absence * gone],
                1.0,
            )  # fmt: skip
            made.append(of_trait * weight * likely.prod(axis=1))
    joint = np.column_stack(made)
    normed: Matrix = joint / joint.sum(axis=1, keepdims=True)
    return normed


def _drawn(posterior: Matrix, rng: np.random.Generator) -> tuple[Vector, Vector]:
    """One trait and care of each claim."""
    passed = posterior.cumsum(axis=1) < rng.random((len(posterior), 1))
    place = np.minimum(passed.sum(axis=1), posterior.shape[1] - 1)
    nodes = _CARE[0]
    return (place // len(nodes)).astype(float), nodes[place % len(nodes)]


def _drawn_absent(
    law: _Law, statuses: NDArray[np.str_], hidden: Vector, care: Vector, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whether each document was absent: as recorded, or drawn where it was not."""
    absence = _absence(law, hidden, care)
    there, gone = law.unrecorded
    unrecorded = absence * gone / (absence * gone + (1 - absence) * there)
    likely = np.where(statuses == "unknown", unrecorded, statuses == "absent")
    is_absent: NDArray[np.bool_] = np.less(rng.random(likely.shape), likely)
    return is_absent


def _features(claims: _Claims, statuses: NDArray[np.str_], prefix: str) -> pd.DataFrame:
    named = [f"payer_{number:02}" for number in range(N_PAYERS)]
    made = pd.DataFrame(
        {
            "payer_type": np.array(PAYER_TYPES)[claims.payer % len(PAYER_TYPES)],
            "payer_id": np.array(named)[claims.payer],
            "plan_id": [
                f"{named[payer]}/{plan}"
                for payer, plan in zip(claims.payer, claims.plan, strict=True)
            ],
            "network_status": "in",
            "condition_group": np.array(CONDITIONS)[claims.condition],
            "visit_number": claims.visit,
            "submission_lag_days": claims.lag,
            "n_units": claims.units.astype(float),
            "quarter": claims.quarter,
            "patient": [f"{prefix}{number}" for number in claims.patient],
            **{name: statuses[:, place] for place, name in enumerate(DOCUMENTS)},
        }
    )
    return pd.DataFrame(made.assign(**_completeness(made)))


def _completeness(claims: pd.DataFrame) -> dict[str, pd.Series]:
    """Columns that follow from the documents' statuses."""
    statuses = claims[list(DOCUMENTS)]
    n_present = (statuses == "present").sum(axis=1)
    n_absent = (statuses == "absent").sum(axis=1)
    n_known = n_present + n_absent
    return {
        "n_required_absent": n_absent,
        "n_required_unknown": (statuses == "unknown").sum(axis=1),
        "completeness": (n_present / n_known).where(n_known > 0),
        "profile": n_absent.clip(upper=2).map({0: "none", 1: "one", 2: "more"}),
    }

"""Claims of known truth: the chance of approval is a stated logistic function of the features."""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis import tables
from analysis.schemas import CLAIM_DOCUMENTS, DOCUMENT_STATUSES

FIRST_DAY = date(2024, 1, 1)
N_DAYS = 700
PAYERS = tuple(f"payer_{number}" for number in range(8))
PAYER_TYPES = ("commercial_fully_insured_WA", "va_community_care")
CONDITIONS = ("low_back_pain", "neck_pain", "anxiety_stress")


class World(NamedTuple):
    features: pa.Table
    outcomes: pa.Table
    approval_probability: dict[str, float]


def world(n_claims: int = 2000, *, seed: int = 1, effect: float = 1.0) -> World:
    """`effect` 0 leaves labels that nothing explains."""
    rng = np.random.default_rng(seed)
    # Few claims a patient and a spread over the whole time, so that later claims have new patients.
    patient = rng.integers(0, n_claims, n_claims)
    first_day = np.minimum(patient * N_DAYS // n_claims, N_DAYS - 30)
    day = first_day + rng.integers(0, 30, n_claims)
    payer = rng.integers(0, len(PAYERS), n_claims)
    condition = rng.integers(0, len(CONDITIONS), n_claims)
    visit = rng.integers(1, 12, n_claims)
    statuses = {
        name: np.array(DOCUMENT_STATUSES)[rng.choice(4, n_claims, p=[0.6, 0.2, 0.1, 0.1])]
        for name in CLAIM_DOCUMENTS
    }
    payer_effect = np.linspace(-1.2, 1.2, len(PAYERS))
    logit = 1.6 + effect * (
        payer_effect[payer]
        + np.array([0.3, 0.0, -0.8])[condition]
        - 1.6 * (statuses["authorization"] == "absent")
        - 0.9 * (statuses["plan_of_care"] == "absent")
        - 0.05 * visit
    )
    chance = 1 / (1 + np.exp(-logit))
    is_approved = rng.random(n_claims) < chance
    claim_id = [f"c{number:06d}" for number in range(n_claims)]
    submitted = [FIRST_DAY + timedelta(int(number)) for number in day]
    features = {
        "claim_id": claim_id,
        "patient_id": [f"p_{number}" for number in patient],
        "payer_id": np.array(PAYERS)[payer].tolist(),
        "payer_type": np.array(PAYER_TYPES)[payer % 2].tolist(),
        "plan_id": [f"payer_{number}/G1" for number in payer],
        "network_status": ["in"] * n_claims,
        "condition_group": np.array(CONDITIONS)[condition].tolist(),
        "service_date": submitted,
        "submitted_date": submitted,
        "submission_lag_days": rng.integers(0, 40, n_claims),
        "visit_number": visit,
        "visit_number_in_year": visit,
        "n_units": rng.integers(1, 5, n_claims).astype(float),
        "n_lines": [1] * n_claims,
        "has_authorization_number": [False] * n_claims,
        "has_referral": [False] * n_claims,
        "has_massage_line": [True] * n_claims,
        "has_manual_therapy_line": [False] * n_claims,
        "completeness": [None if value < 0.1 else value for value in rng.random(n_claims)],
        "completeness_coverage": [1.0] * n_claims,
        "n_required_absent": [0] * n_claims,
        "n_required_unknown": [0] * n_claims,
        "n_gates_failed": [0] * n_claims,
        **{name: values.tolist() for name, values in statuses.items()},
    }
    zeros = [0] * n_claims
    determination = np.where(is_approved, "approved", "denied").tolist()
    outcomes = {
        "claim_id": claim_id,
        "payer_type": features["payer_type"],
        "condition_group": features["condition_group"],
        "submitted_date": submitted,
        "n_versions": [1] * n_claims,
        "n_remittances": [1] * n_claims,
        **{
            f"{name}_cents": zeros
            for name in ("charge", "allowed", "paid", "patient_responsibility")
        },
        "first_determination": determination,
        # Three quarters of the answers within two weeks, the last after eight.
        "first_determination_date": [
            sent + timedelta(7 * (1 + place % 8 if place % 4 == 0 else 1 + place % 2))
            for place, sent in enumerate(submitted)
        ],
        "final_determination": determination,
        "is_corrected": [False] * n_claims,
        "is_reversed": [False] * n_claims,
        "as_of_date": [date(2026, 9, 30)] * n_claims,
        "maturity_days": [60] * n_claims,
        "is_mature": [True] * n_claims,
    }
    return World(
        tables.from_columns("claim_features", features),
        tables.from_columns("claim_outcomes", outcomes),
        dict(zip(claim_id, chance.tolist(), strict=True)),
    )


def with_regulars(made: World) -> World:
    """The same claims, every fifth one of eight patients who come all the time."""
    patients = [
        f"p_regular_{place % 8}" if place % 5 == 0 else patient
        for place, patient in enumerate(made.features["patient_id"].to_pylist())
    ]
    return made._replace(features=with_column(made.features, "patient_id", patients))


def known_on(made: World, day: date) -> World:
    """The same claims as the files told of them on a day: those sent by then, answers by then."""
    outcomes = made.outcomes.set_column(
        made.outcomes.schema.get_field_index("as_of_date"),
        made.outcomes.schema.field("as_of_date"),
        pa.array([day] * len(made.outcomes), pa.date32()),
    )
    is_told = pc.less_equal(outcomes["first_determination_date"], pa.scalar(day))
    told = outcomes["first_determination"]
    outcomes = with_column(
        outcomes, "first_determination", pc.if_else(is_told, told, "pending").to_pylist()
    )
    oldest = pa.scalar(day - timedelta(outcomes["maturity_days"][0].as_py()))
    is_mature = pc.less_equal(outcomes["submitted_date"], oldest)
    outcomes = with_column(outcomes, "is_mature", is_mature.to_pylist())
    is_sent = pc.less_equal(outcomes["submitted_date"], pa.scalar(day))
    return made._replace(features=made.features.filter(is_sent), outcomes=outcomes.filter(is_sent))


def with_column(table: pa.Table, name: str, values: list[object]) -> pa.Table:
    """`table` with one column replaced."""
    field = table.schema.field(name)
    place = table.schema.get_field_index(name)
    return table.set_column(place, field, pa.array(values, field.type))

"""Advice on a document: only on what is known to lack, only where even the low reading is large."""

import numpy as np
import pytest
from scipy.special import expit

from analysis import tables
from analysis.models import advice as advising
from analysis.models.advice import advice, as_if
from analysis.models.mixed_effects import MixedEffectsLogisticRegression
from analysis.models.predictors import FIXED, RANDOM, predictors
from models.world import world


@pytest.fixture(scope="module")
def made():
    truth = world(1500, seed=3)
    claims = tables.to_frame(truth.features)
    approved = (
        tables.to_frame(truth.outcomes).set_index("claim_id")["first_determination"] == "approved"
    )
    model = MixedEffectsLogisticRegression(FIXED, RANDOM)
    model.fit(
        predictors(claims), approved.loc[claims["claim_id"]].to_numpy(int), claims["patient_id"]
    )
    return model, claims, truth


def test_the_gain_comes_near_the_truth_and_a_document_without_effect_is_not_advised(made):
    model, claims, truth = made
    told = advice(model, claims)
    chance = told["claim_id"].map(truth.approval_probability)
    gain = expit(np.log(chance / (1 - chance)) + 1.6) - chance
    authorization = told["document"] == "authorization"
    assert told.loc[authorization, "gain"].mean() == pytest.approx(
        gain[authorization].mean(), abs=0.06
    )
    assert told.loc[authorization, "is_advised"].mean() > 0.9
    assert told.loc[told["document"] == "minutes", "is_advised"].mean() < 0.1


def test_advice_speaks_of_absent_documents_alone(made):
    model, claims, _ = made
    told = advice(model, claims.head(200))
    statuses = claims.set_index("claim_id")
    assert {statuses.loc[c, d] for c, d in told[["claim_id", "document"]].to_numpy()} == {"absent"}
    assert len(told) == (claims.head(200)[list(advising.DOCUMENTS)] == "absent").sum().sum()
    nothing = claims.head(20).assign(**dict.fromkeys(advising.DOCUMENTS, "unknown"))
    assert advice(model, nothing).empty


def test_a_gain_is_advised_by_its_lower_bound_not_by_its_mean(made):
    told = advice(made[0], made[1])
    assert (told["is_advised"] == (told["lower"] > 0.02)).all()
    assert ((told["gain"] > 0.02) & ~told["is_advised"]).any()


def test_completeness_follows_the_document(made):
    claims = (
        made[1]
        .head(2)
        .assign(authorization=["absent", "present"], completeness=0.5, known_weight=36.0)
    )
    weight = advising._weights()["authorization"]
    having, without = (as_if(claims, "authorization", status) for status in ("present", "absent"))
    assert having["completeness"].tolist() == pytest.approx([0.5 + weight / 36, 0.5])
    assert without["completeness"].tolist() == pytest.approx([0.5, 0.5 - weight / 36])
    assert predictors(without)["authorization_absent"].tolist() == [1, 1]


def test_an_unknown_document_is_never_changed(made):
    claims = made[1].head(3).assign(authorization=["absent", "present", "unknown"])
    with pytest.raises(ValueError, match="must be known"):
        as_if(claims, "authorization", "present")

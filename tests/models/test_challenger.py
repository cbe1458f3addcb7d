import numpy as np
import pytest

from analysis import tables
from analysis.models.challenger import BoostedTrees
from analysis.models.predictors import predictors
from models.world import world


@pytest.fixture(scope="module")
def claims():
    made = world(1500)
    frame = predictors(tables.to_frame(made.features))
    truth = np.array([made.approval_probability[c] for c in made.features["claim_id"].to_pylist()])
    is_approved = np.array(made.outcomes["first_determination"].to_pylist()) == "approved"
    return frame, is_approved.astype(int), truth


@pytest.fixture(scope="module")
def fitted(claims):
    frame, y, _ = claims
    return BoostedTrees().fit(frame, y)


def test_trees_find_what_decides(claims, fitted):
    frame, _, truth = claims
    assert np.corrcoef(fitted.predict_proba(frame)[:, 1], truth)[0, 1] > 0.8


def test_a_document_s_absence_never_raises_the_chance(claims, fitted):
    frame, _, _ = claims
    for document in ("authorization", "prescription", "minutes"):
        told = [
            fitted.predict_proba(frame.assign(**{f"{document}_absent": absent}))[:, 1]
            for absent in (0.0, 1.0)
        ]
        assert (told[1] <= told[0] + 1e-12).all()


def test_a_rule_of_one_insurer_for_one_condition_is_found(claims):
    frame, _, _ = claims
    strikes = (frame["payer_id"] == "payer_3") & (frame["condition_group"] == "neck_pain")
    y = (np.random.default_rng(1).random(len(frame)) < np.where(strikes, 0.1, 0.9)).astype(int)
    told = BoostedTrees().fit(frame, y).predict_proba(frame)[:, 1]
    assert told[strikes].mean() < 0.4 < 0.8 < told[~strikes].mean()


def test_categories_never_met_and_numbers_nobody_knows_are_answered(claims, fitted):
    frame = (
        claims[0]
        .head(3)
        .assign(payer_id=["new", None, "payer_1"], visit_number=0.0, visit_number_missing=1.0)
    )
    told = fitted.predict_proba(frame)
    assert ((told > 0) & (told < 1)).all()


def test_trees_grow_where_a_number_is_known_of_no_claim(claims):
    """As of a billing system's export, which does not number visits."""
    frame, y, _ = claims
    told = BoostedTrees().fit(frame.assign(visit_number_missing=1.0), y).predict_proba(frame)
    assert ((told > 0) & (told < 1)).all()

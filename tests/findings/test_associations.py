"""What goes with a document: right where nothing is hidden, and honest about what may be."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from analysis import codes, tables
from analysis.findings import associations, population, sensitivity, unbound_digits
from analysis.models.doubly_robust import SecondOpinion
from analysis.models.mixed_effects import MixedEffectsLogisticRegression
from analysis.models.predictors import DOCUMENTS, FIXED, RANDOM, predictors
from findings.made_claims import AS_OF, payers
from models.world import World, with_column, world

# In one process, since what they share takes long to make.
pytestmark = pytest.mark.xdist_group("associations")

ITEM = {row["name"]: row["item_id"] for row in codes.rows("documentation")}
SCOPE = population.Scope("claims of this practice", "no claims", AS_OF)
NULL = "progress_report"


def hidden(known: World, strength: float, prevalences: tuple[float, float]) -> World:
    """The world with a factor nobody records: it goes with approval and with a progress report.

    The factor is on `prevalences` of the claims with and without the report, which itself does
    nothing.
    """
    draw = np.random.default_rng(9)
    n = known.features.num_rows
    is_there = draw.random(n) < 0.6
    factor = draw.random(n) < np.where(is_there, *prevalences)
    chance = np.array([known.approval_probability[c.as_py()] for c in known.features["claim_id"]])
    approved = draw.random(n) < expit(logit(chance) + strength * (factor - 0.5))
    said = np.where(approved, "approved", "denied").tolist()
    status = np.where(is_there, "present", "absent").tolist()
    return World(
        with_column(known.features, NULL, status),
        with_column(known.outcomes, "first_determination", said),
        known.approval_probability,
    )


def compared(made: World):
    claims = population.modelled(tables.to_frame(made.outcomes), tables.to_frame(made.features))
    model = MixedEffectsLogisticRegression(FIXED, RANDOM, model_error=0.0)
    model.fit(predictors(claims), claims["is_approved"].to_numpy(int), claims["patient"])
    items = pd.DataFrame(
        [(c, ITEM[d]) for d in DOCUMENTS for c in claims["claim_id"]],
        columns=["claim_id", "item_id"],
    )
    return claims, associations.contrasts(model, claims, items)


@pytest.fixture(scope="module")
def known():
    return world(2000, seed=12)


@pytest.fixture(scope="module")
def plain(known):
    claims, found = compared(known)
    return claims, found, associations.by_document(found)


def test_with_nothing_hidden_both_methods_hold_the_truth(known, plain):
    claims, _, table = plain
    table = table.set_index("name")
    for document, odds in (("authorization", 1.6), ("plan_of_care", 0.9)):
        its = claims[claims[document].isin(["present", "absent"])]
        chance = its["claim_id"].map(known.approval_probability).to_numpy(float)
        without = logit(chance) - odds * (its[document] == "present")
        truth = float((expit(without + odds) - expit(without)).mean())
        row = table.loc[document]
        assert row["lower"] < truth < row["upper"]
        assert row["check_lower"] < truth < row["check_upper"]
        assert row["agreement"] == associations.AGREES
        assert row["verdict"] == associations.MORE


@pytest.mark.parametrize(
    ("lower", "upper", "said"),
    [
        (-0.1, 0.2, associations.AGREES),
        (0.1, 0.3, associations.DIFFERS),
        (-1.1, 0.9, associations.NO_CHECK),
    ],
)
def test_a_second_method_that_leaves_nearly_anything_open_agrees_with_nothing(lower, upper, said):
    assert associations.agreement(0.07, SecondOpinion(0.05, lower, upper)) == said


def test_documents_that_do_nothing_cover_nought(plain):
    table = plain[2].set_index("name").drop(["authorization", "plan_of_care"])
    covers = (table["lower"] < 0) & (table["upper"] > 0)
    checks = (table["check_lower"] < 0) & (table["check_upper"] > 0)
    assert covers.sum() >= len(table) - 1
    assert checks.sum() >= len(table) - 1


def test_a_hidden_cause_makes_an_association_which_its_own_strength_explains(known):
    # Half of the claims with the report have the factor more than of those without it, and it
    # brings just under thirty points.
    made = hidden(known, 1.6, (0.8, 0.3))
    found = [c for c in compared(made)[1] if c.document == NULL]
    [row] = associations.by_document(found).to_dict("records")
    assert row["lower"] > 0
    assert row["check_lower"] > 0
    # What is hidden from one method is hidden from the other.
    assert row["agreement"] == associations.AGREES
    cells = sensitivity.bias_grid(row["gap"], row["lower"], row["upper"]).set_index(
        ["prevalence", "strength"]
    )
    assert not cells.loc[(0.5, 0.3), "still_shown"]
    assert cells.loc[(0.1, 0.1), "still_shown"]
    # The factor is 0.8 / 0.3 times as common with the report, so it can account for no more.
    assert 1 < row["e_value_limit"] < row["e_value"] < 0.8 / 0.3


def test_an_unknown_document_counts_on_neither_side(plain):
    claims, _, table = plain
    for row in table.itertuples():
        statuses = claims[row.name].value_counts()
        assert (row.n_with, row.n_without) == (statuses["present"], statuses["absent"])


def test_an_insurer_with_too_few_claims_on_one_side_is_refused_with_its_counts(plain):
    table = associations.by_insurer(plain[1], payers(), minimum_cell_size=60)
    refused = table["verdict"] == associations.CANNOT
    few = table[["n_without", "n_with"]].min(axis=1) < 60
    assert few.any()
    assert refused[few].all()
    assert not refused.all()
    assert table.loc[refused, ["gap", "lower", "upper"]].isna().all(axis=None)


def test_the_sentences_say_associated_and_hold_no_loose_number(plain):
    said = associations.strongest(plain[2], SCOPE)
    assert "Among submitted claims" in said.sentence
    assert "was associated with" in said.sentence
    cause = associations.hidden_cause(plain[2], SCOPE)
    assert cause.estimate > cause.values["limit"] > 1
    assert unbound_digits(said) == unbound_digits(cause) == []


def test_no_claim_is_an_answer():
    nothing = associations.by_document([])
    assert associations.strongest(nothing, SCOPE).estimate is None
    assert associations.hidden_cause(nothing, SCOPE).estimate is None
    assert associations.grid(nothing).empty
    assert associations.by_insurer([], payers()).empty


def test_a_hidden_cause_works_against_a_negative_difference_too():
    cells = sensitivity.bias_grid(-0.2, -0.3, -0.1)
    assert (cells["gap"] > -0.2).all()
    assert not cells.set_index(["prevalence", "strength"]).loc[(0.5, 0.3), "still_shown"]


def test_advice_needs_the_low_reading_and_names_its_condition(plain):
    table = associations.by_insurer(plain[1], payers())
    advised = table["advice"] == associations.COMPLETE
    assert set(table.loc[advised, "name"]) <= {"authorization", "plan_of_care"}
    assert (table.loc[advised, "low"] > 0.02).all()
    said = associations.advised(table, SCOPE)
    assert "if it is clinically true and exists" in said.sentence
    assert said.numerator == advised.sum() > 0
    assert unbound_digits(said) == []

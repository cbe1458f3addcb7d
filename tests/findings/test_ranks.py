"""Insurers are ranked as if sent the same claims, and named only when that is nearly sure."""

from copy import copy

import numpy as np
import pandas as pd
import pytest

from analysis import tables
from analysis.findings import (
    chances,
    documentation,
    population,
    ranks,
    selection,
    unbound_digits,
    variation,
)
from analysis.models.mixed_effects import MixedEffectsLogisticRegression
from analysis.models.predictors import FIXED, RANDOM, predictors
from findings.made_claims import AS_OF, payers
from models.world import world

SCOPE = population.Scope("claims of this practice", "no claims", AS_OF)
# The world's insurers differ: payer_0 approves least, payer_7 most, each alike in everything else.
PLACE = {f"payer_{number}": number for number in range(8)}


def unequal(seed: int, n_claims: int = 4000):
    """Claims of insurers whose order is known, every second one of them sent the hardest claims."""
    made = world(n_claims, seed=seed)
    claims = population.modelled(tables.to_frame(made.outcomes), tables.to_frame(made.features))
    hard = (
        (claims["authorization"] == "absent") * 1.6
        + (claims["condition_group"] == "anxiety_stress") * 0.8
        + (claims["plan_of_care"] == "absent") * 0.9
    )
    gets_hard = claims["payer_id"].map(PLACE) % 2 == 1
    kept = np.random.default_rng(seed).random(len(claims)) < np.where(gets_hard, hard, 1 - hard)
    return claims[kept].reset_index(drop=True)


def fitted(claims):
    model = MixedEffectsLogisticRegression(FIXED, RANDOM, model_error=0.0)
    return model.fit(predictors(claims), claims["is_approved"].to_numpy(int), claims["patient"])


@pytest.fixture(scope="module")
def worlds():
    return [(claims, fitted(claims)) for claims in (unequal(seed) for seed in (1, 2, 3))]


def raw_pairs(claims):
    """(lower, higher) of every two insurers whose raw rates differ "significantly" (z test)."""
    told = claims.groupby("payer_id")["is_approved"].agg(["mean", "size"])
    for low in told.index:
        for high in told.index:
            gap = told.loc[high, "mean"] - told.loc[low, "mean"]
            noise = sum(
                told.loc[p, "mean"] * (1 - told.loc[p, "mean"]) / told.loc[p, "size"]
                for p in (low, high)
            )
            if gap > 1.96 * noise**0.5:
                yield low, high


def ruled_pairs(table):
    low = table.loc[table["verdict"] == ranks.AMONG_LOWEST, "payer_id"]
    high = table.loc[table["verdict"] == ranks.NOT_LOWEST, "payer_id"]
    return [(one, other) for one in low for other in high]


def test_raw_pairwise_tests_err_in_direction_far_more_often_than_the_rule(worlds):
    raw, ruled = [], []
    for claims, model in worlds:
        raw += list(raw_pairs(claims))
        ruled += ruled_pairs(ranks.compared(model, claims, payers()))
    raw_wrong = sum(PLACE[low] > PLACE[high] for low, high in raw)
    ruled_wrong = sum(PLACE[low] > PLACE[high] for low, high in ruled)
    assert len(ruled) >= 10
    assert raw_wrong / len(raw) > 0.15
    assert ruled_wrong / len(ruled) < raw_wrong / len(raw) / 4


def test_rank_intervals_hold_the_true_rank(worlds):
    held = []
    for claims, model in worlds:
        table = ranks.compared(model, claims, payers())
        true = table["payer_id"].map(PLACE) + 1
        held += list((table["rank_lower"] <= true) & (true <= table["rank_upper"]))
    assert np.mean(held) >= 0.85


def test_an_insurer_with_few_claims_is_not_ranked_and_few_insurers_give_no_verdict(worlds):
    claims, model = worlds[0]
    few = claims.drop(claims.index[claims["payer_id"] == "payer_3"][10:])
    assert "payer_3" not in set(ranks.compared(model, few, payers())["payer_id"])
    five = claims[claims["payer_id"].isin([f"payer_{n}" for n in range(5)])]
    table = ranks.compared(model, five, payers())
    assert set(table["verdict"]) == {ranks.OPEN}
    assert ranks.lowest(table, SCOPE).sentence.startswith("Too few insurers")


def test_the_sentences_say_what_was_made_alike_and_hold_no_loose_number(worlds):
    claims, model = worlds[0]
    table = ranks.compared(model, claims, payers())
    assert "been sent the same claims" in ranks.lowest(table, SCOPE).sentence
    for payer_id in table["payer_id"]:
        said = ranks.place(table, payers(), payer_id, SCOPE)
        assert "same claims" in said.sentence
        assert unbound_digits(said) == []
    missing = ranks.place(table, payers(), "none", SCOPE)
    assert missing.estimate is None


def test_the_largest_share_of_variation_is_where_it_was_put(worlds):
    table = variation.shares(worlds[0][1])
    assert table["share"].sum() == pytest.approx(1)
    assert table["between"].iloc[-1] == variation.BY_CHANCE
    # The insurers' effects have a variance of 0.62, the logistic one is 3.29.
    insurers = table[table["between"] == "insurers of one kind"].iloc[0]
    assert insurers["lower"] < 0.62 / (0.62 + 3.29 + 0.22) < insurers["upper"]
    assert not table["between"].str.contains("document").any()
    assert unbound_digits(variation.largest(table, SCOPE)) == []


def test_what_fits_nothing_has_a_share_of_variation_but_no_range(worlds):
    """It is measured once: the spread of the other shares' draws says nothing of its own."""
    model = copy(worlds[0][1])
    model.model_error_ = 2.0
    table = variation.shares(model)
    misses = table[table["between"].str.startswith("what fits none")].iloc[0]
    assert table["share"].sum() == pytest.approx(1)
    assert misses["share"] / table["share"].iloc[-1] == pytest.approx(4 / (np.pi**2 / 3))
    assert np.isnan([misses["lower"], misses["upper"]]).all()
    assert table.drop(misses.name)[["lower", "upper"]].notna().all().all()
    said = variation.largest(table, SCOPE)
    assert "leave, 39% lies between what fits none" in said.sentence
    assert unbound_digits(said) == []


def test_a_cell_speaks_for_itself_only_with_claims_enough_and_a_narrow_interval(worlds):
    claims, model = worlds[0]
    lacking = (claims["authorization"] == "absent").astype(int)
    claims = claims.assign(n_gates_failed=lacking)
    table = chances.cells(model, claims, payers(), minimum_cell_size=20)
    assert table["n"].sum() == len(claims)
    own = table["basis"] == chances.OWN
    assert (table.loc[own, "n"] >= 20).all()
    assert (table["upper"] - table["lower"]).max() <= 0.30
    assert table.loc[~own & table["estimate"].notna(), "basis"].str.startswith("mostly").all()
    assert table.loc[table["basis"] == chances.NOT_STATED, "estimate"].isna().all()
    said = chances.told(table, SCOPE, 20)
    assert (said.numerator, said.denominator) == (own.sum(), len(table))
    assert unbound_digits(said) == []
    worse = table[own].groupby("band")["estimate"].mean()
    assert worse[documentation.GATE_MISSING] < worse[documentation.COMPLETE]


def test_the_chance_of_chosen_claims_moves_with_the_choice_and_few_claims_have_none(worlds):
    claims, model = worlds[0]
    outcomes = tables.to_frame(world(4000, seed=1).outcomes)

    def chosen(rows):
        return outcomes[outcomes["claim_id"].isin(rows["claim_id"])]

    told = {
        payer: selection.chance(
            model, claims, chosen(claims[claims["payer_id"] == payer]), outcomes
        )
        for payer in ("payer_0", "payer_7")
    }
    assert told["payer_0"].upper < told["payer_7"].lower
    for payer, finding in told.items():
        its_claims = claims.loc[claims["payer_id"] == payer, "is_approved"]
        assert finding.denominator == len(its_claims)
        assert finding.lower < its_claims.mean() < finding.upper
        assert unbound_digits(finding) == []
    few = selection.chance(model, claims, chosen(claims.head(10)), outcomes)
    assert (few.estimate, few.denominator) == (None, 10)


def test_no_model_is_an_answer(worlds):
    claims = worlds[0][0]
    nobody = tables.to_frame(world(50, seed=1).outcomes)
    assert selection.chance(None, claims, nobody, nobody).estimate is None
    nothing = ranks.compared(None, claims, payers())
    assert ranks.lowest(nothing, SCOPE).estimate is None
    assert ranks.place(nothing, payers(), "payer_1", SCOPE).estimate is None
    assert variation.largest(variation.shares(None), SCOPE).estimate is None
    assert chances.told(chances.cells(None, claims, payers()), SCOPE).estimate is None
    assert isinstance(nothing, pd.DataFrame)

"""Test periods: what judges a model, and stays as it was said when later months come."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import tables
from analysis.config import ModelDesign
from analysis.models import judging, periods
from analysis.models.periods import modelled
from models.world import FIRST_DAY, N_DAYS, World, known_on, with_column, with_regulars, world

DESIGN = ModelDesign(n_resamples=20)
ALL = ModelDesign(n_periods=99)


@pytest.fixture(scope="module")
def clinic() -> World:
    return with_regulars(world(400))


def answered_after(made: World, days: list[int]) -> World:
    """The same claims, answered so many days after they were sent."""
    sent = made.outcomes["submitted_date"].to_pylist()
    told = [day + timedelta(wait) for day, wait in zip(sent, days, strict=True)]
    return made._replace(outcomes=with_column(made.outcomes, "first_determination_date", told))


def chosen(made: World, design: ModelDesign = ALL) -> periods.Modelled:
    return modelled(made.features, made.outcomes, design)


def test_a_period_begins_with_a_month_and_with_a_fifth_more_to_learn_from(clinic):
    found = chosen(clinic)
    assert len(found.periods) >= 4
    assert all(period.first_day.day == period.end_day.day == 1 for period in found.periods)
    for earlier, later in pairwise(found.periods):
        assert earlier.end_day == later.first_day
    sizes = [len(parts.train) for parts in found.parts]
    assert sizes[0] >= DESIGN.minimum_claims
    assert all(after >= 1.2 * before for before, after in pairwise(sizes))
    # The last ones alone judge: long ago a model knew little.
    assert chosen(clinic, DESIGN).periods == found.periods[-3:]


def test_a_model_learns_what_was_known_on_the_first_day_and_is_asked_for_new_patients(clinic):
    sent = dict(
        zip(*(clinic.outcomes[n].to_pylist() for n in ("claim_id", "submitted_date")), strict=True)
    )
    told = dict(
        zip(
            *(clinic.outcomes[n].to_pylist() for n in ("claim_id", "first_determination_date")),
            strict=True,
        )
    )
    found = chosen(clinic)
    n_of_known = 0
    for period, parts in zip(found.periods, found.parts, strict=True):
        patience = timedelta(period.maturity_days)
        known = {
            claim
            for claim in sent
            if sent[claim] <= period.first_day - patience and told[claim] < period.first_day
        }
        assert set(parts.train["claim_id"]) == known
        for claim in parts.test["claim_id"]:
            assert period.first_day <= sent[claim] < period.end_day
            assert told[claim] < period.end_day + patience
        assert not set(parts.test["patient_id"]) & set(parts.train["patient_id"])
        n_of_known += parts.n_later - len(parts.test)
    assert n_of_known > 0


def test_answers_are_awaited_as_long_as_they_took_by_then(clinic):
    """From the second year on they take three times as long; later periods wait for them."""
    sent = clinic.outcomes["submitted_date"].to_pylist()
    slower = answered_after(clinic, [60 if day.year > 2024 else 20 for day in sent])
    by_day = {period.first_day: period.maturity_days for period in chosen(slower).periods}
    assert {days for day, days in by_day.items() if day < date(2025, 1, 1)} <= {20, 90}
    assert by_day[max(by_day)] == 60


def test_a_period_is_judged_once_the_answers_to_its_last_claims_are_in(clinic):
    period = chosen(clinic).periods[-1]
    last_day = period.end_day + timedelta(period.maturity_days)
    before, after = (
        chosen(known_on(clinic, last_day - timedelta(days))).periods for days in (1, 0)
    )
    assert period not in before
    assert after == [*before, period]


@settings(max_examples=20)
@given(
    seed=st.integers(0, 50),
    days=st.lists(st.integers(400, N_DAYS + 250), min_size=2, max_size=2).map(sorted),
)
def test_later_claims_and_answers_never_change_an_earlier_period(seed, days):
    made = with_regulars(world(300, seed=seed))
    waits = np.random.default_rng(seed).exponential(25, 300).astype(int)
    made = answered_after(made, waits.tolist())
    earlier, later = (chosen(known_on(made, FIRST_DAY + timedelta(day))) for day in days)
    assert later.periods[: len(earlier.periods)] == earlier.periods
    columns = ["claim_id", "patient", "is_approved"]
    for before, after in zip(earlier.parts, later.parts, strict=False):
        pd.testing.assert_frame_equal(before.train[columns], after.train[columns])
        pd.testing.assert_frame_equal(before.test[columns], after.test[columns])


def test_a_month_leaves_what_was_foretold_and_one_that_ends_a_period_adds_it(clinic):
    design = ModelDesign(n_resamples=20, n_periods=2)
    period = chosen(clinic).periods[-1]
    ended = period.end_day + timedelta(period.maturity_days)
    # Nothing new to judge, so the step that judges is not run: what it reads stays the same.
    two_before, before, after = (
        periods.to_judge(chosen(known_on(clinic, ended - timedelta(days)), design))
        for days in (20, 1, 0)
    )
    assert before == two_before
    foretold, then = (told(given, design) for given in (before, after))
    kept = foretold.keys() & then.keys()
    assert kept
    assert all(then[key] == foretold[key] for key in kept)
    assert {then[key]["split_date"] for key in then.keys() - kept} == {period.first_day}


@settings(max_examples=15)
@given(data=st.data())
def test_what_is_foretold_is_kept_only_where_no_cell_of_its_claims_has_changed(clinic, data):
    """As when a remittance of an old day comes late, or a document is written down afterwards."""
    found = chosen(clinic, DESIGN)
    claims = tables.to_frame(periods.to_judge(found)["judged_claims"])
    column = data.draw(st.sampled_from([c for c in claims.columns if c != "claim_id"]))
    row = data.draw(st.integers(0, len(claims) - 1))
    other = data.draw(st.sampled_from(claims[column].drop_duplicates().tolist()))
    changed = claims.copy()
    changed[column] = claims[column].mask(claims.index == row, other)
    for period in found.periods:
        before, after = (period.parts(some) for some in (claims, changed))
        is_same = all(map(pd.DataFrame.equals, before[:2], after[:2]))
        assert (before.digest() == after.digest()) == is_same


def test_nothing_known_and_an_empty_text_are_told_apart(clinic):
    parts = chosen(clinic).parts[0]
    unknown, empty = (parts.train.assign(payer_id=value) for value in (None, ""))
    assert parts._replace(train=unknown).digest() != parts._replace(train=empty).digest()


def test_claims_learned_from_and_claims_foretold_are_told_apart(clinic):
    parts = chosen(clinic).parts[0]
    assert parts.digest() != parts._replace(train=parts.test, test=parts.train).digest()


def told(given: dict[str, pa.Table], design: ModelDesign) -> dict[tuple[str, str], object]:
    """What was foretold of each claim by each model."""
    rows = judging.judge(**given, design=design).predictions.to_pylist()
    return {(row["claim_id"], row["model"]): row for row in rows}


def test_an_answer_without_a_day_counts_as_there_all_along(clinic):
    undated = clinic._replace(
        outcomes=with_column(
            clinic.outcomes, "first_determination_date", [None] * len(clinic.outcomes)
        )
    )
    found = chosen(undated)
    assert found.periods
    assert {period.maturity_days for period in found.periods} == {90}


def test_a_short_history_has_a_model_and_nothing_to_judge_it_by_yet():
    made = known_on(world(400), FIRST_DAY + timedelta(280))
    found = chosen(made)
    assert len(found.claims) >= DESIGN.minimum_claims
    assert found.periods == []
    given = periods.to_judge(found)
    assert given["judged_claims"].num_rows == 0
    assert judging.judge(**given, design=DESIGN).evaluation.num_rows == 0

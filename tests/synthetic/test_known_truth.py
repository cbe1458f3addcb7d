import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from analysis.synthetic import known_truth


def test_equal_seeds_make_equal_claims():
    one, two = known_truth.practice(200, seed=3), known_truth.practice(200, seed=3)
    assert_frame_equal(one.earlier, two.earlier)
    assert_frame_equal(one.later, two.later)
    assert not one.earlier.equals(known_truth.practice(200, seed=4).earlier)


@pytest.mark.slow
def test_the_stated_chances_are_the_frequencies():
    """Where nothing changes with time, earlier answers are drawn from the later claims' chances."""
    made = known_truth.practice(20_000, seed=1)
    by = ["payer_id", "profile"]
    happened = made.earlier.groupby(by)["is_approved"].agg(["mean", "size"])
    stated = made.later.groupby(by)["chance"].agg(["mean", "size"])
    both = happened.join(stated, suffixes=("", "_stated"), how="inner")
    both = both[(both["size"] > 300) & (both["size_stated"] > 300)]
    assert len(both) > 10
    assert np.abs(both["mean"] - both["mean_stated"]).max() < 0.08
    assert np.abs(both["mean"] - both["mean_stated"]).mean() < 0.03


def test_a_document_recorded_as_absent_lowers_the_chance():
    made = known_truth.practice(5_000, seed=2)
    by = made.later.groupby("profile")["chance"].mean()
    assert by["none"] > by["one"] > by["more"]
    assert np.mean(list(made.gain.values())) > 0.05


def test_denials_never_answered_are_not_there_to_learn_from():
    made = known_truth.practice(4_000, "informative_pending", seed=1)
    assert len(made.earlier) < 4_000
    assert made.earlier["is_approved"].mean() > made.later["chance"].mean()


def test_documents_are_looked_up_after_denials_only_in_the_years_answered():
    made = known_truth.practice(4_000, "documentation_after_denial", seed=1)
    unknown = made.earlier.groupby("is_approved")["n_required_unknown"].mean()
    assert unknown[False] < 0.75 * unknown[True]


def test_a_document_set_counts_in_the_completeness():
    claims = known_truth.practice(100).later
    present = known_truth.with_document(claims, "treatment_note", "present")
    required = claims["treatment_note"] != "not_required"
    assert (present.loc[required, "treatment_note"] == "present").all()
    assert_frame_equal(present[~required], claims[~required])
    absent = known_truth.with_document(claims, "treatment_note", "absent")
    more = absent["n_required_absent"] - present["n_required_absent"]
    assert (more[required] == 1).all()
    assert (absent.loc[required, "completeness"] < present.loc[required, "completeness"]).all()


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="visit_cliff"):
        known_truth.practice(10, "cliff")

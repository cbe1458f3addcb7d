import numpy as np
import pandas as pd
import pytest

from analysis.models.awaited import awaited_approval

TRUTH = 0.85


def quarter(rng, n=600, half_of_denials=35, n_patients=None):
    """Claims of the last 91 days: approvals come within 18 days by half, denials later."""
    is_approved = rng.random(n) < TRUTH
    half = np.where(is_approved, 18, half_of_denials)
    wait = np.ceil(half * np.exp(0.5 * rng.standard_normal(n))).astype(int)
    age = rng.integers(0, 91, n)
    patients = rng.integers(0, n_patients or n, n).astype(str).astype(object)
    return np.minimum(wait, age), wait <= age, is_approved, patients


def test_the_last_quarter_is_told_right_where_leaving_out_those_that_wait_is_not():
    rng = np.random.default_rng(1)
    told, counted, as_denied, covered = [], [], [], 0
    for _ in range(200):
        days, is_answered, is_approved, patients = quarter(rng)
        awaited = awaited_approval(days, is_answered, is_approved, patients)
        told.append(awaited.share)
        counted.append(is_approved[is_answered].mean())
        as_denied.append((is_approved & is_answered).mean())
        lower, upper = awaited.interval()
        covered += lower <= TRUTH <= upper
    assert abs(np.mean(told) - TRUTH) < 0.015
    assert np.mean(counted) - TRUTH > 0.03
    assert np.mean(as_denied) - TRUTH < -0.15
    assert 0.88 <= covered / 200 <= 0.99


def test_with_every_answer_in_it_is_the_plain_share():
    rng = np.random.default_rng(2)
    is_approved = rng.random(300) < 0.7
    awaited = awaited_approval(
        rng.integers(1, 40, 300), np.ones(300, bool), is_approved, np.arange(300).astype(object)
    )
    assert awaited.share == pytest.approx(is_approved.mean())
    assert awaited.answered == pytest.approx(1)
    assert awaited.effective == pytest.approx(299)


def test_a_textbook_example_by_hand():
    """Five claims: approved on day 1, waiting on 2, denied on 3, approved on 4, waiting on 5."""
    days = np.array([1, 2, 3, 4, 5])
    awaited = awaited_approval(
        days, np.array([1, 0, 1, 1, 0], bool), np.array([1, 0, 0, 1, 0], bool), days.astype(object)
    )
    denied = 4 / 5 * 1 / 3
    approved = 1 / 5 + 4 / 5 * 2 / 3 * 1 / 2
    assert awaited.answered == pytest.approx(approved + denied)
    assert awaited.share == pytest.approx(approved / (approved + denied))


def test_the_variance_is_how_the_share_moves_when_a_patient_counts_a_little_less():
    days, is_answered, is_approved, patients = quarter(np.random.default_rng(3), 300, n_patients=60)
    told = awaited_approval(days, is_answered, is_approved, patients)
    moves = []
    for who in np.unique(patients):
        copies = np.where(patients == who, 99, 100)
        many = [np.repeat(values, copies) for values in (days, is_answered, is_approved, patients)]
        moves.append(100 * (told.share - awaited_approval(*many).share))
    n = len(moves)
    variance = n / (n - 1) * (np.array(moves) ** 2).sum()
    assert told.effective == pytest.approx(told.share * (1 - told.share) / variance, rel=0.02)


def test_copies_of_claims_by_the_same_patients_are_no_more_evidence():
    once = quarter(np.random.default_rng(4), 200)
    many = [np.tile(values, 5) for values in once]
    assert awaited_approval(*many).effective == pytest.approx(
        awaited_approval(*once).effective, rel=1e-6
    )


def test_answers_that_all_agree_still_have_a_range_and_none_has_no_share():
    days, is_answered, _, patients = quarter(np.random.default_rng(5), 40)
    awaited = awaited_approval(days, is_answered, np.ones(40, bool), patients)
    assert awaited.share == 1
    assert awaited.interval()[0] < 0.97
    assert awaited_approval(days, np.zeros(40, bool), np.zeros(40, bool), patients) is None


def test_one_claim_answered_on_its_last_day_breaks_nothing():
    one = pd.Series([3]).to_numpy()
    awaited = awaited_approval(one, np.array([True]), np.array([False]), np.array(["p"], object))
    assert (awaited.share, awaited.answered, awaited.effective) == (0, 1, 1)

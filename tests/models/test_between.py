"""The spread between practices: where it is known, and where there is none."""

import numpy as np
import pytest
from scipy import special

from analysis.models.between import between


def drawn(rng: np.random.Generator, k: int, sd: float) -> tuple[list[int], list[int]]:
    n = rng.integers(150, 900, k)
    approved = rng.binomial(n, special.expit(rng.normal(1.7, sd, k)))
    return approved.tolist(), (n - approved).tolist()


@pytest.mark.parametrize(("k", "sd"), [(6, 0.3), (12, 0.5), (30, 0.3)])
def test_the_intervals_hold_the_truth_about_as_often_as_they_say(k: int, sd: float) -> None:
    rng = np.random.default_rng(k)
    held = []
    for _ in range(400):
        found = between(*drawn(rng, k, sd), [1.0] * k)
        further = special.expit(rng.normal(1.7, sd))
        held.append(
            (
                found.share_interval[0] <= special.expit(1.7) <= found.share_interval[1],
                found.prediction[0] <= further <= found.prediction[1],
                found.sd_interval[0] <= sd <= found.sd_interval[1],
            )
        )
    # Prediction is known to fall somewhat short of 95% where practices are few.
    assert (np.mean(held, axis=0) > [0.92, 0.89, 0.92]).all(), np.mean(held, axis=0)


def test_practices_that_differ_by_chance_alone_are_not_said_to_differ() -> None:
    rng = np.random.default_rng(1)
    found = [between(*drawn(rng, 8, 0.0), [1.0] * 8) for _ in range(200)]
    assert np.mean([one.sd_interval[0] == 0 for one in found]) > 0.94
    assert np.median([one.sd for one in found]) < 0.1


def test_claims_of_one_patient_are_alike_which_widens_what_is_known() -> None:
    rng = np.random.default_rng(2)
    approved, denied = drawn(rng, 8, 0.0)
    plain, alike = between(approved, denied, [1.0] * 8), between(approved, denied, [3.0] * 8)
    assert alike.share_interval[1] - alike.share_interval[0] > (
        plain.share_interval[1] - plain.share_interval[0]
    )


def test_a_practice_without_denials_has_a_finite_part() -> None:
    found = between([100, 90, 80, 95, 99], [0, 10, 20, 12, 11], [1.0] * 5)
    assert 0 < found.prediction[0] < found.share < found.prediction[1] < 1


def test_few_practices_are_refused() -> None:
    with pytest.raises(ValueError, match="4 practices, at least 5"):
        between([1] * 4, [1] * 4, [1.0] * 4)

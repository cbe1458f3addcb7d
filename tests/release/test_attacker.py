"""The attacker: on tables hidden well, hidden badly, given away by rates or by later tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis import disclosure
from analysis.release import attacker
from analysis.release.attacker import Published, RoundedRate
from benchmarks.disclosure import published
from disclosure.linked import counts, made_up


@pytest.mark.parametrize(
    ("shape", "n"),
    [
        ((10, 10), 3_000),
        ((30, 20), 9_000),
        ((10, 10, 2), 5_000),
        pytest.param((30, 20, 2), 9_000, marks=pytest.mark.slow),
    ],
)
def test_what_the_suppressor_hides_he_neither_proves_nor_tells(
    shape: tuple[int, ...], n: int
) -> None:
    made = counts(made_up(shape, n, seed=len(shape)))
    seen = published(made, disclosure.suppress(made))
    done = attacker.attack(seen)
    assert (done.proven, done.told) == ([], [])
    assert made.small.sum() > 20


def test_he_breaks_tables_in_which_only_the_small_counts_are_hidden() -> None:
    made = counts(made_up((10, 10, 2), 5_000, seed=1))
    done = attacker.attack(published(made, made.small))
    assert len(done.proven) > made.small.sum() / 2
    truth = {place: int(made.values[place]) for place in done.told}
    found = attacker.ranges(published(made, made.small))
    assert {place: found[place] for place in truth} == {p: (v, v) for p, v in truth.items()}
    assert truth


def test_a_small_count_may_be_its_lower_neighbour_too() -> None:
    made = counts(made_up((10, 10), 3_000, seed=5))
    found = attacker.ranges(published(made, disclosure.suppress(made)))
    for place in np.flatnonzero(made.small & (made.values > 1)):
        least, most = found[int(place)]
        assert least < made.values[place]
        assert most is None or most >= 11


@settings(max_examples=30)
@given(
    hnp.arrays(
        np.int64,
        hnp.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=4),
        elements=st.one_of(st.integers(0, 14), st.integers(0, 200)),
    )
)
def test_every_world_fits_what_is_published_and_every_range_holds_the_truth(
    inner: np.ndarray,
) -> None:
    made = counts(inner)
    hidden = disclosure.suppress(made)
    seen = published(made, hidden)
    for world in attacker.attack(seen).worlds:
        values = np.array([world.get(p, v or 0) for p, v in enumerate(seen.counts)])
        assert not (made.sums @ values).any()
        assert all(value >= 1 for value in world.values())
    for place, (least, most) in attacker.ranges(seen).items():
        assert least <= made.values[place] <= (most or np.inf)


def test_a_rate_in_whole_percent_beside_n_gives_the_count_back() -> None:
    # 40 claims of which 35 and 5; the two are hidden, their sum and the 12% or 13% are not.
    hidden = Published([40, None, None], [(0, (1, 2))])
    assert not attacker.attack(hidden).succeeded
    told = Published(hidden.counts, hidden.sums, rates=[RoundedRate(2, 0, 0.115, 0.135)])
    done = attacker.attack(told)
    assert done.proven == done.told == [2] or done.told == [1, 2]


def test_two_tables_that_differ_by_a_few_claims_tell_them() -> None:
    assert attacker.attack(Published([40, 45], [], steps=[(0, 1)])).added == [(0, 1)]
    assert not attacker.attack(Published([40, 51], [], steps=[(0, 1)])).added
    # The later total of 45 bounds what one part, shown as 40 before, can have gained.
    parts = Published([40, None, None, 45], [(3, (1, 2))], steps=[(0, 1)])
    assert attacker.attack(parts).proven == [2]


def test_counts_that_contradict_one_another_are_refused() -> None:
    with pytest.raises(ValueError, match="contradict"):
        attacker.attack(Published([10, 4, 5], [(0, (1, 2))]))
    with pytest.raises(ValueError, match="contradict"):
        attacker.attack(Published([10, None, 12], [(0, (1, 2))]))

"""The suppressor against an attacker who only knows scipy's solver and what is shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize

from analysis import disclosure
from analysis.disclosure import CannotProtectError, Counts
from analysis.errors import ExitCode
from analysis.release import attacker
from analysis.release.attacker import Published
from disclosure.linked import cheapest_by_trying_all, cost_of, counts, made_up


def ranges(given_: Counts, hidden: np.ndarray) -> dict[int, tuple[float, float]]:
    """For each hidden count: the least and most it can be, by linear programs on the counts."""
    cells = np.flatnonzero(hidden)
    known = np.where(hidden, 0, given_.values)
    right = -(given_.sums @ known)
    left = given_.sums[:, cells].toarray()
    found = {}
    for place, cell in enumerate(cells):
        ends = []
        for sign in (1, -1):
            price = np.zeros(cells.size)
            price[place] = sign
            bounds = [(low, None) for low in given_.least[cells]]
            solved = optimize.linprog(price, A_eq=left, b_eq=right, bounds=bounds)
            ends.append(np.inf if solved.status == 3 else float(solved.fun) * sign)
        low, high = ends
        found[int(cell)] = (low, high)
    return found


def is_safe(given_: Counts, hidden: np.ndarray) -> bool:
    """Every small count could be 11, and one less than it is unless it is at its least."""
    found = ranges(given_, hidden)
    everything = ranges(given_, ~given_.known)
    for cell in np.flatnonzero(given_.small):
        low, high = found[int(cell)]
        value = given_.values[cell]
        may_be_less = everything[int(cell)][0] <= value - 1 + 1e-6
        if high < 11 - 1e-6 or (may_be_less and low > value - 1 + 1e-6):
            return False
    return True


def test_a_lone_small_count_takes_others_with_it() -> None:
    # One small count: three more form the cheapest rectangle through which it can move.
    table = counts([[5, 60, 60], [60, 30, 60], [60, 60, 60]])
    hidden = disclosure.suppress(table).reshape(4, 4)
    assert hidden[1, 1]
    assert hidden.sum() == 4
    assert hidden[2, 2]


def test_hiding_only_the_small_counts_exposes_them() -> None:
    table = counts([[5, 60, 60], [60, 30, 60], [60, 60, 60]])
    assert disclosure.exposed(table, table.small) == [5]
    assert disclosure.exposed(table, disclosure.suppress(table)) == []


def test_two_small_counts_of_one_row_that_add_up_to_ten_are_not_enough() -> None:
    # Both of 4 and 6 are at most 10 while their sum is shown, so a third has to go.
    table = counts([[4, 6, 40], [6, 4, 40], [40, 40, 40]])
    hidden = disclosure.suppress(table).reshape(4, 4)
    assert is_safe(table, hidden.ravel())
    assert hidden[1:, 1:].sum() > 4


def test_a_hidden_count_is_known_to_be_at_least_one() -> None:
    # Of 12 in a row of three, one can only reach 10 when the others are known to be there.
    table = counts([[5, 6, 1], [20, 20, 20], [30, 30, 30]])
    only_inner = np.zeros((4, 4), bool)
    only_inner[1:3, 1:] = True
    assert disclosure.exposed(table, only_inner.ravel())


def test_noughts_are_shown_and_nothing_small_means_nothing_hidden() -> None:
    table = counts([[0, 20], [30, 40]])
    assert not disclosure.suppress(table).any()


def test_what_was_shown_before_can_make_protection_impossible() -> None:
    values = [[5, 60], [60, 30]]
    shown = np.ones((3, 3), bool)
    shown[1, 1] = False
    with pytest.raises(CannotProtectError) as refused:
        disclosure.suppress(counts(values, shown=shown.ravel()))
    assert refused.value.cells == [4]
    assert refused.value.exit_code == ExitCode.REFUSED


def test_counts_that_do_not_add_up_are_refused() -> None:
    right = counts([[5, 60], [60, 30]])
    with pytest.raises(ValueError, match="add up"):
        counts([[5, 60], [60, 30]], values=right.values + 1)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))]
)
def test_no_cheaper_set_protects(seed: int) -> None:
    table = counts(made_up((2, 3), 150, seed))
    hidden = disclosure.suppress(table)
    assert cost_of(table, hidden) == pytest.approx(cheapest_by_trying_all(table, is_safe))


@settings(max_examples=40)
@given(
    hnp.arrays(
        np.int64,
        hnp.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=4),
        elements=st.one_of(st.integers(0, 14), st.integers(0, 200)),
    )
)
def test_no_small_count_of_any_table_is_exposed(inner: np.ndarray) -> None:
    table = counts(inner)
    assert is_safe(table, disclosure.suppress(table))


@pytest.mark.parametrize("seed", range(4))
def test_the_heuristic_is_safe_and_within_a_tenth_of_the_optimum(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = counts(made_up((8, 6, 2), 3_000, seed))
    optimum = disclosure.suppress(table)
    monkeypatch.setattr(disclosure, "EXACT_CELLS", 0)
    repaired = disclosure.suppress(table)
    assert is_safe(table, repaired)
    assert repaired.sum() <= 1.1 * optimum.sum()


def test_of_a_table_by_four_things_nothing_is_hidden_that_is_plain_anyway() -> None:
    # Hidden on the way to a choice and then left there, three counts were plain from the rest.
    table = counts(made_up((4, 4, 2, 3), 1_500, 0))
    hidden = disclosure.heuristic(table)
    done = attacker.attack(
        Published(
            [None if hide else int(n) for n, hide in zip(table.values, hidden, strict=True)],
            [
                (int(row.indices[row.data < 0][0]), tuple(map(int, row.indices[row.data > 0])))
                for row in table.sums
            ],
        )
    )
    assert (done.proven, done.told) == ([], [])

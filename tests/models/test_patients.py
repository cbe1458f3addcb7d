"""Whose claims are whose, whatever key the pseudonyms were made with."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.models.patients import patients

ROWS = st.lists(st.integers(0, 30), max_size=40)


def claims(rows, names) -> pd.DataFrame:
    """A claim's rows: its number, and whose it is by that number; patient 0 is not named."""
    return pd.DataFrame(
        {
            "claim_id": [f"c{claim:02}" for claim in rows],
            "patient_id": [names[claim % 6] if claim % 6 else None for claim in rows],
        }
    )


@given(ROWS, st.permutations(["a", "b", "c", "d", "e", "f"]))
def test_another_key_gives_the_same_numbers(rows, names):
    one, other = claims(rows, "abcdef"), claims(rows, names)
    assert patients(one).tolist() == patients(other).tolist()


def test_a_claim_that_names_nobody_stands_alone():
    made = claims([0, 1, 6, 7, 0], "abcdef")
    assert patients(made).tolist() == [0, 1, 2, 1, 0]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 0, 2]])
def test_the_order_of_rows_changes_no_number(order):
    made = claims([1, 2, 7, 12], "abcdef").iloc[order]
    assert patients(made).sort_index().tolist() == [0, 1, 0, 2]

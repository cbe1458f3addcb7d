"""Damage done to the input files is noticed or harmless, stops nothing and shows no patient."""

import re
from collections import Counter

import pytest

from tools import mutations

_PATIENT = re.compile(r"NM1\*(?:IL|QC)\*1\*([^*~]+)\*([^*~]*)[^~]*?\*(?:MI|34)\*([^*~]+)~")

# Another day, code or number may be what the insurer meant.
_OTHER_MESSAGES = {"a date changed", "a code changed", "a number that names something changed"}


def _patients() -> set[str]:
    """Names and member ids of the patients, as the files hold them."""
    found = {
        part for text in mutations.interchanges() for m in _PATIENT.findall(text) for part in m
    }
    assert len(found) > 10
    return {part for part in found if len(part) > 3}


def _judged(n_each: int, seed: int) -> list[mutations.Judged]:
    results = [mutations.judged(change) for change in mutations.mutations(n_each, seed)]
    shown = " ".join(result.told for result in results)
    assert not [part for part in _patients() if part in shown]
    return results


@pytest.mark.slow
def test_a_lost_doubled_or_altered_piece_does_not_pass_unseen() -> None:
    results = _judged(1, 7)
    assert {result.kind for result in results} == set(mutations.KINDS)
    unseen = Counter(r.kind for r in results if r.verdict == mutations.UNSEEN)
    assert set(unseen) <= {
        "a date changed",
        "a code changed",
        "a number that names something changed",
    }
    assert unseen.total() <= 3


def _told(page: str) -> tuple[int, int]:
    """(noticed or harmless, tried) as a page tells them."""
    (found,) = re.findall(r"\*\*(\d+) of (\d+) changes", page)
    return int(found[0]), int(found[1])


@pytest.mark.slow
def test_the_page_tells_what_was_tried() -> None:
    results = mutations.run()
    shown = " ".join(result.told for result in results)
    assert not [part for part in _patients() if part in shown]
    told, tried = _told(mutations.PAGE.read_text(encoding="utf-8"))
    caught, made = _told(mutations.page(results))
    # Which changes chance picks hangs on the made-up practice; the share must not.
    assert (tried, abs(told - caught) <= 0.05 * tried) == (made, True)

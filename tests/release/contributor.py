"""One contributor of a pool as attacker: he knows his own true counts and all that is published.

Written apart from the gate and from `release.attacker`: scipy's linear programs on the other
practices' common counts, with the pool's tables read from its files.
"""

import csv
from pathlib import Path

import numpy as np
from scipy import optimize

Key = tuple[str, str, str, str]


def published(folder: Path) -> dict[Key, int | None]:
    """(table, insurer, other, outcome) -> count, None where withheld."""
    found: dict[Key, int | None] = {}
    for path in sorted((folder / "tables").glob("*.csv")):
        for row in csv.reader(path.read_text("utf-8").splitlines()[1:]):
            for outcome, text in zip(("answered", "approved", "denied"), row[2:], strict=True):
                found[(path.stem, row[0], row[1], outcome)] = None if text == "*" else int(text)
    return found


def ranges_of_the_others(folder: Path, own: dict[Key, int]) -> dict[Key, tuple[float, float]]:
    """What the others' counts together can be, in every cell, given one's own true counts."""
    told = published(folder)
    keys = list(told)
    place = {key: n for n, key in enumerate(keys)}
    rows, sides = [], []

    def equal(terms: dict[Key, float], side: float) -> None:
        row = np.zeros(len(keys))
        for key, sign in terms.items():
            row[place[key]] += sign
        rows.append(row)
        sides.append(side)

    for table, insurer, other, outcome in keys:
        key = (table, insurer, other, outcome)
        if told[key] is not None:
            equal({key: 1.0}, told[key] - own[key])
        if outcome == "answered":
            parts = [(table, insurer, other, o) for o in ("approved", "denied")]
            equal({key: 1.0, **dict.fromkeys(parts, -1.0)}, 0.0)
        for at, name in ((1, insurer), (2, other)):
            if name == "all":
                parts = [k for k in keys if k[0] == table and k[at] != "all"
                         and k[3] == outcome and k[3 - at] == key[3 - at]]  # fmt: skip
                if parts:  # none where the pool tells one by one
                    equal({key: 1.0, **dict.fromkeys(parts, -1.0)}, 0.0)
        if other == "all":
            for twin in keys:
                if twin[1:] == key[1:] and twin[0] > table:
                    equal({key: 1.0, twin: -1.0}, 0.0)
    found = {}
    for key in keys:
        ends = []
        for sign in (1.0, -1.0):
            cost = np.zeros(len(keys))
            cost[place[key]] = sign
            done = optimize.linprog(
                cost, A_eq=np.array(rows), b_eq=np.array(sides), bounds=(0, 1e6), method="highs"
            )
            assert done.status == 0, done.message
            ends.append(float(done.x[place[key]]))
        found[key] = (ends[0], ends[1])
    return found

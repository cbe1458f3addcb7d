"""How strong a cause nobody recorded would have to be to explain an association away."""

import math

import pandas as pd

PREVALENCES = (0.10, 0.30, 0.50)
"""How much more often, as a share, the hidden factor goes with the document than without it."""
STRENGTHS = (0.10, 0.20, 0.30)
"""How much approval, as a share, the hidden factor brings by itself."""


def e_value(ratio: float) -> float:
    """The E-value of a risk ratio (VanderWeele and Ding 2017); 1 when nothing is to explain.

    A hidden factor explains the association away only if it goes with the document and with
    approval by a ratio of at least this each, beyond everything that is recorded.

    >>> round(e_value(2.0), 2), e_value(1.0), e_value(0.5) == e_value(2.0)
    (3.41, 1.0, True)
    """
    if ratio <= 0:
        return math.inf
    away = max(ratio, 1 / ratio)
    return away + math.sqrt(away * (away - 1))


def e_value_of_limit(lower: float, upper: float) -> float:
    """The E-value of the limit of a risk ratio's interval nearest to 1; 1 where it holds 1."""
    if lower <= 1 <= upper:
        return 1.0
    return e_value(lower if lower > 1 else upper)


def bias_grid(gap: float, lower: float, upper: float) -> pd.DataFrame:
    """What a difference of approval would be had a hidden factor brought some of it.

    Columns: prevalence, strength, gap, lower, upper, still_shown. The factor is `prevalence` more
    often where the document is (where the difference is negative: less often) and by itself goes
    with `strength` more approval, the same with and without the document: it makes up their product
    (VanderWeele and Arah 2011).
    """
    sign = 1.0 if gap >= 0 else -1.0
    rows = []
    for prevalence in PREVALENCES:
        for strength in STRENGTHS:
            bias = sign * prevalence * strength
            left = (gap - bias, lower - bias, upper - bias)
            shown = left[1] > 0 if gap >= 0 else left[2] < 0
            rows.append((prevalence, strength, *left, shown))
    columns = ["prevalence", "strength", "gap", "lower", "upper", "still_shown"]
    return pd.DataFrame(rows, columns=columns)

"""The findings of a release, and how often their intervals hold the truth where it is known."""

import math
from datetime import date

import numpy as np
import pandas as pd

from analysis.findings import public, rates
from analysis.findings.finding import Scope
from analysis.findings.rates import Rate

SCOPE = Scope("claims of one practice", "submitted in March 2026", date(2026, 6, 30))


def test_a_finding_says_its_company_and_is_counted_from_two_numbers() -> None:
    found = public.approval({"insurer": "Harbor Trust 12"}, 45, 60, 1.5, SCOPE)
    assert found.sentence == (
        "Of 60 claims of one practice answered by Harbor Trust 12, 75% were approved at the first"
        " answer (95% interval 60 to 86%; submitted in March 2026; answers as of 30 June 2026)."
    )
    assert (found.numerator, found.denominator, found.coverage) == (45, 60, public.COVERAGE)
    assert "generalised" in found.must_not
    assert found.sources


def test_the_intervals_of_a_release_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(150):
        truth = rng.uniform(0.6, 0.9, 3)
        n_patients = 120
        insurer = rng.integers(0, 3, n_patients)
        # Claims of one patient are alike: the patient's own rate varies around the insurer's.
        own = rng.beta(truth[insurer] * 4, (1 - truth[insurer]) * 4)
        size = rng.integers(1, 12, n_patients)
        patient = np.repeat(np.arange(n_patients), size)
        claims = pd.DataFrame(
            {
                "claim_id": np.arange(patient.size).astype(str),
                "patient_id": patient.astype(str),
                "payer_id": insurer[patient].astype(str),
                "is_approved": rng.random(patient.size) < own[patient],
            }
        )
        overall = rates.overall(claims)
        effect = max(1.0, math.ceil(10 * overall.denominator / overall.effective) / 10)
        for place, rate in enumerate(truth):
            of_insurer = claims.loc[claims["payer_id"] == str(place), "is_approved"]
            n = len(of_insurer)
            lower, upper = Rate(int(of_insurer.sum()), n, n / effect).interval()
            held.append(lower <= rate <= upper)
    assert abs(np.mean(held) - public.COVERAGE) < 0.015, np.mean(held)

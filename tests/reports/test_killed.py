"""Whenever a run is killed, the published month is the whole old or the whole new one."""

import os
import random
import time

import pytest

from analysis.reports import publish
from reports.clinic import Clinic

N_KILLS, N_EACH = 60, 10


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_killed_at_any_moment_the_month_is_the_old_or_the_new_one(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "project_folder", lambda: tmp_path)
    clinic = Clinic(tmp_path, 2)
    whole = {}
    for n_insurers in (2, 1):
        clinic.write_visits(n_insurers)
        began = time.monotonic()
        assert finished(clinic) == 0
        took = time.monotonic() - began
        whole[n_insurers] = clinic.published()
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    n_new = 0
    for kill in range(N_KILLS):
        n_insurers = 2 - kill % 2
        clinic.write_visits(n_insurers)
        before = clinic.published()
        with clinic.start() as running:
            time.sleep(moments.uniform(0, took))
            running.kill()
        left = clinic.published()
        assert left in whole.values(), f"seed {seed}, kill {kill}: neither the old nor the new"
        n_new += left != before
        if kill % N_EACH == N_EACH - 1:
            assert finished(clinic) == 0
            assert clinic.published() == whole[n_insurers], f"seed {seed}: not healed"
            assert not list(clinic.month.parent.glob(".*.part")), "rubbish was left"
            assert not (tmp_path / "data" / "private" / "clinic" / "work").exists()
    print(f"{n_new} of {N_KILLS} killed runs had published already")


def finished(clinic: Clinic) -> int:
    """The exit code of a run that nobody kills."""
    with clinic.start() as running:
        running.communicate()
    return running.returncode

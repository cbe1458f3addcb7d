"""One report among many fails: the others finish, it is named, and a rerun makes only that one."""

import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from analysis.reports import publish
from reports.clinic import MISFIT, Clinic, ran
from reports.made_practice import SAY

REASONS = {
    "exception": r"a defect of ours \(KeyError\); the traceback is in its executed notebook",
    "kill": "its kernel died, often for want of memory; try `--jobs 1`",
    "hang": "not done after [0-9.]+ minutes; `outcomes report --minutes` allows more",
    "memory": "it needed more than its share of the memory .0.8 GB.; .*memory_limit in .*",
}


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def make(n_insurers: int) -> Clinic:
        monkeypatch.setattr(publish, "project_folder", lambda: tmp_path)
        return Clinic(tmp_path, n_insurers)

    return make


@pytest.mark.slow
def test_whatever_befalls_one_report_the_others_finish_and_a_rerun_makes_only_that_one(clinic):
    made = clinic(4)
    made.befall("exception")
    code, output = made.report()
    assert code == 3, output
    assert ran(output) == 4
    assert "plan-3-p03" not in made.pages()
    assert len(made.pages()) == 3
    for misfit in ("exception", "kill", "memory", "hang"):
        made.befall(misfit)
        code, output = made.report("--minutes", "0.1" if misfit == "hang" else "20")
        assert code == 3, output
        assert ran(output) == 1
        [sentence] = re.findall("^clinic: (.*)$", output, re.MULTILINE)
        assert re.fullmatch(f"insurers/plan-3-p03 could not be made: {REASONS[misfit]}", sentence)
        assert len(made.pages()) == 3
    assert "DOE" not in output
    made.befall("")
    code, output = made.report()
    assert (code, ran(output), len(made.pages())) == (0, 1, 4), output


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_ctrl_c_ends_the_kernels_and_leaves_the_earlier_month(clinic):
    made = clinic(4)
    assert made.report()[0] == 0
    before = made.published()
    made.write_notebook(SAY, "# changed", MISFIT)
    made.befall("hang")
    with made.start() as running:
        # The others are done once three lines are told; then only the hang is left.
        while not running.stdout.readline().startswith("3 of 4"):
            assert running.poll() is None, running.stderr.read()
        while not (made.root / "data" / "kernel").exists():
            assert running.poll() is None, running.stderr.read()
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert said == "outcomes: stopped; what was published before is as it was\n"
    assert made.published() == before
    assert not psutil.pid_exists(int((made.root / "data" / "kernel").read_text()))


@pytest.mark.slow
def test_a_run_of_some_reports_keeps_the_names_of_others_that_failed(clinic):
    made = clinic(4)
    made.befall("exception")
    assert made.report()[0] == 3
    made.befall("")
    code, output = made.report("--set", "payer_id=P01", "--set", "minimum_cell_size=2")
    assert (code, ran(output)) == (0, 1), output
    index = (made.month / "index.html").read_text("utf-8")
    assert "a defect of ours (KeyError)" in index
    assert made.report()[0] == 0
    index = (made.month / "index.html").read_text("utf-8")
    assert "a defect of ours" not in index


@pytest.mark.slow
@pytest.mark.parametrize("misfit", ["exception", "kill", "hang"])
def test_of_fifty_reports_forty_nine_finish(clinic, misfit):
    made = clinic(50)
    made.befall(misfit)
    code, output = made.report("--minutes", "1")
    assert (code, ran(output), len(made.pages())) == (3, 50, 49), output
    assert re.search(f"^clinic: insurers/plan-3-p03 could not be made: {REASONS[misfit]}$",
                     output, re.MULTILINE)  # fmt: skip
    made.befall("")
    code, output = made.report()
    assert (code, ran(output), len(made.pages())) == (0, 1, 50), output

"""Every notebook runs top to bottom, also where a practice has next to nothing to tell."""

import json
from pathlib import Path

import pytest

from analysis import pipeline, synthetic
from analysis.reports import book

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = [*sorted(path.stem for path in FOLDER.glob("0[1-8]*.ipynb")), "11_method_check"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A practice of ordinary size, one that is just starting, and one with remittances only."""
    folder = tmp_path_factory.mktemp("data")
    for name, n_claims, n_months in (("ordinary", 250, 9), ("starting", 6, 3), ("paid", 60, 6)):
        synthetic.synthesize(name, data_dir=folder, n_claims=n_claims, n_months=n_months)
    kept = {".835", ".toml"}
    for path in (folder / "raw" / "paid").iterdir():
        if path.suffix not in kept:
            path.unlink()
    for name in ("ordinary", "starting", "paid"):
        pipeline.ready(name, through="model", data_dir=str(folder), say=lambda _: None)
    return folder


def run(name, **parameters):
    """The notebook's cells in their order, in one namespace, after its parameters."""
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8"))
    namespace = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), namespace)
            if "parameters" in cell["metadata"].get("tags", []):
                namespace.update(parameters)
    return namespace


@pytest.fixture
def said(monkeypatch):
    """What the notebook displays: (media type of ours, record)."""
    shown = []

    def display(bundle, raw):
        assert raw
        shown.extend(item for item in bundle.items() if item[0] != "text/html")

    monkeypatch.setattr("IPython.display.display", display)
    return shown


@pytest.mark.parametrize("practice", ["ordinary", "starting", "paid"])
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_says_something(name, practice, data, said):
    run(name, practice=practice, data_dir=str(data))
    findings = [record for kind, record in said if kind == book.FINDING]
    assert findings
    assert all(finding["sentence"] and finding["method"] for finding in findings)


def test_an_insurer_can_be_asked_for_by_its_number(data, said):
    run("08_insurer_scorecard", practice="ordinary", data_dir=str(data), payer_id="00430")
    assert said


@pytest.mark.parametrize("practice", ["ordinary", "starting", "paid"])
def test_the_explorer_moves_with_its_filters_and_writes_what_it_shows(practice, data):
    seen = run("10_explore", practice=practice, data_dir=str(data))["explorer"]
    everything = seen.told.value
    seen.payer.value = seen.payer.options[-1][1]
    assert seen.told.value != everything or len(seen.payer.options) <= 2
    whose = {seen.payer.label} - {"any"}
    assert set(seen.table()["insurer"]) <= whose or not whose
    seen.documents["plan_of_care"].value = "present"
    seen.visits.value = (1, 1)
    path = seen.write_csv()
    assert path.parent == data / "private" / practice
    assert len(path.read_text("utf-8-sig").splitlines()) == 1 + len(seen.table())
    assert str(path) in seen.saved.value


def test_a_practice_that_is_starting_is_given_no_rate(data, said):
    for name in ("02_claim_outcomes", "04_approval_by_insurer_and_condition"):
        run(name, practice="starting", data_dir=str(data))
    rates = [
        record
        for kind, record in said
        if kind == book.FINDING and record["unit"] == "claim" and record["estimate"] is not None
    ]
    assert rates == []

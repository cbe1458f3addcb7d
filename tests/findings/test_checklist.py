"""The reporting checklist: complete, in place, and filled from the model's own record."""

import json
import re
from pathlib import Path

import pytest

from analysis import codes
from analysis.config import ModelDesign
from analysis.findings import checklist, population, unbound_digits
from analysis.models import approval, periods
from findings.made_claims import AS_OF
from models.world import world

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SCOPE = population.Scope("claims of this practice", "no claims", AS_OF)
MAIN = {
    "TRIPOD+AI": {str(number) for number in range(1, 28)},
    "RECORD": {"1", "6", "7", "12", "13", "19", "22"},
}


@pytest.fixture(scope="module")
def design():
    made = world(600, seed=4)
    chosen = periods.modelled(made.features, made.outcomes, ModelDesign())
    return approval.learn(chosen, ModelDesign()).design


def test_every_item_of_both_guidelines_is_there_once():
    rows = codes.rows("reporting_checklist")
    assert len({row["item_id"] for row in rows}) == len(rows)
    for guideline, wanted in MAIN.items():
        items = [row["item"] for row in rows if row["guideline"] == guideline]
        assert {re.match(r"\d+", item)[0] for item in items} == wanted


def test_each_place_that_is_named_exists():
    headings = {}
    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        told = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        headings[path.stem[:2]] = set(re.findall(r"^#+ (.*)$", told, re.MULTILINE))
    for row in codes.rows("reporting_checklist"):
        assert row["filled_by"] in (checklist.SOFTWARE, checklist.PEOPLE)
        assert bool(row["where"]) == (row["filled_by"] == checklist.SOFTWARE)
        for report, heading in re.findall(r"(\d\d): ([^;]+)", row["where"]):
            assert heading in headings[report] | {"Definitions", "How this is counted"}


def test_answers_come_from_the_record_of_the_model(design):
    items = checklist.filled(design).set_index("item_id")["answer"]
    counts = design["population"]
    assert (
        f"{counts['n_denied']} denied of {counts['n_modelled']} modelled" in items["TRIPOD+AI 21"]
    )
    assert "payer id" in items["TRIPOD+AI 9b"]
    assert f"test periods: {design['test_periods'][0]}, " in items["TRIPOD+AI 5b"]
    assert design["data_sha256"] in items["RECORD 22.1"]
    assert items.isna()["TRIPOD+AI 17"]
    assert not items.dropna().str.contains(r"[{}\[\]]").any()


def test_without_a_model_an_answer_that_rests_on_it_says_so():
    items = checklist.filled({"refused": "too few claims"}).set_index("item_id")["answer"]
    assert items["TRIPOD+AI 21"] == "there is no model"
    assert items["TRIPOD+AI 12d"].startswith("by insurer")


def test_items_for_people_are_counted_apart(design):
    said = checklist.told(checklist.filled(design), SCOPE)
    assert said.numerator + said.values["left"] == said.denominator
    assert said.values["left"] > 15
    assert unbound_digits(said) == []

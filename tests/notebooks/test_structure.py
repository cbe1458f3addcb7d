"""The notebooks tell and the package works: thin, parameterized, without outputs."""

import ast
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.ipynb")}
PARAMETERS = {
    "practice": ("str", "demo"),
    "month": ("str", ""),
    "data_dir": ("str", ""),
    "reports_dir": ("str", ""),
    "minimum_cell_size": ("int", 11),
}
OWN_PARAMETERS = {
    "02_claim_outcomes": {"definition": ("str", "allowed")},
    "08_insurer_scorecard": {"payer_id": ("str", "")},
    "09_public_findings": {"release": ("str", "")},
    "11_method_check": {"n_worlds": ("int", 0), "n_claims": ("int", 300)},
}
# What works on rows belongs into the package, where it is tested.
WORK = {"apply", "groupby", "merge", "pivot", "query", "read_csv", "sort_values", "split"}

every_notebook = pytest.mark.parametrize("name", sorted(NOTEBOOKS))


def cells(name, kind):
    return [cell for cell in NOTEBOOKS[name]["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def is_parameters(cell):
    return "parameters" in cell["metadata"].get("tags", [])


def program(name):
    """The code behind the parameters cell."""
    told = [source(cell) for cell in cells(name, "code") if not is_parameters(cell)]
    return ast.parse("\n".join(told))


def test_the_notebooks_of_the_first_version_are_there():
    assert [name[:2] for name in sorted(NOTEBOOKS)][:8] == [f"0{n}" for n in range(1, 9)]


@every_notebook
def test_one_cell_holds_the_typed_parameters(name):
    [cell] = [cell for cell in cells(name, "code") if is_parameters(cell)]
    told = {
        line.target.id: (line.annotation.id, ast.literal_eval(line.value))
        for line in ast.parse(source(cell)).body
    }
    assert told == PARAMETERS | OWN_PARAMETERS.get(name, {})


@every_notebook
def test_notebooks_are_committed_without_outputs(name):
    for cell in cells(name, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@every_notebook
def test_cells_have_names_that_stay(name):
    ids = [cell["id"] for cell in NOTEBOOKS[name]["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", i) for i in ids)
    assert NOTEBOOKS[name]["metadata"]["kernelspec"]["name"] == "python3"


@every_notebook
def test_the_title_is_the_question(name):
    headings = re.findall(r"^# .*$", "\n".join(map(source, cells(name, "markdown"))), re.MULTILINE)
    assert len(headings) == 1
    assert headings[0].endswith("?")


@every_notebook
def test_no_number_is_typed_into_prose(name):
    assert not re.search(r"\d", "".join(map(source, cells(name, "markdown"))))
    texts = {node.value for node in ast.walk(program(name)) if isinstance(node, ast.Constant)}
    assert {text for text in texts if isinstance(text, str) and re.search(r"\d", text)} <= {name}


@every_notebook
def test_a_notebook_defines_and_works_out_nothing(name):
    for node in ast.walk(program(name)):
        assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.For)
        assert not (isinstance(node, ast.Attribute) and node.attr in WORK)
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert getattr(node, "module", "").startswith("analysis")


@every_notebook
def test_cells_are_few_and_short(name):
    assert len(cells(name, "code")) <= 12
    assert all(len(cell["source"]) <= 26 for cell in cells(name, "code"))

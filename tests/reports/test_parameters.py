"""Parameters are refused by name and type, and are the same in the notebooks."""

from pathlib import Path

import papermill
import pytest

from analysis.config import project_folder
from analysis.errors import UsageError
from analysis.reports import parameters

NOTEBOOKS = sorted((project_folder() / "notebooks").glob("*.ipynb"))
_TYPES = {"str": str, "int": int}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_states_the_parameters_its_model_does(path: Path):
    if path.stem not in parameters.PARAMETERS:
        pytest.skip("not published by the runner")
    stated = papermill.inspect_notebook(str(path))
    model = parameters.model_of(path.stem)
    assert list(stated) == list(model.model_fields)
    for name, field in model.model_fields.items():
        default = stated[name]["default"].strip("\"'")
        assert _TYPES[stated[name]["inferred_type_name"]] is field.annotation
        assert default == str(field.default), name


def test_text_from_the_command_line_becomes_the_parameters_type():
    assert (
        parameters.parse("02_claim_outcomes", {"minimum_cell_size": "20"}).minimum_cell_size == 20
    )


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"payor_id": "1"}, "08_insurer_scorecard has no parameter 'payor_id'; did you mean"),
        (
            {"minimum_cell_size": "eleven"},
            "minimum_cell_size: 'eleven' is not a whole number; for example minimum_cell_size=11",
        ),
        ({"minimum_cell_size": 0}, "minimum_cell_size: 0 is too small"),
        ({"minimum_cell_size": 11.5}, "minimum_cell_size: 11.5 is not a whole number"),
        ({"month": "2026-3"}, "month: '2026-3' cannot be used; for example month=2026-03"),
        ({"month": 202603}, "month: 202603 is not text; for example month=2026-03"),
        ({"payer_id": 123}, "payer_id: 123 is not text"),
    ],
)
def test_a_wrong_parameter_is_named_with_a_right_one(raw, sentence):
    with pytest.raises(UsageError) as refused:
        parameters.parse("08_insurer_scorecard", raw)
    assert sentence in str(refused.value)


def test_every_wrong_parameter_is_told_at_once():
    with pytest.raises(UsageError, match=r"month: .*; minimum_cell_size: "):
        parameters.parse("02_claim_outcomes", {"month": "x", "minimum_cell_size": "y"})


def test_an_unknown_notebook_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean '02_claim_outcomes'"):
        parameters.parse("02_claims_outcome", {})


def test_a_way_of_counting_nobody_uses_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="definition: no 'kf'; did you mean 'kff'"):
        parameters.parse("02_claim_outcomes", {"definition": "kf"})

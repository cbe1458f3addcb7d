"""The parameters of every notebook, checked before anything runs.

papermill only warns of a parameter it does not know, and would publish the wrong insurer's
report; here a wrong name or type is refused with the nearest right one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from analysis.config import Folders, project_folder
from analysis.errors import UsageError, nearest


class Parameters(BaseModel):
    """What every notebook takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    practice: str = "demo"
    """A folder name under data/raw."""
    month: str = Field(default="", pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$")
    """YYYY-MM; '' is the last complete month."""
    data_dir: str = ""
    """The data folder; '' is the project's."""
    reports_dir: str = ""
    """The reports folder; '' is the project's."""
    minimum_cell_size: int = Field(default=11, ge=1)
    """Fewer claims than this give no rate."""

    @property
    def folders(self) -> Folders:
        """Where the practice's files lie."""
        return Folders(
            Path(self.data_dir or project_folder() / "data").absolute(),
            Path(self.reports_dir or project_folder() / "reports").absolute(),
            self.practice,
        )


# Names of findings.definitions, which is not imported here: it brings pandas, and commands check
# their words before they load anything.
DEFINITIONS = (
    "allowed", "allowed_final", "paid", "kff", "hfma", "zero_paid", "clean", "lines", "episodes"
)  # fmt: skip


class InsurerParameters(Parameters):
    """What the report on one insurer takes besides."""

    payer_id: str = ""
    """The insurer's identifier; '' is the one with most claims."""


class DefinitionParameters(Parameters):
    """What the report on outcomes takes besides."""

    definition: str = "allowed"
    """How the denials of the last section are counted: a name of findings.definitions."""

    @field_validator("definition")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in DEFINITIONS:
            raise ValueError(nearest(name, list(DEFINITIONS)))
        return name


class ReleaseParameters(Parameters):
    """What the notebook of a release takes besides."""

    release: str = ""
    """The release's folder; '' drafts one in the practice's private folder."""


class MethodParameters(Parameters):
    """What the check of the method takes besides."""

    n_worlds: int = Field(default=0, ge=0)
    """Practices of each kind made and measured now; 0 tells only what was measured before."""
    n_claims: int = Field(default=300, ge=100)
    """Claims of each of them."""


PARAMETERS: Mapping[str, type[Parameters]] = {
    "01_data_quality": Parameters,
    "02_claim_outcomes": DefinitionParameters,
    "03_denial_reasons": Parameters,
    "04_approval_by_insurer_and_condition": Parameters,
    "05_documentation_completeness": Parameters,
    "06_approval_model": Parameters,
    "07_practice_month": Parameters,
    "08_insurer_scorecard": InsurerParameters,
    "09_public_findings": ReleaseParameters,
    "11_method_check": MethodParameters,
}
# The check of the method tells the same of every practice: it is made when asked for by name.
ON_REQUEST = ("11_method_check",)
# Made for the practice every month; a release is made by `outcomes release`.
MONTHLY = tuple(name for name in PARAMETERS if name not in ("09_public_findings", *ON_REQUEST))

_EXAMPLES = {
    "month": "month=2026-03",
    "minimum_cell_size": "minimum_cell_size=11",
    "payer_id": "payer_id=00123",
}
_WRONG = {
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "int_type": "is not a whole number",
    "greater_than_equal": "is too small",
    "string_type": "is not text",
}


def parse(notebook: str, raw: Mapping[str, Any]) -> Parameters:
    """The checked parameters of a notebook, from values as typed (text) or as Python has them.

    Raises UsageError naming an unknown notebook or parameter with the nearest known one, and a
    wrong value with an example of a right one. Values are the user's own typing, so they are
    quoted.

    >>> parse("08_insurer_scorecard", {"payer_id": "00123"}).minimum_cell_size
    11
    >>> parse("08_insurer_scorecard", {"payor_id": "00123"})
    Traceback (most recent call last):
    analysis.errors.UsageError: 08_insurer_scorecard has no parameter 'payor_id'; did you mean \
'payer_id'?
    """
    model = model_of(notebook)
    try:
        return model.model_validate(dict(raw))
    except ValidationError as problem:
        known = list(model.model_fields)
        said = [_sentence(notebook, known, dict(error)) for error in problem.errors()]
        raise UsageError("; ".join(said)) from None


def model_of(notebook: str) -> type[Parameters]:
    """The parameters model of a notebook. Raises UsageError with the nearest notebook name."""
    if notebook not in PARAMETERS:
        raise UsageError(f"no notebook '{notebook}'; {nearest(notebook, list(PARAMETERS))}")
    return PARAMETERS[notebook]


def _sentence(notebook: str, known: list[str], error: Mapping[str, Any]) -> str:
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return f"{notebook} has no parameter '{name}'; {nearest(name, known)}"
    if error["type"] == "value_error":
        return f"{name}: no '{error['input']}'; {error['ctx']['error']}"
    wrong = _WRONG.get(error["type"], "cannot be used")
    example = f"; for example {_EXAMPLES[name]}" if name in _EXAMPLES else ""
    return f"{name}: {error['input']!r} {wrong}{example}"

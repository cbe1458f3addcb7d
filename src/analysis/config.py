"""What a practice states about itself (practice.toml), where its files lie, how models are set.

All models are frozen and refuse unknown keys, so that a misspelt key is named, not ignored.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis.errors import ConfigError, UsageError, nearest

# Used until the practice's own answers tell how long answers take.
DEFAULT_MATURITY_DAYS = 90

# A folder name on every system, and never a path.
_PRACTICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class _Stated(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PayerStatement(_Stated):
    """What the practice knows of one insurer."""

    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    payer_type: str | None = None
    role: Literal["insurer", "tpa", "delegate"] | None = None
    unit_rule: Literal["total_minutes", "per_code"] | None = None
    network_status: Literal["in", "out"] | None = None
    since: date | None = None


class PlanStatement(_Stated):
    """What the practice knows of one plan of an insurer."""

    payer_id: str = Field(min_length=1)
    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    funding: Literal["insured", "self_funded", "public", "union"] | None = None
    product: Literal["hmo", "ppo", "epo", "pos", "hdhp", "indemnity"] | None = None
    visit_limit_year: int | None = Field(default=None, ge=0)


# Several columns are added up where they hold money, and joined by '-' where they hold text.
_Columns = str | tuple[str, ...]


class ExportColumns(_Stated):
    """Which column of an export holds what: our name = the export's own."""

    patient_control_number: _Columns | None = None
    patient: _Columns | None = None
    payer_id: _Columns | None = None
    payer_name: _Columns | None = None
    plan_id: _Columns | None = None
    # Where lines are numbered, a number is one claim, whatever the days of its lines.
    line_number: str | None = None
    # Each later version of a claim takes the earlier back, as an insurer's correction does.
    version: str | None = None
    service_date: str | None = None
    service_to_date: str | None = None
    submitted_date: str | None = None
    payment_date: str | None = None
    procedure_code: _Columns | None = None
    modifiers: _Columns | None = None
    units: str | None = None
    diagnoses: _Columns | None = None
    authorization_number: _Columns | None = None
    charge: _Columns
    paid: _Columns | None = None
    allowed: _Columns | None = None
    patient_responsibility: _Columns | None = None
    payer_claim_control_number: _Columns | None = None
    reason_code: str | None = None
    outcome: str | None = None


class OutcomeWords(_Stated):
    """The words by which an export tells an outcome; any other word stays unknown."""

    approved: tuple[str, ...] = ()
    partially_approved: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()


class ExportStatement(_Stated):
    """How files that the practice's software exported are to be read."""

    file: str = Field(min_length=1)
    date_order: Literal["MDY", "DMY"] | None = None
    ignore_signs: bool = False
    amounts_in_cents: bool = False
    # A posting is one payment or adjustment; the postings of a code are one line.
    row_is: Literal["line", "posting"] = "line"
    columns: ExportColumns | None = None
    outcome_words: OutcomeWords = OutcomeWords()
    # Column -> values: rows to pass over, and the only rows to read.
    skip: dict[str, tuple[str, ...]] = {}
    only: dict[str, tuple[str, ...]] = {}


class Story(_Stated):
    """One case to be told in a public release, with the patient's consent on record."""

    title: str = Field(min_length=1, max_length=100)
    text: str = Field(min_length=1, max_length=2_000)
    # Whose base rate is printed beside it: as the release's tables name them, one or both.
    insurer: str = ""
    condition: str = ""
    consented_on: date
    consent_is_kept: str = Field(min_length=1)


class Practice(_Stated):
    """practice.toml. Everything may be left out; what was assumed is said aloud."""

    name: str | None = None
    state: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    made_up: bool = False
    consent_to_publish: bool = False
    as_of: date | None = None
    engine: Literal["duckdb", "spark"] = "duckdb"
    spark_master: str | None = Field(default=None, min_length=1)
    memory_limit: str = Field(default="60%", pattern=r"^\s*\d+(\.\d+)?\s*(%|[KMGT]i?B)\s*$")
    payers: tuple[PayerStatement, ...] = ()
    plans: tuple[PlanStatement, ...] = ()
    exports: tuple[ExportStatement, ...] = ()
    stories: tuple[Story, ...] = ()

    @model_validator(mode="after")
    def _names_its_cluster(self) -> "Practice":
        if self.engine == "spark" and self.spark_master is None:
            raise ValueError(
                'engine = "spark" needs the address of the cluster as well:'
                ' spark_master = "spark://host:7077"'
            )
        return self


class ModelDesign(_Stated):
    """How the approval model is set up; saved with its result."""

    # A test period begins when this many times as many claims are known as when the last began.
    growth: float = Field(default=1.2, gt=1)
    n_periods: int = Field(default=3, ge=1)
    minimum_claims: int = Field(default=100, ge=1)
    minimum_denials: int = Field(default=20, ge=1)
    minimum_cell_size: int = Field(default=11, ge=1)
    n_resamples: int = Field(default=200, ge=20)
    seed: int = 0


def project_folder() -> Path:
    """The project's own folder, whose data/ and reports/ are the defaults of every command."""
    return Path(__file__).parents[2]


@dataclass(frozen=True)
class Folders:
    """Where one practice's files lie under a data folder and a reports folder."""

    data_dir: Path
    reports_dir: Path
    practice: str

    def __post_init__(self) -> None:
        if not _PRACTICE_NAME.fullmatch(self.practice):
            raise UsageError(
                f"'{self.practice}' cannot name a practice's folder; "
                "use letters, digits, '-' and '_', for example north-clinic"
            )

    @property
    def raw(self) -> Path:
        """What the practice drops; never changed by the program."""
        return self.data_dir / "raw" / self.practice

    @property
    def processed(self) -> Path:
        """One Parquet file per table, rebuilt from raw at any time."""
        return self.data_dir / "processed" / self.practice

    @property
    def private(self) -> Path:
        """Pseudonym key, quarantine, executed notebooks: 0700, never published."""
        return self.data_dir / "private" / self.practice

    @property
    def reports(self) -> Path:
        """What people open."""
        return self.reports_dir / self.practice

    def require_raw(self) -> Path:
        """The raw folder. Raises UsageError, naming the nearest practice, when it is missing."""
        if self.raw.is_dir():
            return self.raw
        parent = self.raw.parent
        known = sorted(p.name for p in parent.iterdir() if p.is_dir()) if parent.is_dir() else []
        hint = nearest(self.practice, known) if known else "no practice is there yet"
        raise UsageError(
            f"no practice '{self.practice}' under {parent}; {hint}. "
            f"A new one: `outcomes init {self.practice}`"
        )


def load_practice(raw: Path) -> Practice:
    """practice.toml of a raw folder, or the defaults when there is none.

    Raises ConfigError naming the file, the place and what is wrong with it.
    """
    path = raw / "practice.toml"
    if not path.exists():
        return Practice()
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path.name}: not readable as TOML: {problem}") from problem
    try:
        return Practice.model_validate(stated)
    except ValidationError as problem:
        raise ConfigError(f"{path.name}: {_sentences(problem)}") from problem


def _sentences(problem: ValidationError) -> str:
    """pydantic's findings as plain sentences, with the nearest key for an unknown one."""
    known = {
        "payers": list(PayerStatement.model_fields),
        "plans": list(PlanStatement.model_fields),
        "exports": list(ExportStatement.model_fields),
        "columns": list(ExportColumns.model_fields),
        "outcome_words": list(OutcomeWords.model_fields),
        "stories": list(Story.model_fields),
    }
    said = []
    for error in problem.errors():
        place = ".".join(str(part) for part in error["loc"])
        if error["type"] == "extra_forbidden":
            parents = [str(part) for part in error["loc"][:-1] if part in known]
            fields = known[parents[-1]] if parents else list(Practice.model_fields)
            said.append(f"unknown key {place}; {nearest(str(error['loc'][-1]), fields)}")
        else:
            message = error["msg"].removeprefix("Value error, ")
            said.append(f"{place}: {message}" if place else message)
    return "; ".join(said)

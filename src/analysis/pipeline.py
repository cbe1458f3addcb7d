"""The steps from raw files to the judged model, in their order, and which of them are stale.

A step's key digests the code, what practice.toml states, and the rows of the tables it reads; that
of the first, the raw files. Every table carries in its own metadata the key it was made under and
the digest of its rows, so a step is fresh exactly when all its tables carry the current key. Where
new files leave a step's inputs as they were, it need not run again; nothing else has to be kept in
step with the files, and a build that was interrupted goes on where it stopped. What was foretold of
a test period is a table with a key of its own, so a month learns only for periods that it changes.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from analysis import digests
from analysis.config import Folders, Practice, load_practice, project_folder
from analysis.errors import DataError, UsageError, nearest
from analysis.turns import turn

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.engine import Source
    from analysis.models.periods import Parts, Period
    from analysis.spark import Cluster

Tables = Mapping[str, "Source"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """One step: what it does in words, the tables it reads and writes, the function."""

    name: str
    title: str
    function: Callable[[Folders, Practice, Tables], "dict[str, Source]"]
    reads: tuple[str, ...]
    writes: tuple[str, ...]


def _intake(folders: Folders, practice: Practice, _: Tables) -> "dict[str, Source]":
    from analysis import tables
    from analysis.intake import folder, payer_names, pseudonymize

    key = pseudonymize.load_key(folders.private)
    read = folder.read_folder(folders.raw, practice, pseudonymize.Pseudonyms(key))
    folder.quarantine_file(folders.private, read["row_ledger"])
    payer_names.suggestions_file(folders.private, tables.load(read["payer_names"]))
    folders.processed.mkdir(parents=True, exist_ok=True)
    (folders.processed / "README.md").write_text(tables.dictionary(), encoding="utf-8")
    return read


def _lineage(_: Folders, __: Practice, inputs: Tables) -> "dict[str, Source]":
    from analysis.claims import coding, lineage

    made = lineage.lineage(inputs)
    return made | coding.coding({**inputs, **made})


def _balances(_: Folders, __: Practice, inputs: Tables) -> "dict[str, Source]":
    from analysis.claims import balances

    return balances.balances(inputs)


def _outcomes(_: Folders, practice: Practice, inputs: Tables) -> "dict[str, Source]":
    from analysis import outcomes

    return outcomes.outcomes(inputs, practice.as_of or outcomes.last_day(inputs))


def _features(_: Folders, practice: Practice, inputs: Tables) -> "dict[str, Source]":
    from analysis.features import calls, claim, documentation, policies, visits

    made: dict[str, Source] = {}
    made["rules_in_force"] = policies.rules_in_force(inputs, practice.state)
    made |= documentation.documentation({**inputs, **made})
    made |= visits.visits({**inputs, **made})
    made["claim_features"] = claim.claim_features({**inputs, **made})
    made["call_outcomes"] = calls.call_outcomes({**inputs, **made})
    return made


def _actions(_: Folders, practice: Practice, inputs: Tables) -> "dict[str, Source]":
    from analysis import actions

    return {"next_actions": actions.next_actions(inputs, practice.state)}


def _model(folders: Folders, _: Practice, inputs: Tables) -> "dict[str, Source]":
    from analysis import tables
    from analysis.config import ModelDesign
    from analysis.models import approval, periods, saved

    chosen = None
    try:
        chosen = periods.modelled(
            tables.load(inputs["claim_features"]),
            tables.load(inputs["claim_outcomes"]),
            ModelDesign(),
        )
        learned = approval.learn(chosen, ModelDesign())
    except DataError as refusal:
        # Too little data for a model is an answer; the reports say it.
        learned = approval.refused(str(refusal))
    design = json.dumps(learned.design, indent=2, sort_keys=True) + "\n"
    folders.processed.mkdir(parents=True, exist_ok=True)
    (folders.processed / "model_design.json").write_text(design, encoding="utf-8")
    if learned.model is None:
        saved.forget(folders.processed)
    else:
        saved.save(learned.model, folders.processed)
    return {"model_fits": approval.fits(learned), **periods.to_judge(chosen)}


def _evaluation(folders: Folders, _: Practice, inputs: Tables) -> "dict[str, Source]":
    from analysis import tables
    from analysis.config import ModelDesign
    from analysis.models import judging

    kept = folders.private / "foretold"
    judged = set()

    def foretell(period: "Period", parts: "Parts", design: ModelDesign) -> "pa.Table":
        """As `judging.foretell`; what stands is taken where a step would be fresh."""
        folder = kept / str(period.first_day)
        judged.add(folder)
        key = _digest([_code_digest(), repr((period, design)), parts.digest()])
        if tables.provenance(folder, "predictions").get("key") != key:
            told = judging.foretell(period, parts, design)
            tables.write(folder, "predictions", told, {"step": "evaluation", "key": key})
        return tables.read(folder, "predictions")

    loaded = {name: tables.load(source) for name, source in inputs.items()}
    made = judging.judge(**loaded, design=ModelDesign(), foretell=foretell)
    for folder in set(kept.glob("*")) - judged:
        shutil.rmtree(folder)
    return made._asdict()


_FILES = (
    "claims",
    "service_lines",
    "claim_diagnoses",
    "payments",
    "remittances",
    "remittance_lines",
    "adjustments",
    "remarks",
    "provider_adjustments",
    "acknowledgments",
    "file_checks",
    "attested_documents",
    "visit_techniques",
    "authorizations",
    "prescriptions",
    "benefit_calls",
    "appeals",
    "policies",
    "payer_aliases",
    "network_periods",
    "visit_minutes",
    "payer_names",
    "payers",
    "plans",
    "row_ledger",
)

STEPS = (
    Step("intake", "reading the raw files", _intake, (), _FILES),
    Step(
        "lineage",
        "joining versions and answers to claims",
        _lineage,
        ("claims", "service_lines", "claim_diagnoses", "remittances", "remittance_lines",
         "adjustments", "remarks", "provider_adjustments", "visit_techniques"),
        ("claim_lineage", "provider_adjustment_lineage", "unmapped_codes", "technique_codes"),
    ),
    Step(
        "outcomes",
        "determining outcomes",
        _outcomes,
        ("claims", "service_lines", "claim_diagnoses", "payments", "remittances",
         "remittance_lines", "adjustments", "remarks", "provider_adjustments", "claim_lineage",
         "provider_adjustment_lineage", "payers", "acknowledgments", "appeals"),
        ("claim_outcomes", "line_outcomes", "line_lineage", "appeal_outcomes"),
    ),
    Step(
        "balances",
        "checking that the money adds up",
        _balances,
        ("claims", "service_lines", "payments", "remittances", "remittance_lines", "adjustments",
         "provider_adjustments", "file_checks", "claim_lineage", "line_lineage",
         "claim_diagnoses"),
        ("imbalances", "checks"),
    ),
    Step(
        "features",
        "describing documents, visits and calls",
        _features,
        ("claims", "service_lines", "claim_diagnoses", "remittances", "remarks",
         "attested_documents", "visit_minutes", "authorizations", "prescriptions",
         "benefit_calls", "policies", "claim_lineage", "claim_outcomes", "line_outcomes",
         "payers", "plans", "network_periods"),
        ("documentation", "documentation_contradictions", "claim_features", "rules_in_force",
         "visit_counts", "visit_limits", "call_outcomes"),
    ),
    Step(
        "actions",
        "finding what to do next",
        _actions,
        ("claims", "remittances", "adjustments", "remarks", "claim_lineage", "claim_outcomes",
         "appeal_outcomes", "policies"),
        ("next_actions",),
    ),
    Step(
        "model",
        "fitting the approval model",
        _model,
        ("claim_features", "claim_outcomes"),
        ("model_fits", "test_periods", "judged_claims"),
    ),
    Step(
        "evaluation",
        "checking the approval model on later claims",
        _evaluation,
        ("test_periods", "judged_claims"),
        ("predictions", "evaluation"),
    ),
)  # fmt: skip


# Also where a cluster makes the tables: these read files, and what is left after aggregation.
_ON_THIS_COMPUTER = {"intake", "model", "evaluation"}


def ready(
    practice: str,
    *,
    through: str,
    data_dir: str = "",
    reports_dir: str = "",
    say: Say = print,
) -> Folders:
    """The practice's folders, with every table through step `through` fresh.

    What notebooks call first: plain papermill works on each of them, because a stale stage is run
    before its tables are read. Raises UsageError for an unknown practice or step.
    """
    folders = Folders(
        data_dir=Path(data_dir).absolute() if data_dir else project_folder() / "data",
        reports_dir=Path(reports_dir).absolute() if reports_dir else project_folder() / "reports",
        practice=practice,
    )
    build(folders, through=through, say=say)
    return folders


@digests.kept()
def build(folders: Folders, *, through: str = STEPS[-1].name, say: Say = print) -> list[str]:
    """Run every stale step through `through`; the names of those that ran, in order.

    Stale tables of the steps after it are removed, so that nobody takes them for today's.
    Raises UsageError for an unknown practice or step, ConfigError for a bad practice.toml.
    """
    from analysis import tables

    names = [step.name for step in STEPS]
    if through not in names:
        raise UsageError(f"no step '{through}'; {nearest(through, names)}")
    folders.require_raw()
    n_steps = names.index(through) + 1
    steps, later = STEPS[:n_steps], STEPS[n_steps:]
    standing = _Standing.of(folders)
    is_done = all(map(standing.is_fresh, steps)) and not any(map(standing.misleads, later))
    # A build killed after its last table leaves a patient's tables behind, however fresh all is.
    if is_done and not any(path.exists() for path in _scratch(folders)):
        return []
    folders.private.mkdir(parents=True, exist_ok=True, mode=0o700)
    waiting = f"{folders.practice}: another run is building its tables; waiting until it is done"
    # The second run then finds the tables fresh.
    with turn(folders.private / ".build.lock", say, waiting):
        practice = load_practice(folders.raw)
        _clear_interrupted(folders, say)
        for step in STEPS:
            standing.look_again(step)
        ran = []
        held: dict[str, Source] = {}
        with _cluster(folders, practice) as cluster:
            for step in steps:
                if standing.is_fresh(step):
                    continue
                elsewhere = None if step.name in _ON_THIS_COMPUTER else cluster
                provenance = {"step": step.name, "key": standing.key(step)}
                with _workspace(folders, practice, step, elsewhere), tables.making(provenance):
                    say(f"{folders.practice}: {step.title} ...")
                    inputs = _inputs(folders, step, held)
                    made = step.function(folders, practice, inputs)
                    written = {name: tables.conform(name, made[name]) for name in step.writes}
                    tables.write_all(folders.processed, written, provenance)
                    _hold(held, written)
                standing.look_again(step)
                ran.append(step.name)
        for step in later:
            if not standing.is_fresh(step):
                tables.remove(folders.processed, step.writes)
                standing.look_again(step)
    return ran


def _inputs(folders: Folders, step: Step, held: "dict[str, Source]") -> "dict[str, Source]":
    """The tables that a step reads; small ones come from memory, and are `held` there from now."""
    from analysis import engine, tables

    stored = {name: tables.stored(folders.processed, name) for name in step.reads}
    if not engine.are_small(stored):
        return dict(stored)
    for name in stored.keys() - held.keys():
        held[name] = tables.load(stored[name])
    return {name: held[name] for name in stored}


def _hold(held: "dict[str, Source]", written: "Mapping[str, Source]") -> None:
    """Have small tables that a step made in memory `held` there for the steps after it."""
    from analysis import engine

    in_memory = {name: made for name, made in written.items() if not isinstance(made, Path)}
    if engine.are_small(in_memory):
        held |= in_memory


@contextmanager
def as_if_sent(
    folders: Folders, sent: Mapping[str, bytes], statement: str, say: Say
) -> Iterator[Folders]:
    """The practice's tables through step `features`, had it the files `sent` (name -> content) too.

    They stand in a private folder, which is gone afterwards; the practice's own stay as they are.
    `statement` is added to what practice.toml says.
    """
    folder = folders.private / "as-if-sent"
    waiting = f"{folders.practice}: another run is scoring drafts; waiting until it is done"
    with turn(folders.private / ".drafts.lock", say, waiting):
        # Also after a failure or a kill: its tables are a patient's.
        shutil.rmtree(folder, ignore_errors=True)
        try:
            scratch = Folders(folder, folders.reports_dir, folders.practice)
            shutil.copytree(folders.raw, scratch.raw, copy_function=_copy)
            settings = scratch.raw / "practice.toml"
            said = settings.read_text(encoding="utf-8-sig") if settings.exists() else ""
            settings.write_text(said + statement, encoding="utf-8")
            for name, content in sent.items():
                (scratch.raw / name).parent.mkdir(exist_ok=True)
                (scratch.raw / name).write_bytes(content)
            scratch.private.mkdir(parents=True, mode=0o700)
            # The same patient must have the same pseudonym.
            shutil.copy(folders.private / "pseudonym.key", scratch.private)
            build(scratch, through="features", say=lambda _: None)
            yield scratch
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _copy(source: str, target: str) -> None:
    """Copy a file; one that cannot be read says nothing, so it may be missing."""
    path = Path(source)
    # A pipe would be waited for without end.
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError:
        return
    shutil.copyfile(source, target)


@contextmanager
def _cluster(folders: Folders, practice: Practice) -> Iterator["Cluster | None"]:
    """The Spark cluster that practice.toml names, for as long as the build takes."""
    if practice.spark_master is None or practice.engine != "spark":
        yield None
        return
    from analysis import spark

    _, spilled = _scratch(folders)
    try:
        with spark.cluster(practice.spark_master, spilled) as cluster:
            yield cluster
    finally:
        shutil.rmtree(spilled, ignore_errors=True)


@contextmanager
def _workspace(
    folders: Folders, practice: Practice, step: Step, cluster: "Cluster | None"
) -> Iterator[None]:
    """An empty folder for one step.

    Raises DataError, naming the step, when its memory or the disk is too small.
    """
    import duckdb

    from analysis import engine, tables

    work, _ = _scratch(folders)
    try:
        with engine.workspace(work / step.name, practice.memory_limit, cluster, tables.growing):
            yield
    except (duckdb.OutOfMemoryException, duckdb.IOException, MemoryError, OSError) as problem:
        if _is_full_disk(problem):
            raise DataError(
                f"{folders.practice}: the disk is full while {step.title}; free some space and"
                " start again. The steps before it are kept"
            ) from problem
        if isinstance(problem, (duckdb.IOException, OSError)):
            raise
        raise DataError(
            f"{folders.practice}: {step.title} needs more memory than memory_limit"
            f" ({practice.memory_limit}) leaves it; state a larger one in practice.toml. The steps"
            " before it are kept"
        ) from problem
    finally:
        # Also after a failure: its tables are a patient's.
        shutil.rmtree(work, ignore_errors=True)


# Full, too full for this user, or for a file of this size.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _is_full_disk(problem: Exception) -> bool:
    if isinstance(problem, OSError):
        return problem.errno in _FULL
    # DuckDB tells the system's error in words only, and running out of its share of the disk as
    # running out of memory.
    told = (*map(os.strerror, _FULL), "max_temp_directory_size")
    return any(words in str(problem) for words in told)


def _scratch(folders: Folders) -> tuple[Path, Path]:
    """Where a step, and Spark, keep what they do not hold in memory: gone once the step ends."""
    return folders.private / "work", folders.private / "spark"


def _clear_interrupted(folders: Folders, say: Say) -> None:
    """Remove what a killed build left, and name its step; nothing else leaves its folder behind."""
    work, spilled = _scratch(folders)
    for step in STEPS:
        if (work / step.name).exists():
            say(
                f"{folders.practice}: the last build was ended while {step.title}; the steps"
                " before it are kept"
            )
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(spilled, ignore_errors=True)


@dataclass(frozen=True)
class _Standing:
    """What a practice's tables are to be made from, and what stands there of them.

    `common` digests what every step depends on, `files` the raw files; `tables` has what each table
    keeps of its making.
    """

    folder: Path
    common: str
    files: str
    tables: dict[str, dict[str, str]]

    @classmethod
    def of(cls, folders: Folders) -> "_Standing":
        common = _digest([_code_digest(), _settings_digest(folders.raw)])
        standing = cls(folders.processed, common, _files_digest(folders.raw), {})
        for step in STEPS:
            standing.look_again(step)
        return standing

    def look_again(self, step: Step) -> None:
        """See anew what stands of a step's tables."""
        from analysis import tables

        self.tables.update({name: tables.provenance(self.folder, name) for name in step.writes})

    def key(self, step: Step) -> str:
        """A step's key, as the tables that it reads stand."""
        read = [self.tables[name].get("content", "") for name in step.reads]
        return _digest([self.common, step.name, *(read or [self.files])])

    def is_fresh(self, step: Step) -> bool:
        """Whether a step's tables were made from those that it reads, as they stand."""
        key = self.key(step)
        return all(self.tables[name].get("key") == key for name in step.writes)

    def misleads(self, step: Step) -> bool:
        """Whether some of a step's tables stand though they are not fresh."""
        return not self.is_fresh(step) and any(self.tables[name] for name in step.writes)


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


# What practice.toml says that no table depends on: the memory to use must not rebuild them.
_NOT_OF_TABLES = {"consent_to_publish", "engine", "spark_master", "memory_limit", "stories"}


def _settings_digest(raw: Path) -> str:
    stated = load_practice(raw).model_dump(mode="json", exclude=_NOT_OF_TABLES)
    return _digest([json.dumps(stated, sort_keys=True)])


def _files_digest(raw: Path) -> str:
    settings = raw / "practice.toml"
    parts = []
    for path in sorted(p for p in raw.rglob("*") if p.is_file() and p != settings):
        try:
            content = digests.of_file(path)
        except OSError:
            # Another program holds it, say: intake sets it aside, and reads it once it may.
            content = "closed"
        parts.append(f"{path.relative_to(raw).as_posix()} {content}")
    return _digest(parts)


# What no table depends on: an edit there must not rebuild a practice's tables.
_APART = {"cli.py", "reports", "release", "findings", "synthetic", "worklist", "__pycache__"}


@cache
def _code_digest() -> str:
    return _digest(sorted(_code_files(files("analysis"), "")))


def _code_files(folder: Traversable, place: str) -> list[str]:
    found = []
    for entry in folder.iterdir():
        if entry.name in _APART:
            continue
        here = f"{place}/{entry.name}"
        if entry.is_dir():
            found += _code_files(entry, here)
        else:
            found.append(f"{here} {hashlib.sha256(entry.read_bytes()).hexdigest()}")
    return found

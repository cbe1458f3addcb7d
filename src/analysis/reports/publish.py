"""Run the notebooks of a month with papermill and publish what they recorded, whole or not at all.

A month is staged in a hidden folder beside the published one, checked against its manifest and
renamed into place, so that an interrupted run leaves the earlier month as it was. A report that
would come out the same again is taken over from the published month without being run. The executed
notebooks, which may hold more than a report, stay in the private folder.
"""

import hashlib
import json
import platform
import re
import threading
import unicodedata
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import config, tables
from analysis.config import Folders, project_folder
from analysis.errors import DataError, UsageError, nearest, nearest_named
from analysis.reports import freshness, index, page, parameters, period, staging
from analysis.reports import tables as shown_tables
from analysis.reports.execution import Failed, Records, execute
from analysis.reports.page import Page
from analysis.reports.parameters import (
    MONTHLY,
    ON_REQUEST,
    PARAMETERS,
    InsurerParameters,
    Parameters,
)
from analysis.reports.watch import MINUTES, Limits, Watch
from analysis.turns import turn

if TYPE_CHECKING:
    import pyarrow as pa

FINDINGS = "findings.json"
_INSURERS = "insurers/"
# What the command itself decides; a notebook setting of that name would contradict it.
_OF_THE_COMMAND = {
    "practice": "name the practice after `outcomes report`",
    "month": "use --month",
    "data_dir": "use --data-dir",
    "reports_dir": "use --reports-dir",
}
_LIBRARIES = ("duckdb", "matplotlib", "nbconvert", "numpy", "pandas", "papermill", "pikepdf",
              "pyarrow", "scikit-learn", "scipy", "typst")  # fmt: skip


@dataclass(frozen=True)
class Report:
    """One run of one notebook: where it lies, its parameters, and where its page goes."""

    source: Path
    parameters: Parameters
    name: str
    """Path of the page within the month, without .html; names the report everywhere."""
    insurer: str = ""
    is_chosen_insurer: bool = False
    """The one insurer asked for: the reports on the others stay as they are."""

    @property
    def notebook(self) -> str:
        """The notebook's name."""
        return self.source.stem


@dataclass(frozen=True)
class Outcome:
    """What a run left: the month's folder, its reports that stand, the failed ones with reasons."""

    folder: Path
    published: tuple[str, ...]
    failures: Mapping[str, str]


def plan(
    folders: Folders,
    month: str | None,
    notebooks: Collection[str] | None,
    settings: Mapping[str, str],
    *,
    library: Path | None = None,
) -> list[Report]:
    """The reports to make, all checked before anything is run or written.

    `month` None or '' is the last complete one; `notebooks` None or empty is all of `library`
    (default: the project's notebooks). The insurer's notebook gives one report per insurer with
    at least minimum_cell_size claims up to the month, or the one insurer set.

    Raises UsageError for a wrong month, notebook, setting or insurer, with the nearest right one,
    and DataError when no report can be made.
    """
    library = library or project_folder() / "notebooks"
    chosen = _chosen(notebooks, library)
    _require_used(settings, chosen)
    given = {
        "practice": folders.practice,
        "month": str(period.covered(folders).month(month or "")),
        "data_dir": str(folders.data_dir.absolute()),
        "reports_dir": str(folders.reports_dir.absolute()),
    }
    reports = []
    for notebook in chosen:
        taken = {k: v for k, v in settings.items() if k in PARAMETERS[notebook].model_fields}
        parsed = parameters.parse(notebook, {**taken, **given})
        source = library.absolute() / f"{notebook}.ipynb"
        if isinstance(parsed, InsurerParameters):
            reports += _per_insurer(folders, source, parsed)
        else:
            reports.append(Report(source, parsed, notebook))
    if not reports:
        raise DataError(
            f"{folders.practice}: no insurer has as many claims as a report on it asks for; "
            "name one with `--set payer_id=...`"
        )
    return reports


def publish(
    folders: Folders,
    reports: list[Report],
    jobs: int,
    say: Callable[[str], None],
    *,
    with_pdf: bool = True,
    minutes: float = MINUTES,
) -> Outcome:
    """Run `reports`, `jobs` at a time, and publish their month; one line to `say` for each.

    Each is a page and, unless told otherwise, a PDF of the same content. A report whose notebook,
    parameters, tables and program are those of the published one is not run again. Each may take
    so many `minutes`, and its share of the practice's memory_limit.

    A failing report leaves the others alone: the month is published with those that finished and
    its index names the failed ones. Reports of that month which were not run now are kept, and so
    are the names of those that failed before. When none finished, what was published before stays
    untouched.
    """
    target = folders.reports / reports[0].parameters.month
    folders.reports.mkdir(parents=True, exist_ok=True)
    folders.private.mkdir(parents=True, exist_ok=True, mode=0o700)
    waiting = f"{folders.practice}: another run is writing its reports; waiting until it is done"
    # Whatever lies staged is a dead run's, since only one writes at a time.
    with turn(folders.private / ".publish.lock", say, waiting):
        staging.recover(folders.reports)
        basis = freshness.basis(folders, _program(), with_pdf=with_pdf)
        keys = {
            report.name: freshness.key(basis, report.source, report.parameters, report.insurer)
            for report in reports
        }
        unchanged = freshness.unchanged(target, keys)
        stale = [report for report in reports if report.name not in unchanged]
        if unchanged:
            say(f"{len(unchanged)} of {len(reports)} reports are unchanged and stay as they are")
        memory_limit = config.load_practice(folders.raw).memory_limit
        limits = Limits.shared(memory_limit, jobs, minutes)
        finished, failures = _run_all(folders, stale, jobs, limits, say)
        if finished or unchanged:
            month = _month(folders, reports, finished, failures, keys, with_pdf=with_pdf)
            failed = month.manifest["failures"]
            failures = {name: reason for name, reason in failed.items() if name in keys}
            if month.manifest["reports"] and not _stands(target, month.manifest):
                staging.replace(target, month.files, month.manifest)
            index.write_overview(folders.reports_dir)
    standing = (unchanged | finished.keys()) - failures.keys()
    return Outcome(target, tuple(sorted(standing)), failures)


def _stands(target: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether the month is published already, to the byte."""
    return freshness.published(target) == manifest and freshness.is_intact(
        target, manifest["files"]
    )


# ---- what to run --------------------------------------------------------------------------


def _chosen(notebooks: Collection[str] | None, library: Path) -> list[str]:
    there = [name for name in (*MONTHLY, *ON_REQUEST) if (library / f"{name}.ipynb").exists()]
    if not notebooks:
        return [name for name in there if name in MONTHLY]
    for name in notebooks:
        if name.removesuffix(".ipynb") not in there:
            raise UsageError(f"no notebook '{name}'; {nearest(name, there)}")
    wanted = {name.removesuffix(".ipynb") for name in notebooks}
    return [name for name in there if name in wanted]


def _require_used(settings: Mapping[str, str], notebooks: list[str]) -> None:
    """Refuse a setting that no chosen notebook takes, and one the command decides."""
    known = {field for name in notebooks for field in PARAMETERS[name].model_fields}
    for name in settings:
        if name in _OF_THE_COMMAND:
            raise UsageError(f"--set {name}: the command decides it; {_OF_THE_COMMAND[name]}")
        if name not in known:
            hint = nearest(name, sorted(known - set(_OF_THE_COMMAND)))
            raise UsageError(f"no parameter '{name}' in {', '.join(notebooks)}; {hint}")


def _per_insurer(folders: Folders, source: Path, given: InsurerParameters) -> list[Report]:
    names = _payer_names(tables.read(folders.processed, "payers"))
    counts = _claims_by_payer(folders, given.month)
    if given.payer_id and given.payer_id not in names:
        hint = nearest_named(given.payer_id, names)
        raise UsageError(f"payer_id: no insurer '{given.payer_id}' in the files; {hint}")
    chosen = (
        [given.payer_id]
        if given.payer_id
        else [payer for payer in names if counts.get(payer, 0) >= given.minimum_cell_size]
    )
    slugs = _slugs(names)
    return [
        Report(
            source,
            given.model_copy(update={"payer_id": payer}),
            f"{_INSURERS}{slugs[payer]}",
            insurer=names[payer],
            is_chosen_insurer=bool(given.payer_id),
        )
        for payer in chosen
    ]


def _payer_names(payers: "pa.Table") -> dict[str, str]:
    rows = payers.select(["payer_id", "payer_name"]).to_pylist()
    return {row["payer_id"]: row["payer_name"] for row in sorted(rows, key=lambda r: r["payer_id"])}


def _claims_by_payer(folders: Folders, month: str) -> dict[str, int]:
    """Claims first sent (or, where no submission is known, served) up to the month's end."""
    import pyarrow.compute as pc

    outcomes = tables.read(folders.processed, "claim_outcomes")
    sent = pc.coalesce(outcomes["submitted_date"], outcomes["service_date"])
    end = period.Month.parse(month).end
    payers = outcomes.filter(pc.less_equal(sent, end))["payer_id"]
    return {count["values"]: count["counts"] for count in pc.value_counts(payers).to_pylist()}


def _slugs(names: Mapping[str, str]) -> dict[str, str]:
    """A file name for each insurer, the same whichever insurers are reported.

    >>> _slugs({"00123": "Évergreen Health", "9": "שלום"})
    {'00123': 'evergreen-health-00123', '9': 'insurer-9'}
    """
    slugs = {
        payer: f"{_slug(name)[:40].strip('-') or 'insurer'}-{_slug(payer)[:20]}"
        for payer, name in names.items()
    }
    taken = list(slugs.values())
    return {
        # Two identifiers may differ in signs a file name cannot hold.
        payer: slug
        if taken.count(slug) == 1
        else f"{slug}-{hashlib.sha256(payer.encode()).hexdigest()[:8]}"
        for payer, slug in slugs.items()
    }


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


# ---- running ------------------------------------------------------------------------------


def _run_all(
    folders: Folders,
    reports: list[Report],
    jobs: int,
    limits: Limits,
    say: Callable[[str], None],
) -> tuple[dict[str, Records], dict[str, str]]:
    """The records of the reports that finished, and the reasons of those that did not."""
    if not reports:
        return {}, {}
    executed = folders.private / "notebooks" / reports[0].parameters.month
    finished: dict[str, Records] = {}
    failures: dict[str, str] = {}
    stopped = threading.Event()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        running = {
            pool.submit(
                execute,
                report.source,
                executed / f"{report.name}.ipynb",
                report.parameters,
                Watch(limits, stopped),
            ): report
            for report in reports
        }
        try:
            for n_done, future in enumerate(as_completed(running), start=1):
                name = running[future].name
                try:
                    finished[name] = future.result()
                    said = "done"
                except Failed as failure:
                    failures[name] = str(failure)
                    said = f"failed: {failure}"
                say(f"{n_done} of {len(reports)}: {name} {said}")
        except BaseException:
            # Leaving the pool waits for what runs: after Ctrl-C that ends, and nothing new starts.
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return finished, failures


# ---- what is published --------------------------------------------------------------------


@dataclass(frozen=True)
class _Month:
    """A month's folder: every file but the manifest, and the manifest."""

    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]


def _month(
    folders: Folders,
    reports: list[Report],
    finished: Mapping[str, Records],
    failures: Mapping[str, str],
    keys: Mapping[str, str],
    *,
    with_pdf: bool,
) -> _Month:
    practice = config.load_practice(folders.raw)
    month = reports[0].parameters.month
    inputs = {
        path.stem: staging.sha256(path.read_bytes())
        for path in sorted(folders.processed.glob("*.parquet"))
    }
    made = {
        "practice": folders.practice,
        "practice_name": practice.name or folders.practice,
        "made_up": practice.made_up,
        "month": month,
        "as_of": period.covered(folders).as_of.isoformat(),
        "inputs": inputs,
        "made_from": staging.sha256(staging.as_json(inputs)),
        "program": _program(),
    }
    gone = finished.keys() | failures.keys()
    kept = _kept(folders.reports / month, reports, gone)
    entries, findings, files = kept.entries, kept.findings, kept.files
    failed = {**kept.failures, **failures}
    for report in reports:
        if report.name in finished:
            try:
                published = _published(report, finished[report.name], made, with_pdf=with_pdf)
            except Exception as problem:
                # A page that cannot be made must not take the month with it.
                failed[report.name] = _unmade(problem)
                continue
            entries[report.name] = {**published.manifest, "key": keys[report.name]}
            files |= published.files
            findings += [{"report": report.name, **f} for f in finished[report.name].findings]
    manifest = {**made, "reports": entries, "failures": failed}
    findings.sort(key=lambda finding: (finding["report"], finding["id"]))
    files[FINDINGS] = staging.as_json(
        {key: made[key] for key in ("practice", "month", "as_of", "made_up")}
        | {"findings": findings}
    )
    files["index.html"] = index.month_page(manifest).encode()
    manifest["files"] = {name: staging.sha256(content) for name, content in files.items()}
    return _Month(files, manifest)


def _unmade(problem: Exception) -> str:
    """Why a report that ran has no page; only a refusal's text is free of values."""
    from analysis.reports import pdf

    if isinstance(problem, pdf.Refused):
        return f"a defect of ours: its PDF is refused ({problem})"
    return f"a defect of ours: its page could not be made ({type(problem).__name__})"


def _published(
    report: Report, records: Records, made: Mapping[str, Any], *, with_pdf: bool
) -> _Month:
    """One report's files, and its entry in the manifest."""
    from analysis.reports import pdf

    title = page.title_of(records.notebook)
    # An insurer's tables have the names of every other insurer's.
    folder = f"tables/{report.name}" if report.insurer else "tables"
    told = Page(
        title=title,
        insurer=report.insurer,
        practice_name=made["practice_name"],
        month=period.Month.parse(made["month"]).label,
        as_of=date.fromisoformat(made["as_of"]),
        is_made_up=made["made_up"],
        notebook=report.notebook,
        version=made["program"]["version"],
        made_from=made["made_from"],
        up="../" * report.name.count("/"),
        tables=folder,
        pdf=f"{Path(report.name).name}.pdf" if with_pdf else "",
    )
    files = {f"{report.name}.html": page.render(records.notebook, told).encode()}
    if with_pdf:
        files[f"{report.name}.pdf"] = pdf.render(records.notebook, told)
    captions = {}
    for table in records.tables:
        path = f"{folder}/{table['name']}"
        captions[f"{path}.csv"] = table["caption"]
        files[f"{path}.csv"] = shown_tables.csv_text(table).encode()
        files[f"{path}.schema.json"] = staging.as_json(shown_tables.schema(table))
    entry = {
        "title": title,
        "insurer": report.insurer,
        "notebook": report.notebook,
        "notebook_sha256": staging.sha256(report.source.read_bytes()),
        # Where the folders lie says nothing of the report, and tells of the machine.
        "parameters": report.parameters.model_dump(exclude={"data_dir", "reports_dir"}),
        "made_from": made["made_from"],
        "lead": records.findings[0]["sentence"] if records.findings else "",
        "tables": captions,
        "files": sorted(files),
    }
    return _Month(files, entry)


@dataclass(frozen=True)
class _Kept:
    """What stays of a month published before: reports with all they left, and earlier failures."""

    entries: dict[str, Any]
    findings: list[dict[str, Any]]
    files: dict[str, bytes]
    failures: dict[str, str]


def _kept(published: Path, reports: list[Report], gone: Collection[str]) -> _Kept:
    """The reports that are unchanged or were not asked for; `gone` are those run now."""
    earlier = freshness.published(published)
    names = {report.name for report in reports}
    # A run for all insurers leaves nothing of one that no longer has enough claims.
    is_for_all = any(report.insurer and not report.is_chosen_insurer for report in reports)

    def stays(name: str) -> bool:
        is_over = is_for_all and name.startswith(_INSURERS) and name not in names
        return name not in gone and not is_over

    entries = {name: entry for name, entry in earlier["reports"].items() if stays(name)}
    failures = {name: reason for name, reason in earlier["failures"].items() if stays(name)}
    if not entries:
        return _Kept({}, [], {}, failures)
    findings = json.loads((published / FINDINGS).read_text(encoding="utf-8"))["findings"]
    files = [name for entry in entries.values() for name in entry["files"]]
    return _Kept(
        entries,
        [finding for finding in findings if finding["report"] in entries],
        {name: (published / name).read_bytes() for name in files},
        failures,
    )


def _program() -> dict[str, Any]:
    """What made the reports."""
    return {
        "version": version("reimbursement-outcomes"),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }

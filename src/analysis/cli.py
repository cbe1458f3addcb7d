"""The `outcomes` command: what people type, and what it says back.

Heavy parts are imported inside the commands, so that `outcomes --help` answers at once.
"""

import gc
import os
import sys
import traceback
from collections import Counter
from datetime import date
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.config import Folders, load_practice, project_folder
from analysis.errors import ExitCode, OutcomesError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.release.publishing import Released

app = typer.Typer(
    name="outcomes",
    help="Why insurers pay or refuse medical massage, from your own claims.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

PracticeName = Annotated[str, typer.Argument(metavar="PRACTICE", help="Folder under data/raw.")]
DataDir = Annotated[
    Path | None, typer.Option(help="Where raw/ and processed/ lie. Default: the project's data/.")
]
ReportsDir = Annotated[
    Path | None, typer.Option(help="Where reports go. Default: the project's reports/.")
]
MergeBelow = Annotated[
    int | None,
    typer.Option(min=0, help="Insurers and conditions of fewer claims become 'other'."),
]
Uncrossed = Annotated[
    bool,
    typer.Option("--uncrossed", help="Tell insurers, conditions and quarters one by one."),
]


def _folders(practice: str, data_dir: Path | None, reports_dir: Path | None) -> Folders:
    return Folders(
        data_dir=(data_dir or project_folder() / "data").absolute(),
        reports_dir=(reports_dir or project_folder() / "reports").absolute(),
        practice=practice,
    )


@app.command()
def synthesize(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new practice.")],
    claims: Annotated[int, typer.Option(min=1, help="How many claims.")] = 5000,
    months: Annotated[int, typer.Option(min=1, max=120, help="How many months.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    data_dir: DataDir = None,
    reports_dir: ReportsDir = None,  # noqa: ARG001 - every command takes both folders
) -> None:
    """Write a made-up practice's raw files, and the truth apart from them."""
    from analysis import synthetic

    made = synthetic.synthesize(
        name,
        data_dir=(data_dir or project_folder() / "data").absolute(),
        n_claims=claims,
        n_months=months,
        seed=seed,
    )
    typer.echo(f"{name}: {made.n_claims} made-up claims in {made.n_files} files")


@app.command()
def init(practice: PracticeName, data_dir: DataDir = None, reports_dir: ReportsDir = None) -> None:
    """Start a practice: a commented practice.toml and templates for the records you keep."""
    from analysis.intake import starter
    from analysis.worklist import drafts

    folders = _folders(practice, data_dir, reports_dir)
    written = starter.init(practice, folders.data_dir, drafts.COLUMNS)
    typer.echo(f"{practice}: {len(written)} files written to {folders.raw}")
    typer.echo(f"A sheet for claims still to be sent: {drafts.sheet_to_fill_in(folders.private)}")
    typer.echo("Next: put your 835 and 837 files there, then run")
    typer.echo(f"  outcomes check {practice}")


class _WithoutPandas(MetaPathFinder):
    """Makes pandas look as if it were not installed, for the rest of the process."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:  # noqa: ARG002
        """Refuse pandas; leave everything else to the finders that follow."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


@app.command()
def check(practice: PracticeName, data_dir: DataDir = None, reports_dir: ReportsDir = None) -> None:
    """Read practice.toml and the raw files, and say what would be set aside. Writes nothing."""
    import secrets

    # pyarrow would import pandas with its first array: time that reading has no use for.
    sys.meta_path.insert(0, _WithoutPandas())
    from analysis import tables
    from analysis.intake import folder, pseudonymize

    folders = _folders(practice, data_dir, reports_dir)
    stated = load_practice(folders.require_raw())
    throwaway = pseudonymize.Pseudonyms(secrets.token_bytes(32))
    read = folder.read_folder(folders.raw, stated, throwaway)
    if not (folders.raw / "practice.toml").exists():
        typer.echo(f"{practice}: no practice.toml; insurers' kinds are taken from the claims alone")
    raise typer.Exit(_say_ledger(practice, tables.load(read["row_ledger"])))


def _say_ledger(practice: str, ledger: "pa.Table") -> ExitCode:
    """Say what was accepted and what was set aside, and why; INCOMPLETE when anything was."""
    dispositions = Counter(ledger["disposition"].to_pylist())
    skipped = dispositions["skipped"]
    typer.echo(
        f"{practice}: {dispositions['accepted']} records accepted, "
        f"{dispositions['duplicate']} met twice, {dispositions['quarantined']} set aside"
        + (f", {skipped} telling of no visit" if skipped else "")
    )
    for row in ledger.select(["record", "reason", "disposition"]).to_pylist():
        # How an export was understood: a guess that the practice can check.
        if row["record"] == "file" and row["disposition"] == "accepted" and row["reason"]:
            typer.echo(f"  {row['reason']}")
    if not dispositions["quarantined"]:
        return ExitCode.DONE
    reasons = Counter(
        row["reason"]
        for row in ledger.select(["reason", "disposition"]).to_pylist()
        if row["disposition"] == "quarantined"
    )
    for reason, n_records in reasons.most_common(20):
        typer.echo(f"  {reason}" + (f" ({n_records} records)" if n_records > 1 else ""))
    if len(reasons) > 20:
        typer.echo(f"  ... and {len(reasons) - 20} more reasons, all in the quarantine file")
    return ExitCode.INCOMPLETE


@app.command()
def build(practice: PracticeName, data_dir: DataDir = None, reports_dir: ReportsDir = None) -> None:
    """Turn raw files into the processed tables and the fitted approval model."""
    from analysis import pipeline, tables

    folders = _folders(practice, data_dir, reports_dir)
    # How the model does on later claims costs more than all else; the reports that tell it ask.
    if not pipeline.build(folders, through="model", say=typer.echo):
        typer.echo(f"{practice}: nothing changed since the last build")
    code = _say_ledger(practice, tables.read(folders.processed, "row_ledger"))
    if code:
        typer.echo(f"The same list, for a spreadsheet: {folders.private / 'quarantine.csv'}")
    raise typer.Exit(code)


@app.command()
def report(
    practice: PracticeName,
    month: Annotated[
        str | None, typer.Option(help="YYYY-MM. Default: the last complete month.")
    ] = None,
    notebook: Annotated[
        list[str] | None, typer.Option(help="Only this notebook; may be given several times.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A notebook parameter.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Reports made at the same time.")] = 2,
    minutes: Annotated[
        float, typer.Option(min=0.01, help="What one report may take before it is ended.")
    ] = 20,
    no_pdf: Annotated[bool, typer.Option("--no-pdf", help="Web pages only.")] = False,
    data_dir: DataDir = None,
    reports_dir: ReportsDir = None,
) -> None:
    """Publish a month's reports as web pages and PDFs."""
    from analysis import pipeline
    from analysis.reports import publish

    folders = _folders(practice, data_dir, reports_dir)
    folders.require_raw()
    chosen = _settings(settings or [])
    pipeline.build(folders, say=typer.echo)
    planned = publish.plan(folders, month, notebook or [], chosen)
    outcome = publish.publish(
        folders, planned, jobs, typer.echo, with_pdf=not no_pdf, minutes=minutes
    )
    for name, reason in outcome.failures.items():
        typer.echo(f"{practice}: {name} could not be made: {reason}")
    typer.echo(f"Open {folders.reports_dir / 'index.html'}")
    if outcome.failures:
        typer.echo("The same command makes only what could not be made this time")
        raise typer.Exit(ExitCode.INCOMPLETE)


def _settings(pairs: list[str]) -> dict[str, str]:
    chosen = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key.strip():
            raise UsageError(
                f"--set {pair}: write it as KEY=VALUE, for example minimum_cell_size=11"
            )
        chosen[key.strip()] = value.strip()
    return chosen


@app.command()
def worklist(
    practice: PracticeName,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="Count days left from this day. Default: today."),
    ] = None,
    drafts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Score claims still to be sent: a sheet, or an 837P."),
    ] = None,
    data_dir: DataDir = None,
    reports_dir: ReportsDir = None,
) -> None:
    """List what to appeal, correct or complete, by deadline. Private: it names claims."""
    from analysis import pipeline
    from analysis.worklist import files

    folders = _folders(practice, data_dir, reports_dir)
    folders.require_raw()
    today = _day("--as-of", as_of) if as_of else date.today()
    if drafts is not None:
        raise typer.Exit(_score(folders, drafts, today))
    pipeline.build(folders, through="actions", say=typer.echo)
    written = files.write(folders, today)
    typer.echo(f"{practice}: {written.in_words(today)}")
    typer.echo(f"Open {written.workbook}")


def _score(folders: Folders, file: Path, today: date) -> ExitCode:
    """Score the drafts in a file; where there is no such file, an empty sheet to fill in."""
    from analysis import pipeline, tables
    from analysis.worklist import drafts, scoring

    if not file.is_file():
        raise UsageError(
            f"{file}: there is no such file. A sheet of drafts to fill in, one row for each claim"
            f" still to be sent, is {drafts.sheet_to_fill_in(folders.private)}"
        )
    pipeline.build(folders, through="model", say=typer.echo)
    payers = tables.read(folders.processed, "payers").to_pylist()
    numbers = tables.read(folders.processed, "claims")["patient_control_number"].to_pylist()
    read = drafts.read(
        file.read_bytes(),
        {row["payer_id"]: row["payer_name"] for row in payers},
        {number for number in numbers if number},
        today,
    )
    with pipeline.as_if_sent(folders, read.files, read.statement, typer.echo) as tried:
        scored = scoring.score(folders, tried, read)
    typer.echo(f"{folders.practice}: {scored.in_words()}")
    typer.echo(f"Open {scored.workbook}")
    return ExitCode.INCOMPLETE if scored.set_aside or scored.notes else ExitCode.DONE


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: write the day as YYYY-MM-DD") from None


@app.command()
def release(
    practices: Annotated[
        list[str], typer.Argument(metavar="PRACTICE...", help="Folders under data/raw.")
    ],
    to: Annotated[Path, typer.Option(metavar="DIR", help="The folder to publish.")],
    month: Annotated[
        str | None, typer.Option(help="YYYY-MM, the last one counted. Default: the last complete.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from", help="YYYY-MM, the first one counted. Default: after the last release's."
        ),
    ] = None,
    merge_below: MergeBelow = None,
    uncrossed: Uncrossed = False,
    corrects: Annotated[
        int, typer.Option(min=0, help="The release that this one replaces; give a --reason.")
    ] = 0,
    retracts: Annotated[
        int, typer.Option(min=0, help="Publish nothing: retract this release; give a --reason.")
    ] = 0,
    reason: Annotated[str, typer.Option(help="Why a release is corrected or retracted.")] = "",
    data_dir: DataDir = None,
    reports_dir: ReportsDir = None,
) -> None:
    """Publish counts and findings that identify nobody; refused (exit 4) when they would."""
    from analysis import pipeline
    from analysis.release import publishing

    if bool(corrects or retracts) != bool(reason):
        raise UsageError("--corrects and --retracts take a --reason, and nothing else does")
    chosen = [_folders(practice, data_dir, reports_dir) for practice in practices]
    if retracts:
        publishing.retract(chosen, retracts, reason, to)
        typer.echo(f"release {retracts} is retracted; publish {to / 'ledger.jsonl'}")
        return
    for folders in chosen:
        pipeline.build(folders, through="outcomes", say=typer.echo)
    asked = publishing.Asked(
        chosen,
        month or "",
        to,
        merge_below,
        corrects,
        reason,
        since=since or "",
        is_crossed=not uncrossed,
    )
    done = publishing.release(asked, typer.echo)
    _tell(done)


def _tell(done: "Released") -> None:
    again = ", the same as before" if done.is_again else ""
    typer.echo(f"Release {done.number}{again}: {done.folder / 'public_findings.html'}")
    typer.echo("Make these known apart from the folder, so that a changed one is found out:")
    typer.echo(f"  release {done.release_id}")
    typer.echo(f"  ledger  {done.ledger_head}")


@app.command()
def contribute(
    practice: PracticeName,
    to: Annotated[Path, typer.Option(metavar="FILE", help="The file to give to a pool.")],
    month: Annotated[
        str | None, typer.Option(help="YYYY-MM, the last one counted. Default: the last complete.")
    ] = None,
    merge_below: MergeBelow = None,
    uncrossed: Uncrossed = False,
    named: Annotated[
        bool, typer.Option("--named", help="Write the practice's name into it.")
    ] = False,
    data_dir: DataDir = None,
    reports_dir: ReportsDir = None,
) -> None:
    """Write what the practice gives to a pool of practices: counts that identify nobody."""
    from analysis import pipeline
    from analysis.release import contribution
    from analysis.release.publishing import Asked

    folders = _folders(practice, data_dir, reports_dir)
    folders.require_raw()
    pipeline.build(folders, through="outcomes", say=typer.echo)
    asked = Asked([folders], month or "", to, merge_below, is_crossed=not uncrossed)
    done = contribution.contribute(asked, typer.echo, is_named=named)
    typer.echo(f"Contribution {done.contributor}, {done.first} to {done.last}: {to}")
    typer.echo(f"Tell the pool this apart from the file: {done.checksum}")


@app.command()
def pool(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Contributions.")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="The folder to publish.")],
    merge_below: MergeBelow = None,
    uncrossed: Uncrossed = False,
    data_dir: DataDir = None,
    reports_dir: ReportsDir = None,
) -> None:
    """Merge practices' contributions into one public release; refused (exit 4) when it tells."""
    from analysis.release import pooling

    home = _folders(pooling.HOME, data_dir, reports_dir)
    done = pooling.pool(files, to, home, typer.echo, merge_below, is_crossed=not uncrossed)
    _tell(done)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A release.")],
    data_dir: DataDir = None,  # noqa: ARG001 - every command takes both folders
    reports_dir: ReportsDir = None,  # noqa: ARG001
) -> None:
    """Recompute a release from its tables and check it, offline; exit 4 when it does not hold."""
    from analysis.release import verify as check

    raise typer.Exit(check.main([str(folder)]))


@app.command()
def codes(practice: PracticeName, data_dir: DataDir = None, reports_dir: ReportsDir = None) -> None:
    """List the codes nobody has mapped yet, most frequent first."""
    from analysis import pipeline, tables

    folders = _folders(practice, data_dir, reports_dir)
    pipeline.build(folders, through="lineage", say=typer.echo)
    unmapped = tables.read(folders.processed, "unmapped_codes").to_pylist()
    if not unmapped:
        typer.echo(f"{practice}: every code is mapped")
    for row in unmapped:
        typer.echo(f"{row['n_records']:>8}  {row['code_system']}  {row['code']}")


@app.command()
def explore() -> None:
    """Open JupyterLab on the notebooks."""
    import os
    import subprocess

    notebooks = project_folder() / "notebooks"
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={notebooks}"]
    # Nothing is sent anywhere: this configuration asks for no news and no newer version.
    paths = [str(Path(__file__).parent / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    environment = {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}
    ended = subprocess.run(command, env=environment, check=False)  # noqa: S603 - our own words
    raise typer.Exit(ended.returncode)


# What typer makes of Ctrl-C.
_STOPPED = 130


def main() -> None:
    """Run the command line; an error the user can act on is one sentence and an exit code."""
    # Imports and columns hardly leave cycles behind: to look for them often takes a twentieth of
    # a build.
    gc.set_threshold(50_000, 20, 50)
    # Matrices are small here: a second thread would only wait for the first, at full speed.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        app(standalone_mode=True)
    except OutcomesError as problem:
        typer.echo(f"outcomes: {problem}", err=True)
        sys.exit(problem.exit_code)
    except SystemExit as end:
        if end.code == _STOPPED:
            typer.echo("outcomes: stopped; what was published before is as it was", err=True)
        raise
    except Exception:
        # A defect of ours. The last frames tell where; values could be a patient's.
        kind, _, trace = sys.exc_info()
        frames = traceback.extract_tb(trace)[-3:]
        place = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
        name = kind.__name__ if kind else "error"
        typer.echo(f"outcomes: a defect of ours ({name} at {place}); please report it", err=True)
        sys.exit(ExitCode.DEFECT)

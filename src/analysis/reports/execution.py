"""Run one notebook in a fresh kernel, and harvest what its Book recorded."""

import logging
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis import errors
from analysis.reports import book
from analysis.reports.parameters import Parameters
from analysis.reports.watch import Watch

# Checks addresses in other scripts, for which no notebook has a place, and takes longer to import
# than all that runs a notebook; who would use it does without where it is not installed.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
# What a library says of a failure is for its authors; ours is the reason given below.
logging.getLogger("papermill").addHandler(logging.NullHandler())


class Failed(Exception):  # noqa: N818 - what happened to a report, not a fault of the runner
    """A report that could not be made; its text is a plain reason without any value."""


@dataclass
class Records:
    """What one executed notebook recorded, in its order."""

    notebook: Any
    books: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)


def execute(
    source: Path,
    target: Path,
    given: Parameters,
    watch: Watch,
    tries: int = 2,
) -> Records:
    """The records of notebook `source` run with `given`; the executed one goes to `target`.

    The watch ends its kernel at a limit. Raises Failed with a reason that can be shown. The
    executed notebook is kept then too, with the traceback, for whoever mends the notebook.
    """
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.parent.chmod(0o700)
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    with tempfile.TemporaryDirectory() as ipython_dir:
        try:
            notebook = execute_notebook(  # type: ignore[no-untyped-call]
                _literal(source),
                _literal(target),
                parameters=given.model_dump(),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                kernel_manager_class=watch.kernel_manager(),
                # papermill's own `cwd` changes the folder of the whole process, all threads.
                resources={"metadata": {"path": str(source.parent)}},
                # The user's own start-up files and history are no part of a report.
                extra_arguments=[
                    f"--IPKernelApp.ipython_dir={ipython_dir}",
                    "--HistoryManager.enabled=False",
                    # Notices about the kernel's transport are not for readers of progress lines.
                    "--IPKernelApp.log_level=ERROR",
                ],
                shutdown_kernel="immediate",
            )
        except PapermillExecutionError as problem:
            raise Failed(_reason(problem.ename, problem.evalue)) from problem
        except RuntimeError as problem:
            # nbclient's DeadKernelError is one too. Kernels that start at the same moment may be
            # given one port; the second start gets another.
            if tries > 1 and not watch.reason:
                return execute(source, target, given, watch, tries - 1)
            died = "its kernel died, often for want of memory; try `--jobs 1`"
            raise Failed(watch.reason or died) from problem
        except Exception as problem:
            # A notebook that cannot even be read must not take the other reports with it.
            defect = f"a defect of ours ({type(problem).__name__})"
            raise Failed(watch.reason or defect) from problem
    return _checked(harvest(notebook), given)


def _checked(records: Records, given: Parameters) -> Records:
    """The records, if the notebook's Book was opened with the parameters it was given.

    A notebook that does not hand one on would pass for another insurer's or month's report.
    """
    opened = {key: value for book in records.books for key, value in book.items()}
    astray = [key for key, value in given.model_dump().items() if opened.get(key) != value]
    if astray:
        raise Failed(f"a defect of ours: its notebook does not use {', '.join(astray)}")
    return records


def harvest(notebook: Any) -> Records:
    """What the cells' Book recorded, in its order; anything else a cell printed is left out."""
    records = Records(notebook)
    kept = {
        book.OPENED: records.books,
        book.FINDING: records.findings,
        book.TABLE: records.tables,
        book.FIGURE: records.figures,
    }
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for media_type, of_kind in kept.items():
                if media_type in output.get("data", {}):
                    of_kind.append(output["data"][media_type])
    return records


def _literal(path: Path) -> str:
    """A path as papermill takes it: it fills in `{name}` like a template."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _reason(error_name: str, text: str) -> str:
    """Why a cell stopped: the message of an error meant for users, else only its kind.

    Any other error's text may quote a patient's value.
    """
    of_ours = getattr(errors, error_name, None)
    if isinstance(of_ours, type) and issubclass(of_ours, errors.OutcomesError):
        return text
    return f"a defect of ours ({error_name}); the traceback is in its executed notebook"

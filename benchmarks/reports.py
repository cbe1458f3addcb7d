"""One report on each insurer, HTML and PDF, against the same figures in plain Python.

The floor is, for each report, a process of its own that runs the code of the notebook's cells as a
plain script: the imports, the tables, the findings and the figures, without Jupyter and without a
page. Above it lie kernels, messages, templates and fonts. The tables are built before. Sixteen of
the insurers are the made-up practice's own, with its claim files; four more come from an export.
"""

import csv
import sys
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from shutil import rmtree

from benchmarks.measuring import Cost, Row, Size, at_most, in_turn, python, run

_CLAIMS, _MONTHS = 3_000, 24
_MORE = ("Alder Mutual", "Birch Health Plan", "Cedar Benefit Fund", "Dogwood Insurance")
_CLAIMS_EACH = 120
_HEADER = ("claim", "patient", "visit", "sent", "answered", "insurer", "code", "diagnosis",
           "charge", "paid", "outcome", "reason")  # fmt: skip
_EXPORT = """
[[exports]]
file = "more.csv"
[exports.columns]
patient_control_number = "claim"
patient = "patient"
service_date = "visit"
submitted_date = "sent"
payment_date = "answered"
payer_name = "insurer"
procedure_code = "code"
diagnoses = "diagnosis"
charge = "charge"
paid = "paid"
outcome = "outcome"
reason_code = "reason"
[exports.outcome_words]
approved = ["paid"]
denied = ["denied"]
"""
_NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "08_insurer_scorecard.ipynb"
# What a cell displays goes nowhere, so that nothing of Jupyter is imported.
_FLOOR = """
import json, sys, types
silent = types.ModuleType("IPython.display")
silent.display = lambda *_, **__: None
# matplotlib leaves out what it does for an IPython where there is only this part of one.
sys.modules["IPython.display"] = silent
sys.modules["IPython"] = None
notebook, data_dir, payer_id = sys.argv[1:]
cells = [cell for cell in json.load(open(notebook))["cells"] if cell["cell_type"] == "code"]
names = {}
for cell in cells:
    exec("".join(cell["source"]), names)
    if "parameters" in cell["metadata"].get("tags", ()):
        names |= {"practice": "bench", "data_dir": data_dir, "payer_id": payer_id}
        names |= {"minimum_cell_size": 1}
"""


def measure(size: Size) -> list[Row]:
    """The reports of every insurer of a made-up practice, two at a time; processor time each."""
    repetitions = {"small": 3, "full": 7}[size]
    with tempfile.TemporaryDirectory() as place:
        data = Path(place)
        options = ["--claims", str(_CLAIMS), "--months", str(_MONTHS)]
        _outcomes(data, "synthesize", "bench", *options)
        _add_insurers(data / "raw" / "bench")
        _outcomes(data, "build", "bench")
        payers = _payers(data)
        measures: list[Callable[[], Cost]] = [
            partial(_floor, data, payers),
            partial(_reports, data, "--no-pdf"),
            partial(_reports, data),
        ]
        costs = in_turn(repetitions, *measures)
    floors = [floor.cpu_seconds for floor, _, _ in costs]
    against = "the cells in plain Python"
    what = f"{len(payers)} reports on insurers, HTML"
    return [
        at_most(1.3, what, against, _ratios(floors, [html.cpu_seconds for _, html, _ in costs])),
        at_most(
            1.75,
            f"{what} and PDF",
            against,
            _ratios(floors, [both.cpu_seconds for _, _, both in costs]),
        ),
    ]


def _ratios(floors: list[float], costs: list[float]) -> list[float]:
    return [cost / floor for floor, cost in zip(floors, costs, strict=True)]


def _payers(data: Path) -> list[str]:
    """The insurers that a report is made on: those with a claim."""
    from analysis import tables

    outcomes = tables.read(data / "processed" / "bench", "claim_outcomes")
    return sorted(filter(None, set(outcomes["payer_id"].to_pylist())))


def _add_insurers(raw: Path) -> None:
    """Export rows of the insurers that a made-up practice lacks to have twenty."""
    with (raw / "practice.toml").open("a", encoding="utf-8") as stated:
        stated.write(_EXPORT)
    with (raw / "more.csv").open("w", encoding="utf-8", newline="") as file:
        written = csv.writer(file)
        written.writerow(_HEADER)
        for insurer in _MORE:
            for n in range(_CLAIMS_EACH):
                visit = date(2026, 6, 30) - timedelta(days=4 * n)
                days = [visit + timedelta(days=later) for later in (0, 2, 20)]
                is_denied = n % 6 == 0
                told = ("0.00", "denied", "197") if is_denied else ("55.00", "paid", "")
                about = (f"{insurer[0]}{n}", f"{insurer[0]}P{n // 6}", *map(str, days), insurer)
                written.writerow((*about, "97124", ("M54.50", "M54.2")[n % 2], "90.00", *told))


def _floor(data: Path, payers: list[str]) -> Cost:
    """The floor of all reports together."""
    each = [python(_FLOOR, _NOTEBOOK, data, payer) for payer in payers]
    return Cost(
        sum(cost.cpu_seconds for cost in each),
        sum(cost.wall_seconds for cost in each),
        max(cost.peak_bytes for cost in each),
    )


def _reports(data: Path, *options: str) -> Cost:
    rmtree(data / "reports", ignore_errors=True)
    chosen = ["--notebook", _NOTEBOOK.stem, "--set", "minimum_cell_size=1"]
    return _outcomes(data, "report", "bench", *chosen, *options)


def _outcomes(data: Path, command: str, *options: str) -> Cost:
    folders = ["--data-dir", str(data), "--reports-dir", str(data / "reports")]
    return run([sys.executable, "-m", "analysis", command, *options, *folders])

"""The index pages: one for each month, and one over all practices and months."""

import csv
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.reports import definitions
from analysis.reports.page import TEMPLATES
from analysis.reports.period import Month, in_words

if TYPE_CHECKING:
    from jinja2 import Environment

# What a practice opens first: what happened, and what to do.
_FIRST = "07_practice_month"
# What the overview tells of a month, where a report of that month says it.
_ALL_TO_DATE = "claim_outcomes.first_approval"
_OF_THE_MONTH = "practice_month.change"
_DEADLINES = "tables/deadlines.csv"


def month_page(manifest: Mapping[str, Any]) -> str:
    """The index of one month, from its manifest."""
    reports = sorted(manifest["reports"].items(), key=lambda item: (item[0] != _FIRST, item[0]))
    captions = [
        (path, caption, report["insurer"])
        for _, report in reports
        for path, caption in report["tables"].items()
    ]
    return _environment().get_template("month.html.j2").render(
        {
            **manifest,
            "month": Month.parse(manifest["month"]).label,
            "as_of": in_words(date.fromisoformat(manifest["as_of"])),
            "version": manifest["program"]["version"],
            "questions": [(name, report) for name, report in reports if not report["insurer"]],
            "insurers": [(name, report) for name, report in reports if report["insurer"]],
            "tables": captions,
        }
    )  # fmt: skip


def write_overview(reports_dir: Path) -> None:
    """Write `reports_dir/index.html` over every published month, newest first; atomically."""
    practices: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(reports_dir.glob("[!.]*/[!.]*/manifest.json"), reverse=True):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        practices.setdefault(manifest["practice"], []).append(_told(path.parent, manifest))
    page = _environment().get_template("overview.html.j2").render(
        practices=[months for _, months in sorted(practices.items())]
    )  # fmt: skip
    staged = reports_dir / ".index.html.part"
    staged.write_text(page, encoding="utf-8")
    staged.replace(reports_dir / "index.html")


def _told(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the overview says of one published month."""
    found = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["findings"]
    findings = {finding["id"]: finding for finding in found}
    change = findings.get(_OF_THE_MONTH, {}).get("values", {})
    reports = sorted(manifest["reports"].items(), key=lambda item: (item[0] != _FIRST, item[0]))
    return {
        **manifest,
        "label": Month.parse(manifest["month"]).label,
        "as_of": in_words(date.fromisoformat(manifest["as_of"])),
        "path": f"{manifest['practice']}/{manifest['month']}",
        "reports": reports,
        "to_date": _rate(findings.get(_ALL_TO_DATE)),
        "of_the_month": _rate(findings.get(_OF_THE_MONTH)),
        "change": _change(change),
        "n_due": _due(folder) if _FIRST in manifest["reports"] else None,
    }


def _rate(finding: Mapping[str, Any] | None) -> str:
    """A finding's rate with its range and n; '' where it states none."""
    from analysis.findings.finding import written

    if not finding or finding.get("estimate") is None:
        return ""
    lower, upper = (written(finding[bound], "whole") for bound in ("lower", "upper"))
    n = written(finding["denominator"], "n claim")
    return f"{written(finding['estimate'], 'percent')} ({lower} to {upper}%), {n}"


def _change(values: Mapping[str, Any]) -> str:
    """Whether the month differs from the year before by more than chance; '' where not told."""
    if "gap_lower" not in values:
        return ""
    if values["gap_lower"] > 0:
        return "higher"
    return "lower" if values["gap_upper"] < 0 else "no news: chance explains it"


def _due(folder: Path) -> int:
    """Claims with a deadline in the two weeks after the day the answers were read."""
    path = folder / _DEADLINES
    if not path.exists():
        return 0
    with path.open(encoding="utf-8", newline="") as file:
        return sum(int(row["n"]) for row in csv.DictReader(file))


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(TEMPLATES / "report"), autoescape=True)
    environment.globals["definitions"] = definitions
    return environment

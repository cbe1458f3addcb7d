"""The index pages: one for each month, and one over all practices and months."""

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
        practices.setdefault(manifest["practice"], []).append(manifest)
    page = _environment().get_template("overview.html.j2").render(
        practices=[_practice(months) for _, months in sorted(practices.items())]
    )  # fmt: skip
    staged = reports_dir / ".index.html.part"
    staged.write_text(page, encoding="utf-8")
    staged.replace(reports_dir / "index.html")


def _practice(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    latest = manifests[0]
    return {
        "name": latest["practice_name"],
        "made_up": latest["made_up"],
        "months": [
            {
                "label": Month.parse(manifest["month"]).label,
                "path": f"{manifest['practice']}/{manifest['month']}/index.html",
                "n_failures": len(manifest["failures"]),
            }
            for manifest in manifests
        ],
    }


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(TEMPLATES / "report"), autoescape=True)
    environment.globals["definitions"] = definitions
    return environment

"""The overview tells every practice and month at a glance, from what was published."""

import json
from pathlib import Path

import pytest

from analysis.reports import index

REPORT = {"title": "What is there to do?", "insurer": "", "made_from": "a" * 64}


def published(root: Path, practice: str, month: str, *findings: dict, due: str = "", **given):
    folder = root / practice / month
    (folder / "tables").mkdir(parents=True)
    manifest = {
        "practice": practice,
        "practice_name": f"{practice} <b>",
        "made_up": False,
        "month": month,
        "as_of": "2026-04-15",
        "made_from": "a" * 64,
        "program": {"version": "1.0"},
        "reports": {"07_practice_month": REPORT},
        "failures": {},
    }
    (folder / "manifest.json").write_text(json.dumps({**manifest, **given}), encoding="utf-8")
    (folder / "findings.json").write_text(json.dumps({"findings": findings}), encoding="utf-8")
    if due:
        (folder / "tables" / "deadlines.csv").write_text(due, encoding="utf-8")


def rate(finding_id: str, **values) -> dict:
    bounds = {"estimate": 0.714, "lower": 0.64, "upper": 0.77, "denominator": 182}
    return {"id": finding_id, **bounds, "values": values}


@pytest.fixture
def overview(tmp_path: Path) -> str:
    published(
        tmp_path, "river", "2026-03",
        rate("practice_month.change", gap_lower=-0.2, gap_upper=-0.01),
        due="what,n\nappeal,4\ncorrect,3\n",
        failures={"03_denial_reasons": "too few claims"},
    )  # fmt: skip
    published(tmp_path, "river", "2026-02", {**rate("practice_month.change"), "estimate": None})
    published(tmp_path, "hill", "2026-01", rate("claim_outcomes.first_approval"), reports={})
    index.write_overview(tmp_path)
    return (tmp_path / "index.html").read_text(encoding="utf-8")


def row(page: str, month: str) -> str:
    return page[page.index(f">{month}</a></th>") :].split("</tr>")[0]


def test_a_month_tells_its_rate_with_range_and_n_its_change_and_what_falls_due(overview):
    march = row(overview, "March 2026")
    assert "71% (64 to 77%), 182 claims" in march
    assert ">lower<" in march
    assert ">7</td>" in march
    assert "1 could not be made" in march


def test_what_no_report_states_is_not_told_as_a_number(overview):
    february = row(overview, "February 2026")
    assert "71%" not in february
    assert ">0</td>" in february, "the month's report was made, and no deadline falls due"
    january = row(overview, "January 2026")
    assert "71% (64 to 77%), 182 claims" in january
    assert ">0</td>" not in january, "without that report nobody knows what falls due"


def test_the_newest_month_stands_first_and_names_are_text(overview):
    assert overview.index("March 2026") < overview.index("February 2026")
    assert "<b>" not in overview
    assert 'href="river/2026-03/manifest.json"' in overview
    assert "too few claims" in overview

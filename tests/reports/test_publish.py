"""A month of reports: what is planned, what is published, and what a failure leaves alone."""

import csv
import hashlib
import io
import itertools
import json
import re
import stat
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from analysis.config import Folders
from analysis.errors import DataError, UsageError
from analysis.reports import publish
from analysis.reports.publish import Outcome
from reports.made_practice import DRAW, HOSTILE, SAY, SHOW, STRAY, make_practice, write_notebook

# In one process, so that the reports are published once.
pytestmark = pytest.mark.xdist_group("publish")

BREAK = 'raise KeyError("DOE^JANE")'
REFUSE = 'from analysis.errors import DataError\nraise DataError("too few claims; send more")'
PAYER = 'payer_id: str = ""\n'


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder, "02_claim_outcomes", STRAY, SAY, SHOW, DRAW)
    write_notebook(folder, "03_denial_reasons", SAY, BREAK)
    write_notebook(folder, "05_documentation_completeness", REFUSE)
    write_notebook(folder, "08_insurer_scorecard", SAY, parameters=PAYER)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    # Braces: papermill would take them for a template.
    return make_practice(tmp_path_factory.mktemp("a {practice}"))


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def outcome(folders: Folders, library: Path, said: list[str]) -> Outcome:
    reports = publish.plan(folders, None, None, {}, library=library)
    return publish.publish(folders, reports, 2, said.append)


def read(outcome: Outcome, name: str) -> str:
    return (outcome.folder / name).read_text(encoding="utf-8")


def manifest(outcome: Outcome) -> dict:
    return json.loads(read(outcome, "manifest.json"))


# ---- planning -----------------------------------------------------------------------------


def planned(folders: Folders, library: Path, month=None, notebooks=None, **settings) -> list[str]:
    reports = publish.plan(folders, month, notebooks, settings, library=library)
    return [report.name for report in reports]


def test_every_notebook_once_and_one_report_per_insurer_with_enough_claims(folders, library):
    names = planned(folders, library)
    assert names[:3] == ["02_claim_outcomes", "03_denial_reasons", "05_documentation_completeness"]
    assert names[3] == "insurers/evergreen-health-00123"
    assert names[4].startswith("insurers/script-alert-1-script-7-7-care-")
    assert len(names) == 5, "Auto has three claims"


def test_only_claims_up_to_the_month_count_towards_an_insurers_report(folders, library):
    assert planned(folders, library, month="2026-02", notebooks=["08_insurer_scorecard"]) == [
        "insurers/evergreen-health-00123"
    ]


def test_a_chosen_insurer_is_reported_however_few_its_claims(folders, library):
    names = planned(folders, library, notebooks=["08_insurer_scorecard"], payer_id="7")
    assert names == ["insurers/auto-7"]


def test_the_last_complete_month_is_the_default(folders, library):
    [report, *_] = publish.plan(folders, None, None, {}, library=library)
    assert report.parameters.month == "2026-03"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"month": "2026-04"}, "did you mean '2026-0[1-3]'"),
        ({"month": "2025-12"}, "the files cover 2026-01 to 2026-03"),
        ({"month": "March"}, "'March' is not a month; for example month=2026-03"),
        ({"notebooks": ["02_claim_outcome"]}, "did you mean '02_claim_outcomes'"),
        ({"minimum_cell_sise": "20"}, "no parameter 'minimum_cell_sise'.*'minimum_cell_size'"),
        ({"minimum_cell_size": "eleven"}, "'eleven' is not a whole number; for example"),
        ({"payer_id": "00124"}, "no insurer '00124' in the files; did you mean '00123'"),
        ({"payer_id": "Evergren"}, "did you mean '00123' \\(Evergreen Health\\)"),
        ({"notebooks": ["02_claim_outcomes"], "payer_id": "00123"}, "no parameter 'payer_id' in"),
        ({"practice": "other"}, "the command decides it"),
    ],
)
def test_a_wrong_word_is_refused_with_the_nearest_right_one(folders, library, asked, reason):
    settings = {k: v for k, v in asked.items() if k not in ("month", "notebooks")}
    with pytest.raises(UsageError, match=reason):
        publish.plan(folders, asked.get("month"), asked.get("notebooks"), settings, library=library)


def test_no_insurer_with_enough_claims_is_said(folders, library):
    with pytest.raises(DataError, match="no insurer has as many claims"):
        planned(folders, library, notebooks=["08_insurer_scorecard"], minimum_cell_size="500")


# ---- publishing ---------------------------------------------------------------------------


def test_a_failing_notebook_leaves_the_others_alone(outcome, said):
    assert set(outcome.failures) == {"03_denial_reasons", "05_documentation_completeness"}
    assert len(outcome.published) == 3
    assert len(said) == 5
    assert not (outcome.folder / "03_denial_reasons.html").exists()
    assert outcome.failures["05_documentation_completeness"] == "too few claims; send more"
    index = read(outcome, "index.html")
    assert "a defect of ours (KeyError)" in index
    assert "too few claims; send more" in index


def test_findings_of_a_failing_notebook_are_not_recorded(outcome):
    findings = json.loads(read(outcome, "findings.json"))["findings"]
    assert "03_denial_reasons" not in {finding["report"] for finding in findings}
    [own] = [f for f in findings if f["report"] == "02_claim_outcomes"]
    assert own["sentence"] == "35 claims sent."
    assert own["denominator"] == 35


def texts(outcome: Outcome) -> dict[Path, str]:
    """Everything published that is text."""
    files = [path for path in outcome.folder.rglob("*") if path.is_file()]
    return {path: path.read_text("utf-8") for path in files if path.suffix != ".pdf"}


def test_nothing_a_cell_printed_or_raised_reaches_what_is_published(outcome, said):
    published = list(texts(outcome).values())
    for text in [*published, *said]:
        assert "DOE^JANE" not in text
        assert "stray" not in text


def test_executed_notebooks_stay_private(outcome, folders):
    executed = folders.private / "notebooks" / "2026-03"
    assert stat.S_IMODE(executed.stat().st_mode) == 0o700
    files = list(executed.rglob("*.ipynb"))
    assert len(files) == 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert not list(outcome.folder.rglob("*.ipynb"))


def test_the_manifest_holds_the_hash_of_every_published_file(outcome):
    stated = manifest(outcome)["files"]
    there = {
        path.relative_to(outcome.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in outcome.folder.rglob("*")
        if path.is_file()
    }
    del there["manifest.json"]
    assert stated == there


def test_nothing_published_names_a_folder_of_this_machine(outcome, folders):
    for path, text in texts(outcome).items():
        assert str(folders.data_dir) not in text, path.name


def test_every_page_has_a_pdf_beside_it(outcome):
    pages = {path.with_suffix("") for path in outcome.folder.rglob("*.html")}
    pdfs = {path.with_suffix("") for path in outcome.folder.rglob("*.pdf")}
    assert pages - pdfs == {outcome.folder / "index"}


def test_a_table_lies_beside_the_page_with_its_schema(outcome):
    rows = list(csv.reader(io.StringIO(read(outcome, "tables/by_insurer.csv"))))
    schema = json.loads(read(outcome, "tables/by_insurer.schema.json"))
    assert rows[0] == [field["name"] for field in schema["fields"]] == ["payer_name", "n"]
    assert rows[1] == ["Evergreen Health", "20"]
    assert rows[2] == [HOSTILE, "12"]


def test_rerunning_one_notebook_changes_no_byte_and_keeps_the_other_reports(
    outcome, folders, library
):
    before = {p: p.read_bytes() for p in outcome.folder.rglob("*") if p.is_file()}
    reports = publish.plan(folders, None, ["02_claim_outcomes"], {}, library=library)
    again = publish.publish(folders, reports, 1, lambda _: None)
    after = {p: p.read_bytes() for p in again.folder.rglob("*") if p.is_file()}
    assert before.keys() == after.keys()
    told_of_failures = {"index.html", "manifest.json"}
    assert [p.name for p in before if before[p] != after[p] if p.name not in told_of_failures] == []


def test_when_no_report_finishes_the_earlier_month_stays(outcome, folders, library):
    before = {p: p.read_bytes() for p in outcome.folder.rglob("*") if p.is_file()}
    reports = publish.plan(folders, None, ["03_denial_reasons"], {}, library=library)
    assert publish.publish(folders, reports, 1, lambda _: None).published == ()
    assert before == {p: p.read_bytes() for p in outcome.folder.rglob("*") if p.is_file()}


def test_a_notebook_that_drops_a_parameter_is_no_report(folders, tmp_path):
    write_notebook(tmp_path / "notebooks", "08_insurer_scorecard", SAY, parameters=PAYER)
    path = tmp_path / "notebooks" / "08_insurer_scorecard.ipynb"
    path.write_text(path.read_text().replace(", payer_id=payer_id", ""))
    reports = publish.plan(folders, None, None, {"payer_id": "7"}, library=path.parent)
    outcome = publish.publish(folders, reports, 1, lambda _: None)
    assert outcome.failures == {
        "insurers/auto-7": "a defect of ours: its notebook does not use payer_id"
    }


# ---- the pages ----------------------------------------------------------------------------


class _Page(HTMLParser):
    """The tags of a page, with attributes; raises for text within a script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module")
def pages(outcome: Outcome, folders: Folders) -> dict[Path, _Page]:
    paths = [*outcome.folder.rglob("*.html"), folders.reports_dir / "index.html"]
    return {path: _Page(path.read_text(encoding="utf-8")) for path in paths}


def test_no_page_runs_a_script_or_asks_another_computer(pages):
    for page in pages.values():
        assert not page.all("script", "link", "iframe", "object", "img", "base")
        [policy] = [m for m in page.all("meta") if m.get("http-equiv")]
        assert policy["content"].startswith("default-src 'none'")
        for _, attributes in page.tags:
            assert not [name for name in attributes if name.startswith("on")]
            for name in ("href", "src", "xlink:href"):
                assert not re.match(r"\w+:|//", attributes.get(name) or ""), attributes


def test_every_link_leads_somewhere(pages):
    for path, page in pages.items():
        ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
        for link in page.all("a"):
            file, _, anchor = unquote(link["href"]).partition("#")
            assert not file or (path.parent / file).is_file(), f"{path.name}: {link['href']}"
            assert file or anchor in ids, f"{path.name}: {link['href']}"


def test_every_page_can_be_read_with_ears_and_by_keyboard(pages):
    for path, page in pages.items():
        headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert headings.count(1) == 1, path.name
        assert all(b - a <= 1 for a, b in itertools.pairwise(headings)), path.name
        assert page.all("html") == [{"lang": "en"}]
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), path.name
        assert page.all("a")[0] == {"class": "skip", "href": "#main"}
        assert all(cell.get("scope") for cell in page.all("th"))
        assert len(page.all("caption")) == len(page.all("table"))
        assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.all("svg"))


def test_hostile_names_are_text(outcome):
    [insurer] = [n for n in outcome.published if n.startswith("insurers/script")]
    for name in (f"{insurer}.html", "02_claim_outcomes.html", "index.html"):
        text = read(outcome, name)
        assert "<script" not in text
        assert "<b>North" not in text
        assert "Clinic &lt;b&gt;North" in text
        assert " 49 " not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7 * 7 }} $Care$ |" in read(
        outcome, "02_claim_outcomes.html"
    )


def test_made_up_data_is_said_on_every_page(pages):
    for path in pages:
        assert "ade-up data" in path.read_text(encoding="utf-8"), path

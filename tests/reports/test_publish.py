"""A month published from real notebooks: whole, checked, isolated, the same every time."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from analysis import pipeline, synthetic
from analysis.config import Folders, project_folder
from analysis.errors import UsageError
from analysis.reports import publish

_NOTEBOOKS = ("01_data_quality", "02_claim_outcomes", "03_denial_reasons")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("published")
    synthetic.synthesize("clinic", data_dir=root / "data", n_claims=600, n_months=12)
    practice = Folders(root / "data", root / "reports", "clinic")
    pipeline.build(practice, say=lambda _: None)
    return practice


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some of the project's notebooks, one of them broken."""
    folder = tmp_path_factory.mktemp("library")
    for name in _NOTEBOOKS:
        shutil.copyfile(project_folder() / "notebooks" / f"{name}.ipynb", folder / f"{name}.ipynb")
    broken = nbformat.read(folder / "03_denial_reasons.ipynb", as_version=4)
    broken.cells.append(nbformat.v4.new_code_cell("raise ValueError('PATIENT N000001')"))
    nbformat.write(broken, folder / "03_denial_reasons.ipynb")
    return folder


@pytest.fixture(scope="module")
def outcome(folders: Folders, library: Path) -> publish.Outcome:
    planned = publish.plan(folders, None, None, {}, library=library)
    return publish.publish(folders, planned, 2, lambda _: None)


def test_a_failing_report_is_named_plainly_and_the_others_are_published(
    outcome: publish.Outcome,
) -> None:
    assert outcome.published == ("01_data_quality", "02_claim_outcomes")
    assert list(outcome.failures) == ["03_denial_reasons"]
    index = (outcome.folder / "index.html").read_text(encoding="utf-8")
    assert "a defect of ours (ValueError)" in index
    assert "N000001" not in index
    assert not (outcome.folder / "03_denial_reasons.html").exists()


def test_a_page_runs_no_script_and_asks_for_nothing_outside(outcome: publish.Outcome) -> None:
    for path in [*outcome.folder.rglob("*.html"), outcome.folder.parents[1] / "index.html"]:
        text = path.read_text(encoding="utf-8")
        assert "default-src 'none'" in text
        assert "<script" not in text
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
        assert not re.search(r"@import|url\((?!data:|#)", text)
        assert '<html lang="en"' in text


def test_tables_have_captions_and_figures_say_what_they_show(outcome: publish.Outcome) -> None:
    text = (outcome.folder / "02_claim_outcomes.html").read_text(encoding="utf-8")
    assert text.count("<table") == text.count("<caption") > 0
    assert all('scope="col"' in head for head in re.findall(r"<thead>.*?</thead>", text, re.DOTALL))
    labels = re.findall(r'<svg[^>]*aria-label="([^"]*)"', text) or re.findall(
        r'role="img"[^>]*aria-label="([^"]*)"', text
    )
    assert len(labels) == text.count("<figure") > 0
    assert all(re.search(r"\d", label) for label in labels)


def test_every_table_shown_is_there_as_csv_with_its_schema(outcome: publish.Outcome) -> None:
    sheets = sorted((outcome.folder / "tables").glob("*.csv"))
    assert sheets
    for sheet in sheets:
        header = sheet.read_text(encoding="utf-8-sig").splitlines()[0]
        schema = json.loads(sheet.with_suffix(".schema.json").read_text(encoding="utf-8"))
        assert len(schema["fields"]) == len(header.split(","))


def test_every_finding_carries_its_company(outcome: publish.Outcome) -> None:
    recorded = json.loads((outcome.folder / "findings.json").read_text(encoding="utf-8"))
    findings = recorded["findings"] if isinstance(recorded, dict) else recorded
    assert findings
    for finding in findings:
        assert finding["as_of"] == "2026-09-30"
        assert finding["definition"]
        assert finding["must_not"]
        if finding["estimate"] is not None:
            assert finding["denominator"] is not None


def test_the_manifest_vouches_for_every_file(outcome: publish.Outcome) -> None:
    text = (outcome.folder / "manifest.json").read_text(encoding="utf-8")
    for path in outcome.folder.rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            assert hashlib.sha256(path.read_bytes()).hexdigest() in text, path.name


@pytest.mark.usefixtures("outcome")
def test_the_executed_notebooks_stay_private(folders: Folders) -> None:
    assert not list(folders.reports_dir.rglob("*.ipynb"))
    executed = list(folders.private.rglob("*.ipynb"))
    assert len(executed) == len(_NOTEBOOKS)
    assert all(path.stat().st_mode & 0o077 == 0 for path in executed)


def test_the_same_input_gives_the_same_bytes(
    folders: Folders, library: Path, outcome: publish.Outcome
) -> None:
    def written() -> dict[str, bytes]:
        kept = [outcome.folder / "findings.json", *(outcome.folder / "tables").iterdir()]
        return {path.name: path.read_bytes() for path in kept}

    before = written()
    chosen = ["01_data_quality", "02_claim_outcomes"]
    publish.publish(
        folders, publish.plan(folders, None, chosen, {}, library=library), 1, lambda _: None
    )
    assert written() == before


@pytest.mark.parametrize(
    ("month", "notebooks", "settings", "told"),
    [
        (None, [], {"payor_id": "x"}, "did you mean 'payer_id'"),
        (None, [], {"minimum_cell_size": "eleven"}, "'eleven' is not a whole number"),
        (None, [], {"payer_id": "0043"}, "did you mean '00430'"),
        ("2031-01", [], {}, "nothing to report for 2031-01"),
        ("2026-13", [], {}, "is not a month"),
        (None, ["02_claim_outcome"], {}, "did you mean '02_claim_outcomes'"),
    ],
)
def test_a_wrong_word_is_refused_before_anything_is_written(
    folders: Folders,
    tmp_path: Path,
    month: str | None,
    notebooks: list[str],
    settings: dict[str, str],
    told: str,
) -> None:
    elsewhere = Folders(folders.data_dir, tmp_path / "reports", "clinic")
    with pytest.raises(UsageError, match=re.escape(told)):
        publish.plan(elsewhere, month, notebooks, settings)
    assert not (tmp_path / "reports").exists()

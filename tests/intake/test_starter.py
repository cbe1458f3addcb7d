from pathlib import Path

import pytest

from analysis import config
from analysis.errors import UsageError
from analysis.intake import records, starter
from analysis.intake.pseudonymize import Pseudonyms
from analysis.worklist import drafts


def init(practice: str, data_dir: Path) -> list[Path]:
    return starter.init(practice, data_dir, drafts.COLUMNS)


def test_a_new_practice_has_a_readable_practice_toml_and_empty_records(tmp_path) -> None:
    paths = init("river-massage", tmp_path)
    folder = tmp_path / "raw" / "river-massage"
    assert sorted(path.name for path in paths) == sorted(path.name for path in folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert config.load_practice(folder) == config.Practice(name="river-massage")
    for known in records.RECORD_FILES:
        parsed = records.read((folder / known.name).read_bytes(), known.name, Pseudonyms(b"k" * 32))
        assert parsed.ledger == []
        assert known.table in parsed.tables


@pytest.mark.parametrize("stated", [config.Practice, config.PayerStatement, config.PlanStatement])
def test_every_key_of_practice_toml_is_explained(stated, tmp_path) -> None:
    init("demo", tmp_path)
    text = (tmp_path / "raw" / "demo" / "practice.toml").read_text()
    assert [key for key in stated.model_fields if key not in text] == []


def test_the_commented_blocks_are_valid_once_the_signs_are_removed(tmp_path) -> None:
    init("demo", tmp_path)
    path = tmp_path / "raw" / "demo" / "practice.toml"
    keys = ("state", "as_of", "[[", "id", "name", "aliases", "payer_type", "network_status")
    keys += ("since", "payer_id", "funding", "visit_limit_year", "file", "patient_control_number")
    keys += (
        "service_date",
        "payer_name",
        "procedure_code",
        "charge",
        "paid",
        "outcome",
        "approved",
    )
    keys += ("denied", "pending", "title", "text", "insurer", "condition", "consent")
    lines = []
    for line in path.read_text().splitlines():
        bare = line.removeprefix("# ")
        is_block = bare.startswith("[") or (" = " in bare and bare.startswith(keys))
        lines.append(bare if is_block else line)
    path.write_text("\n".join(lines))
    practice = config.load_practice(path.parent)
    assert practice.payers[0].payer_type == "commercial_fully_insured_WA"
    assert practice.plans[0].payer_id == practice.payers[0].id
    assert practice.exports[0].columns is not None
    assert practice.stories[0].consented_on.year == 2026


def test_the_examples_of_the_readme_are_accepted_as_rows(tmp_path) -> None:
    init("demo", tmp_path)
    lines = (tmp_path / "raw" / "demo" / "README.txt").read_text().splitlines()
    for known in records.RECORD_FILES:
        at = lines.index("     " + ",".join(known.headers))
        text = "\n".join(line.strip() for line in lines[at : at + 2])
        parsed = records.read(text.encode(), known.name, Pseudonyms(b"k" * 32))
        assert [(row.position, row.disposition) for row in parsed.ledger] == [(2, "accepted")]


def test_nothing_is_overwritten(tmp_path) -> None:
    init("demo", tmp_path)
    practice = tmp_path / "raw" / "demo" / "practice.toml"
    practice.write_text('name = "Mine"\n')
    (tmp_path / "raw" / "demo" / "appeals.csv").unlink()
    with pytest.raises(UsageError, match=r"practice\.toml.* already"):
        init("demo", tmp_path)
    assert practice.read_text() == 'name = "Mine"\n'
    assert not (tmp_path / "raw" / "demo" / "appeals.csv").exists()


def test_a_folder_that_holds_claim_files_already_gets_its_templates(tmp_path) -> None:
    folder = tmp_path / "raw" / "demo"
    folder.mkdir(parents=True)
    (folder / "march.837").write_text("ISA")
    init("demo", tmp_path)
    assert (folder / "practice.toml").exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "río", "my practice", "x" * 65])
def test_a_name_that_cannot_be_a_folder_everywhere_is_refused(name, tmp_path) -> None:
    with pytest.raises(UsageError, match="letters, digits, - and _"):
        init(name, tmp_path)
    assert list(tmp_path.iterdir()) == []

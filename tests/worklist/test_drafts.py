"""Claims still to be sent, as a therapist writes them down, scored before they are sent."""

import csv
import os
import re
import shutil
import stat
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from analysis import codes, pipeline, synthetic, tables
from analysis.cli import app
from analysis.config import Folders
from analysis.errors import DataError, UsageError
from analysis.models.predictors import DOCUMENTS
from analysis.worklist import drafts, scoring

# In one process, since what they share takes long to make.
pytestmark = pytest.mark.xdist_group("drafts")

TODAY = date(2026, 9, 30)
HEADER = "claim_number,service_date,insurer,procedure_codes,units,diagnoses,visit_number"
# The made-up practice's commonest insurer, by its id or its name.
GOOD = "N1,2026-09-21,00430,97124,4,M54.50,3"


@pytest.fixture(scope="module")
def unsent(tmp_path_factory) -> Path:
    """The practice's last claim file, kept back."""
    return tmp_path_factory.mktemp("unsent") / "last.837"


@pytest.fixture(scope="module")
def folders(tmp_path_factory, unsent) -> Folders:
    folder = tmp_path_factory.mktemp("data")
    synthetic.synthesize("clinic", data_dir=folder, n_claims=700, n_months=12)
    last = max((folder / "raw" / "clinic").glob("claims_*northlink*.837"))
    shutil.move(last, unsent)
    return pipeline.ready("clinic", through="model", data_dir=str(folder), say=lambda _: None)


def score(folders: Folders, data: bytes) -> tuple[scoring.Scored, list[dict[str, str]]]:
    """What is said of the drafts in a file, and the lines of drafts.csv."""
    payers = tables.read(folders.processed, "payers").to_pylist()
    sent = tables.read(folders.processed, "claims")["patient_control_number"].to_pylist()
    names = {row["payer_id"]: row["payer_name"] for row in payers}
    read = drafts.read(data, names, set(filter(None, sent)), TODAY)
    with pipeline.as_if_sent(folders, read.files, read.statement, print) as tried:
        scored = scoring.score(folders, tried, read)
    with (folders.private / "drafts.csv").open(encoding="utf-8-sig", newline="") as file:
        return scored, list(csv.DictReader(file))


def sheet(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


# ---- a sheet ------------------------------------------------------------------------------


PAPERS = [row["name"] for row in codes.rows("documentation")]
ONE_LACKS = [name for name in DOCUMENTS if name != "treatment_note"]


def row(number: str, payer: str = "00430", otherwise: str = "", **papers: str) -> str:
    """A draft whose papers are answered as given, and all others as `otherwise`."""
    answers = [papers.get(name, otherwise) for name in PAPERS]
    return ",".join([GOOD.replace("N1", number).replace("00430", payer), *answers])


def one_lacks() -> list[str]:
    """Drafts whose papers are all there but one, each named after the one."""
    return [row(name, otherwise="yes", **{name: "no"}) for name in ONE_LACKS]


@pytest.fixture(scope="module")
def rare(folders) -> str:
    """An insurer with too few answered claims."""
    outcomes = tables.read_frame(folders.processed, "claim_outcomes")
    answered = outcomes[outcomes["first_determination"].isin(["approved", "denied"])]
    counts = answered["payer_id"].value_counts()
    payers = tables.read_frame(folders.processed, "payers")["payer_id"]
    return next(payer for payer in payers if counts.get(payer, 0) < scoring.MINIMUM_CLAIMS)


@pytest.fixture(scope="module")
def drafted(folders, rare):
    """What is said of one sheet, and its lines by claim number."""

    rows = [
        row("blank"),
        row("told", prescription="no", plan_of_care="?"),
        row("whole", otherwise="yes"),
        row("none", otherwise="no"),
        row("rare", payer=rare, otherwise="no"),
        row("=HYPERLINK(1)"),
        row("unclear", prescription="maybe DOE"),
        *one_lacks(),
    ]
    scored, lines = score(folders, sheet(*rows, header=f"{HEADER},{','.join(PAPERS)}"))
    return scored, {line["Claim number"]: line for line in lines}


WORTH = "Worth completing before you send it"


def test_a_draft_is_scored_with_its_range_and_what_it_rests_on(drafted):
    scored, lines = drafted
    line = lines["blank"]
    assert (line["Where"], line["Visit"], line["Condition"]) == (
        "line 2",
        "2026-09-21",
        "low back pain",
    )
    for line in lines.values():
        if line["Claim number"] == "rare":
            continue
        lower, upper = float(line["Chance, from"]), float(line["to"])
        assert 0 <= lower <= upper <= 1
        assert "claims answered by this insurer" in line["It rests on"]
        is_wide = "TOO UNCERTAIN" in line["It rests on"]
        assert is_wide == (line["Chance of approval"] == "")
        assert is_wide or lower <= float(line["Chance of approval"]) <= upper
        assert is_wide == (upper - lower > scoring.MAX_WIDTH) or abs(upper - lower - 0.3) < 0.02
    assert scored.n_scored == sum(bool(line["Chance of approval"]) for line in lines.values())


def test_what_nobody_wrote_down_is_not_recorded_and_never_missing(drafted):
    blank, told = (drafted[1][number] for number in ("blank", "told"))
    assert blank["Other papers missing"] == blank[WORTH] == ""
    assert "prescription" in blank["Not recorded"]
    assert "prescription" not in told["Not recorded"]
    assert "prescription" in told["Other papers missing"] + told[WORTH]
    assert "plan of care" in told["Not recorded"]


def test_complete_papers_and_none_differ_as_the_claims_did(drafted):
    whole, none = (drafted[1][number] for number in ("whole", "none"))
    assert float(whole["Chance, from"]) > float(none["Chance, from"])
    assert whole["Other papers missing"] == whole[WORTH] == ""


def test_a_practice_of_few_claims_is_not_told_which_paper_is_worth_completing(drafted):
    scored, lines = drafted
    assert scored.n_advised == 0
    assert {line[WORTH] for line in lines.values()} == {""}


@pytest.mark.slow
def test_a_paper_is_worth_completing_only_where_a_cautious_reading_is_above_two_points(tmp_path):
    synthetic.synthesize("clinic", data_dir=tmp_path, n_claims=3000, n_months=24)
    folders = pipeline.ready("clinic", through="model", data_dir=str(tmp_path), say=lambda _: None)
    scored, lines = score(folders, sheet(*one_lacks(), header=f"{HEADER},{','.join(PAPERS)}"))
    advised = [line[WORTH] for line in lines if line[WORTH]]
    assert scored.n_advised == len(advised)
    assert 0 < len(advised) < len(ONE_LACKS)
    for told in advised:
        assert "if it is clinically true and exists: goes with" in told
        assert int(told.partition("(cautiously, ")[2].partition(")")[0]) >= 2


def test_an_insurer_with_few_answers_gets_no_chance_and_no_advice(drafted):
    line = drafted[1]["rare"]
    assert line["Chance of approval"] == line["Chance, from"] == line["to"] == line[WORTH] == ""
    assert line["It rests on"].startswith("NOT KNOWN:")
    assert "prescription" in line["Other papers missing"]


def test_an_answer_that_is_no_answer_is_set_aside_by_the_rules_of_the_documentation_sheet(drafted):
    scored, lines = drafted
    assert "unclear" not in lines
    [(where, why)] = scored.set_aside
    assert (where, why.partition(";")[0]) == ("line 8", "prescription is not understood")
    assert "DOE" not in scored.in_words()


def test_no_cell_runs_as_a_formula(drafted):
    scored, lines = drafted
    assert "'=HYPERLINK(1)" in lines
    page = openpyxl.load_workbook(scored.workbook)["Drafts"]
    [cell] = [cell for cell in page["B"] if cell.value == "=HYPERLINK(1)"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such modes")
def test_what_is_written_is_private_and_nothing_of_the_trial_is_left(folders, drafted):
    for name in ("drafts.xlsx", "drafts.csv"):
        assert stat.S_IMODE((folders.private / name).stat().st_mode) == 0o600
    assert drafted[0].workbook.parent == folders.private
    assert not (folders.private / "as-if-sent").exists()
    claims = tables.read_frame(folders.processed, "claims")
    assert not claims["file_name"].str.startswith(drafts.FOLDER).any()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (GOOD.replace("2026-09-21", "31/31/2026"), "service_date is not a date; write it as YYYY"),
        (GOOD.replace("2026-09-21", ""), "service_date is empty; write the day of the visit"),
        (GOOD.replace("2026-09-21", "2026-10-01"), "service_date lies after today"),
        (
            GOOD.replace("00430", "Cascadai Mutual"),
            "insurer is none of those.*did you mean '00430'",
        ),
        (GOOD.replace("00430", ""), "insurer is empty; write its name or id"),
        (GOOD.replace("97124", "massage DOE"), "procedure_codes is not understood; write codes as"),
        (GOOD.replace(",4,", ",four,"), "units is not a whole number"),
        (GOOD.replace("M54.50", "DOE JANE"), "diagnoses is not understood"),
        (f"{GOOD},,,DOE", "has more cells than the header"),
        (f'"{GOOD}', "."),
        (GOOD[:-1] + "0", "visit_number is 0; the first visit of an episode is 1"),
    ],
)
def test_a_row_that_cannot_be_understood_is_set_aside_and_the_others_are_read(folders, row, reason):
    numbers = {row["payer_id"]: row["payer_name"] for row in
               tables.read(folders.processed, "payers").to_pylist()}  # fmt: skip
    read = drafts.read(sheet(GOOD, row), numbers, set(), TODAY)
    assert [draft.where for draft in read.rows.values()] == ["line 2"]
    [(where, told)] = read.set_aside
    assert where == "line 3"
    assert re.search(reason, told), told
    assert "DOE" not in told


def test_a_claim_sent_already_is_no_draft(folders):
    number = tables.read(folders.processed, "claims")["patient_control_number"][0].as_py()
    read = drafts.read(sheet(GOOD.replace("N1", number)), {"00430": "Cascadia"}, {number}, TODAY)
    assert "was sent already" in read.set_aside[0][1]
    assert read.files == {}


def test_a_misspelt_column_is_named_and_one_that_lacks_is_asked_for():
    payers = {"00430": "Cascadia Mutual"}
    read = drafts.read(sheet(f"{GOOD},yes", header=f"{HEADER},prescripton"), payers, set(), TODAY)
    assert read.notes == ["column 8 was not read: did you mean 'prescription'?"]
    with pytest.raises(UsageError, match=r"lacks the column insurer \(column 3 .* 'insurer'"):
        drafts.read(sheet(GOOD, header=HEADER.replace("insurer", "insuror")), payers, set(), TODAY)
    with pytest.raises(UsageError, match="twice; keep one") as raised:
        drafts.read(sheet(GOOD, header=f"{HEADER},units"), payers, set(), TODAY)
    assert "N1" not in str(raised.value)


@pytest.mark.parametrize("data", [b"", b"\x00\xff\x00", b"DOE,JANE\n1,2\n", b"%PDF-1.7 DOE"])
def test_a_file_that_holds_no_drafts_is_refused_without_quoting_it(data):
    with pytest.raises(UsageError) as raised:
        drafts.read(data, {}, set(), TODAY)
    assert "DOE" not in str(raised.value)


# ---- a claim file -------------------------------------------------------------------------


@pytest.mark.slow
def test_an_unsent_claim_file_is_read_as_it_would_be_once_sent(folders, unsent, tmp_path):
    scored, lines = score(folders, unsent.read_bytes())
    assert len(lines) == scored.n_scored + scored.n_refused > 0
    assert scored.set_aside == []
    read = drafts.read(unsent.read_bytes(), {}, set(), TODAY)
    with pipeline.as_if_sent(folders, read.files, read.statement, print) as tried:
        tables_then = tables.read_frame(tried.processed, "claim_features").set_index("claim_id")
    shutil.copytree(folders.raw, tmp_path / "raw" / "clinic")
    shutil.copytree(folders.private, tmp_path / "private" / "clinic")
    shutil.copy(unsent, tmp_path / "raw" / "clinic")
    now = pipeline.ready("clinic", through="features", data_dir=str(tmp_path), say=lambda _: None)
    features = tables.read_frame(now.processed, "claim_features").set_index("claim_id")
    assert tables_then.loc[features.index].equals(features)


def test_a_claim_file_sent_before_holds_no_drafts(folders):
    sent = min(folders.raw.glob("claims_*northlink*.837"))
    scored, lines = score(folders, sent.read_bytes())
    assert lines == []
    assert {why for _, why in scored.set_aside} == {"holds what was sent already"}


# ---- the command --------------------------------------------------------------------------


def run(folders: Folders, *words: str):
    command = ["worklist", "clinic", "--data-dir", str(folders.data_dir), *words]
    return CliRunner().invoke(app, command)


def test_the_command_scores_says_what_it_set_aside_and_ends_with_three(folders, tmp_path):
    file = tmp_path / "drafts.csv"
    file.write_bytes(sheet(GOOD, GOOD.replace("00430", "Cascadai")))
    done = run(folders, "--drafts", str(file), "--as-of", "2026-09-30")
    assert done.exit_code == 3, done.output
    assert "1 draft read" in done.output
    assert "set aside, line 3: insurer is none of those" in done.output
    file.write_bytes(sheet(GOOD))
    assert run(folders, "--drafts", str(file), "--as-of", "2026-09-30").exit_code == 0


def test_where_there_is_no_file_a_sheet_is_left_to_fill_in_and_never_emptied_again(
    folders, tmp_path
):
    for told in ("", f"{GOOD}\n"):
        done = run(folders, "--drafts", str(tmp_path / "none.csv"))
        assert isinstance(done.exception, UsageError)
        assert "there is no such file. A sheet of drafts to fill in" in str(done.exception)
        sheet = folders.private / "drafts_to_fill_in.csv"
        text = sheet.read_text("utf-8")
        assert text.startswith("claim_number,service_date,insurer,")
        assert text.endswith(told)
        assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
        assert drafts.read(f"{text}\n".encode(), {}, set(), TODAY).notes == []
        sheet.write_text(f"{text}{GOOD}\n", encoding="utf-8")


def test_the_sheet_that_init_leaves_is_scored_once_it_is_filled_in_as_its_example(
    folders, tmp_path
):
    """README.txt's own example, with an insurer of this practice."""
    begun = CliRunner().invoke(app, ["init", "new", "--data-dir", str(tmp_path)])
    assert begun.exit_code == 0
    header = (tmp_path / "private" / "new" / "drafts_to_fill_in.csv").read_text("utf-8")
    lines = (tmp_path / "raw" / "new" / "README.txt").read_text("utf-8").splitlines()
    example = lines[lines.index(f"     {header.strip()}") + 1].strip()
    assert example.count(",") == header.count(",")
    filled = f"{header}{example.replace(',00123,', ',00430,', 1)}\n".encode()
    scored, [line] = score(folders, filled)
    assert not scored.set_aside
    assert line["Claim number"] == "mine-1"
    assert 0 < float(line["Chance, from"]) < float(line["to"]) <= 1


def test_without_a_model_nothing_is_scored(folders, tmp_path):
    without = Folders(tmp_path, tmp_path, "clinic")
    with pytest.raises(DataError, match="there is no approval model"):
        scoring.score(without, folders, drafts.Drafts({}))

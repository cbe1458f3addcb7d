"""Releases that correct others, names that mean something here, files edited after the fact."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from analysis import tables
from analysis.release import counted, publishing, verify
from analysis.release.publishing import Asked
from release.conftest import Made, reads_pdf
from release.test_verify import check, write_sums


def test_a_correction_whose_counts_fell_holds_and_names_what_it_replaces(
    made: Made, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(made.folders.data_dir, tmp_path / "data"))
    folders = type(made.folders)(copy, made.folders.reports_dir, made.folders.practice)
    # July was counted too early: the release of June's claims replaces it, so counts fall.
    asked = Asked(
        [folders], "2026-06", tmp_path / "three", corrects=2, reason="July counted too early"
    )
    third = publishing.release(asked, lambda _: None)
    assert third.number == 3
    about = json.loads((third.folder / "release.json").read_text("utf-8"))
    assert [2, 3] in about["restated"]
    assert [1, 3] not in about["restated"]
    assert check(third.folder).returncode == 0
    old = Path(shutil.copytree(made.second.folder, tmp_path / "two"))
    shutil.copy(third.folder / verify.LEDGER, old / verify.LEDGER)
    write_sums(old)
    done = check(old)
    assert done.returncode == 4
    assert "release 2 was replaced by release 3: July counted too early" in done.stdout


def test_an_insurer_called_all_is_not_the_total(made: Made) -> None:
    outcomes = tables.read_frame(made.folders.processed, "claim_outcomes")
    payers = tables.read_frame(made.folders.processed, "payers")
    plain = counted.answers(outcomes, payers, "2026-06")
    largest = plain["insurer"].value_counts().index[0]
    payers["payer_name"] = payers["payer_name"].replace(largest, verify.ALL)
    claims = counted.answers(outcomes, payers, "2026-06")
    assert len(claims) == len(plain)
    assert verify.ALL not in set(claims["insurer"])
    categories = counted.merged(claims, 0)
    now = counted.count(claims, categories, 1, "then", plain["as_of_date"].iloc[0])
    total = verify.Cell(1, verify.ALL, verify.ALL, verify.ALL, "answered")
    assert now.values[total] == len(claims)
    named = total._replace(insurer="all (an insurer's name)")
    assert now.values[named] == (plain["insurer"] == largest).sum()


def test_a_digit_edited_in_the_pdf_is_named_by_both(released: Path) -> None:
    path = released / "public_findings.pdf"
    content = bytearray(path.read_bytes())
    place = content.index(b"/Length ") + len(b"/Length ")
    content[place] = ord("1") if content[place] != ord("1") else ord("2")
    path.write_bytes(bytes(content))
    for said in ("changed since SHA256SUMS was written", "not as the ledger recorded it"):
        done = check(released)
        assert done.returncode == 4
        assert f"public_findings.pdf: {said}" in done.stdout
        assert f"public_findings.pdf: {said}" in verify.problems(released)
        write_sums(released)


@reads_pdf
def test_the_three_steps_of_the_readme_lead_from_a_sentence_to_the_check(released: Path) -> None:
    readme = (released / "README.md").read_text("utf-8")
    number = int(re.search(r"for example finding (\d+)", readme)[1])  # type: ignore[index]
    sentence = re.search(r'^   "(.+)"$', readme, re.MULTILINE)[1]  # type: ignore[index]
    text = ["pdftotext", "-raw", str(released / "public_findings.pdf"), "-"]
    printed = subprocess.run(text, capture_output=True, text=True, check=True).stdout
    assert " ".join(sentence.split()) in " ".join(printed.split())
    found = json.loads((released / "findings.json").read_text("utf-8"))["findings"]
    [finding] = [one for one in found if one["number"] == number]
    assert finding["sentence"] == sentence
    with (released / re.search(r"here (\S+\.csv)", readme)[1]).open() as file:  # type: ignore[index]
        rows = [
            row
            for row in csv.DictReader(file)
            if all(row[name] == at for name, at in finding["row"].items() if name in row)
        ]
    assert [(int(row["approved"]), int(row["answered"])) for row in rows] == [
        (finding["numerator"], finding["denominator"])
    ]
    command = [sys.executable, "-I", "verify.py"]
    assert subprocess.run(command, cwd=released, capture_output=True, check=False).returncode == 0

"""A made-up practice's worklist: private, complete, in order, and nothing closed is offered."""

import csv
import json
import os
import stat
from datetime import date

import openpyxl
import pytest

from analysis import pipeline, synthetic, tables
from analysis.worklist import files, listing

AS_OF = date(2026, 9, 30)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    synthetic.synthesize("clinic", data_dir=folder, n_claims=300, n_months=9)
    return pipeline.ready("clinic", through="actions", data_dir=str(folder), say=lambda _: None)


@pytest.fixture(scope="module")
def written(folders):
    return files.write(folders, AS_OF)


def sheet(written, title):
    rows = openpyxl.load_workbook(written.workbook)[title].iter_rows(values_only=True)
    head = next(rows)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_only_what_is_the_practices_turn_is_offered(folders, written):
    outcomes = tables.read_frame(folders.processed, "claim_outcomes")
    done = outcomes[outcomes["final_determination"].isin(["approved", "voided"])]
    offered = {
        row["Claim number"]
        for title in ("To do", "Past the usual time")
        for row in sheet(written, title)
    }
    assert offered
    assert not offered & set(done["patient_control_number"])
    waiting = {row["Claim number"] for row in sheet(written, "Waiting")}
    assert waiting
    assert not offered & waiting


def test_every_claim_is_accounted_for(folders, written):
    counts = dict(listing.accounted(tables.read_frame(folders.processed, "next_actions")))
    assert sum(counts.values()) == len(tables.read_frame(folders.processed, "claim_outcomes"))
    assert counts["on the worklist"] == written.n_open + written.n_late


def test_each_line_says_what_to_do_how_and_by_when(written):
    rows = sheet(written, "To do")
    dated = [row for row in rows if row["Do by"]]
    assert [row["Days left"] for row in dated] == sorted(row["Days left"] for row in dated)
    assert rows[: len(dated)] == dated
    for row in rows:
        assert row["What to do"]
        assert row["How"].endswith(".")
        assert row["Who can act"]
        assert row["Where the date comes from"]
        assert bool(row["Chance"]) == bool(row["Expected"])
    usual = [row for row in dated if "YOUR LETTER" in row["Where the date comes from"]]
    assert len(usual) <= written.n_usual_time


def test_expected_dollars_have_the_range_of_the_chance(written):
    rows = [row for row in sheet(written, "To do") if row["Expected"] is not None]
    assert rows
    for row in rows:
        if row["Chance, from"] is None:
            assert row["Expected, from"] is row["Expected, to"] is None
        else:
            assert row["Expected, from"] <= row["Expected"] <= row["Expected, to"]
            assert row["Expected, to"] == pytest.approx(row["At stake"] * row["to"], abs=0.01)


def test_what_is_past_its_time_is_summed_up_and_cut_in_print(written, monkeypatch, folders):
    late, summed = sheet(written, "Past the usual time"), sheet(written, "Past it, by insurer")
    assert sum(row["Claims"] for row in summed) == len(late) == written.n_late
    assert sum(row["At stake"] for row in summed) == pytest.approx(
        sum(row["At stake"] for row in late)
    )
    monkeypatch.setattr(files, "_PRINTED_LATE", 2)
    book = openpyxl.load_workbook(files.write(folders, AS_OF).workbook)
    page = book["Past the usual time"]
    assert page.print_area.endswith("$3")
    assert f"the first 2 rows; all {len(late)} are in the file" in page.oddFooter.center.text
    assert not book["To do"].print_area


def test_the_counts_by_day_name_no_claim(folders, written):
    told = json.loads((folders.private / "worklist.json").read_text("utf-8"))
    assert told["answers_read_to"] == told["counted_on"] == "2026-09-30"
    assert sum(day["n_claims"] for day in told["due"]) + told["n_without_date"] == written.n_open
    assert set(told["due"][0]) == {"date", "n_claims", "worth_cents"}
    days = [day["date"] for day in told["due"]]
    assert days == sorted(days)
    assert days[0] >= "2026-09-30"


def test_the_csv_holds_the_same_lines(folders, written):
    with (folders.private / "worklist.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == written.n_open + written.n_late
    assert [row["Claim number"] for row in rows if row["List"] == "to do"] == [
        row["Claim number"] for row in sheet(written, "To do")
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such modes")
def test_it_is_private_and_nowhere_near_the_reports(folders, written):
    for name in ("worklist.xlsx", "worklist.csv", "worklist.json"):
        assert stat.S_IMODE((folders.private / name).stat().st_mode) == 0o600
    assert written.workbook.parent == folders.private
    assert not folders.reports.exists()


def test_files_that_end_long_ago_are_said_aloud(written):
    assert "put newer remittances" not in written.in_words(AS_OF)
    assert "the files end on 30 September 2026" in written.in_words(date(2026, 11, 25))

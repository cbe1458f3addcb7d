"""A table is one thing in two forms: words on the page, bare values in the CSV."""

import dataclasses

import pandas as pd
import pytest

from analysis.reports import tables
from analysis.reports.tables import ColumnSpec, Shown

COLUMNS = [
    ColumnSpec("Insurer"),
    ColumnSpec("Claims", "count"),
    ColumnSpec("Approved", "percent", missing="too few claims"),
    ColumnSpec("Range", "interval"),
    ColumnSpec("Charges", "dollars"),
    ColumnSpec("First sent", "date"),
]


def rates(*rows: tuple) -> Shown:
    names = ["insurer", "n", "estimate", "lower", "upper", "charge_cents", "first_date"]
    frame = pd.DataFrame(list(rows), columns=names)
    frame["first_date"] = pd.to_datetime(frame["first_date"])
    return Shown("rates", "Approval", frame, COLUMNS, note="Ranges at 95%.")


KNOWN = ("Evergreen Health", 1204, 0.714, 0.64, 0.77, 120408, "2026-03-01")
TOO_FEW = ("Auto", 3, None, None, None, 0, None)


def test_a_row_reads_as_the_sentences_do():
    html = tables.html(tables.record(rates(KNOWN)))
    for cell in ("1,204", "71%", "64 to 77%", "$1,204", "1 March 2026"):
        assert f">{cell}<" in html


def test_the_csv_holds_what_the_page_rounds():
    assert tables.csv_text(tables.record(rates(KNOWN, TOO_FEW))).splitlines() == [
        "insurer,n,estimate,lower,upper,charge_cents,first_date",
        "Evergreen Health,1204,0.714,0.64,0.77,120408,2026-03-01",
        "Auto,3,,,,0,",
    ]


def test_a_column_for_those_who_recheck_stands_in_the_csv_alone():
    whole = rates(KNOWN)
    columns = [*COLUMNS[:4], ColumnSpec("Charges", "dollars", only_csv=True), COLUMNS[5]]
    record = tables.record(dataclasses.replace(whole, columns=columns))
    assert "Charges" not in tables.html(record)
    assert tables.csv_text(record) == tables.csv_text(tables.record(whole))


def test_what_is_not_known_says_so_and_is_not_zero():
    html = tables.html(tables.record(rates(TOO_FEW)))
    assert ">too few claims<" in html
    assert "0%" not in html


def test_each_column_of_the_csv_is_described_with_its_unit():
    fields = tables.schema(tables.record(rates(KNOWN)))["fields"]
    assert [field["title"] for field in fields[3:6]] == ["Range, lower", "Range, upper", "Charges"]
    assert fields[5] == {
        "name": "charge_cents",
        "title": "Charges",
        "type": "integer",
        "description": "US cents",
    }


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1"])
def test_a_spreadsheet_does_not_run_an_insurers_name(name):
    record = tables.record(rates((name, *KNOWN[1:])))
    # Within a cell a tab might end it, so what follows one is guarded as well.
    guarded = "'" + name.replace("\t", "\t'")
    assert f"{guarded}," in tables.csv_text(record)


def test_a_negative_amount_stays_a_number():
    record = tables.record(rates((*KNOWN[:5], -1250, None)))
    assert ",-1250," in tables.csv_text(record)


def test_columns_must_cover_the_frame():
    with pytest.raises(ValueError, match="1 columns described, the frame has 2"):
        Shown("t", "T", pd.DataFrame({"a": ["x"], "b": [1]}), [ColumnSpec("A")])


def test_a_count_that_is_no_whole_number_is_a_mistake():
    with pytest.raises(ValueError, match="whole number"):
        tables.html(tables.record(rates(("Auto", 2.5, *KNOWN[2:]))))


def test_headers_captions_and_cells_are_text():
    frame = pd.DataFrame({"a": ["<i>x</i>"]})
    html = tables.html(
        tables.record(Shown("t", "<b>T</b>", frame, [ColumnSpec("<u>A</u>")], note="<s>n</s>"))
    )
    assert not any(tag in html for tag in ("<i>", "<b>", "<u>", "<s>"))


def test_a_cell_carries_its_heading_for_a_phone_where_the_head_is_out_of_sight():
    html = tables.html(tables.record(rates(KNOWN)))
    assert '<td role="cell" data-label="Claims" class="number">1,204</td>' in html
    assert 'data-label="Insurer"' not in html


def test_a_column_with_nothing_to_read_stands_in_the_csv_alone():
    frame = pd.DataFrame([("a", "", 1_00, 3_00)], columns=["x", "why", "low", "high"])
    columns = [ColumnSpec("X"), ColumnSpec("Why"), ColumnSpec("Range", "dollars_interval")]
    record = tables.record(Shown("t", "T", frame, columns))
    assert (record["headers"], record["cells"]) == (["X", "Range"], [["a", "$1 to $3"]])
    assert record["is_number"] == [False, True]
    assert tables.csv_text(record) == "x,why,low,high\na,,100,300\n"


def test_a_long_table_shows_its_first_rows_and_says_where_the_others_are():
    many = rates(*[(f"Insurer {n}", *KNOWN[1:]) for n in range(1200)])
    record = tables.record(dataclasses.replace(many, at_most=2))
    html = tables.html(record, "../tables/<x>")
    assert ("Insurer 1<" in html, "Insurer 2<" in html) == (True, False)
    link = '<a href="../tables/&lt;x&gt;/rates.csv">all rows</a>'
    assert f"The first 2 of 1,200 rows; {link}. Ranges at 95%." in html
    assert "The first 2 of 1,200 rows. Ranges at 95%." in tables.html(record)
    assert len(tables.csv_text(record).splitlines()) == 1201
    assert tables.schema(record)["description"] == "Ranges at 95%."


def test_differences_read_in_points_with_their_sign():
    frame = pd.DataFrame([("x", -0.123, -0.301, 0.056, 2.5)], columns=["a", "b", "c", "d", "e"])
    columns = [ColumnSpec("A"), ColumnSpec("Points", "points")]
    columns += [ColumnSpec("Range", "points_interval"), ColumnSpec("Ratio", "number")]
    record = tables.record(Shown("t", "T", frame, columns))
    assert record["cells"] == [["x", "−12", "−30 to 6", "2.50"]]
    assert record["rows"] == [["x", -0.123, -0.301, 0.056, 2.5]]
    nought = Shown("t", "T", frame.assign(b=-0.001), columns)
    assert tables.record(nought)["cells"][0][1] == "0"

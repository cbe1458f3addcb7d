import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import engine, tables
from analysis.errors import DataError, TableError
from analysis.schemas import TABLES

_DIAGNOSES = [
    {"claim_version_id": "v1", "diagnosis_position": 1, "diagnosis_code": "M54.2"},
    {"claim_version_id": "v1", "diagnosis_position": 2, "diagnosis_code": "M54.50"},
]


def test_what_is_written_is_read_back_and_is_private(tmp_path: Path) -> None:
    table = tables.from_rows("claim_diagnoses", _DIAGNOSES)
    path = tables.write(tmp_path, "claim_diagnoses", table, {"step": "intake", "key": "k"})
    assert tables.read(tmp_path, "claim_diagnoses").equals(table)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = tables.provenance(tmp_path, "claim_diagnoses")
    assert (kept["step"], kept["key"]) == ("intake", "k")


def test_tables_of_the_same_rows_have_the_same_digest_whatever_they_were_made_under(
    tmp_path: Path,
) -> None:
    def content(rows: list[dict[str, object]], key: str) -> str:
        table = tables.from_rows("claim_diagnoses", rows)
        tables.write(tmp_path, "claim_diagnoses", table, {"step": "intake", "key": key})
        return tables.provenance(tmp_path, "claim_diagnoses")["content"]

    once = content(_DIAGNOSES, "k")
    assert content(_DIAGNOSES, "another") == once
    others = (_DIAGNOSES[:1], _DIAGNOSES[::-1], [_DIAGNOSES[0] | {"diagnosis_code": "M54.3"}], [])
    assert len({once, *(content(rows, "k") for rows in others)}) == 5


@pytest.mark.parametrize(("key", "is_moved"), [("k", True), ("another", False)])
def test_a_table_that_grew_in_a_file_is_moved_into_place_if_made_under_the_same_key(
    tmp_path: Path, key: str, is_moved: bool
) -> None:
    table = tables.from_rows("claim_diagnoses", _DIAGNOSES)
    made = {"step": "intake", "key": "k"}
    with tables.making(made):
        growing = tables.Growing(tmp_path / "grown.parquet", "claim_diagnoses")
        for start in range(len(table)):
            growing.add(table.slice(start, 1))
        grown = growing.close()
    path = tables.write(tmp_path / "out", "claim_diagnoses", grown, made | {"key": key})
    assert tables.read(tmp_path / "out", "claim_diagnoses").equals(table)
    assert tables.provenance(tmp_path / "out", "claim_diagnoses")["key"] == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert grown.exists() != is_moved


def test_a_declared_result_of_the_engine_is_written_once_as_it_would_be_from_memory(
    tmp_path: Path,
) -> None:
    # More than one group of rows, and no whole number of them; sorted, so that it comes in pieces.
    sql = """SELECT 'v' || (range // 7) AS claim_version_id, range % 7 AS diagnosis_position,
        'M54.' || (range % 10) AS diagnosis_code FROM range(300_001) ORDER BY hash(range)"""
    made = {"step": "lineage", "key": "k"}
    with (
        engine.workspace(tmp_path / "work", "200 MB", grow=tables.growing),
        tables.making(made),
    ):
        file = engine.run({"claim_diagnoses": sql}, {}, ["claim_diagnoses"])["claim_diagnoses"]
        number = file.stat().st_ino
        tables.write(tmp_path / "filed", "claim_diagnoses", file, made)
    held = engine.run({"claim_diagnoses": sql}, {}, ["claim_diagnoses"])["claim_diagnoses"]
    tables.write(tmp_path / "held", "claim_diagnoses", held, made)
    filed = tables.stored(tmp_path / "filed", "claim_diagnoses")
    assert filed.stat().st_ino == number
    assert filed.read_bytes() == tables.stored(tmp_path / "held", "claim_diagnoses").read_bytes()


def test_a_key_of_several_columns_repeats_only_where_all_of_them_do() -> None:
    rows = [row | {"claim_version_id": name} for name in ("v1", "v2") for row in _DIAGNOSES]
    assert tables.problems("claim_diagnoses", tables.from_rows("claim_diagnoses", rows)) == []
    (problem,) = tables.problems(
        "claim_diagnoses", tables.from_rows("claim_diagnoses", [*rows, *rows[:3], rows[0]])
    )
    assert "4 rows repeat a key" in problem


@pytest.mark.parametrize("most", [1, 3, 100])
def test_a_repeated_key_is_found_however_few_hashes_are_looked_at_together(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(tables, "_MOST_HASHES", most)
    good = tables.from_rows("claim_diagnoses", _DIAGNOSES)
    assert tables.problems("claim_diagnoses", good) == []
    for place in range(len(_DIAGNOSES)):
        twice = pa.concat_tables([good, good.slice(place, 1)])
        (problem,) = tables.problems("claim_diagnoses", twice)
        assert "1 rows repeat a key" in problem


def test_a_repeated_key_is_refused_and_the_earlier_file_stays(tmp_path: Path) -> None:
    good = tables.from_rows("claim_diagnoses", _DIAGNOSES)
    tables.write(tmp_path, "claim_diagnoses", good, {})
    with pytest.raises(TableError, match="1 rows repeat a key"):
        tables.write(tmp_path, "claim_diagnoses", pa.concat_tables([good, good.slice(0, 1)]), {})
    assert tables.read(tmp_path, "claim_diagnoses").num_rows == 2
    assert [p.name for p in tmp_path.iterdir()] == ["claim_diagnoses.parquet"]


@pytest.mark.parametrize(
    ("name", "row", "told"),
    [
        ("claim_diagnoses", {"claim_version_id": "v1", "diagnosis_position": 1}, "are null"),
        (
            "remarks",
            {"remark_id": "m", "remittance_id": "r", "segment": "XX", "remark_code": "N1"},
            "undeclared value",
        ),
    ],
)
def test_a_broken_rule_is_told_without_any_value(
    name: str, row: dict[str, object], told: str
) -> None:
    (problem,) = tables.problems(name, tables.from_rows(name, [row]))
    assert told in problem
    assert "XX" not in problem


def test_nulls_are_told_of_a_file_of_the_engine_and_refused_on_the_way_to_one_of_ours(
    tmp_path: Path,
) -> None:
    rows = pa.table(
        {
            "claim_version_id": ["v1"],
            "diagnosis_position": [1],
            "diagnosis_code": pa.nulls(1, pa.string()),
        }
    )
    pq.write_table(rows, tmp_path / "made.parquet")
    (problem,) = tables.problems("claim_diagnoses", tmp_path / "made.parquet")
    assert "1 rows are null" in problem
    growing = tables.Growing(tmp_path / "ours.parquet", "claim_diagnoses")
    with pytest.raises(TableError):
        growing.add(rows)


def test_a_wrong_type_is_told_without_the_value() -> None:
    wrong = pa.table(
        {
            "claim_version_id": ["v1"],
            "diagnosis_position": ["JANE DOE"],
            "diagnosis_code": ["M54.2"],
        }
    )
    with pytest.raises(TableError) as told:
        tables.conform("claim_diagnoses", wrong)
    assert "JANE" not in str(told.value)


def test_cents_stay_whole_where_some_are_unknown() -> None:
    table = tables.from_rows(
        "remittance_lines",
        [
            {"remittance_line_id": "l1", "allowed_cents": 9007199254740993},
            {"remittance_line_id": "l2", "allowed_cents": None},
        ],
    )
    frame = tables.to_frame(table)
    assert frame["allowed_cents"].iloc[0] == 9007199254740993
    assert frame["allowed_cents"].isna().iloc[1]


def test_a_table_not_built_yet_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="outcomes build demo"):
        tables.read(tmp_path / "demo", "claims")


def test_an_unknown_table_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="did you mean 'claims'"):
        tables.read(tmp_path, "claim")


@pytest.mark.parametrize("name", list(TABLES))
def test_every_table_can_be_empty(tmp_path: Path, name: str) -> None:
    tables.write(tmp_path, name, tables.from_rows(name, []), {})
    assert tables.read(tmp_path, name).num_rows == 0


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_declarations_keep_their_own_rules(table: object) -> None:
    columns = {column.name: column for column in table.columns}  # type: ignore[attr-defined]
    assert set(table.key) <= set(columns)  # type: ignore[attr-defined]
    for name, column in columns.items():
        if name.endswith("_cents"):
            assert column.kind == "integer"
        if name.endswith("_date"):
            assert column.kind == "date"
        if name.startswith(("is_", "has_")):
            assert column.kind == "boolean"
        if name.endswith(("_id", "_code")):
            assert column.kind == "text"

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import engine, pipeline
from analysis.config import Folders, Practice
from analysis.errors import DataError


def test_stages_see_inputs_earlier_stages_and_bound_values() -> None:
    made = engine.run(
        {
            "kept": "SELECT x FROM numbers WHERE x >= getvariable('least')",
            "summed": "SELECT sum(x) AS total FROM kept",
        },
        {"numbers": pa.table({"x": [1, 2, 3]})},
        ["summed"],
        {"least": 2},
    )
    assert made["summed"]["total"].to_pylist() == [5]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "INSTALL httpfs",
    ],
)
def test_sql_reaches_no_file_and_no_network(sql: str) -> None:
    with engine.connect() as connection, pytest.raises(duckdb.Error):
        connection.execute(sql)


def test_sql_cannot_open_the_door_again() -> None:
    with engine.connect() as connection, pytest.raises(duckdb.Error):
        connection.execute("SET enable_external_access = true")


def test_a_value_is_never_read_as_sql() -> None:
    made = engine.run(
        {"t": "SELECT getvariable('v') AS v"}, {}, ["t"], {"v": "'; DROP TABLE x; --"}
    )
    assert made["t"]["v"].to_pylist() == ["'; DROP TABLE x; --"]


def test_what_memory_cannot_make_at_once_is_made_piece_by_piece(tmp_path: Path) -> None:
    """Five joins of a view each: in one statement they hold five tables in memory, apart one."""
    numbers = {"numbers": pa.table({"n": range(500_000)})}
    text = "md5(CAST(n * {} AS VARCHAR))"
    staged = {"joined_0": f"SELECT n, {text.format(7)} AS text_0 FROM numbers"}
    for k in range(1, 6):
        staged[f"joined_{k}"] = (
            f"SELECT j.*, o.text_{k} FROM joined_{k - 1} AS j "
            f"LEFT JOIN (SELECT n, {text.format(k)} AS text_{k} FROM numbers) AS o ON o.n = j.n"
        )
    staged["told"] = "SELECT count(*) AS n, min(text_1) AS one, max(text_5) AS five FROM joined_5"
    *pieces, told = staged.items()
    named = ", ".join(f"{name} AS ({sql})" for name, sql in pieces)
    with engine.workspace(tmp_path / "once", "65 MB"), pytest.raises(duckdb.OutOfMemoryException):
        engine.run({"told": f"WITH {named} {told[1]}"}, numbers, ["told"])
    with engine.workspace(tmp_path / "work", "65 MB"):
        made = engine.run(staged, numbers, ["told"])
        assert isinstance(made["told"], Path)
        (row,) = pq.read_table(made["told"]).to_pylist()
    assert row["n"] == 500_000
    assert row == engine.run(staged, numbers, ["told"])["told"].to_pylist()[0]


def test_in_a_workspace_tables_come_from_files_and_go_to_files(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1, 2, 3]}), tmp_path / "numbers.parquet")
    with engine.workspace(tmp_path / "work", "100 MB"):
        made = engine.run(
            {"summed": "SELECT sum(x) AS total FROM numbers"},
            {"numbers": tmp_path / "numbers.parquet"},
            ["summed"],
        )
        assert isinstance(made["summed"], Path)
        read = pq.read_table(made["summed"])
    assert read.schema.field("total").type == pa.int64()
    assert read["total"].to_pylist() == [6]


def test_a_workspace_opens_only_its_own_folder_and_the_inputs(tmp_path: Path) -> None:
    for name in ("given", "other"):
        pq.write_table(pa.table({"x": [1]}), tmp_path / f"{name}.parquet")
    with (
        engine.workspace(tmp_path / "work", "100 MB"),
        engine.connect({"given": tmp_path / "given.parquet"}) as connection,
    ):
        assert connection.execute("SELECT x FROM given").fetchone() == (1,)
        with pytest.raises(duckdb.Error):
            connection.execute(f"SELECT * FROM read_parquet('{tmp_path}/other.parquet')")


def test_where_memory_is_ample_small_inputs_stay_in_it_and_no_file_is_opened(
    tmp_path: Path,
) -> None:
    given = tmp_path / "given.parquet"
    pq.write_table(pa.table({"x": [1, 2]}), given)
    with engine.workspace(tmp_path / "work", "60%"):
        staged = {"kept": "SELECT x + getvariable('one') AS y FROM given"}
        made = engine.run(staged, {"given": given}, ["kept"], {"one": 1})
        assert isinstance(made["kept"], pa.Table)
        assert made["kept"]["y"].to_pylist() == [2, 3]
        with engine.connect({"other": given}) as connection:
            # Of what the same database held before, nothing is left.
            for gone in ("SELECT * FROM given", "SELECT * FROM kept"):
                with pytest.raises(duckdb.CatalogException):
                    connection.execute(gone)
            assert connection.execute("SELECT getvariable('one')").fetchone() == (None,)
            with pytest.raises(duckdb.PermissionException):
                connection.execute(f"SELECT * FROM read_parquet('{given}')")
            with pytest.raises(duckdb.InvalidInputException):
                connection.execute("SET enable_external_access = true")
    assert not list((tmp_path / "work").iterdir())


def test_what_memory_cannot_hold_goes_to_the_disk(tmp_path: Path) -> None:
    many = "SELECT range AS x, hash(range) AS y FROM range(4_000_000)"
    with engine.workspace(tmp_path / "work", "60 MB"):
        made = engine.run({"many": many, "sorted": "SELECT x FROM many ORDER BY y"}, {}, ["sorted"])
        assert isinstance(made["sorted"], Path)
        assert pq.read_metadata(made["sorted"]).num_rows == 4_000_000


def test_many_rows_are_not_small_however_little_room_their_file_takes(tmp_path: Path) -> None:
    many = tmp_path / "many.parquet"
    alike = pa.repeat("the same insurer on every line", 2**20)
    pq.write_table(pa.table(dict.fromkeys("abcdefgh", alike)), many)
    assert many.stat().st_size < 2**20
    with engine.workspace(tmp_path / "room", "2 GB"):
        assert not engine.are_small({"many": many})


def test_a_step_whose_memory_is_too_small_says_which_it_is_and_what_to_do(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "data", tmp_path / "reports", "small")
    step = next(step for step in pipeline.STEPS if step.name == "outcomes")
    with (
        pytest.raises(DataError, match="determining outcomes needs more memory than memory_limit"),
        pipeline._workspace(folders, Practice(memory_limit="1 MB"), step, None),
    ):
        engine.run({"x": "SELECT range AS a FROM range(3_000_000) ORDER BY hash(range)"}, {}, ["x"])
    assert not (folders.private / "work").exists()


def test_what_no_later_statement_needs_is_gone_and_what_is_read_once_is_not_copied() -> None:
    staged = {
        "twice": "SELECT x FROM numbers",  # needed to the end, through the view below
        "once": "SELECT x, 1 / 0 AS never_asked_for FROM twice WHERE x > 1",
        "pairs": "SELECT a.x FROM twice AS a",
        "total": "SELECT sum(o.x) AS total FROM once AS o INNER JOIN pairs AS p ON p.x = o.x",
    }
    with engine.connect({"numbers": pa.table({"x": [1, 2, 3]})}) as connection:
        sql = engine.InProcess(connection)
        sql.stage(staged, keep=["total"])
        assert sql.fetch("total")["total"].to_pylist() == [5]
        left = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert left == [("total",)]


def test_a_word_that_only_looks_like_a_table_costs_no_result() -> None:
    staged = {
        "first": "SELECT later.x FROM numbers AS later",
        "later": "SELECT x AS first FROM first -- not last",
        "last": "SELECT sum(first) AS n FROM later",
    }
    made = engine.run(staged, {"numbers": pa.table({"x": [1, 2]})}, ["last"])
    assert made["last"]["n"].to_pylist() == [3]

import duckdb
import pyarrow as pa
import pytest

from analysis import engine


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

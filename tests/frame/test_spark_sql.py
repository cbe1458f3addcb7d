"""The SQL that is kept for Spark is what its sources say, and nothing in it is untested."""

import pytest

from tools import spark_sql


def test_it_is_up_to_date() -> None:
    kept = {path: path.read_text(encoding="utf-8") for path in spark_sql.MADE.rglob("*.sql")}
    assert kept == spark_sql.texts(), "run python tools/spark_sql.py"


def test_a_function_that_may_mean_another_thing_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hash\(\) is not known to mean the same"):
        spark_sql.spark("SELECT hash(claim_id) FROM claims")


def test_values_stay_bound_and_places_stay_open() -> None:
    said = spark_sql.spark("SELECT a, {terms} FROM t WHERE day < getvariable('as_of_date')")
    assert "{terms}" in said
    assert "session.as_of_date" in said

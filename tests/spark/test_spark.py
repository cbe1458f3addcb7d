"""What Spark makes of a practice is what DuckDB makes of it; `run.py spark` brings Spark."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from analysis import pipeline, synthetic, tables
from analysis.config import Folders
from analysis.errors import ConfigError, DataError

pytestmark = pytest.mark.spark

N_CLAIMS = 75_000  # of one line or two each
LAST = "actions"  # what comes after it is no table of the engine's
STEPS = [step.name for step in pipeline.STEPS]
MADE = [name for step in pipeline.STEPS[: STEPS.index(LAST) + 1] for name in step.writes]


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark's own file of settings: few partitions, since one machine takes them all."""
    said = "spark.sql.shuffle.partitions 2\nspark.driver.memory 3g\n"
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "spark-defaults.conf").write_text(said, encoding="utf-8")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path / "conf"))


def built(practice: Folders, engine: str = "") -> Folders:
    statement = practice.raw / "practice.toml"
    said = statement.read_text(encoding="utf-8") if statement.exists() else ""
    statement.write_text(f"{engine}\n{said}", encoding="utf-8")
    pipeline.build(practice, through=LAST, say=lambda _: None)
    return practice


def on_both(practice: Folders) -> tuple[Folders, Folders]:
    """The practice built by each engine, under one key of pseudonyms."""
    other = Folders(practice.data_dir.with_name("spark"), practice.reports_dir, practice.practice)
    shutil.copytree(practice.raw, other.raw)
    built(practice)
    other.private.mkdir(parents=True)
    shutil.copy(practice.private / "pseudonym.key", other.private)
    return practice, built(other, 'engine = "spark"\nspark_master = "local[2]"')


def described(table: pa.Table) -> dict[str, int]:
    """How many rows, and the sum of every column of whole numbers."""
    whole = [field.name for field in table.schema if pa.types.is_integer(field.type)]
    return {"rows": len(table)} | {name: pc.sum(table[name]).as_py() for name in whole}


def assert_same_tables(practice: Folders) -> None:
    duckdb, spark = on_both(practice)
    for name in MADE:
        one, other = tables.read(duckdb.processed, name), tables.read(spark.processed, name)
        assert described(one) == described(other), name
        # Row by row, in the same order.
        assert one.equals(other), name


def test_every_table_of_a_large_practice_is_the_same_to_the_row(tmp_path: Path) -> None:
    synthetic.synthesize("clinic", data_dir=tmp_path / "duckdb", n_claims=N_CLAIMS, seed=11)
    practice = Folders(tmp_path / "duckdb", tmp_path / "reports", "clinic")
    assert_same_tables(practice)
    assert len(tables.read(practice.processed, "service_lines")) >= 100_000


def test_every_table_of_files_made_by_others_is_the_same(shared_data: Path, tmp_path: Path) -> None:
    practice = Folders(tmp_path / "duckdb", tmp_path / "reports", "shared")
    shutil.copytree(shared_data / "x12", practice.raw)
    practice.raw.chmod(0o755)
    assert_same_tables(practice)


def test_nothing_of_a_build_is_left_behind(tmp_path: Path) -> None:
    synthetic.synthesize("clinic", data_dir=tmp_path / "data", n_claims=30, n_months=6)
    practice = Folders(tmp_path / "data", tmp_path / "reports", "clinic")
    built(practice, 'engine = "spark"\nspark_master = "local[1]"')
    assert {path.name for path in practice.private.iterdir()}.isdisjoint({"spark", "work"})


def test_a_table_that_cannot_be_made_is_named_and_no_row_is_quoted(tmp_path: Path) -> None:
    from analysis import engine, spark

    with (
        spark.cluster("local[1]", tmp_path / "spilled") as cluster,
        engine.workspace(tmp_path / "work", "1 GB", cluster),
        pytest.raises(DataError, match="table broken: CAST_INVALID_INPUT") as said,
    ):
        engine.run(
            {"broken": "SELECT CAST(word AS INT) AS number FROM given"},
            {"given": pa.table({"word": ["Doe"]})},
            ["broken"],
        )
    assert "Doe" not in str(said.value)


def test_a_master_that_nobody_answers_for_is_said_with_what_to_do(tmp_path: Path) -> None:
    synthetic.synthesize("clinic", data_dir=tmp_path / "data", n_claims=30, n_months=6)
    practice = Folders(tmp_path / "data", tmp_path / "reports", "clinic")
    with pytest.raises(ConfigError, match="did not start with the master nowhere"):
        built(practice, 'engine = "spark"\nspark_master = "nowhere"')

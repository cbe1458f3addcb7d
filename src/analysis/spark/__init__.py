"""The staged SQL on a Spark cluster, for claims that outgrow one machine.

`sql/` holds the statements as Spark says them; `tools/spark_sql.py` makes them from the `.sql`
files of the other packages, and a test holds the tables of both engines against each other. Every
staged table is a Parquet folder in the practice's private work folder, so the machines of a
cluster must share the disk it lies on. Spark's own settings (memory, cores, partitions) come from
Spark's own `conf/spark-defaults.conf`.
"""

import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_KINDS = {"str": "STRING", "int": "BIGINT", "date": "DATE"}

_Source: TypeAlias = "pa.Table | Path"


@contextmanager
def cluster(master: str, folder: Path) -> Iterator["Cluster"]:
    """A session on the cluster at `master` (such as spark://host:7077, or local[2]).

    What does not fit its memory spills into `folder`, which it makes private; it is for the caller
    to empty it. Raises ConfigError when pyspark or Java is absent, or nobody answers at `master`.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as problem:
        raise ConfigError(
            'engine = "spark" needs the package pyspark and Java 17: install them (pip install'
            " pyspark), or leave the line out of practice.toml"
        ) from problem
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = {
        "spark.local.dir": str(folder),
        "spark.sql.session.timeZone": "UTC",
        # What was asked of a table is a patient's: no web page and no log may show it.
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.debug.maxToStringFields": "0",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={_log_settings()}",
    }
    if master.startswith("local"):
        # On one machine nobody else needs to reach it.
        settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    try:
        with warnings.catch_warnings():
            # About pandas, which takes no part in this.
            warnings.simplefilter("ignore", FutureWarning)
            builder = SparkSession.builder.master(master).appName("outcomes")
            session = builder.config(map=settings).getOrCreate()
    except Exception as problem:
        raise ConfigError(
            f"Spark did not start with the master {master}; check spark_master in practice.toml,"
            " that the cluster runs, and that Java 17 is installed"
        ) from problem
    try:
        yield Cluster(session)
    finally:
        session.stop()


def _log_settings() -> str:
    return (Path(str(files(__name__))) / "log4j2.properties").as_uri()


@dataclass(frozen=True)
class Cluster:
    """An open session; `analysis.engine` asks it for what it asks DuckDB for otherwise."""

    session: "SparkSession"

    @staticmethod
    def statements(package: str, file_name: str) -> str:
        """The text of `package`'s `.sql` file as Spark says it."""
        room = files(__name__) / "sql" / package.removeprefix("analysis.")
        return (room / file_name).read_text(encoding="utf-8")

    def staging(self, inputs: Mapping[str, _Source], folder: Path) -> "SparkStaging":
        """Tables to be staged over `inputs`, kept in `folder`."""
        # Its tables and variables are unseen by any other.
        return SparkStaging(self.session.newSession(), folder, inputs)


class SparkStaging:
    """The `Staging` of `analysis.engine` on Spark."""

    def __init__(
        self, session: "SparkSession", folder: Path, inputs: Mapping[str, _Source]
    ) -> None:
        self._session = session
        self._results = folder
        # A folder of its own, for another staging in the same place may use the same names.
        self._folder = Path(mkdtemp(dir=folder)).absolute()
        self._made: dict[str, Path] = {}
        self._n_made = 0
        for name, source in inputs.items():
            self._session.read.parquet(self._file(name, source)).createOrReplaceTempView(name)

    def _file(self, name: str, source: _Source) -> str:
        if isinstance(source, Path):
            return source.absolute().as_uri()
        path = self._folder / f"given-{name}.parquet"
        pq.write_table(source, path)
        return path.as_uri()

    def stage(
        self,
        staged: Mapping[str, str],
        parameters: Mapping[str, Any] | None = None,
        keep: Collection[str] | None = None,  # noqa: ARG002 - on its disk all may stay
        fetched: Collection[str] = (),  # noqa: ARG002 - all are files
    ) -> None:
        """As `Staging` says. Raises DataError when Spark cannot make a table."""
        for name, value in (parameters or {}).items():
            self._session.sql(f"DECLARE OR REPLACE VARIABLE {name} {_KINDS[type(value).__name__]}")
            self._session.sql(f"SET VARIABLE {name} = :value", args={"value": value})
        for name, sql in staged.items():
            self._make(name, sql)

    def _make(self, name: str, sql: str) -> None:
        # A folder each, since a table that replaces one is made from it.
        self._n_made += 1
        path = self._folder / f"{self._n_made:04}-{name}"
        try:
            rows = self._session.sql(sql)
            rows.write.parquet(path.as_uri())
        # Java's failures come as whatever the bridge to it makes of them.
        except Exception as problem:
            kind = getattr(problem, "getCondition", lambda: None)() or type(problem).__name__
            # Not Spark's own text: it may quote a row.
            raise DataError(f"Spark could not make the table {name}: {kind}") from None
        # Read back, or its making would be planned and done again by every table after it.
        kept = self._session.read.schema(rows.schema).parquet(path.as_uri())
        kept.createOrReplaceTempView(name)
        self._made[name] = path

    def fetch(self, name: str) -> Path:
        """As `Staging` says; the rows stand in the order that the statement gave them."""
        parts = sorted(self._made[name].glob("part-*.parquet"))
        path = self._results / f"{name}.parquet"
        with pq.ParquetWriter(path, pq.ParquetFile(parts[0]).schema_arrow) as file:
            for part in parts:
                for batch in pq.ParquetFile(part).iter_batches():
                    file.write_batch(batch)
        return path

"""Where set-based work runs: staged SQL on DuckDB inside the process, or on a Spark cluster.

Stages are lists of named SELECT statements kept in `.sql` files beside their modules, written in
what both engines understand alike. Values reach SQL only as bound parameters; once the inputs are
registered, DuckDB reads no other file and reaches no network. In a workspace, tables larger than
memory pass through files; small ones are worked on in memory, in one database for the process.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from analysis.spark import Cluster

# A table: rows in memory, or a Parquet file that holds them.
Source: TypeAlias = "pa.Table | Path"

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
_COMMENT = re.compile(r"--.*")
_WORD = re.compile(r"\w+")
# As DuckDB writes a limit, and what it advises for each thread.
_BYTES = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_UNITS = {**_BYTES, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES_PER_THREAD = 125_000_000
# Inputs that nobody need think of where a gigabyte is to be had.
_SMALL_BYTES, _AMPLE_BYTES = 64_000_000, 1_000_000_000
# Of rows in a file, each value's share in memory: how large the file is tells nothing of it.
_BYTES_PER_VALUE = 16
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
# Handed to Python, in pieces that the engine need not hold so many of.
_ROWS_AT_ONCE, _ROWS_OF_PIECE = 131_072, 16_384


class Staging(Protocol):
    """A series of named tables, each made by a SELECT over the inputs and the tables before it."""

    def stage(
        self,
        staged: Mapping[str, str],
        parameters: Mapping[str, Any] | None = None,
        keep: Collection[str] | None = None,
        fetched: Collection[str] = (),
    ) -> None:
        """Make the tables in order; one of a name already taken replaces it for what follows.

        A parameter is written `getvariable('name')` in the SQL and bound here, never pasted in.
        Where `keep` names the tables that are needed afterwards, the others may be gone then; of
        those kept, the ones in `fetched` are only fetched, and no later statement reads them.
        """

    def fetch(self, name: str) -> Source:
        """A staged table: in memory, or as a file of the workspace."""


class Growing(Protocol):
    """A table that is written some rows at a time."""

    def add(self, rows: pa.Table) -> None:
        """Write rows behind those there are."""

    def close(self) -> Path:
        """The file, now whole."""


# What is to write the table of a name to a path; None for one that has no form of its own.
Grow: TypeAlias = Callable[[Path, str], Growing | None]


@dataclass(frozen=True)
class _Workspace:
    folder: Path
    memory_limit: str
    cluster: "Cluster | None"
    grow: Grow


_workspace: ContextVar[_Workspace | None] = ContextVar("workspace", default=None)


@contextmanager
def workspace(
    folder: Path,
    memory_limit: str,
    cluster: "Cluster | None" = None,
    grow: Grow = lambda _, __: None,
) -> Iterator[None]:
    """Inside it, results are Parquet files in `folder`, and what memory cannot hold spills there.

    `memory_limit` is what the step may take, such as '2 GB' or '60%'. With a `cluster` the staged
    tables are made there. `grow` gives what writes a result that has a form of its own. The
    folder is made private, and it is for the caller to empty it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = _workspace.set(_Workspace(folder, memory_limit, cluster, grow))
    try:
        yield
    finally:
        _workspace.reset(token)


def room() -> Path | None:
    """The folder of the workspace; None outside of one."""
    space = _workspace.get()
    return space.folder if space else None


def grow() -> Grow:
    """What writes results that have a form of their own here."""
    space = _workspace.get()
    return space.grow if space else lambda _, __: None


def _cluster() -> "tuple[Cluster, Path] | None":
    """The workspace's cluster, with the folder for its results; None where DuckDB does the work."""
    space = _workspace.get()
    return (space.cluster, space.folder) if space and space.cluster else None


@contextmanager
def connect(inputs: Mapping[str, Source] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-process DuckDB that sees only `inputs` (view name -> table) and its workspace."""
    inputs = inputs or {}
    if are_small(inputs):
        with _database().cursor() as connection:
            for name, source in inputs.items():
                rows = pq.read_table(source) if isinstance(source, Path) else source
                connection.register(name, rows)
            yield connection
        return
    connection = duckdb.connect(config=_CLOSED)
    try:
        settings: dict[str, Any] = {
            "allowed_paths": [str(source) for source in inputs.values() if isinstance(source, Path)]
        }
        if space := _workspace.get():
            settings["memory_limit"] = _counted(space.memory_limit)
            settings["temp_directory"] = str(space.folder)
            settings["allowed_directories"] = [str(space.folder)]
            settings["threads"] = _threads(connection, settings["memory_limit"])
            # Blocks once used are kept for use again: to have them anew costs a page fault each.
            settings["block_allocator_memory"] = settings["memory_limit"]
        # Staged tables are soon dropped: compressing them in memory costs more than it saves.
        settings["checkpoint_threshold"] = "1 TB"
        # Last, since these close the door behind the others.
        settings |= {"enable_external_access": False, "lock_configuration": True}
        for name, value in settings.items():
            connection.execute(f"SET {name} = $value", {"value": value})
        for name, source in inputs.items():
            if isinstance(source, Path):
                connection.read_parquet(str(source)).create_view(name)
            else:
                connection.register(name, source)
        yield connection
    finally:
        connection.close()


def are_small(inputs: Mapping[str, Source]) -> bool:
    """Whether `inputs` are so few rows that what is made of them is held in memory."""
    space = _workspace.get()
    if not inputs or (space and not _is_ample(space.memory_limit)):
        return False
    return sum(map(_n_bytes, inputs.values())) <= _SMALL_BYTES


def _n_bytes(source: Source) -> int:
    """About how many bytes of memory a table takes."""
    if isinstance(source, Path):
        file = pq.read_metadata(source)
        return int(file.num_rows * file.num_columns * _BYTES_PER_VALUE)
    return int(source.nbytes)


def _is_ample(memory_limit: str) -> bool:
    amount, unit = _parted(memory_limit)
    # A share of the machine's memory, which is more than that on any of today's.
    return unit == "%" or amount * _UNITS[unit] >= _AMPLE_BYTES


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for all that is small: to open one takes longer than most of the statements.

    It opens no file. On one thread, since a second one costs more than it brings for few rows.
    """
    return duckdb.connect(
        config={
            **_CLOSED,
            "threads": 1,
            "enable_external_access": False,
            "lock_configuration": True,
        }
    )


def memory() -> float | None:
    """How many bytes DuckDB may take here; None without a limit, and on a cluster."""
    if room() is None or _cluster():
        return None
    with connect() as connection:
        return _limit(connection)


def _limit(connection: duckdb.DuckDBPyConnection) -> float:
    ((limit,),) = connection.sql("SELECT current_setting('memory_limit')").fetchall()
    amount, unit = limit.split()
    return float(amount) * _BYTES[unit]


def _counted(memory_limit: str) -> str:
    """The limit to give DuckDB: four fifths, since it counts neither Python nor all it holds."""
    amount, unit = _parted(memory_limit)
    return f"{amount * 4 / 5:.4f}{unit}"


def _parted(memory_limit: str) -> tuple[float, str]:
    """The number and the unit of a limit such as '2 GB' or '60%'."""
    return float(re.sub(r"[^\d.]", "", memory_limit)), re.sub(r"[\d.\s]", "", memory_limit)


def _threads(connection: duckdb.DuckDBPyConnection, memory_limit: str) -> int:
    """How many threads to use: each needs memory of its own, so with little there are fewer."""
    connection.execute("SET memory_limit = $value", {"value": memory_limit})
    ((most,),) = connection.sql("SELECT current_setting('threads')").fetchall()
    return max(1, min(int(most), int(_limit(connection) / _BYTES_PER_THREAD)))


def statements(package: str, *file_names: str) -> dict[str, str]:
    """The named statements of `.sql` files in `package`, in their order, as the engine says them.

    Raises ValueError when a name occurs twice: the later would silently hide the earlier.
    """
    if elsewhere := _cluster():
        texts = [elsewhere[0].statements(package, file_name) for file_name in file_names]
    else:
        texts = [(files(package) / name).read_text(encoding="utf-8") for name in file_names]
    return named("\n".join(texts))


def named(text: str) -> dict[str, str]:
    """The statements of a `.sql` file's text by name; raises ValueError as `statements` does."""
    parts = _NAME.split(text)[1:]
    names = parts[0::2]
    if len(set(names)) != len(names):
        raise ValueError(f"a statement name occurs twice among {', '.join(names)}")
    return dict(zip(names, (sql.strip() for sql in parts[1::2]), strict=True))


@contextmanager
def staging(inputs: Mapping[str, Source]) -> Iterator[Staging]:
    """Tables to be staged over `inputs` (view name -> table), on the workspace's engine."""
    if elsewhere := _cluster():
        cluster, folder = elsewhere
        yield cluster.staging(inputs, folder)
    else:
        with connect(inputs) as connection:
            yield InProcess(connection, None if are_small(inputs) else room(), grow())


@dataclass(frozen=True)
class InProcess:
    """Staging on DuckDB; tables fetched are files of `folder`, where there is one.

    Those that `grow` gives something for are written by it.
    """

    connection: duckdb.DuckDBPyConnection
    folder: Path | None = None
    grow: Grow = lambda _, __: None
    kinds: dict[str, str] = field(default_factory=dict)
    written: dict[str, Path] = field(default_factory=dict)

    def stage(
        self,
        staged: Mapping[str, str],
        parameters: Mapping[str, Any] | None = None,
        keep: Collection[str] | None = None,
        fetched: Collection[str] = (),
    ) -> None:
        """As `Staging` says."""
        for name, value in (parameters or {}).items():
            self.connection.execute(f"SET VARIABLE {name} = $value", {"value": value})
        passing = _Passing.of(staged, staged if keep is None else keep)
        # The parts whose statement comes later, each behind those that it reads itself.
        waiting: dict[str, dict[str, str]] = {}
        for name, sql in staged.items():
            parts: dict[str, str] = {}
            for read in words(sql):
                parts |= waiting.pop(read, {})
            if name in passing.parts:
                self.drop(name)
                waiting[name] = {**parts, name: sql}
                continue
            # Straight to its file: memory would hold the rows only to have them copied.
            filed = self.folder if name in fetched and name in passing.unread else None
            try:
                self._make(name, _with(parts, sql), filed)
            except duckdb.OutOfMemoryException:
                if not parts:
                    raise
                # One after the other they need less than all at once.
                for part, text in parts.items():
                    self._make(part, text)
                self._make(name, sql, filed)
                for part in parts:
                    self.drop(part)
            for ended in passing.ended[name]:
                self.drop(ended)

    def _make(self, name: str, sql: str, filed: Path | None = None) -> None:
        kind = "TABLE" if filed is None else "VIEW"
        self.drop(name)
        self.connection.execute(f"CREATE TEMP {kind} {name} AS {sql}")
        self.kinds[name] = kind
        if filed is not None:
            self.written[name] = self._write(filed, name)

    def drop(self, name: str) -> None:
        """Forget what is staged under a name, if anything, but not the file that holds it."""
        if kind := self.kinds.pop(name, None):
            self.connection.execute(f"DROP {kind} {name}")

    def fetch(self, name: str) -> Source:
        """As `Staging` says."""
        if self.folder is None:
            return self.connection.table(name).to_arrow_table()
        return self.written.get(name) or self._write(self.folder, name)

    def put_away(self, folder: Path, name: str) -> Path:
        """The file in `folder` of a staged table, which takes no memory any more."""
        path = self.written.pop(name, None) or self._write(folder, name)
        self.drop(name)
        return path

    def pour(self, name: str, table: Growing) -> None:
        """Add the rows of a staged table, in their order, to one that grows."""
        for rows in self._rows(name):
            table.add(rows)

    def _rows(self, name: str) -> Iterator[pa.Table]:
        """The rows of a staged table in their order, the same number at a time but for the last."""
        pieces = self._told(name).to_arrow_reader(_ROWS_OF_PIECE)
        waiting = pieces.schema.empty_table()
        # A piece may be shorter, as it comes: how many are together shall not hang on that.
        for piece in pieces:
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([piece])])
            if len(waiting) >= _ROWS_AT_ONCE:
                yield waiting.slice(0, _ROWS_AT_ONCE).combine_chunks()
                waiting = waiting.slice(_ROWS_AT_ONCE)
        yield waiting.combine_chunks()

    def _write(self, folder: Path, name: str) -> Path:
        path = folder / f"{name}.parquet"
        if grown := self.grow(path, name):
            self.pour(name, grown)
            return grown.close()
        self._told(name).to_parquet(str(path), compression="snappy", overwrite=True)
        return path

    def _told(self, name: str) -> duckdb.DuckDBPyRelation:
        """A staged table. Sums are 128 bits wide, for which files have no whole number."""
        staged = self.connection.table(name)
        columns = [
            f'CAST("{column}" AS BIGINT) AS "{column}"' if kind == "HUGEINT" else f'"{column}"'
            for column, kind in zip(staged.columns, staged.types, strict=True)
        ]
        return staged.project(", ".join(columns))


@dataclass(frozen=True)
class _Passing:
    """What becomes of staged tables that nobody needs afterwards.

    A table that one statement alone reads, once, is a part of that statement, with its SQL: of it
    only the rows and columns asked for are made. Any other is dropped after the last statement that
    needs it, so that memory holds what is still needed. `ended` has those of each statement,
    `unread` those that none reads.
    """

    parts: Collection[str]
    ended: Mapping[str, Collection[str]]
    unread: Collection[str]

    @classmethod
    def of(cls, staged: Mapping[str, str], keep: Collection[str]) -> "_Passing":
        readers: dict[str, list[str]] = {}
        for reader, sql in staged.items():
            for name in words(sql):
                # Of those before it; of one after it the word is only the name of something else.
                if name in readers:
                    readers[name].append(reader)
            readers[reader] = []
        unread = {name for name, found in readers.items() if not found}
        readers = {name: found for name, found in readers.items() if name not in keep}
        parts = {name for name, found in readers.items() if len(found) == 1}
        place = {name: at for at, name in enumerate(staged)}
        last: dict[str, str] = {}
        # Backwards, since what reads a part needs all that the part reads.
        for name in sorted(readers, key=lambda name: -place[name]):
            needed_in = [last[one] if one in parts else one for one in readers[name]]
            last[name] = max(needed_in, key=lambda one: place[one], default=name)
        ended: dict[str, list[str]] = {name: [] for name in staged}
        for name in readers.keys() - parts:
            ended[last[name]].append(name)
        return cls(parts, ended, unread)


def _with(parts: Mapping[str, str], sql: str) -> str:
    """A statement that holds its parts: views would be bound twice, when made and when read.

    Of a part that is not materialized only the rows and columns asked for are made, as of a view.
    """
    # A comment may end a text.
    named = ", ".join(f"{name} AS NOT MATERIALIZED ({text}\n)" for name, text in parts.items())
    return f"WITH {named}\n{sql}" if parts else sql


def words(sql: str) -> list[str]:
    """Every word of an SQL text outside its comments: among them the tables that it names."""
    return _WORD.findall(_COMMENT.sub("", sql))


def run(
    staged: Mapping[str, str],
    inputs: Mapping[str, Source],
    outputs: list[str],
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Source]:
    """Run named statements over `inputs` and return the tables named in `outputs`."""
    with staging(inputs) as sql:
        sql.stage(staged, parameters, keep=outputs, fetched=outputs)
        return {name: sql.fetch(name) for name in outputs}

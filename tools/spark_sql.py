"""Writes the package's SQL as Spark says it, under src/analysis/spark/sql/.

python tools/spark_sql.py

Raises ValueError for a function that is not known to mean the same on both engines: it would be
passed through without a word.
"""

import re
from pathlib import Path

import sqlglot
from sqlglot import exp

from analysis.engine import named

PACKAGE = Path(__file__).parents[1] / "src" / "analysis"
MADE = PACKAGE / "spark" / "sql"

# Each was seen to give the same on both engines, by the test that compares all their tables.
SAME = frozenset(
    re.findall(
        r"\w+",
        """
        abs and array_agg array_sort array_to_string case cast coalesce count datediff dense_rank
        exists first_value getvariable greatest group_concat if lag last_value lead least length
        logical_and logical_or lower max min nullif or percentile_disc rank regexp_like row_number
        split split_part starts_with substring sum trim unnest upper year
        """,
    )
)
_PLACE = re.compile(r"\{(\w+)\}")
_HELD_PLACE = re.compile(r"__(\w+?)__")


def texts() -> dict[Path, str]:
    """What every file under MADE should hold, by its path."""
    # Reading files is for the computer they lie on.
    apart = {MADE, PACKAGE / "intake"}
    found = sorted(path for path in PACKAGE.rglob("*.sql") if apart.isdisjoint(path.parents))
    return {MADE / path.relative_to(PACKAGE): _text(path) for path in found}


def _text(path: Path) -> str:
    said = named(path.read_text(encoding="utf-8"))
    source = path.relative_to(PACKAGE).as_posix()
    head = f"-- Made from {source} by tools/spark_sql.py; do not edit.\n"
    return head + "".join(f"\n-- name: {name}\n{spark(sql)}\n" for name, sql in said.items())


def spark(sql: str) -> str:
    """One DuckDB statement as Spark says it; `{places}` to be filled stay as they are."""
    tree = sqlglot.parse_one(_PLACE.sub(r"__\1__", sql), read="duckdb")
    for function in list(tree.find_all(exp.Func)):
        anonymous = isinstance(function, exp.Anonymous)
        name = (function.name if anonymous else function.sql_name()).lower()
        if name not in SAME:
            raise ValueError(f"{name}() is not known to mean the same on Spark")
        if name == "getvariable":
            function.replace(exp.column(function.expressions[0].this, table="session"))
    said = tree.sql(
        dialect="spark", pretty=True, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE
    )
    return _HELD_PLACE.sub(r"{\1}", said)


def main() -> None:
    """Write them all, and nothing else."""
    made = texts()
    for path in set(MADE.rglob("*.sql")) - set(made):
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

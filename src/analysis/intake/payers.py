"""Insurers and plans: what practice.toml states, completed by what the files say."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analysis import codes, engine, tables
from analysis.config import Practice
from analysis.errors import ConfigError, nearest


def under_stated_ids(read: Mapping[str, pa.Table], practice: Practice) -> dict[str, pa.Table]:
    """The tables with each insurer under the id practice.toml states for it.

    An insurer often pays under another id than the one claims are sent to. Where practice.toml
    lists that id, or the name sent with it, among the `aliases`, the stated id replaces it; an id
    stated itself is never replaced, and no id is given where none was sent. Raises ConfigError
    when an alias, an id or a plan stands for two insurers.
    """
    _refuse_contradictions(practice)
    stated_of = {_folded(alias): p.id for p in practice.payers for alias in p.aliases}
    if not stated_of:
        return dict(read)
    aliases = pa.array(stated_of.keys(), pa.string())
    stated = pa.array(stated_of.values(), pa.string())
    own = pa.array([payer.id for payer in practice.payers], pa.string())

    def renamed(table: pa.Table) -> pa.Table:
        ids = table["payer_id"]
        candidates = [_column_folded(ids)]
        if "payer_name" in table.column_names:
            candidates.append(_column_folded(table["payer_name"]))
        found = [stated.take(pc.index_in(texts, aliases)) for texts in candidates]
        keeps = pc.or_(pc.is_null(ids), pc.is_in(ids, own))
        ids = pc.if_else(keeps, ids, pc.coalesce(*found, ids))
        return table.set_column(table.column_names.index("payer_id"), "payer_id", ids)

    return {
        name: renamed(table) if "payer_id" in table.column_names else table
        for name, table in read.items()
    }


def describe(read: Mapping[str, pa.Table], practice: Practice) -> dict[str, pa.Table]:
    """Tables `payers` and `plans`: everything stated first, then everything met in the files.

    An insurer's kind is what practice.toml states, else what its filing indicator says
    (reference/payer_types.csv), else unknown. Raises ConfigError for a kind that is no code.
    """
    kinds = [row["payer_type"] for row in codes.rows("payer_types")]
    for payer in practice.payers:
        if payer.payer_type is not None and payer.payer_type not in kinds:
            raise ConfigError(
                f"practice.toml: payers.payer_type '{payer.payer_type}' is not a kind of "
                f"insurance; {nearest(payer.payer_type, kinds)}"
            )
    inputs = {name: read[name] for name in ("claims", "payments", "remittances")}
    inputs |= {
        "stated_payers": _stated_payers(practice),
        "stated_plans": _stated_plans(practice),
        "filing_indicators": _filing_indicators(),
    }
    staged = engine.statements("analysis.intake", "payers.sql")
    described = engine.run(staged, inputs, ["payers", "plans"])
    return {name: tables.conform(name, table) for name, table in described.items()}


def _refuse_contradictions(practice: Practice) -> None:
    ids = [payer.id for payer in practice.payers]
    aliases = {(_folded(alias), payer.id) for payer in practice.payers for alias in payer.aliases}
    # An insurer's own id among its aliases says nothing new; another insurer's contradicts.
    aliases -= {(_folded(payer_id), payer_id) for payer_id in ids}
    plans = [f"{plan.id} of {plan.payer_id}" for plan in practice.plans]
    for place, names in (
        ("payers: id", ids),
        ("payers: alias", [*(alias for alias, _ in aliases), *map(_folded, ids)]),
        ("plans: id", plans),
    ):
        twice = sorted(name for name, n in Counter(names).items() if n > 1)
        if twice:
            raise ConfigError(f"practice.toml: {place} {', '.join(twice)} stands more than once")


def _folded(text: str) -> str:
    return " ".join(text.upper().split())


def _column_folded(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    folded = pc.replace_substring_regex(pc.utf8_upper(texts), r"\s+", " ")
    return pc.utf8_trim_whitespace(folded)


def _stated_payers(practice: Practice) -> pa.Table:
    return _table(
        {"place": pa.int64(), "network_since_date": pa.date32()},
        ("payer_id", "payer_name", "payer_type", "network_status", "network_since_date", "place"),
        [
            (p.id, p.name, p.payer_type, p.network_status, p.since, place)
            for place, p in enumerate(practice.payers)
        ],
    )


def _stated_plans(practice: Practice) -> pa.Table:
    return _table(
        {"place": pa.int64(), "visit_limit_year": pa.int64()},
        ("payer_id", "plan_id", "plan_name", "funding", "visit_limit_year", "place"),
        [
            (p.payer_id, p.id, p.name, p.funding, p.visit_limit_year, place)
            for place, p in enumerate(practice.plans)
        ],
    )


def _filing_indicators() -> pa.Table:
    return _table(
        {},
        ("filing_indicator_code", "payer_type"),
        [
            (indicator, row["payer_type"])
            for row in codes.rows("payer_types")
            for indicator in row["filing_indicators"].split(";")
            if indicator
        ],
    )


def _table(
    types: dict[str, pa.DataType], names: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> pa.Table:
    """Rows as a table whose columns are text unless `types` says otherwise."""
    return pa.table(
        {
            name: pa.array([row[place] for row in rows], types.get(name, pa.string()))
            for place, name in enumerate(names)
        }
    )

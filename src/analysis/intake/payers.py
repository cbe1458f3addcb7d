"""Insurers and plans: what practice.toml states, completed by what the files say."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from analysis import codes, engine, tables
from analysis.config import Practice
from analysis.engine import Source
from analysis.errors import ConfigError, nearest


def check(practice: Practice) -> None:
    """Raises ConfigError when an alias, an id or a plan of practice.toml stands for two insurers,
    or a payer_type is no kind of insurance.
    """
    _refuse_contradictions(practice)
    kinds = [row["payer_type"] for row in codes.rows("payer_types")]
    for payer in practice.payers:
        if payer.payer_type is not None and payer.payer_type not in kinds:
            raise ConfigError(
                f"practice.toml: payers.payer_type '{payer.payer_type}' is not a kind of "
                f"insurance; {nearest(payer.payer_type, kinds)}"
            )


def describe(read: Mapping[str, Source], practice: Practice) -> dict[str, Source]:
    """Tables `payers`, `plans` and `network_periods`: what is stated first, then what is met.

    `read` are the tables of intake under settled ids, with `payer_names`. An insurer's kind is
    what practice.toml states, else what its filing indicator says, else unknown. Its unit rule is
    what practice.toml states, else what its kind mostly counts by (both reference/payer_types.csv).
    A plan's funding and product come from practice.toml, else from payer_aliases.csv, else from
    the kind of insurance or the filing indicator where those leave no choice.
    """
    names = ("claims", "payments", "remittances", "payer_names", "network_periods")
    inputs = {name: read[name] for name in names} | {
        "stated_payers": _stated_payers(practice),
        "stated_plans": _stated_plans(practice),
        "filing_indicators": codes.table("filing_indicators"),
        "payer_types": codes.table("payer_types"),
    }
    staged = engine.statements("analysis.intake", "payers.sql")
    outputs = ["payers", "plans", "network_periods_known"]
    made = engine.run(staged, inputs, outputs)
    made["network_periods"] = made.pop("network_periods_known")
    return {name: tables.conform(name, table) for name, table in made.items()}


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


def _stated_payers(practice: Practice) -> pa.Table:
    return _table(
        {"place": pa.int64(), "network_since_date": pa.date32()},
        (
            *("payer_id", "payer_name", "payer_type", "role", "unit_rule"),
            *("network_status", "network_since_date", "place"),
        ),
        [
            (*(p.id, p.name, p.payer_type, p.role, p.unit_rule), p.network_status, p.since, place)
            for place, p in enumerate(practice.payers)
        ],
    )


def _stated_plans(practice: Practice) -> pa.Table:
    return _table(
        {"place": pa.int64(), "visit_limit_year": pa.int64()},
        ("payer_id", "plan_id", "plan_name", "funding", "product", "visit_limit_year", "place"),
        [
            (p.payer_id, p.id, p.name, p.funding, p.product, p.visit_limit_year, place)
            for place, p in enumerate(practice.plans)
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

"""First and final determination of every claim and line, and why it was denied or cut.

The rules are the definitions of GLOSSARY.md, written as staged SQL. `keys.sql` numbers the records.
For each claim by itself `records.sql` orders them, `answers.sql` judges each answer,
`line_matches.sql` finds the line sent that it is about, `determinations.sql` nets them,
`appeal_answers.sql` reads what they say of appeals, `line_outcomes.sql` and `histories.sql` tell
what lines and claims came to. Across claims `appeals.sql` ties them to the practice's own appeals,
and `outcomes.sql` to the patient's other claims.

A line is approved when something was allowed, whatever was paid; a reversal and its correction net
to one determination; a secondary insurer, a duplicate and a rejection decide nothing.
"""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from analysis import codes, engine, ranges, tables
from analysis.config import DEFAULT_MATURITY_DAYS
from analysis.errors import DataError

INPUTS = (
    "claims",
    "service_lines",
    "claim_diagnoses",
    "remittances",
    "remittance_lines",
    "adjustments",
    "remarks",
    "provider_adjustments",
    "claim_lineage",
    "provider_adjustment_lineage",
    "payers",
    "acknowledgments",
    "appeals",
)
OUTPUTS = ("claim_outcomes", "line_outcomes", "line_lineage", "appeal_outcomes")

# Ways to tell which line an answer is about, the surest first: kind -> columns that must agree.
_MATCHES = {
    "line_control_number": ("number",),
    "all_terms": ("code", "day", "charge", "signs"),
    "charge": ("code", "day", "charge"),
    "day": ("code", "day"),
    "code": ("code",),
    "day_and_charge": ("day", "charge"),
}

# What follows the matching, claim by claim.
_BY_CLAIM = ("determinations", "appeal_answers", "line_outcomes", "histories")


def outcomes(inputs: Mapping[str, pa.Table], as_of: date) -> dict[str, pa.Table]:
    """The tables of `OUTPUTS` (grain and columns in `schemas`), as of the day `as_of`."""
    references = {name: codes.table(name) for name in ("carc", "rarc")}
    known = {name: inputs[name] for name in INPUTS} | references | {"conditions": _conditions()}
    variables = {"as_of_date": as_of, "default_maturity_days": DEFAULT_MATURITY_DAYS}
    stages = ranges.Stages(
        key="claim_key",
        numbering="claim_keys",
        before=_said("keys"),
        by_key=_said("records") | _said("answers") | _matching() | _said(*_BY_CLAIM),
        after=_said("appeals", "outcomes"),
    )
    made = ranges.run(stages, known, list(OUTPUTS), variables)
    return {name: tables.conform(name, table) for name, table in made.items()}


def _said(*names: str) -> dict[str, str]:
    return engine.statements("analysis.outcomes", *(f"{name}.sql" for name in names))


def _matching() -> dict[str, str]:
    """The statements that match lines by each way in turn; they are filled with names only."""
    templates = engine.statements("analysis.outcomes", "line_matches.sql")
    staged = {}
    for turn, (kind, terms) in enumerate(_MATCHES.items()):
        names = {
            "kind": kind,
            "terms": ", ".join(terms),
            "agree": " AND ".join(f"o.{term} = p.{term}" for term in terms),
            "turn": f"_{turn}",
            "next_turn": f"_{turn + 1}",
        }
        filled = {name: sql.format(**names) for name, sql in templates.items()}
        staged[f"matched_{turn}"] = filled["matched" if turn else "matched_by_number"]
        staged[f"open_parts_{turn + 1}"] = filled["open_parts"]
        staged[f"offers_{turn + 1}"] = filled["offers"]
    each = (f"SELECT * FROM matched_{turn}" for turn in range(len(_MATCHES)))  # noqa: S608
    return {**staged, "line_matches": " UNION ALL ".join(each)}


def _conditions() -> pa.Table:
    """The condition patterns in their order: the catch-all stands last."""
    patterns = codes.table("conditions")
    return patterns.append_column("pattern_order", pa.array(range(len(patterns)), pa.int64()))


def last_day(inputs: Mapping[str, pa.Table]) -> date:
    """The latest day the files know of: the as-of date of a practice that states none.

    Raises DataError when no claim and no payment carries a date.
    """
    dated = (
        ("claims", "submitted_date"),
        ("claims", "service_date"),
        ("payments", "payment_date"),
        ("remittances", "payment_date"),
    )
    latest = (f"SELECT max({column}) AS day FROM {table}" for table, column in dated)  # noqa: S608
    read = {table: inputs[table] for table, _ in dated}
    made = engine.run({"days": " UNION ALL ".join(latest)}, read, ["days"])
    known = [day for day in tables.load(made["days"])["day"].to_pylist() if day is not None]
    if not known:
        raise DataError(
            "no claim and no payment carries a date, so outcomes have no as-of date; "
            "put 837 or 835 files into the practice's raw folder, or state as_of in practice.toml"
        )
    last: date = max(known)
    return last

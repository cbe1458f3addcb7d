"""What every reader of claim lines keeps to."""

from collections.abc import Mapping

import pyarrow as pa


def assert_named_for_their_places(made: Mapping[str, pa.Table]) -> None:
    """A line is told by its record and its place in it: outcomes go by both in one number."""
    for table, line, record in (
        ("service_lines", "service_line_id", "claim_version_id"),
        ("remittance_lines", "remittance_line_id", "remittance_id"),
    ):
        for row in made[table].to_pylist():
            assert row[line] == f"{row[record]}-{row['line_number']}"

"""Errors for users, each with its exit code; everything else is a defect of ours.

A message says where, what and what next. It never holds a patient's value.
"""

from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """What the `outcomes` command returns to the shell."""

    DONE = 0
    DEFECT = 1
    USAGE = 2
    INCOMPLETE = 3
    """Done, but some input was set aside or some report failed."""
    REFUSED = 4
    """The release gate said no, or a release does not hold."""


class OutcomesError(Exception):
    """A problem the user can act on. The command line prints its text and no traceback."""

    exit_code = ExitCode.USAGE


class UsageError(OutcomesError):
    """A wrong command, parameter, practice or month."""


class ConfigError(OutcomesError):
    """practice.toml, or a file beside it, cannot be used as it stands."""


class DataError(OutcomesError):
    """The data cannot carry what was asked of them, for example too few claims for a model."""


class TableError(OutcomesError):
    """A table does not keep its declared schema: a stage of ours wrote what it must not."""

    exit_code = ExitCode.DEFECT


class GateRefused(OutcomesError):  # noqa: N818 - the word users read in the design
    """The release gate refused to let something leave the practice."""

    exit_code = ExitCode.REFUSED


def nearest(word: str, known: list[str]) -> str:
    """A clause naming the nearest known word, or all of them when none is near.

    >>> nearest("payor_id", ["payer_id", "month"])
    "did you mean 'payer_id'?"
    >>> nearest("x", ["payer_id", "month"])
    'known: month, payer_id'
    """
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(sorted(known))}"

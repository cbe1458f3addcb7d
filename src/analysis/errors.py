"""Errors for users, each with its exit code; everything else is a defect of ours.

A message says where, what and what next. It never holds a patient's value.
"""

from collections.abc import Mapping
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


def nearest_named(word: str, names: Mapping[str, str]) -> str:
    """As `nearest`, for ids that carry a name, since a person may have typed either.

    A word that several names share names them all.

    >>> nearest_named("evergren", {"EH1": "Evergreen Health", "HT7": "Harbor Trust"})
    "did you mean 'EH1' (Evergreen Health)?"
    >>> nearest_named("x", {"HT7": "Harbor Trust"})
    "known: 'HT7' (Harbor Trust)"
    """
    by_id = get_close_matches(word, list(names), n=1, cutoff=0.5)
    lower = {key: name.casefold() for key, name in names.items()}
    parts = [part for name in lower.values() for part in (name, *name.split())]
    by_name = get_close_matches(word.casefold(), parts, n=1, cutoff=0.7)
    meant = by_id or [key for key, name in lower.items() if by_name and by_name[0] in name]
    listed = ", ".join(f"'{key}' ({names[key]})" for key in sorted(meant or names))
    return f"did you mean {listed}?" if meant else f"known: {listed}"

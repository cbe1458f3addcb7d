"""Keyed pseudonyms: patients can be told apart in every table, and named in none.

The key stays in the practice's private folder. Without it a member id cannot be tested against a
pseudonym, however few member ids an insurer gives out.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import ConfigError

_KEY_BYTES = 32


class Pseudonyms:
    """Turns member ids into pseudonyms that stay the same as long as the key does."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, values: pa.Array, suffix: pa.Array | None = None) -> pa.Array:
        """`p_` and 16 hex digits for each id; null or blank stays null.

        Ids count as equal whatever their case and the blanks around them. `suffix` tells the
        dependents of one member apart; where it is null, the member alone is meant.
        """
        ids = _normal(values)
        if suffix is not None:
            suffixes = _normal(suffix)
            # The joined text is null wherever a part is, so a missing suffix leaves the id alone.
            joined = pc.binary_join_element_wise(ids, suffixes, "|")
            ids = pc.if_else(pc.is_valid(suffixes), joined, ids)
        distinct = ids.dictionary_encode()
        hashed = pa.array(map(self._one, distinct.dictionary.to_pylist()), pa.string())
        return hashed.take(distinct.indices)

    def _one(self, text: str) -> str:
        return "p_" + hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:16]


def _normal(values: pa.Array) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    text = pc.utf8_upper(pc.utf8_trim_whitespace(values.cast(pa.string())))
    return pc.if_else(pc.equal(text, ""), None, text)


def load_key(private: Path) -> bytes:
    """The practice's key from `private/pseudonym.key`, made on first use (folder 0700, file 0600).

    Raises ConfigError when the file is there but is no key: making another one silently would
    give every patient a new pseudonym.
    """
    private.mkdir(parents=True, exist_ok=True)
    private.chmod(0o700)
    path = private / "pseudonym.key"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        return _checked(path)
    key = secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key


def _checked(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise ConfigError(
            f"{path.name}: holds {len(key)} bytes, a key has {_KEY_BYTES}; put the file back from "
            "a backup, or delete it to start with new pseudonyms, then build again"
        )
    return key

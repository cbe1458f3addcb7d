"""`outcomes init`: a new practice's folder, with a commented practice.toml and empty records.

The record files hold their header only. Examples stand in README.txt, where no one can mistake
an example row for data.
"""

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from analysis import codes
from analysis.errors import UsageError
from analysis.intake.records import RECORD_FILES


def init(practice: str, data_dir: Path, draft_columns: Sequence[str]) -> list[Path]:
    """Write practice.toml, README.txt and the record files to `data_dir/raw/<practice>`.

    README.txt explains the sheet of drafts too, whose header is `draft_columns`.
    Returns the paths written (folder 0700, files 0600). Raises UsageError for a name that cannot
    be a folder everywhere, and when one of the files is there already; nothing is written then.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", practice):
        raise UsageError(
            "a practice's name is made of letters, digits, - and _, starts with a letter or a "
            "digit and has at most 64 characters; for example: outcomes init river-massage"
        )
    folder = data_dir / "raw" / practice
    texts = _texts(practice, draft_columns)
    there = sorted(name for name in texts if (folder / name).exists())
    if there:
        raise UsageError(
            f"{folder} holds {', '.join(there)} already; nothing was changed. Choose another name, "
            "or move these files away first"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = []
    for name, text in texts.items():
        path = folder / name
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(text, encoding="utf-8", newline="\n")
        paths.append(path)
    return paths


def _texts(practice: str, draft_columns: Sequence[str]) -> dict[str, str]:
    headers = {known.name: ",".join(known.headers) for known in RECORD_FILES}
    fillings = {
        "practice": practice,
        "drafts": "     " + ",".join(draft_columns),
        "payer_types": "\n".join(
            f"#                   {row['payer_type']} ({row['label']})"
            for row in codes.rows("payer_types")
            if row["payer_type"] != "unknown"
        ),
        "documents": "\n".join(
            f"     {row['name']:22}{row['label']}" for row in codes.rows("documentation")
        ),
        **{name: f"     {header}" for name, header in headers.items()},
    }
    filled = {name: _fill(name, fillings) for name in ("practice.toml", "README.txt")}
    return filled | {name: f"{header}\n" for name, header in headers.items()}


def _fill(name: str, fillings: dict[str, str]) -> str:
    text = (files("analysis.intake") / "templates" / name).read_text(encoding="utf-8")
    return re.sub(r"@([\w.]+)@", lambda match: fillings[match[1]], text)

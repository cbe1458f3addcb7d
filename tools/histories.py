"""Writes docs/histories.md from the adjudication stories that the tests hold the package against.

python tools/histories.py
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
STORIES = ROOT / "tests" / "stories"
PAGE = ROOT / "docs" / "histories.md"
ORDER = (
    "answers",
    "money",
    "lines",
    "chains",
    "versions",
    "reversals",
    "insurers",
    "tangled",
    "world",
    "deposits",
    "appeals",
    "files",
)

_INTRO = """# Adjudication histories

Generated from `tests/stories/` by `python tools/histories.py`; do not edit. Each history is a test:
what happened above, what it comes to below, as of 30 June 2026. Amounts are dollars. What happened:
`sent` (837P), `acknowledged` (277CA, 999), `answered` (835), `moved` (PLB of an 835), `appealed`
(appeals.csv). What follows: `claim` and `line` with their first and final determination, `matched`
(which line sent an answered line is about), `tied` (which claim a PLB amount is about), `appeal`.
`category` is why the first answer denied or cut, `taken back for` why an answer was reversed, and
`moved` what PLB took back for the claim. v1 is the first version sent, r1-2 the second line of the
first answer, p1 the first PLB amount. `file` and `ledger` tell of whole files.
"""


def page() -> str:
    """The page as it should stand in docs/."""
    parts = [(STORIES / f"{name}.md").read_text(encoding="utf-8") for name in ORDER]
    # Each file's own title becomes a chapter, and each story a section of it.
    lowered = ["\n".join(_lowered(line) for line in part.splitlines()) for part in parts]
    return "\n".join([_INTRO, *lowered]) + "\n"


def _lowered(line: str) -> str:
    return f"#{line}" if line.startswith("#") else line


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")

"""A practice of a few claims, and notebooks of a few cells, that reports can be made from."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from analysis import schemas, tables
from analysis.config import Folders

HOSTILE = "<script>alert(1)</script> & {{ 7 * 7 }} $Care$ | שלום‮ " + "x" * 250
FIRST_DAY, AS_OF = date(2026, 1, 5), date(2026, 4, 15)
_EMPTY = {"text": "", "integer": 0, "number": 0.0, "boolean": False, "date": AS_OF}


def write(folders: Folders, name: str, rows: list[dict[str, Any]]) -> None:
    """A processed table in which every column not told of holds the plainest allowed value."""
    plain = {
        c.name: c.values[0] if c.values else _EMPTY[c.kind]
        for c in schemas.TABLES[name].columns
        if not c.nullable
    }
    filled = tables.from_rows(name, [{**plain, **row} for row in rows])
    tables.write(folders.processed, name, filled, {"made": "by hand"})


def make_practice(root: Path) -> Folders:
    """Twenty claims to Evergreen Health, twelve to an insurer with a hostile name, three to Auto.

    Sent from January 2026 on, one every three days; answers read on 15 April 2026.
    """
    folders = Folders(root / "data", root / "reports", "demo")
    folders.raw.mkdir(parents=True)
    (folders.raw / "practice.toml").write_text(
        'name = "Clinic <b>North</b>"\nmade_up = true\nas_of = 2026-04-15\n', encoding="utf-8"
    )
    payers = {"00123": "Evergreen Health", "66/6": HOSTILE, "7": "Auto"}
    sent_to = ["00123"] * 20 + ["66/6"] * 12 + ["7"] * 3
    sent = [FIRST_DAY + timedelta(days=2 * n) for n in range(len(sent_to))]
    write(
        folders,
        "payers",
        [
            {"payer_id": payer, "payer_name": name, "network_status": "unknown"}
            for payer, name in payers.items()
        ],
    )
    write(
        folders,
        "claims",
        [{"claim_version_id": str(n), "submitted_date": day} for n, day in enumerate(sent)],
    )
    write(folders, "payments", [])
    write(folders, "remittances", [])
    write(
        folders,
        "claim_outcomes",
        [
            {
                "claim_id": str(n),
                "payer_id": payer,
                "submitted_date": day,
                "as_of_date": AS_OF,
                "first_determination": "denied" if n % 4 == 0 else "approved",
            }
            for n, (payer, day) in enumerate(zip(sent_to, sent, strict=True))
        ],
    )
    return folders


def write_notebook(library: Path, name: str, *cells: str, parameters: str = "") -> Path:
    """A notebook in `library`: a title, the parameters cell, an opened book, then `cells`."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    given = (
        'practice: str = "demo"\nmonth: str = ""\ndata_dir: str = ""\nreports_dir: str = ""\n'
        f"minimum_cell_size: int = 11\n{parameters}"
    )
    names = [line.split(":")[0] for line in given.split("\n") if line]
    handed_on = ", ".join(f"{name}={name}" for name in names)
    opened = f"from analysis.reports.book import Book\nbook = Book.open({name!r}, {handed_on})"
    code = [new_code_cell(cell) for cell in (opened, *cells)]
    tagged = new_code_cell(given, metadata={"tags": ["parameters"]})
    title = new_markdown_cell(f"# What does {name} ask?\n\nIts prose.\n\n## A section")
    notebook = new_notebook(cells=[title, tagged, *code])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    library.mkdir(exist_ok=True)
    path = library / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


SAY = """
from datetime import date
from analysis.findings.finding import Numbers, Question, Scope
ask = Question("sent", "How many?", "claim", "every claim sent", "count", caveats=("small",))
scope = Scope("claims of this practice", book.month.label, book.as_of)
book.say(ask.answer("{denominator:n claim} sent.", scope,
                    Numbers(denominator=len(book.table("claims")))))
"""
SHOW = """
from analysis.reports.tables import ColumnSpec, Shown
counted = book.table("claim_outcomes").groupby("payer_id").size().rename("n").reset_index()
named = counted.merge(book.table("payers"))[["payer_name", "n"]]
book.show(Shown("by_insurer", "Claims by insurer", named,
                [ColumnSpec("Insurer"), ColumnSpec("Claims", "count")]))
"""
DRAW = """
from analysis.reports import figures
rows = named.rename(columns={"payer_name": "label", "n": "count"})
rows = rows.assign(estimate=rows["count"] / rows["count"].sum(), lower=0.0, upper=1.0)
book.draw(figures.shares(rows, "Claims sent"), "by_insurer", "Claims sent, by insurer")
"""
STRAY = """
import sys, warnings
print("a stray print")
print("DOE^JANE on stderr", file=sys.stderr)
warnings.warn("a stray warning")
"""

"""Writes the worklist into the practice's private folder: a workbook, a CSV, and counts by day."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import tables, workbooks
from analysis.config import Folders
from analysis.findings import population, recovery
from analysis.findings.finding import written
from analysis.workbooks import Heading, Sheet
from analysis.worklist import listing

SOON_DAYS = 14
_PRINTED_LATE = 50


@dataclass(frozen=True)
class Written:
    """What was written, and what the command line says of it."""

    workbook: Path
    n_open: int
    n_soon: int
    n_late: int
    worth_cents: int
    n_usual_time: int
    as_of: date

    def in_words(self, today: date) -> str:
        """What a therapist should know before opening the list."""
        told = [
            f"{written(self.n_open, 'n claim')} to act on, worth about"
            f" {written(self.worth_cents, 'dollars')}; {self.n_soon} within {SOON_DAYS} days",
        ]
        if self.n_usual_time:
            told.append(
                f"{self.n_usual_time} of the dates are only what is usual for that kind of"
                " insurance: the insurer's letter decides"
            )
        if self.n_late:
            told.append(f"{written(self.n_late, 'n more claim')} past the usual time")
        if (today - self.as_of).days > SOON_DAYS:
            told.append(
                f"the files end on {written(self.as_of, 'date')}: put newer remittances into the"
                " raw folder first, or what was paid since is still listed"
            )
        return ".\n  ".join(told) + "."


def write(folders: Folders, today: date) -> Written:
    """Write worklist.xlsx, worklist.csv and worklist.json (0600) from the processed tables.

    Days left are counted from `today`; what insurers answered is known up to the as-of date of the
    outcomes. Raises DataError when the tables have not been built.
    """
    read = {
        name: tables.read_frame(folders.processed, name)
        for name in ("next_actions", "claim_outcomes", "appeal_outcomes", "payers", "documentation")
    }
    outcomes = read["claim_outcomes"]
    given = recovery.Tables(read["next_actions"], outcomes, read["appeal_outcomes"])
    claims = recovery.open_claims(given, today)
    late = claims["is_late"]
    in_time, too_late = (
        listing.lines(part, read["payers"], read["documentation"])
        for part in (claims[~late], claims[late])
    )
    as_of = population.as_of(outcomes)
    notes = _notes(read["next_actions"], as_of, today)
    sheets = [
        Sheet("To do", listing.COLUMNS, in_time, listing.N_KEYS),
        Sheet("Past the usual time", listing.COLUMNS, too_late, listing.N_KEYS, _PRINTED_LATE),
        Sheet(
            "Past it, by insurer",
            listing.SUMMARY,
            listing.summary(claims[late], read["payers"]),
            n_keys=2,
        ),
        Sheet(
            "Waiting",
            listing.WAITING,
            listing.waiting(read["next_actions"], outcomes, read["payers"]),
        ),
        Sheet("How to read this", (Heading("", "text", 50), Heading("", "text", 70)), notes),
    ]
    workbook = workbooks.write_workbook(folders.private / "worklist.xlsx", sheets)
    columns = (Heading("List"), *listing.COLUMNS)
    lists = (("to do", in_time), ("past the usual time", too_late))
    workbooks.write_csv(
        folders.private / "worklist.csv",
        columns,
        [(name, *line) for name, rows in lists for line in rows],
    )
    counts = json.dumps(due(claims, as_of, today), indent=2) + "\n"
    workbooks.write_text(folders.private / "worklist.json", counts)
    open_now = claims[~late]
    return Written(
        workbook,
        n_open=len(open_now),
        n_soon=int((open_now["days_left"] <= SOON_DAYS).fillna(False).sum()),
        n_late=int(late.sum()),
        worth_cents=int(open_now["worth_cents"].sum()),
        n_usual_time=int((open_now["deadline_source"] == "default").sum()),
        as_of=as_of,
    )


def due(claims: pd.DataFrame, as_of: date, today: date) -> dict[str, Any]:
    """Deadlines still ahead as counts by day, without any claim: what an overview may show.

    {"answers_read_to", "counted_on", "due": [{"date", "n_claims", "worth_cents"}],
    "n_without_date", "n_late"}, days rising.
    """
    ahead = claims[~claims["is_late"] & claims["deadline_date"].notna()]
    by_day = ahead.groupby("deadline_date")["worth_cents"].agg(["size", "sum"]).sort_index()
    return {
        "answers_read_to": as_of.isoformat(),
        "counted_on": today.isoformat(),
        "due": [
            {"date": day.date().isoformat(), "n_claims": int(n), "worth_cents": int(worth)}
            for day, n, worth in by_day.itertuples(name=None)
        ],
        "n_without_date": int(claims["deadline_date"].isna().sum()),
        "n_late": int(claims["is_late"].sum()),
    }


def _notes(next_actions: pd.DataFrame, as_of: date, today: date) -> list[tuple[str, Any]]:
    told = [
        ("Answers are read up to", written(as_of, "date")),
        ("Days left are counted from", written(today, "date")),
        (
            "Do by",
            "Where you wrote the letter's deadline into appeals.csv, it counts; else your "
            "contract's days from policies.csv; else what is usual for that kind of insurance. A "
            "remittance never states a deadline. The letter decides.",
        ),
        (
            "Past the usual time",
            "The usual time is over. Your own letter or contract may give longer: look before you "
            "give a claim up. In print stand the latest of them; the next sheet sums up all by "
            "insurer: ask one insurer about all of its claims at once.",
        ),
        (
            "At stake",
            "What was refused, at the share of charges the same insurer allows on approved claims; "
            "the patient's share is in it.",
        ),
        (
            "Chance",
            "How often such an action succeeded here, with the range that so few cases leave open "
            "(95% interval). Those you appealed or corrected were chosen ones, so the others "
            "may fare worse. Marked NOT YOUR RECORD: published figures of other professions; none "
            "is about massage.",
        ),
        (
            "Expected",
            "Chance times what is at stake, from the low end of the chance to its high end: to "
            "order the work, not to count on.",
        ),
        (
            "Papers",
            "By your own records. Complete a document only where it is clinically true and exists; "
            "write nothing after the fact as if it had been there before.",
        ),
        ("", ""),
        ("All claims, and what became of them", ""),
    ]
    counts = listing.accounted(next_actions)
    total = sum(n for _, n in counts)
    return [*told, *((what, f"{n:,}") for what, n in counts), ("all claims", f"{total:,}")]

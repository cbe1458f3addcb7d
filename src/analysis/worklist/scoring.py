"""Scores claims before they are sent: the chance of approval, and which papers may change it.

The model saved with the build reads a draft as it would a claim sent today. It speaks only where
the practice's answered claims carry it, and of a document only where one is known to be absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import codes, tables, workbooks
from analysis.config import Folders
from analysis.findings import population
from analysis.findings.finding import written
from analysis.findings.rates import MAX_WIDTH
from analysis.models import advice, approval
from analysis.models.evaluation import MINIMUM_CLAIMS
from analysis.models.predictors import DOCUMENTS, predictors
from analysis.workbooks import Heading, Sheet
from analysis.worklist import drafts
from analysis.worklist.drafts import Drafts

COLUMNS = (
    Heading("Where", "text", 10),
    Heading("Claim number", "text", 14),
    Heading("Visit", "date", 12),
    Heading("Insurer", "text", 20),
    Heading("Condition", "text", 20),
    Heading("Chance of approval", "percent", 9),
    Heading("Chance, from", "percent", 8),
    Heading("to", "percent", 8),
    Heading("It rests on", "text", 34),
    Heading("Worth completing before you send it", "text", 46),
    Heading("Other papers missing", "text", 34),
    Heading("Not recorded", "text", 34),
)
_N_KEYS = 4
_PLACES = {heading.title: place for place, heading in enumerate(COLUMNS)}
_SET_ASIDE = (Heading("Where"), Heading("Why, and what to do", "text", 100))


@dataclass(frozen=True)
class Scored:
    """What was written, and what the command line says of it."""

    workbook: Path
    n_scored: int
    n_refused: int
    n_advised: int
    set_aside: list[tuple[str, str]]
    notes: list[str]

    def in_words(self) -> str:
        """What a therapist should know before opening the list."""
        told = [
            f"{written(self.n_scored + self.n_refused, 'n draft')} read; for {self.n_refused} of"
            " them too little is known to state one chance",
            f"{self.n_advised} with a paper worth completing, {advice.CONDITION}",
            *self.notes,
            *(f"set aside, {where}: {why}" for where, why in self.set_aside),
        ]
        return "\n  ".join(told)


def score(folders: Folders, as_if_sent: Folders, read: Drafts) -> Scored:
    """Score the drafts and write drafts.xlsx and drafts.csv (0600) into the private folder.

    `folders` holds the practice's tables and its model, `as_if_sent` the tables with the drafts
    among them. Raises DataError where there is no model.
    """
    model = approval.load(folders.processed)
    features, set_aside = _features(as_if_sent, read)
    outcomes = tables.read_frame(folders.processed, "claim_outcomes")
    answered = outcomes[outcomes["first_determination"].isin(population.ANSWERED)]
    lines = []
    if not features.empty:
        draws = model.posterior_draws(predictors(features), random_state=model.random_state)
        lower, upper = np.quantile(draws, [0.025, 0.975], axis=0)
        features = features.assign(chance=draws.mean(axis=0), lower=lower, upper=upper)
        features["n_insurer"] = features["payer_id"].map(answered["payer_id"].value_counts())
        known = answered.groupby(["payer_id", "condition_group"]).size().rename("n_condition")
        features = features.join(known, on=["payer_id", "condition_group"])
        features = features.fillna({"n_insurer": 0, "n_condition": 0})
        gains = advice.advice(model, features)
        words = population.with_words(features, tables.read_frame(as_if_sent.processed, "payers"))
        lines = [
            _line(row, gains[gains["claim_id"] == row["claim_id"]], read)
            for row in words.to_dict("records")
        ]
    sheets = [
        Sheet("Drafts", COLUMNS, lines, _N_KEYS),
        Sheet("Set aside", _SET_ASIDE, set_aside),
        Sheet("How to read this", (Heading("", "text", 30), Heading("", "text", 90)), _NOTES),
    ]
    workbook = workbooks.write_workbook(folders.private / "drafts.xlsx", sheets)
    workbooks.write_csv(folders.private / "drafts.csv", COLUMNS, lines)
    chances, advised = (
        [line[_PLACES[name]] for line in lines]
        for name in ("Chance of approval", "Worth completing before you send it")
    )
    n_scored = sum(chance is not None for chance in chances)
    return Scored(
        workbook,
        n_scored,
        len(lines) - n_scored,
        sum(map(bool, advised)),
        set_aside,
        list(read.notes),
    )


def _features(as_if_sent: Folders, read: Drafts) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The drafts' rows of `claim_features`, the visit's number as told, and what was set aside."""
    set_aside = list(read.set_aside)
    claims = tables.read_frame(as_if_sent.processed, "claims")
    claims = claims[claims["file_name"].str.startswith(drafts.FOLDER)]
    ledger = tables.read_frame(as_if_sent.processed, "row_ledger")
    mine = ledger[ledger["file_name"].str.startswith(drafts.FOLDER)]
    for row in mine[mine["disposition"].isin(["quarantined", "duplicate"])].to_dict("records"):
        why = "holds what was sent already" if row["disposition"] == "duplicate" else row["reason"]
        set_aside.append(("the file", str(why).removeprefix(f"{drafts.FOLDER}/")))
    features = tables.read_frame(as_if_sent.processed, "claim_features")
    features = features.merge(
        claims[["claim_version_id", "patient_control_number", "position"]],
        left_on="claim_id",
        right_on="claim_version_id",
    )
    told = features["patient_control_number"].map(read.rows)
    stated = told.map(lambda row: row.visit_number if isinstance(row, drafts.Draft) else None)
    features["visit_number"] = (
        pd.to_numeric(stated).astype("Float64").fillna(features["visit_number"].astype("Float64"))
    )
    scored = set(features["claim_id"])
    n_versions = int((~claims["claim_version_id"].isin(scored)).sum())
    if n_versions:
        n_claims = written(n_versions, "n claim")
        set_aside.append(
            (
                "the file",
                f"{n_claims} that correct or repeat a claim sent before, so that no first answer"
                " is ahead; `outcomes worklist` says what to do with those",
            )
        )
    return features.sort_values("position", ignore_index=True), set_aside


def _line(row: Mapping[Any, Any], gains: pd.DataFrame, read: Drafts) -> tuple[Any, ...]:
    draft = read.rows.get(row["patient_control_number"])
    refusal = _refusal(row)
    known = row["n_insurer"] >= MINIMUM_CLAIMS
    chance = (
        None if refusal else row["chance"],
        row["lower"] if known else None,
        row["upper"] if known else None,
    )
    advised = gains[gains["is_advised"]] if known else gains[:0]
    absent = [name for name in DOCUMENTS if row[name] == "absent"]
    others = [name for name in absent if name not in set(advised["document"])]
    return (
        draft.where if draft else f"claim {int(row['position'])}",
        draft.claim_number if draft else row["patient_control_number"],
        None if pd.isna(row["service_date"]) else pd.Timestamp(row["service_date"]).date(),
        row["insurer"],
        row["condition"],
        *chance,
        refusal or _rests_on(row),
        "; ".join(map(_worth, advised.to_dict("records"))),
        "; ".join(map(_label, others)),
        "; ".join(_label(name) for name in DOCUMENTS if row[name] == "unknown"),
    )


def _refusal(row: Mapping[Any, Any]) -> str:
    """Why no one chance is stated; '' where one is."""
    if row["n_insurer"] < MINIMUM_CLAIMS:
        n = written(int(row["n_insurer"]), "n claim")
        return f"NOT KNOWN: {n} answered by this insurer, at least {MINIMUM_CLAIMS} needed"
    if row["upper"] - row["lower"] > MAX_WIDTH:
        return f"TOO UNCERTAIN FOR ONE FIGURE: {_rests_on(row)}"
    return ""


def _rests_on(row: Mapping[Any, Any]) -> str:
    n, of_which = int(row["n_insurer"]), int(row["n_condition"])
    return (
        f"{written(n, 'n claim')} answered by this insurer, {of_which} of them for this condition;"
        " where few are alike, on similar ones"
    )


def _worth(gain: Mapping[Any, Any]) -> str:
    points, least = round(100 * gain["gain"]), int(100 * gain["lower"])
    return (
        f"{_label(gain['document'])}, {advice.CONDITION}: goes with {points} points more"
        f" (cautiously, {least})"
    )


def _label(document: str) -> str:
    return codes.labels("documentation", by="name")[document]


_NOTES = [
    (
        "Chance of approval",
        "How likely the insurer's first answer allows more than nothing, by what its answers to "
        "your other claims were, as if the draft were sent today. With the range that "
        "the data leave open (95% interval). It is no decision, and no promise.",
    ),
    (
        "Worth completing",
        "Papers that by your own record are absent, where claims that have them were approved more "
        "often, and where even a cautious reading (the 10th percentile) is above 2 points. That is "
        "an association among the claims you sent, not a proof that the paper changes the answer. "
        "Complete a document only if it is clinically true and exists; write nothing after the "
        "fact as if it had been there before.",
    ),
    (
        "Not recorded",
        "Nobody wrote down whether these exist. Unknown is not missing: look, and write it down.",
    ),
    (
        "NOT KNOWN, TOO UNCERTAIN",
        f"Fewer than {MINIMUM_CLAIMS} answered claims say nothing of the next one. A range of more "
        f"than {MAX_WIDTH * 100:.0f} points is shown, but no figure in it is better than another.",
    ),
]

"""Each open claim as a line a therapist can work with: what to do, by when, with which papers."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from analysis import codes
from analysis.findings import population, recovery
from analysis.findings.finding import written
from analysis.workbooks import Heading

COLUMNS = (
    Heading("Do by", "date", 12),
    Heading("Days left", "count", 7),
    Heading("What to do", "text", 20),
    Heading("Claim number", "text", 14),
    Heading("Visit", "date", 12),
    Heading("Insurer", "text", 20),
    Heading("Why it is open", "text", 26),
    Heading("At stake", "dollars", 11),
    Heading("Chance", "percent", 8),
    Heading("Chance, from", "percent", 8),
    Heading("to", "percent", 8),
    Heading("Expected", "dollars", 11),
    Heading("Expected, from", "dollars", 11),
    Heading("Expected, to", "dollars", 11),
    Heading("The chance rests on", "text", 26),
    Heading("How", "text", 42),
    Heading("Papers", "text", 38),
    Heading("Who can act", "text", 14),
    Heading("Where the date comes from", "text", 30),
    Heading("Codes", "text", 26),
    Heading("Who owes it, says the insurer", "text", 18),
    Heading("Insurer's claim number", "text", 18),
    Heading("Answered on", "date", 12),
)
N_KEYS = 4
"""The first columns, up to the claim's number: what a line is about."""

WAITING = (
    Heading("Claim number", "text", 14),
    Heading("Visit", "date", 12),
    Heading("Insurer", "text", 24),
    Heading("Waiting for", "text", 34),
    Heading("Sent on", "date", 12),
    Heading("Charge", "dollars", 11),
)

SUMMARY = (
    Heading("Insurer", "text", 30),
    Heading("What to do", "text", 30),
    Heading("Claims", "count", 8),
    Heading("At stake", "dollars", 13),
    Heading("Latest day it was due", "date", 14),
)

_WHY = {
    "rejected": "never judged: rejected before that",
    "records_requested": "on hold until the insurer has records",
    "no_answer": "no answer for longer than is usual here",
    "appeal_won_unpaid": "appeal won, but not paid yet",
    "no_reason": "refused without a reason",
}
_WAITING_FOR = {
    "usual_time": "the first answer, within the usual time",
    "appeal_filed": "the answer to the appeal",
    "correction_sent": "the answer to the corrected claim",
}
_SOURCES = {
    "letter": "the insurer's letter",
    "contract": "your contract (policies.csv)",
    "default": "USUAL TIME, NOT YOUR LETTER: look at the letter",
}
_KIND_UNKNOWN = "SHORTEST TIME THERE IS, kind of insurance not known: look at the letter"
_LIABLE = {
    "PR": "the patient",
    "CO": "not the patient, by your contract",
    "OA": "not said",
    "PI": "not the patient, says the insurer",
}


def lines(
    claims: pd.DataFrame, payers: pd.DataFrame, documentation: pd.DataFrame
) -> list[tuple[Any, ...]]:
    """Rows under COLUMNS for `claims`, as `recovery.open_claims` gives them, in their order."""
    named = population.with_words(claims, payers)
    papers = _Papers(documentation[documentation["claim_id"].isin(claims["claim_id"])])
    return [_line(row, papers) for row in named.to_dict("records")]


def summary(claims: pd.DataFrame, payers: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Rows under SUMMARY: `claims` by insurer and action, most at stake first."""
    named = population.with_words(claims, payers)
    grouped = named.groupby(["insurer", "action"], sort=True).agg(
        n=("claim_id", "size"), worth=("worth_cents", "sum"), latest=("deadline_date", "max")
    )
    ordered = grouped.reset_index().sort_values("worth", ascending=False, kind="stable")
    return [
        (insurer, _known("next_actions", action)["label"], int(n), int(worth), _day(latest))
        for insurer, action, n, worth, latest in ordered.itertuples(index=False, name=None)
    ]


def waiting(
    next_actions: pd.DataFrame, outcomes: pd.DataFrame, payers: pd.DataFrame
) -> list[tuple[Any, ...]]:
    """Rows under WAITING: claims that are somebody else's turn, the oldest first."""
    rows = next_actions[next_actions["state"] == "waiting"].merge(outcomes, on="claim_id")
    rows = population.with_words(rows, payers).sort_values(["submitted_date", "claim_id"])
    return [
        (
            row["patient_control_number"],
            _day(row["service_date"]),
            row["insurer"],
            _WAITING_FOR[row["why"]],
            _day(row["submitted_date"]),
            row["charge_cents"],
        )
        for row in rows.to_dict("records")
    ]


def _line(row: Mapping[Any, Any], papers: "_Papers") -> tuple[Any, ...]:
    action, reason = (
        _known("next_actions", row["action"]),
        _known("denial_categories", row["category"]),
    )
    return (
        _day(row["deadline_date"]),
        _number(row["days_left"]),
        action["label"],
        _text(row["patient_control_number"]),
        _day(row["service_date"]),
        row["insurer"],
        _WHY.get(row["why"]) or reason.get("label", "refused"),
        row["worth_cents"],
        _number(row["chance"]),
        _number(row["chance_lower"]),
        _number(row["chance_upper"]),
        _number(row["expected_cents"]),
        *(_share(row["worth_cents"], row[bound]) for bound in ("chance_lower", "chance_upper")),
        _rests_on(row),
        _how(row, action),
        papers.of(row, reason),
        reason.get("who_can_act", "biller"),
        _source(row),
        _codes(row),
        _LIABLE.get(row["group_code"], ""),
        _text(row["payer_claim_control_number"]),
        _day(row["answer_date"]),
    )


def _how(row: Mapping[Any, Any], action: Mapping[str, str]) -> str:
    """The action in a sentence, and what the reason code says clears it."""
    told = action["what_to_do"]
    if row["why"] == "no_appeal_right":
        told = f"remark {row['remark_code']} rules an appeal out; {told}"
    reason = _known("carc", row["reason_code"])
    # A code that needs its remark is cleared by what the remark names, not by words of its own.
    clears = reason.get("what_fixes_it") if reason.get("needs_remark") == "no" else ""
    return f"{told}. What clears this code: {clears}." if clears else f"{told}."


def _rests_on(row: Mapping[Any, Any]) -> str:
    basis = row["chance_basis"]
    if basis == recovery.PUBLISHED:
        published = recovery.published_rate(row["action"], row["payer_type"])
        return f"NOT YOUR RECORD: {published['what']} ({published['year']})"
    if basis == recovery.NOTHING:
        return "no record of yours and no published figure"
    return f"{basis}: {written(int(row['n_record']), 'count')} decided"


def _source(row: Mapping[Any, Any]) -> str:
    source = _text(row["deadline_source"])
    if source == "default" and not recovery.has_usual_time(row["action"], row["payer_type"]):
        return _KIND_UNKNOWN
    return _SOURCES[source] if source else "no clock: the insurer has the claim in hand"


def _codes(row: Mapping[Any, Any]) -> str:
    """The codes, and in our words what the more telling of them says."""
    reason, remark = _known("carc", row["reason_code"]), _known("rarc", row["remark_code"])
    said = "-".join(filter(None, (_text(row["group_code"]), _text(row["reason_code"]))))
    codes_said = " ".join(filter(None, (said, _text(row["remark_code"]))))
    label = (remark or reason).get("label", "")
    return f"{codes_said}: {label}" if label else codes_said


class _Papers:
    """Which documents an action needs, and whether the practice has them by its own records."""

    def __init__(self, documentation: pd.DataFrame) -> None:
        attested = documentation[documentation["channel"] == "attested"]
        self._told = {
            (row.claim_id, row.item_id): (row.status, row.existed_date)
            for row in attested.itertuples(index=False)
        }
        self._on_claim = set(
            documentation.loc[documentation["channel"] == "claim"]
            .query("status == 'present'")[["claim_id", "item_id"]]
            .itertuples(index=False, name=None)
        )
        self._labels = codes.labels("documentation")

    def of(self, row: Mapping[Any, Any], reason: Mapping[str, str]) -> str:
        """The documents in words, the one the remark asks for first."""
        asked = [_text(row["item_id"]), *reason.get("documents", "").split(";")]
        items = [item for item in dict.fromkeys(asked) if item in self._labels]
        return "; ".join(
            f"{self._labels[item]}: {self._where(row['claim_id'], item)}" for item in items
        )

    def _where(self, claim_id: str, item: str) -> str:
        status, since = self._told.get((claim_id, item), ("unknown", None))
        if status == "present":
            return "on file"
        if _day(since):
            return f"on file since {written(_day(since), 'date')}, after the claim was sent"
        if status == "absent":
            return "MISSING"
        if status == "not_required":
            return "you marked it as not needed"
        return "on the claim" if (claim_id, item) in self._on_claim else "not recorded"


def _known(table: str, code: Any) -> Mapping[str, str]:
    """A reference row by its code; empty where there is none."""
    key = next(iter(codes.rows(table)[0]))
    return next((row for row in codes.rows(table) if row[key] == code), {})


def _share(cents: int, share: Any) -> int | None:
    """That share of an amount, in whole cents; None where the share is not known."""
    return None if pd.isna(share) else round(cents * float(share))


def _day(value: Any) -> date | None:
    return None if value is None or pd.isna(value) else pd.Timestamp(value).date()


def _number(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def accounted(next_actions: pd.DataFrame) -> Sequence[tuple[str, int]]:
    """What became of every claim, in words, with counts that add up to all claims."""
    words = {
        "approved": "approved; nothing to do",
        "voided": "voided by you; nothing to do",
        "usual_time": "waiting for the first answer, within the usual time",
        "appeal_filed": "appeal filed, waiting for the answer",
        "correction_sent": "corrected claim sent, waiting for the answer",
        "patient_share": "the patient's share alone is left",
        "contract_only": "contract reduction alone; no denial",
        "nothing_to_gain": "refused by a code that leaves nothing to gain",
        "appeals_used_up": "refused at the last appeal level",
    }
    kept = next_actions["why"].map(words).fillna("on the worklist")
    return [(str(what), int(n)) for what, n in kept.value_counts().sort_index().items()]

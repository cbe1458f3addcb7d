"""What really happened: every claim's determinations, as the contract defines them.

Read off the told histories, never off the files: a reader of the files must arrive here alone.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from analysis.synthetic.days import iso
from analysis.synthetic.histories import History, LineAnswer
from analysis.synthetic.visits import Claim

_LINE_TO_CLAIM = {"approved": "approved", "cut": "partially_approved", "denied": "denied"}


class ClaimTruth(NamedTuple):
    """A row of truth/<name>/claims.csv: one claim with all its versions."""

    control_number: str
    control_numbers: str
    payer_id: str
    plan_id: str
    patient_key: str
    condition_group: str
    visit_number: int
    service_date: str
    first_submitted_date: str
    approval_probability: str
    first_determination: str
    final_determination: str
    denial_category: str
    paid_cents: int
    history: str


def claim_truth(history: History) -> ClaimTruth:
    """The truth about one claim as of the last day of data."""
    claim = history.claim
    first, final, category = _determine(history)
    control_numbers = dict.fromkeys(s.control_number for s in history.submissions)
    return ClaimTruth(
        claim.control_number,
        ";".join(control_numbers),
        claim.payer.id,
        claim.plan.id,
        claim.patient.name,
        claim.condition.group,
        claim.visit_number,
        iso(claim.service_day),
        iso(claim.submitted),
        f"{1 - claim.denial_probability:.6f}",
        first,
        final,
        category,
        sum(answer.paid for answer in history.answers),
        history.story,
    )


def _determine(history: History) -> tuple[str, str, str]:
    """First determination, final determination and the category of the first denial."""
    claim = history.claim
    if history.story == "voided_before_answer":
        return "voided", "voided", ""
    first: dict[int, LineAnswer] = {}
    state: dict[int, str] = {}
    is_rejected = is_voided = False
    for answer in sorted(history.answers, key=lambda a: a.day):
        if answer.kind == "rejection":
            is_rejected = True
        elif answer.kind in ("reversal", "void"):
            is_voided = answer.kind == "void"
            for given in answer.lines:
                state[given.line.number] = "pended"
        elif answer.kind == "decision":
            is_rejected = is_voided = False
            for given in answer.lines:
                state[given.line.number] = given.determination
                if given.determination != "pended":
                    first.setdefault(given.line.number, given)
    if is_rejected:
        return "rejected", "rejected", ""
    at_first = _roll_up(claim, {n: given.determination for n, given in first.items()})
    at_last = "voided" if is_voided else _roll_up(claim, state)
    return at_first, at_last, _category(at_first, list(first.values()))


def _roll_up(claim: Claim, lines: Mapping[int, str]) -> str:
    """The claim's determination from its lines'; pending while a line has none."""
    given = {_LINE_TO_CLAIM.get(lines.get(line.number, ""), "pending") for line in claim.lines}
    if "pending" in given:
        return "pending"
    return given.pop() if len(given) == 1 else "partially_approved"


def _category(determination: str, lines: Sequence[LineAnswer]) -> str:
    """The category of the largest line denied or cut."""
    refused = [given for given in lines if given.category]
    if determination not in ("denied", "partially_approved") or not refused:
        return ""
    # Lines of equal charge never differ in category, so the order of codes is not needed.
    return max(refused, key=lambda given: given.line.charge).category

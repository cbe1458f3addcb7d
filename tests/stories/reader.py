"""Reads adjudication stories: Markdown tables of what was sent and answered, and what follows.

A story is a `## heading`, a sentence, and tables told apart by their first header. What happens:
`sent` (one row a claim version), `acknowledged` (a 277CA status of a claim, or that of a 999 for a
set, `group/set`), `answered` (a CLP), `moved` (a
PLB pair) and `appealed` (a row of appeals.csv). What must come of it: `claim`, `line`, `matched`
(an answered line and the line sent), `tied` (a PLB pair and its claim) and `appeal`; only the
columns told are compared.

Lines are written `97124:59 100.00 x4 L1` when sent (units and REF 6R may be left out) and
`97124 100.00 paid 60.00 CO-45 40.00 N443 B6 60.00 6R L1 units 3/4` when answered, several joined by
`;`, `97140>97124` where the insurer recoded. A CLP without SVC has `-` for its lines and tells its
money in `claim level`.

All stories are the claims of one practice, kept apart by their numbers and patients alone, so that
each is also told among all the others.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis import tables
from analysis.claims import lineage
from analysis.outcomes import INPUTS, outcomes

AS_OF = date(2026, 6, 30)
Row = dict[str, str]
Rows = list[dict[str, Any]]
_CODES = re.compile(r"\b(CO|PR|OA|PI)-(\w+) (-?[\d.]+)")
_REMARKS = re.compile(r"\b(MA?\d+|N\d+)\b")


@dataclass
class Story:
    title: str
    file: list[Row] = field(default_factory=list)
    ledger: list[Row] = field(default_factory=list)
    sent: list[Row] = field(default_factory=list)
    acknowledged: list[Row] = field(default_factory=list)
    answered: list[Row] = field(default_factory=list)
    moved: list[Row] = field(default_factory=list)
    appealed: list[Row] = field(default_factory=list)
    claim: list[Row] = field(default_factory=list)
    line: list[Row] = field(default_factory=list)
    matched: list[Row] = field(default_factory=list)
    tied: list[Row] = field(default_factory=list)
    appeal: list[Row] = field(default_factory=list)


def read(path: Path) -> list[Story]:
    stories: list[Story] = []
    header: list[str] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            stories.append(Story(line[3:].strip()))
            header = None
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if header is None:
                header = cells
            elif not set(line) <= set("|- "):
                getattr(stories[-1], header[0]).append(dict(zip(header, cells, strict=True)))
        else:
            header = None
    return stories


def read_all() -> list[Story]:
    """The stories of claims of this folder; those of whole files are told by `test_files`."""
    pages = sorted(set(Path(__file__).parent.glob("*.md")) - {Path(__file__).with_name("files.md")})
    return [story for path in pages for story in read(path)]


def placed(stories: Sequence[Story], mark: str = "S{:03}.") -> dict[str, pa.Table]:
    """The tables that intake and lineage would have made of the stories, as one practice's."""
    names = {*INPUTS, *lineage.INPUTS} - set(lineage.OUTPUTS)
    rows: dict[str, Rows] = {name: [] for name in names}
    for n, story in enumerate(stories):
        _Teller(rows, mark.format(n)).tell(story)
    made = {name: tables.from_rows(name, rows[name]) for name in rows}
    return made | lineage.lineage(made)


def determine(stories: Sequence[Story]) -> list[dict[str, Rows]]:
    """What the package makes of the stories: for each, its rows of every table that follows."""
    made = placed(stories)
    made |= outcomes(made, AS_OF)
    told: list[dict[str, Rows]] = [{name: [] for name in made} for _ in stories]
    for name, table in made.items():
        for row in table.to_pylist():
            owner = re.search(r"\bS(\d{3})\.", " ".join(map(str, row.values())))
            if owner:
                told[int(owner[1])][name].append({k: _bare(v) for k, v in row.items()})
    return told


def _bare(value: Any) -> Any:
    return re.sub(r"\bS\d{3}\.", "", value) if isinstance(value, str) else value


def _cents(text: str) -> int:
    return round(float(text) * 100)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


class _Teller:
    """Adds one story's rows; `mark` keeps its numbers and patients apart from other stories'."""

    def __init__(self, rows: dict[str, Rows], mark: str) -> None:
        self.rows = rows
        self.mark = mark

    def tell(self, story: Story) -> None:
        for n, sent in enumerate(story.sent, 1):
            self._add_version(f"{self.mark}v{n}", sent)
        for n, answer in enumerate(story.answered, 1):
            self._add_answer(f"{self.mark}r{n}", n, answer)
        for n, told in enumerate(story.acknowledged, 1):
            self._add(
                "acknowledgments",
                acknowledgment_id=f"{self.mark}k{n}",
                position=n,
                **self._answered_for(told["acknowledged"]),
                is_accepted=told["accepted"] == "yes",
                effective_date=_day(told["on"]),
            )
        for n, moved in enumerate(story.moved, 1):
            self._add(
                "provider_adjustments",
                provider_adjustment_id=f"{self.mark}p{n}",
                payment_id=f"{self.mark}{moved['on']}",
                reason_code=moved["moved"],
                reference_number=self._marked(moved["reference"]),
                amount_cents=_cents(moved["amount"]),
                fiscal_date=_day(moved["on"]),
            )
        for n, appealed in enumerate(story.appealed, 1):
            self._add(
                "appeals",
                appeal_id=f"{self.mark}l{n}",
                position=n,
                patient_control_number=self._marked(appealed["appealed"]),
                level=appealed.get("level") or "1",
                filed_date=_day(appealed["filed"]),
                deadline_date=_day(appealed.get("deadline") or ""),
                deadline_source="letter" if appealed.get("deadline") else None,
                decision_date=_day(appealed.get("decided") or ""),
                outcome=appealed.get("outcome") or None,
                assisted_by=appealed.get("assisted by") or None,
            )

    def _answered_for(self, told: str) -> dict[str, Any]:
        """A 277CA answers for a claim, a 999 for the set `group/set`, or for the group `group/`."""
        if "/" in told:
            return {"transaction": "999", "set_reference": self.mark + told}
        return {"transaction": "277CA", "patient_control_number": self._marked(told)}

    def _add(self, table: str, **values: Any) -> None:
        if "position" in values:
            values["file_name"] = "story"
        self.rows[table].append(values)

    def _marked(self, number: str) -> str | None:
        """Nothing but zeros is what an insurer writes that was given no number."""
        return self.mark + number if number.strip("0") else number or None

    def _add_version(self, version_id: str, sent: Row) -> None:
        lines = [line.split() for line in sent["lines"].split(";")]
        service = _day(sent["service"])
        self._add(
            "claims",
            claim_version_id=version_id,
            position=len(self.rows["claims"]) + 1,
            submitted_date=_day(sent["on"]),
            set_reference=self.mark + sent["set"] if sent.get("set") else None,
            patient_control_number=self._marked(sent["sent"]),
            claim_frequency_code=sent.get("frequency") or "1",
            original_reference_number=self._marked(sent.get("replaces") or ""),
            patient_id=self.mark + (sent.get("patient") or "p1"),
            payer_id=sent.get("payer") or "A",
            payer_sequence_code=sent.get("sequence") or "P",
            charge_cents=sum(_cents(line[1]) for line in lines),
            has_note=False,
            service_date=service,
            service_to_date=service,
        )
        for n, (procedure, charge, *rest) in enumerate(lines, 1):
            code, _, modifiers = procedure.partition(":")
            self._add(
                "service_lines",
                service_line_id=f"{version_id}-{n}",
                claim_version_id=version_id,
                line_number=n,
                procedure_code=code,
                modifiers=modifiers,
                charge_cents=_cents(charge),
                units=next((float(word[1:]) for word in rest if word[0] == "x"), None),
                service_date=service,
                line_control_number=next((word for word in rest if word[0] == "L"), None),
            )

    def _add_answer(self, remittance_id: str, position: int, answer: Row) -> None:
        texts = [] if answer["lines"] == "-" else answer["lines"].split(";")
        service = _day(answer.get("service") or "")
        money = [self._add_line(remittance_id, n, text, service) for n, text in enumerate(texts, 1)]
        claim_level = answer.get("claim level") or ""
        if not money:
            words = claim_level.split()
            money = [(_cents(words[1]), _cents(words[3]))]
        self._add_codes(remittance_id, None, claim_level)
        payer = answer.get("payer") or "A"
        self._add(
            "remittances",
            remittance_id=remittance_id,
            payment_id=f"{self.mark}{payer}{answer['on']}",
            position=position,
            patient_control_number=self._marked(answer["answered"]),
            claim_status_code=answer["status"],
            charge_cents=sum(charge for charge, _ in money),
            paid_cents=sum(paid for _, paid in money),
            payer_claim_control_number=self._marked(answer.get("insurer's number") or ""),
            claim_frequency_code=answer.get("frequency") or None,
            payer_id=payer,
            payment_date=_day(answer["on"]),
            service_date=service,
            patient_id=self.mark + answer["patient"] if answer.get("patient") else None,
        )

    def _add_line(
        self, remittance_id: str, n: int, text: str, service: date | None
    ) -> tuple[int, int]:
        procedure, charge, *words = text.split()
        sent_as, _, paid_as = procedure.rpartition(">")
        code, _, modifiers = paid_as.partition(":")
        said = dict(pairwise(words))
        units, _, submitted = said.get("units", "").partition("/")
        line_id = f"{remittance_id}-{n}"
        self._add(
            "remittance_lines",
            remittance_line_id=line_id,
            remittance_id=remittance_id,
            line_number=n,
            procedure_code=code,
            modifiers=modifiers,
            submitted_procedure_code=sent_as or None,
            charge_cents=_cents(charge),
            paid_cents=_cents(said["paid"]),
            units=float(units) if units else None,
            submitted_units=float(submitted) if submitted else None,
            service_date=service,
            allowed_cents=_cents(said["B6"]) if "B6" in said else None,
            line_control_number=said.get("6R"),
        )
        self._add_codes(remittance_id, line_id, text)
        return _cents(charge), _cents(said["paid"])

    def _add_codes(self, remittance_id: str, line_id: str | None, text: str) -> None:
        """Adjustments such as `CO-45 40.00`, and remarks such as `N443`."""
        about = {"remittance_id": remittance_id, "remittance_line_id": line_id}
        place = line_id or f"{remittance_id}-0"
        for n, (group, reason, amount) in enumerate(_CODES.findall(text), 1):
            self._add(
                "adjustments",
                adjustment_id=f"{place}-a{n}",
                level="line" if line_id else "claim",
                group_code=group,
                reason_code=reason,
                amount_cents=_cents(amount),
                **about,
            )
        for n, code in enumerate(_REMARKS.findall(_CODES.sub("", text)), 1):
            self._add(
                "remarks",
                remark_id=f"{place}-m{n}",
                segment="LQ" if line_id else "MOA",
                remark_code=code,
                **about,
            )


def told_so(story: Story, made: Mapping[str, Rows]) -> list[tuple[str, list[Row], list[Row]]]:
    """For each kind of table the story tells: its name, what is told, what was made of it."""
    claims = {row["claim_id"]: row for row in made["claim_outcomes"]}
    numbers = [row["patient_control_number"] for row in claims.values()]

    def name(claim_id: str | None) -> str:
        if claim_id not in claims:
            return ""
        number = claims[claim_id]["patient_control_number"]
        if numbers.count(number) == 1:
            return str(number)
        days = {str(c["service_date"]) for c in claims.values()}
        told_by = "service_date" if len(days) == len(claims) else "claim_id"
        return f"{number} {claims[claim_id][told_by]}"

    doubtful = {row["claim_id"] for row in made["claim_lineage"] if row["is_doubtful"]}
    found = {
        "claim": [
            {
                "claim": name(row["claim_id"]),
                "first": row["first_determination"],
                "final": row["final_determination"],
                "category": row["denial_category"],
                "final category": row["final_denial_category"],
                "allowed": _dollars(row["allowed_cents"]),
                "paid": _dollars(row["paid_cents"]),
                "charge": _dollars(row["charge_cents"]),
                "moved": _dollars(row["moved_outside_cents"]),
                "versions": row["n_versions"],
                "answers": row["n_remittances"],
                "appeal": row["appeal_outcome"],
                "taken back for": row["reversal_reason"],
                "day": row["date_problem"],
                "doubtful": "yes" if row["claim_id"] in doubtful else "",
            }
            for row in claims.values()
        ],
        "line": [
            {
                "line": f"{name(row['claim_id'])} {row['line_number']}",
                "first": row["first_determination"],
                "final": row["final_determination"],
                "category": row["denial_category"],
                "allowed": _dollars(row["allowed_cents"]),
                "paid": _dollars(row["paid_cents"]),
            }
            for row in made["line_outcomes"]
        ],
        "matched": [
            {
                "matched": row["remittance_line_id"],
                "with": row["service_line_id"],
                "by": row["match_kind"],
                "doubtful": "yes" if row["is_doubtful"] else "",
            }
            for row in made["line_lineage"]
        ],
        "tied": [
            {"tied": row["provider_adjustment_id"], "to": name(row["claim_id"]),
             "by": row["match_kind"]}
            for row in made["provider_adjustment_lineage"]
        ],
        "appeal": [
            {
                "appeal": name(row["claim_id"]),
                "level": row["level"],
                "recorded": row["recorded_outcome"],
                "remittance": row["remittance_outcome"],
                "codes": row["evidence_codes"],
                "agreement": row["agreement"],
                "outcome": row["outcome"],
                "won": _dollars(row["won_cents"]),
                "assisted by": row["assisted_by"],
                "late": {True: "yes", False: "no", None: ""}[row["is_filed_late"]],
            }
            for row in made["appeal_outcomes"]
        ],
    }  # fmt: skip
    answers = []
    for kind, rows in found.items():
        told = sorted(getattr(story, kind), key=lambda row: list(row.values()))
        if told:
            shown = [{key: str(row[key] or "") for key in told[0]} for row in rows]
            answers.append((kind, told, sorted(shown, key=lambda row: list(row.values()))))
    return answers


def _dollars(cents: int | None) -> str:
    return "" if cents is None else f"{cents / 100:.2f}"

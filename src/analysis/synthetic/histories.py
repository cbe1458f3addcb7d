"""What happens to each claim: what the practice sends, what payers answer, what comes of it.

Every claim has one story. A story ends where the data end: what would be dated after the as-of
date is not sent, not answered and not told, and the story's name says what had happened by then.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from analysis.synthetic import world
from analysis.synthetic.days import AS_OF, d8, iso, next_batch, next_pay_day, year
from analysis.synthetic.draws import Draws
from analysis.synthetic.visits import RELATIVE_VALUE_PERCENT, Claim, Coverage, Line
from analysis.synthetic.world import Payer

LineDetermination = Literal["approved", "cut", "denied", "pended", "none"]
AnswerKind = Literal["decision", "reversal", "void", "rejection", "duplicate", "secondary"]

COST_SHARE_CODES = ("1", "2", "3")
INTEREST_AFTER_DAYS = 45


class DenialCodes(NamedTuple):
    """How a payer words a denial: group, CARC and, where the CARC needs one, RARC."""

    category: str
    group_code: str
    reason_code: str
    remark_code: str
    cause: str = ""
    weight: float = 1.0


class Adjustment(NamedTuple):
    """A CAS triplet; positive cents lower the payment."""

    group_code: str
    reason_code: str
    cents: int
    units: int = 0


@dataclass(slots=True, eq=False)
class LineAnswer:
    """A payer's answer to a line; `category` says why it was denied or cut."""

    line: Line
    paid: int
    units: int
    allowed: int
    adjustments: tuple[Adjustment, ...]
    determination: LineDetermination
    remarks: tuple[str, ...] = ()
    category: str = ""
    recoded_to: str = ""
    sign: int = 1

    @property
    def cost_share(self) -> int:
        """Deductible, coinsurance and copayment, in cents."""
        return sum(
            a.cents
            for a in self.adjustments
            if a.group_code == "PR" and a.reason_code in COST_SHARE_CODES
        )


@dataclass(slots=True, eq=False)
class Submission:
    """A claim version sent; `primary` is the first insurer's answer when the second is asked."""

    claim: Claim
    control_number: str
    day: int
    frequency: str
    cover: Coverage
    original_number: str = ""
    primary: "Answer | None" = None


@dataclass(slots=True, eq=False)
class Answer:
    """One CLP. `shows_lines` False: the adjustments stand at claim level only."""

    claim: Claim
    cover: Coverage
    control_number: str
    day: int
    received: int
    kind: AnswerKind
    status: str
    payer_number: str
    frequency: str
    lines: list[LineAnswer]
    remarks: tuple[str, ...] = ()
    shows_lines: bool = True

    @property
    def paid(self) -> int:
        """What was paid, or taken back, in cents."""
        return sum(line.paid for line in self.lines)

    @property
    def cost_share(self) -> int:
        """Deductible, coinsurance and copayment, in cents."""
        return sum(line.cost_share for line in self.lines)


class MoneyMoved(NamedTuple):
    """A PLB pair. Positive cents lower the deposit, and wait until one can bear them."""

    payer: Payer
    day: int
    reason_code: str
    payer_number: str
    cents: int


class Appeal(NamedTuple):
    """A row of appeals.csv."""

    claim_number: str
    level: str
    filed_date: str
    deadline_date: str
    deadline_source: str
    decision_date: str
    outcome: str
    assisted_by: str


@dataclass(slots=True, eq=False)
class History:
    """A claim with everything sent and answered, and the name of its story."""

    claim: Claim
    submissions: list[Submission] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    story: str = ""


@dataclass(slots=True, eq=False)
class Histories:
    """The stories of all claims, and what stands outside them."""

    claims: list[History]
    money_moved: list[MoneyMoved]
    appeals: list[Appeal]


def tell_histories(claims: Sequence[Claim], seed: int) -> Histories:
    """One history for each claim, in the order of the claims."""
    teller = _Teller(len(claims), seed)
    return Histories([teller.tell(claim) for claim in claims], teller.money_moved, teller.appeals)


@cache
def denial_codes() -> Mapping[str, tuple[DenialCodes, ...]]:
    """The code pairs payers use, by category (denial_codes.csv)."""
    text = files("analysis.synthetic").joinpath("denial_codes.csv").read_text(encoding="utf-8")
    codes: dict[str, tuple[DenialCodes, ...]] = {}
    for row in csv.DictReader(text.splitlines()):
        pair = DenialCodes(
            row["category"],
            row["group_code"],
            row["reason_code"],
            row["remark_code"],
            row["cause"],
            float(row["weight"]),
        )
        codes[pair.category] = (*codes.get(pair.category, ()), pair)
    return codes


class _Teller:
    """Tells the stories in the order of submission; deductibles fill up as they go."""

    def __init__(self, n_claims: int, seed: int) -> None:
        self.draws = Draws(seed, 3)
        self.n_control_numbers = n_claims
        self.n_answers = 0
        self.money_moved: list[MoneyMoved] = []
        self.appeals: list[Appeal] = []

    def tell(self, claim: Claim) -> History:
        history = History(claim)
        history.story = self._story(history)
        return history

    def _story(self, history: History) -> str:
        claim = history.claim
        rates = dict(world.INTERRUPTION_RATES)
        if claim.payer.payer_type == "auto_PIP":
            rates["pended"] = world.AUTO_PENDED_RATE
        interruption = self._choose(rates)
        is_denied = self.draws.chance(claim.denial_probability)
        self._send(history, claim.submitted, "1")
        if interruption == "voided_before_answer":
            return self._voided_before_answer(history)
        answered = self._answer_day(claim.payer, claim.submitted)
        if answered > AS_OF or interruption == "unanswered":
            return "unanswered"
        if interruption == "rejected":
            return self._rejected(history, answered, is_denied)
        if interruption == "pended":
            return self._pended(history, answered, is_denied)
        if interruption == "duplicate":
            return self._sent_twice(history, answered, is_denied)
        if is_denied:
            return self._denied(history, answered)
        return self._approved(history, answered)

    # ---- stories: the first answer is held up ------------------------------------------------

    def _voided_before_answer(self, history: History) -> str:
        claim = history.claim
        void_day = next_batch(claim.submitted + self.draws.between(1, 8), claim.payer.clearinghouse)
        if void_day > AS_OF:
            return "unanswered"
        self._send(history, void_day, "8", original_number=self._payer_number(claim.submitted))
        return "voided_before_answer"

    def _rejected(self, history: History, answered: int, is_denied: bool) -> str:
        claim = history.claim
        adjustments = [(Adjustment("CO", "16", line.charge),) for line in claim.lines]
        lines = [
            LineAnswer(line, 0, 0, 0, given, "none", ("N290",))
            for line, given in zip(claim.lines, adjustments, strict=True)
        ]
        self._receive(history, answered, lines, "4", kind="rejection", remarks=("MA130",))
        resent = next_batch(answered + self.draws.between(3, 14), claim.payer.clearinghouse)
        again = self._answer_day(claim.payer, resent)
        if again > AS_OF or not self.draws.chance(world.REJECTED_RESENT_RATE):
            return "rejected_not_resent"
        self._send(history, resent, "1", control_number=self._control_number())
        self._decide(history, again, is_denied)
        return "rejected_resent"

    def _pended(self, history: History, answered: int, is_denied: bool) -> str:
        claim = history.claim
        lines = [_pended_line(line) for line in claim.lines]
        if not is_denied and len(lines) > 1 and self.draws.chance(0.3):
            lines = [*self._approved_lines(claim)[:-1], lines[-1]]
        pended = self._receive(history, answered, lines, "1")
        taken_back = next_pay_day(answered + self.draws.between(15, 60), claim.payer.pay_weekdays)
        decided = taken_back
        if self.draws.chance(0.25):
            decided = next_pay_day(taken_back + self.draws.between(7, 21), claim.payer.pay_weekdays)
        if taken_back > AS_OF or self.draws.chance(0.2):
            return "pended_open"
        self._reverse(history, pended, taken_back)
        if decided > AS_OF:
            return "pended_open"
        self._decide(history, decided, is_denied)
        return "pended_finalised"

    def _sent_twice(self, history: History, answered: int, is_denied: bool) -> str:
        claim = history.claim
        original = self._decide(history, answered, is_denied)
        again = next_batch(claim.submitted + self.draws.between(7, 35), claim.payer.clearinghouse)
        refused = self._answer_day(claim.payer, max(again, answered))
        if refused > AS_OF:
            return _plain_story(original)
        self._send(history, again, "1")
        group = self.draws.pick(("OA", "CO"))
        lines = [
            LineAnswer(line, 0, 0, 0, (Adjustment(group, "18", line.charge),), "none")
            for line in claim.lines
        ]
        self._receive(history, refused, lines, "4", kind="duplicate")
        return "duplicate"

    # ---- stories: approved -------------------------------------------------------------------

    def _approved(self, history: History, answered: int) -> str:
        claim = history.claim
        story = self._choose(world.APPROVAL_RATES)
        lines = self._approved_lines(claim)
        if story == "partial_bundled" and len(lines) > 1:
            reason = "234" if lines[-1].line.code == "97010" else "97"
            codes = DenialCodes("coding_bundling", "CO", reason, "M15")
            lines[-1] = self._denied_line(claim, lines[-1].line, codes)
            self._receive(history, answered, lines, "1")
            return story
        if story == "partial_units_cut" and self._cut_units(claim, lines):
            self._receive(history, answered, lines, "1")
            return story
        if story == "split_payment" and len(lines) > 1:
            return self._split(history, answered, lines)
        if story == "recoded" and lines[0].line.code == "97140":
            lines[0].recoded_to = "97124"
            lines[0].remarks = ("N22",)
        answer = self._receive(history, answered, lines, "1")
        self._add_interest(answer)
        if story == "recouped" and answer.paid:
            return self._recouped(history, answer)
        if story == "reversed_open":
            return self._reversed_open(history, answer)
        if story in ("voided_after_answer", "voided_resubmitted"):
            return self._voided(history, answer, is_resent=story == "voided_resubmitted")
        if claim.patient.second_cover and answer.cost_share:
            return self._second_insurer(history, answer, claim.patient.second_cover)
        return _plain_story(answer)

    def _split(self, history: History, answered: int, lines: list[LineAnswer]) -> str:
        weekdays = history.claim.payer.pay_weekdays
        later = answered
        if self.draws.chance(0.5):
            later = next_pay_day(answered + self.draws.between(5, 40), weekdays)
        self._receive(history, answered, lines[:1], "1")
        if later <= AS_OF:
            self._receive(history, later, lines[1:], "1")
        return "split_payment"

    def _recouped(self, history: History, answer: Answer) -> str:
        draws = self.draws
        payer = history.claim.payer
        day = next_pay_day(answer.day + draws.between(40, 300), payer.pay_weekdays)
        if day > AS_OF:
            return _plain_story(answer)
        mode = draws.weighted(list(world.RECOUPMENT_MODES), list(world.RECOUPMENT_MODES.values()))
        self._reverse(history, answer, day, remarks=("N432",))
        codes = DenialCodes("medical_necessity", "CO", "50", "N115")
        lines = [self._denied_line(history.claim, a.line, codes) for a in answer.lines]
        self._receive(history, day, lines, payer.denies_with_status)
        if mode == "withheld":
            # The reversal leaves this deposit whole; a later one is lowered instead.
            later = next_pay_day(day + draws.between(14, 45), payer.pay_weekdays)
            self._move(payer, day, "WO", answer.payer_number, -answer.paid)
            self._move(payer, later, "WO", answer.payer_number, answer.paid)
        if mode == "returned":
            self._move(payer, day, "72", answer.payer_number, -answer.paid)
        return f"recouped_{mode}"

    def _reversed_open(self, history: History, answer: Answer) -> str:
        weekdays = history.claim.payer.pay_weekdays
        day = next_pay_day(answer.day + self.draws.between(30, 200), weekdays)
        if day > AS_OF:
            return _plain_story(answer)
        self._reverse(history, answer, day, remarks=("N689",))
        return "reversed_open"

    def _voided(self, history: History, answer: Answer, *, is_resent: bool) -> str:
        draws = self.draws
        payer = history.claim.payer
        void_day = next_batch(answer.day + draws.between(3, 40), payer.clearinghouse)
        taken_back = self._answer_day(payer, void_day)
        if taken_back > AS_OF:
            return _plain_story(answer)
        self._send(history, void_day, "8", original_number=answer.payer_number)
        self._reverse(history, answer, taken_back, kind="void", remarks=("N693",))
        resent = next_batch(taken_back + draws.between(1, 10), payer.clearinghouse)
        again = self._answer_day(payer, resent)
        if again > AS_OF or not is_resent:
            return "voided_after_answer"
        self._send(history, resent, "1", control_number=self._control_number())
        self._decide(history, again, is_denied=draws.chance(0.1))
        return "voided_resubmitted"

    def _second_insurer(self, history: History, primary: Answer, cover: Coverage) -> str:
        draws = self.draws
        is_forwarded = draws.chance(world.CROSSOVER_RATE)
        sent = primary.day + 1
        if not is_forwarded:
            sent = next_batch(primary.day + draws.between(2, 20), cover.payer.clearinghouse)
        if sent > AS_OF:
            return _plain_story(primary)
        if is_forwarded:
            primary.status = "19"
        else:
            self._send(history, sent, "1", cover=cover, primary=primary)
        answered = self._answer_day(cover.payer, sent)
        if answered <= AS_OF:
            lines = [_secondary_line(a, pays_all=draws.chance(0.6)) for a in primary.lines]
            self._receive(history, answered, lines, "2", kind="secondary", cover=cover)
        return "secondary_forwarded" if is_forwarded else "secondary_billed"

    # ---- stories: denied ---------------------------------------------------------------------

    def _denied(self, history: History, answered: int) -> str:
        denial = self._decide(history, answered, is_denied=True)
        kind = world.CATEGORY_KIND[denial.lines[0].category]
        response = self._choose(world.DENIAL_RESPONSES[kind])
        if response == "corrected":
            return self._corrected(history, denial)
        if response == "appealed":
            return self._appealed(history, denial)
        return "denied_not_worked"

    def _corrected(self, history: History, denial: Answer) -> str:
        draws = self.draws
        payer = history.claim.payer
        sent = next_batch(denial.day + draws.between(5, 45), payer.clearinghouse)
        if sent > AS_OF:
            return "denied_not_worked"
        self._obtain_documents(history.claim, denial.day, sent)
        self._send(history, sent, "7", original_number=denial.payer_number)
        answered = self._answer_day(payer, sent)
        if answered > AS_OF:
            return "corrected_unanswered"
        is_denied = not draws.chance(world.CORRECTED_APPROVED_RATE)
        self._decide(history, answered, is_denied)
        return "corrected_denied" if is_denied else "corrected_approved"

    def _appealed(self, history: History, denial: Answer) -> str:
        draws = self.draws
        claim = history.claim
        payer = claim.payer
        filed = denial.day + draws.between(10, min(75, payer.appeal_days - 2))
        if filed > AS_OF:
            return "denied_not_worked"
        helper = self._choose(world.ASSISTED_BY)
        self._obtain_documents(claim, denial.day, filed)
        if claim.documents["lmn"] in ("no", "n/a") and draws.chance(0.5):
            claim.documents["lmn"] = iso(filed)
        decided = next_pay_day(filed + draws.between(20, 60), payer.pay_weekdays)
        deadline = denial.day + payer.appeal_days
        if decided > AS_OF:
            self._note_appeal(claim, "1", filed, deadline, None, "pending", helper)
            return "appeal_pending"
        rate = world.OVERTURNED_RATE if helper == "nobody" else world.OVERTURNED_RATE_ASSISTED
        if not draws.chance(rate):
            self._note_appeal(claim, "1", filed, deadline, decided, "upheld", helper)
            self._uphold(history, denial, decided, helper)
            return "appeal_lost"
        return self._overturn(history, denial, (filed, deadline, decided), helper)

    def _overturn(
        self, history: History, denial: Answer, days: tuple[int, int, int], helper: str
    ) -> str:
        draws = self.draws
        claim = history.claim
        filed, deadline, decided = days
        paid = next_pay_day(decided + draws.between(5, 21), claim.payer.pay_weekdays)
        if paid > AS_OF or draws.chance(0.7):
            paid = decided
        lines = self._approved_lines(claim)
        is_partly = draws.chance(world.PARTLY_OVERTURNED_RATE) and self._cut_units(claim, lines)
        outcome = "partial" if is_partly else "overturned"
        self._note_appeal(claim, "1", filed, deadline, decided, outcome, helper)
        self._reverse(history, denial, decided, remarks=("N690",))
        self._receive(history, paid, lines, "1", remarks=("MA91",))
        return "appeal_partly_won" if is_partly else "appeal_won"

    def _uphold(self, history: History, denial: Answer, decided: int, helper: str) -> None:
        draws = self.draws
        claim = history.claim
        if draws.chance(0.5):
            codes = DenialCodes("appeal_outcome", "CO", "193", "")
            lines = [self._denied_line(claim, line, codes) for line in claim.lines]
            self._receive(history, decided, lines, "4")
        else:
            self._receive(history, decided, denial.lines, "4", remarks=("MA46",))
        filed = decided + draws.between(10, 40)
        if filed <= AS_OF and draws.chance(0.25):
            deadline = decided + 120
            again = filed + draws.between(30, 60)
            if again <= AS_OF:
                self._note_appeal(claim, "2", filed, deadline, again, "upheld", helper)
            else:
                self._note_appeal(claim, "2", filed, deadline, None, "pending", helper)

    def _note_appeal(
        self,
        claim: Claim,
        level: str,
        filed: int,
        deadline: int,
        decided: int | None,
        outcome: str,
        helper: str,
    ) -> None:
        source = self.draws.weighted(("letter", "contract", "default"), (5, 3, 2))
        decision_date = "" if decided is None else iso(decided)
        self.appeals.append(
            Appeal(
                claim.control_number,
                level,
                iso(filed),
                iso(deadline),
                source,
                decision_date,
                outcome,
                helper,
            )
        )

    def _obtain_documents(self, claim: Claim, denied: int, needed: int) -> None:
        """Papers obtained after the denial: dated then, so they were missing at submission."""
        dated = {document.name for document in world.DOCUMENTS if document.is_dated}
        for name in sorted(claim.causes & dated):
            if self.draws.chance(0.7):
                claim.documents[name] = iso(self.draws.between(denied + 1, needed))

    # ---- answers -------------------------------------------------------------------------------

    def _decide(self, history: History, day: int, is_denied: bool) -> Answer:
        """A decision on the whole claim, received on this day."""
        claim = history.claim
        if not is_denied:
            return self._receive(history, day, self._approved_lines(claim), "1")
        codes = self._denial_codes(claim)
        lines = [self._denied_line(claim, line, codes) for line in claim.lines]
        if len(lines) > 1 and self.draws.chance(world.MIXED_DENIAL_RATE):
            smallest = min(range(len(lines)), key=lambda i: lines[i].line.charge)
            largest = max(line.line.charge for line in lines)
            if lines[smallest].line.charge < largest:
                other = self._denial_codes(claim)
                lines[smallest] = self._denied_line(claim, lines[smallest].line, other)
        remarks = ("MA02",) if self.draws.chance(0.2) else ()
        return self._receive(history, day, lines, claim.payer.denies_with_status, remarks=remarks)

    def _approved_lines(self, claim: Claim) -> list[LineAnswer]:
        cover = claim.patient.cover
        plan = cover.plan
        in_year = year(claim.service_day)
        if in_year not in cover.deductible_left:
            percent = self.draws.pick(world.DEDUCTIBLE_LEFT_PERCENT)
            cover.deductible_left[in_year] = plan.deductible_cents * percent // 100
        deductible = cover.deductible_left[in_year]
        copay = plan.copay_cents
        answers = []
        for line in claim.lines:
            allowed = _allowed(claim.payer, line, line.units)
            from_deductible = min(deductible, allowed)
            deductible -= from_deductible
            left = allowed - from_deductible
            coinsurance = left * plan.coinsurance_percent // 100
            from_copay = min(copay, left - coinsurance)
            copay -= from_copay
            answers.append(
                _approved_line(claim.payer, line, allowed, from_deductible, coinsurance, from_copay)
            )
        cover.deductible_left[in_year] = deductible
        return answers

    def _cut_units(self, claim: Claim, lines: list[LineAnswer]) -> bool:
        """Cuts units off the longest line, in place; False when no line has two."""
        i = max(range(len(lines)), key=lambda i: lines[i].line.units)
        line = lines[i].line
        if line.units < 2:
            return False
        units = self.draws.between(1, line.units - 1)
        cut_charge = line.charge * (line.units - units) // line.units
        allowed = _allowed(claim.payer, line, units)
        kept = _approved_line(claim.payer, line, allowed, 0, 0, 0, line.charge - cut_charge)
        cut = Adjustment("CO", "151", cut_charge, line.units - units)
        kept.adjustments = (cut, *kept.adjustments)
        kept.units = units
        kept.determination = "cut"
        kept.category = "documentation"
        lines[i] = kept
        return True

    def _denied_line(self, claim: Claim, line: Line, codes: DenialCodes) -> LineAnswer:
        contractual = 0
        if claim.payer.splits_denials:
            contractual = line.charge - _allowed(claim.payer, line, line.units)
        adjustments = [Adjustment(codes.group_code, codes.reason_code, line.charge - contractual)]
        if contractual:
            adjustments.append(Adjustment("CO", claim.payer.reduction_code, contractual))
        remarks = (codes.remark_code,) if codes.remark_code else ()
        return LineAnswer(
            line, 0, 0, 0, tuple(adjustments), "denied", remarks, category=codes.category
        )

    def _denial_codes(self, claim: Claim) -> DenialCodes:
        causes = claim.causes
        weights = []
        for category, weight in world.CATEGORY_WEIGHTS.items():
            tilts = [
                tilt
                for cause, tilt in world.CATEGORY_TILTS.get(category, {}).items()
                if cause in causes
            ]
            for tilt in tilts:
                weight *= tilt
            if not tilts:
                weight *= world.ABSENT_CAUSE_DAMPING.get(category, 1.0)
            weights.append(weight)
        category = self.draws.weighted(list(world.CATEGORY_WEIGHTS), weights)
        pairs = [p for p in denial_codes()[category] if not p.cause or p.cause in causes]
        return self.draws.weighted(pairs, [pair.weight for pair in pairs])

    def _reverse(
        self,
        history: History,
        answer: Answer,
        day: int,
        kind: AnswerKind = "reversal",
        remarks: tuple[str, ...] = (),
    ) -> None:
        """Takes an answer back: the same CLP, every amount negated."""
        lines = [_negated(line) for line in answer.lines]
        reversal = self._receive(history, day, lines, "22", kind=kind, remarks=remarks)
        reversal.control_number = answer.control_number
        reversal.payer_number = answer.payer_number
        reversal.shows_lines = answer.shows_lines

    def _receive(
        self,
        history: History,
        day: int,
        lines: list[LineAnswer],
        status: str,
        *,
        kind: AnswerKind = "decision",
        remarks: tuple[str, ...] = (),
        cover: Coverage | None = None,
    ) -> Answer:
        sent = history.submissions[-1]
        answer = Answer(
            claim=history.claim,
            cover=cover or history.claim.patient.cover,
            control_number=sent.control_number,
            day=day,
            received=min(sent.day + 1, day),
            kind=kind,
            status=status,
            payer_number=self._payer_number(day),
            frequency=sent.frequency,
            lines=lines,
            remarks=remarks,
        )
        if kind == "decision" and len(lines) == len(sent.claim.lines) and _is_uniform(lines):
            answer.shows_lines = not self.draws.chance(world.CLAIM_LEVEL_ONLY_RATE)
        history.answers.append(answer)
        return answer

    def _send(
        self,
        history: History,
        day: int,
        frequency: str,
        *,
        control_number: str = "",
        original_number: str = "",
        cover: Coverage | None = None,
        primary: Answer | None = None,
    ) -> None:
        last = history.submissions[-1].control_number if history.submissions else ""
        history.submissions.append(
            Submission(
                history.claim,
                control_number or last or history.claim.control_number,
                day,
                frequency,
                cover or history.claim.patient.cover,
                original_number,
                primary,
            )
        )

    # ---- small things ------------------------------------------------------------------------

    def _choose(self, rates: Mapping[str, float]) -> str:
        """A name with its probability; empty for what the probabilities leave of one."""
        left = self.draws.uniform()
        for name, rate in rates.items():
            left -= rate
            if left < 0:
                return name
        return ""

    def _answer_day(self, payer: Payer, sent: int) -> int:
        lag = int(self.draws.lognormal(*payer.lag_days))
        return next_pay_day(sent + max(lag, 2), payer.pay_weekdays)

    def _control_number(self) -> str:
        self.n_control_numbers += 1
        return f"C{self.n_control_numbers:06d}"

    def _payer_number(self, day: int) -> str:
        self.n_answers += 1
        return f"{d8(day)[2:]}{self.n_answers:08d}"

    def _add_interest(self, answer: Answer) -> None:
        late = answer.day - answer.claim.submitted - INTEREST_AFTER_DAYS
        interest = answer.paid * late // 3000  # 1% a month
        if answer.claim.payer.pays_interest and late > 0 and interest:
            self._move(answer.claim.payer, answer.day, "L6", answer.payer_number, -interest)

    def _move(self, payer: Payer, day: int, reason: str, payer_number: str, cents: int) -> None:
        self.money_moved.append(MoneyMoved(payer, day, reason, payer_number, cents))


def _plain_story(answer: Answer) -> str:
    """The name of a story that ends with its first answer."""
    if answer.lines[0].determination == "denied":
        return "denied_not_worked"
    if not answer.cost_share:
        return "paid"
    return "cost_share" if answer.paid else "deductible_only"


def _allowed(payer: Payer, line: Line, units: int) -> int:
    per_unit = payer.allowed_per_hour_cents * RELATIVE_VALUE_PERCENT[line.code] // 400
    return min(per_unit * units, line.charge)


def _approved_line(
    payer: Payer,
    line: Line,
    allowed: int,
    deductible: int,
    coinsurance: int,
    copay: int,
    charge: int | None = None,
) -> LineAnswer:
    """An approved line; `charge` is the part of its charge that was not cut."""
    reduction = (line.charge if charge is None else charge) - allowed
    payable = allowed - deductible - coinsurance - copay
    sequestered = payable * 2 // 100 if payer.has_sequestration else 0
    # An insurer without a contract leaves what it does not allow to the patient.
    group = "CO" if payer.is_in_network else "PR"
    adjustments = (
        Adjustment(group, payer.reduction_code, reduction),
        Adjustment("PR", "1", deductible),
        Adjustment("PR", "2", coinsurance),
        Adjustment("PR", "3", copay),
        Adjustment("CO", "253", sequestered),
    )
    return LineAnswer(
        line,
        payable - sequestered,
        line.units,
        allowed,
        tuple(a for a in adjustments if a.cents),
        "approved",
    )


def _pended_line(line: Line) -> LineAnswer:
    return LineAnswer(line, 0, 0, 0, (Adjustment("OA", "133", line.charge),), "pended")


def _secondary_line(primary: LineAnswer, *, pays_all: bool) -> LineAnswer:
    """The second insurer pays the cost share the first left, or four fifths of it."""
    share = primary.cost_share
    paid = share if pays_all else share * 4 // 5
    adjustments = (
        Adjustment("OA", "23", primary.line.charge - share),
        Adjustment("PR", "2", share - paid),
    )
    return LineAnswer(
        primary.line,
        paid,
        primary.line.units,
        0,
        tuple(a for a in adjustments if a.cents),
        "none",
    )


def _negated(answer: LineAnswer) -> LineAnswer:
    return LineAnswer(
        answer.line,
        -answer.paid,
        answer.units,
        0,
        tuple(a._replace(cents=-a.cents, units=-a.units) for a in answer.adjustments),
        "none",
        recoded_to=answer.recoded_to,
        sign=-1,
    )


def _is_uniform(lines: list[LineAnswer]) -> bool:
    """All lines share one fate and one reason, so that a claim-level answer can tell it."""
    first = lines[0]
    return (
        first.determination in ("approved", "denied")
        and not first.recoded_to
        and all(
            (line.determination, line.category, line.remarks)
            == (first.determination, first.category, first.remarks)
            for line in lines
        )
    )

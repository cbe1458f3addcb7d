"""Draws the practice's patients, episodes, visits, documents and chances of denial.

What comes out is what a practice knows on the day it sends a claim, and the denial probability
that the stated effects give it. What payers then answer is told in `histories`.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from analysis.synthetic import world
from analysis.synthetic.days import AS_OF, first_day, iso, next_batch, year
from analysis.synthetic.draws import Draws
from analysis.synthetic.world import Condition, Document, Payer, Plan

CHARGE_PER_UNIT_CENTS = {"97124": 3_500, "97140": 3_800, "97112": 4_000, "97010": 1_500}
YEARLY_RAISE_CENTS = 100
SECOND_DIAGNOSES = ("M62.838", "G89.29", "M79.18")
RELATIVE_VALUE_PERCENT = {"97124": 100, "97140": 108, "97112": 115, "97010": 25}

AuthorizationState = Literal["not_required", "present", "missing", "exceeded"]

EPISODE_GAP_DAYS = 100
"""A second episode starts later than this: visits less than 90 days apart are one episode."""


@dataclass(slots=True, eq=False)
class Coverage:
    """A patient's membership in a plan, with what is left of the year's deductible."""

    payer: Payer
    plan: Plan
    member_id: str
    deductible_left: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Patient:
    """A patient; `name` is a numbered placeholder."""

    name: str
    cover: Coverage
    second_cover: Coverage | None
    is_dependent: bool
    birth_day: int
    sex: str
    therapist: int
    referrer: int
    effect: float
    visits_by_year: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True, eq=False)
class Line:
    """A service line as sent; `modifiers` as in SV1, each with its colon."""

    number: int
    code: str
    modifiers: str
    units: int
    charge: int


@dataclass(slots=True, eq=False)
class Claim:
    """One visit, as the practice sends it the first time."""

    patient: Patient
    payer: Payer
    plan: Plan
    condition: Condition
    diagnoses: tuple[str, ...]
    visit_number: int
    episode_start: int
    accident_day: int | None
    service_day: int
    submitted: int
    lines: tuple[Line, ...]
    techniques: str
    documents: dict[str, str]
    authorization_number: str
    causes: frozenset[str]
    control_number: str = ""
    denial_probability: float = 0.0

    @property
    def charge(self) -> int:
        """The total charge in cents."""
        return sum(line.charge for line in self.lines)


class Authorization(NamedTuple):
    """A row of authorizations.csv."""

    authorization_number: str
    payer_id: str
    member_id: str
    procedure_codes: str
    visits_authorized: int
    start_date: str
    end_date: str
    requested_date: str
    decision_date: str
    status: str


class BenefitCall(NamedTuple):
    """A row of benefit_calls.csv."""

    call_date: str
    call_time: str
    payer_id: str
    member_id: str
    representative: str
    reference_number: str
    covered: str
    authorization_required: str
    referral_required: str
    visits_allowed: str
    visits_remaining: str
    written_confirmation_date: str


@dataclass(slots=True, eq=False)
class Visits:
    """Everything drawn before a payer answers; claims in the order they are first sent."""

    claims: list[Claim]
    authorizations: list[Authorization]
    benefit_calls: list[BenefitCall]
    payer_effects: dict[str, float]
    plan_effects: dict[str, float]
    intercept_shift: float


def draw_visits(n_claims: int, n_months: int, seed: int) -> Visits:
    """Exactly `n_claims` visits within the months that end with the as-of date."""
    return _Practice(n_claims, n_months, seed).draw()


def payer_quotas(n_claims: int) -> list[int]:
    """How many claims each payer gets, by largest remainder of its share.

    >>> sum(payer_quotas(3000))
    3000
    """
    total = sum(payer.share for payer in world.PAYERS)
    exact = [n_claims * payer.share / total for payer in world.PAYERS]
    quotas = [int(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: quotas[i] - exact[i])
    for i in by_remainder[: n_claims - sum(quotas)]:
        quotas[i] += 1
    return quotas


class _Practice:
    """Draws one practice, payer by payer, patient by patient, episode by episode."""

    def __init__(self, n_claims: int, n_months: int, seed: int) -> None:
        self.n_claims = n_claims
        self.start = first_day(n_months)
        self.draws = Draws(seed, 1)
        self.n_patients = 0
        self.claims: list[Claim] = []
        self.authorizations: list[Authorization] = []
        self.benefit_calls: list[BenefitCall] = []
        effects = Draws(seed, 2)
        self.payer_effects = {
            payer.id: round(effects.normal() * world.PAYER_EFFECT_SD, 4) for payer in world.PAYERS
        }
        self.plan_effects = {
            f"{payer.id}/{plan.id}": round(effects.normal() * world.PLAN_EFFECT_SD, 4)
            for payer in world.PAYERS
            for plan in payer.plans
        }

    def draw(self) -> Visits:
        for payer, quota in zip(world.PAYERS, payer_quotas(self.n_claims), strict=True):
            end = len(self.claims) + quota
            while len(self.claims) < end:
                self._treat(self._patient(payer), end - len(self.claims))
        self.claims.sort(key=lambda c: (c.submitted, c.service_day, c.patient.name))
        for n, claim in enumerate(self.claims, 1):
            claim.control_number = f"C{n:06d}"
        return Visits(
            self.claims,
            self.authorizations,
            self.benefit_calls,
            self.payer_effects,
            self.plan_effects,
            self._set_probabilities(),
        )

    # ---- patients and episodes -------------------------------------------------------------

    def _patient(self, payer: Payer) -> Patient:
        draws = self.draws
        self.n_patients += 1
        n = self.n_patients
        plan = draws.weighted(payer.plans, [plan.weight for plan in payer.plans])
        cover = Coverage(payer, plan, f"{world.PAYERS.index(payer):02d}{n:07d}")
        second_cover = None
        if payer.payer_type.startswith("commercial") and draws.chance(world.SECONDARY_COVER_RATE):
            other = draws.pick([p for p in world.PAYERS[:4] if p is not payer])
            second_cover = Coverage(other, draws.pick(other.plans), f"S{n:08d}")
        return Patient(
            name=f"N{n:06d}",
            cover=cover,
            second_cover=second_cover,
            is_dependent=payer.filing_indicator in ("CI", "BL", "HM") and draws.chance(0.15),
            birth_day=date(1942, 1, 1).toordinal() + draws.between(0, 66 * 365),
            sex=draws.weighted("FMU", (62, 36, 2)),
            therapist=draws.between(0, len(world.THERAPIST_UNTIDINESS) - 1),
            referrer=draws.between(0, 7),
            effect=draws.normal() * world.PATIENT_EFFECT_SD,
        )

    def _treat(self, patient: Patient, at_most: int) -> None:
        """One patient's one or two episodes, not more claims than asked for."""
        draws = self.draws
        # More begin early than late: later months also see the second episodes of earlier ones.
        u = draws.uniform()
        day = self.start + int((AS_OF - 3 - self.start) * u * (0.65 + 0.35 * u))
        for _ in range(2 if draws.chance(0.3) else 1):
            days = self._visit_days(day)[:at_most]
            if not days:
                return
            _Episode(self, patient, days).draw()
            at_most -= len(days)
            day = days[-1] + EPISODE_GAP_DAYS + draws.between(0, 120)

    def _visit_days(self, first: int) -> list[int]:
        draws = self.draws
        low, high = draws.weighted(((3, 6), (7, 12), (13, 24)), (40, 40, 20))
        gap = draws.pick((4, 7, 7, 10, 14))
        days = []
        day = first
        for _ in range(draws.between(low, high)):
            day += {5: 2, 6: 1}.get((day - 1) % 7, 0)  # nobody works at the weekend
            if day > AS_OF:
                break
            days.append(day)
            day += gap + draws.between(-2, 3)
        return days

    # ---- probabilities -----------------------------------------------------------------------

    def _set_probabilities(self) -> float:
        """Gives every claim its denial probability; returns the shift of the intercepts."""
        logits = [self._logit(claim) for claim in self.claims]
        shift = _shift_to_mean(logits, world.DENIAL_TARGET)
        for claim, logit in zip(self.claims, logits, strict=True):
            claim.denial_probability = round(_logistic(logit + shift), 6)
        return shift

    def _logit(self, claim: Claim) -> float:
        base = world.BASE_DENIAL_RATE[claim.payer.payer_type]
        return (
            math.log(base / (1 - base))
            + self.payer_effects[claim.payer.id]
            + self.plan_effects[f"{claim.payer.id}/{claim.plan.id}"]
            + claim.condition.effect
            + claim.patient.effect
            + sum(world.CAUSE_EFFECTS.get(cause, 0.0) for cause in sorted(claim.causes))
            + world.LAG_EFFECT_PER_DAY * min(claim.submitted - claim.service_day, 60)
        )


class _Episode:
    """One patient's visits for one condition, with the papers that come with them."""

    def __init__(self, practice: _Practice, patient: Patient, days: list[int]) -> None:
        self.practice = practice
        self.draws = practice.draws
        self.patient = patient
        self.payer = patient.cover.payer
        self.plan = patient.cover.plan
        self.days = days
        self.condition = self._condition()
        self.code_index = self.draws.between(0, 11)
        self.untidiness = world.THERAPIST_UNTIDINESS[patient.therapist]
        self.accident_day = (
            days[0] - self.draws.between(2, 40) if self.condition.is_injury else None
        )
        self.document_cells: dict[str, str] = {}
        self.authorization: Authorization | None = None
        self.visits_left = 0
        self.unauthorized_until = 0

    def draw(self) -> None:
        for visit_number, day in enumerate(self.days, 1):
            self.practice.claims.append(self._visit(visit_number, day))

    def _visit(self, visit_number: int, day: int) -> Claim:
        draws = self.draws
        lines = self._lines(day)
        submitted = self._submitted(day)
        authorization = self._authorize(visit_number, day, lines)
        documents = self._documents(visit_number, day, submitted, authorization)
        causes = self._causes(visit_number, day, submitted, lines, documents, authorization)
        codes = next(codes for since, codes in self.condition.codes if since.toordinal() <= day)
        diagnoses = [codes[self.code_index % len(codes)]]
        if draws.chance(0.3):
            diagnoses.append(draws.pick([c for c in SECOND_DIAGNOSES if c not in diagnoses]))
        return Claim(
            patient=self.patient,
            payer=self.payer,
            plan=self.plan,
            condition=self.condition,
            diagnoses=tuple(diagnoses),
            visit_number=visit_number,
            episode_start=self.days[0],
            accident_day=self.accident_day,
            service_day=day,
            submitted=submitted,
            lines=lines,
            techniques=self._techniques(lines),
            documents=documents,
            authorization_number=(
                self.authorization.authorization_number
                if self.authorization and authorization in ("present", "exceeded")
                else ""
            ),
            causes=causes,
        )

    def _condition(self) -> Condition:
        draws = self.draws
        is_injury = draws.chance(world.INJURY_SHARE.get(self.payer.payer_type, 0.05))
        eligible = [c for c in world.CONDITIONS if c.is_injury == is_injury]
        return draws.weighted(eligible, [c.weight for c in eligible])

    def _lines(self, day: int) -> tuple[Line, ...]:
        draws = self.draws
        units = draws.weighted((2, 3, 4), (2, 2, 6))
        sent: list[tuple[str, str, int]]
        kind = draws.uniform()
        if kind < 0.56:
            sent = [("97124", ":GP", units)]
        elif kind < 0.72:
            sent = [("97140", ":GP", units)]
        elif kind < 0.93:
            first = draws.between(1, units - 1)
            sent = [("97124", ":GP", first), ("97140", ":GP:59", units - first)]
        else:
            sent = [("97140", ":GP", units - 1), ("97112", ":GP:59", 1)]
        if draws.chance(0.06):
            sent.append(("97010", ":GP", 1))
        raised = YEARLY_RAISE_CENTS * (year(day) - 2024)
        return tuple(
            Line(n, code, modifiers, u, u * (CHARGE_PER_UNIT_CENTS[code] + raised))
            for n, (code, modifiers, u) in enumerate(sent, 1)
        )

    def _techniques(self, lines: tuple[Line, ...]) -> str:
        codes = [line.code for line in lines]
        known = ["effleurage", "deep tissue"] if "97124" in codes else ["myofascial release"]
        if "97140" in codes:
            known += ["trigger point", "joint mobilization"]
        first = self.draws.pick(known)
        second = self.draws.pick(known)
        return first if first == second else f"{first};{second}"

    def _submitted(self, day: int) -> int:
        draws = self.draws
        limit = self.payer.timely_filing_days
        if limit <= 180 and draws.chance(world.LATE_RATE) and day + limit + 10 <= AS_OF:
            delay = limit + draws.between(3, 60)
        elif draws.chance(0.85):
            delay = draws.between(0, 4)
        else:
            delay = draws.between(5, 30)
        return next_batch(min(day + delay, AS_OF), self.payer.clearinghouse)

    # ---- papers ------------------------------------------------------------------------------

    def _authorize(
        self, visit_number: int, day: int, lines: tuple[Line, ...]
    ) -> AuthorizationState:
        """Obtains, uses up or misses the authorization this visit needs."""
        payer = self.payer
        codes = payer.authorization_codes
        needs_one = (
            payer.authorization_after is not None
            and visit_number > payer.authorization_after
            and (not codes or any(line.code in codes for line in lines))
        )
        if not needs_one:
            return "not_required"
        if visit_number <= self.unauthorized_until:
            return "missing"
        if self.authorization is None:
            rate = next(d.missing_rate for d in world.DOCUMENTS if d.name == "authorization")
            if self.draws.chance(rate * self.untidiness):
                self.unauthorized_until = visit_number + 5
                if self.draws.chance(world.AUTHORIZATION_DENIED_RATE):
                    self._request(day, "denied")
                return "missing"
            self.authorization = self._request(day, "approved")
        elif self.visits_left == 0 and self.draws.chance(world.AUTHORIZATION_RENEWED_RATE):
            self.authorization = self._request(day, "approved")
        if self.visits_left == 0:
            return "exceeded"
        self.visits_left -= 1
        return "present"

    def _request(self, day: int, status: str) -> Authorization:
        draws = self.draws
        requested = day - draws.between(6, 16)
        decided = requested + draws.between(1, 5)
        visits = draws.pick(world.AUTHORIZATION_VISITS) if status == "approved" else 0
        number = len(self.practice.authorizations) + 1
        row = Authorization(
            f"A{number:07d}" if status == "approved" else "",
            self.payer.id,
            self.patient.cover.member_id,
            ";".join(self.payer.authorization_codes) or "97124;97140;97112",
            visits,
            iso(decided) if status == "approved" else "",
            iso(decided + 180) if status == "approved" else "",
            iso(requested),
            iso(decided),
            status,
        )
        self.practice.authorizations.append(row)
        self.visits_left = visits
        return row

    def _documents(
        self, visit_number: int, day: int, submitted: int, authorization: AuthorizationState
    ) -> dict[str, str]:
        """What the chart holds on the day of submission: a date, yes, no or n/a for each item."""
        starts_block = visit_number % 6 == 1
        for document in world.DOCUMENTS:
            is_redrawn = (
                visit_number == 1
                or document.drawn_per == "visit"
                or (document.drawn_per == "block" and starts_block)
            )
            if is_redrawn:
                self.document_cells[document.name] = self._cell(document, visit_number, day)
        cells = dict(self.document_cells)
        if authorization == "not_required":
            cells["authorization"] = "n/a"
        elif authorization == "missing" or self.authorization is None:
            cells["authorization"] = "no"
        else:
            cells["authorization"] = self.authorization.decision_date
        if cells["timely_proof"] != "no":
            cells["timely_proof"] = iso(submitted)
        return cells

    def _cell(self, document: Document, visit_number: int, day: int) -> str:
        draws = self.draws
        is_there = not draws.chance(min(document.missing_rate * self.untidiness, 0.95))
        is_required = self._is_required(document, visit_number)
        if document.name == "benefit_verification":
            return self._call(day) if is_there else "no"
        if not is_required and not (is_there and draws.chance(0.4)):
            return "n/a"
        if not is_there:
            return "no"
        if not document.is_dated or draws.chance(0.06):
            return "yes"
        # Papers of an episode are older than its first visit; those of a block are of the day.
        return iso(day - draws.between(0, 20) if document.drawn_per == "episode" else day)

    def _is_required(self, document: Document, visit_number: int) -> bool:
        if document.name == "prescription":
            return self.payer.referral_required
        return self.payer.payer_type in document.payer_types and visit_number >= document.from_visit

    def _call(self, day: int) -> str:
        """Notes a call to the insurer before the first visit; the day of the call."""
        draws = self.draws
        call_day = day - draws.between(0, 9)
        needs_one = self.payer.authorization_after is not None
        limit = self.plan.visit_limit_year
        used = self.patient.visits_by_year[year(day)]
        confirmed = call_day + draws.between(2, 15)
        self.practice.benefit_calls.append(
            BenefitCall(
                iso(call_day),
                f"{draws.between(8, 16):02d}:{draws.between(0, 59):02d}",
                self.payer.id,
                self.patient.cover.member_id,
                f"Representative {draws.between(1, 40)}",
                f"REF{len(self.practice.benefit_calls) + 1:06d}",
                draws.weighted(("yes", "no", ""), (94, 3, 3)),
                # Representatives are wrong about one time in eight.
                _yes_no(needs_one != draws.chance(0.12)),
                _yes_no(self.payer.referral_required != draws.chance(0.12)),
                "" if limit is None else str(limit),
                "" if limit is None else str(max(limit - used, 0)),
                iso(confirmed) if draws.chance(0.3) and confirmed <= AS_OF else "",
            )
        )
        return iso(call_day)

    def _causes(
        self,
        visit_number: int,
        day: int,
        submitted: int,
        lines: tuple[Line, ...],
        documents: dict[str, str],
        authorization: AuthorizationState,
    ) -> frozenset[str]:
        payer = self.payer
        causes = {
            document.name
            for document in world.DOCUMENTS
            if document.name != "authorization"
            and documents[document.name] == "no"
            and self._is_required(document, visit_number)
        }
        if authorization == "missing":
            causes.add("authorization")
        if authorization == "exceeded":
            causes.add("authorization_exceeded")
        if authorization != "not_required" and payer.authorization_after:
            causes.add("past_authorization_boundary")
        self.patient.visits_by_year[year(day)] += 1
        limit = self.plan.visit_limit_year
        if limit is not None and self.patient.visits_by_year[year(day)] > limit:
            causes.add("past_plan_limit")
        if not payer.is_in_network:
            causes.add("out_of_network")
        if submitted - day > payer.timely_filing_days:
            causes.add("late")
        if self.condition.is_mental:
            causes.add("mental_condition")
        if self.condition.is_injury:
            causes.add("injury")
        if len(lines) > 1:
            causes.add("several_codes")
        return frozenset(causes)


def _yes_no(answer: bool) -> str:
    return "yes" if answer else "no"


def _logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _shift_to_mean(logits: list[float], target: float) -> float:
    """The number to add to all log-odds that brings their mean probability to the target."""
    low, high = -8.0, 8.0
    for _ in range(40):
        middle = (low + high) / 2
        if sum(_logistic(logit + middle) for logit in logits) / len(logits) < target:
            low = middle
        else:
            high = middle
    return round((low + high) / 2, 6)

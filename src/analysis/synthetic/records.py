"""The practice's own records: documentation, prescriptions, policies and practice.toml."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from analysis.synthetic import world
from analysis.synthetic.days import AS_OF as LAST_DAY
from analysis.synthetic.days import iso
from analysis.synthetic.draws import Draws
from analysis.synthetic.histories import Appeal
from analysis.synthetic.visits import Claim
from analysis.synthetic.world import AS_OF, PAYERS, Payer, Plan


class Policy(NamedTuple):
    """A row of policies.csv; empty cells mean every plan, state or code, or no end."""

    payer_id: str
    plan_id: str = ""
    state: str = ""
    procedure_code: str = ""
    rule: str = ""
    value: str = ""
    effective_from: str = ""
    effective_to: str = ""
    source: str = ""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV with this header, lines ending in a newline only."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def documentation_csv(claims: Sequence[Claim], seed: int) -> str:
    """One row a visit; an empty cell is what nobody wrote down."""
    draws, of_minutes = Draws(seed, 4), Draws(seed, 6)
    header = ["claim_number", "service_date", "techniques", "treatment_minutes"]
    header += [document.name for document in world.DOCUMENTS]
    return csv_text(header, (_documentation_row(claim, draws, of_minutes) for claim in claims))


def _documentation_row(claim: Claim, draws: Draws, of_minutes: Draws) -> list[str]:
    techniques = "" if draws.chance(0.1) else claim.techniques
    minutes = _minutes(claim, of_minutes)
    row = [claim.control_number, iso(claim.service_day), techniques, minutes]
    for document in world.DOCUMENTS:
        forgotten = draws.chance(document.unknown_rate)
        row.append("" if forgotten else claim.documents[document.name])
    return row


def _minutes(claim: Claim, draws: Draws) -> str:
    """The minutes of the timed codes; of a visit whose minutes are missing, nothing."""
    minutes = {
        line.code: line.units * 15 + draws.between(*world.MINUTES_FROM_UNITS)
        for line in claim.lines
        if line.code in world.TIMED_CODES
    }
    if claim.documents["minutes"] == "no" or draws.chance(world.MINUTES_UNWRITTEN_RATE):
        return ""
    if draws.chance(world.MINUTES_IN_TOTAL_RATE):
        return str(sum(minutes.values()))
    return ";".join(f"{code}={n}" for code, n in minutes.items())


class Prescription(NamedTuple):
    """A row of prescriptions.csv."""

    member_id: str
    prescribed_date: str
    expiry_date: str
    diagnosis_codes: str
    visits_prescribed: int
    visits_per_week: int
    weeks: int


def prescriptions(claims: Sequence[Claim], seed: int) -> list[Prescription]:
    """The prescriptions on file, and their renewals, of every episode that has one.

    Drawn in a stream of their own. No insurer answers by them: they tell what was ordered, and
    documentation.csv whether the prescription was there.
    """
    draws = Draws(seed, 5)
    episodes: dict[tuple[str, int], list[Claim]] = {}
    for claim in claims:
        episodes.setdefault((claim.patient.name, claim.episode_start), []).append(claim)
    rows = [row for visits in episodes.values() for row in _prescribed(visits, draws)]
    return sorted(rows, key=lambda row: (row.prescribed_date, row.member_id))


def _prescribed(visits: Sequence[Claim], draws: Draws) -> Iterator[Prescription]:
    visits = sorted(visits, key=lambda claim: claim.visit_number)
    first = visits[0]
    cell = first.documents["prescription"]
    if cell in ("no", "n/a"):
        return
    dated = date.fromisoformat(cell).toordinal() if cell != "yes" else first.service_day
    while True:
        ordered = draws.pick(world.PRESCRIPTION_VISITS)
        weeks = draws.pick(world.PRESCRIPTION_WEEKS)
        yield Prescription(
            first.patient.cover.member_id,
            iso(dated),
            iso(dated + 7 * weeks),
            first.diagnoses[0],
            ordered,
            draws.pick((1, 2, 2, 3)),
            weeks,
        )
        later = [claim.service_day for claim in visits if claim.service_day >= dated]
        # The order is used up, or it runs out, before the visit that would renew it.
        beyond = [day for n, day in enumerate(later) if n >= ordered or day > dated + 7 * weeks]
        if not beyond or not draws.chance(world.PRESCRIPTION_RENEWED_RATE):
            return
        dated = min(beyond[0], LAST_DAY)


class AppealTruth(NamedTuple):
    """A row of truth/<name>/appeals.csv: how an appeal ended, and how its record tells it."""

    claim_number: str
    level: str
    filed_date: str
    outcome: str
    record: str


def appeal_records(appeals: Sequence[Appeal], seed: int) -> tuple[list[Appeal], list[AppealTruth]]:
    """The rows of appeals.csv as the practice kept them, and the truth about every appeal.

    Drawn in a stream of their own. Only first appeals with an answer are misremembered, and none
    of a claim that was appealed again: its second appeal would belie the record.
    """
    draws = Draws(seed, 7)
    again = {appeal.claim_number for appeal in appeals if appeal.level != "1"}
    kept, truth = [], []
    for appeal in appeals:
        record = "right"
        if appeal.outcome != "pending" and appeal.claim_number not in again:
            slips = world.APPEAL_RECORD_SLIPS
            record = draws.weighted(list(slips), list(slips.values()))
        kept += _as_kept(appeal, record)
        number, level, filed = appeal.claim_number, appeal.level, appeal.filed_date
        truth.append(AppealTruth(number, level, filed, appeal.outcome, record))
    return kept, truth


def _as_kept(appeal: Appeal, record: str) -> list[Appeal]:
    match record:
        case "unrecorded":
            return []
        case "never_updated":
            return [appeal._replace(decision_date="", outcome="pending")]
        case "wrong":
            wrong = "overturned" if appeal.outcome == "upheld" else "upheld"
            return [appeal._replace(outcome=wrong)]
        case _:
            return [appeal]


def policies() -> Iterator[Policy]:
    """The coverage rules the practice has noted, for every payer and plan."""
    for payer in PAYERS:
        manual = Policy(
            payer.id,
            state="WA" if payer.payer_type.endswith("_WA") else "",
            effective_from=payer.since.isoformat(),
            source="provider manual",
        )
        if payer.authorization_after is not None:
            after = str(payer.authorization_after)
            rule = manual._replace(rule="authorization_after_visit", value=after)
            for code in payer.authorization_codes or ("",):
                yield rule._replace(procedure_code=code)
        if payer.referral_required:
            yield manual._replace(rule="referral_required", value="1")
        units = str(payer.units_per_visit)
        yield manual._replace(rule="units_per_visit", value=units, procedure_code="97124")
        if payer.minutes_per_visit is not None:
            yield manual._replace(rule="minutes_per_visit", value=str(payer.minutes_per_visit))
        if payer.visits_per_week is not None:
            a_week = manual._replace(rule="visits_per_week", value=str(payer.visits_per_week))
            if payer.payer_type.startswith("medicaid"):
                # Medicaid differs by state: across the river the same insurer pays for one.
                yield a_week._replace(state="WA")
                yield a_week._replace(state="OR", value="1")
            else:
                yield a_week
        if payer.weeks_per_episode is not None:
            yield manual._replace(rule="weeks_per_episode", value=str(payer.weeks_per_episode))
        booklet = manual._replace(rule="visit_limit_year", source="plan booklet")
        for plan in payer.plans:
            if plan.visit_limit_year is not None:
                yield booklet._replace(plan_id=plan.id, value=str(plan.visit_limit_year))


def practice_toml(name: str) -> str:
    """What the practice states about itself; made up, and said so."""
    head = f"""\
name = "Demo Massage Practice"
state = "WA"
made_up = true
consent_to_publish = true
as_of = {AS_OF.isoformat()}
# Made by `outcomes synthesize {name}`: no insurer, patient or therapist here exists.
"""
    plans = [_plan_toml(payer, plan) for payer in PAYERS for plan in payer.plans]
    return head + "".join([_payer_toml(payer) for payer in PAYERS] + plans)


def _payer_toml(payer: Payer) -> str:
    aliases = ", ".join(f'"{alias}"' for alias in payer.aliases)
    status = "in" if payer.is_in_network else "out"
    return (
        f'\n[[payers]]\nid = "{payer.id}"\nname = "{payer.name}"\naliases = [{aliases}]\n'
        f'payer_type = "{payer.payer_type}"\nnetwork_status = "{status}"\n'
        f"since = {payer.since.isoformat()}\n"
    )


def _plan_toml(payer: Payer, plan: Plan) -> str:
    text = (
        f'\n[[plans]]\npayer_id = "{payer.id}"\nid = "{plan.id}"\nname = "{plan.name}"\n'
        f'funding = "{plan.funding}"\n'
    )
    if plan.visit_limit_year is None:
        return text
    return f"{text}visit_limit_year = {plan.visit_limit_year}\n"

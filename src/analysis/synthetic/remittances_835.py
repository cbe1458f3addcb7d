"""Answers as 835 files (005010X221A1): one transaction a payment, several payers in a file."""

from collections.abc import Iterator, Sequence

from analysis.synthetic.claims_837p import payer_name
from analysis.synthetic.days import d8, iso
from analysis.synthetic.histories import (
    Answer,
    Histories,
    LineAnswer,
    MoneyMoved,
)
from analysis.synthetic.segments import (
    LINES,
    PIPES,
    PLAIN,
    PRACTICE_EIN,
    PRACTICE_NAME,
    PRACTICE_NPI,
    THERAPIST_NPIS,
    Envelopes,
    cas_segments,
    claim_level,
    money,
)
from analysis.synthetic.world import PAYERS, Payer

_DELIMITERS = {"northlink": PLAIN, "cascadia": PIPES, "statefund": LINES}
_PLB_PAIRS = 6
_CLP06 = {"BL": "12", "CI": "12"}
"""CLP06 lacks two codes of SBR09; remittances call such plans a PPO."""


def remittance_files(histories: Histories) -> Iterator[tuple[str, str]]:
    """File name and text for each half month of each source, in order."""
    answers: dict[tuple[str, int], list[Answer]] = {}
    for history in histories.claims:
        for answer in history.answers:
            answers.setdefault((answer.cover.payer.id, answer.day), []).append(answer)
    half_months: dict[tuple[str, str, str], list[tuple[int, list[str]]]] = {}
    for payer in PAYERS:
        days = sorted(day for payer_id, day in answers if payer_id == payer.id)
        moved = [m for m in histories.money_moved if m.payer is payer]
        for day, deposit, plb in _deposits(days, payer, answers, moved):
            half = "a" if int(iso(day)[8:]) <= 15 else "b"
            key = (iso(day)[:7], payer.remit_source, half)
            payment = _payment(payer, day, deposit, plb, answers[payer.id, day])
            half_months.setdefault(key, []).append((day, payment))
    envelopes = Envelopes("835", "HP", "005010X221A1")
    for month, source, half in sorted(half_months):
        payments = sorted(half_months[month, source, half], key=lambda p: p[0])
        text = envelopes.interchange(
            source.upper(),
            PRACTICE_NPI,
            payments[-1][0],
            [segments for _, segments in payments],
            _DELIMITERS[source],
        )
        yield f"remits_{month}_{source}-{half}.835", text


def _deposits(
    days: list[int],
    payer: Payer,
    answers: dict[tuple[str, int], list[Answer]],
    moved: list[MoneyMoved],
) -> Iterator[tuple[int, int, list[tuple[str, str, int]]]]:
    """For each pay day the deposit and its PLB pairs (reason, reference, cents).

    A deposit is never negative: what it lacks is carried to the payer's next one (FB).
    """
    waiting: list[MoneyMoved] = []
    credits: dict[int, list[MoneyMoved]] = {}
    for m in moved:
        if m.cents > 0:
            waiting.append(m)
        else:
            credits.setdefault(m.day, []).append(m)
    owed = 0
    for day in days:
        pairs = [(m.reason_code, m.payer_number, m.cents) for m in credits.get(day, ())]
        if owed:
            pairs.append(("FB", f"{payer.id}BALANCE", owed))
        deposit = sum(a.paid for a in answers[payer.id, day]) - sum(p[2] for p in pairs)
        for m in [m for m in waiting if m.day <= day and m.cents <= deposit]:
            waiting.remove(m)
            pairs.append((m.reason_code, m.payer_number, m.cents))
            deposit -= m.cents
        owed = max(-deposit, 0)
        if owed:
            pairs.append(("FB", f"{payer.id}BALANCE", -owed))
            deposit = 0
        yield day, deposit, pairs


def _payment(
    payer: Payer, day: int, deposit: int, plb: list[tuple[str, str, int]], answers: list[Answer]
) -> list[str]:
    trace = f"{payer.id}{d8(day)}"
    origin = f"1{PAYERS.index(payer) + 1:09d}"
    if deposit:
        bpr = (
            f"BPR*I*{money(deposit)}*C*ACH*CCP*01*999999992*DA*100200300*{origin}"
            f"**01*999999992*DA*400500600*{d8(day)}"
        )
    else:
        bpr = f"BPR*H*0*C*NON************{d8(day)}"
    segments = [
        bpr,
        f"TRN*1*{trace}*{origin}",
        f"REF*EV*{PRACTICE_NPI}",
        f"DTM*405*{d8(day)}",
        f"N1*PR*{payer_name(payer, day)}",
        "N3*PO BOX 1",
        "N4*OLYMPIA*WA*98501",
        f"REF*2U*{payer.id}",
        "PER*BL*PROVIDER SERVICES*TE*3605550100",
        f"N1*PE*{PRACTICE_NAME}*XX*{PRACTICE_NPI}",
        f"REF*TJ*{PRACTICE_EIN}",
        "LX*1",
    ]
    for answer in answers:
        _add_claim(segments, answer)
    for i in range(0, len(plb), _PLB_PAIRS):
        pairs = "".join(
            f"*{reason}:{reference}*{money(cents)}"
            for reason, reference, cents in plb[i : i + _PLB_PAIRS]
        )
        segments.append(f"PLB*{PRACTICE_NPI}*{iso(day)[:4]}1231{pairs}")
    return segments


def _add_claim(segments: list[str], answer: Answer) -> None:
    claim = answer.claim
    payer = answer.cover.payer
    is_reversal = answer.status == "22"
    charge = sum(line.sign * line.line.charge for line in answer.lines)
    patient_part = "" if is_reversal else money(_patient_part(answer.lines))
    filing = _CLP06.get(payer.filing_indicator, payer.filing_indicator)
    segments.append(
        f"CLP*{answer.control_number}*{answer.status}*{money(charge)}*{money(answer.paid)}"
        f"*{patient_part}*{filing}*{answer.payer_number}*11*{answer.frequency}"
    )
    remarks = list(answer.remarks)
    if not answer.shows_lines:
        segments += cas_segments(claim_level(answer.lines))
        remarks += sorted({code for line in answer.lines for code in line.remarks})
    segments.append(f"NM1*QC*1*PATIENT*{claim.patient.name}****MI*{answer.cover.member_id}")
    n = claim.patient.therapist
    segments.append(f"NM1*82*1*THERAPIST*T{n + 1:03d}****XX*{THERAPIST_NPIS[n]}")
    if remarks:
        segments.append("MOA***" + "*".join(remarks))
    segments.append(f"DTM*232*{d8(claim.service_day)}")
    segments.append(f"DTM*233*{d8(claim.service_day)}")
    segments.append(f"DTM*050*{d8(answer.received)}")
    allowed = sum(line.allowed for line in answer.lines)
    if payer.gives_allowed and allowed:
        segments.append(f"AMT*AU*{money(allowed)}")
    if answer.shows_lines:
        for line in answer.lines:
            _add_line(segments, answer, line)


def _add_line(segments: list[str], answer: Answer, given: LineAnswer) -> None:
    line = given.line
    payer = answer.cover.payer
    modifiers = line.modifiers if payer.echoes_modifiers else ""
    paid_as = f"HC:{given.recoded_to or line.code}{modifiers}"
    sent_as = f"HC:{line.code}{line.modifiers}" if given.recoded_to else ""
    sent_units = line.units if given.units != line.units or given.recoded_to else ""
    segments.append(
        f"SVC*{paid_as}*{money(given.sign * line.charge)}*{money(given.paid)}**{given.units}"
        f"*{sent_as}*{sent_units}".rstrip("*")
    )
    segments.append(f"DTM*472*{d8(answer.claim.service_day)}")
    segments += cas_segments(given.adjustments)
    if payer.echoes_line_control:
        segments.append(f"REF*6R*{answer.control_number}-{line.number}")
    if payer.gives_allowed and given.allowed:
        segments.append(f"AMT*B6*{money(given.allowed)}")
    segments += [f"LQ*HE*{code}" for code in given.remarks]


def _patient_part(lines: Sequence[LineAnswer]) -> int:
    return sum(a.cents for line in lines for a in line.adjustments if a.group_code == "PR")

"""Submissions as 837P files (005010X222A1): one file a batch, several payers in it."""

from collections.abc import Iterator, Sequence

from analysis.synthetic.days import d8, iso
from analysis.synthetic.histories import Answer, History, Submission
from analysis.synthetic.segments import (
    LINES,
    PLAIN,
    PRACTICE_EIN,
    PRACTICE_NAME,
    PRACTICE_NPI,
    REFERRER_NPIS,
    THERAPIST_NPIS,
    Envelopes,
    cas_segments,
    claim_level,
    money,
)
from analysis.synthetic.visits import Coverage
from analysis.synthetic.world import Payer

CLAIMS_PER_TRANSACTION = 40
MASSAGE_THERAPIST = "225700000X"

_DELIMITERS = {"northlink": PLAIN, "harborlink": LINES}
_RELATED_CAUSE = {"AM": "AA:::WA", "WC": "EM"}
_BILLING = (
    "HL*1**20*1",
    f"PRV*BI*PXC*{MASSAGE_THERAPIST}",
    f"NM1*85*2*{PRACTICE_NAME}*****XX*{PRACTICE_NPI}",
    "N3*1 EXAMPLE STREET",
    "N4*SEATTLE*WA*981010000",
    f"REF*EI*{PRACTICE_EIN}",
)


def claim_files(histories: Sequence[History]) -> Iterator[tuple[str, str]]:
    """File name and text of every batch, in the order sent."""
    batches: dict[tuple[int, str], list[Submission]] = {}
    for history in histories:
        for sent in history.submissions:
            key = (sent.day, sent.cover.payer.clearinghouse)
            batches.setdefault(key, []).append(sent)
    envelopes = Envelopes("837", "HC", "005010X222A1")
    for day, clearinghouse in sorted(batches):
        batch = batches[day, clearinghouse]
        transactions = [
            _transaction(batch[i : i + CLAIMS_PER_TRANSACTION], day, i, clearinghouse)
            for i in range(0, len(batch), CLAIMS_PER_TRANSACTION)
        ]
        text = envelopes.interchange(
            PRACTICE_NPI, clearinghouse.upper(), day, transactions, _DELIMITERS[clearinghouse]
        )
        month, day_of_month = iso(day)[:7], iso(day)[8:]
        yield f"claims_{month}_{clearinghouse}-{day_of_month}.837", text


def _transaction(batch: list[Submission], day: int, first: int, clearinghouse: str) -> list[str]:
    segments = [
        f"BHT*0019*00*{d8(day)}{first:05d}*{d8(day)}*0930*CH",
        f"NM1*41*2*{PRACTICE_NAME}*****46*{PRACTICE_NPI}",
        "PER*IC*BILLING DESK*TE*2065550100",
        f"NM1*40*2*{clearinghouse.upper()}*****46*{clearinghouse.upper()}",
        *_BILLING,
    ]
    by_cover: dict[int, list[Submission]] = {}
    for sent in batch:
        by_cover.setdefault(id(sent.cover), []).append(sent)
    level = 1
    for submissions in by_cover.values():
        level = _add_patient(segments, submissions[0], level, day)
        for sent in submissions:
            _add_claim(segments, sent)
    return segments


def _add_patient(segments: list[str], sent: Submission, level: int, day: int) -> int:
    """The subscriber, payer and, for a dependent, patient loops; returns the last HL used."""
    patient = sent.claim.patient
    cover = sent.cover
    is_second = sent.primary is not None
    person = [
        f"N3*{int(patient.name[1:])} SAMPLE AVENUE",
        "N4*SEATTLE*WA*98101",
        f"DMG*D8*{d8(patient.birth_day)}*{patient.sex}",
    ]
    property_claim = (
        [f"REF*Y4*PC{patient.name[1:]}"] if cover.payer.filing_indicator in ("AM", "WC") else []
    )
    payer = f"NM1*PR*2*{payer_name(cover.payer, day)}*****PI*{cover.payer.id}"
    subscriber_level = level + 1
    has_child = "1" if patient.is_dependent else "0"
    segments.append(f"HL*{subscriber_level}*1*22*{has_child}")
    segments.append(_subscriber(cover, "S" if is_second else "P", patient.is_dependent))
    if not patient.is_dependent:
        segments.append(f"NM1*IL*1*PATIENT*{patient.name}****MI*{cover.member_id}")
        segments += person
        segments += property_claim
        segments.append(payer)
        return subscriber_level
    segments.append(f"NM1*IL*1*SUBSCRIBER*{patient.name}****MI*{cover.member_id}")
    segments.append(payer)
    segments.append(f"HL*{level + 2}*{subscriber_level}*23*0")
    segments.append("PAT*01")
    segments.append(f"NM1*QC*1*PATIENT*{patient.name}")
    segments += person
    segments += property_claim
    return level + 2


def _subscriber(cover: Coverage, sequence: str, is_dependent: bool) -> str:
    relation = "" if is_dependent else "18"
    plan = cover.plan
    return f"SBR*{sequence}*{relation}*{plan.id}*{plan.name}*****{cover.payer.filing_indicator}"


def _add_claim(segments: list[str], sent: Submission) -> None:
    claim = sent.claim
    documents = claim.documents
    filing = claim.payer.filing_indicator
    assignment = "N" if "aob_consent" in claim.causes else "Y"
    cause = f"**{_RELATED_CAUSE.get(filing, 'OA')}" if claim.accident_day else ""
    segments.append(
        f"CLM*{sent.control_number}*{money(claim.charge)}***11:B:{sent.frequency}"
        f"*Y*A*{assignment}*Y{cause}"
    )
    if documents["dates"] not in ("no", "n/a"):
        if claim.accident_day is None:
            segments.append(f"DTP*431*D8*{d8(claim.episode_start - 10)}")
        segments.append(f"DTP*454*D8*{d8(claim.episode_start)}")
        if claim.accident_day is not None:
            segments.append(f"DTP*439*D8*{d8(claim.accident_day)}")
    has_report = documents["progress_report"] not in ("no", "n/a")
    if has_report and claim.visit_number % 6 == 1 and claim.visit_number > 1:
        segments.append("PWK*09*AA")
    if sent.original_number:
        segments.append(f"REF*F8*{sent.original_number}")
    has_order = documents["prescription"] not in ("no", "n/a")
    if has_order and claim.payer.referral_required:
        segments.append(f"REF*9F*RX{claim.patient.name[1:]}")
    if claim.authorization_number:
        segments.append(f"REF*G1*{claim.authorization_number}")
    if claim.visit_number == 1 and documents["plan_of_care"] not in ("no", "n/a"):
        segments.append("NTE*ADD*PLAN OF CARE ON FILE")
    first, *others = (code.replace(".", "") for code in claim.diagnoses)
    segments.append(f"HI*ABK:{first}" + "".join(f"*ABF:{code}" for code in others))
    if has_order:
        n = claim.patient.referrer
        segments.append(f"NM1*DN*1*REFERRER*R{n + 1:03d}****XX*{REFERRER_NPIS[n]}")
    n = claim.patient.therapist
    segments.append(f"NM1*82*1*THERAPIST*T{n + 1:03d}****XX*{THERAPIST_NPIS[n]}")
    segments.append(f"PRV*PE*PXC*{MASSAGE_THERAPIST}")
    if sent.primary is not None:
        _add_other_payer(segments, sent.primary)
    for i, line in enumerate(claim.lines):
        segments.append(f"LX*{line.number}")
        segments.append(
            f"SV1*HC:{line.code}{line.modifiers}*{money(line.charge)}*UN*{line.units}***1"
        )
        segments.append(f"DTP*472*D8*{d8(claim.service_day)}")
        segments.append(f"REF*6R*{sent.control_number}-{line.number}")
        if sent.primary is not None and sent.primary.shows_lines:
            answer = sent.primary.lines[i]
            segments.append(
                f"SVD*{claim.payer.id}*{money(answer.paid)}*HC:{line.code}{line.modifiers}"
                f"**{line.units}"
            )
            segments += cas_segments(answer.adjustments)
            segments.append(f"DTP*573*D8*{d8(sent.primary.day)}")


def _add_other_payer(segments: list[str], primary: Answer) -> None:
    """Loop 2320: what the first insurer answered."""
    cover = primary.cover
    patient = primary.claim.patient
    segments.append(_subscriber(cover, "P", patient.is_dependent))
    if not primary.shows_lines:
        segments += cas_segments(claim_level(primary.lines))
    segments.append(f"AMT*D*{money(primary.paid)}")
    segments.append("OI***Y***Y")
    who = "SUBSCRIBER" if patient.is_dependent else "PATIENT"
    segments.append(f"NM1*IL*1*{who}*{patient.name}****MI*{cover.member_id}")
    segments.append(f"NM1*PR*2*{cover.payer.name.upper()}*****PI*{cover.payer.id}")
    if not primary.shows_lines:
        segments.append(f"DTP*573*D8*{d8(primary.day)}")


def payer_name(payer: Payer, day: int) -> str:
    """The payer's name as written this month: it is spelt now one way, now another."""
    spellings = (payer.name.upper(), *payer.aliases)
    year, month = int(iso(day)[:4]), int(iso(day)[5:7])
    return spellings[(year * 12 + month) % len(spellings)]

"""Professional claims (837P, versions 4010 and 5010) into claims, service_lines, claim_diagnoses.

    transaction          ST BHT
      2000A  HL 20       billing provider
        2000B  HL 22     subscriber, with SBR and the insurer's name
        2000C  HL 23     dependent, where the patient is not the subscriber
          2300 CLM       claim, with its dates, references, diagnoses, other payers
            2400         service line

Names, birth dates and member ids end here: a patient leaves as a pseudonym.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis import tables
from analysis.intake.parsed import Parsed, Together
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import framing, reading
from analysis.intake.x12.batches import Batch, numbered
from analysis.intake.x12.envelopes import Interchange
from analysis.intake.x12.gate import Gate
from analysis.intake.x12.reading import column, pick, preceding, segments
from analysis.intake.x12.segments import Rows

# HI qualifiers of diagnoses: principal and other, ICD-10 and (before October 2015) ICD-9. The
# others are procedures, conditions and the like.
_PRINCIPAL = pa.array(["ABK", "BK"])
_DIAGNOSIS_QUALIFIERS = pa.array(["ABK", "ABF", "BK", "BF"])


def read(interchange: Interchange, file_name: str, pseudonyms: Pseudonyms) -> Parsed:
    """The claims of one interchange; see `read_batch`."""
    (parsed,) = read_batch(Batch((interchange,), (file_name,)), pseudonyms)
    return parsed


def read_batch(batch: Batch, pseudonyms: Pseudonyms) -> Together:
    """The claims of each interchange, and a ledger row for every CLM in it.

    A claim is set aside when CLM02 or an SV102 holds no amount, or when it is torn; see `gate`.
    """
    sent = reading.read(batch, "837p", "2300")
    claims = reading.holding(sent.tables["claims"], "clm")
    lines = sent.tables["lines"]
    line_owner = preceding(claims, lines, "transaction")
    charges = column(claims, "charge")
    line_charges = column(lines, "charge")
    line_totals = reading.gathered(line_owner, line_charges, "sum", len(claims))

    gate = Gate(batch, claims, "CLM")
    gate.require_amount(claims, "charge", "CLM02", np.arange(len(claims)))
    gate.require_amount(lines, "charge", "SV102", line_owner)
    gate.require_owner(lines, line_owner)
    gate.require_whole(sent, charges, pc.fill_null(line_totals, 0))
    gate.require_end(sent, sent.tables["transactions"])

    ids = batch.ids(segments(claims))
    versions = tables.from_columns(
        "claims",
        {
            "claim_version_id": ids,
            "position": batch.positions(segments(claims)),
            **batch.origin(segments(claims)),
            "source": pa.repeat("x12", len(claims)),
            "charge_cents": charges,
            **_as_sent(claims),
            **_from_transaction(sent.tables, claims),
            **_from_subscriber(sent.tables, claims, pseudonyms),
            **_providers(sent.tables, claims, lines, line_owner),
            **_from_parts(sent.tables, claims),
            **_service_dates(claims, lines, line_owner),
        },
    )
    service_lines = _service_lines(batch, lines, line_owner, line_charges, ids)
    hi = _diagnosis_segments(sent.tables["diagnoses"])
    hi_owner = preceding(claims, hi, "transaction")
    diagnoses = _diagnoses(hi, hi_owner, ids)
    return gate.parsed(
        {
            "claims": batch.apart(versions, segments(claims), gate.kept),
            "service_lines": batch.apart(service_lines, segments(lines), gate.keeps(line_owner)),
            "claim_diagnoses": batch.apart(diagnoses, segments(hi), gate.keeps(hi_owner)),
            "file_checks": framing.of_batch(sent),
        }
    )


def _as_sent(claims: pa.Table) -> dict[str, pa.Array]:
    """The columns that stand in the CLM loop itself."""
    texts = (
        "patient_control_number",
        "claim_frequency_code",
        "original_reference_number",
        "facility_code",
        "authorization_number",
        "referral_number",
    )
    dates = ("onset_date", "accident_date", "initial_treatment_date")
    causes = [column(claims, f"related_cause_{n}") for n in (1, 2, 3)]
    return {
        **{name: column(claims, name) for name in texts},
        **{name: reading.period(column(claims, name))[0] for name in dates},
        "related_cause_codes": reading.joined(causes),
    }


def _from_transaction(sent: dict[str, pa.Table], claims: pa.Table) -> dict[str, pa.Array]:
    transactions = sent["transactions"]
    # BHT04 is the day the claims were made, GS04 and ISA09 the day they were wrapped.
    made = [column(transactions, f"{part}_date") for part in ("made", "group", "interchange")]
    numbers = [column(transactions, f"{part}_number") for part in ("group", "set")]
    told = {
        "submitted_date": pc.coalesce(*made),
        "set_reference": pc.binary_join_element_wise(*numbers, "/"),
    }
    return {name: values.take(column(claims, "transaction")) for name, values in told.items()}


def _from_subscriber(
    sent: dict[str, pa.Table], claims: pa.Table, pseudonyms: Pseudonyms
) -> dict[str, pa.Array]:
    """The plan, and who the patient is: the subscriber, or the dependent named after him."""
    subscribers, dependents = sent["subscribers"], sent["dependents"]
    subscriber = preceding(subscribers, claims, "billing_provider")
    dependent = preceding(dependents, claims, "billing_provider")
    since = pick(column(subscribers, "segment"), subscriber)
    is_his = pc.greater(pick(column(dependents, "segment"), dependent), since)
    dependent = np.where(pc.fill_null(is_his, False), dependent, -1)

    told_apart = reading.joined([column(dependents, n) for n in ("first_name", "birth_date")])
    suffix = pc.utf8_upper(pick(told_apart, dependent))
    plan = (
        "payer_id",
        "payer_name",
        "plan_id",
        "plan_name",
        "payer_sequence_code",
        "filing_indicator_code",
    )
    return {
        "patient_id": pseudonyms.of(pick(column(subscribers, "member"), subscriber), suffix),
        **{name: pick(column(subscribers, name), subscriber) for name in plan},
    }


def _providers(
    sent: dict[str, pa.Table], claims: pa.Table, lines: pa.Table, line_owner: Rows
) -> dict[str, pa.Array]:
    """Who treated and who referred, by NPI: as the claim says, else as its lines say."""
    billing = column(sent["billing_providers"], "provider_id")
    on_lines = [
        reading.gathered(line_owner, column(lines, name), "first", len(claims))
        for name in ("referring_provider_id", "ordering_provider_id")
    ]
    return {
        "rendering_provider_id": pc.coalesce(
            column(claims, "rendering_provider_id"),
            billing.take(column(claims, "billing_provider")),
        ),
        "referring_provider_id": pc.coalesce(column(claims, "referring_provider_id"), *on_lines),
    }


def _from_parts(sent: dict[str, pa.Table], claims: pa.Table) -> dict[str, pa.Array]:
    """What comes from segments that a claim may hold several times."""
    owner = {
        name: preceding(claims, sent[name], "transaction")
        for name in ("attachments", "notes", "other_payers")
    }
    codes = column(sent["attachments"], "attachment_code")
    paid = column(sent["other_payers"], "paid")
    n_claims = len(claims)
    return {
        "attachment_codes": reading.listed(owner["attachments"], codes, n_claims),
        "has_note": reading.has_any(owner["notes"], n_claims),
        "note_codes": reading.listed(owner["notes"], column(sent["notes"], "note_code"), n_claims),
        "other_payer_paid_cents": reading.gathered(owner["other_payers"], paid, "sum", n_claims),
    }


def _service_dates(claims: pa.Table, lines: pa.Table, line_owner: Rows) -> dict[str, pa.Array]:
    """First and last day over the lines; some senders put the date on the claim instead."""
    first, last = reading.period(column(lines, "service_date"))
    claim_first, claim_last = reading.period(column(claims, "service_date"))
    earliest = reading.gathered(line_owner, first, "min", len(claims))
    latest = reading.gathered(line_owner, last, "max", len(claims))
    return {
        "service_date": pc.coalesce(earliest, claim_first),
        "service_to_date": pc.coalesce(latest, claim_last),
    }


def _service_lines(
    batch: Batch, lines: pa.Table, owner: Rows, charges: pa.Array, ids: pa.Array
) -> pa.Table:
    first, last = reading.period(column(lines, "service_date"))
    claim_version_ids = pick(ids, owner)
    line_numbers = reading.places(owner)
    return tables.from_columns(
        "service_lines",
        {
            "service_line_id": numbered(claim_version_ids, line_numbers),
            "claim_version_id": claim_version_ids,
            "line_number": line_numbers,
            "segment": batch.places(segments(lines)),
            "line_control_number": column(lines, "line_control_number"),
            "procedure_code": column(lines, "procedure_code"),
            "modifiers": reading.joined([column(lines, f"modifier_{n}") for n in range(1, 5)]),
            "charge_cents": charges,
            "units": reading.number(lines, "units"),
            "service_date": first,
            "service_to_date": last,
            "diagnosis_pointers": reading.joined(
                [column(lines, f"pointer_{n}") for n in range(1, 5)]
            ),
            "authorization_number": column(lines, "authorization_number"),
        },
    )


def _diagnosis_segments(sent: pa.Table) -> pa.Table:
    is_diagnosis = pc.is_in(sent["qualifier"], _DIAGNOSIS_QUALIFIERS)
    return sent.filter(pc.and_(is_diagnosis, pc.is_valid(sent["diagnosis_code"])))


def _diagnoses(diagnoses: pa.Table, owner: Rows, ids: pa.Array) -> pa.Table:
    """Position 1 is the principal diagnosis; a claim that names none begins at position 2."""
    is_principal = pc.is_in(diagnoses["qualifier"], _PRINCIPAL).to_numpy()
    lacks_principal = ~np.isin(owner, owner[is_principal])
    return tables.from_columns(
        "claim_diagnoses",
        {
            "claim_version_id": pick(ids, owner),
            "diagnosis_position": reading.places(owner) + lacks_principal,
            "diagnosis_code": _with_point(column(diagnoses, "diagnosis_code")),
        },
    )


def _with_point(codes: pa.Array) -> pa.Array:
    """Diagnosis codes as people write them: the point, left out in X12, after the third sign."""
    bare = pc.replace_substring(pc.utf8_upper(codes), ".", "")
    return pc.replace_substring_regex(bare, r"^(.{3})(.+)$", r"\1.\2")

"""Remittances (835, versions 4010 and 5010) into payments, remittances and what hangs on them.

transaction  ST BPR TRN PLB   one payment; PLB moves money outside the claims
  1000A N1 PR                 the insurer
    2100 CLP                  the answer to one claim, with CAS, MOA, MIA
      2110 SVC                the answer to one line, with CAS, LQ
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

_CLAIM_REMARKS = {
    "MOA": [f"moa_{element}" for element in (3, 4, 5, 6, 7)],
    "MIA": [f"mia_{element}" for element in (5, 20, 21, 22, 23)],
}


def read(interchange: Interchange, file_name: str, pseudonyms: Pseudonyms) -> Parsed:
    """The remittances of one interchange; see `read_batch`."""
    (parsed,) = read_batch(Batch((interchange,), (file_name,)), pseudonyms)
    return parsed


def read_batch(batch: Batch, pseudonyms: Pseudonyms) -> Together:
    """The remittances of each interchange, and a ledger row for every CLP in it.

    A remittance is set aside when CLP03, CLP04, an SVC02 or SVC03 or an adjustment holds no
    amount, or when it is torn; see `gate`. A payment without an amount in BPR02 is kept, its
    deposit unknown.
    """
    sent = reading.read(batch, "835", "2100")
    clp = reading.holding(sent.tables["claims"], "clp")
    svc, cas = sent.tables["services"], sent.tables["adjustments"]
    svc_owner, cas_owner = preceding(clp, svc, "payment"), preceding(clp, cas, "payment")
    itself = np.arange(len(clp))

    gate = Gate(batch, clp, "CLP")
    gate.require_amount(clp, "charge", "CLP03", itself)
    gate.require_amount(clp, "paid", "CLP04", itself)
    gate.require_amount(svc, "charge", "SVC02", svc_owner)
    gate.require_amount(svc, "paid", "SVC03", svc_owner)
    gate.require_amount(cas, "amount", "an adjustment in CAS", cas_owner)
    gate.require_owner(svc, svc_owner)
    line_totals = reading.gathered(svc_owner, column(svc, "charge"), "sum", len(clp))
    gate.require_whole(sent, column(clp, "charge"), line_totals)
    gate.require_end(sent, sent.tables["payments"])
    gate.note_amount(sent.tables["payments"], "deposit", "BPR02 of the payment begun here")
    gate.note_amount(sent.tables["provider_adjustments"], "amount", "an adjustment in PLB")

    ids = batch.ids(segments(clp))
    line_ids = numbered(pick(ids, svc_owner), reading.places(svc_owner))
    payments = _payments(batch, sent.tables["payments"], clp)
    remittances = tables.from_columns(
        "remittances",
        {
            "remittance_id": ids,
            "position": batch.positions(segments(clp)),
            **batch.origin(segments(clp)),
            "source": pa.repeat("x12", len(clp)),
            **_as_sent(clp, pseudonyms),
            **_from_payment(payments, clp),
            **_service_dates(clp, svc, svc_owner),
        },
    )
    lines = _lines(batch, svc, svc_owner, ids, line_ids)
    adjustments = _adjustments(cas, cas_owner, ids, line_ids)
    remarks, remark_owner, remark_at = _remarks(sent.tables["remarks"], clp, ids, line_ids)
    moved = _provider_adjustments(sent.tables, payments)
    return gate.parsed(
        {
            "payments": batch.apart(payments, segments(sent.tables["payments"])),
            "remittances": batch.apart(remittances, segments(clp), gate.kept),
            "remittance_lines": batch.apart(lines, segments(svc), gate.keeps(svc_owner)),
            "adjustments": batch.apart(adjustments, segments(cas), gate.keeps(cas_owner)),
            "remarks": batch.apart(remarks, remark_at, gate.keeps(remark_owner)),
            "provider_adjustments": batch.apart(
                moved,
                segments(sent.tables["provider_adjustments"]),
                pc.is_valid(moved["amount_cents"]),
            ),
            "file_checks": framing.of_batch(sent),
        }
    )


def _payments(batch: Batch, sent: pa.Table, clp: pa.Table) -> pa.Table:
    """One row per transaction, its position that of its first CLP."""
    deposit = column(sent, "deposit")
    is_debit = pc.fill_null(pc.equal(column(sent, "credit_debit"), "D"), False)
    opened, answered = segments(sent), batch.part_of(segments(clp))
    first_clp = np.searchsorted(column(clp, "payment"), np.arange(len(sent)))
    rank = first_clp - np.searchsorted(answered, batch.part_of(opened))
    # The insurer's own number (2U) is what claims are sent to; TRN03 is the last resort.
    payer = [column(sent, name) for name in ("payer_number", "payer_code", "originator")]
    texts = ("payer_name", "trace_number", "payment_method_code")
    return tables.from_columns(
        "payments",
        {
            "payment_id": batch.ids(opened, "n_transactions"),
            "position": pc.add(batch.first_positions(opened), pa.array(rank)),
            **batch.origin(opened),
            "payer_id": pc.coalesce(*payer),
            **{name: column(sent, name) for name in texts},
            "payment_date": column(sent, "payment_date"),
            "deposit_cents": pc.if_else(is_debit, pc.negate(deposit), deposit),
        },
    )


def _as_sent(clp: pa.Table, pseudonyms: Pseudonyms) -> dict[str, pa.Array]:
    """The columns that stand in the CLP loop itself."""
    texts = (
        "patient_control_number",
        "claim_status_code",
        "filing_indicator_code",
        "payer_claim_control_number",
        "facility_code",
        "claim_frequency_code",
        "rendering_provider_id",
    )
    member = pc.coalesce(column(clp, "patient_member"), column(clp, "subscriber_member"))
    return {
        **{name: column(clp, name) for name in texts},
        "charge_cents": column(clp, "charge"),
        "paid_cents": column(clp, "paid"),
        "patient_responsibility_cents": column(clp, "patient_responsibility"),
        "received_date": column(clp, "received_date"),
        "patient_id": pseudonyms.of(member),
    }


def _from_payment(payments: pa.Table, clp: pa.Table) -> dict[str, pa.Array]:
    names = ("payment_id", "payer_id", "payer_name", "trace_number", "payment_date")
    return {name: column(payments, name).take(column(clp, "payment")) for name in names}


def _service_dates(clp: pa.Table, svc: pa.Table, svc_owner: Rows) -> dict[str, pa.Array]:
    first, last = _line_dates(svc)
    earliest = reading.gathered(svc_owner, first, "min", len(clp))
    latest = reading.gathered(svc_owner, last, "max", len(clp))
    return {
        "service_date": pc.coalesce(column(clp, "service_date"), earliest),
        "service_to_date": pc.coalesce(column(clp, "service_to_date"), latest),
    }


def _line_dates(svc: pa.Table) -> tuple[pa.Array, pa.Array]:
    """DTM 472 is a single day; 150 and 151 are the first and last of several."""
    day, first, last = (column(svc, name) for name in ("service_date", "first_date", "last_date"))
    return pc.coalesce(day, first), pc.coalesce(day, last, first)


def _lines(batch: Batch, svc: pa.Table, owner: Rows, ids: pa.Array, line_ids: pa.Array) -> pa.Table:
    first, last = _line_dates(svc)
    modifiers = [column(svc, f"modifier_{n}") for n in range(1, 5)]
    texts = ("line_control_number", "procedure_code", "submitted_procedure_code")
    return tables.from_columns(
        "remittance_lines",
        {
            "remittance_line_id": line_ids,
            "remittance_id": pick(ids, owner),
            "line_number": reading.places(owner),
            "segment": batch.places(segments(svc)),
            **{name: column(svc, name) for name in texts},
            "modifiers": reading.joined(modifiers),
            "charge_cents": column(svc, "charge"),
            "paid_cents": column(svc, "paid"),
            "allowed_cents": column(svc, "allowed"),
            "units": reading.number(svc, "units"),
            "submitted_units": reading.number(svc, "submitted_units"),
            "service_date": first,
            "service_to_date": last,
        },
    )


def _adjustments(cas: pa.Table, owner: Rows, ids: pa.Array, line_ids: pa.Array) -> pa.Table:
    remittance_ids = pick(ids, owner)
    line = line_ids.take(column(cas, "service"))
    return tables.from_columns(
        "adjustments",
        {
            "adjustment_id": numbered(remittance_ids, reading.places(owner)),
            "remittance_id": remittance_ids,
            "remittance_line_id": line,
            "level": pc.if_else(pc.is_valid(line), "line", "claim"),
            "group_code": column(cas, "group_code"),
            "reason_code": column(cas, "reason_code"),
            "amount_cents": column(cas, "amount"),
            "quantity": reading.number(cas, "quantity"),
        },
    )


def _remarks(
    lq: pa.Table, clp: pa.Table, ids: pa.Array, line_ids: pa.Array
) -> tuple[pa.Table, Rows, Rows]:
    """The remark codes of LQ, MOA and MIA, their owners and where they stand.

    Other code lists in LQ are no remarks.
    """
    is_remark = pc.fill_null(pc.equal(column(lq, "qualifier"), "HE"), True)
    lq = lq.filter(pc.and_(is_remark, pc.is_valid(lq["remark_code"])))
    owners = [preceding(clp, lq, "payment")]
    lines = [line_ids.take(column(lq, "service"))]
    codes = [column(lq, "remark_code")]
    named = [pa.repeat("LQ", len(lq))]
    at = [segments(lq)]
    for segment, names in _CLAIM_REMARKS.items():
        for name in names:
            sent = column(clp, name)
            owner = np.flatnonzero(sent.is_valid())
            owners.append(owner)
            lines.append(pa.nulls(len(owner), pa.string()))
            codes.append(sent.drop_null())
            at.append(segments(clp)[owner])
            named.append(pa.repeat(segment, len(owner)))
    owner = np.concatenate(owners)
    remittance_ids = pick(ids, owner)
    remarks = tables.from_columns(
        "remarks",
        {
            "remark_id": numbered(remittance_ids, reading.places(owner)),
            "remittance_id": remittance_ids,
            "remittance_line_id": pa.concat_arrays(lines),
            "segment": pa.concat_arrays(named),
            "remark_code": pa.concat_arrays(codes),
        },
    )
    return remarks, owner, np.concatenate(at)


def _provider_adjustments(sent: dict[str, pa.Table], payments: pa.Table) -> pa.Table:
    plb = sent["provider_adjustments"]
    payment = column(plb, "payment").to_numpy()
    payment_ids = pick(column(payments, "payment_id"), payment)
    return tables.from_columns(
        "provider_adjustments",
        {
            "provider_adjustment_id": numbered(payment_ids, reading.places(payment)),
            "payment_id": payment_ids,
            "reason_code": column(plb, "reason_code"),
            "reference_number": column(plb, "reference_number"),
            "amount_cents": column(plb, "amount"),
            "fiscal_date": column(plb, "fiscal_date"),
        },
    )

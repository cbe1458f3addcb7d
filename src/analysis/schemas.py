"""Every table of the project, declared once: grain, key, columns, units, allowed values.

`tables` checks each write against these declarations and generates the data dictionary from
them. Suffixes say what a column holds: `_id`, `_code`, `_date`, `_cents` (whole cents, never a
float), `is_` and `has_` (true or false; null where nobody knows), `n_` (a count). Identifiers of
payers, claims and codes stay text: payer 00123 is not payer 123.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "integer", "number", "boolean", "date"]

DETERMINATIONS = (
    "approved",
    "partially_approved",
    "denied",
    "pending",
    "rejected",
    "voided",
    "unknown",
)
MODELS = (
    "mixed_effects_logistic",
    "one_hot_logistic",
    "cell_rate",
    "boosted_trees",
    "base_rate",
)
DOCUMENT_STATUSES = ("present", "absent", "not_required", "unknown")
ROLES = ("insurer", "tpa", "delegate")
FUNDINGS = ("insured", "self_funded", "public", "union")
PRODUCTS = ("hmo", "ppo", "epo", "pos", "hdhp", "indemnity")
UNIT_RULES = ("total_minutes", "per_code")
CHANNELS = ("claim", "remittance", "attested")
DISPOSITIONS = ("accepted", "quarantined", "duplicate", "skipped")
SOURCES = ("x12", "export")
ACTION_STATES = ("to_do", "waiting", "settled")
ACTION_REASONS = (
    "approved",
    "voided",
    "usual_time",
    "appeal_filed",
    "correction_sent",
    "rejected",
    "records_requested",
    "no_answer",
    "appeal_won_unpaid",
    "no_appeal_right",
    "patient_share",
    "contract_only",
    "nothing_to_gain",
    "appeal_lost",
    "appeals_used_up",
    "reason_code",
    "no_reason",
)
# The documents that a claim is described by: column of `claim_features` -> item of the checklist.
CLAIM_DOCUMENTS = {
    "prescription": "D02",
    "authorization": "D04",
    "plan_of_care": "D05",
    "treatment_note": "D07",
    "minutes": "D08",
    "initial_eval": "D09",
    "progress_report": "D10",
    "necessity_rationale": "D12",
    "benefit_verification": "D15",
}
FILE_CHECKS = (
    "transaction_segments",
    "transaction_number",
    "group_transactions",
    "group_number",
    "interchange_groups",
    "interchange_number",
    "level_numbers",
    "complete_segments",
    "known_segments",
    "readable_values",
)
BALANCES = (
    "sent_charge",
    "line_paid",
    "claim_charge",
    "claim_paid",
    "claim_paid_by_lines",
    "responsibility",
    "deposit",
    "answered_charge",
    "answer_has_claim",
    "answered_line",
    "first_insurer_answered",
    "answered_place",
    "answered_number",
    "answered_code",
    "answered_day",
    "answered_units",
    "answered_modifiers",
    "sent_line_answered",
    "sent_day",
    "sent_member",
    "sent_diagnosis",
    "sent_line_diagnosis",
    "sent_units",
    "sent_diagnosis_in_force",
    "sent_code_in_force",
    "sent_in_time_order",
    "answered_in_time_order",
    "answered_reason_in_force",
    "status_and_payment",
)
CHECKS = FILE_CHECKS + BALANCES
APPEAL_ANSWERS = ("overturned", "partial", "upheld", "dismissed")
REVERSAL_REASONS = (
    "appeal",
    "corrected_claim",
    "void",
    "audit",
    "retroactive_change",
    "other_insurer",
)


@dataclass(frozen=True)
class Column:
    """One column: its kind, whether it may be null, and the values it may hold (empty: any)."""

    name: str
    kind: Kind
    description: str
    nullable: bool = True
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: what one row is, the columns that identify a row, and all columns in order."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> list[str]:
        """The names of all columns, in the order they are written."""
        return [column.name for column in self.columns]


def _text(name: str, description: str, *values: str, nullable: bool = True) -> Column:
    return Column(name, "text", description, nullable, values)


def _identifier(name: str, description: str) -> Column:
    return Column(name, "text", description, nullable=False)


def _cents(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, "integer", f"{description} (US cents)", nullable)


def _count(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, "integer", description, nullable)


def _number(name: str, description: str) -> Column:
    return Column(name, "number", description)


def _date(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, "date", description, nullable)


def _flag(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, "boolean", description, nullable)


_FILE = _identifier("file_name", "file in data/raw/<practice>, with the member inside a zip")
_POSITION = _count("position", "ordinal of the record in its file, from 1")
_INTERCHANGE = _count(
    "interchange", "ordinal of the interchange in its file, from 1; null in exports", nullable=True
)
_SEGMENT = _count(
    "segment", "place of its segment in the interchange, from 1; null in exports", nullable=True
)
_PCN = _text("patient_control_number", "the practice's own claim number: CLM01, echoed in CLP01")
_PAYER = _text("payer_id", "the insurer's identifier as text")
_PATIENT = _text("patient_id", "keyed pseudonym of the patient; null where the source names none")
_PROCEDURE = _text("procedure_code", "CPT or HCPCS code")
_SOURCE = _text("source", "x12, or an export of the practice's software", *SOURCES, nullable=False)
_MODIFIERS = _text("modifiers", "modifiers in their order, joined by ':'; empty when none")
# What the approval models read of a claim.
_PREDICTORS = (
    _text("payer_id", "the insurer, or unknown", nullable=False),
    _text("payer_type", "kind of insurance", nullable=False),
    _text("plan_id", "payer and plan, or unknown", nullable=False),
    _text(
        "network_status", "contract on the day of service", "in", "out", "unknown", nullable=False
    ),
    _text("condition_group", "condition", nullable=False),
    _count("submission_lag_days", "days from service to submission", nullable=True),
    _count(
        "visit_number", "place of the visit in its episode, of those sent by then", nullable=True
    ),
    _number("n_units", "units over all lines"),
    _number("completeness", "weight present / weight required with known status, 0 to 1"),
    *(
        _text(name, f"{item} as of submission", *DOCUMENT_STATUSES, nullable=False)
        for name, item in CLAIM_DOCUMENTS.items()
    ),
)

_TABLES = (
    # ---- what the files say -------------------------------------------------------------
    Table(
        "claims",
        "a submitted claim version (one 837P CLM or one export row)",
        ("claim_version_id",),
        (
            _identifier("claim_version_id", "content of the interchange, and the place in it"),
            _FILE,
            _POSITION,
            _INTERCHANGE,
            _SEGMENT,
            _SOURCE,
            _date("submitted_date", "day the file was made (BHT04, else GS04, else ISA09)"),
            _text("set_reference", "its group and set of an 837, as GS06/ST02"),
            _PCN,
            _text("claim_frequency_code", "CLM05-3: 1 original, 7 replacement, 8 void"),
            _text(
                "original_reference_number",
                "REF F8: the insurer's number of the claim replaced or voided",
            ),
            _PATIENT,
            _PAYER,
            _text("payer_name", "the insurer's name as sent"),
            _text("plan_id", "SBR03, the group or policy number"),
            _text("plan_name", "SBR04, the group name"),
            _text("payer_sequence_code", "SBR01: P primary, S secondary, T tertiary"),
            _text("filing_indicator_code", "SBR09, the kind of insurance"),
            _cents("charge_cents", "CLM02, total charge"),
            _text("facility_code", "CLM05-1, place of service"),
            _text("related_cause_codes", "CLM11: AA auto, EM employment, OA other; joined by ':'"),
            _text("authorization_number", "REF G1"),
            _text("referral_number", "REF 9F"),
            _text("referring_provider_id", "NPI of the referrer (NM1 DN) or orderer (DK)"),
            _text("rendering_provider_id", "NPI of the therapist (NM1 82, else billing provider)"),
            _date("onset_date", "DTP 431"),
            _date("accident_date", "DTP 439"),
            _date("initial_treatment_date", "DTP 454"),
            _text("attachment_codes", "PWK01 report types, joined by ':'; empty when none"),
            _flag("has_note", "an NTE note was sent (its text ends at intake)"),
            _text("note_codes", "NTE01, what kind of notes, joined by ':'; empty when none"),
            _cents("other_payer_paid_cents", "AMT D of the other payer loop", nullable=True),
            _date("service_date", "first day of service over the lines"),
            _date("service_to_date", "last day of service over the lines"),
        ),
    ),
    Table(
        "service_lines",
        "a line of a claim version (837P LX)",
        ("service_line_id",),
        (
            _identifier("service_line_id", "claim version, and the line's place in it"),
            _identifier("claim_version_id", "the claim version the line belongs to"),
            _count("line_number", "place of the line in its claim, from 1"),
            _SEGMENT,
            _text("line_control_number", "REF 6R"),
            _PROCEDURE,
            _MODIFIERS,
            _cents("charge_cents", "SV102"),
            _number("units", "SV104, as sent (units of 15 minutes for timed codes)"),
            _date("service_date", "DTP 472, first day"),
            _date("service_to_date", "DTP 472, last day"),
            _text("diagnosis_pointers", "SV107, joined by ':'"),
            _text("authorization_number", "REF G1 on the line"),
        ),
    ),
    Table(
        "claim_diagnoses",
        "a diagnosis position of a claim version (837P HI)",
        ("claim_version_id", "diagnosis_position"),
        (
            _identifier("claim_version_id", "the claim version"),
            _count("diagnosis_position", "place in the HI segments, from 1; 1 is principal"),
            _identifier("diagnosis_code", "ICD-10-CM code with its point, upper case"),
        ),
    ),
    Table(
        "payments",
        "one 835 transaction: one deposit or notice by one insurer",
        ("payment_id",),
        (
            _identifier("payment_id", "content of the interchange, and the place in it"),
            _FILE,
            _POSITION,
            _INTERCHANGE,
            _SEGMENT,
            _PAYER,
            _text("payer_name", "N1 PR, as sent"),
            _text("trace_number", "TRN02, the check or transfer number"),
            _date("payment_date", "BPR16"),
            _text("payment_method_code", "BPR04: ACH, CHK, NON"),
            _cents(
                "deposit_cents",
                "BPR02, the money that reached the bank, debits negative; null where unreadable",
                nullable=True,
            ),
        ),
    ),
    Table(
        "remittances",
        "one 835 CLP: an insurer's answer to a claim",
        ("remittance_id",),
        (
            _identifier("remittance_id", "content of the interchange, and the place in it"),
            _identifier("payment_id", "the payment that carries it"),
            _FILE,
            _POSITION,
            _INTERCHANGE,
            _SEGMENT,
            _SOURCE,
            _text(
                "stated_determination",
                "the outcome an export states in words; null where it states none",
                "approved",
                "partially_approved",
                "denied",
                "pending",
            ),
            _PCN,
            _text("claim_status_code", "CLP02: 1, 2, 3 processed; 4 denied; 22 reversal"),
            _cents("charge_cents", "CLP03"),
            _cents("paid_cents", "CLP04"),
            _cents("patient_responsibility_cents", "CLP05", nullable=True),
            _text("filing_indicator_code", "CLP06"),
            _text("payer_claim_control_number", "CLP07, the insurer's own number"),
            _text("facility_code", "CLP08"),
            _text("claim_frequency_code", "CLP09"),
            _PATIENT,
            _PAYER,
            _text("payer_name", "N1 PR of the payment, as sent"),
            _text("trace_number", "TRN02 of the payment"),
            _date("payment_date", "BPR16 of the payment"),
            _date("received_date", "DTM 050, day the insurer received the claim"),
            _date("service_date", "DTM 232, else the earliest line date"),
            _date("service_to_date", "DTM 233, else the latest line date"),
            _text("rendering_provider_id", "NM1 82"),
        ),
    ),
    Table(
        "remittance_lines",
        "one SVC of a remittance",
        ("remittance_line_id",),
        (
            _identifier("remittance_line_id", "remittance, and the line's place in it"),
            _identifier("remittance_id", "the remittance the line belongs to"),
            _count("line_number", "place of the SVC in its CLP, from 1"),
            _SEGMENT,
            _text("line_control_number", "REF 6R"),
            _text("procedure_code", "SVC01-2, the code adjudicated"),
            _MODIFIERS,
            _text("submitted_procedure_code", "SVC06-2, the code sent, where the insurer recoded"),
            _cents("charge_cents", "SVC02"),
            _cents("paid_cents", "SVC03"),
            _number("units", "SVC05, units paid"),
            _number("submitted_units", "SVC07, where it differs"),
            _date("service_date", "DTM 472, else 150"),
            _date("service_to_date", "DTM 472, else 151"),
            _cents("allowed_cents", "AMT B6 where the insurer gives it", nullable=True),
        ),
    ),
    Table(
        "adjustments",
        "one CAS triplet",
        ("adjustment_id",),
        (
            _identifier("adjustment_id", "remittance, and the place in it"),
            _identifier("remittance_id", "the remittance"),
            _text("remittance_line_id", "the line; null for a claim-level adjustment"),
            _text("level", "where the CAS stands", "claim", "line", nullable=False),
            _text("group_code", "CO, PR, OA, PI, CR"),
            _text("reason_code", "CARC"),
            _cents("amount_cents", "positive lowers the payment"),
            _number("quantity", "units adjusted"),
        ),
    ),
    Table(
        "remarks",
        "one remark code (RARC)",
        ("remark_id",),
        (
            _identifier("remark_id", "remittance, and the place in it"),
            _identifier("remittance_id", "the remittance"),
            _text("remittance_line_id", "the line; null for a claim-level remark"),
            _text("segment", "where the remark stands", "LQ", "MOA", "MIA", nullable=False),
            _identifier("remark_code", "RARC"),
        ),
    ),
    Table(
        "provider_adjustments",
        "one PLB reason and amount pair: money moved outside the claims",
        ("provider_adjustment_id",),
        (
            _identifier("provider_adjustment_id", "payment, and the place in it"),
            _identifier("payment_id", "the payment"),
            _text("reason_code", "PLB03-1: WO recoupment, FB forwarding balance, L6 interest"),
            _text("reference_number", "PLB03-2, often the insurer's number of the old claim"),
            _cents("amount_cents", "positive lowers the deposit"),
            _date("fiscal_date", "PLB02"),
        ),
    ),
    Table(
        "acknowledgments",
        "one answer to a submission before adjudication (277CA claim status, or 999 set)",
        ("acknowledgment_id",),
        (
            _identifier("acknowledgment_id", "content of the interchange, and the place in it"),
            _FILE,
            _POSITION,
            _text("transaction", "which kind", "277CA", "999", nullable=False),
            _PCN,
            _text("set_reference", "of a 999: the set it answers, as AK102/AK202; AK102/ for all"),
            _text("category_code", "STC01-1 of a 277CA, AK501 or IK501 of a 999"),
            _text("status_code", "STC01-2"),
            _flag("is_accepted", "the insurer or clearinghouse took the claim in", nullable=True),
            _date("effective_date", "STC02, else the day of the file"),
        ),
    ),
    Table(
        "attested_documents",
        "a visit x checklist item, as the practice wrote it down",
        ("attested_document_id",),
        (
            _identifier("attested_document_id", "file content, row and item"),
            _FILE,
            _POSITION,
            _PCN,
            _date("service_date", "day of the visit"),
            _identifier("item_id", "checklist item, for example D02_prescription"),
            _text("status", "what the cell says", *DOCUMENT_STATUSES, nullable=False),
            _date("existed_date", "day since when the document exists; null when not told"),
        ),
    ),
    Table(
        "visit_techniques",
        "a visit x technique, as the practice wrote it down (never inferred from a code)",
        ("visit_technique_id",),
        (
            _identifier("visit_technique_id", "file content, row and place"),
            _PCN,
            _date("service_date", "day of the visit"),
            _identifier("technique", "the practice's own word, lower case"),
        ),
    ),
    Table(
        "visit_minutes",
        "a visit x code, or the whole visit, with its minutes as the practice wrote them down",
        ("visit_minutes_id",),
        (
            _identifier("visit_minutes_id", "file content, row and place"),
            _PCN,
            _date("service_date", "day of the visit"),
            _text("procedure_code", "the code; null for the minutes of all timed codes together"),
            _count("n_minutes", "minutes"),
        ),
    ),
    Table(
        "authorizations",
        "one prior authorization",
        ("authorization_id",),
        (
            _identifier("authorization_id", "file content and row"),
            _FILE,
            _POSITION,
            _text("authorization_number", "the insurer's number, as on REF G1"),
            _PAYER,
            _PATIENT,
            _text("procedure_codes", "codes covered, joined by ':'; empty when not told"),
            _count("visits_authorized", "visits allowed", nullable=True),
            _date("start_date", "first day covered"),
            _date("end_date", "last day covered"),
            _date("requested_date", "day asked"),
            _date("decision_date", "day answered"),
            _text("status", "approved, denied, pending as written"),
        ),
    ),
    Table(
        "prescriptions",
        "one prescription, referral or plan of care, as the practice wrote it down",
        ("prescription_id",),
        (
            _identifier("prescription_id", "file content and row"),
            _FILE,
            _POSITION,
            _PATIENT,
            _date("prescribed_date", "day it was written or signed", nullable=False),
            _date("expiry_date", "last day it holds"),
            _text("diagnosis_codes", "ICD-10-CM codes it is for, joined by ':'; null: whatever"),
            _count("visits_prescribed", "visits ordered", nullable=True),
            _number("visits_per_week", "how often, at most"),
            _count("n_weeks", "for how many weeks", nullable=True),
        ),
    ),
    Table(
        "benefit_calls",
        "one call to an insurer about a patient's benefits",
        ("benefit_call_id",),
        (
            _identifier("benefit_call_id", "file content and row"),
            _FILE,
            _POSITION,
            _date("call_date", "day of the call"),
            _text("call_time", "time of the call, HH:MM"),
            _PAYER,
            _PATIENT,
            _text("representative", "whom the practice spoke to, as written"),
            _text("reference_number", "the insurer's reference for the call"),
            _flag("is_covered", "said: massage is covered", nullable=True),
            _flag("is_authorization_required", "said: authorization needed", nullable=True),
            _flag("is_referral_required", "said: referral needed", nullable=True),
            _count("visits_allowed", "said: visits in the plan", nullable=True),
            _count("visits_remaining", "said: visits left", nullable=True),
            _date("written_confirmation_date", "day the written confirmation arrived"),
        ),
    ),
    Table(
        "appeals",
        "one appeal level",
        ("appeal_id",),
        (
            _identifier("appeal_id", "file content and row"),
            _FILE,
            _POSITION,
            _PCN,
            _text("level", "1, 2, external as written"),
            _date("filed_date", "day sent"),
            _date("deadline_date", "last day to file"),
            _text(
                "deadline_source", "where the deadline comes from", "letter", "contract", "default"
            ),
            _date("decision_date", "day answered"),
            _text(
                "outcome", "the answer", "overturned", "upheld", "partial", "pending", "withdrawn"
            ),
            _text("assisted_by", "who helped", "nobody", "advocate", "lawyer"),
        ),
    ),
    Table(
        "policies",
        "a coverage rule the practice knows",
        ("policy_id",),
        (
            _identifier("policy_id", "file content and row"),
            _FILE,
            _POSITION,
            _PAYER,
            _text("plan_id", "null: every plan of the payer"),
            _text("state", "two letters; null: every state"),
            _text("procedure_code", "null: every code"),
            _text(
                "rule",
                "what it limits or asks",
                "visit_limit_year",
                "authorization_after_visit",
                "referral_required",
                "units_per_visit",
                "minutes_per_visit",
                "visits_per_week",
                "weeks_per_episode",
                "appeal_days",
                "correction_days",
                "timely_filing_days",
                nullable=False,
            ),
            _number(
                "value", "the limit or the days; of referral_required 1 or nothing is yes, 0 no"
            ),
            _date("effective_from", "first day in force; null: always was"),
            _date("effective_to", "last day in force; null: still is"),
            _text("source", "where the practice read it"),
        ),
    ),
    Table(
        "payer_aliases",
        "a name or id as written, and the insurer that the practice says it means",
        ("payer_alias_id",),
        (
            _identifier("payer_alias_id", "file content and row"),
            _FILE,
            _POSITION,
            _text("name_as_written", "null: whatever the name"),
            _text("payer_id_as_written", "null: whatever the id"),
            _identifier("payer_id", "the insurer that is meant"),
            _text("role", "what the one so named is for the insurer", *ROLES),
            _text("funding", "who carries the risk under that name", *FUNDINGS),
            _text("product", "the product under that name", *PRODUCTS),
        ),
    ),
    Table(
        "network_periods",
        "a span of days in or out of an insurer's network",
        ("network_period_id",),
        (
            _identifier("network_period_id", "file content and row; practice.toml and its place"),
            _FILE,
            _POSITION,
            _identifier("payer_id", "the insurer"),
            _text("plan_id", "null: every plan of the insurer"),
            _text("network_status", "contract on these days", "in", "out", nullable=False),
            _date("effective_from", "first day; null: since ever"),
            _date("effective_to", "last day; null: still so"),
            _text("source", "where the practice read it, such as the contract or a letter"),
        ),
    ),
    Table(
        "payer_names",
        "a name and an id as claims and remittances write them, and the insurer they mean",
        ("name_as_written", "payer_id_as_written"),
        (
            _text("name_as_written", "null where only an id is written"),
            _text("payer_id_as_written", "null where only a name is written"),
            _identifier("payer_id", "the insurer; its name where no id is known"),
            _text(
                "decided_by",
                "practice.toml's id; practice.toml's or payer_aliases.csv's alias; the id itself; "
                "the name but for case, signs and legal form; or nothing but the name",
                "stated",
                "alias",
                "same_id",
                "same_name",
                "none",
                nullable=False,
            ),
            _text(
                "role",
                "what the one so named is for the insurer",
                *ROLES,
                "unknown",
                nullable=False,
            ),
            _text(
                "funding",
                "who carries the risk under that name",
                *FUNDINGS,
                "unknown",
                nullable=False,
            ),
            _text("product", "the product under that name", *PRODUCTS, "unknown", nullable=False),
            _flag("is_doubtful", "the id says one insurer, and the name is quite another"),
            _text("suggested_payer_id", "an insurer that may be meant, until confirmed"),
            _text("suggested_name", "its name"),
            _text("suggestion_basis", "why", "answers_its_claims", "similar_name"),
            _count("suggestion_score", "likeness of the names, 0 to 100", nullable=True),
            _count("n_claims", "claim versions so written"),
            _count("n_remittances", "remittances so written"),
        ),
    ),
    Table(
        "payers",
        "an insurer met in the files or named in practice.toml",
        ("payer_id",),
        (
            _identifier("payer_id", "the insurer's identifier as text"),
            _text("payer_name", "the name to print", nullable=False),
            _text(
                "payer_type",
                "kind of insurance (reference/payer_types.csv), or unknown",
                nullable=False,
            ),
            _text(
                "payer_type_source",
                "who says so",
                "practice",
                "filing_indicator",
                "unknown",
                nullable=False,
            ),
            _text(
                "network_status",
                "contract with this insurer as practice.toml states it; by date: network_periods",
                "in",
                "out",
                "unknown",
                nullable=False,
            ),
            _date("network_since_date", "first day of that status"),
            _text("role", "insurer, administrator or delegate", *ROLES, "unknown", nullable=False),
            _text(
                "unit_rule",
                "how minutes become units: over all timed codes of a visit, or for each code",
                *UNIT_RULES,
                "unknown",
                nullable=False,
            ),
            _text(
                "unit_rule_source",
                "who says so",
                "practice",
                "payer_type",
                "unknown",
                nullable=False,
            ),
        ),
    ),
    Table(
        "plans",
        "a plan of an insurer met in the claims or named in practice.toml",
        ("payer_id", "plan_id"),
        (
            _identifier("payer_id", "the insurer"),
            _identifier("plan_id", "group or policy number (SBR03)"),
            _text("plan_name", "the name to print", nullable=False),
            _text("funding", "who carries the risk", *FUNDINGS, "unknown", nullable=False),
            _text(
                "funding_source",
                "who says so",
                "practice",
                "payer_alias",
                "payer_type",
                "unknown",
                nullable=False,
            ),
            _text("product", "the plan's product", *PRODUCTS, "unknown", nullable=False),
            _text(
                "product_source",
                "who says so",
                "practice",
                "payer_alias",
                "filing_indicator",
                "unknown",
                nullable=False,
            ),
            _count("visit_limit_year", "visits a year the plan allows", nullable=True),
        ),
    ),
    # ---- accounting ---------------------------------------------------------------------
    Table(
        "row_ledger",
        "one input record, or one whole file that gave none",
        ("file_hash", "file_name", "record", "position"),
        (
            _FILE,
            _identifier("file_hash", "SHA-256 of the file's bytes"),
            _text(
                "record",
                "what was counted",
                "file",
                "interchange",
                "CLM",
                "CLP",
                "status",
                "row",
                nullable=False,
            ),
            _POSITION,
            _text("disposition", "what became of it", *DISPOSITIONS, nullable=False),
            _text("reason", "why it was set aside: what is wrong, and what to do next"),
            _text("duplicate_of", "the file that holds the same content already"),
            _cents("charge_cents", "CLM02 or CLP03 as written; null for others", nullable=True),
            _cents("paid_cents", "CLP04 as written; null for others", nullable=True),
        ),
    ),
    Table(
        "file_checks",
        "a check of an interchange by what it says of itself: a count, a number, its form",
        ("file_check_id",),
        (
            _identifier("file_check_id", "content of the interchange, and the check's place in it"),
            _FILE,
            _INTERCHANGE,
            _SEGMENT,
            _text("check_name", "what was checked", *FILE_CHECKS, nullable=False),
            _count("n_expected", "as stated; null where nothing legible states it", nullable=True),
            _count("n_found", "as counted; null for numbers that only repeat", nullable=True),
            _flag("is_holding", "what is stated is what was found"),
        ),
    ),
    Table(
        "imbalances",
        "a check that a record does not pass: kept and marked, never mended",
        ("check_name", "record_id"),
        (
            _text("check_name", "what was checked", *CHECKS, nullable=False),
            _identifier("record_id", "payment, remittance, line, claim version or file check"),
            _FILE,
            _INTERCHANGE,
            _SEGMENT,
            _cents("expected_cents", "by the rule; null where it is not of money", nullable=True),
            _cents("found_cents", "as the file says", nullable=True),
            _cents("difference_cents", "found less expected", nullable=True),
            _text("expected", "by the rule, where it is not of money"),
            _text("found", "as the file says, where it is not of money"),
        ),
    ),
    Table(
        "checks",
        "a check: on how many records it was made",
        ("check_name",),
        (
            _text("check_name", "what was checked", *CHECKS, nullable=False),
            _count("n_checked", "records it could be made on"),
            _count("n_holding", "records that pass; the others stand in imbalances"),
            _count("n_unknown", "records that lack what it needs"),
        ),
    ),
    Table(
        "unmapped_codes",
        "one code of one system that no reference table knows",
        ("code_system", "code"),
        (
            _text(
                "code_system",
                "which list lacks it",
                "CARC",
                "RARC",
                "CPT",
                "ICD-10-CM",
                "CAS group",
                "claim status",
                "claim frequency",
                "modifier",
                "technique",
                nullable=False,
            ),
            _identifier("code", "the code as sent, or the technique as written down"),
            _count("n_records", "how often it occurs"),
        ),
    ),
    Table(
        "technique_codes",
        "a visit x technique written down for it, and what was billed for the visit",
        ("claim_id", "service_date", "technique"),
        (
            _identifier("claim_id", "the claim"),
            _date("service_date", "day of the visit", nullable=False),
            _identifier("technique", "as in visit_techniques"),
            _text("procedure_codes", "the codes first billed for that day, joined by :"),
            _flag(
                "is_usual",
                "one of them is usual for the technique (reference/techniques.csv); null where"
                " nobody mapped the technique",
                nullable=True,
            ),
        ),
    ),
    # ---- histories and determinations ---------------------------------------------------
    Table(
        "claim_lineage",
        "a claim version or a remittance, and the claim it belongs to",
        ("record", "record_id"),
        (
            _text("record", "what is placed", "claim_version", "remittance", nullable=False),
            _identifier("record_id", "claim_version_id or remittance_id"),
            _identifier(
                "claim_id", "the claim: the id of its first version, or of its first remittance"
            ),
            _text(
                "match_kind",
                "how it was placed",
                "original",
                "reference",
                "control_number",
                "same_service",
                "payer_control_number",
                "remittance_only",
                nullable=False,
            ),
            _flag("is_doubtful", "another claim would fit as well"),
        ),
    ),
    Table(
        "provider_adjustment_lineage",
        "a PLB amount, and the claim its reference names",
        ("provider_adjustment_id",),
        (
            _identifier("provider_adjustment_id", "the PLB reason and amount pair"),
            _text("claim_id", "the claim; null where the reference names none we know, or several"),
            _text(
                "match_kind",
                "what the reference equals",
                "payer_control_number",
                "control_number",
                "begins_with_payer_control_number",
                "several_claims",
                "none",
                nullable=False,
            ),
        ),
    ),
    Table(
        "line_lineage",
        "a remittance line, and the line sent that it is about",
        ("remittance_line_id",),
        (
            _identifier("remittance_line_id", "the answered line"),
            _identifier("claim_id", "its claim"),
            _text("service_line_id", "the line sent; null where the insurer answered beyond those"),
            _text(
                "match_kind",
                "what told it: REF 6R; code, day, charge and modifiers; fewer of these; nothing",
                "line_control_number",
                "all_terms",
                "charge",
                "day",
                "code",
                "day_and_charge",
                "beyond",
                nullable=False,
            ),
            _flag("is_doubtful", "other lines agree in the same terms; their order decided"),
        ),
    ),
    Table(
        "line_outcomes",
        "a service line of a claim: its first and final determination",
        ("claim_id", "line_number"),
        (
            _identifier("claim_id", "the claim"),
            _count("line_number", "place of the line in the latest version that is not a void"),
            _PROCEDURE,
            _MODIFIERS,
            _number("units", "units sent"),
            _date("service_date", "day of service"),
            _cents("charge_cents", "charge"),
            _cents(
                "allowed_cents", "allowed at the end: paid, patient's part and payment reductions"
            ),
            _cents("paid_cents", "paid over all insurers and reversals"),
            _text("first_determination", "first answer", *DETERMINATIONS, nullable=False),
            _date("first_determination_date", "its payment date"),
            _text(
                "final_determination",
                "answer as of the as-of date",
                *DETERMINATIONS,
                nullable=False,
            ),
            _date("final_determination_date", "its payment date"),
            _text("denial_category", "why the first answer denied or cut"),
            _text("denial_reason_code", "CARC that decided the category"),
            _text("denial_remark_code", "RARC that decided the category"),
            _text("final_denial_category", "why the final answer denies or cuts"),
        ),
    ),
    Table(
        "claim_outcomes",
        "a claim (lineage of versions): its first and final determination",
        ("claim_id",),
        (
            _identifier("claim_id", "the claim"),
            _PCN,
            _PATIENT,
            _PAYER,
            _text("plan_id", "plan of the first version"),
            _text("payer_type", "kind of insurance, or unknown", nullable=False),
            _text(
                "condition_group",
                "from the principal diagnosis by date of service, or unknown",
                nullable=False,
            ),
            _text("episode_id", "patient's claims for one condition without a gap of 90 days"),
            _count("visit_number", "place of the visit in its episode, from 1", nullable=True),
            _date("service_date", "first day of service"),
            _date("submitted_date", "day the first version was sent"),
            _count("n_versions", "versions sent; 0 where only a remittance was found"),
            _count("n_remittances", "answers received, reversals and secondary ones included"),
            _cents("charge_cents", "charge of the latest version that is not a void"),
            _cents("allowed_cents", "allowed by the primary insurer at the end"),
            _cents("paid_cents", "paid over all insurers and reversals"),
            _cents(
                "moved_outside_cents",
                "moved outside its remittances and tied to it (PLB); positive took money back",
            ),
            _cents(
                "patient_responsibility_cents", "deductible, coinsurance and copayment at the end"
            ),
            _text("first_determination", "first answer", *DETERMINATIONS, nullable=False),
            _date("first_determination_date", "its payment date"),
            _count("days_to_first_determination", "from first submission", nullable=True),
            _text(
                "final_determination",
                "answer as of the as-of date",
                *DETERMINATIONS,
                nullable=False,
            ),
            _date("final_determination_date", "its payment date"),
            _text("denial_category", "why the first answer denied or cut"),
            _text("denial_reason_code", "CARC that decided the category"),
            _text("denial_remark_code", "RARC that decided the category"),
            _text("final_denial_category", "why the final answer denies or cuts"),
            _text(
                "outcome_source", "where the first answer comes from; null without one", *SOURCES
            ),
            _flag("is_corrected", "a replacement version was sent"),
            _flag("is_reversed", "an answer was taken back"),
            _text("reversal_reason", "why an answer was taken back, if said", *REVERSAL_REASONS),
            _text("appeal_outcome", "how the last appeal that was decided ended", *APPEAL_ANSWERS),
            _text("date_problem", "a day that cannot be right; kept and counted all the same"),
            _date("as_of_date", "the day the answer is read", nullable=False),
            _count("maturity_days", "95th percentile of days from submission to first answer"),
            _flag(
                "is_mature", "the first version is older than the 95th percentile of decision delay"
            ),
        ),
    ),
    Table(
        "appeal_outcomes",
        "an appeal that the practice recorded, or that only an insurer's answer tells of",
        ("appeal_outcome_id",),
        (
            _identifier("appeal_outcome_id", "the recorded appeal, else the answer that tells it"),
            _text("claim_id", "the claim; null where no claim has the number written down"),
            _count("appeal_number", "place among the claim's appeals, from 1"),
            _text("appeal_id", "the practice's record; null when it kept none"),
            _text("level", "1, 2, external as written"),
            _date("filed_date", "day sent"),
            _date("deadline_date", "last day to file"),
            _text(
                "deadline_source", "where the deadline comes from", "letter", "contract", "default"
            ),
            _flag("is_filed_late", "sent after the deadline", nullable=True),
            _text("assisted_by", "who helped", "nobody", "advocate", "lawyer"),
            _date("recorded_date", "day answered, as the practice wrote it down"),
            _text(
                "recorded_outcome",
                "the answer, as the practice wrote it down",
                "overturned",
                "upheld",
                "partial",
                "pending",
                "withdrawn",
            ),
            _text("remittance_id", "the insurer's answer that speaks of an appeal"),
            _date("remittance_date", "its payment date"),
            _text(
                "remittance_outcome",
                "more allowed than before (partial: lines or units stay refused) or not; dismissed,"
                " not heard",
                *APPEAL_ANSWERS,
            ),
            _text("evidence_codes", "the RARC and CARC that speak of the appeal"),
            _cents("won_cents", "allowed by that answer beyond what was before", nullable=True),
            _text(
                "agreement",
                "record against answer: not_recorded, the answer alone tells; recorded_only, no"
                " answer speaks of it; not_updated, answered but still pending in the record",
                "agree",
                "disagree",
                "recorded_only",
                "not_recorded",
                "not_updated",
                "open",
                nullable=False,
            ),
            _text(
                "outcome",
                "the insurer's answer where there is one, else the record",
                *APPEAL_ANSWERS,
                "pending",
                "withdrawn",
                nullable=False,
            ),
        ),
    ),
    # ---- what to do next ----------------------------------------------------------------
    Table(
        "next_actions",
        "a claim: the one thing to do next, or why there is nothing to do",
        ("claim_id",),
        (
            _identifier("claim_id", "the claim"),
            _text("state", "whose turn it is", *ACTION_STATES, nullable=False),
            _text("why", "what decided it", *ACTION_REASONS, nullable=False),
            _text("action", "what to do (reference/next_actions.csv); null while it waits"),
            _text("category", "kind of reason the standing answer gives"),
            _text("group_code", "CAS group of that reason: who the insurer says owes the amount"),
            _text("reason_code", "its CARC"),
            _text("remark_code", "the RARC that tells more, or that forbids an appeal"),
            _text("item_id", "the document that remark asks for"),
            _date("answer_date", "payment date of the standing answer"),
            _text("payer_claim_control_number", "CLP07 of the standing answer"),
            _cents("refused_charge_cents", "charge that is not allowed so far"),
            _date("deadline_date", "last day to act; null where nothing is to do"),
            _text(
                "deadline_source",
                "letter: written down from it; contract: policies.csv; default: usual for the kind"
                " of insurance",
                "letter",
                "contract",
                "default",
            ),
        ),
    ),
    # ---- features and models ------------------------------------------------------------
    Table(
        "documentation",
        "claim x checklist item x channel, as it stood on the day of submission",
        ("claim_id", "item_id", "channel"),
        (
            _identifier("claim_id", "the claim"),
            _identifier("item_id", "checklist item (reference/documentation.csv)"),
            _text("channel", "who says so", *CHANNELS, nullable=False),
            _text("status", "as of submission", *DOCUMENT_STATUSES, nullable=False),
            _date(
                "existed_date", "day since when the document exists, where somebody wrote it down"
            ),
            _date(
                "said_date",
                "day of submission (claim), of the remittance (remittance); null for attested",
            ),
            _flag("is_required", "the checklist, or a rule in force, asks for it on this claim"),
        ),
    ),
    Table(
        "documentation_contradictions",
        "a claim x checklist item that one channel has and another lacks x code that says so",
        ("claim_id", "item_id", "present_channel", "absent_channel", "code"),
        (
            _identifier("claim_id", "the claim"),
            _identifier("item_id", "checklist item"),
            _text("present_channel", "says it was there", "attested", "claim", nullable=False),
            _text("absent_channel", "says it lacks", "attested", "remittance", nullable=False),
            _identifier("code", "the insurer's RARC, else the 837P element that shows it"),
        ),
    ),
    Table(
        "rules_in_force",
        "a claim x rule of its insurer that speaks for it x code (empty: every code)",
        ("claim_id", "rule", "procedure_code"),
        (
            _identifier("claim_id", "the claim"),
            _identifier("rule", "as in policies"),
            _identifier("procedure_code", "the code it is about; empty: every code"),
            _number("value", "as in policies"),
            _text("policy_id", "the row of policies; null: the limit of the plan"),
        ),
    ),
    Table(
        "visit_counts",
        "a claim: its place among the patient's visits",
        ("claim_id",),
        (
            _identifier("claim_id", "the claim"),
            _count("n_visits_episode", "visits of the episode up to this one", nullable=True),
            _count("n_weeks_episode", "weeks of the episode begun by this visit", nullable=True),
            _count("n_visits_year", "visits of the calendar year, same plan", nullable=True),
            _count("n_visits_week", "visits of the 7 days up to this one", nullable=True),
            _number("n_units_visit", "units of the visit with most; null when a line has none"),
        ),
    ),
    Table(
        "visit_limits",
        "a claim x limit known for it",
        ("claim_id", "limit_kind"),
        (
            _identifier("claim_id", "the claim"),
            _text(
                "limit_kind",
                "what is limited: by the insurer's rules or the plan; by its authorizations; by "
                "the prescription and its plan of care",
                "visits_per_year",
                "visits_per_week",
                "weeks_per_episode",
                "units_per_visit",
                "minutes_per_visit",
                "authorized_visits",
                "prescribed_visits",
                "prescription_days",
                "prescribed_visits_per_week",
                "prescribed_weeks",
                nullable=False,
            ),
            _number("allowed", "how much, in the kind's own unit; null where not written down"),
            _number("used", "up to and with this visit; null where it cannot be told"),
            _flag("is_past", "the visit lies past it", nullable=True),
        ),
    ),
    Table(
        "call_outcomes",
        "a benefit call x claim it speaks for x thing said",
        ("benefit_call_id", "claim_id", "said"),
        (
            _identifier("benefit_call_id", "the call"),
            _identifier("claim_id", "the claim, served before the next call and within a year"),
            _text(
                "said",
                "what the insurer said",
                "covered",
                "no_authorization",
                "no_referral",
                "visits_allowed",
                nullable=False,
            ),
            _identifier("payer_id", "the insurer"),
            _identifier("patient_id", "keyed pseudonym of the patient"),
            _date("call_date", "day of the call", nullable=False),
            _date("service_date", "day of the visit", nullable=False),
            _flag("is_in_writing", "the practice has a written confirmation"),
            _text(
                "result",
                "what became of it",
                "kept",
                "broken",
                "cannot_tell",
                nullable=False,
            ),
            _text("denial_category", "why the first answer denied or cut"),
        ),
    ),
    Table(
        "claim_features",
        "a claim as known on the day of its first submission",
        ("claim_id",),
        (
            _identifier("claim_id", "the claim"),
            _PATIENT,
            _date("service_date", "day of service"),
            _date("submitted_date", "day sent"),
            *_PREDICTORS,
            _count(
                "visit_number_in_year",
                "place of the visit in the patient's calendar year",
                nullable=True,
            ),
            _count("n_lines", "lines sent"),
            _flag("has_authorization_number", "REF G1 stands on the claim"),
            _flag("has_referral", "REF 9F or a referring provider stands on the claim"),
            _flag("has_massage_line", "97124 is among the lines"),
            _flag("has_manual_therapy_line", "97140 is among the lines"),
            _number("completeness_coverage", "weight with known status / weight required, 0 to 1"),
            _number("known_weight", "weight required with known status: what completeness is of"),
            _count("n_required_absent", "required items known to be absent"),
            _count("n_required_unknown", "required items nobody wrote down"),
            _count(
                "n_gates_failed",
                "gate items (license, prescription, authorization, diagnosis) absent",
            ),
        ),
    ),
    Table(
        "model_fits",
        "a model that was to be fitted to all matured claims",
        ("model",),
        (
            _text("model", "which model", *MODELS, nullable=False),
            _text("design_sha256", "hash of its record, model_design.json; null where refused"),
            _text("refusal", "what the claims lack for a model; null where there is one"),
        ),
    ),
    Table(
        "test_periods",
        "a period of time that judges the model, complete with its answers",
        ("first_day",),
        (
            _date(
                "first_day",
                "its first day, on which a model learned from what was known",
                nullable=False,
            ),
            _date("end_day", "the day after its last", nullable=False),
            _count(
                "maturity_days",
                "how long answers were awaited: as old were the claims learned from on the first "
                "day, and until so many days after the last an answer counts",
            ),
            _count("n_learned", "claims learned from on the first day"),
            _count("n_tested", "claims of the period, of patients not learned from"),
        ),
    ),
    Table(
        "judged_claims",
        "a claim that a model of some test period learned from or foretold",
        ("claim_id",),
        (
            _identifier("claim_id", "the claim"),
            _PATIENT,
            _date("submitted_date", "day sent", nullable=False),
            _date(
                "answered_date",
                "day of the first determination; day sent where the answer has none",
                nullable=False,
            ),
            _flag("is_approved", "what happened: approved or partially approved"),
            *_PREDICTORS,
        ),
    ),
    Table(
        "predictions",
        "a new patient's claim of a test period x model",
        ("claim_id", "model"),
        (
            _identifier("claim_id", "the claim"),
            _text("model", "which model", *MODELS, nullable=False),
            _number("approval_probability", "chance that the first determination approves"),
            _flag("is_approved", "what happened: approved or partially approved"),
            _date("split_date", "first day of its test period: what was known then predicted it"),
        ),
    ),
    Table(
        "evaluation",
        "a metric of a model in a group of the test periods",
        ("model", "group_kind", "group_value", "metric"),
        (
            _text("model", "which model", *MODELS, nullable=False),
            _text(
                "group_kind", "overall, payer_type, payer, condition or cell_size", nullable=False
            ),
            _identifier(
                "group_value",
                "the group; 'all' for overall; for cell_size how many claims of its insurer and "
                "condition a prediction had learned from",
            ),
            _identifier("metric", "log_loss, brier, auc, calibration_slope, calibration_intercept"),
            _number("value", "null where the group cannot carry it"),
            _number("lower", "95% interval, patients resampled"),
            _number("upper", "95% interval, patients resampled"),
            _count("n_claims", "claims in the group"),
        ),
    ),
)

TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})

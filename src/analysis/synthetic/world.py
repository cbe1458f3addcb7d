"""The made-up world as stated: payers, plans, conditions, documents, effects and frequencies.

Nothing here is drawn. Base rates and lags follow published figures on small physical-medicine
practices; no denial rate of massage claims has been published, so the rest is judgement. All
payers, people and identifiers are invented.
"""

from dataclasses import dataclass
from datetime import date

AS_OF = date(2026, 9, 30)
"""The last day of data, fixed so that the same arguments give the same files on any day."""

DENIAL_TARGET = 0.145
"""Mean denial probability over all claims; one common shift of the intercepts brings it about."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of a payer. `visit_limit_year` None: the plan limits visits by authorization only."""

    id: str
    name: str
    funding: str
    weight: float
    visit_limit_year: int | None = None
    deductible_cents: int = 0
    coinsurance_percent: int = 0
    copay_cents: int = 0


@dataclass(frozen=True, slots=True)
class Payer:
    """A payer: how much of the practice it is, what it asks for, and how its remittances look.

    `authorization_after` is the last visit of an episode that needs no authorization (0: every
    visit needs one), for `authorization_codes` only when these are given. `lag_days` are the
    median and 95th percentile from submission to decision, before waiting for a pay day.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    payer_type: str
    filing_indicator: str
    share: float
    allowed_per_hour_cents: int
    plans: tuple[Plan, ...]
    is_in_network: bool = True
    since: date = date(2023, 1, 1)
    authorization_after: int | None = None
    authorization_codes: tuple[str, ...] = ()
    referral_required: bool = False
    units_per_visit: int = 4
    minutes_per_visit: int | None = None
    visits_per_week: int | None = None
    weeks_per_episode: int | None = None
    timely_filing_days: int = 365
    appeal_days: int = 180
    lag_days: tuple[int, int] = (18, 60)
    pay_weekdays: tuple[int, int] = (1, 3)
    reduction_code: str = "45"
    has_sequestration: bool = False
    pays_interest: bool = False
    gives_allowed: bool = False
    denies_with_status: str = "4"
    splits_denials: bool = False
    echoes_modifiers: bool = True
    echoes_line_control: bool = True
    clearinghouse: str = "northlink"
    remit_source: str = "northlink"


_WA = "commercial_fully_insured_WA"

PAYERS: tuple[Payer, ...] = (
    Payer(
        "00430",
        "Cascadia Mutual",
        ("CASCADIA MUTUAL HEALTH PLAN", "Cascadia Mut. Health", "CASCADIA MUTUAL INC"),
        _WA,
        "CI",
        0.36,
        8_400,
        (
            Plan("0010045", "CASCADIA CHOICE", "insured", 4, 20, 50_000, 20),
            Plan("0010046", "CASCADIA CORE BRONZE", "insured", 2, 12, 150_000, 30),
            Plan("0010090", "CASCADIA LARGE GROUP", "self_funded", 2, 24, 30_000, 0, 2_500),
            Plan("0010112", "CASCADIA FAMILY GOLD", "insured", 1, 30, 0, 0, 3_000),
        ),
        authorization_after=6,
        referral_required=True,
        timely_filing_days=180,
        pays_interest=True,
        gives_allowed=True,
        remit_source="cascadia",
    ),
    Payer(
        "PHC01",
        "Puget Health Cooperative",
        ("PUGET HLTH COOP", "PUGET HEALTH COOPERATIVE"),
        _WA,
        "HM",
        0.14,
        7_600,
        (
            Plan("77001", "PUGET CORE HMO", "insured", 3, 16, 0, 0, 2_000),
            Plan("77002", "PUGET OPTIONS PPO", "insured", 2, 20, 75_000, 20),
        ),
        authorization_after=6,
        timely_filing_days=120,
        pay_weekdays=(2, 4),
        echoes_modifiers=False,
    ),
    Payer(
        "00871",
        "Olympic Shield",
        ("OLYMPIC SHIELD OF WASHINGTON", "Olympic Shld"),
        _WA,
        "BL",
        0.09,
        9_600,
        (
            Plan("000300", "SHIELD SELECT", "insured", 3, 24, 100_000, 20),
            Plan("000301", "SHIELD BASIC", "insured", 2, 12, 200_000, 40),
        ),
        referral_required=True,
        pays_interest=True,
        splits_denials=True,
        gives_allowed=True,
    ),
    Payer(
        "ORCA7",
        "Orca Benefit Administrators",
        ("ORCA BENEFIT ADMIN", "ORCA BENEFIT ADMINISTRATORS (CASCADIA NETWORK)"),
        "self_funded_ERISA",
        "CI",
        0.08,
        7_200,
        (
            Plan("OBA-114", "SALMON BAY SHIPYARDS", "self_funded", 2, 12, 60_000, 20),
            Plan("OBA-207", "HARBOR GROCERS", "self_funded", 1, 20, 40_000, 10),
            Plan("OBA-350", "NORTHERN AIR FREIGHT", "self_funded", 1, 30, 0, 0, 2_500),
        ),
        authorization_after=6,
        timely_filing_days=180,
        denies_with_status="1",
        pay_weekdays=(0, 3),
    ),
    Payer(
        "EPEB1",
        "Evergreen Public Employees Plan",
        ("EVERGREEN PUBLIC EMPLOYEES", "EPEP CLASSIC"),
        "public_employee_UMP_WA",
        "BL",
        0.07,
        8_000,
        (
            Plan("6001", "EVERGREEN CLASSIC", "public", 2, 16, 25_000, 15),
            Plan("6002", "EVERGREEN CDHP", "public", 1, 16, 160_000, 15),
        ),
        authorization_after=6,
        authorization_codes=("97112",),
        referral_required=True,
        gives_allowed=True,
        pay_weekdays=(1, 4),
    ),
    Payer(
        "SIF00",
        "State Industrial Fund",
        ("STATE INDUSTRIAL FUND", "STATE INDUST FUND"),
        "workers_comp_WA_LNI",
        "WC",
        0.07,
        8_800,
        (Plan("SF", "STATE FUND", "public", 1),),
        minutes_per_visit=60,
        visits_per_week=3,
        weeks_per_episode=26,
        authorization_after=6,
        referral_required=True,
        appeal_days=60,
        reduction_code="P12",
        pay_weekdays=(0, 2),
        clearinghouse="harborlink",
        remit_source="statefund",
    ),
    Payer(
        "00960",
        "Veterans Care Network West",
        ("VETERANS CARE NETWORK", "VCN WEST"),
        "va_community_care",
        "VA",
        0.05,
        11_600,
        (Plan("VCN-W", "COMMUNITY CARE", "public", 1),),
        minutes_per_visit=60,
        visits_per_week=2,
        authorization_after=0,
        referral_required=True,
        timely_filing_days=180,
        appeal_days=90,
        gives_allowed=True,
        clearinghouse="harborlink",
        remit_source="statefund",
    ),
    Payer(
        "RAC22",
        "Rainier Auto Casualty",
        ("RAINIER AUTO CAS", "RAINIER AUTO CASUALTY CO"),
        "auto_PIP",
        "AM",
        0.05,
        13_000,
        (Plan("PIP10", "PERSONAL INJURY PROTECTION", "insured", 1),),
        lag_days=(45, 200),
        reduction_code="P23",
        pay_weekdays=(2, 4),
        clearinghouse="harborlink",
        remit_source="statefund",
        echoes_line_control=False,
    ),
    Payer(
        "SNDMA",
        "Sound Advantage",
        ("SOUND ADVANTAGE HMO", "Sound Advantage Medicare"),
        "medicare_advantage",
        "16",
        0.03,
        8_200,
        (
            Plan("H9001-001", "SOUND ADVANTAGE PLUS", "public", 2, 12, 0, 20),
            Plan("H9001-004", "SOUND ADVANTAGE BASIC", "public", 1, 6, 0, 0, 3_500),
        ),
        authorization_after=6,
        referral_required=True,
        appeal_days=65,
        has_sequestration=True,
        gives_allowed=True,
    ),
    Payer(
        "CCHP2",
        "Columbia Community Health Plan",
        ("COLUMBIA COMM HEALTH PLAN", "COLUMBIA CHP"),
        "medicaid_state_plan",
        "MC",
        0.025,
        5_800,
        (Plan("CCHP-A", "APPLE COMMUNITY", "public", 1, 18),),
        visits_per_week=2,
        authorization_after=6,
        referral_required=True,
        appeal_days=60,
        pay_weekdays=(3, 4),
    ),
    Payer(
        "TWHT5",
        "Timberworkers Health Trust",
        ("TIMBERWORKERS TRUST", "TIMBER WORKERS HEALTH TR"),
        "union_trust",
        "CI",
        0.015,
        7_400,
        (Plan("TW-24", "TRUST PLAN 24", "union", 1, 24, 30_000, 20),),
        timely_filing_days=180,
        splits_denials=True,
    ),
    Payer(
        "41010",
        "Prairie National Life",
        ("PRAIRIE NATL LIFE", "PRAIRIE NATIONAL LIFE INS CO"),
        "commercial_fully_insured_other_states",
        "CI",
        0.012,
        9_000,
        (Plan("PN-88", "OPEN CHOICE 88", "insured", 1, 20, 100_000, 40),),
        is_in_network=False,
        referral_required=True,
        timely_filing_days=90,
    ),
    Payer(
        "ISL09",
        "Island Health Plan",
        ("ISLAND HLTH PLAN",),
        _WA,
        "HM",
        0.004,
        7_000,
        (Plan("IHP-1", "ISLAND ESSENTIAL", "insured", 1, 15, 50_000, 20),),
        authorization_after=6,
    ),
    Payer(
        "HMA33",
        "Harbor Mutual Auto",
        ("HARBOR MUTUAL AUTO INS",),
        "auto_PIP",
        "AM",
        0.003,
        14_000,
        (Plan("HM-PIP", "AUTO MEDICAL", "insured", 1),),
        lag_days=(45, 200),
        reduction_code="P23",
        clearinghouse="harborlink",
        remit_source="statefund",
    ),
    Payer(
        "FCC04",
        "Frontier Casualty",
        ("FRONTIER CASUALTY CO",),
        "workers_comp_other",
        "WC",
        0.002,
        9_400,
        (Plan("FC-WC", "EMPLOYER POLICY", "insured", 1),),
        authorization_after=6,
        referral_required=True,
        appeal_days=60,
        reduction_code="P12",
        clearinghouse="harborlink",
    ),
    Payer(
        "00019",
        "Chinook Benefit Trust",
        ("CHINOOK BENEFIT TR",),
        "union_trust",
        "CI",
        0.0015,
        6_800,
        (Plan("CBT", "TRUST STANDARD", "union", 1, 12, 20_000, 20),),
        timely_filing_days=180,
    ),
)

# ---- denial: log-odds ----------------------------------------------------------------------

BASE_DENIAL_RATE = {
    "auto_PIP": 0.18,
    "commercial_fully_insured_WA": 0.12,
    "commercial_fully_insured_other_states": 0.18,
    "medicaid_state_plan": 0.17,
    "medicare_advantage": 0.15,
    "public_employee_UMP_WA": 0.12,
    "self_funded_ERISA": 0.18,
    "union_trust": 0.12,
    "va_community_care": 0.06,
    "workers_comp_WA_LNI": 0.13,
    "workers_comp_other": 0.16,
}
"""Denial rate by payer type whose log-odds are the intercepts, before the common shift."""

PAYER_EFFECT_SD = 0.6
PLAN_EFFECT_SD = 0.3
PATIENT_EFFECT_SD = 0.3

CAUSE_EFFECTS = {
    # A required document that is not there on the day of submission.
    "license": 1.2,
    "prescription": 1.2,
    "dates": 0.5,
    "authorization": 1.6,
    "plan_of_care": 0.6,
    "diagnosis": 0.9,
    "treatment_note": 0.9,
    "minutes": 0.6,
    "initial_eval": 0.5,
    "progress_report": 0.6,
    "functional_goals": 0.2,
    "necessity_rationale": 0.4,
    "benefit_verification": 0.2,
    "aob_consent": 0.4,
    # The state of the claim.
    "authorization_exceeded": 1.3,
    "past_authorization_boundary": 1.1,
    "past_plan_limit": 1.4,
    "out_of_network": 0.9,
    "late": 5.0,
}
"""What each cause adds to the log-odds of a denial (1.1 multiplies the odds by 3, 1.4 by 4)."""

LAG_EFFECT_PER_DAY = 0.01
"""Added to the log-odds for each day from service to submission, up to 60 days."""

# ---- why a claim is denied -----------------------------------------------------------------

CATEGORY_WEIGHTS = {
    "authorization": 20.0,
    "benefit_limit": 16.0,
    "non_covered": 14.0,
    "missing_info": 13.0,
    "coding_bundling": 11.0,
    "documentation": 9.0,
    "medical_necessity": 6.0,
    "referral_rx": 5.0,
    "provider_network": 4.0,
    "timely_filing": 2.0,
    "eligibility": 2.0,
    "cob_other_payer": 2.0,
}
"""The mix of denial reasons before the causes on the claim tilt it."""

CATEGORY_TILTS = {
    "authorization": {
        "authorization": 6.0,
        "authorization_exceeded": 8.0,
        "past_authorization_boundary": 1.5,
    },
    "benefit_limit": {"past_plan_limit": 8.0},
    "non_covered": {"mental_condition": 3.0},
    "missing_info": {"dates": 3.0, "diagnosis": 3.0},
    "coding_bundling": {"diagnosis": 2.0, "several_codes": 1.5},
    "documentation": {
        "plan_of_care": 1.4,
        "minutes": 1.4,
        "progress_report": 1.8,
        "initial_eval": 1.2,
        "treatment_note": 2.0,
    },
    "medical_necessity": {"necessity_rationale": 3.0, "mental_condition": 2.0},
    "referral_rx": {"prescription": 12.0},
    "provider_network": {"out_of_network": 6.0, "license": 10.0},
    "timely_filing": {"late": 500.0},
    "cob_other_payer": {"injury": 2.0},
}
"""How many times likelier a category becomes when the cause is present."""

ABSENT_CAUSE_DAMPING = {
    "authorization": 0.5,
    "benefit_limit": 0.6,
    "documentation": 0.8,
    "referral_rx": 0.5,
    "timely_filing": 0.0,
}
"""The factor on a category whose tilting causes are all absent."""

MIXED_DENIAL_RATE = 0.06
"""Share of denials with several lines whose smallest line is denied for another reason."""

# ---- conditions ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition group, its ICD-10-CM codes by date of service, and its effect on denial."""

    group: str
    codes: tuple[tuple[date, tuple[str, ...]], ...]
    """The codes in force from each date on, newest first."""
    weight: float
    effect: float
    is_injury: bool = False
    is_mental: bool = False


_ALWAYS = date(2015, 10, 1)

CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "low_back_pain",
        ((date(2021, 10, 1), ("M54.50", "M54.51", "M54.59")), (_ALWAYS, ("M54.5",))),
        22,
        -0.1,
    ),
    Condition("neck_pain", ((_ALWAYS, ("M54.2",)),), 18, -0.1),
    Condition("thoracic_pain", ((_ALWAYS, ("M54.6", "S29.012A")),), 6, 0.0),
    Condition("sciatica", ((_ALWAYS, ("M54.31", "M54.32", "M54.41")),), 6, 0.0),
    Condition("headache_tension", ((_ALWAYS, ("G44.209", "G44.219")),), 7, 0.15),
    Condition("headache_migraine", ((_ALWAYS, ("G43.709", "G43.909")),), 4, 0.3),
    Condition("myalgia_myofascial", ((date(2018, 10, 1), ("M79.18", "M79.12")),), 9, 0.1),
    Condition("fibromyalgia", ((_ALWAYS, ("M79.7",)),), 5, 0.4),
    Condition("shoulder_pain", ((_ALWAYS, ("M25.511", "M25.512")),), 7, 0.0),
    Condition("muscle_spasm_contracture", ((_ALWAYS, ("M62.830", "M62.838")),), 4, 0.1),
    Condition("plantar_fasciitis", ((_ALWAYS, ("M72.2",)),), 2, 0.2),
    Condition("postop_orthopedic", ((_ALWAYS, ("Z47.1", "Z47.89")),), 3, -0.2),
    Condition("carpal_tunnel", ((_ALWAYS, ("G56.01", "G56.02")),), 2, 0.1),
    Condition(
        "multiple_sclerosis",
        ((date(2025, 10, 1), ("G35.A", "G35.C1", "G35.D")), (_ALWAYS, ("G35",))),
        1.5,
        0.2,
    ),
    Condition("anxiety", ((_ALWAYS, ("F41.1", "F41.9")),), 2, 0.9, is_mental=True),
    Condition("stress_ptsd", ((_ALWAYS, ("F43.10", "F43.12")),), 1.5, 0.8, is_mental=True),
    Condition("stress_wellness_z", ((_ALWAYS, ("Z73.3",)),), 0.5, 1.8, is_mental=True),
    Condition(
        "whiplash_neck_injury", ((_ALWAYS, ("S13.4XXA", "S16.1XXA")),), 2, 0.0, is_injury=True
    ),
    Condition(
        "low_back_strain_sprain", ((_ALWAYS, ("S33.5XXA", "S39.012A")),), 2, -0.1, is_injury=True
    ),
    Condition("shoulder_soft_tissue", ((_ALWAYS, ("M75.41", "S43.421A")),), 1, 0.0, is_injury=True),
)

INJURY_SHARE = {"auto_PIP": 0.85, "workers_comp_WA_LNI": 0.8, "workers_comp_other": 0.8}
"""Share of episodes that treat an injury, at the payers that insure accidents."""

# ---- documents -----------------------------------------------------------------------------

_INSURED = frozenset(BASE_DENIAL_RATE)
_AUTO_WORK = frozenset({"auto_PIP", "workers_comp_WA_LNI", "workers_comp_other"})
_FEDERAL = frozenset({"va_community_care", "medicare_advantage"})
_COMMERCIAL = frozenset(
    {
        "commercial_fully_insured_WA",
        "commercial_fully_insured_other_states",
        "public_employee_UMP_WA",
        "self_funded_ERISA",
    }
)


@dataclass(frozen=True, slots=True)
class Document:
    """A documentation item: who requires it from which visit, and how often it is missing.

    `drawn_per`: an item is there or not for a whole episode, a block of six visits, or a visit.
    `is_dated`: the practice writes the day since when it exists, else only yes or no.
    `unknown_rate`: how often nobody wrote the answer down. `prescription` and `authorization`
    are required where the payer says so, whatever `payer_types` holds.
    """

    name: str
    payer_types: frozenset[str]
    from_visit: int
    missing_rate: float
    drawn_per: str
    is_dated: bool
    unknown_rate: float = 0.03


DOCUMENTS: tuple[Document, ...] = (
    Document("license", _INSURED, 1, 0.005, "episode", False, 0.01),
    Document("prescription", frozenset(), 1, 0.09, "episode", True),
    Document("dates", _AUTO_WORK | _FEDERAL, 1, 0.07, "episode", False),
    Document("authorization", frozenset(), 1, 0.18, "block", True),
    Document("plan_of_care", _INSURED - {"union_trust"}, 1, 0.22, "episode", True),
    Document("diagnosis", _INSURED, 1, 0.05, "episode", False, 0.02),
    Document("treatment_note", _INSURED, 1, 0.04, "visit", False, 0.02),
    Document("minutes", _INSURED, 1, 0.15, "visit", False),
    Document("initial_eval", _COMMERCIAL | _AUTO_WORK | _FEDERAL, 1, 0.14, "episode", True),
    Document("progress_report", _COMMERCIAL | _AUTO_WORK | _FEDERAL, 7, 0.28, "block", True),
    Document("functional_goals", _INSURED, 1, 0.18, "episode", False, 0.10),
    Document("necessity_rationale", _INSURED, 13, 0.30, "block", True, 0.08),
    Document("lmn", frozenset(), 1, 0.85, "episode", True),
    Document("prior_treatment", frozenset(), 1, 0.60, "episode", False, 0.12),
    Document("benefit_verification", _INSURED, 1, 0.20, "episode", True),
    Document(
        "aob_consent",
        frozenset({"auto_PIP", "commercial_fully_insured_other_states"}),
        1,
        0.06,
        "episode",
        True,
    ),
    Document("imaging_tests", frozenset(), 1, 0.80, "episode", False, 0.06),
    Document("discharge", frozenset(), 1, 0.90, "visit", False),
    Document("timely_proof", frozenset(), 1, 0.10, "visit", True, 0.05),
)

THERAPIST_UNTIDINESS = (0.6, 1.0, 1.5)
"""The practice's three therapists: the factor on the missing rates of their episodes."""

AUTHORIZATION_DENIED_RATE = 0.3
"""Among episodes without an authorization, the share that asked and was refused."""
AUTHORIZATION_VISITS = (3, 4, 6, 6, 12)
AUTHORIZATION_RENEWED_RATE = 0.65

TIMED_CODES = frozenset({"97124", "97140", "97112"})
MINUTES_FROM_UNITS = (-4, 3)
"""How far the minutes of a code lie from 15 for each unit, at least and at most."""
MINUTES_UNWRITTEN_RATE = 0.08
MINUTES_IN_TOTAL_RATE = 0.2
"""Share of visits whose minutes nobody wrote down, or for all codes together only."""

PRESCRIPTION_VISITS = (8, 10, 12, 12, 16)
PRESCRIPTION_WEEKS = (8, 12, 12, 26)
"""How many visits a prescription orders, and for how many weeks it holds."""
PRESCRIPTION_RENEWED_RATE = 0.7

# ---- what happens to a claim ---------------------------------------------------------------

DEDUCTIBLE_LEFT_PERCENT = (0, 0, 0, 0, 10, 25, 50, 100)
"""How much of a year's deductible is left when the patient first comes: other care met the rest."""

INTERRUPTION_RATES = {
    "unanswered": 0.012,
    "rejected": 0.016,
    "duplicate": 0.012,
    "voided_before_answer": 0.006,
    "pended": 0.010,
}
"""Share of claims whose first answer is held up, whatever it will be."""

AUTO_PENDED_RATE = 0.10
"""`pended` at auto insurers, who investigate before they pay."""

REJECTED_RESENT_RATE = 0.7

APPROVAL_RATES = {
    "recouped": 0.030,
    "reversed_open": 0.006,
    "voided_after_answer": 0.008,
    "voided_resubmitted": 0.010,
    "split_payment": 0.020,
    "partial_bundled": 0.050,
    "partial_units_cut": 0.015,
    "recoded": 0.010,
}
"""Share of approved claims whose story goes on, or that are cut; the rest is simply paid."""

RECOUPMENT_MODES = {"netted": 0.45, "withheld": 0.35, "returned": 0.20}
"""How the money goes back: out of the same deposit, out of a later one, or by the practice."""

DENIAL_RESPONSES = {
    "correctable": {"not_worked": 0.35, "corrected": 0.50, "appealed": 0.15},
    "appealable": {"not_worked": 0.40, "corrected": 0.12, "appealed": 0.48},
    "settled": {"not_worked": 0.82, "corrected": 0.03, "appealed": 0.15},
}
"""What the practice does about a denial, by kind of category."""

CATEGORY_KIND = {
    "missing_info": "correctable",
    "coding_bundling": "correctable",
    "documentation": "appealable",
    "authorization": "appealable",
    "medical_necessity": "appealable",
    "referral_rx": "appealable",
    "provider_network": "appealable",
    "timely_filing": "appealable",
    "benefit_limit": "settled",
    "non_covered": "settled",
    "eligibility": "settled",
    "cob_other_payer": "settled",
}

CORRECTED_APPROVED_RATE = 0.75
OVERTURNED_RATE = 0.50
OVERTURNED_RATE_ASSISTED = 0.62
PARTLY_OVERTURNED_RATE = 0.15
"""Among overturned appeals of several units, the share that wins only some of them."""
ASSISTED_BY = {"nobody": 0.70, "advocate": 0.22, "lawyer": 0.08}
APPEAL_RECORD_SLIPS = {"right": 0.86, "never_updated": 0.05, "unrecorded": 0.05, "wrong": 0.04}
"""How the practice keeps its record of a decided appeal; wrong: won by its record and lost by the
insurer's answer, or the other way round."""

SECONDARY_COVER_RATE = 0.07
"""Share of commercial patients with a second insurer."""
CROSSOVER_RATE = 0.4
"""Share of their claims the first insurer forwards itself (CLP02 19)."""

CLAIM_LEVEL_ONLY_RATE = 0.03
"""Share of answers that carry no service lines."""

LATE_RATE = 0.008
"""Share of claims sent after the payer's filing limit (limits up to 180 days)."""

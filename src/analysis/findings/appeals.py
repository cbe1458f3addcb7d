"""How appeals ended: what the insurers' answers tell, beside what the practice wrote down."""

import pandas as pd

from analysis.findings import population, rates
from analysis.findings.finding import Finding, Numbers, Question
from analysis.findings.outcomes import stated_rate

WON = ("overturned", "partial")
DECIDED = (*WON, "upheld", "dismissed")
AGREEMENTS = {
    "agree": "record and answer agree",
    "disagree": "the record says one thing, the insurer's answer another",
    "not_updated": "answered, and the record still says pending",
    "recorded_only": "in the record; no answer speaks of it",
    "not_recorded": "the answer alone tells of it",
    "open": "no result yet",
}
DIFFERING = ("disagree", "not_updated")
RESULTS = {
    "overturned": "won",
    "partial": "won in part",
    "upheld": "lost",
    "dismissed": "not heard",
    "pending": "pending",
    "withdrawn": "withdrawn",
}
ASSISTED = {"nobody": "nobody", "advocate": "an advocate", "lawyer": "a lawyer"}
_DEFINITION = (
    "won: the insurer's answer allows more than before, in full or in part; where no answer speaks"
    " of the appeal, what the practice wrote down; by the last appeal of each claim"
)
RESULT = Question(
    id="appeals.result",
    question="How often is an appeal won?",
    unit="claim",
    definition=_DEFINITION,
    method="share of claims whose appeal was decided, 95% interval with claims of one patient kept"
    " together",
    caveats=(
        "claims that were appealed differ from those that were not: nothing here says how an appeal"
        " of another claim would end",
    ),
)
FOLLOWED = Question(
    id="appeals.followed",
    question="How many denials are appealed?",
    unit="claim",
    definition=f"denied at the first answer; {_DEFINITION}",
    method="count of all claims, so no interval",
)
CHECKED = Question(
    id="appeals.checked",
    question="Do the record of appeals and the insurers' answers agree?",
    unit="appeal",
    definition="each level of appeal once, by what the practice wrote down and by what the"
    " remittances say",
    method="count of all appeals",
)


def by_claim(appeal_outcomes: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """The last appeal of each matured claim up to `month` denied at first, with claim columns.

    Adds is_decided and is_approved (won in full or in part). The claims are those the reasons for
    denials are counted over, so that every step from denial to win counts the same ones.
    """
    last = appeal_outcomes.sort_values(["claim_id", "appeal_number", "appeal_outcome_id"])
    last = last.drop_duplicates("claim_id", keep="last")
    claims = population.denied(population.matured(outcomes, month))
    table = last.merge(claims[["claim_id", "patient_id", "payer_id"]], on="claim_id")
    return table.assign(
        is_decided=table["outcome"].isin(DECIDED), is_approved=table["outcome"].isin(WON)
    )


def result(
    appealed: pd.DataFrame, outcomes: pd.DataFrame, month: str, minimum_cell_size: int = 11
) -> Finding:
    """The share of decided appeals that were won, and what they brought."""
    decided = appealed[appealed["is_decided"]]
    return stated_rate(
        RESULT,
        "Of {denominator:n denied claim} whose appeal was decided, {estimate:percent} were won in"
        " full or in part ({lower:whole} to {upper:whole}); insurers then allowed {won:dollars}"
        " more.",
        population.scope(population.matured(outcomes, month), outcomes),
        rates.overall(decided),
        minimum_cell_size,
        {"won": int(decided["won_cents"].fillna(0).sum())},
    )


def followed(appealed: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> Finding:
    """From denials to wins, every step counted in claims."""
    claims = population.matured(outcomes, month)
    denied = population.denied(claims)
    scope = population.scope(claims, outcomes)
    if appealed.empty:
        return FOLLOWED.answer(
            "Of {denominator:n claim} denied at the first answer none is known to have been"
            " appealed.",
            scope,
            Numbers(denominator=len(denied)),
        )
    return FOLLOWED.answer(
        "Of {denominator:n claim} denied at the first answer, {numerator:count} were appealed;"
        " {decided:count} of those appeals were decided, {won:count} of them won in full or in"
        " part.",
        scope,
        Numbers(numerator=len(appealed), denominator=len(denied)),
        {
            "decided": int(appealed["is_decided"].sum()),
            "won": int(appealed["is_approved"].sum()),
        },
    )


def by_assistance(appealed: pd.DataFrame, minimum_cell_size: int = 11) -> pd.DataFrame:
    """Decided appeals by who helped: helper, n, n_approved, estimate, lower, upper, refusal."""
    decided = appealed[appealed["is_decided"]]
    table = rates.judged(rates.rates(decided, ["assisted_by"]), minimum_cell_size)
    table["helper"] = population.in_words(table["assisted_by"], ASSISTED)
    return population.largest_first(table, ["helper"])


def agreement(appeal_outcomes: pd.DataFrame) -> pd.DataFrame:
    """Each appeal by whether record and answer agree: told, n; in the order of AGREEMENTS."""
    counts = appeal_outcomes["agreement"].value_counts()
    rows = [(words, int(counts[name])) for name, words in AGREEMENTS.items() if name in counts]
    return pd.DataFrame(rows, columns=["told", "n"])


def differences(appeal_outcomes: pd.DataFrame) -> pd.DataFrame:
    """Appeals whose record and answer differ: recorded, answered (in words), n, won_cents.

    won_cents is what the insurers' answers allowed beyond what was before.
    """
    differing = appeal_outcomes[appeal_outcomes["agreement"].isin(DIFFERING)]
    worded = pd.DataFrame(
        {
            "recorded": population.in_words(differing["recorded_outcome"], RESULTS),
            "answered": population.in_words(differing["remittance_outcome"], RESULTS),
            "won_cents": differing["won_cents"].fillna(0).astype("int64"),
        }
    )
    table = worded.groupby(["recorded", "answered"], as_index=False).agg(
        n=("won_cents", "size"), won_cents=("won_cents", "sum")
    )
    return population.largest_first(table, ["recorded", "answered"])


def checked(appeal_outcomes: pd.DataFrame, outcomes: pd.DataFrame, month: str) -> Finding:
    """On how many appeals the practice's record and the insurer's answer differ."""
    differing = appeal_outcomes["agreement"].isin(DIFFERING)
    template = (
        "On {numerator:count} of {denominator:n appeal} the practice's record and the insurer's"
        " answer differ; the answer counts."
        if len(appeal_outcomes)
        else "No appeal was written down, and no answer speaks of one."
    )
    return CHECKED.answer(
        template,
        population.scope(population.through(outcomes, month), outcomes),
        Numbers(numerator=int(differing.sum()), denominator=len(appeal_outcomes)),
    )

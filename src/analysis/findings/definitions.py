"""The same matured claims counted as others count denials, side by side.

One definition is this project's own (allowed above nothing, first final answer). The others are how
widely read reports count: a rate may be compared only with one counted the same way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from analysis.findings import population, rates
from analysis.findings.finding import Finding, Question, written


@dataclass(frozen=True)
class Claims:
    """What definitions count: matured claims and what hangs on them, as frames of their tables."""

    claims: pd.DataFrame
    lines: pd.DataFrame
    answers: pd.DataFrame
    """Remittances of the first insurer, with claim_id and patient_id."""


@dataclass(frozen=True)
class Definition:
    """One way to count: `counted` gives the rows of the denominator with `is_approved`."""

    label: str
    unit: str
    source: str
    counted: Callable[[Claims], pd.DataFrame]


def _first(of: Claims) -> pd.DataFrame:
    return population.answered(of.claims)


def _final(of: Claims) -> pd.DataFrame:
    return population.answered(of.claims, "final")


def _paid(of: Claims) -> pd.DataFrame:
    final = _final(of)
    return final.assign(is_approved=final["paid_cents"] > 0)


def _kff(of: Claims) -> pd.DataFrame:
    # Insurers report what they received: no claim stopped before it reached them, and none voided.
    received = of.claims[~of.claims["first_determination"].isin(["rejected", "voided"])]
    in_network = received[received["network_status"] == "in"]
    return in_network.assign(is_approved=in_network["first_determination"] != "denied")


def _hfma(of: Claims) -> pd.DataFrame:
    sent = of.claims[of.claims["submitted_date"].notna()]
    return sent.assign(is_approved=sent["first_determination"] != "denied")


def _zero_paid(of: Claims) -> pd.DataFrame:
    return of.answers.assign(is_approved=of.answers["paid_cents"] != 0)


def _clean(of: Claims) -> pd.DataFrame:
    first = _first(of)
    untouched = ~(first["is_corrected"] | first["is_reversed"]).astype(bool)
    return first.assign(is_approved=(first["first_determination"] == "approved") & untouched)


def _lines(of: Claims) -> pd.DataFrame:
    return population.answered(of.lines)


def _episodes(of: Claims, which: population.Which = "first") -> pd.DataFrame:
    answers = population.answered(of.claims, which).dropna(subset="episode_id")
    every = answers.groupby("episode_id").agg(
        is_approved=("is_approved", "all"), patient_id=("patient_id", "first"),
        claim_id=("claim_id", "first"), payer_id=("payer_id", "first"),
        charge_cents=("charge_cents", "sum"),
    )  # fmt: skip
    return every.reset_index()


DEFINITIONS: Mapping[str, Definition] = {
    "allowed": Definition(
        "nothing allowed at the first answer (used here)",
        "claim",
        "this project; X12 835 balancing: allowed is paid, patient's part and general cuts",
        _first,
    ),
    "allowed_final": Definition(
        "nothing allowed at the latest answer", "claim", "this project", _final
    ),
    "paid": Definition(
        "nothing paid at the latest answer",
        "claim",
        "studies of paid claims; a claim that meets a deductible counts as refused",
        _paid,
    ),
    "kff": Definition(
        "as KFF counts insurers' reports",
        "claim",
        "KFF, Claims Denials in Marketplace Plans: denied of received, in network; the unanswered"
        " stay in the denominator",
        _kff,
    ),
    "hfma": Definition(
        "as HFMA counts initial denials",
        "claim",
        "HFMA Claim Integrity Task Force 2020: initially denied of submitted; the unanswered and"
        " rejected stay in the denominator",
        _hfma,
    ),
    "zero_paid": Definition(
        "as HFMA counts zero-paid remittances",
        "remittance",
        "HFMA Claim Integrity Task Force 2020: remittances of the first insurer that pay nothing;"
        " every remittance counts, also a second one for the same claim",
        _zero_paid,
    ),
    "clean": Definition(
        "not approved in full at once, or corrected or taken back",
        "claim",
        "MGMA first-pass resolution, turned round",
        _clean,
    ),
    "lines": Definition(
        "service lines with nothing allowed at the first answer", "line", "this project", _lines
    ),
    "episodes": Definition(
        "treatments with a claim denied at the first answer",
        "episode",
        "this project: a patient's claims for one condition without a gap of 90 days",
        _episodes,
    ),
}  # fmt: skip
CHOSEN = Question(
    id="outcomes.denied_as_chosen",
    question="How often is a claim denied, counted as chosen?",
    unit="claim",
    definition="",
    method="share of all, 95% interval with claims of one patient kept together",
    caveats=("compare a rate only with one counted the same way",),
)


def claims_to_count(
    outcomes: pd.DataFrame,
    line_outcomes: pd.DataFrame,
    remittances: pd.DataFrame,
    claim_lineage: pd.DataFrame,
    payers: pd.DataFrame,
    month: str,
) -> Claims:
    """The matured claims up to `month` with their lines, remittances and network status."""
    claims = population.matured(outcomes, month)
    claims = claims.merge(payers[["payer_id", "network_status"]], on="payer_id", how="left")
    known = claims[["claim_id", "patient_id", "payer_id"]]
    placed = claim_lineage.loc[claim_lineage["record"] == "remittance", ["record_id", "claim_id"]]
    answers = remittances.merge(placed, left_on="remittance_id", right_on="record_id")
    # Reversals, forecasts and the answers of later insurers are no remittance of the first.
    others = answers["claim_status_code"].isin(["2", "3", "20", "21", "22", "23", "25"])
    answers = answers[~others].drop(columns=["patient_id", "payer_id"]).merge(known, on="claim_id")
    return Claims(claims, line_outcomes.merge(known, on="claim_id"), answers)


def side_by_side(of: Claims) -> pd.DataFrame:
    """Denials by definition: name, definition, unit, numerator, n, estimate, lower, upper,
    denied_cents, charge_cents, source.

    Shares are of denials; cents are the charges of what is denied, and of what is counted. Where
    nothing is counted the share is null.
    """
    rows = []
    for name, definition in DEFINITIONS.items():
        counted = definition.counted(of)
        numbers = _denied(counted).numbers
        charges = counted["charge_cents"]
        denied = int(charges[~counted["is_approved"].astype(bool)].sum())
        rows.append((name, definition.label, definition.unit, numbers.numerator,
                     numbers.denominator, numbers.estimate, numbers.lower, numbers.upper,
                     denied, int(charges.sum()), definition.source))  # fmt: skip
    columns = ["name", "definition", "unit", "numerator", "n", "estimate", "lower", "upper"]
    columns += ["denied_cents", "charge_cents", "source"]
    return pd.DataFrame(rows, columns=columns).astype({"estimate": float})


def levels(of: Claims) -> pd.DataFrame:
    """Approval (this project's) at four levels, at the first answer and in the end.

    Columns: level, of (the denominator in words), estimate, lower, upper. A treatment is approved
    when every answered claim of it was. Of dollars, the charges of approved lines count, also where
    units were cut.
    """
    rows = []
    sides: tuple[tuple[population.Which, str], ...] = (("first", "first"), ("final", "in the end"))
    for which, words in sides:
        lines = population.answered(of.lines, which)
        claims = population.answered(of.claims, which)
        for level, unit, rate in (
            ("service lines", "n line", rates.overall(lines)),
            ("claims", "n claim", rates.overall(claims)),
            ("treatments without a denial", "n treatment", rates.overall(_episodes(of, which))),
            ("dollars charged", "dollars", rates.of_dollars(lines)),
        ):
            told, counted = rate.numbers, written(rate.denominator, unit)
            rows.append((f"{level}, {words}", counted, told.estimate, told.lower, told.upper))
    columns = ["level", "of", "estimate", "lower", "upper"]
    return pd.DataFrame(rows, columns=columns).astype({"estimate": float})


def chosen(of: Claims, outcomes: pd.DataFrame, name: str, minimum_cell_size: int = 11) -> Finding:
    """The denial rate under the definition `name`, one of DEFINITIONS."""
    definition = DEFINITIONS[name]
    rate = _denied(definition.counted(of))
    question = replace(
        CHOSEN, unit=definition.unit, definition=f"{definition.label}; {definition.source}"
    )
    template = (
        "Denied, counted as “{label}”: {estimate:percent} ({lower:whole} to {upper:whole},"
        f" {{denominator:n {definition.unit}}}, {{period}})."
        if not rate.refusal(minimum_cell_size)
        else f"Too few or too uncertain to state, counted as “{{label}}”:"
        f" {{denominator:n {definition.unit}}}."
    )
    return question.answer(
        template, population.scope(of.claims, outcomes), rate.numbers, {"label": definition.label}
    )


def _denied(counted: pd.DataFrame) -> rates.Rate:
    return rates.overall(counted.assign(is_approved=~counted["is_approved"].astype(bool)))

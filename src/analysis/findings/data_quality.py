"""What arrived, what was set aside, and whether the money adds up."""

from datetime import date

import pandas as pd

from analysis import codes
from analysis.findings import population
from analysis.findings.finding import Finding, Numbers, Question, Scope, written
from analysis.schemas import DISPOSITIONS

RECORDS = {
    "file": "files as a whole: empty, unreadable, or an export's header",
    "interchange": "interchanges without a claim or answer",
    "CLM": "claims sent (CLM)",
    "CLP": "answers from insurers (CLP)",
    "status": "receipts for claims sent (STC, AK5)",
    "row": "rows of the practice's own records",
}
ACCOUNTED = Question(
    id="data_quality.accounted",
    question="Was everything read?",
    unit="record",
    definition="a record is a claim, an answer, a receipt, a row, or a file as a whole",
    method="count of the row ledger",
)
MONEY = Question(
    id="data_quality.money",
    question="Does the money add up?",
    unit="payment",
    definition="deposit (BPR) = paid over claims (CLP) - adjustments outside claims (PLB)",
    method="exact, in cents",
)
BALANCED = Question(
    id="data_quality.balanced",
    question="Do the files agree with themselves and with one another?",
    unit="check",
    definition=(
        "every sum, count and number a file states is held against what it holds, and every answer"
        " against the claim sent; what does not agree is kept as it is and marked"
    ),
    method="exact, in cents",
)
MATCHED = Question(
    id="data_quality.matched",
    question="Do answers find their claims?",
    unit="answer",
    definition="matched by control number or by the insurer's own number",
    method="count of all answers",
)


def scope(as_of: date) -> Scope:
    """What findings about the input speak about: every file, whatever its month."""
    return Scope("all files of this practice", "all months", as_of)


def accounted(row_ledger: pd.DataFrame, as_of: date) -> Finding:
    """Every record read is kept, a repeat, no visit, or set aside with a reason."""
    counts = row_ledger["disposition"].value_counts()
    kept, aside, repeated, skipped = (int(counts.get(name, 0)) for name in DISPOSITIONS)
    return ACCOUNTED.answer(
        "{files:n file} gave {denominator:n record}: {numerator:count} kept, {repeated:count}"
        " already known from another file, {skipped:count} telling of no visit, {aside:count} set"
        " aside with a reason.",
        scope(as_of),
        Numbers(numerator=kept, denominator=len(row_ledger)),
        {
            "files": len(row_ledger[["file_hash", "file_name"]].drop_duplicates()),
            "repeated": repeated,
            "skipped": skipped,
            "aside": aside,
        },
    )


def by_kind(row_ledger: pd.DataFrame) -> pd.DataFrame:
    """Records by kind: kind, accepted, quarantined, duplicate, skipped, n."""
    table = pd.crosstab(row_ledger["record"], row_ledger["disposition"])
    table = table.reindex(index=[kind for kind in RECORDS if kind in table.index])
    table = table.reindex(columns=list(DISPOSITIONS), fill_value=0)
    table = table.assign(n=table.sum(axis=1)).rename(index=RECORDS)
    return table.rename_axis(index="kind", columns=None).reset_index()


def set_aside(row_ledger: pd.DataFrame) -> pd.DataFrame:
    """What was set aside: file_name, reason (with what to do next), n."""
    table = _counted(row_ledger, "quarantined", ["file_name", "reason"])
    # Each reason names its file, for those who read it alone; here the file stands beside it.
    reasons = [
        reason.replace(f"{name}, ", "").removeprefix(f"{name}: ")
        for name, reason in zip(table["file_name"], table["reason"], strict=True)
    ]
    return table.assign(reason=pd.Series(reasons, index=table.index, dtype="str"))


def duplicates(row_ledger: pd.DataFrame) -> pd.DataFrame:
    """What came twice: file_name, duplicate_of (the file that was kept), n."""
    return _counted(row_ledger, "duplicate", ["file_name", "duplicate_of"])


def balances(
    payments: pd.DataFrame, remittances: pd.DataFrame, provider_adjustments: pd.DataFrame
) -> pd.DataFrame:
    """Each deposit beside what its claims and adjustments say; all in cents.

    Columns: payment_date, payer_name, deposit_cents, claims_cents, adjustments_cents,
    difference_cents (deposit minus claims plus adjustments; 0 when it adds up).
    """
    table = payments.set_index("payment_id")
    claims = remittances.groupby("payment_id")["paid_cents"].sum()
    adjusted = provider_adjustments.groupby("payment_id")["amount_cents"].sum()
    table["claims_cents"] = claims.reindex(table.index).fillna(0).astype("int64")
    table["adjustments_cents"] = adjusted.reindex(table.index).fillna(0).astype("int64")
    table["difference_cents"] = (
        table["deposit_cents"] - table["claims_cents"] + table["adjustments_cents"]
    )
    columns = ["deposit_cents", "claims_cents", "adjustments_cents", "difference_cents"]
    ordered = table.reset_index().sort_values(["payment_date", "payment_id"])
    return ordered[["payment_date", "payer_name", *columns]].reset_index(drop=True)


def money(balance: pd.DataFrame, row_ledger: pd.DataFrame, as_of: date) -> Finding:
    """Whether every deposit equals what its claims and adjustments say; one unread is unknown.

    Where answers were set aside (`row_ledger`), they may be what is missing from a deposit.
    """
    told = balance.dropna(subset="difference_cents")
    off = told["difference_cents"] != 0
    is_aside = row_ledger["disposition"] == "quarantined"
    aside = int((is_aside & (row_ledger["record"] == "CLP")).sum())
    template = (
        "The money adds up: all {denominator:n payment} equal their claims less adjustments,"
        " {deposited:dollars} deposited in all."
        if not off.any()
        else "Not equal to their claims less adjustments: {off:n payment} of {denominator:count},"
        " by {difference:dollars} in all; "
        + (
            "{aside:n answer} set aside may be what is missing: mend that first, as the table"
            " above says, then ask the insurer for what is still missing."
            if aside
            else "ask the insurer for the missing pages."
        )
    )
    unread = len(balance) - len(told)
    if not len(told):
        template = "No payment was found, so there is no money to check."
    if unread:
        template = template if len(told) else ""
        template += " Without a legible deposit, so not checked: {unread:n payment}."
    return MONEY.answer(
        template.strip(),
        scope(as_of),
        Numbers(numerator=int((~off).sum()), denominator=len(told)),
        {
            "off": int(off.sum()),
            "deposited": int(told["deposit_cents"].sum()),
            "difference": int(told["difference_cents"].abs().sum()),
            "unread": unread,
            "aside": aside,
        },
    )


def balanced(checks: pd.DataFrame, as_of: date) -> Finding:
    """How many of the checks made on the files do not hold. `checks` is the table of that name."""
    n_made, n_holding = int(checks["n_checked"].sum()), int(checks["n_holding"].sum())
    template = (
        "All {denominator:n check} of counts, sums and answers hold."
        if n_made == n_holding
        else "{off:count} of {denominator:n check} of counts, sums and answers do not hold, of"
        " {kinds:n kind}. What they are about is kept and counted as it came."
    )
    kinds = int((checks["n_holding"] < checks["n_checked"]).sum())
    return BALANCED.answer(
        template if n_made else "Nothing was there to be checked.",
        scope(as_of),
        Numbers(numerator=n_holding, denominator=n_made),
        {"off": n_made - n_holding, "kinds": kinds},
    )


def by_check(checks: pd.DataFrame) -> pd.DataFrame:
    """The checks that some records do not pass: what, n_off, n_checked, n_unknown, what_next."""
    made = checks.assign(n_off=checks["n_checked"] - checks["n_holding"])
    made = made[made["n_off"] > 0]
    made["what"] = population.in_words(made["check_name"], codes.labels("checks"))
    made["what_next"] = made["check_name"].map(
        {row["check_name"]: row["what_next"] for row in codes.rows("checks")}
    )
    order = made.sort_values("n_off", ascending=False, kind="stable")
    return order[["what", "n_off", "n_checked", "n_unknown", "what_next"]].reset_index(drop=True)


def off(imbalances: pd.DataFrame) -> pd.DataFrame:
    """What does not agree, and where: what, place, expected, found, difference_cents.

    `imbalances` is the table of that name. Money as dollars; the largest difference first.
    """
    table = imbalances.copy()
    table["what"] = population.in_words(table["check_name"], codes.labels("checks"))
    for side in ("expected", "found"):
        cents = table[f"{side}_cents"]
        table[side] = [
            text if pd.isna(value) else written(int(value), "cents")
            for text, value in zip(table[side], cents, strict=True)
        ]
    table["size"] = table["difference_cents"].abs().fillna(0)
    order = ["size", "file_name", "segment", "check_name", "record_id"]
    table = table.sort_values(order, ascending=[False, True, True, True, True])
    segment = (", segment " + table["segment"].astype("str")).where(table["segment"].notna(), "")
    table["place"] = table["file_name"] + segment  # an export has rows, no segments
    columns = ["what", "place", "expected", "found", "difference_cents"]
    return table[columns].reset_index(drop=True)


def matched(claim_lineage: pd.DataFrame, as_of: date) -> Finding:
    """How many of the insurers' answers found the claim they answer."""
    answers = claim_lineage[claim_lineage["record"] == "remittance"]
    found = answers["match_kind"] != "remittance_only"
    template = (
        "{estimate:percent} of {denominator:n answer} found the claim they answer; without their"
        " claim's file: {alone:count}; fitting more than one claim: {doubtful:count}."
        if len(answers)
        else "No insurer's answer was found."
    )
    return MATCHED.answer(
        template,
        scope(as_of),
        Numbers(
            estimate=float(found.mean()) if len(answers) else None,
            numerator=int(found.sum()),
            denominator=len(answers),
        ),
        {
            "alone": int((~found).sum()),
            "doubtful": int(answers["is_doubtful"].astype(bool).sum()),
        },
    )


def unknowns(outcomes: pd.DataFrame, month: str) -> pd.DataFrame:
    """What nobody told us about the claims up to `month`: what, n_unknown, n."""
    claims = population.through(outcomes, month)
    missing = {
        "insurer": claims["payer_id"].isna(),
        "kind of insurance": claims["payer_type"] == "unknown",
        "plan": claims["plan_id"].isna(),
        "patient": claims["patient_id"].isna(),
        "condition": claims["condition_group"] == "unknown",
        "day of submission": claims["submitted_date"].isna(),
    }
    rows = [(what, int(is_missing.sum()), len(claims)) for what, is_missing in missing.items()]
    return pd.DataFrame(rows, columns=["what", "n_unknown", "n"])


def _counted(row_ledger: pd.DataFrame, disposition: str, columns: list[str]) -> pd.DataFrame:
    rows = row_ledger[row_ledger["disposition"] == disposition]
    counts = rows.groupby(columns, dropna=False).size().rename("n").reset_index()
    return population.largest_first(counts, columns)

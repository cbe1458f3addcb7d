"""Which documents go with approval, all else that is recorded alike: an association, no effect.

The first road is g-computation: the approval model's chances of the same claims, once all with and
once all without the document, averaged over joint draws of its posterior. The second is doubly
robust. How strong a cause nobody recorded would have to be stands beside both.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import codes
from analysis.findings import documentation, population, rates, sensitivity
from analysis.findings.finding import Finding, Numbers, Question, Scope, Value, written
from analysis.models.advice import CONDITION, PESSIMISTIC, WORTHWHILE, as_if
from analysis.models.predictors import DOCUMENTS, predictors

if TYPE_CHECKING:
    from analysis.models.doubly_robust import SecondOpinion
    from analysis.models.mixed_effects import MixedEffectsLogisticRegression

MORE, LESS = "more approval with it", "less approval with it"
NOT_SHOWN = "no difference shown"
CANNOT = "the data cannot carry this"
COMPLETE, NO_ADVICE = f"complete it, {CONDITION}", "none"
WIDEST_CHECK = 0.6
AGREES, DIFFERS, NO_CHECK = "agrees", "differs", "cannot be made"
N_DRAWS = 200
_CAVEATS = (
    "among submitted claims: what was never sent is not seen",
    "difficult cases may be documented otherwise, and what no file records is not held alike",
    "a document not known to be there or not is left out, never taken for absent",
)
_MUST_NOT = (
    "must not be read as the effect of adding a document, nor generalised to other practices"
)
DOCUMENT = Question(
    id="associations.document",
    question="Which document goes most with approval, all else alike?",
    unit="claim",
    definition=(
        f"{population.DEFINITIONS['first']}; difference of approval with and without the document"
        f" among claims that required it; documents: {documentation.DEFINITION}"
    ),
    method=(
        "g-computation over joint posterior draws of the approval model (insurer, plan, condition,"
        " visit, units, days to sending and other documents as they are), 95% interval; beside it"
        " augmented inverse probability weighting, cross-fitted with claims of one patient together"
    ),
    caveats=_CAVEATS,
    must_not=_MUST_NOT,
)
HIDDEN = Question(
    id="associations.hidden_cause",
    question="How strong a cause nobody recorded would explain that away?",
    unit="risk ratio",
    definition=(
        "E-value: the least ratio by which a hidden factor must go both with the document and with"
        " approval, beyond all that is recorded, to bring the association, or its nearer limit, to"
        " none"
    ),
    method="E-value of the ratio of approval with and without the document",
    caveats=("a hidden factor of that strength may exist: the therapist's care is not recorded",),
    must_not=_MUST_NOT,
)
ADVICE = Question(
    id="associations.advice",
    question="Which document is worth completing before sending, and for whom?",
    unit="pair of insurer and document",
    definition=(
        "advised where the tenth percentile of the difference of approval with and without the"
        f" document exceeds the stated points, and only {CONDITION}; documents:"
        f" {documentation.DEFINITION}"
    ),
    method=DOCUMENT.method,
    caveats=_CAVEATS,
    must_not=_MUST_NOT,
)
COLUMNS = (
    "name", "document", "n_without", "n_with", "without", "with_it", "gap", "lower", "upper",
    "verdict",
)  # fmt: skip
BY_INSURER = ("payer_id", "insurer", *COLUMNS, "low", "advice")
CHECKED = (
    *COLUMNS, "check", "check_lower", "check_upper", "agreement", "e_value", "e_value_limit",
)  # fmt: skip


class Contrast(NamedTuple):
    """One document: claims known to have it or not, draws by insurer without and with it.

    `by_insurer` has payer_id, n_rows, n_without, n_with, one row per column of the two draws
    (n, insurers).
    """

    document: str
    claims: pd.DataFrame
    by_insurer: pd.DataFrame
    without: NDArray[np.float64]
    having: NDArray[np.float64]


def contrasts(
    model: "MixedEffectsLogisticRegression | None", modelled: pd.DataFrame, items: pd.DataFrame
) -> list[Contrast]:
    """The model's chances of the same claims without and with each document.

    `modelled` as from `population.modelled`, `items` as from `documentation.required`. A claim
    counts for a document that was required of it and known to be present or absent. A document
    that all such claims have, or all lack, has no contrast; without a model there is none.
    """
    if model is None:
        return []
    item_of = {row["name"]: row["item_id"] for row in codes.rows("documentation")}
    made = []
    for document in DOCUMENTS:
        asked = items.loc[items["item_id"] == item_of[document], "claim_id"]
        claims = modelled[
            modelled["claim_id"].isin(asked) & modelled[document].isin(["present", "absent"])
        ].reset_index(drop=True)
        if claims[document].nunique() < 2:
            continue
        without, having = (
            model.standardise(
                predictors(as_if(claims, document, status)), None, ["payer_id"], N_DRAWS
            )
            for status in ("absent", "present")
        )
        lacks = claims.assign(n_without=claims[document] == "absent").groupby("payer_id")
        cells = without.cells[["payer_id", "n_rows"]].merge(
            lacks["n_without"].sum().astype("int64").reset_index(), on="payer_id"
        )
        cells["n_with"] = cells["n_rows"] - cells["n_without"]
        made.append(Contrast(document, claims, cells, without.draws, having.draws))
    return made


def by_document(found: list[Contrast], minimum_cell_size: int = 11) -> pd.DataFrame:
    """Each document's association with approval, with its cross-check; columns as in CHECKED.

    `gap` is with minus without. The data cannot carry a document with fewer than
    `minimum_cell_size` claims with it or without it, or with an interval over 30 points: then its
    numbers are null. `agreement` says whether the cross-check's interval holds the estimate.
    """
    rows = []
    for contrast in found:
        weight = contrast.by_insurer["n_rows"].to_numpy(float)
        weight /= weight.sum()
        cells = contrast.by_insurer
        row = _row(
            contrast.document, int(cells["n_without"].sum()), int(cells["n_with"].sum()),
            contrast.without @ weight, contrast.having @ weight, minimum_cell_size,
        )  # fmt: skip
        rows.append(row | _checked(contrast, row))
    table = pd.DataFrame(rows, columns=list(CHECKED))
    return _largest_first(table, ["document"])


def by_insurer(
    found: list[Contrast], payers: pd.DataFrame, minimum_cell_size: int = 11
) -> pd.DataFrame:
    """The same by insurer and document, with advice; columns as in BY_INSURER.

    `low` is the 10th percentile of the difference: completing the document is advised only where
    that exceeds 2 points, and only if it is clinically true and exists.
    """
    rows = []
    for contrast in found:
        for place, cell in enumerate(contrast.by_insurer.to_dict("records")):
            row = _row(
                contrast.document, cell["n_without"], cell["n_with"],
                contrast.without[:, place], contrast.having[:, place], minimum_cell_size,
            )  # fmt: skip
            rows.append({"payer_id": cell["payer_id"], **row})
    columns = [column for column in BY_INSURER if column not in ("insurer", "advice")]
    table = population.with_words(pd.DataFrame(rows, columns=columns), payers)
    table["advice"] = np.where(table["low"].astype(float) > WORTHWHILE, COMPLETE, NO_ADVICE)
    table.loc[table["verdict"] == CANNOT, "advice"] = CANNOT
    return _largest_first(table, ["insurer", "document"])[list(BY_INSURER)]


def strongest(documents: pd.DataFrame, scope: Scope) -> Finding:
    """The document whose presence goes most with approval; `documents` as from `by_document`."""
    told = documents[documents["verdict"] != CANNOT]
    apart = told[told["verdict"] == MORE]
    if told.empty:
        return DOCUMENT.answer(
            "Too few claims with and without any one document to say what goes with approval.",
            scope,
        )
    if apart.empty:
        return DOCUMENT.answer(
            "Among {compared:n document} with enough submitted claims with and without it, none is"
            " clearly associated with more approval, all else recorded alike.",
            scope,
            values={"compared": len(told)},
        )
    first = apart.iloc[0]
    values: dict[str, Value] = {
        "document": first["document"],
        "few": int(first["n_without"]),
        "many": int(first["n_with"]),
        "others": len(apart) - 1,
    }
    template = (
        "Among submitted claims alike in all else recorded, {document} was associated with"
        " {estimate:points} points more approval ({lower:points} to {upper:points}; {few:n claim}"
        " without it, {many:count} with it)"
    )
    if first["agreement"] == NO_CHECK:
        template += "; a second method cannot be applied."
    else:
        values |= {
            "check": first["check"],
            "check_lower": first["check_lower"],
            "check_upper": first["check_upper"],
            "agreement": first["agreement"],
        }
        template += (
            "; a second, doubly robust method {agreement}: {check:whole} ({check_lower:whole} to"
            " {check_upper:whole})."
        )
    template += " More approval also went with {others:n other document}."
    numbers = Numbers(first["gap"], first["lower"], first["upper"], denominator=_n(first))
    return DOCUMENT.answer(template, scope, numbers, values)


def hidden_cause(documents: pd.DataFrame, scope: Scope) -> Finding:
    """How strong a hidden cause would explain the strongest association away."""
    apart = documents[documents["verdict"] == MORE]
    if apart.empty:
        return HIDDEN.answer("There is no association that a hidden cause would explain.", scope)
    first = apart.iloc[0]
    return HIDDEN.answer(
        "To explain the difference with {document} away, something nobody recorded would have to be"
        " {estimate:number} times as common with it as without it, and go with {estimate:number}"
        " times the approval; {limit:number} times each would leave open whether there is any.",
        scope,
        Numbers(first["e_value"], denominator=_n(first)),
        {"document": first["document"], "limit": first["e_value_limit"]},
    )


def advised(pairs: pd.DataFrame, scope: Scope) -> Finding:
    """For how many insurers and documents advice can be given; `pairs` as from `by_insurer`."""
    told = pairs[pairs["verdict"] != CANNOT]
    found = told[told["advice"] == COMPLETE].sort_values(
        ["low", "insurer", "document"], ascending=[False, True, True]
    )
    values: dict[str, Value] = {
        "threshold": WORTHWHILE,
        "told": len(told),
        "untold": len(pairs) - len(told),
    }
    counted = (
        " {told:n pair} of insurer and document could be compared; for {untold:n other pair} the"
        " data cannot carry it."
    )
    if found.empty:
        template = (
            "For no insurer and document does even the low reading of the difference exceed"
            f" {{threshold:points}} points, so none is advised.{counted}"
        )
        return ADVICE.answer(template, scope, Numbers(numerator=0, denominator=len(pairs)), values)
    first = found.iloc[0]
    values |= {"insurer": first["insurer"], "document": first["document"], "low": first["low"]}
    return ADVICE.answer(
        "For {numerator:n pair} of insurer and document even the low reading of the difference"
        " exceeds {threshold:points} points: there, completing the document is worth the time,"
        f" {CONDITION}. Most: {{insurer}}, {{document}}, at least {{low:points}} points in nine of"
        f" ten readings.{counted}",
        scope,
        Numbers(numerator=len(found), denominator=len(pairs)),
        values,
    )


def grid(documents: pd.DataFrame) -> pd.DataFrame:
    """What hidden factors would leave of the strongest association: see `sensitivity.bias_grid`.

    Columns: factor (in words), strength, gap, lower, upper. Empty where no association is shown.
    """
    columns = ["factor", "strength", "gap", "lower", "upper"]
    apart = documents[documents["verdict"] == MORE]
    if apart.empty:
        return pd.DataFrame(columns=columns)
    first = apart.iloc[0]
    left = sensitivity.bias_grid(first["gap"], first["lower"], first["upper"])
    left["factor"] = [f"{written(p, 'points')} points more often" for p in left["prevalence"]]
    return left[columns]


def _row(
    document: str,
    n_without: int,
    n_with: int,
    without: NDArray[np.float64],
    having: NDArray[np.float64],
    minimum_cell_size: int,
) -> dict[str, object]:
    names = codes.labels("documentation", by="name")
    row: dict[str, object] = {"name": document, "document": names[document]}
    row |= {"n_without": n_without, "n_with": n_with, "verdict": CANNOT}
    gap = having - without
    lower, upper = np.quantile(gap, [0.025, 0.975])
    if min(n_without, n_with) < minimum_cell_size or upper - lower > rates.MAX_WIDTH:
        return row
    verdict = MORE if lower > 0 else LESS if upper < 0 else NOT_SHOWN
    ratio = having / without
    return row | {
        "without": float(without.mean()),
        "with_it": float(having.mean()),
        "gap": float(gap.mean()),
        "lower": float(lower),
        "upper": float(upper),
        "low": float(np.quantile(gap, PESSIMISTIC)),
        "verdict": verdict,
        "e_value": sensitivity.e_value(float(having.mean() / without.mean())),
        "e_value_limit": sensitivity.e_value_of_limit(*np.quantile(ratio, [0.025, 0.975])),
    }


def _checked(contrast: Contrast, row: dict[str, object]) -> dict[str, object]:
    from analysis.models.doubly_robust import second_opinion

    if row["verdict"] == CANNOT:
        return {"agreement": NO_CHECK}
    second = second_opinion(contrast.claims, contrast.document)
    verdict = agreement(float(str(row["gap"])), second)
    if second is None or verdict == NO_CHECK:
        return {"agreement": NO_CHECK}
    return {
        "check": second.gap,
        "check_lower": second.lower,
        "check_upper": second.upper,
        "agreement": verdict,
    }


def agreement(gap: float, second: "SecondOpinion | None") -> str:
    """Whether a second method's range holds the difference found by the first.

    A range wider than WIDEST_CHECK holds nearly any answer, so that it agrees with nothing.
    """
    if second is None or second.upper - second.lower > WIDEST_CHECK:
        return NO_CHECK
    return AGREES if second.lower <= gap <= second.upper else DIFFERS


def _largest_first(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    table[["gap"]] = table[["gap"]].astype("float64")
    order = table.assign(cannot=table["verdict"] == CANNOT).sort_values(
        ["cannot", "gap", *names], ascending=[True, False, *[True] * len(names)]
    )
    return order.drop(columns="cannot").reset_index(drop=True)


def _n(row: "pd.Series") -> int:
    return int(row["n_without"] + row["n_with"])

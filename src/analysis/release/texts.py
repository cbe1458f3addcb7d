"""The words that lie beside a release: how to check it, cite it, quote it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.release import verify

# Wide steps, and in words: "fewer than one in fifty" of the claims have no answer.
_ONE_IN = {50: "fifty", 20: "twenty", 10: "ten", 5: "five", 2: "two"}


def unanswered(without: int, answered: int) -> str:
    """How many claims have no answer, by the narrowest bound that proves no count under 11.

    >>> unanswered(0, 1_000)[:67]
    'Of the claims old enough to be judged, fewer than one in fifty had '
    >>> unanswered(0, 100)[:65]
    'Of the claims old enough to be judged, fewer than one in ten had '
    """
    for one_in, word in _ONE_IN.items():
        bound = answered / (one_in - 1)
        if without < bound and bound > verify.SMALLEST_SHOWN:
            return (
                f"Of the claims old enough to be judged, fewer than one in {word} had no answer"
                " yet; those are not counted here."
            )
    return "How many claims old enough to be judged had no answer yet is not told."


def readme(about: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], digest: str) -> str:
    """README.md: from a sentence to its number, its row and the check, in three steps."""
    made_up = (
        "\n**Made-up data. No patient, claim or payment behind these numbers is real. Do not quote"
        " them.**\n"
        if about["made_up"]
        else ""
    )
    return f"""# Approval of medical massage claims, release {about["number"]}
{made_up}
By {about["publisher"]}: {about["population"]}, {about["period"]}, answers as of {about["as_of"]}.
Release `{digest}`.

## Check a sentence in three steps

{_steps(findings)}

## What lies here

| file | what it is |
| --- | --- |
| public_findings.html, public_findings.pdf | the findings, to read |
| findings.json, findings.schema.json | every finding with its numbers, definition, method, limits |
| tables/, datapackage.json | the counts; `{verify.SYMBOL}` is withheld, `{verify.ALL}` is a total |
| figures/ | each figure as PNG and SVG, with its data as CSV |
| certificate.json | what an attacker can and cannot tell of the withheld counts; not to be quoted |
| ledger.jsonl | all releases so far, corrections and retractions |
| earlier/ | the tables of earlier releases that count the same months; absent where none does |
| verify.py, SHA256SUMS, CITATION.cff | the check, the checksums, how to cite |

{_pooled(about)}## How to quote

Quote a finding's sentence whole, with its interval, number of claims and as-of date, and cite its
number and the release, for example "{about["publisher"]}, release {about["number"]}, finding 1".

Not "the insurer refuses one claim in five": these are claims of the practices counted here, sent in
the months named. Not "because of": a rate tells what happened together, not why. Not "worse" where
ranges overlap. Not a figure that this release does not state: do not work out what is withheld, and
do not subtract releases of the same months; those of different months may be added.

## What the check can tell

`verify.py` recomputes every sum, rate, interval, sentence and figure's data from the tables. A rate
is `approved` divided by `answered`; its interval is Wilson's for `answered` divided by the
`design_effect` of release.json, because claims of one patient are alike. It shows by adding up that
for each withheld count other numbers fit as well, one of them 11 or more. Of a single case it
checks that no number is in it and that the rate beside it is this release's: not that it is true,
nor that the patient consented.
The PDF and the PNG pictures are held against the ledger's hashes only. Someone who changes
everything, the ledger too, so that it agrees is not found out from the folder alone: compare the
release and the ledger numbers that `verify.py` prints with those the publisher has made known
elsewhere. A release retracted later is only known from a newer ledger.jsonl.
"""


def _pooled(about: Mapping[str, Any]) -> str:
    if "contributors" not in about:
        return ""
    return f"""## How it was pooled

{about["contributors"]} practices each gave their counts with small ones withheld, so nobody, the
pool's maker and the other practices included, was given a count from 1 to 10. A pooled count is
shown where every practice shows its part, at least {about["fewest_contributors"]} have one, and the
second largest part's owner cannot come within {about["p_percent"]}% of the largest (p%-rule).
Insurers and conditions that fewer tell apart are counted as "other", by the number of claims and
never by the answers. Findings on differences between practices rest on counts that are not
published: `verify.py` checks only that they agree with themselves and with the ledger.

"""


def _steps(findings: Sequence[Mapping[str, Any]]) -> str:
    if not findings:
        return "No rate could be stated in this release; `python verify.py` checks its tables."
    one = findings[0]
    divided_by = verify.TABLES[Path(one["sources"][0]).stem]
    row = ", ".join(f"{name} `{one['row'][name]}`" for name in ("insurer", divided_by))
    return f"""1. Take a sentence of the PDF, for example finding {one["number"]}:
   "{one["sentence"]}"
   In findings.json find the entry with `"number": {one["number"]}`. The rate is its
   `numerator` {one["numerator"]} divided by its `denominator` {one["denominator"]}.
2. Open the table that its `sources` name, here {one["sources"][0]}, and find the row that its `row`
   names, here {row}. `approved` and `answered` are those two numbers.
3. Run `python verify.py` in this folder (on Windows `py verify.py`; Python 3.11 or newer, nothing
   else). It checks this and all other findings and names what does not hold."""


def citation(about: Mapping[str, Any], digest: str) -> str:
    """CITATION.cff of the release."""
    title = f"Approval of medical massage claims, {about['publisher']}, release {about['number']}"
    return "\n".join(
        [
            "cff-version: 1.2.0",
            'message: "Cite this release with the number of the finding."',
            f"title: {json.dumps(title, ensure_ascii=False)}",
            "type: dataset",
            f'version: "{about["number"]} ({digest[:12]})"',
            f"date-released: {about['as_of']}",
            "authors:",
            f"  - name: {json.dumps(about['publisher'], ensure_ascii=False)}",
            "",
        ]
    )

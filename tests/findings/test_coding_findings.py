"""Techniques beside the codes billed: told as a question, never as a mistake."""

from datetime import date

from analysis.findings import coding, unbound_digits
from findings.made_claims import AS_OF, frame


def _techniques(*rows):
    return frame(
        "technique_codes",
        [
            {"claim_id": f"c{n}", "service_date": date(2026, 3, 1), "technique": technique,
             "procedure_codes": billed, "is_usual": usual}
            for n, (technique, billed, usual) in enumerate(rows)
        ],
    )  # fmt: skip


def test_unusual_codes_are_counted_by_technique_and_unmapped_ones_are_left_out():
    table = _techniques(
        ("effleurage", "97140", False),
        ("effleurage", "97140", False),
        ("effleurage", "97124", True),
        ("hot stones", "97124", None),
    )
    finding = coding.concordance(table, AS_OF)
    assert finding.sentence.startswith("Of 3 techniques written down for a billed visit, 2 stand")
    assert unbound_digits(finding) == []
    assert coding.unusual(table).values.tolist() == [["stroking (effleurage)", "97140", "97124", 2]]


def test_where_no_technique_was_written_down_that_is_said():
    assert "No technique" in coding.concordance(_techniques(), AS_OF).sentence

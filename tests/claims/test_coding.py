"""Codes nobody mapped become a worklist; techniques stand beside the codes billed for them."""

from datetime import date

import pytest

from analysis import tables
from analysis.claims import coding
from analysis.claims.balances import INPUTS, balances
from analysis.claims.lineage import INPUTS as LINEAGE
from analysis.claims.lineage import lineage
from analysis.outcomes import INPUTS as OUTCOMES
from analysis.outcomes import outcomes

DAY = date(2026, 3, 2)


def practice(lines=("97124:GP",), techniques=(), diagnosis="M54.50", day=DAY, groups=("CO",)):
    """The tables of one claim with one answer, as intake and lineage leave them."""
    rows = {name: [] for name in {*coding.INPUTS, *INPUTS, *LINEAGE} - {"claim_lineage"}}
    rows["claims"] = [
        {"claim_version_id": "v1", "file_name": "a", "position": 1, "source": "x12",
         "patient_control_number": "C1", "patient_id": "p", "payer_id": "A", "charge_cents": 100,
         "has_note": False, "service_date": day, "service_to_date": day,
         "submitted_date": day, "interchange": 1, "segment": 5}
    ]  # fmt: skip
    rows["claim_diagnoses"] = [
        {"claim_version_id": "v1", "diagnosis_position": 1, "diagnosis_code": diagnosis}
    ]
    for n, line in enumerate(lines, 1):
        code, _, modifiers = line.partition(":")
        rows["service_lines"].append(
            {"service_line_id": f"s{n}", "claim_version_id": "v1", "line_number": n,
             "procedure_code": code, "modifiers": modifiers, "charge_cents": 100, "units": 1.0,
             "service_date": day, "segment": 5 + n}
        )  # fmt: skip
    for n, group in enumerate(groups, 1):
        rows["adjustments"].append(
            {"adjustment_id": f"a{n}", "remittance_id": "r1", "level": "claim",
             "group_code": group, "reason_code": "45", "amount_cents": 1}
        )  # fmt: skip
    for n, technique in enumerate(techniques, 1):
        rows["visit_techniques"].append(
            {"visit_technique_id": f"t{n}", "patient_control_number": "C1", "service_date": day,
             "technique": technique}
        )  # fmt: skip
    made = {
        name: tables.from_rows(name, found) if found else tables.arrow_schema(name).empty_table()
        for name, found in rows.items()
        if name not in ("line_lineage", "provider_adjustment_lineage")
    }
    made["line_lineage"] = tables.arrow_schema("line_lineage").empty_table()
    return made | lineage(made)


def unmapped(**given) -> set[tuple[str, str]]:
    rows = coding.coding(practice(**given))["unmapped_codes"].to_pylist()
    return {(row["code_system"], row["code"]) for row in rows}


def test_known_codes_leave_nothing_to_do() -> None:
    assert unmapped(techniques=["effleurage"]) == set()


def test_a_known_diagnosis_is_mapped_on_every_day_and_without_one() -> None:
    for day in (date(2019, 1, 1), DAY, None):
        for diagnosis in ("M54.5", "M54.50"):
            assert unmapped(diagnosis=diagnosis, day=day) == set()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"lines": ["97124:GP:ZZ"]}, ("modifier", "ZZ")),
        ({"lines": ["99999"]}, ("CPT", "99999")),
        ({"groups": ["CD"]}, ("CAS group", "CD")),
        ({"techniques": ["hot stones"]}, ("technique", "hot stones")),
        ({"diagnosis": "L30.9"}, ("ICD-10-CM", "L30.9")),
    ],
)
def test_what_nobody_mapped_is_listed_and_never_called_other(given, expected) -> None:
    assert unmapped(**given) == {expected}


@pytest.mark.parametrize(
    ("diagnosis", "day", "found"),
    [
        ("M54.5", date(2021, 9, 30), None),
        ("M54.5", date(2021, 10, 1), "M54.5 ended, now M54.50;M54.51;M54.59"),
        ("G35", date(2025, 9, 30), None),
        ("G35", date(2025, 10, 1), "G35 ended, now G35.A;G35.B0;"),
        ("M79.1", date(2019, 1, 1), "M79.1 ended, now M79.10;M79.11;M79.12;M79.18"),
        ("M54.50", date(2021, 10, 1), None),
        ("M54.59", date(2021, 9, 30), "M54.59 not yet in force, then still M54.5"),
    ],
)  # fmt: skip
def test_a_diagnosis_outside_its_dates_is_marked_with_what_was_in_force(
    diagnosis, day, found
) -> None:
    rows = balances(practice(diagnosis=diagnosis, day=day))["imbalances"].to_pylist()
    told = [row["found"] for row in rows if row["check_name"] == "sent_diagnosis_in_force"]
    assert [text.startswith(found or "") for text in told] == ([True] if found else [])


@pytest.mark.parametrize(
    ("diagnosis", "day", "group"),
    [
        ("M54.5", date(2021, 9, 30), "low_back_pain"),
        # Outside their dates: marked by the check above, and still plain in what they name.
        ("M54.5", date(2021, 10, 1), "low_back_pain"),
        ("G35", date(2025, 10, 1), "multiple_sclerosis"),
        ("M79.18", date(2018, 9, 30), "myalgia_myofascial"),
        # No day of service: the day of submission speaks.
        ("M54.50", None, "low_back_pain"),
        ("L30.9", DAY, "other"),
    ],
)
def test_a_diagnosis_names_its_condition_on_the_day_of_service(diagnosis, day, group) -> None:
    made = practice(diagnosis=diagnosis, day=day)
    made |= {name: tables.arrow_schema(name).empty_table() for name in set(OUTCOMES) - set(made)}
    if day is None:
        made["claims"] = made["claims"].set_column(
            made["claims"].schema.get_field_index("submitted_date"),
            made["claims"].schema.field("submitted_date"),
            [[DAY]],
        )
    (claim,) = outcomes(made, date(2026, 9, 30))["claim_outcomes"].to_pylist()
    assert claim["condition_group"] == group


def test_a_procedure_code_is_in_force_only_within_its_dates() -> None:
    def told(code: str, day: date) -> list[str]:
        rows = balances(practice(lines=[code], day=day))["imbalances"].to_pylist()
        return [row["found"] for row in rows if row["check_name"] == "sent_code_in_force"]

    assert told("97001", date(2016, 12, 31)) == []
    assert told("97001", date(2017, 1, 1)) == ["ended"]
    assert told("97161", date(2016, 12, 31)) == ["not yet in force"]


@pytest.mark.parametrize(
    ("lines", "technique", "is_usual"),
    [
        (["97124"], "effleurage", True),
        (["97140"], "effleurage", False),
        (["97140", "97124"], "effleurage", True),
        (["97140"], "deep tissue", True),
        (["97140"], "hot stones", None),
    ],
)
def test_a_technique_stands_beside_the_codes_billed_for_its_visit(
    lines, technique, is_usual
) -> None:
    made = coding.coding(practice(lines=lines, techniques=[technique]))
    (row,) = made["technique_codes"].to_pylist()
    assert (row["technique"], row["is_usual"]) == (technique, is_usual)
    assert row["procedure_codes"] == ":".join(sorted(lines))

"""The checklist agrees with the other reference tables, and with itself."""

import pytest

from analysis import codes

ITEMS = codes.rows("documentation")
PAYER_TYPES = {row["payer_type"] for row in codes.rows("payer_types")} - {"unknown", "self_pay"}


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["item_id"])
def test_requirements_name_kinds_of_insurance_and_visits(item) -> None:
    required = set(filter(None, item["required_payer_types"].split(";")))
    assert required <= PAYER_TYPES | {"*"}
    visits = dict(pair.split("=") for pair in item["visit_from"].split(";") if pair)
    assert ("*" in visits) == bool(required)
    assert set(visits) - {"*"} <= required
    assert all(int(visit) >= 1 for visit in visits.values())
    narrowed = dict(pair.split("=") for pair in item["conditions"].split(";") if pair)
    assert set(narrowed) <= required
    conditions = {condition for listed in narrowed.values() for condition in listed.split("|")}
    assert conditions <= {row["condition_group"] for row in codes.rows("conditions")}


def test_remark_codes_are_those_of_the_remark_table() -> None:
    remarks = {(row["remark_code"], row["item_id"]) for row in codes.rows("rarc")}
    items = {item["item_id"] for item in ITEMS}
    assert {
        (code, item["item_id"])
        for item in ITEMS
        for code in item["remark_codes"].split(";")
        if code
    } == {(code, item_id) for code, item_id in remarks if item_id in items}


@pytest.mark.parametrize("column", ["item_id", "name", "attachment_codes", "note_codes"])
def test_nothing_names_two_items(column) -> None:
    named = [word for item in ITEMS for word in item[column].split(";") if word]
    assert len(named) == len(set(named))


def test_the_rule_of_the_first_visits_without_authorization() -> None:
    [authorization] = [item for item in ITEMS if item["name"] == "authorization"]
    visits = dict(pair.split("=") for pair in authorization["visit_from"].split(";"))
    assert visits["commercial_fully_insured_WA"] == "7"
    assert "va_community_care" in authorization["required_payer_types"].split(";")
    assert visits["*"] == "1"

"""The category of a denial, from group, reason and remark together, for every code we know."""

from analysis import codes
from stories.reader import Story, determine

NOTICES = ("appeal_outcome", "contractual", "reversal", "recoupment", "patient_responsibility",
           "other")  # fmt: skip
# CARC whose denial is one of its own kind, told by other stories: duplicates and pended claims.
_NO_DENIAL = ("pending", "duplicate", "appeal_outcome")


def denied(group, reason, remarks=""):
    """A claim of one line, wholly adjusted by one code."""
    sent = {"sent": "C1", "on": "2025-01-10", "service": "2025-01-06", "lines": "97124 100.00"}
    line = f"97124 100.00 paid 0 {group}-{reason} 100.00 {remarks}".strip()
    answered = {"answered": "C1", "status": "4", "on": "2025-01-30", "service": "2025-01-06",
                "insurer's number": "ICN1", "lines": line}  # fmt: skip
    return Story(f"{group}-{reason} {remarks}", sent=[sent], answered=[answered])


def categories(stories):
    made = [rows["claim_outcomes"][0] for rows in determine(stories)]
    assert {row["first_determination"] for row in made} == {"denied"}
    return [row["denial_category"] for row in made]


def needing_a_remark():
    return [row["reason_code"] for row in codes.rows("carc") if row["needs_remark"] == "yes"]


def test_every_denial_code_has_its_category_whichever_party_is_liable():
    rows = [
        row
        for row in codes.rows("carc")
        if row["is_denial"] == "yes"
        and row["needs_remark"] == "no"
        and row["category"] not in _NO_DENIAL
    ]
    assert len(rows) > 80
    groups = ("CO", "PR", "OA", "PI")
    made = categories([denied(group, row["reason_code"]) for group in groups for row in rows])
    assert made == [row["category"] for row in rows] * len(groups)


def test_a_code_that_only_says_something_was_wrong_says_nothing_alone():
    assert set(categories([denied("CO", code) for code in needing_a_remark()])) == {"unknown"}


def test_such_a_code_means_what_its_remark_says():
    remarks = [row for row in codes.rows("rarc") if row["remark_code"] != "MA130"]
    telling = [row for row in remarks if row["category"] not in NOTICES]
    assert len(telling) > 100
    made = categories([denied("CO", "16", row["remark_code"]) for row in telling])
    assert made == [row["category"] for row in telling]
    others = categories([denied("CO", code, "M127") for code in needing_a_remark()])
    assert set(others) == {"documentation"}


def test_a_notice_is_no_reason():
    notices = [
        row["remark_code"]
        for row in codes.rows("rarc")
        if row["category"] in NOTICES and row["remark_code"] != "MA130"
    ]
    assert set(categories([denied("CO", "16", code) for code in notices])) == {"unknown"}


def test_every_category_has_words_and_something_to_do():
    known = {row["category"]: row for row in codes.rows("denial_categories")}
    used = {row["category"] for name in ("carc", "rarc") for row in codes.rows(name)}
    assert used <= known.keys()
    for row in known.values():
        assert all(row[name] for name in ("label", "who_can_act", "what_to_do"))

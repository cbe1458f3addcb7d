"""One insurer under one id: what is settled, what is only suggested, what is never joined."""

import csv
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import tables
from analysis.config import PayerStatement, PlanStatement, Practice
from analysis.intake import payer_names, payers, records
from analysis.intake.folder import TABLES
from analysis.intake.pseudonymize import Pseudonyms

HEADER = "name_as_written,payer_id_as_written,payer_id,role,funding,product\n"
ALDER = PayerStatement(id="00123", name="Alder Mutual")


def claim(number: str, name: str | None, payer_id: str | None, **more: Any) -> dict[str, Any]:
    return {
        "claim_version_id": number,
        "file_name": "a.837",
        "position": 1,
        "source": "x12",
        "patient_control_number": number,
        "payer_name": name,
        "payer_id": payer_id,
        "charge_cents": 100,
        "has_note": False,
    } | more


def answer(
    number: str, name: str | None, payer_id: str | None, status: str = "1"
) -> dict[str, Any]:
    return {
        "remittance_id": f"{number}-{payer_id}",
        "payment_id": f"p-{payer_id}",
        "file_name": "b.835",
        "position": 1,
        "source": "x12",
        "patient_control_number": number,
        "claim_status_code": status,
        "payer_name": name,
        "payer_id": payer_id,
        "charge_cents": 100,
        "paid_cents": 80,
    }


def resolve(
    claims: list[dict[str, Any]],
    answers: list[dict[str, Any]] = (),
    aliases: str = "",
    payers_stated: tuple[PayerStatement, ...] = (),
    **rows: list[dict[str, Any]],
) -> payer_names.Resolved:
    read = {
        name: tables.from_rows(name, list(rows[name])) if rows.get(name)
        else tables.from_columns(name, {})
        for name in TABLES
    }  # fmt: skip
    if claims:
        read["claims"] = tables.from_rows("claims", claims)
    if answers:
        read["remittances"] = tables.from_rows("remittances", list(answers))
    if aliases:
        parsed = records.read((HEADER + aliases).encode(), "aliases.csv", Pseudonyms(b"k" * 32))
        assert [row.disposition for row in parsed.ledger] == ["accepted"] * len(parsed.ledger)
        read |= parsed.tables
    resolved = payer_names.resolve(read, Practice(payers=payers_stated))
    assert tables.problems("payer_names", resolved.tables["payer_names"]) == []
    return resolved


def decided(resolved: payer_names.Resolved) -> dict[tuple[str | None, str | None], tuple[str, str]]:
    return {
        (row["name_as_written"], row["payer_id_as_written"]): (row["payer_id"], row["decided_by"])
        for row in resolved.tables["payer_names"].to_pylist()
    }


def suggested(resolved: payer_names.Resolved) -> dict[str, tuple[str, str]]:
    return {
        row["payer_id"]: (row["suggested_payer_id"], row["suggestion_basis"])
        for row in resolved.tables["payer_names"].to_pylist()
        if row["suggested_payer_id"]
    }


def test_one_id_in_many_spellings_is_one_insurer() -> None:
    found = resolve([claim("C1", "ALDER MUTUAL", "00123"), claim("C2", "Alder Mut.", "00123")])
    assert decided(found) == {
        ("ALDER MUTUAL", "00123"): ("00123", "same_id"),
        ("Alder Mut.", "00123"): ("00123", "same_id"),
    }
    assert not any(found.tables["payer_names"]["is_doubtful"].to_pylist())


def test_ids_that_differ_in_leading_zeros_are_two_insurers() -> None:
    found = resolve([claim("C1", "ALDER MUTUAL", "00123"), claim("C2", "BIRCH TRUST", "123")])
    assert found.tables["claims"]["payer_id"].to_pylist() == ["00123", "123"]


def test_a_name_without_an_id_is_the_one_insurer_of_that_name() -> None:
    """An export gives names only; case, signs and the legal form never tell two insurers apart."""
    found = resolve(
        [
            claim("C1", "ALDER MUTUAL", "00123"),
            claim("C2", "Alder Mutual, Inc.", "Alder Mutual, Inc."),
        ]
    )
    assert found.tables["claims"]["payer_id"].to_pylist() == ["00123", "00123"]
    assert decided(found)["Alder Mutual, Inc.", None] == ("00123", "same_name")


def test_a_name_that_two_insurers_share_names_neither() -> None:
    found = resolve(
        [
            claim("C1", "BLUE SHIELD", "00932"),
            claim("C2", "BLUE SHIELD", "00590"),
            claim("C3", "Blue Shield", None),
        ]
    )
    assert found.tables["claims"]["payer_id"].to_pylist() == ["00932", "00590", "Blue Shield"]
    assert decided(found)["Blue Shield", None] == ("Blue Shield", "none")
    assert suggested(found)["Blue Shield"][1] == "similar_name"


def test_names_without_any_id_stand_together_when_they_are_the_same() -> None:
    found = resolve(
        [
            claim("C1", "Birch Trust", None),
            claim("C2", "BIRCH TRUST INC", "BIRCH TRUST INC"),
            claim("C3", "Birch Trust", None),
            claim("C4", "Birch Trust of Oregon", None),
        ]
    )
    assert found.tables["claims"]["payer_id"].to_pylist() == ["Birch Trust"] * 3 + [
        "Birch Trust of Oregon"
    ]
    assert suggested(found) == {"Birch Trust of Oregon": ("Birch Trust", "similar_name")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BLUE CROSS BLUE SHIELD OF ILLINOIS", "BLUE CROSS BLUE SHIELD OF TEXAS"),
        ("ALDER HEALTH PLAN", "ALDER HEALTH PLANS"),
        ("STATE FUND", "STATE FARM"),
        ("ANTHEM BLUE CROSS CO", "ANTHEM BLUE CROSS PA"),
        ("ALDER PLAN 1", "ALDER PLAN 2"),
        ("ALDER MUTUAL", "ALDER MUTUAL"),
    ],
)
def test_likeness_never_joins_two_insurers(one: str, other: str) -> None:
    """Not even an equal name: two ids may be two states' plans."""
    found = resolve([claim("C1", one, "1"), claim("C2", other, "2"), claim("C3", other, "2")])
    assert found.tables["claims"]["payer_id"].to_pylist() == ["1", "2", "2"]
    assert {how for _, how in decided(found).values()} == {"same_id"}
    named = resolve([claim("C1", one, None), claim("C2", other, None)])
    n_insurers = 1 if one == other else 2
    assert len(set(named.tables["claims"]["payer_id"].to_pylist())) == n_insurers


def test_the_id_that_pays_is_the_insurer_whose_name_and_claims_it_has() -> None:
    """Claims go to a payer id; money comes from the tax number of the same insurer."""
    claims = [claim("C1", "ALDER MUTUAL", "00123"), claim("C2", "BIRCH TRUST", "BT1")]
    found = resolve(claims, [answer("C1", "Alder Mutual Inc.", "1910000001")])
    assert found.tables["remittances"]["payer_id"].to_pylist() == ["00123"]
    assert decided(found)["Alder Mutual Inc.", "1910000001"] == ("00123", "same_name")


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([answer("C9", "ALDER MUTUAL", "1910000001")], "it answers no claim we know"),
        (
            [
                answer("C1", "ALDER MUTUAL", "1910000001"),
                answer("C2", "ALDER MUTUAL", "1910000001"),
            ],
            "it answers another insurer's claim too",
        ),
        ([answer("C2", "ALDER MUTUAL", "1910000001")], "the claim went to another insurer"),
        ([answer("C1", "ALDER MUTUAL", "1910000001", "2")], "a secondary insurer answered"),
    ],
)
def test_a_name_alone_does_not_make_a_paying_id_an_insurer_s_own(answers, why) -> None:
    claims = [claim("C1", "ALDER MUTUAL", "00123"), claim("C2", "BIRCH TRUST", "BT1")]
    found = resolve(claims, answers)
    assert set(found.tables["remittances"]["payer_id"].to_pylist()) == {"1910000001"}, why


def test_an_administrator_that_answers_an_insurers_claims_is_suggested_not_joined() -> None:
    found = resolve(
        [claim("C1", "ALDER MUTUAL", "00123")], [answer("C1", "Quill Administrators", "1910000002")]
    )
    assert found.tables["remittances"]["payer_id"].to_pylist() == ["1910000002"]
    assert suggested(found) == {"1910000002": ("00123", "answers_its_claims")}


def test_an_id_that_names_nobody_joins_nobody() -> None:
    """A clearinghouse writes 99999 for every claim that it prints."""
    found = resolve([claim("C1", "ALDER MUTUAL", "99999"), claim("C2", "BIRCH TRUST", "99999")])
    assert found.tables["claims"]["payer_id"].to_pylist() == ["ALDER MUTUAL", "BIRCH TRUST"]
    stated = PayerStatement(id="99999", name="Alder Mutual")
    found = resolve([claim("C1", "ALDER MUTUAL", "99999")], payers_stated=(stated,))
    assert found.tables["claims"]["payer_id"].to_pylist() == ["99999"]


def test_an_id_with_two_quite_different_names_is_pointed_out() -> None:
    found = resolve(
        [
            claim("C1", "ALDER MUTUAL", "X1"),
            claim("C2", "ALDER MUTUAL", "X1"),
            claim("C3", "ZEBRA", "X1"),
        ]
    )
    doubtful = {
        row["name_as_written"]: row["is_doubtful"]
        for row in found.tables["payer_names"].to_pylist()
    }
    assert doubtful == {"ALDER MUTUAL": False, "ZEBRA": True}


def test_a_claim_that_names_no_insurer_keeps_none() -> None:
    found = resolve([claim("C1", None, None)])
    assert found.tables["claims"]["payer_id"].to_pylist() == [None]
    assert found.tables["payer_names"].num_rows == 0


# ---- the practice's own word ------------------------------------------------------------


def test_a_confirmed_line_puts_a_name_and_id_under_the_insurer_meant() -> None:
    found = resolve(
        [claim("C1", "ALDER MUTUAL", "00123"), claim("C2", "ALDER HMO", "A77")],
        [answer("C2", "QUILL ADMIN", "Q1")],
        "ALDER HMO,A77,00123,insurer,insured,hmo\nQuill  Admin,Q1,00123,tpa,,\n",
    )
    assert found.refused == {}
    assert found.tables["claims"]["payer_id"].to_pylist() == ["00123", "00123"]
    assert found.tables["remittances"]["payer_id"].to_pylist() == ["00123"]
    said = {
        row["name_as_written"]: (row["decided_by"], row["role"], row["funding"], row["product"])
        for row in found.tables["payer_names"].to_pylist()
    }
    assert said == {
        "ALDER MUTUAL": ("same_id", "unknown", "unknown", "unknown"),
        "ALDER HMO": ("alias", "insurer", "insured", "hmo"),
        "QUILL ADMIN": ("alias", "tpa", "unknown", "unknown"),
    }


def test_a_line_for_one_name_under_a_shared_id_moves_that_name_only() -> None:
    found = resolve(
        [
            claim("C1", "ALDER MUTUAL", "X1"),
            claim("C2", "ZEBRA", "X1"),
            claim("C3", "ZEBRA CO", "Z1"),
        ],
        aliases="ZEBRA,X1,Z1,,,\n",
    )
    assert found.tables["claims"]["payer_id"].to_pylist() == ["X1", "Z1", "Z1"]


def test_a_line_that_says_its_own_id_ends_the_asking() -> None:
    claims = [claim("C1", "BLUE SHIELD", "1"), claim("C2", "BLUE SHIELD", "2")]
    assert suggested(resolve(claims)) == {"2": ("1", "similar_name")}
    found = resolve(claims, aliases="BLUE SHIELD,2,2,,,\n")
    assert suggested(found) == {}
    assert found.tables["claims"]["payer_id"].to_pylist() == ["1", "2"]


def test_an_id_or_a_name_alone_may_be_confirmed() -> None:
    claims = [claim("C1", "ANY", "A77"), claim("C2", "QUILL", "Q1"), claim("C3", "QUILL", None)]
    found = resolve(claims, aliases=",A77,00123,,,\nQuill,,00123,,,\n")
    assert found.tables["claims"]["payer_id"].to_pylist() == ["00123"] * 3


def test_a_stated_id_is_never_replaced_by_a_name() -> None:
    birch = PayerStatement(id="Q1", name="Birch Trust")
    found = resolve(
        [claim("C1", "QUILL", "Q1")], aliases="QUILL,,00123,,,\n", payers_stated=(birch,)
    )
    assert found.tables["claims"]["payer_id"].to_pylist() == ["Q1"]


def test_what_is_typed_into_a_record_means_the_same_insurer() -> None:
    typed = ["a77", "00123", "Alder Mutual, Inc.", "NEW1"]
    rows = [
        {"authorization_id": str(n), "file_name": "z.csv", "position": n, "payer_id": text}
        for n, text in enumerate(typed, start=2)
    ]
    found = resolve(
        [claim("C1", "ALDER MUTUAL", "00123"), claim("C2", "ALDER HMO", "a77")],
        aliases=",a77,00123,,,\n",
        authorizations=rows,
    )
    assert found.tables["authorizations"]["payer_id"].to_pylist() == ["00123"] * 3 + ["NEW1"]


@pytest.mark.parametrize(
    ("lines", "payers_stated", "refused", "said"),
    [
        (",,00123,,,\n", (), {2}, "write at least one"),
        ("ALDER,A1,00123,,,\nalder,A1,BT1,,,\n", (), {2, 3}, "to another payer_id; keep one"),
        ("ALDER,A1,123,,,\n", (), {2}, "lost its leading zeros; write 00123"),
        ("ALDER,77,00123,,,\n", (), {2}, "payer_id_as_written lost its leading zeros; write 0077"),
        (",BT1,A9,,,\n,A9,00123,,,\n", (), {2}, "itself sent on by another line; write 00123"),
        (",00123,BT1,,,\n", (ALDER,), {2}, "states payer_id_as_written as an insurer of its own"),
    ],
)
def test_a_line_that_cannot_be_followed_is_refused_with_what_to_write(
    lines, payers_stated, refused, said
) -> None:
    claims = [
        claim("C1", "ALDER MUTUAL", "00123"),
        claim("C2", "BIRCH TRUST", "BT1"),
        claim("C3", "CEDAR", "0077"),
    ]
    found = resolve(claims, aliases=lines, payers_stated=payers_stated)
    assert {line for _, line in found.refused} == refused
    assert all(said in reason for reason in found.refused.values())
    kept = set(found.tables["payer_aliases"]["position"].to_pylist())
    assert kept == set(range(2, 2 + lines.count("\n"))) - refused
    if len(refused) == lines.count("\n"):
        assert found.tables["claims"]["payer_id"].to_pylist() == ["00123", "BT1", "0077"]


# ---- suggestions as a sheet -------------------------------------------------------------


def test_the_suggestions_sheet_is_private_and_confirms_nothing_as_a_whole(tmp_path) -> None:
    claims = [
        claim("C1", "ALDER MUTUAL", "00123"),
        claim("C2", "ALDER MUTUAL PPO", "=A1+1"),
    ]
    found = resolve(claims)
    path = payer_names.suggestions_file(tmp_path / "private", found.tables["payer_names"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    header, line = csv.reader(path.read_text(encoding="utf-8-sig").splitlines())
    assert line[:3] == ["ALDER MUTUAL PPO", "'=A1+1", "00123"]
    # Copied by its place under the other heading a line is understood; the sheet itself is not.
    assert header[0:2] + header[3:6] == HEADER.strip().replace(",payer_id,", ",").split(",")
    parsed = records.read(path.read_bytes(), "payer_suggestions.csv", Pseudonyms(b"k" * 32))
    assert [row.disposition for row in parsed.ledger] == ["quarantined"]
    assert "lacks payer_id" in parsed.ledger[0].reason


# ---- insurer apart from plan, funding, product ------------------------------------------


def described(
    claims: list[dict[str, Any]], aliases: str = "", practice: Practice | None = None
) -> dict[tuple[str, str], tuple[str, ...]]:
    practice = practice or Practice()
    read = resolve(claims, aliases=aliases, payers_stated=practice.payers).tables
    plans = payers.describe(read, practice)["plans"]
    assert tables.problems("plans", plans) == []
    names = ("funding", "funding_source", "product", "product_source")
    return {
        (row["payer_id"], row["plan_id"]): tuple(row[name] for name in names)
        for row in plans.to_pylist()
    }


def test_a_plan_s_funding_and_product_say_who_says_so() -> None:
    claims = [
        claim("C1", "ALDER", "00123", plan_id="G1", filing_indicator_code="CI"),
        claim("C2", "ALDER ASO", "A9", plan_id="G2", filing_indicator_code="12"),
        claim("C3", "ALDER", "00123", plan_id="G3", filing_indicator_code="12"),
        claim("C4", "OLD AGE", "M1", plan_id="G4", filing_indicator_code="16"),
    ]
    stated = PlanStatement(payer_id="00123", id="G1", name="One", funding="union", product="pos")
    found = described(
        claims,
        "ALDER ASO,A9,00123,,self_funded,epo\n",
        Practice(payers=(PayerStatement(id="00123", name="Alder"),), plans=(stated,)),
    )
    assert found == {
        ("00123", "G1"): ("union", "practice", "pos", "practice"),
        ("00123", "G2"): ("self_funded", "payer_alias", "epo", "payer_alias"),
        # An insurer of insured plans also administers for employers: its kind decides nothing.
        ("00123", "G3"): ("unknown", "unknown", "ppo", "filing_indicator"),
        ("M1", "G4"): ("public", "payer_type", "hmo", "filing_indicator"),
    }


def test_a_plan_sent_with_two_indicators_has_no_known_product() -> None:
    claims = [
        claim("C1", "ALDER", "00123", plan_id="G1", filing_indicator_code="12"),
        claim("C2", "ALDER", "00123", plan_id="G1", filing_indicator_code="HM"),
    ]
    assert described(claims)["00123", "G1"][2:] == ("unknown", "unknown")


# ---- whatever the files write -----------------------------------------------------------

NAMES = st.sampled_from(
    ["ALDER MUTUAL", "Alder Mutual Inc", "ALDER MUTUAL OF WA", "BIRCH", "Birch, LLC", "99999", None]
)
IDS = st.sampled_from(["00123", "123", "BT1", "99999", "BIRCH", None])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(NAMES, IDS), min_size=1, max_size=8),
    st.lists(st.tuples(NAMES, IDS), max_size=8),
    st.randoms(use_true_random=False),
)
def test_settling_does_not_hang_on_order_and_settles_once(sent, answered, random) -> None:
    claims = [claim(f"C{n}", *pair) for n, pair in enumerate(sent)]
    answers = [answer(f"C{n}", *pair) for n, pair in enumerate(answered)]
    found = resolve(claims, answers)
    shuffled = random.sample(claims, len(claims))
    again = resolve(shuffled, random.sample(answers, len(answers)))
    assert found.tables["payer_names"].equals(again.tables["payer_names"])
    # No record is lost; two ids sent on claims are never one insurer without the practice's word.
    for name, rows in (("claims", claims), ("remittances", answers)):
        ids = found.tables[name]["payer_id"].to_pylist()
        assert len(ids) == len(rows)
        for row, payer_id in zip(rows, ids, strict=True):
            real = row["payer_id"] not in (None, "99999", row["payer_name"])
            if name == "claims" and real:
                assert payer_id == row["payer_id"]
            assert (payer_id is None) == (not real and row["payer_name"] is None)
    named = found.tables["payer_names"]
    counted = pa.compute.sum(named["n_claims"]).as_py() or 0
    assert counted == sum(bool(payer) for payer in found.tables["claims"]["payer_id"].to_pylist())

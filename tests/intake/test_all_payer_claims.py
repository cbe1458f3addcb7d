"""A state's all-payer claims enter as Parquet or CSV, mapped in practice.toml, without any EDI."""

import io
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from pyarrow.parquet import encryption

from analysis import pipeline, tables
from analysis.config import Folders, Practice
from analysis.intake import export_rows, folder, spool
from analysis.intake import parquet as parquet_files
from analysis.intake.pseudonymize import Pseudonyms
from intake.lines import assert_named_for_their_places

PSEUDONYMS = Pseudonyms(b"k" * 32)
GUIDE = Path(__file__).parents[2] / "docs" / "all_payer_claims.md"
COLUMNS = (
    "payer_code", "payer_claim_control_number", "line_counter", "version_number", "member_id",
    "date_of_service_from", "date_of_service_thru", "paid_date", "procedure_code", "modifier_1",
    "modifier_2", "principal_diagnosis", "other_diagnosis_1", "quantity", "charge_amount",
    "paid_amount", "allowed_amount", "copay_amount", "coinsurance_amount", "deductible_amount",
    "denied_flag", "adjustment_reason_code",
)  # fmt: skip


def mapping() -> dict[str, Any]:
    """The example that the guide gives researchers."""
    text = GUIDE.read_text(encoding="utf-8")
    stated = tomllib.loads(text.split("```toml\n")[1].split("```")[0])
    assert set(COLUMNS) == {
        column
        for its in stated["exports"][0]["columns"].values()
        for column in ([its] if isinstance(its, str) else its)
    }
    return stated


def line(claim: str, number: int, **told: Any) -> dict[str, Any]:
    """A massage of 80 dollars, allowed 60 and paid 50, unless `told` otherwise."""
    usual = {
        "payer_code": "P01", "payer_claim_control_number": claim, "line_counter": number,
        "version_number": 0, "member_id": "SECRET1", "date_of_service_from": date(2025, 3, 4),
        "date_of_service_thru": date(2025, 3, 4), "paid_date": date(2025, 3, 20),
        "procedure_code": "97124", "modifier_1": None, "modifier_2": None,
        "principal_diagnosis": "M542", "other_diagnosis_1": None, "quantity": 2.0,
        "charge_amount": 80.0, "paid_amount": 50.0, "allowed_amount": 60.0, "copay_amount": 10.0,
        "coinsurance_amount": 0.0, "deductible_amount": 0.0, "denied_flag": 0,
        "adjustment_reason_code": None,
    }  # fmt: skip
    return usual | told


def denied(claim: str, number: int, **told: Any) -> dict[str, Any]:
    nothing = {"paid_amount": 0.0, "allowed_amount": 0.0, "copay_amount": 0.0, "denied_flag": 1}
    return line(claim, number, **nothing, **told)


def parquet(rows: list[dict[str, Any]], **how: Any) -> bytes:
    text = pa.string()
    blank = [name for name in COLUMNS if all(row[name] is None for row in rows)]
    columns = {
        name: pa.array([row[name] for row in rows], text if name in blank else None)
        for name in COLUMNS
    }
    packed = io.BytesIO()
    pq.write_table(pa.table(columns), packed, **how)
    return packed.getvalue()


def as_csv(data: bytes) -> bytes:
    packed = io.BytesIO()
    pyarrow.csv.write_csv(pq.read_table(io.BytesIO(data)), packed)
    return packed.getvalue()


def read(tmp_path: Path, name: str, data: bytes, **stated: Any) -> dict[str, pa.Table]:
    raw = tmp_path / name
    raw.mkdir()
    (raw / name).write_bytes(data)
    described = mapping()
    described["exports"][0] |= stated
    made = folder.read_folder(raw, Practice.model_validate(described), PSEUDONYMS)
    made = {name: tables.load(source) for name, source in made.items()}
    for table, rows in made.items():
        assert tables.problems(table, rows) == []
    assert "SECRET" not in str(made["row_ledger"]["reason"].to_pylist())
    return made


def set_aside(made: dict[str, pa.Table]) -> list[str]:
    ledger = made["row_ledger"].to_pylist()
    return [row["reason"] for row in ledger if row["disposition"] == "quarantined"]


CLAIMS = [
    line("C1", 1), line("C1", 2, procedure_code="97140", modifier_1="59", modifier_2="GP"),
    denied("C2", 1, member_id="SECRET2", adjustment_reason_code="CO-197"),
    line("C3", 1, date_of_service_from=date(2025, 4, 1), date_of_service_thru=date(2025, 4, 1)),
    line("C3", 2, date_of_service_from=date(2025, 4, 8), date_of_service_thru=date(2025, 4, 8),
         other_diagnosis_1="M6283", charge_amount=1000.05),
    denied("C4", 1), line("C4", 1, version_number=1, paid_date=date(2025, 5, 1)),
]  # fmt: skip


# ---- the same rows, however they come -----------------------------------------------------


def comparable(made: dict[str, pa.Table], name: str) -> list[dict[str, Any]]:
    """Rows without what names the file: its name and digest, and how its rows are counted."""
    rows = made[name].to_pylist()
    told = ("file_name", "file_hash", "position", "reason")
    return [
        {
            k: v
            for k, v in row.items()
            if k not in told and not (k.endswith("_id") and "-" in str(v))
        }
        for row in rows
        if row.get("record") != "file"
    ]


def test_a_csv_and_a_parquet_file_of_the_same_rows_give_the_same_tables(tmp_path: Path) -> None:
    data = parquet(CLAIMS)
    of_parquet = read(tmp_path, "medical.parquet", data)
    of_csv = read(tmp_path, "medical.csv", as_csv(data))
    assert set_aside(of_parquet) == []
    for name in (*folder.TABLES, "payers", "plans", "payer_names", "row_ledger"):
        assert comparable(of_parquet, name) == comparable(of_csv, name), name
    assert len(of_parquet["service_lines"]) == len(CLAIMS) - 1


def test_a_large_file_gives_the_same_rows_read_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"medical.parquet": parquet(CLAIMS), "medical.csv": as_csv(parquet(CLAIMS))}
    whole = {name: read(tmp_path, name, data) for name, data in files.items()}
    monkeypatch.setattr(folder, "_MOST_WAITING", 1)
    monkeypatch.setattr(parquet_files, "_BATCH_ROWS", 2)
    monkeypatch.setattr(export_rows, "_BATCH_ROWS", 2)
    for number, (name, before) in enumerate(whole.items()):
        (tmp_path / str(number)).mkdir()
        data = parquet(CLAIMS, row_group_size=3)
        parts = read(tmp_path / str(number), name, as_csv(data) if "csv" in name else data)
        for table in folder.TABLES:
            assert comparable(parts, table) == comparable(before, table), table


def test_numbers_days_and_texts_mean_what_they_mean_whatever_their_type(tmp_path: Path) -> None:
    table = pq.read_table(io.BytesIO(parquet(CLAIMS)))
    retyped = {
        "charge_amount": pa.decimal128(9, 2), "line_counter": pa.float64(),
        "date_of_service_from": pa.timestamp("us"), "date_of_service_thru": pa.string(),
        "payer_code": pa.dictionary(pa.int32(), pa.string()), "denied_flag": pa.string(),
        "procedure_code": pa.large_string(), "version_number": pa.int8(),
    }  # fmt: skip
    for place, field in enumerate(table.schema):
        if field.name in retyped:
            column = table[field.name].cast(retyped[field.name])
            table = table.set_column(place, field.name, column)
    packed = io.BytesIO()
    pq.write_table(table, packed)
    before, after = (
        read(tmp_path, f"medical_{n}.parquet", data)
        for n, data in enumerate((parquet(CLAIMS), packed.getvalue()))
    )
    for name in folder.TABLES:
        assert comparable(before, name) == comparable(after, name), name


# ---- what such rows tell ------------------------------------------------------------------


def test_a_number_is_one_claim_of_several_days_with_its_lines_in_their_order(
    tmp_path: Path,
) -> None:
    made = read(tmp_path, "medical.parquet", parquet([CLAIMS[4], CLAIMS[3]]))
    [claim] = made["claims"].to_pylist()
    assert claim["patient_control_number"] == "P01-C3"
    assert (claim["service_date"], claim["service_to_date"]) == (date(2025, 4, 1), date(2025, 4, 8))
    assert claim["charge_cents"] == 108005
    assert made["service_lines"]["charge_cents"].to_pylist() == [8000, 100005]
    assert made["claim_diagnoses"]["diagnosis_code"].to_pylist() == ["M54.2", "M62.83"]


@pytest.mark.parametrize("rows", [CLAIMS, [*CLAIMS, CLAIMS[0]]])
def test_a_line_is_told_by_its_record_and_its_place_in_it(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    assert_named_for_their_places(read(tmp_path, "medical.parquet", parquet(rows)))


def outcomes(tmp_path: Path, rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Claim and line outcomes after a build of nothing but a Parquet file and its mapping."""
    raw = tmp_path / "raw" / "state"
    raw.mkdir(parents=True)
    (raw / "practice.toml").write_text(
        GUIDE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    )
    (raw / "medical_2025.parquet").write_bytes(parquet(rows))
    folders = Folders(tmp_path, tmp_path / "reports", "state")
    pipeline.build(folders, through="outcomes", say=lambda _: None)
    names = ("claim_outcomes", "line_outcomes")
    return {name: tables.read(folders.processed, name).to_pylist() for name in names}


def test_a_corrected_version_counts_once_and_the_denial_before_it_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_MOST_BYTES", 0)  # through files, as a large table goes
    [claim] = outcomes(tmp_path, CLAIMS[5:])["claim_outcomes"]
    assert (claim["first_determination"], claim["final_determination"]) == ("denied", "approved")
    assert (claim["paid_cents"], claim["allowed_cents"]) == (5000, 6000)


def test_a_claim_with_a_line_denied_is_approved_in_part_and_each_line_has_its_own_outcome(
    tmp_path: Path,
) -> None:
    rows = [line("C1", 1), denied("C1", 2, procedure_code="97140"), line("C5", 1), *CLAIMS[2:3]]
    made = outcomes(tmp_path, rows)
    claims = [row["final_determination"] for row in made["claim_outcomes"]]
    assert sorted(claims) == ["approved", "denied", "partially_approved"]
    lines = {(row["procedure_code"], row["final_determination"]) for row in made["line_outcomes"]}
    assert lines == {("97124", "approved"), ("97140", "denied"), ("97124", "denied")}


def test_amounts_in_cents_are_read_as_cents_where_it_is_said(tmp_path: Path) -> None:
    rows = [line("C1", 1, charge_amount=8000.0), line("C2", 1, charge_amount=80.5)]
    made = read(tmp_path, "medical.parquet", parquet(rows), amounts_in_cents=True)
    assert made["claims"]["charge_cents"].to_pylist() == [8000]
    [reason] = set_aside(made)
    assert reason == (
        "medical.parquet, row 2: charge is no whole number of cents, as amounts_in_cents says it is"
    )


# ---- what cannot be read ------------------------------------------------------------------


def test_a_row_that_cannot_be_understood_is_set_aside_and_the_next_is_read(tmp_path: Path) -> None:
    unclear = [{**row, "charge_amount": "SECRET"} for row in CLAIMS[:1]]
    others = [{**row, "charge_amount": str(row["charge_amount"])} for row in CLAIMS[2:4]]
    lacking = [{**row, "charge_amount": None} for row in CLAIMS[:1]]
    made = read(tmp_path, "medical.parquet", parquet([*unclear, *lacking, *others]))
    assert set_aside(made) == [
        "medical.parquet, row 1: charge is no amount; write it as 1234.50",
        "medical.parquet, row 2: charge is empty or below zero; a claim needs one",
    ]
    assert made["claims"]["position"].to_pylist() == [3, 4]


def encrypted(rows: list[dict[str, Any]]) -> bytes:
    class Client(encryption.KmsClient):
        def wrap_key(self, key_bytes: bytes, _: str) -> bytes:
            return key_bytes

    factory = encryption.CryptoFactory(lambda _: Client())
    how = encryption.EncryptionConfiguration(footer_key="f", column_keys={"c": ["member_id"]})
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), how)
    return parquet(rows, encryption_properties=properties)


def nested(column: str, value: Any) -> bytes:
    table = pq.read_table(io.BytesIO(parquet(CLAIMS[:1])))
    place = table.schema.names.index(column)
    packed = io.BytesIO()
    pq.write_table(table.set_column(place, column, value), packed)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (parquet(CLAIMS)[:400], "is a Parquet file that cannot be read: it is damaged or cut"),
        (parquet(CLAIMS)[:-9], "is a Parquet file that cannot be read: it is damaged or cut"),
        (b"PAR1" + bytes(3000) + parquet(CLAIMS)[3004:], "is a Parquet file that cannot be read"),
        (encrypted(CLAIMS), "is an encrypted Parquet file; write it again without encryption"),
        (nested("member_id", pa.array([["SECRET"]])), "holds no plain values in its column"
         " member_id (its type is list)"),
        (nested("charge_amount", pa.array([{"SECRET": 80}])), "holds no plain values in its column"
         " charge_amount (its type is struct)"),
        (nested("paid_date", pa.array([0], pa.timestamp("s", "America/New_York"))), "holds times of"
         " a zone in its column paid_date; write days instead"),
        (parquet([{**line("C1", 1), "date_of_service_from": "3/4/2025"}]), "the column"
         " date_of_service_from may hold dates month first or day first"),
    ],
    ids=["cut", "no footer", "damaged pages", "encrypted", "list", "record", "zone", "order"],
)  # fmt: skip
def test_a_parquet_file_that_cannot_be_read_is_set_aside_in_a_sentence(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    made = read(tmp_path, "medical.parquet", data)
    [told] = set_aside(made)
    assert told.startswith(f"medical.parquet: {reason}")
    assert len(made["claims"]) == 0


def test_a_column_that_practice_toml_names_and_the_file_lacks_is_told(tmp_path: Path) -> None:
    table = pq.read_table(io.BytesIO(parquet(CLAIMS))).drop_columns(["allowed_amount"])
    packed = io.BytesIO()
    pq.write_table(table, packed)
    [told] = set_aside(read(tmp_path, "medical.parquet", packed.getvalue()))
    assert told.endswith("lacks columns that practice.toml names for it: allowed_amount")

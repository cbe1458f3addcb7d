"""The practice's folder: nothing put there is lost, and nothing counts twice."""

import csv
import io
import os
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from analysis import engine, schemas, tables
from analysis.config import PayerStatement, PlanStatement, Practice
from analysis.errors import ConfigError
from analysis.intake import folder, spool
from analysis.intake.folder import quarantine_file, read_folder
from analysis.intake.parsed import Parsed
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.x12 import envelopes
from analysis.intake.x12.batches import Batch

PSEUDONYMS = Pseudonyms(b"k" * 32)
APPEALS = "claim_number,level,filed_date\nC1,1,2026-03-04\n"


def x12(body: str, group: str, version: str, control: str = "000000001") -> str:
    header = (
        "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       "
        f"*260310*1200*^*00501*{control}*0*P*:~GS*{group}*S*R*20260310*1200*1*X*{version}~"
    )
    return f"{header}{body}GE*1*1~IEA*1*{control}~"


def remit(*controls: str, payer: str = "BLUE", payer_id: str = "00123", **envelope: str) -> str:
    claims = "".join(
        f"CLP*{control}*1*100*80*20*12*ICN{control}*11*1~CAS*PR*1*20~NM1*QC*1*PATIENT*N1****MI*M1~"
        "SVC*HC:97124*100*80**2~DTM*472*20260302~CAS*PR*1*20~"
        for control in controls
    )
    body = (
        f"ST*835*0001~BPR*I*{80 * len(controls)}*C*ACH************20260310~TRN*1*T1*1999~"
        f"DTM*405*20260310~N1*PR*{payer}~REF*2U*{payer_id}~N1*PE*CLINIC*XX*1234567893~LX*1~"
        f"{claims}SE*9*0001~"
    )
    return x12(body, "HP", "005010X221A1", **envelope)


def claim(
    *controls: str, payer: str = "BLUE", payer_id: str = "00123", indicator: str = "BL"
) -> str:
    claims = "".join(
        f"CLM*{control}*100***11:B:1*Y*A*Y*Y~HI*ABK:M5450~LX*1~SV1*HC:97124*100*UN*2***1~"
        "DTP*472*D8*20260302~"
        for control in controls
    )
    body = (
        "ST*837*0001*005010X222A1~BHT*0019*00*1*20260303*1200*CH~NM1*41*2*CLINIC*****46*1~"
        "PER*IC*A*TE*5555555555~NM1*40*2*HOUSE*****46*2~HL*1**20*1~"
        "NM1*85*2*CLINIC*****XX*1234567893~N3*1 ST~N4*SEATTLE*WA*98101~REF*EI*111111111~"
        f"HL*2*1*22*0~SBR*P*18*G-5500*EXAMPLE EMPLOYER*****{indicator}~"
        "NM1*IL*1*PATIENT*N1****MI*M1~N3*1 ST~N4*SEATTLE*WA*98101~DMG*D8*19800101*F~"
        f"NM1*PR*2*{payer}*****PI*{payer_id}~{claims}SE*20*0001~"
    )
    return x12(body, "HC", "005010X222A1")


def put(raw: Path, **files: str | bytes) -> Path:
    """`files` by name, in which __ stands for the point before the ending."""
    raw.mkdir(exist_ok=True)
    for name, content in files.items():
        path = raw / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return raw


def zipped(packing: int = zipfile.ZIP_DEFLATED, /, **members: str | bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return packed.getvalue()


def read(raw: Path, practice: Practice | None = None) -> dict[str, pa.Table]:
    return read_folder(raw, practice or Practice(), PSEUDONYMS)


def account(found: dict[str, pa.Table]) -> list[tuple[str, str, int, str]]:
    names = ["file_name", "record", "position", "disposition"]
    return [tuple(row.values()) for row in found["row_ledger"].select(names).to_pylist()]


def reasons(found: dict[str, pa.Table]) -> list[str]:
    return [reason for reason in found["row_ledger"]["reason"].to_pylist() if reason]


def test_an_empty_folder_gives_every_table_of_intake_as_declared(tmp_path) -> None:
    found = read(tmp_path)
    assert {"payers", "plans", "payer_names", "row_ledger", *folder.TABLES} == set(found)
    for name, table in found.items():
        assert table.schema == tables.arrow_schema(name)
        assert table.num_rows == 0


def test_files_are_known_by_content_wherever_they_lie(tmp_path) -> None:
    raw = put(tmp_path / "demo", a__txt=remit("C1"), b__dat="\n\n" + claim("C1"), c__bak=APPEALS)
    (raw / "2026").mkdir()
    put(raw / "2026", d__zip=zipped(deep__era=remit("C2")))
    found = read(raw)
    assert sorted(account(found)) == [
        ("2026/d.zip/deep.era", "CLP", 1, "accepted"),
        ("a.txt", "CLP", 1, "accepted"),
        ("b.dat", "CLM", 1, "accepted"),
        ("c.bak", "row", 2, "accepted"),
    ]
    assert found["remittances"]["patient_control_number"].to_pylist() == ["C2", "C1"]
    assert found["claims"]["patient_control_number"].to_pylist() == ["C1"]
    for name, table in found.items():
        assert tables.problems(name, table) == []
        assert name in schemas.TABLES


def test_notes_settings_and_hidden_files_are_none_of_the_data(tmp_path) -> None:
    files = {
        "practice__toml": "",
        "notes__md": "x",
        "README__txt": "x",
        "Thumbs__db": "x",
        "__DS_Store": "x",
        "kept__csv": APPEALS,
    }
    raw = put(tmp_path / "demo", **files)
    (raw / ".git").mkdir()
    put(raw / ".git", config="x")
    assert [row[0] for row in account(read(raw))] == ["kept.csv"]


def test_the_same_file_under_two_names_counts_once(tmp_path) -> None:
    raw = put(
        tmp_path / "demo",
        a__835=remit("C1", "C2"),
        b__835=remit("C1", "C2") + "\r\n",
        c__csv=APPEALS,
        d__csv=APPEALS,
    )
    found = read(raw)
    assert Counter((row[0], row[3]) for row in account(found)) == {
        ("a.835", "accepted"): 2,
        ("b.835", "duplicate"): 2,
        ("c.csv", "accepted"): 1,
        ("d.csv", "duplicate"): 1,
    }
    told = {row["file_name"]: row["duplicate_of"] for row in found["row_ledger"].to_pylist()}
    assert told == {"a.835": None, "b.835": "a.835", "c.csv": None, "d.csv": "c.csv"}
    assert found["remittances"].num_rows == 2
    assert found["appeals"].num_rows == 1


def test_an_interchange_repeated_inside_a_file_counts_once_and_keeps_its_place(tmp_path) -> None:
    first, second = remit("C1", "C2"), remit("C3", control="000000002")
    raw = put(tmp_path / "demo", a__835=first + "\n" + first + "\n" + second)
    found = read(raw)
    assert [row[1:] for row in account(found)] == [
        ("CLP", 1, "accepted"),
        ("CLP", 2, "accepted"),
        ("CLP", 3, "duplicate"),
        ("CLP", 4, "duplicate"),
        ("CLP", 5, "accepted"),
    ]
    assert found["remittances"]["position"].to_pylist() == [1, 2, 5]
    assert tables.problems("row_ledger", found["row_ledger"]) == []


def test_what_cannot_be_read_is_set_aside_with_a_reason(tmp_path) -> None:
    raw = put(
        tmp_path / "demo",
        blank__835="\n \n",
        institutional__837=claim("C1").replace("X222", "X223"),
        picture__csv=b"\x89PNG\x00\x00",
        remit__pdf="%PDF-1.7",
        table__csv="PATIENT,N1\n",
    )
    (raw / "gone.835").symlink_to(raw / "nowhere")
    (raw / "folder.835").symlink_to(tmp_path)
    os.mkfifo(raw / "pipe.835")
    found = read(raw)
    assert {row[3] for row in account(found)} == {"quarantined"}
    said = {row["file_name"]: row["reason"] for row in found["row_ledger"].to_pylist()}
    expected = {
        "blank.835": "is empty",
        "folder.835": "could not be opened",
        "gone.835": "could not be opened",
        "institutional.837": "institutional claims",
        "picture.csv": "is neither X12 nor text",
        "pipe.835": "could not be opened",
        "remit.pdf": "is a PDF",
        "table.csv": "no header known here",
    }
    assert list(said) == sorted(expected)
    assert {name: text in said[name] for name, text in expected.items()} == dict.fromkeys(
        said, True
    )
    assert "PATIENT" not in said["table.csv"]


def test_a_file_behind_a_link_is_read(tmp_path) -> None:
    (tmp_path / "download.835").write_text(remit("C1"))
    raw = put(tmp_path / "demo")
    (raw / "march.835").symlink_to(tmp_path / "download.835")
    assert account(read(raw)) == [("march.835", "CLP", 1, "accepted")]


def locked() -> bytes:
    """A zip archive whose only member says that it is encrypted."""
    data = bytearray(zipped(a__835=remit("C1")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


def damaged() -> bytes:
    data = bytearray(zipped(a__835=remit("C1")))
    data[60] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (locked(), "is locked with a password"),
        (damaged(), "is damaged inside its archive"),
        (zipped(a__835=remit("C1"))[:-30], "is a damaged zip archive"),
        (zipped(), "without a file in it"),
        (zipped(__hidden="x"), "without a file in it"),
        (zipped(a__835=b"0" * 30_000_000), "unpack to far too much"),
        (zipped(inner__zip=zipped(a__835=remit("C1"))), "inside an archive"),
        (zipped(**{"[Content_Types]__xml": "<x/>"}), "save the sheet as CSV"),
    ],
)
def test_an_archive_that_cannot_be_unpacked_is_set_aside(tmp_path, data, reason) -> None:
    found = read(put(tmp_path / "demo", a__zip=data, b__csv=APPEALS))
    assert [row[3] for row in account(found)] == ["quarantined", "accepted"]
    assert reason in reasons(found)[0]


def test_a_defect_of_ours_costs_one_interchange_and_quotes_nothing(tmp_path, monkeypatch) -> None:
    sound = folder._READERS["835"]

    def broken(batch: Batch, pseudonyms: Pseudonyms) -> list[Parsed]:
        if "a.835" in batch.file_names:
            raise ValueError("PATIENT N1")
        return sound(batch, pseudonyms)

    monkeypatch.setitem(folder._READERS, "835", broken)
    found = read(put(tmp_path / "demo", a__835=remit("C1"), b__837=claim("C1"), c__835=remit("C2")))
    assert account(found) == [
        ("a.835", "interchange", 1, "quarantined"),
        ("b.837", "CLM", 1, "accepted"),
        ("c.835", "CLP", 1, "accepted"),
    ]
    assert "ValueError" in reasons(found)[0]
    assert "PATIENT" not in reasons(found)[0]


def test_insurers_are_those_stated_then_those_met_with_their_usual_name(tmp_path) -> None:
    raw = put(
        tmp_path / "demo",
        a__837=claim("C1", payer="BLUE PLAN", indicator="BL"),
        b__837=claim("C2", payer="BLUE PLN", indicator="BL") + claim("C3", payer="BLUE PLN"),
        c__837=claim("C4", payer="VETERANS", payer_id="VA1", indicator="VA"),
        d__835=remit("C9", payer="TRUST", payer_id="T1"),
    )
    stated = PayerStatement(
        id="T0", name="The Trust", payer_type="union_trust", network_status="in"
    )
    practice = Practice(
        payers=(stated,),
        plans=(PlanStatement(payer_id="00123", id="G-5500", name="Employer", funding="insured"),),
    )
    found = read(raw, practice)
    assert [tuple(row.values())[:5] for row in found["payers"].to_pylist()] == [
        ("T0", "The Trust", "union_trust", "practice", "in"),
        ("00123", "BLUE PLN", "commercial_unspecified", "filing_indicator", "unknown"),
        ("T1", "TRUST", "commercial_unspecified", "filing_indicator", "unknown"),
        ("VA1", "VETERANS", "va_community_care", "filing_indicator", "unknown"),
    ]
    assert [tuple(row.values()) for row in found["plans"].to_pylist()] == [
        ("00123", "G-5500", "Employer", "insured", "practice", "unknown", "unknown", None),
        ("VA1", "G-5500", "EXAMPLE EMPLOYER", "public", "payer_type", "unknown", "unknown", None),
    ]


def test_an_alias_brings_an_insurers_other_id_or_name_under_its_own_id(tmp_path) -> None:
    raw = put(
        tmp_path / "demo",
        a__837=claim("C1"),
        b__835=remit("C1", payer="BLUE", payer_id="B9"),
        c__835=remit("C2", payer="Blue  Plan of WA", payer_id="B7"),
        d__835=remit("C3", payer="GREEN", payer_id="G1"),
        e__csv="authorization_number,payer_id,status\nA1,b9,approved\n",
    )
    payer = PayerStatement(id="00123", name="Blue", aliases=("B9", "BLUE PLAN OF WA"))
    found = read(raw, Practice(payers=(payer,)))
    assert found["remittances"]["payer_id"].to_pylist() == ["00123", "00123", "G1"]
    assert found["authorizations"]["payer_id"].to_pylist() == ["00123"]
    assert found["payers"]["payer_id"].to_pylist() == ["00123", "G1"]
    for name, table in found.items():
        assert table.schema == tables.arrow_schema(name)


@pytest.mark.parametrize(
    ("practice", "said"),
    [
        (
            Practice(payers=(PayerStatement(id="1", name="A", payer_type="auto_pip"),)),
            "did you mean 'auto_PIP'",
        ),
        (
            Practice(payers=(PayerStatement(id="1", name="A"), PayerStatement(id="1", name="B"))),
            "payers: id 1 stands more than once",
        ),
        (
            Practice(
                payers=(
                    PayerStatement(id="1", name="A", aliases=("BLUE",)),
                    PayerStatement(id="2", name="B", aliases=("blue",)),
                )
            ),
            "alias BLUE stands more than once",
        ),
        (
            Practice(plans=(PlanStatement(payer_id="1", id="G", name="A"),) * 2),
            "plans: id G of 1 stands more than once",
        ),
    ],
)
def test_a_practice_toml_that_contradicts_itself_is_refused(tmp_path, practice, said) -> None:
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, practice)


def test_the_quarantine_file_lists_what_was_set_aside_and_holds_no_formula(tmp_path) -> None:
    raw = put(tmp_path / "demo", **{"=cmd__csv": "x\n", "b__csv": APPEALS + ",1,2026-03-04\n"})
    path = quarantine_file(tmp_path / "private", read(raw)["row_ledger"])
    assert path.stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["file_name", "record", "position", "reason"]
    assert [row[:3] for row in rows[1:]] == [["'=cmd.csv", "file", "1"], ["b.csv", "row", "3"]]
    assert all(row[3].startswith(("'=cmd.csv", "b.csv, line 3")) for row in rows[1:])


def test_a_run_again_gives_the_same_tables(tmp_path) -> None:
    raw = put(tmp_path / "demo", a__835=remit("C1"), b__837=claim("C1"), c__csv=APPEALS)
    once, again = read(raw), read(raw)
    assert {name: table.to_pylist() for name, table in once.items()} == {
        name: table.to_pylist() for name, table in again.items()
    }


def test_files_read_a_part_at_a_time_and_kept_in_files_give_the_same(tmp_path, monkeypatch) -> None:
    year = "".join(remit(f"A{n}", f"B{n}", payer_id=f"0{n}") for n in range(40))
    raw = put(
        tmp_path / "raw",
        claims__837=claim("A1", "A2", "B3"),
        year__835=year,
        again__835=remit("A3", "B3", payer_id="03") + remit("C1", payer="PAPER", payer_id="PAPER"),
        torn__835=year[: len(year) // 3],
        unpacked__zip=zipped(zipfile.ZIP_STORED, inside__835=remit("D1", "D2", "D3", "D4", "D5")),
        payer_aliases__csv="name_as_written,payer_id_as_written,payer_id\nBLUE,01,02\n,,01\n",
    )
    whole = read(raw)
    monkeypatch.setattr(envelopes, "_BLOCK", 500)
    monkeypatch.setattr(folder, "_MOST_WAITING", 1_000)
    monkeypatch.setattr(spool, "_MOST_BYTES", 10_000)
    with engine.workspace(tmp_path / "work", "1 GB"):
        in_parts = read(raw)
        assert isinstance(in_parts["remittances"], Path)
        assert set(in_parts) == set(whole)
        for name, source in in_parts.items():
            assert tables.load(tables.conform(name, tables.load(source))).equals(whole[name]), name
        quarantined = quarantine_file(tmp_path / "private", in_parts["row_ledger"]).read_text()
    assert quarantined == quarantine_file(tmp_path / "other", whole["row_ledger"]).read_text()
    assert quarantined.count("\n") > 2

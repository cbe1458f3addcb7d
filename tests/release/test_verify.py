"""A release that was tampered with is found out, by a program that needs Python alone."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.release import verify
from analysis.release.ledger import Ledger, digest
from analysis.release.publishing import _private, retract
from release.conftest import Made

TABLE = "tables/approval_by_insurer_and_condition.csv"
OTHER = "tables/approval_by_insurer_and_quarter.csv"


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """verify.py of the folder, run as a stranger would: without arguments, without our package."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def write_sums(folder: Path) -> None:
    files = verify.files_of(folder) | {verify.LEDGER: verify.sha256(folder / verify.LEDGER)}
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    (folder / verify.SUMS).write_text(text, encoding="utf-8")


def write_ledger(folder: Path) -> None:
    """Make the last entry agree with the files, as one does who knows how it is made."""
    lines = (folder / verify.LEDGER).read_text("utf-8").splitlines()
    entry = json.loads(lines[-1])
    entry |= {"files": verify.files_of(folder), "release_id": verify.release_id(folder)}
    lines[-1] = json.dumps(entry, sort_keys=True, ensure_ascii=False)
    (folder / verify.LEDGER).write_text("\n".join(lines) + "\n", encoding="utf-8")


def edit(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    path.write_text(after, encoding="utf-8")


def next_digit(text: str, pattern: str) -> str:
    """The text with the last digit of the first match one higher."""
    match = re.search(pattern, text)
    assert match
    place = match.end() - 1
    return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]


def a_digit_of_a_table(folder: Path) -> None:
    edit(folder / TABLE, lambda text: next_digit(text, r"\n[^\n]*,\d\d+"))


def a_digit_of_a_finding(folder: Path) -> None:
    edit(folder / "findings.json", lambda text: next_digit(text, r'"numerator": \d+'))


def a_digit_of_the_prose(folder: Path) -> None:
    edit(folder / verify.PAGE, lambda text: next_digit(text, r"Of \d,\d+"))


def a_number_between_the_findings(folder: Path) -> None:
    edit(folder / verify.PAGE, lambda t: t.replace("A claim is counted once", "All 777 claims", 1))


def a_digit_of_a_table_on_the_page(folder: Path) -> None:
    edit(
        folder / verify.PAGE,
        lambda text: next_digit(text, r'<td [^>]*data-label="Approved"[^>]*>\d+'),
    )


def a_digit_of_a_figure(folder: Path) -> None:
    edit(
        folder / "figures/approval_by_insurer.csv", lambda text: next_digit(text, r"\n[^\n]*\.\d+")
    )


def a_digit_in_a_picture(folder: Path) -> None:
    edit(folder / "figures/approval_by_insurer.svg", lambda text: next_digit(text, r", n \d+"))


def two_tables_swapped(folder: Path) -> None:
    one, two = (folder / TABLE).read_bytes(), (folder / OTHER).read_bytes()
    (folder / TABLE).write_bytes(two)
    (folder / OTHER).write_bytes(one)


def a_finding_added(folder: Path) -> None:
    found = json.loads((folder / "findings.json").read_text("utf-8"))
    found["findings"].append({**found["findings"][-1], "number": len(found["findings"]) + 1})
    (folder / "findings.json").write_text(json.dumps(found), encoding="utf-8")


def a_finding_removed(folder: Path) -> None:
    found = json.loads((folder / "findings.json").read_text("utf-8"))
    found["findings"].pop()
    (folder / "findings.json").write_text(json.dumps(found), encoding="utf-8")


def a_world_of_the_certificate(folder: Path) -> None:
    stated = json.loads((folder / "certificate.json").read_text("utf-8"))
    stated["worlds"][0][0] += 1
    (folder / "certificate.json").write_text(json.dumps(stated), encoding="utf-8")


TAMPERINGS = {
    a_digit_of_a_table: TABLE.split("/")[0],
    a_digit_of_a_finding: "findings.json, finding 1: numerator",
    a_digit_of_the_prose: "a sentence is no finding's",
    a_number_between_the_findings: "777 is bound to no finding",
    a_digit_of_a_table_on_the_page: "a row is not the released table's",
    a_digit_of_a_figure: "figures/approval_by_insurer.csv: not the numbers of the tables",
    a_digit_in_a_picture: "figures/approval_by_insurer.svg: it does not say",
    two_tables_swapped: "its columns are not",
    a_finding_added: "no row of the tables carries it",
    a_finding_removed: "is missing",
    a_world_of_the_certificate: "does not fit world 1",
}


def digits_of_another_script(folder: Path) -> None:
    edit(
        folder / TABLE, lambda text: text.replace("all,all,1", "all,all,\N{FULLWIDTH DIGIT ONE}", 1)
    )


def rows_in_another_order(folder: Path) -> None:
    def turned(text: str) -> str:
        head, first, second, *rest = text.splitlines()
        return "\n".join([head, second, first, *rest]) + "\n"

    edit(folder / TABLE, turned)


def a_file_added(folder: Path) -> None:
    (folder / "press.txt").write_text("Insurers refuse 99% of claims.", encoding="utf-8")


def the_words_for_a_picture(folder: Path) -> None:
    edit(folder / verify.PAGE, lambda text: next_digit(text, r'aria-label="Approved[^"%]*\d\d'))


def an_insurer_in_a_finding(folder: Path) -> None:
    found = json.loads((folder / "findings.json").read_text("utf-8"))
    one = next(one for one in found["findings"] if "insurer" in one["values"])
    name, said = one["values"]["insurer"], one["sentence"]
    one["values"]["insurer"], one["sentence"] = "Somebody Else", said.replace(name, "Somebody Else")
    (folder / "findings.json").write_text(json.dumps(found), encoding="utf-8")
    edit(folder / verify.PAGE, lambda text: text.replace(said, one["sentence"]))


def whom_to_cite(folder: Path) -> None:
    edit(folder / "CITATION.cff", lambda text: text.replace('name: "', 'name: "Not '))


def how_many_have_no_answer(folder: Path) -> None:
    edit(folder / verify.PAGE, lambda text: text.replace("fewer than one in", "fewer than two in"))


TAMPERINGS |= {
    how_many_have_no_answer: "public_findings.html: it does not say Of the claims old enough",
    digits_of_another_script: "is no count",
    rows_in_another_order: "not every combination of categories stands once",
    a_file_added: "press.txt: no file of a release",
    the_words_for_a_picture: "no picture says Approved at the first answer",
    an_insurer_in_a_finding: "values is {'insurer': 'Somebody Else'",
    whom_to_cite: "CITATION.cff: it does not say",
}


def test_a_link_is_named(released: Path) -> None:
    (released / "more").symlink_to(released.parent, target_is_directory=True)
    assert "more: a link; a release holds none" in verify.problems(released)


def test_an_entry_left_out_of_the_ledger_is_named(released: Path) -> None:
    *_, last = (released / verify.LEDGER).read_text("utf-8").splitlines()
    anew = json.dumps(json.loads(last) | {"previous": "0" * 64}, sort_keys=True, ensure_ascii=False)
    (released / verify.LEDGER).write_text(anew + "\n", encoding="utf-8")
    write_sums(released)
    assert "ledger.jsonl: the entry of release 1 is missing" in verify.problems(released)


def test_a_release_holds_for_a_stranger_with_python_alone(released: Path) -> None:
    done = check(released)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert verify.release_id(released) in done.stdout
    assert verify.ledger_head(released) in done.stdout


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda function: function.__name__)
def test_tampering_is_named(alone: Path, tamper: Callable[[Path], None]) -> None:
    before = verify.files_of(alone)
    tamper(alone)
    after = verify.files_of(alone)
    changed = sorted(name for name in before if before[name] != after[name])
    found = verify.problems(alone)
    for name in changed:
        assert f"{name}: changed since SHA256SUMS was written" in found
    write_sums(alone)
    found = verify.problems(alone)
    for name in changed:
        assert f"{name}: not as the ledger recorded it" in found
    write_ledger(alone)
    write_sums(alone)
    # Checksums and ledger agree again: only what the numbers say is left.
    done = check(alone)
    assert done.returncode == 4
    assert TAMPERINGS[tamper] in done.stdout, done.stdout


def test_any_digit_of_any_table_is_bound_to_the_rest(released: Path) -> None:
    text = (released / OTHER).read_text("utf-8")
    for line, match in [(n, m) for n, m in enumerate(re.finditer(r",(\d{2,})", text))][::7]:
        end = match.end() - 1
        changed = text[:end] + str((int(text[end]) + 1) % 10) + text[end + 1 :]
        (released / OTHER).write_text(changed, encoding="utf-8")
        write_ledger(released)
        write_sums(released)
        assert verify.problems(released), line


def test_a_retracted_release_put_back_is_named(made: Made, released: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(made.folders.data_dir, tmp_path / "data"))
    folders = type(made.folders)(copy, made.folders.reports_dir, made.folders.practice)
    retract([folders], made.second.number, "the files of one insurer were missing", released)
    done = check(released)
    assert done.returncode == 4
    assert "release 2 was retracted: the files of one insurer were missing" in done.stdout
    # The old files under the newer ledger, checksums rewritten.
    old = Path(shutil.copytree(made.first.folder, tmp_path / "old"))
    shutil.copy(released / verify.LEDGER, old / verify.LEDGER)
    write_sums(old)
    retract([folders], made.first.number, "counted twice", old)
    assert "release 1 was retracted: counted twice" in verify.problems(old)


def test_a_broken_chain_is_named(released: Path) -> None:
    edit(released / verify.LEDGER, lambda text: text.replace('"release": 1', '"release": 9', 1))
    write_sums(released)
    assert any("the chain is broken before entry 2" in p for p in verify.problems(released))


def test_only_numbers_made_known_elsewhere_tell_of_a_release_made_anew(
    made: Made, released: Path
) -> None:
    # The honest limit: a consistent forgery holds, under another number than the published one.
    about = json.loads((released / "release.json").read_text("utf-8"))
    (released / "release.json").write_text(json.dumps({**about, "note": "x"}), encoding="utf-8")
    now = verify.release_id(released)
    for name in (verify.PAGE, "README.md", "CITATION.cff"):
        text = (released / name).read_text("utf-8").replace(made.second.release_id, now)
        text = text.replace(made.second.release_id[:12], now[:12])
        (released / name).write_text(text, encoding="utf-8")
    write_ledger(released)
    write_sums(released)
    done = check(released)
    assert done.returncode == 0
    assert made.second.release_id not in done.stdout
    assert made.second.ledger_head not in done.stdout


def test_the_ledger_chains_its_entries(made: Made) -> None:
    text = Ledger(_private(made.folders, [made.folders])).text
    first, second = text.splitlines()
    assert json.loads(second)["previous"] == digest(first)
    assert text == (made.second.folder / verify.LEDGER).read_text("utf-8")

"""A case is told with consent and its base rate, names nobody, and can be taken back."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.config import Folders, load_practice
from analysis.errors import ConfigError, GateRefused
from analysis.intake import people
from analysis.release import publishing, verify
from analysis.release.publishing import Asked
from release.conftest import Made, reads_pdf
from release.test_verify import check, edit, write_ledger, write_sums

TEXT = "The plan asked for a prescription only after the visits were over."


@pytest.fixture(scope="module")
def untold(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The practice as it was before its first release."""
    root = tmp_path_factory.mktemp("stories")
    shutil.copytree(made.folders.data_dir, root / "data")
    folders = Folders(root / "data", root / "reports", "canary")
    shutil.rmtree(folders.private / "releases")
    return folders


@pytest.fixture
def folders(untold: Folders, tmp_path: Path) -> Folders:
    data = Path(shutil.copytree(untold.data_dir, tmp_path / "data"))
    return Folders(data, tmp_path / "reports", "canary")


@pytest.fixture(scope="module")
def insurer(made: Made) -> str:
    """One whose rate the first release states."""
    found = json.loads((made.first.folder / "findings.json").read_text("utf-8"))["findings"]
    return next(f["values"]["insurer"] for f in found if "insurer" in f["values"])


def tell(folders: Folders, **said: Any) -> None:
    """Write one story into practice.toml; what is None is left out."""
    told = {"title": "Too late", "text": TEXT, "consented_on": "2026-03-01",
            "consent_is_kept": "binder"} | said  # fmt: skip
    lines = [
        f"{name} = {value if name == 'consented_on' else json.dumps(value)}"
        for name, value in told.items()
        if value is not None
    ]
    path = folders.raw / "practice.toml"
    plain = path.read_text("utf-8").split("[[stories]]")[0]
    path.write_text("\n".join([plain, "[[stories]]", *lines, ""]), encoding="utf-8")


def release(folders: Folders, to: Path, **given: Any) -> publishing.Released:
    return publishing.release(Asked([folders], "2026-06", to, 200, **given), lambda _: None)


@pytest.fixture(scope="module")
def told(untold: Folders, insurer: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("told")
    data = Path(shutil.copytree(untold.data_dir, root / "data"))
    folders = Folders(data, root / "reports", "canary")
    tell(folders, insurer=insurer)
    return release(folders, root / "one").folder


def test_a_case_is_told_beside_the_rate_of_claims_like_it(told: Path, insurer: str) -> None:
    found = json.loads((told / "findings.json").read_text("utf-8"))
    [story] = found["stories"]
    base = next(f for f in found["findings"] if f["values"].get("insurer") == insurer)
    assert TEXT in story["sentence"]
    assert story["sentence"].endswith(base["sentence"])
    assert (story["numerator"], story["denominator"]) == (base["numerator"], base["denominator"])
    page = (told / verify.PAGE).read_text("utf-8")
    assert re.search(rf"Finding {story['number']}\. One case[^<]*{re.escape(TEXT)}", page)
    assert check(told).returncode == 0
    # Where the consent lies concerns nobody outside.
    assert not any(b"binder" in p.read_bytes() for p in told.rglob("*") if p.is_file())


@reads_pdf
def test_the_printed_case_has_its_rate_beside_it(told: Path) -> None:
    text = ["pdftotext", "-raw", str(told / "public_findings.pdf"), "-"]
    printed = subprocess.run(text, capture_output=True, text=True, check=True).stdout
    [story] = json.loads((told / "findings.json").read_text("utf-8"))["stories"]
    assert " ".join(story["sentence"].split()) in " ".join(printed.split())


@pytest.mark.parametrize("left_out", ["consented_on", "consent_is_kept"])
def test_without_recorded_consent_a_case_is_not_even_read(folders: Folders, left_out: str) -> None:
    tell(folders, **{left_out: None})
    with pytest.raises(ConfigError, match=left_out):
        load_practice(folders.raw)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"consented_on": "2999-01-01"}, "lies in the future"),
        ({"text": "She was 42 when the plan refused."}, "its text holds a number"),
        ({"title": "The ½ hour"}, "its title holds a number"),
        ({"insurer": "An insurer nobody has"}, "states no rate of An insurer nobody has"),
        ({"insurer": "", "condition": ""}, "states no rate of claims like it"),
    ],
)
def test_a_case_that_must_not_be_told_stops_the_release(
    folders: Folders, insurer: str, tmp_path: Path, said: dict[str, Any], why: str
) -> None:
    tell(folders, **({"insurer": insurer} | said))
    with pytest.raises(GateRefused, match=why):
        release(folders, tmp_path / "one")
    assert not (tmp_path / "one").exists()


def test_a_patients_name_is_found_wherever_the_files_hold_it_and_not_repeated(
    folders: Folders, insurer: str, tmp_path: Path
) -> None:
    names = sorted(people.named(folders.raw))
    (folders.raw / "visits.csv").write_text("Client Name,Charge\nÖzdemir,9\n", encoding="utf-8")
    for name in (names[0], names[-1], "özdemir"):
        tell(folders, insurer=insurer, text=f"When {name.title()}'s plan refused, we appealed.")
        with pytest.raises(GateRefused, match="word 2 of its text") as refusal:
            release(folders, tmp_path / "one")
        assert name not in str(refusal.value).casefold()


def test_a_case_needs_the_consent_of_the_practice_too(folders: Folders, insurer: str) -> None:
    tell(folders, insurer=insurer)
    path = folders.raw / "practice.toml"
    plain = path.read_text("utf-8").replace("made_up = true", "")
    path.write_text(plain.replace("consent_to_publish = true", ""), encoding="utf-8")
    stated = load_practice(folders.raw)
    with pytest.raises(GateRefused, match="consent_to_publish"):
        publishing.stories.allowed([folders], [stated], stated.stories[0].consented_on)


@pytest.mark.slow
def test_a_case_taken_back_is_replaced_by_a_release_without_it(
    folders: Folders, insurer: str, tmp_path: Path
) -> None:
    tell(folders, insurer=insurer)
    first = release(folders, tmp_path / "one")
    path = folders.raw / "practice.toml"
    path.write_text(path.read_text("utf-8").split("[[stories]]")[0], encoding="utf-8")
    asked = Asked([folders], "2026-06", tmp_path / "two", corrects=1, reason="consent taken back")
    second = publishing.release(asked, lambda _: None)
    assert second.number == 2
    assert check(second.folder).returncode == 0
    assert TEXT not in (second.folder / "findings.json").read_text("utf-8")
    old = Path(shutil.copytree(first.folder, tmp_path / "old"))
    shutil.copy(second.folder / verify.LEDGER, old / verify.LEDGER)
    write_sums(old)
    assert "release 1 was replaced by release 2: consent taken back" in check(old).stdout


def changed(told: Path, change: Callable[[dict[str, Any]], None]) -> None:
    found = json.loads((told / "findings.json").read_text("utf-8"))
    change(found["stories"][0])
    (told / "findings.json").write_text(json.dumps(found), encoding="utf-8")


def a_word_of_the_case(folder: Path) -> None:
    changed(folder, lambda story: story["values"].update(text="The plan never paid anybody."))


def a_number_in_the_case(folder: Path) -> None:
    changed(folder, lambda story: story["values"].update(text="It took 9 letters."))


def another_rate_beside_it(folder: Path) -> None:
    changed(folder, lambda story: story["values"].update(base="Nine in ten are refused."))


def other_numbers_of_it(folder: Path) -> None:
    changed(folder, lambda story: story.update(numerator=story["numerator"] + 1))


def the_case_on_the_page(folder: Path) -> None:
    edit(folder / verify.PAGE, lambda text: text.replace("only after the visits", "after all"))


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (a_word_of_the_case, "does not say its own words"),
        (a_number_in_the_case, "its case holds a number"),
        (another_rate_beside_it, "the rate beside its case is no finding's"),
        (other_numbers_of_it, "its numbers are not those of the rate"),
        (the_case_on_the_page, "a sentence is no finding's"),
    ],
)
def test_a_case_tampered_with_is_named_though_sums_and_ledger_agree(
    told: Path, tmp_path: Path, tamper: Callable[[Path], None], said: str
) -> None:
    folder = Path(shutil.copytree(told, tmp_path / "release"))
    tamper(folder)
    write_ledger(folder)
    write_sums(folder)
    done = check(folder)
    assert done.returncode == 4
    assert said in done.stdout

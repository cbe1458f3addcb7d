"""A build that was killed goes on to the same bytes; a month on top gives what a rebuild gives."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis import pipeline, synthetic, tables
from analysis.config import Folders
from analysis.errors import DataError
from analysis.intake import spool

STEPS = [step.name for step in pipeline.STEPS]
# The others fit and judge the model, which the engine's limit does not bind.
ON_THE_ENGINE = STEPS[: STEPS.index("model")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A practice built without interruption."""
    data = tmp_path_factory.mktemp("whole")
    synthetic.synthesize("clinic", data_dir=data, n_claims=60, n_months=12, seed=3)
    return built(folders(data))


def folders(data: Path) -> Folders:
    return Folders(data, data / "reports", "clinic")


def built(practice: Folders) -> Folders:
    pipeline.build(practice, say=lambda _: None)
    return practice


def copy(whole: Folders, data: Path) -> Folders:
    """Its raw files and its key, since another key gives other pseudonyms; nothing built."""
    made = folders(data)
    shutil.copytree(whole.raw, made.raw)
    made.private.mkdir(parents=True)
    shutil.copy(whole.private / "pseudonym.key", made.private)
    return made


def contents(practice: Folders) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(practice.processed.iterdir())}


def kill_during(practice: Folders, step: str) -> None:
    """kill -9 as soon as a build has begun `step`."""
    code = f"pipeline.ready('clinic', through={step!r}, data_dir={str(practice.data_dir)!r})"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", f"from analysis import pipeline; {code}"],
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        title = next(one.title for one in pipeline.STEPS if one.name == step)
        for line in child.stdout:
            if f"{title} ..." in line:
                break
        child.kill()
    assert child.returncode == -9


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
@pytest.mark.parametrize(
    "killed", [["outcomes"], pytest.param(STEPS, marks=pytest.mark.slow)], ids=["one", "every"]
)
def test_a_build_killed_in_a_step_goes_on_from_it_to_the_same_bytes(
    whole: Folders, tmp_path: Path, killed: list[str]
) -> None:
    practice = copy(whole, tmp_path)
    for step in killed:
        kill_during(practice, step)
    said: list[str] = []
    ran = pipeline.build(practice, say=said.append)
    assert ran == STEPS[STEPS.index(killed[-1]) :]
    title = next(step.title for step in pipeline.STEPS if step.name == killed[-1])
    assert f"the last build was ended while {title}" in said[0]
    assert contents(practice) == contents(whole)
    assert not (practice.private / "work").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
def test_a_build_killed_after_its_last_table_leaves_no_patients_rows_once_it_runs_again(
    whole: Folders, tmp_path: Path
) -> None:
    practice = copy(whole, tmp_path)
    code = (
        "import os, signal; from analysis import pipeline, tables\n"
        "write_all = tables.write_all\n"
        "def killed(folder, written, provenance):\n"
        "    write_all(folder, written, provenance)\n"
        f"    if provenance['step'] == {STEPS[-1]!r}:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "tables.write_all = killed\n"
        f"pipeline.ready('clinic', through={STEPS[-1]!r}, data_dir={str(practice.data_dir)!r})"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert (practice.private / "work").exists()
    assert pipeline.build(practice, say=lambda _: None) == []
    assert not (practice.private / "work").exists()
    assert contents(practice) == contents(whole)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no limit of a file's size")
def test_a_step_that_fills_the_disk_says_so_and_is_made_again_to_the_same_bytes(
    whole: Folders, tmp_path: Path
) -> None:
    practice = copy(whole, tmp_path)
    for step in STEPS:
        before = STEPS.index(step) - 1
        if before >= 0:
            pipeline.build(practice, through=STEPS[before], say=lambda _: None)
        title = next(one.title for one in pipeline.STEPS if one.name == step)
        said = build_without_room(practice, step)
        assert f"DataError: clinic: the disk is full while {title}; free some space" in said
        assert not (practice.private / "work").exists()
    assert pipeline.build(practice, say=lambda _: None) == STEPS[-1:]
    assert contents(practice) == contents(whole)


def build_without_room(practice: Folders, step: str) -> str:
    """What a build through `step` says on a disk that takes no file above 700 bytes."""
    code = (
        "import resource; from analysis import pipeline;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700));"
        f"pipeline.ready('clinic', through={step!r}, data_dir={str(practice.data_dir)!r})"
    )
    ended = subprocess.run(
        [sys.executable, "-B", "-c", code], capture_output=True, text=True, check=False
    )
    return ended.stderr


@pytest.mark.parametrize(
    "short",
    [["lineage"], pytest.param(ON_THE_ENGINE, marks=pytest.mark.slow)],
    ids=["one", "every"],
)
def test_a_step_short_of_memory_says_so_and_with_more_goes_on_to_the_same_bytes(
    whole: Folders, tmp_path: Path, short: list[str]
) -> None:
    practice = copy(whole, tmp_path)
    settings = practice.raw / "practice.toml"
    plain = settings.read_text("utf-8")
    for step in short:
        settings.write_text(plain, encoding="utf-8")
        before = STEPS.index(step) - 1
        if before >= 0:
            pipeline.build(practice, through=STEPS[before], say=lambda _: None)
        settings.write_text(f'memory_limit = "1 MB"\n{plain}', encoding="utf-8")
        title = next(one.title for one in pipeline.STEPS if one.name == step)
        with pytest.raises(DataError, match=f"{title} needs more memory than memory_limit"):
            pipeline.build(practice, through=step, say=lambda _: None)
        assert not (practice.private / "work").exists()
    # As the sentence says: a larger limit is stated, and the steps before are kept.
    settings.write_text(f'memory_limit = "1 GB"\n{plain}', encoding="utf-8")
    assert pipeline.build(practice, say=lambda _: None) == STEPS[STEPS.index(short[-1]) :]
    assert contents(practice) == contents(whole)


@pytest.mark.skipif(sys.platform != "linux", reason="has a file that nobody can read")
def test_a_file_that_another_program_holds_is_set_aside_until_it_can_be_read(
    whole: Folders, tmp_path: Path
) -> None:
    practice = copy(whole, tmp_path)
    remittance = next(path for path in sorted(practice.raw.iterdir()) if path.suffix == ".835")
    content = remittance.read_bytes()
    remittance.unlink()
    remittance.symlink_to("/proc/self/mem")
    assert "intake" in pipeline.build(practice, through="intake", say=lambda _: None)
    told = {
        row["file_name"]: row for row in tables.read(practice.processed, "row_ledger").to_pylist()
    }
    assert told[remittance.name]["disposition"] == "quarantined"
    assert "could not be opened" in told[remittance.name]["reason"]
    with pipeline.as_if_sent(practice, {}, "", say=lambda _: None) as scored:
        assert len(tables.read(scored.processed, "claims"))
        assert not (scored.raw / remittance.name).exists()
    remittance.unlink()
    remittance.write_bytes(content)
    assert contents(built(practice)) == contents(whole)


def test_no_table_stands_that_was_made_from_older_files(whole: Folders, tmp_path: Path) -> None:
    practice = folders(tmp_path / "data")
    shutil.copytree(whole.data_dir, practice.data_dir)
    last_claims(practice).unlink()
    pipeline.build(practice, through="outcomes", say=lambda _: None)
    with pytest.raises(DataError, match="outcomes build"):
        tables.stored(practice.processed, "claim_features")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
def test_a_build_killed_before_it_removed_older_tables_removes_them_once_it_runs_again(
    whole: Folders, tmp_path: Path
) -> None:
    practice = folders(tmp_path / "data")
    shutil.copytree(whole.data_dir, practice.data_dir)
    last_claims(practice).unlink()
    code = (
        "import os, signal; from analysis import pipeline, tables\n"
        "tables.remove = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"pipeline.ready('clinic', through='outcomes', data_dir={str(practice.data_dir)!r})"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert tables.stored(practice.processed, "claim_features").exists()
    assert pipeline.build(practice, through="outcomes", say=lambda _: None) == []
    with pytest.raises(DataError, match="outcomes build"):
        tables.stored(practice.processed, "claim_features")


def last_claims(practice: Folders) -> Path:
    return max(practice.raw.glob("claims_*"))


def test_a_step_whose_inputs_stay_as_they_were_is_not_made_again(
    whole: Folders, tmp_path: Path
) -> None:
    practice = folders(tmp_path / "data")
    shutil.copytree(whole.data_dir, practice.data_dir)
    (practice.raw / "note.csv").write_text("", encoding="utf-8")
    assert pipeline.build(practice, say=lambda _: None) == ["intake"]
    assert pipeline.build(practice, say=lambda _: None) == []


def test_files_read_through_files_give_the_same_tables_as_those_read_in_memory(
    whole: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = copy(whole, tmp_path)
    monkeypatch.setattr(spool, "_MOST_BYTES", 10_000)
    assert pipeline.build(practice, through="outcomes", say=lambda _: None) == STEPS[:3]
    for name in (name for step in pipeline.STEPS[:3] for name in step.writes):
        assert tables.read(practice.processed, name) == tables.read(whole.processed, name), name


def test_a_damaged_or_missing_table_is_made_again(whole: Folders, tmp_path: Path) -> None:
    practice = folders(tmp_path / "data")
    shutil.copytree(whole.data_dir, practice.data_dir)
    (practice.processed / "line_outcomes.parquet").write_bytes(b"PAR1")
    (practice.processed / "next_actions.parquet").unlink()
    assert pipeline.build(practice, say=lambda _: None) == ["outcomes", "actions"]
    assert contents(practice) == contents(whole)


def test_a_month_on_top_gives_what_a_rebuild_gives(whole: Folders, tmp_path: Path) -> None:
    practice = copy(whole, tmp_path / "practice")
    files = sorted(path for path in practice.raw.rglob("*") if path.is_file())
    later = [path for place, path in enumerate(files) if place % 3 == 1 and path.suffix != ".toml"]
    for path in later:
        path.rename(path.with_name("." + path.name))
    before = contents(built(practice))
    for path in later:
        path.with_name("." + path.name).rename(path)
    after = contents(built(practice))
    assert after["claims.parquet"] != before["claims.parquet"]
    assert after == contents(whole)


@pytest.mark.slow
def test_months_and_a_late_remittance_on_top_give_what_a_rebuild_gives(tmp_path: Path) -> None:
    """A month that ends a test period learns for it alone; what came late is learned for each."""
    data = tmp_path / "practice"
    synthetic.synthesize("clinic", data_dir=data, n_claims=400, n_months=20, seed=1)
    practice = folders(data)
    settings = practice.raw / "practice.toml"
    # Else the day up to which the files tell would be that of the last month from the first on.
    settings.write_text(re.sub(r"(?m)^as_of = .*\n", "", settings.read_text("utf-8")), "utf-8")
    months = {
        path: found[0]
        for path in practice.raw.iterdir()
        if (found := re.search(r"\d{4}-\d{2}", path.name))
    }
    last = sorted(set(months.values()))[-3:]
    # Of answers old enough for every period to have learned from them.
    late = sorted(path for path in months if path.name.startswith("remits_"))[3]
    for path in months:
        if months[path] in last or path == late:
            path.rename(path.with_name("." + path.name))
    told = foretold(built(practice))
    assert told
    judged = []
    for month in last:
        for path in months:
            if months[path] == month:
                path.with_name("." + path.name).rename(path)
        learned = kept(practice)
        ran = pipeline.build(practice, say=lambda _: None)
        judged.append("evaluation" in ran)
        before, told = told, foretold(practice)
        assert before.items() <= told.items()
        assert (len(told) > len(before)) == judged[-1]
        assert learned.items() <= kept(practice).items()
        assert (len(kept(practice)) > len(learned)) == judged[-1]
    assert judged == [False, True, False]
    assert contents(practice) == contents(built(copy(practice, tmp_path / "rebuilt")))

    late.with_name("." + late.name).rename(late)
    learned = kept(practice)
    built(practice)
    assert kept(practice).keys() == learned.keys()
    assert not kept(practice).items() & learned.items()
    assert foretold(practice) != told
    assert contents(practice) == contents(built(copy(practice, tmp_path / "with_the_late")))


def kept(practice: Folders) -> dict[str, int]:
    """The file that holds what was foretold of each test period; a new one has a new number."""
    found = (practice.private / "foretold").glob("*/predictions.parquet")
    return {path.parent.name: path.stat().st_ino for path in found}


def foretold(practice: Folders) -> dict[tuple[str, str], float]:
    """The chance that each model gave each later claim."""
    rows = tables.read(practice.processed, "predictions").to_pylist()
    return {(row["claim_id"], row["model"]): row["approval_probability"] for row in rows}

from datetime import date
from pathlib import Path

import pytest

from analysis.config import Folders, Practice, load_practice
from analysis.errors import ConfigError, UsageError


def _write(raw: Path, text: str) -> None:
    raw.mkdir(exist_ok=True)
    (raw / "practice.toml").write_text(text, encoding="utf-8")


def test_no_practice_toml_means_the_defaults(tmp_path: Path) -> None:
    assert load_practice(tmp_path) == Practice()


def test_a_payer_id_keeps_its_zeros(tmp_path: Path) -> None:
    _write(tmp_path, 'as_of = 2026-06-30\n[[payers]]\nid = "00123"\nname = "Evergreen"\n')
    practice = load_practice(tmp_path)
    assert practice.payers[0].id == "00123"
    assert practice.as_of == date(2026, 6, 30)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('naem = "x"', "unknown key naem; did you mean 'name'"),
        ('[[payers]]\nid = "1"\nname = "x"\nnetwork = "in"', "did you mean 'network_status'"),
        ("[[payers]]\nid = 123\nname = 'x'", "payers.0.id"),
        ("state = 'Washington'", "state"),
        ("name = ", "not readable as TOML"),
    ],
)
def test_a_wrong_practice_toml_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    _write(tmp_path, text)
    with pytest.raises(ConfigError, match=r"practice\.toml") as error:
        load_practice(tmp_path)
    assert told in str(error.value)


def test_a_misspelt_practice_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "raw" / "demo").mkdir(parents=True)
    with pytest.raises(UsageError, match="did you mean 'demo'"):
        Folders(tmp_path, tmp_path, "dmeo").require_raw()


@pytest.mark.parametrize("name", ["../demo", "", "a b", ".hidden", "a/b"])
def test_a_practice_is_a_folder_name_and_never_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name"):
        Folders(tmp_path, tmp_path, name)

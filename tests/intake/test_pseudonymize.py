import pyarrow as pa
import pytest

from analysis.errors import ConfigError
from analysis.intake.pseudonymize import Pseudonyms, load_key

PSEUDONYMS = Pseudonyms(b"k" * 32)


def test_one_member_has_one_pseudonym_however_the_id_is_typed() -> None:
    of = PSEUDONYMS.of(pa.array(["ab123", " AB123 ", "AB124", None, "  "])).to_pylist()
    assert of[0] == of[1] != of[2]
    assert of[3:] == [None, None]
    assert of[0].startswith("p_")
    assert len(of[0]) == 18


def test_dependents_of_one_member_are_told_apart_from_each_other_and_from_the_member() -> None:
    members = pa.array(["AB123"] * 4)
    of = PSEUDONYMS.of(members, pa.array(["ANN19800101", "ann19800101", "BEN20100101", None]))
    ann, same_ann, ben, member = of.to_pylist()
    assert ann == same_ann
    assert len({ann, ben, member}) == 3
    assert member == PSEUDONYMS.of(pa.array(["AB123"]))[0].as_py()


def test_a_dependent_without_a_member_id_has_no_pseudonym() -> None:
    nobody = PSEUDONYMS.of(pa.array([None], pa.string()), pa.array(["ANN19800101"]))
    assert nobody.to_pylist() == [None]


def test_another_key_gives_other_pseudonyms() -> None:
    ids = pa.array(["AB123"])
    assert PSEUDONYMS.of(ids) != Pseudonyms(b"x" * 32).of(ids)


def test_no_ids_at_all_and_chunked_ids_are_fine() -> None:
    assert PSEUDONYMS.of(pa.array([], pa.string())).to_pylist() == []
    chunked = pa.chunked_array([["AB123"], ["AB123"]])
    assert len(set(PSEUDONYMS.of(chunked).to_pylist())) == 1


def test_the_key_is_made_once_and_kept_private(tmp_path) -> None:
    private = tmp_path / "private" / "demo"
    key = load_key(private)
    assert len(key) == 32
    assert load_key(private) == key
    assert private.stat().st_mode & 0o777 == 0o700
    assert (private / "pseudonym.key").stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_is_refused_not_replaced(tmp_path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="put the file back from a backup"):
        load_key(tmp_path)
    assert path.read_bytes() == b"short"

import pytest

from stories import reader

_STORIES = reader.read_all()
Made = list[dict[str, reader.Rows]]


@pytest.fixture(scope="module")
def made() -> Made:
    return reader.determine(_STORIES)


@pytest.mark.parametrize("n", range(len(_STORIES)), ids=[story.title for story in _STORIES])
def test_history_leads_to_its_determination(n: int, made: Made) -> None:
    story = _STORIES[n]
    assert story.claim, "a story must say what comes of its claims"
    for kind, told, found in reader.told_so(story, made[n]):
        assert found == told, kind

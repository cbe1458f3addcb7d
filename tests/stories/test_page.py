from stories import reader
from tools import histories


def test_the_page_shows_the_stories_as_they_are_tested() -> None:
    assert histories.PAGE.read_text(encoding="utf-8") == histories.page()


def test_every_story_file_is_on_the_page_and_there_are_forty_and_more() -> None:
    assert {path.stem for path in histories.STORIES.glob("*.md")} == set(histories.ORDER)
    stories = [s for path in histories.STORIES.glob("*.md") for s in reader.read(path)]
    assert len(stories) >= 40
    assert len({story.title for story in stories}) == len(stories)

from pathlib import Path

import pytest

from stories import reader

_STORIES = [
    pytest.param(story, id=story.title)
    for path in sorted(Path(__file__).parent.glob("*.md"))
    for story in reader.read(path)
]


@pytest.mark.parametrize("story", _STORIES)
def test_history_leads_to_its_determination(story: reader.Story) -> None:
    made = reader.determine(story)
    told = {row["claim"]: row for row in story.claim}
    assert set(made) == set(told)
    for number, expected in told.items():
        outcome = made[number]
        assert {
            "first": outcome["first_determination"],
            "final": outcome["final_determination"],
            "category": outcome["denial_category"] or "",
            "allowed": f"{outcome['allowed_cents'] / 100:.2f}",
            "paid": f"{outcome['paid_cents'] / 100:.2f}",
        } == {key: value for key, value in expected.items() if key != "claim"}

"""What the pages for people tell them to type can be typed."""

import re
from pathlib import Path

import pytest
import typer.main

from analysis import cli

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/design.md", "data/README.md"]


def test_the_first_two_commands_are_the_main_job_and_the_tests() -> None:
    commands = re.findall(r"^    (\S.*)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert commands[:2] == ["python run.py", "python run.py test"]


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_exist(page: str) -> None:
    group = typer.main.get_command(cli.app)
    known = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }
    typed = re.findall(r"`outcomes ([a-z]+)([^`]*)`", (ROOT / page).read_text("utf-8"))
    for name, rest in typed:
        assert name in known
        assert set(re.findall(r"--[a-z-]+", rest)) <= known[name]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    missing = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert missing == []

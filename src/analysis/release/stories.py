"""Cases that a release tells: with the patient's recorded consent, and their base rate beside them.

A story is words, which no program can clear of all that could identify somebody. What can be
checked is: that consent is on record, that the text holds no number and no name of the practice's
patients, and that the rate of claims like it is stated by the same release.
"""

from collections.abc import Sequence
from datetime import date

from analysis.config import Folders, Practice, Story
from analysis.errors import GateRefused
from analysis.findings import public
from analysis.findings.finding import Finding
from analysis.intake import people


def allowed(practices: Sequence[Folders], stated: Sequence[Practice], today: date) -> list[Story]:
    """The stories of all `practices`. Raises GateRefused, naming the story, for one not to be told.

    No word of a patient is repeated in a refusal; the place in the text is.
    """
    told = []
    for folders, practice in zip(practices, stated, strict=True):
        if not practice.stories:
            continue
        if not (practice.consent_to_publish or practice.made_up):
            raise GateRefused(
                f"{folders.practice} has stories to tell, which would identify it, and has not"
                " consented: write `consent_to_publish = true` into its practice.toml"
            )
        names = people.named(folders.raw)
        for number, story in enumerate(practice.stories, start=1):
            place = f"story {number} of {folders.practice}"
            _require_consent(story, place, today)
            _require_nobody_named(story, place, names)
            told.append(story)
    return told


def found(stories: Sequence[Story], findings: Sequence[Finding]) -> list[Finding]:
    """The stories as findings, each with the numbers of the finding on claims like it.

    `findings` are those of the release. Raises GateRefused where its rate is not among them.
    """
    made = []
    for story in stories:
        about = {n: v for n in ("insurer", "condition") if (v := getattr(story, n))}
        bases = [f for f in findings if _about(f) == about]
        if not bases or not about:
            raise GateRefused(
                f"the story '{story.title}' cannot be told: this release states no rate of"
                f" {', '.join(about.values()) or 'claims like it'}. Name its insurer alone or its"
                " condition alone, as the tables do, or leave the story out"
            )
        made.append(public.story(story.title, " ".join(story.text.split()), bases[0]))
    return made


def _about(finding: Finding) -> dict[str, str]:
    columns = ("insurer", "condition", "quarter")
    return {name: str(finding.values[name]) for name in columns if name in finding.values}


def _require_consent(story: Story, place: str, today: date) -> None:
    if story.consented_on > today:
        raise GateRefused(f"{place}: consented_on lies in the future, so no consent is on record")


def _require_nobody_named(story: Story, place: str, names: frozenset[str]) -> None:
    for field in ("title", "text"):
        told = getattr(story, field)
        if any(sign.isnumeric() for sign in told):
            raise GateRefused(
                f"{place}: its {field} holds a number; write no date, age or amount: the rate"
                " beside it says what is to be counted"
            )
        for at, word in enumerate(told.split(), start=1):
            if people.words(word) & names:
                raise GateRefused(
                    f"{place}: word {at} of its {field} is part of a patient's or subscriber's name"
                    " in your files; write it in other words"
                )

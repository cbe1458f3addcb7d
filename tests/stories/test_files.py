"""Stories of whole files: what was met before is known by its content."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from analysis.claims.lineage import lineage
from analysis.config import Practice
from analysis.intake.folder import read_folder
from analysis.intake.pseudonymize import Pseudonyms
from analysis.outcomes import outcomes
from stories import reader

_STORIES = reader.read(Path(__file__).with_name("files.md"))
_ISA = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*00501"


def _interchange(number: str, answers: str) -> str:
    """An 835 of whole-claim answers, each `claim status charge paid`."""
    told = [answer.split() for answer in answers.split("; ")]
    deposit = sum(float(paid) for *_, paid in told)
    body = [
        "ST*835*0001",
        f"BPR*I*{deposit:.2f}*C*ACH************20260301",
        "TRN*1*CHECK1*1999999999",
        "N1*PR*KIND MUTUAL*XV*00123",
        "LX*1",
    ]
    for claim, status, charge, paid in told:
        body.append(f"CLP*{claim}*{status}*{charge}*{paid}**12*ICN{claim}")
        code = "45" if float(paid) else "197"
        body.append(f"CAS*CO*{code}*{float(charge) - float(paid):.2f}")
        body.append("DTM*232*20260110")
    body.append(f"SE*{len(body) + 1}*0001")
    control = f"{int(number):09}"
    frame = (f"{_ISA}*{control}*0*P*:", f"GS*HP*A*B*20260301*1200*{number}*X*005010X221A1")
    return "~".join((*frame, *body, f"GE*1*{number}", f"IEA*1*{control}", ""))


@pytest.mark.parametrize("story", _STORIES, ids=[story.title for story in _STORIES])
def test_files_are_known_by_what_is_in_them(story: reader.Story, tmp_path: Path) -> None:
    texts: defaultdict[str, str] = defaultdict(str)
    for row in story.file:
        texts[row["file"]] += _interchange(row["control number"], row["answers"])
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    made = read_folder(tmp_path, Practice(), Pseudonyms(b"k" * 32))
    rows = [row for row in made["row_ledger"].to_pylist() if row["record"] == "CLP"]
    counts = Counter((row["file_name"], row["disposition"]) for row in rows)
    for told in story.ledger:
        kept, known = counts[told["ledger"], "accepted"], counts[told["ledger"], "duplicate"]
        assert (kept, known) == (int(told["kept"]), int(told["known already"]))
    made |= lineage(made)
    found = outcomes(made, reader.AS_OF)["claim_outcomes"].to_pylist()
    assert {
        row["patient_control_number"]: (row["first_determination"], row["paid_cents"])
        for row in found
    } == {told["claim"]: (told["first"], round(float(told["paid"]) * 100)) for told in story.claim}

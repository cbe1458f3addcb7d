"""What is read from an X12 file: the loops, typed elements and columns in `spec_*.json`.

The specs hold only what the tables need. Everything they do not mention is passed over, so one
spec serves version 4010 and 5010, and every diagnostic is about something that was to be read.

Loops are told apart by the segment that opens them; `segments` lists the others they may hold. A
claim line opens at its SV1 (not at its LX), so that a line sent without LX is not lost. Claims
and dependents hang on the billing provider: `reading.preceding` joins them by segment order.
"""

import json
from functools import cache
from importlib.resources import files

import oxedi


@cache
def load(name: str) -> oxedi.Spec:
    """The spec in `spec_<name>.json`, in the form oxedi takes."""
    declared = json.loads((files(__package__) / f"spec_{name}.json").read_text(encoding="utf-8"))
    for loop in declared["loops"].values():
        opener = loop["trigger"]["segment"]
        # One position for all: segments out of their order are read like any others.
        loop["occurrences"] = {
            segment: {"segment": segment, "pos": 1 if segment == opener else 2}
            for segment in (opener, *loop.pop("segments"))
        }
    return oxedi.Spec.from_json(json.dumps(declared))

"""X12 pieces that claims and remittances share: amounts, adjustments, envelopes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from analysis.synthetic.days import d8
from analysis.synthetic.histories import Adjustment, LineAnswer

# NPIs start with 2: valid in form, and never assigned to anybody.
PRACTICE_NPI = "2000000002"
THERAPIST_NPIS = ("2000000010", "2000000028", "2000000036")
REFERRER_NPIS = (
    "2000001000",
    "2000001018",
    "2000001026",
    "2000001034",
    "2000001042",
    "2000001059",
    "2000001067",
    "2000001075",
)
PRACTICE_NAME = "DEMO MASSAGE PRACTICE"
PRACTICE_EIN = "000000000"


class Delimiters(NamedTuple):
    """How a sender writes: everything is composed with * : ~ and translated at the end."""

    element: str = "*"
    component: str = ":"
    segment: str = "~"


PLAIN = Delimiters()
LINES = Delimiters(segment="~\n")
PIPES = Delimiters("|", ">", "~")


def money(cents: int) -> str:
    """An amount as X12 writes it.

    >>> money(-250)
    '-2.50'
    """
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def cas_segments(adjustments: Iterable[Adjustment]) -> list[str]:
    """One CAS for each group code, up to six triplets in it (there are never more)."""
    by_group: dict[str, list[str]] = {}
    for group, reason, cents, units in adjustments:
        triplet = f"{reason}*{money(cents)}*{units or ''}"
        by_group.setdefault(group, []).append(triplet)
    return [f"CAS*{group}*{'*'.join(parts)}".rstrip("*") for group, parts in by_group.items()]


def claim_level(lines: Sequence[LineAnswer]) -> list[Adjustment]:
    """The lines' adjustments added up by group and reason, for an answer without lines."""
    totals: dict[tuple[str, str], int] = {}
    for line in lines:
        for a in line.adjustments:
            key = (a.group_code, a.reason_code)
            totals[key] = totals.get(key, 0) + a.cents
    return [Adjustment(group, reason, cents) for (group, reason), cents in totals.items()]


class Envelopes:
    """Wraps transactions in ST, GS and ISA; control numbers never repeat within one kind."""

    def __init__(self, transaction: str, functional_code: str, version: str) -> None:
        self.transaction = transaction
        self.functional_code = functional_code
        self.version = version
        self.n_interchanges = 0
        self.n_transactions = 0

    def interchange(
        self,
        sender: str,
        receiver: str,
        day: int,
        transactions: Sequence[list[str]],
        delimiters: Delimiters,
    ) -> str:
        """The text of one interchange holding one group of these transactions."""
        self.n_interchanges += 1
        n = self.n_interchanges
        time = f"{8 + n % 10:02d}{n % 60:02d}"
        segments = [
            f"ISA*00*{'':10}*00*{'':10}*ZZ*{sender:15}*ZZ*{receiver:15}*{d8(day)[2:]}*{time}"
            f"*^*00501*{n:09d}*0*P*:",
            f"GS*{self.functional_code}*{sender}*{receiver}*{d8(day)}*{time}*{n}*X*{self.version}",
        ]
        for transaction in transactions:
            segments.extend(self._numbered(transaction))
        segments.append(f"GE*{len(transactions)}*{n}")
        segments.append(f"IEA*1*{n:09d}")
        text = "~".join(segments) + "~"
        if delimiters == PLAIN:
            return text
        return text.translate(
            {ord(plain): own for plain, own in zip("*:~", delimiters, strict=True)}
        )

    def _numbered(self, segments: list[str]) -> Iterator[str]:
        self.n_transactions += 1
        number = f"{self.n_transactions:04d}"
        version = f"*{self.version}" if self.transaction == "837" else ""
        yield f"ST*{self.transaction}*{number}{version}"
        yield from segments
        yield f"SE*{len(segments) + 2}*{number}"

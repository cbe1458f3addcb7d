"""X12 read by splitting alone, so that these tests share nothing with the package's reader."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

X12_SUFFIXES = (".837", ".835", ".txt", ".edi", ".zip")


def x12_texts(raw: Path, transaction: str, *, copies: bool = False) -> Iterator[tuple[str, str]]:
    """File name and text of every 837 or 835 of a practice folder, unzipped."""
    for path in sorted(raw.iterdir()):
        if path.suffix not in X12_SUFFIXES:
            continue
        if path.name.startswith("copy_of_") and not copies:
            continue
        data = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                (member,) = archive.namelist()
                data = archive.read(member)
        text = data.decode()
        if f"ST{text[3]}{transaction}" in text:
            yield path.name, text


def segments(text: str) -> list[list[str]]:
    """Elements of every segment, by the delimiters the ISA itself shows."""
    element, end = text[3], text[105]
    return [part.strip("\n").split(element) for part in text.split(end) if part.strip("\n")]


def component(text: str) -> str:
    """The component separator, ISA16."""
    return text[104]


def cents(amount: str) -> int:
    """An X12 amount with two decimals, or none, in cents."""
    if not amount:
        return 0
    whole, _, fraction = amount.lstrip("-").partition(".")
    value = int(whole) * 100 + int(fraction.ljust(2, "0") or 0)
    return -value if amount.startswith("-") else value


def transactions(text: str) -> Iterator[list[list[str]]]:
    """The segments of every ST to SE, both included."""
    inside: list[list[str]] = []
    for segment in segments(text):
        if segment[0] == "ST":
            inside = []
        inside.append(segment)
        if segment[0] == "SE":
            yield inside
            inside = []


def claim_payments(transaction: list[list[str]]) -> Iterator[list[list[str]]]:
    """The segments of every CLP of an 835 transaction, its lines included."""
    inside: list[list[str]] = []
    for segment in transaction:
        if segment[0] in ("CLP", "PLB", "SE"):
            if inside:
                yield inside
            inside = []
        if segment[0] == "CLP" or inside:
            inside.append(segment)


def adjustments(segment: list[str]) -> Iterator[tuple[str, str, int]]:
    """Group, CARC and cents of each triplet of a CAS."""
    for i in range(2, len(segment), 3):
        yield segment[1], segment[i], cents(segment[i + 1])

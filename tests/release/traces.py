"""Finds traces of a person in files, however they are packed or written."""

import base64
import html
import io
import re
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

_DATA = re.compile(rb"base64,([A-Za-z0-9+/=\s]{16,})")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def ways_to_write(day: date) -> list[str]:
    """A date as files, tables and people write it."""
    shapes = ("%Y%m%d", "%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%B %d, %Y", "%d %B %Y", "%b %d, %Y",
              "%d %b %Y", "%Y/%m/%d", "%m-%d-%Y", "%d/%m/%Y")  # fmt: skip
    written = {day.strftime(shape) for shape in shapes}
    return sorted(written | {f"{day.month}/{day.day}/{day.year}", f"{day.month}/{day.day}/31"})


def found_in(path: Path, traces: list[str]) -> list[str]:
    """The traces that stand in a file: in its name, content, or anything packed into it."""
    texts = [str(path).casefold()]
    texts += [text for part in unpacked(path.read_bytes()) for text in read(part)]
    if path.suffix == ".pdf":
        for command in (["pdftotext", "-layout", path, "-"], ["pdfinfo", path]):
            done = subprocess.run(command, capture_output=True, check=True)
            texts += read(done.stdout)
    return [trace for trace in traces if any(trace.casefold() in text for text in texts)]


def unpacked(content: bytes) -> Iterator[bytes]:
    """The bytes, and whatever is packed into them: zip members, PDF streams, PNG, base64."""
    yield content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield from unpacked(packed.read(name))
    if content.startswith(b"%PDF"):
        for stream in _STREAM.findall(content):
            try:
                yield zlib.decompress(stream)
            except zlib.error:
                continue
    if content.startswith(b"\x89PNG"):
        yield zlib.decompress(b"".join(png_parts(content, b"IDAT")))
    for packed_text in _DATA.findall(content):
        yield from unpacked(base64.b64decode(packed_text))


def read(content: bytes) -> list[str]:
    """The bytes as text, in every way they may be meant."""
    plain = content.decode("utf-8", errors="replace")
    wide = content.decode("utf-16-le", errors="ignore")
    return [text.casefold() for text in (plain, html.unescape(plain), wide)]


def png_parts(png: bytes, kind: bytes) -> Iterator[bytes]:
    place = 8
    while place < len(png):
        size = int.from_bytes(png[place : place + 4], "big")
        if png[place + 4 : place + 8] == kind:
            yield png[place + 8 : place + 8 + size]
        place += size + 12

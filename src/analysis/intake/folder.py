"""The practice's folder: every file in it is read, or set aside with a reason; none is lost.

Files are recognised by their content, never by their name, and read in the order of their names.
"""

import hashlib
import io
import lzma
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis import digests, tables
from analysis.config import Practice
from analysis.engine import Source
from analysis.intake import (
    acknowledgments,
    claims_837p,
    parquet,
    payer_names,
    payers,
    practice_exports,
    records,
    remittances_835,
)
from analysis.intake.parsed import LedgerRow, Parsed, Together
from analysis.intake.pseudonymize import Pseudonyms
from analysis.intake.spool import Spool, changed
from analysis.intake.x12 import envelopes
from analysis.intake.x12.batches import Batch, batched
from analysis.intake.x12.rejoined import Rejoined
from analysis.workbooks import Heading, write_csv

TABLES = (
    "claims",
    "service_lines",
    "claim_diagnoses",
    "payments",
    "remittances",
    "remittance_lines",
    "adjustments",
    "remarks",
    "provider_adjustments",
    "acknowledgments",
    "file_checks",
    "attested_documents",
    "visit_techniques",
    "authorizations",
    "prescriptions",
    "benefit_calls",
    "appeals",
    "policies",
    "payer_aliases",
    "network_periods",
    "visit_minutes",
)

_READERS: dict[str, Callable[[Batch, Pseudonyms], Together]] = {
    "837P": claims_837p.read_batch,
    "835": remittances_835.read_batch,
    "277CA": acknowledgments.read_batch,
    "999": acknowledgments.read_batch,
}

# Interchanges wait to be read together until there is this much of them.
_MOST_WAITING = 2**23

# Guards against an archive made to exhaust the computer; no practice's archive comes near them.
_MOST_MEMBERS = 10_000
_MOST_BYTES = 4 * 2**30
_HIGHEST_RATIO = 500

_OPENING = 4096
_PDF = b"%PDF"
_ARCHIVE = (b"PK\x03\x04", b"PK\x05\x06")

_UNREADABLE_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


def read_folder(raw: Path, practice: Practice, pseudonyms: Pseudonyms) -> dict[str, Source]:
    """Every table of intake, also when empty: what the files say, payers, plans, row_ledger.

    Files in subfolders and in zip archives are read as well; hidden files, *.toml, *.md and
    README.txt are none of the practice's data. A file met again under another name counts as a
    duplicate. Raises ConfigError when practice.toml contradicts itself; no file makes it raise.
    """
    payers.check(practice)
    reading = _Reading(practice, pseudonyms)
    for file in files(raw):
        reading.take(file)
    reading.read_waiting()
    read = reading.spool.sources()
    ledger = read.pop("row_ledger")
    resolved = payer_names.resolve(read, practice)
    described = payers.describe(resolved.tables, practice)
    if resolved.refused:
        ledger = changed("row_ledger", ledger, partial(_set_aside_rows, refused=resolved.refused))
    return {**resolved.tables, **described, "row_ledger": ledger}


def quarantine_file(private: Path, ledger: Source) -> Path:
    """Write what was set aside to `private/quarantine.csv`, mode 0600, for people to read."""
    names = ["file_name", "record", "position", "reason"]
    is_quarantined = pc.field("disposition") == "quarantined"
    # The ledger of large files is long, and what was set aside is little of it.
    read = tables.in_groups(ledger, [*names, "disposition"])
    found = (rows.filter(is_quarantined).select(names) for rows in read)
    cells = [list(row.values()) for rows in found for row in rows.to_pylist()]
    return write_csv(private / "quarantine.csv", [Heading(name) for name in names], cells)


# ---- reading ----------------------------------------------------------------------------


@dataclass(frozen=True)
class File:
    """A file or a member of an archive: its name, its bytes, or why there are none.

    Of a large file there is the `path` instead: it is read a part at a time.
    """

    name: str
    data: bytes = b""
    problem: str | None = None
    path: Path | None = None

    @property
    def content(self) -> bytes | Path:
        """The content, or where it is."""
        return self.path or self.data

    def opening(self) -> bytes:
        """The first bytes, which tell what kind of file it is."""
        with self.opened() as content:
            return content.read(_OPENING)

    def digest(self) -> str:
        """The SHA-256 of the content."""
        return digests.of_file(self.path) if self.path else hashlib.sha256(self.data).hexdigest()

    def opened(self) -> io.BufferedIOBase:
        """The content, to be read from its start."""
        return self.path.open("rb") if self.path else io.BytesIO(self.data)


# What was read together, and the place of one input in it.
_Read = tuple[Together, int]


@dataclass
class _Opened:
    """A file whose interchanges wait to be read.

    Of each part: its digest, which input of the file it belongs to, and itself, read or still to
    read.
    """

    name: str
    file_hash: str
    contents: list[tuple[str, int, _Read | envelopes.Interchange]]


@dataclass
class _Run:
    """Inputs read together, one after the other, to be taken account of in one go.

    `first_files` are those that hold the same content already; none where it is new.
    """

    together: Together
    first: int
    is_new: bool
    file_names: list[str] = field(default_factory=list)
    file_hashes: list[str] = field(default_factory=list)
    first_files: list[str] = field(default_factory=list)

    def goes_on(self, together: Together, place: int, is_new: bool) -> bool:
        """Whether another input comes next in this run."""
        next_place = self.first + len(self.file_names)
        return together is self.together and place == next_place and is_new == self.is_new

    def tables(self) -> dict[str, pa.Table]:
        """The rows of every table."""
        last = self.first + len(self.file_names)
        return {name: rows.between(self.first, last) for name, rows in self.together.tables.items()}

    def ledger(self) -> pa.Table:
        """The rows of `row_ledger`."""
        last = self.first + len(self.file_names)
        rows = self.together.ledger.between(self.first, last)
        n_rows = np.diff(self.together.ledger.starts[self.first : last + 1])
        of = pa.array(np.repeat(np.arange(len(n_rows)), n_rows))
        first_file = pa.array(self.first_files, pa.string()).take(of)
        told = {name: rows[name].combine_chunks() for name in rows.column_names}
        if not self.is_new:
            told["disposition"] = pa.repeat("duplicate", len(rows))
            told["reason"] = pc.binary_join_element_wise(first_file, "holds the same", " ")
        is_duplicate = pc.equal(told["disposition"], "duplicate")
        told["duplicate_of"] = pc.if_else(is_duplicate, first_file, None)
        told["file_name"] = pa.array(self.file_names).take(of)
        told["file_hash"] = pa.array(self.file_hashes).take(of)
        return tables.from_columns("row_ledger", told)


class _Reading:
    """What has been read so far, and the account of it."""

    def __init__(self, practice: Practice, pseudonyms: Pseudonyms) -> None:
        self._practice = practice
        self._pseudonyms = pseudonyms
        self.spool = Spool((*TABLES, "row_ledger"))
        # Digest -> the file and the input in it where that content was met first.
        self._first: dict[str, tuple[str, int]] = {}
        self._rejoined: dict[tuple[str, int], Rejoined] = {}
        self._waiting: list[_Opened] = []
        self._n_waiting = 0

    def take(self, file: File) -> None:
        """Read one file, or set it aside; a defect of ours costs this file only.

        Its interchanges are read at the latest by `read_waiting`, since many cost little more
        than one.
        """
        file_hash = file.digest()
        opened = _Opened(file.name, file_hash, [])
        self._waiting.append(opened)
        try:
            for digest, number, part in self._contents(file, file_hash):
                opened.contents.append((digest, number, part))
                if isinstance(part, envelopes.Interchange):
                    self._n_waiting += len(part.data)
                else:
                    self._n_waiting += part[0].n_bytes
                if self._n_waiting >= _MOST_WAITING:
                    self.read_waiting()
                    opened = _Opened(file.name, file_hash, [])
                    self._waiting.append(opened)
        except Exception as defect:
            opened.contents.append(("", 0, (_defect(file.name, "file", 1, defect), 0)))

    def read_waiting(self) -> None:
        """Read the interchanges that wait, and take account of their files in their order."""
        sent = [
            (opened, place, part)
            for opened in self._waiting
            for place, (_, _, part) in enumerate(opened.contents)
            if isinstance(part, envelopes.Interchange)
        ]
        for places, batch in batched((part, opened.name) for opened, _, part in sent):
            for at, read in zip(places, self._read(batch), strict=True):
                opened, place, part = sent[at]
                if part.stretch.is_part:
                    read = (self._rejoin(opened.name, part, read[0]), 0)
                opened.contents[place] = (part.digest, part.ordinal, read)
        for run in self._runs(self._waiting):
            self._account(run)
        self._waiting, self._n_waiting = [], 0

    def _rejoin(self, name: str, stretch: envelopes.Interchange, read: Together) -> Together:
        """What a stretch of an interchange gives, with what earlier ones left to be said."""
        place = (name, stretch.ordinal)
        rejoined = self._rejoined.pop(place, None) or Rejoined()
        if stretch.stretch.goes_on:
            self._rejoined[place] = rejoined
        return rejoined.add(stretch, read)

    def _read(self, batch: Batch) -> list[_Read]:
        """What each interchange of a batch says; each by itself where they cannot be together."""
        try:
            together = _READERS[batch.interchanges[0].kind](batch, self._pseudonyms)
            return [(together, place) for place in range(len(together))]
        except Exception as defect:
            if len(batch.interchanges) == 1:
                ordinal = batch.interchanges[0].ordinal
                return [(_defect(batch.file_names[0], "interchange", ordinal, defect), 0)]
        each = zip(batch.interchanges, batch.file_names, strict=True)
        return [read for one, name in each for read in self._read(Batch((one,), (name,)))]

    def _runs(self, files: list[_Opened]) -> Iterator[_Run]:
        """All that was read from files, in their order, in as few runs as may be."""
        run: _Run | None = None
        for opened in files:
            for digest, number, read in opened.contents:
                together, place = cast(_Read, read)
                here = (opened.name, number)
                first = self._first.setdefault(digest, here) if digest else here
                is_new = first == here
                if run is None or not run.goes_on(together, place, is_new):
                    if run:
                        yield run
                    run = _Run(together, place, is_new)
                run.file_names.append(opened.name)
                run.file_hashes.append(opened.file_hash)
                # What a file itself says twice, it holds already.
                run.first_files.append(first[0])
        if run:
            yield run

    def _account(self, run: _Run) -> None:
        """Keep what a run says, unless it was met before, and the account of it."""
        self.spool.add("row_ledger", run.ledger())
        if run.is_new:
            for name, rows in run.tables().items():
                self.spool.add(name, rows)

    def _contents(
        self, file: File, file_hash: str
    ) -> Iterator[tuple[str, int, _Read | envelopes.Interchange]]:
        """(digest, input, part) of each part of a file that may stand in another file as well."""
        is_large = file.path is not None
        if file.problem or not (is_large or file.data.strip()):
            problem = file.problem or "is empty; there is nothing to read"
            yield "", 0, (_set_aside(file, problem), 0)
        elif is_x12(file.opening()):
            with file.opened() as content:
                for interchange in envelopes.interchanges(content):
                    is_read = interchange.kind in _READERS
                    yield (
                        interchange.digest,
                        interchange.ordinal,
                        interchange if is_read else (_unused(interchange, file.name), 0),
                    )
        else:
            for place, part in enumerate(self._sheet(file, file_hash)):
                # A part that is no whole file is known by its place in it.
                yield f"{file_hash}-{place}", place, (part, 0)

    def _sheet(self, file: File, file_hash: str) -> Iterator[Together]:
        """What a file says that is not X12, in parts."""
        if not records.recognises(file.content):
            export = practice_exports.read(
                file.content, file_hash, file.name, self._practice, self._pseudonyms
            )
            if export:
                yield from export
                return
        with file.opened() as content:
            read = records.read(content.read(), file.name, self._pseudonyms)
        # Every file has a row in the ledger, also one without a record.
        yield Together.of([Parsed(read.tables, read.ledger or [LedgerRow("file", 1, "accepted")])])


def _set_aside_rows(ledger: pa.Table, refused: Mapping[tuple[str, int], str]) -> pa.Table:
    """The ledger with rows quarantined, by file and line, that contradict what stands elsewhere."""
    rows = ledger.to_pylist()
    for row in rows:
        reason = refused.get((row["file_name"], row["position"]))
        if reason and row["record"] == "row" and row["disposition"] == "accepted":
            row |= {"disposition": "quarantined", "reason": reason}
    return tables.from_rows("row_ledger", rows)


def _unused(interchange: envelopes.Interchange, file_name: str) -> Together:
    """The account of an interchange whose content is not read."""
    reason = f"{file_name}, interchange {interchange.ordinal}: {interchange.problem}"
    rows = [
        LedgerRow(segment, position, "quarantined", reason)
        for position, segment in enumerate(
            envelopes.record_segments(interchange), start=interchange.first_position
        )
    ]
    if not rows and not interchange.stretch.number:
        rows = [LedgerRow("interchange", interchange.ordinal, "quarantined", reason)]
    return Together.of([Parsed({}, rows)])


def _defect(file_name: str, record: str, position: int, defect: Exception) -> Together:
    # The text of the exception may quote the file; its type cannot.
    reason = (
        f"{file_name}: could not be read ({type(defect).__name__}): a defect on our side; send "
        "the file's structure, without any patient's data, to the makers of this program"
    )
    row = LedgerRow(record, position, "quarantined", reason)
    return Together.of([Parsed({}, [row])])


def _set_aside(file: File, reason: str) -> Together:
    row = LedgerRow("file", 1, "quarantined", f"{file.name}: {reason}")
    return Together.of([Parsed({}, [row])])


def is_x12(data: bytes) -> bool:
    """An ISA stands near the start, or the content opens with a later segment of X12."""
    if data.startswith(parquet.MAGIC):
        return False
    opening = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    return bool(_ISA.search(data[:4096]) or _LATER_SEGMENT.match(opening))


# An element separator is no letter, digit or blank; a comma or semicolon makes it a CSV.
_ISA = re.compile(rb"ISA([^\w\s,;])\d\d\1")
_LATER_SEGMENT = re.compile(rb"(?:ISA|GS|ST|BHT)[^\w\s,;]")


# ---- finding files ----------------------------------------------------------------------


def files(raw: Path) -> Iterator[File]:
    """Every file of the folder in the order of their names, archives opened."""
    for path in sorted(_paths(raw), key=lambda path: path.relative_to(raw).as_posix()):
        # A name that is not valid Unicode could not be written to a table.
        name = os.fsencode(path.relative_to(raw).as_posix()).decode("utf-8", "replace")
        try:
            if path.is_file() and _is_large(path):
                yield File(name, path=path)
                continue
            # A pipe would be waited for without end.
            data = path.read_bytes() if path.is_file() else None
        except OSError:
            data = None
        if data is None:
            problem = (
                "could not be opened; check that it is a file you may read and that no other "
                "program holds it"
            )
            yield File(name, problem=problem)
        elif data.startswith(_PDF):
            problem = "is a PDF, which only people can read; ask the clearinghouse for the 835"
            yield File(name, data, problem)
        elif data.startswith(_ARCHIVE):
            yield from _members(name, data)
        else:
            yield File(name, data)


def _is_large(path: Path) -> bool:
    """Whether a file is better read a part at a time; archives and PDFs are not."""
    if path.stat().st_size <= _MOST_WAITING:
        return False
    with path.open("rb") as file:
        return not file.read(4).startswith((_PDF, *_ARCHIVE))


def _paths(raw: Path) -> Iterator[Path]:
    """Files, and folders that cannot be entered, so that what lies in them is missed aloud."""
    closed: list[Path] = []
    for folder, subfolders, names in os.walk(
        raw, onerror=lambda problem: closed.append(Path(problem.filename))
    ):
        subfolders[:] = [name for name in subfolders if not _is_ignored(name)]
        links = [name for name in subfolders if Path(folder, name).is_symlink()]
        yield from (Path(folder, name) for name in [*names, *links] if not _is_ignored(name))
    yield from closed


def _is_ignored(name: str) -> bool:
    """Hidden files, notes and settings, and what systems and spreadsheet programs leave behind."""
    name = name.lower()
    return (
        name.startswith((".", "~$", "__macosx"))
        or name.endswith((".toml", ".md"))
        or name in ("readme.txt", "thumbs.db", "desktop.ini")
    )


def _members(name: str, data: bytes) -> Iterator[File]:
    """The files in a zip archive, one at a time; or the archive itself, with what is wrong."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _UNREADABLE_ARCHIVE:
        yield File(name, data, "is a damaged zip archive; make or download it again")
        return
    infos = [info for info in archive.infolist() if not _is_ignored_member(info)]
    problem = _archive_problem(infos, len(data))
    if not problem and any(info.filename == "xl/workbook.xml" for info in infos):
        yield File(name, data)
        return
    if problem:
        yield File(name, data, problem)
        return
    n_met: Counter[str] = Counter()
    for info in sorted(infos, key=lambda info: info.filename):
        n_met[info.filename] += 1
        again = f" ({n_met[info.filename]})" if n_met[info.filename] > 1 else ""
        yield _member(archive, info, f"{name}/{info.filename}{again}")


def _is_ignored_member(info: zipfile.ZipInfo) -> bool:
    return info.is_dir() or any(map(_is_ignored, PurePosixPath(info.filename).parts))


def _archive_problem(infos: list[zipfile.ZipInfo], n_packed: int) -> str | None:
    n_bytes = sum(info.file_size for info in infos)
    if not infos:
        return "is a zip archive without a file in it"
    names = {info.filename for info in infos}
    if "[Content_Types].xml" in names and "xl/workbook.xml" not in names:
        return "is a spreadsheet or text document; save the sheet as CSV and put that here"
    if len(infos) > _MOST_MEMBERS or n_bytes > _MOST_BYTES or n_bytes > _HIGHEST_RATIO * n_packed:
        return "is a zip archive that would unpack to far too much; unpack it yourself and look"
    return None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> File:
    if info.flag_bits & 1:
        problem = "is locked with a password; unpack the archive and put its files here"
        return File(name, problem=problem)
    try:
        data = archive.read(info)
    except _UNREADABLE_ARCHIVE:
        return File(name, problem="is damaged inside its archive; download or pack it again")
    if data.startswith(b"PK\x03\x04"):
        return File(name, data, "is an archive or document inside an archive; unpack it here")
    return File(name, data)

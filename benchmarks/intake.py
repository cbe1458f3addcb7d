"""Reading X12: from bytes to the typed Parquet tables of the step intake.

The files are a made-up practice's remittances (835) and claims (837P), repeated with changed
control numbers until there are enough bytes. The floor splits the same bytes into segments and
elements and throws them away, eight megabytes at a time, as they are read: all at once they take
gigabytes of memory, which on one machine cost as much again as splitting them. The peers, x12sdk
(typed models) and pyx12 (walking its map), read a smaller part of the same, as they take long, and
write nothing; `pip install --require-hashes -r benchmarks.lock` installs them. Each cost is per
byte, without the start of Python and imports.

One interchange holds all its transactions behind a single ISA: memory is to stay as low there.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measuring import Row, Size, at_least, at_most, child

_BYTES: dict[Size, int] = {"small": 30_000_000, "full": 1_000_000_000}
_ONE_INTERCHANGE_BYTES: dict[Size, int] = {"small": 30_000_000, "full": 350_000_000}
_PEER_BYTES = 600_000
# Split at a time.
_BLOCK = 2**23
_REPETITIONS: dict[Size, int] = {"small": 5, "full": 3}
_PEAK_MEGABYTES = 500
# x12sdk refuses a claim file in which a patient's sex is unknown.
_UNKNOWN_SEX = b"*U~"
_KINDS = {"835": "835", "837P": "837"}


def measure(size: Size) -> list[Row]:
    """Processor time per byte against the floor and the peers, and the largest memory."""
    with TemporaryDirectory() as place:
        data = Path(place)
        raw = _practice(data)
        return [row for kind in _KINDS for row in _measured(kind, data, raw, size)]


def _measured(kind: str, data: Path, raw: Path, size: Size) -> Iterator[Row]:
    interchanges = _interchanges(raw, _KINDS[kind])
    many, few = data / "raw" / "many" / "many.x12", data / "few.x12"
    many.parent.mkdir(exist_ok=True)
    _write(many, interchanges, _BYTES[size])
    _write(few, [data for data in interchanges if _UNKNOWN_SEX not in data], _PEER_BYTES)
    costs: list[dict[str, float]] = []
    peaks = []
    for _ in range(_REPETITIONS[size]):
        ours, peak = child("intake", "build_intake", data)
        peaks.append(peak / 1e6)
        floor, x12sdk, pyx12 = (
            child("intake", name, path)[0] / path.stat().st_size
            for name, path in (("split", many), ("read_x12sdk", few), ("read_pyx12", few))
        )
        ours /= many.stat().st_size
        costs.append({"floor": ours / floor, "x12sdk": x12sdk / ours, "pyx12": pyx12 / ours})
    what = f"{kind} to Parquet, {_BYTES[size] / 1e6:g} MB"
    yield at_most(5, what, "bare split", [cost["floor"] for cost in costs])
    yield at_least(14, what, "x12sdk's processor time", [cost["x12sdk"] for cost in costs])
    yield at_least(55, what, "pyx12's processor time", [cost["pyx12"] for cost in costs])
    yield at_most(_PEAK_MEGABYTES, f"{what}, largest memory", "", peaks, "MB")
    _write_one(many, interchanges, _ONE_INTERCHANGE_BYTES[size])
    whole, peak = child("intake", "build_intake", data)
    floor = child("intake", "split", many)[0]
    what = f"{kind} in one interchange, {_ONE_INTERCHANGE_BYTES[size] / 1e6:g} MB"
    yield at_most(5, what, "bare split", [whole / floor])
    yield at_most(_PEAK_MEGABYTES, f"{what}, largest memory", "", [peak / 1e6], "MB")


# ---- the bytes --------------------------------------------------------------------------


def _practice(data: Path) -> Path:
    from analysis import synthetic

    synthetic.synthesize("few", data_dir=data, n_claims=2_000, n_months=24, seed=1)
    return data / "raw" / "few"


def _interchanges(raw: Path, transaction: str) -> list[bytes]:
    """The whole interchanges of one kind with the usual delimiters."""
    files = [path.read_bytes() for path in sorted(raw.rglob("*")) if path.is_file()]
    begin = f"~ST*{transaction}*".encode()
    wanted = (data for data in files if data.startswith(b"ISA*") and begin in _flat(data))
    return [_flat(data) for data in wanted if data.count(b"ISA*") == 1]


def _flat(data: bytes) -> bytes:
    return data.translate(None, b"\r\n")


def _write(path: Path, interchanges: list[bytes], n_bytes: int) -> None:
    with path.open("wb") as file:
        number = 0
        while file.tell() < n_bytes:
            for data in interchanges:
                number += 1
                old = data[90:99]
                file.write(data.replace(old, b"%09d" % number))


def _write_one(path: Path, interchanges: list[bytes], n_bytes: int) -> None:
    """All transactions behind the first ISA and GS, numbered anew."""
    first = interchanges[0]
    whole = [re.findall(rb"ST\*.+?~SE\*\d+\*\w+~", data, re.DOTALL) for data in interchanges]
    with path.open("wb") as file:
        file.write(first[: first.index(b"ST*")])
        number = 0
        while file.tell() < n_bytes:
            for body in (body for found in whole for body in found):
                number += 1
                _, kind, old = re.split(rb"[*~]", body, maxsplit=3)[:3]
                begin, end = b"ST*%b*%b" % (kind, old), b"*%b~" % old
                assert body.startswith(begin), "the ST as everybody writes it"
                assert body.endswith(end), "and its SE"
                file.write(b"ST*%b*%09d" % (kind, number) + body[len(begin) : -len(end)])
                file.write(b"*%09d~" % number)
        group = first[first.index(b"~GS*") + 1 :].split(b"~", 1)[0].split(b"*")[6]
        file.write(b"GE*%d*%b~IEA*1*%b~" % (number, group, first[90:99]))


# ---- what is measured, each in a process of its own -------------------------------------


def build_intake(folder_of_data: str) -> float:
    """Our own: the step intake of the practice `many` under a data folder."""
    from analysis import pipeline
    from analysis.config import Folders
    from analysis.intake import folder

    assert folder
    data = Path(folder_of_data)
    for table in (data / "processed" / "many").glob("*.parquet"):
        table.unlink()
    folders = Folders(data, data / "reports", "many")
    return _timed(lambda: pipeline.build(folders, through="intake", say=lambda _: None))


def split(path: str) -> float:
    """The floor: every segment and element cut out once."""
    data = Path(path).read_bytes()

    def cut() -> None:
        for start in range(0, len(data), _BLOCK):
            for segment in data[start : start + _BLOCK].split(b"~"):
                segment.split(b"*")

    return _timed(cut)


def read_x12sdk(path: str) -> float:
    """x12sdk: a typed model of each transaction."""
    from x12sdk.io import X12ModelReader

    def read() -> None:
        with X12ModelReader(path) as reader:
            for model in reader.models():
                assert model

    return _timed(read)


def read_pyx12(path: str) -> float:
    """pyx12: every segment placed in its map."""
    import pyx12.error_handler
    import pyx12.params
    import pyx12.x12context

    def read() -> None:
        errors = pyx12.error_handler.errh_null()
        with Path(path).open() as file:
            reader = pyx12.x12context.X12ContextReader(pyx12.params.params(), errors, file)
            for segment in reader.iter_segments():
                assert segment

    return _timed(read)


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began

"""Makes a practice: draws it, tells its claims' histories, and lays down files and truth."""

import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis.errors import UsageError
from analysis.synthetic import world
from analysis.synthetic.claims_837p import claim_files
from analysis.synthetic.days import first_day, iso
from analysis.synthetic.histories import Appeal, Histories, tell_histories
from analysis.synthetic.records import (
    AppealTruth,
    Policy,
    Prescription,
    appeal_records,
    csv_text,
    documentation_csv,
    policies,
    practice_toml,
    prescriptions,
)
from analysis.synthetic.remittances_835 import remittance_files
from analysis.synthetic.truth import ClaimTruth, claim_truth
from analysis.synthetic.visits import Authorization, BenefitCall, Visits, draw_visits

MAX_CLAIMS = 1_000_000
MAX_MONTHS = 60


@dataclass(frozen=True)
class Synthesized:
    """What was made: where it lies, and how much of it."""

    raw_dir: Path
    truth_dir: Path
    n_claims: int
    n_files: int
    first_month: str
    last_month: str


def synthesize(
    name: str, *, data_dir: Path, n_claims: int = 5000, n_months: int = 24, seed: int = 1
) -> Synthesized:
    """Makes a practice's raw files in data_dir/raw/name and the truth in data_dir/truth/name.

    `n_claims` visits in the `n_months` that end on the fixed as-of date, 2026-09-30; corrected,
    voided and repeated claims come on top. The same arguments give byte-identical files. Raises
    UsageError for arguments out of range and when raw/name exists already.
    """
    _check(name, n_claims, n_months, seed)
    raw, truth = data_dir / "raw" / name, data_dir / "truth" / name
    if raw.exists():
        raise UsageError(
            f"{raw} exists already; choose another name, or remove it and {truth} first"
        )
    visits = draw_visits(n_claims, n_months, seed)
    histories = tell_histories(visits.claims, seed)
    arguments = {"n_claims": n_claims, "n_months": n_months, "seed": seed}
    # Truth without raw files is what an interrupted run left behind.
    shutil.rmtree(truth, ignore_errors=True)
    _lay_down(truth, _truth_files(visits, histories, arguments))
    n_files = _lay_down(raw, _raw_files(name, visits, histories, seed))
    return Synthesized(
        raw,
        truth,
        n_claims,
        n_files,
        first_month=iso(first_day(n_months))[:7],
        last_month=world.AS_OF.isoformat()[:7],
    )


def _check(name: str, n_claims: int, n_months: int, seed: int) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise UsageError(f"'{name}' is no practice name: letters, digits, - and _ only")
    if not 1 <= n_claims <= MAX_CLAIMS:
        raise UsageError(f"claims: {n_claims} is not between 1 and {MAX_CLAIMS}")
    if not 1 <= n_months <= MAX_MONTHS:
        raise UsageError(f"months: {n_months} is not between 1 and {MAX_MONTHS}")
    if seed < 0:
        raise UsageError(f"seed: {seed} is negative; take 0 or more")


def _raw_files(
    name: str, visits: Visits, histories: Histories, seed: int
) -> Iterator[tuple[str, bytes]]:
    yield "practice.toml", practice_toml(name).encode()
    yield "documentation.csv", documentation_csv(visits.claims, seed).encode()
    asked = sorted(visits.authorizations, key=lambda row: (row.requested_date, row.member_id))
    yield "authorizations.csv", csv_text(Authorization._fields, asked).encode()
    ordered = prescriptions(visits.claims, seed)
    yield "prescriptions.csv", csv_text(Prescription._fields, ordered).encode()
    yield "benefit_calls.csv", csv_text(BenefitCall._fields, sorted(visits.benefit_calls)).encode()
    kept, _ = appeal_records(histories.appeals, seed)
    yield "appeals.csv", csv_text(Appeal._fields, kept).encode()
    yield "policies.csv", csv_text(Policy._fields, policies()).encode()
    yield from _loaded_twice(claim_files(histories.claims))
    yield from _loaded_twice(_as_downloaded(remittance_files(histories)))


def _as_downloaded(files: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str | bytes]]:
    """Remittances as they really lie there: one a month zipped, one a year oddly named."""
    years = set()
    for file_name, text in files:
        stem = file_name.removesuffix(".835")
        year = file_name.split("_")[1][:4]
        if stem.endswith("northlink-b"):
            yield f"{stem}.zip", _zipped(file_name, text)
        elif "statefund" in stem and year not in years:
            years.add(year)
            yield f"{stem}.{'txt' if int(year) % 2 else 'edi'}", text
        else:
            yield file_name, text


def _zipped(file_name: str, text: str) -> bytes:
    """A zip that is the same on every machine: fixed time, nothing compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        member = zipfile.ZipInfo(file_name)
        member.create_system = 3
        archive.writestr(member, text)
    return out.getvalue()


def _loaded_twice(files: Iterator[tuple[str, str | bytes]]) -> Iterator[tuple[str, bytes]]:
    """All files, and the third once more under another name."""
    for n, (file_name, content) in enumerate(files, 1):
        data = content if isinstance(content, bytes) else content.encode()
        yield file_name, data
        if n == 3:
            yield f"copy_of_{file_name}", data


def _truth_files(
    visits: Visits, histories: Histories, arguments: dict[str, int]
) -> Iterator[tuple[str, bytes]]:
    rows = (claim_truth(history) for history in histories.claims)
    yield "claims.csv", csv_text(ClaimTruth._fields, rows).encode()
    _, appeals = appeal_records(histories.appeals, arguments["seed"])
    yield "appeals.csv", csv_text(AppealTruth._fields, appeals).encode()
    parameters = json.dumps(_parameters(visits, arguments), indent=2, default=_plain)
    yield "parameters.json", f"{parameters}\n".encode()


def _parameters(visits: Visits, arguments: dict[str, int]) -> dict[str, object]:
    """Every stated parameter under its name in `world`, and the drawn effects beside them."""
    stated = {
        name.lower(): value
        for name, value in vars(world).items()
        if name.isupper() and not name.startswith("_")
    }
    for table in ("payers", "conditions", "documents"):
        stated[table] = [asdict(row) for row in stated[table]]
    return {
        "arguments": arguments,
        "intercept_shift": visits.intercept_shift,
        "payer_effects": visits.payer_effects,
        "plan_effects": visits.plan_effects,
        **stated,
    }


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)


def _lay_down(folder: Path, files: Iterator[tuple[str, bytes]]) -> int:
    """Writes the files to a folder beside this one, then renames it; returns how many."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    n_files = 0
    try:
        for file_name, data in files:
            path = staged / file_name
            path.write_bytes(data)
            path.chmod(0o600)
            n_files += 1
        staged.rename(folder)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    return n_files

"""`outcomes release`: from practices' tables to a folder that may leave them, or a refusal."""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import config, tables
from analysis.config import Folders, Practice, Story, project_folder
from analysis.errors import DataError, GateRefused, UsageError
from analysis.findings import population, public
from analysis.findings.finding import Finding, Scope, written
from analysis.release import counted, density, gate, package, pages, stories, texts, verify
from analysis.release.counted import Categories, Counted
from analysis.release.ledger import Ledger, digest
from analysis.release.months import Months, chosen
from analysis.reports import definitions, page, parameters, pdf, period, staging
from analysis.reports.book import Book
from analysis.reports.execution import execute
from analysis.reports.parameters import ReleaseParameters
from analysis.reports.watch import Limits, Watch

NOTEBOOK = "09_public_findings"
# Practices that do not all consent are only released together, so many that none stands out.
MINIMUM_PRACTICES = 5
MAXIMUM_SHARE = 0.5
_DRAFT_BELOW = 200


@dataclass(frozen=True)
class Asked:
    """What a release was asked for.

    month        the last month counted, '' for the last complete one
    since        the first month counted, '' for the one after the last release
    merge_below  insurers and conditions of fewer claims become "other"; None lets the gate propose
    is_crossed   whether insurers are told by condition and by quarter, or each of them by itself
    corrects     number of the release that this one replaces, 0 for none, and the reason
    """

    practices: Sequence[Folders]
    month: str
    to: Path
    merge_below: int | None = None
    corrects: int = 0
    reason: str = ""
    since: str = ""
    is_crossed: bool = True


@dataclass(frozen=True)
class Population:
    """What is counted: `claims` as `counted.answers`; `everything` is all up to the last month.

    unanswered  claims of these months that are old enough and have no answer: in no release
    """

    claims: pd.DataFrame
    everything: pd.DataFrame
    unanswered: int
    scope: Scope
    months: Months


@dataclass(frozen=True)
class Released:
    """What was published: where, the release's number and hash, the ledger's head, cells hidden."""

    folder: Path
    number: int
    release_id: str
    ledger_head: str
    n_hidden: int
    n_cells: int
    is_again: bool


def release(asked: Asked, say: Callable[[str], None]) -> Released:
    """Publish the release, whole or not at all, and record it.

    Raises GateRefused when something must not leave, UsageError for a wrong folder or number.
    """
    stated = [config.load_practice(p.require_raw()) for p in asked.practices]
    require_room(asked.to)
    ledger = ledger_of(asked.practices)
    if asked.corrects and asked.corrects not in ledger.numbers:
        raise UsageError(f"--corrects {asked.corrects}: there is no release of that number")
    counts = counted_of(asked, ledger.months)
    _require_nobody_identified(stated, counts.claims)
    told = stories.allowed(asked.practices, stated, date.today())
    now, earlier, is_again = counted_now(asked, ledger, counts)
    number = next(iter(now.values)).release
    if is_again and (reason := ledger.reason_of_retraction(number)):
        raise GateRefused(f"this is release {number}, which was retracted: {reason}")
    if earlier and not is_again and not (asked.since or asked.corrects):
        _refuse_again(earlier[-1].number, counts.months)
    if earlier or asked.merge_below is not None:
        hidden = gate.hide(now, earlier)
    else:
        hidden = density.hidden(
            now,
            counts.claims,
            counts.everything,
            counts.months,
            again=lambda: _counted_again(asked, ledger),
        )
    if earlier and not is_again:
        say(
            f"{_share(now, hidden)} of the counts are withheld, {_share(now, gate.hide(now, []))}"
            " had none been published before: of those that grew by 1 to 10 the difference would"
            " tell. Months that no release counts yet have no such past (leave --from out)"
        )
    return put_out(
        Outgoing(
            to=asked.to,
            month=counts.months.last,
            scope=counts.scope,
            about=_about(stated, now, earlier, counts, number),
            now=now,
            hidden=hidden,
            ledgers=[Ledger(_private(p, asked.practices)) for p in asked.practices],
            home=asked.practices[0],
            corrects=asked.corrects,
            reason=asked.reason,
            stories=told,
        ),
        say,
    )


@dataclass(frozen=True)
class Outgoing:
    """A release that only has to be written and recorded.

    about    what release.json says
    ledgers  where it is recorded, alike in all; the first is read
    home     whose private folder keeps the executed notebook
    between  findings that its tables do not carry
    stories  cases to tell beside the rate of claims like them
    """

    to: Path
    month: str
    scope: Scope
    about: Mapping[str, Any]
    now: Counted
    hidden: frozenset[verify.Cell]
    ledgers: Sequence[Ledger]
    home: Folders
    corrects: int = 0
    reason: str = ""
    between: Sequence[Finding] = ()
    stories: Sequence[Story] = ()


def put_out(out: Outgoing, say: Callable[[str], None]) -> Released:
    """Let the attacker try the release; write, verify and record it. Raises GateRefused."""
    ledger, number = out.ledgers[0], out.about["number"]
    say(f"{len(out.hidden)} of {sum(map(bool, out.now.values.values()))} counts are withheld")
    with tempfile.TemporaryDirectory(dir=_parent(out.to), prefix=".release-") as room:
        stage = Path(room) / out.to.name
        made = package.tables(out.now, out.hidden)
        months = Months(out.about["first"], out.about["last"])
        earlier = [n for n in ledger.tied(months) if n != number]
        _write_counts(stage, out.about, made, ledger, earlier, out.scope, out.between, out.stories)
        say("the attacker found nothing; writing the pages")
        _write_pages(stage, out)
        entry = _entry(stage, out)
        recorded = _already(ledger, number, entry["files"])
        line = "" if recorded else ledger.line(entry)
        (stage / verify.LEDGER).write_text(
            recorded or f"{ledger.text}{line}\n", encoding="utf-8", newline="\n"
        )
        _write_sums(stage)
        broken = verify.problems(stage)
        if broken:
            raise GateRefused(f"the release does not verify itself: {broken[0]}")
        if line:
            # Recorded first: what was published without a record would be forgotten.
            for own in out.ledgers:
                own.keep(number, out.now.values, out.now.categories, made)
                own.append(line)
        _put(stage, out.to)
    return Released(
        out.to,
        number,
        verify.release_id(out.to),
        verify.ledger_head(out.to),
        len(out.hidden),
        len(out.now.values),
        bool(recorded),
    )


def retract(practices: Sequence[Folders], number: int, reason: str, to: Path) -> None:
    """Record that a release no longer holds, and put the ledger into its folder `to`.

    What it told stays known, so later releases are still judged with it. Raises UsageError for an
    unknown number.
    """
    ledger = ledger_of(practices)
    if number not in ledger.numbers:
        raise UsageError(f"--retracts {number}: there is no release of that number")
    line = ledger.line({"kind": "retraction", "release": number, "reason": reason})
    for practice in practices:
        Ledger(_private(practice, practices)).append(line)
    _write(to / verify.LEDGER, ledger.text.encode())
    if _is_release(to):
        _write_sums(to)


def opened(**given: Any) -> tuple[Book, Path]:
    """The book of the notebook on a release, from its own parameters, and the release's folder.

    Without a release it is a draft in the practice's private folder.
    """
    checked = parameters.parse(NOTEBOOK, given)
    if not isinstance(checked, ReleaseParameters) or not checked.release:
        book = Book.open(NOTEBOOK, **given)
        return book, _draft(ReleaseParameters(**given))
    folder = Path(checked.release)
    about = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    as_of = date.fromisoformat(about["as_of"])
    month = period.Month.parse(checked.month)
    return Book.of(NOTEBOOK, checked, month, as_of, about["publisher"]), folder


def _draft(given: ReleaseParameters) -> Path:
    folders = given.folders
    asked = Asked([folders], given.month, folders.private / "draft")
    counts = counted_of(asked, {})
    claims, scope = counts.claims, counts.scope
    now = counted.count(claims, counted.merged(claims, _DRAFT_BELOW), 1, scope.period, scope.as_of)
    made = package.tables(now, gate.hide(now, []))
    shutil.rmtree(asked.to, ignore_errors=True)
    about = _about([config.load_practice(folders.raw)], now, [], counts, 1)
    _write_counts(asked.to, about, made, Ledger(asked.to), [], scope)
    return asked.to


# ---- what is counted ------------------------------------------------------------------------


def counted_of(asked: Asked, earlier: Mapping[int, Months]) -> Population:
    """What a release counts that comes after `earlier` ones."""
    last = min(str(period.covered(p).month(asked.month)) for p in asked.practices)
    parts, days, old = [], [], []
    for practice in asked.practices:
        outcomes = tables.read_frame(practice.processed, "claim_outcomes")
        payers = tables.read_frame(practice.processed, "payers")
        claims = counted.answers(outcomes, payers, last)
        ids = {c: practice.practice + "/" + claims[c].astype(str) for c in ("claim_id",)}
        patients = (practice.practice + "/" + claims["patient_id"]).where(
            claims["patient_id"].notna()
        )
        parts.append(claims.assign(practice=practice.practice, patient_id=patients, **ids))
        days.append(population.as_of(outcomes))
        old.append(population.month_of(population.matured(outcomes, last)))
    everything = pd.concat(parts, ignore_index=True)
    month = population.month_of(everything)
    months = chosen(last, asked.since, asked.corrects, earlier, str(month.min()))
    claims = everything[month >= pd.Period(months.first, "M")].reset_index(drop=True)
    if claims.empty:
        raise DataError(f"no claim of {months} is old enough and answered, so nothing to release")
    named = "one practice" if len(parts) == 1 else f"{len(parts)} practices together"
    spoken = population.spoken(population.known_from(claims))
    scope = Scope(f"claims of {named}", spoken, min(days))
    n_old = int((pd.concat(old) >= pd.Period(months.first, "M")).sum())
    return Population(claims, everything, n_old - len(claims), scope, months)


def counted_now(
    asked: Asked, ledger: Ledger, counts: Population
) -> tuple[Counted, list[gate.Earlier], bool]:
    """The counts under their release's number, earlier ones of the same months, if made again."""
    claims, scope = counts.claims, counts.scope
    numbers, tied = ledger.numbers, ledger.tied(counts.months)
    number = max(numbers, default=0) + 1
    if not tied:
        if numbers and asked.merge_below is None:
            known = ledger.categories(numbers[-1])
            is_crossed = known.is_crossed and asked.is_crossed
            kept = replace(known, quarters=(), is_crossed=is_crossed)
            categories = counted.extended(kept, claims)
        else:
            below = asked.merge_below or 0
            categories = counted.merged(claims, below, is_crossed=asked.is_crossed)
        return counted.count(claims, categories, number, scope.period, scope.as_of), [], False
    categories = counted.extended(ledger.categories(tied[-1]), claims)
    if not _fits(categories, claims, asked):
        raise UsageError(
            "these months were released in other categories; leave out --merge-below and"
            " --uncrossed, since tables of differing categories tell more together"
        )
    now = counted.count(claims, categories, number, scope.period, scope.as_of)
    earlier = [ledger.earlier(n) for n in tied]
    last = earlier[-1]
    # A correction of words alone, such as a story taken back, is a release of its own.
    if not asked.corrects and gate.same(now.values, last):
        again = counted.count(claims, categories, tied[-1], scope.period, scope.as_of)
        return again, earlier, True
    return now, earlier, False


def _fits(categories: Categories, claims: pd.DataFrame, asked: Asked) -> bool:
    if categories.is_crossed and not asked.is_crossed:
        return False
    merged = counted.merged(claims, asked.merge_below or 0)
    return asked.merge_below is None or set(merged.insurers) <= set(categories.insurers)


def _counted_again(asked: Asked, ledger: Ledger) -> dict[str, float]:
    """What would be withheld if the months of each earlier release were counted again."""
    found: dict[str, float] = {}
    for first in sorted({months.first for months in ledger.months.values()}):
        try:
            wider = replace(asked, since=first)
            now, earlier, _ = counted_now(wider, ledger, counted_of(wider, ledger.months))
            found[first] = gate.sparsity(now, gate.hide(now, earlier))
        except GateRefused:
            continue
    return found


# ---- guards ---------------------------------------------------------------------------------


def _require_nobody_identified(stated: Sequence[Practice], claims: pd.DataFrame) -> None:
    if len({practice.made_up for practice in stated}) > 1:
        raise GateRefused("made-up and real practices cannot be released together")
    if all(practice.consent_to_publish or practice.made_up for practice in stated):
        return
    if len(stated) < MINIMUM_PRACTICES:
        raise GateRefused(
            "this release would identify a practice that has not consented: write"
            " `consent_to_publish = true` into its practice.toml, or release at least"
            f" {MINIMUM_PRACTICES} practices together"
        )
    share = claims["practice"].value_counts(normalize=True).max()
    if share > MAXIMUM_SHARE:
        raise GateRefused(
            f"one practice has {written(share, 'percent')} of the claims, so the release would"
            " tell about it; it has to consent, or more practices have to join"
        )


def _refuse_again(number: int, months: Months) -> None:
    raise GateRefused(
        f"release {number} counts {months} already, and answers that came since would change some"
        " of its counts by 1 to 10. Publish later months: the next release begins with"
        f" {period.Month.parse(months.last).next.label}. To replace release {number}: `--corrects"
        f" {number}` with a --reason"
    )


def _share(now: Counted, hidden: frozenset[verify.Cell]) -> str:
    return written(gate.sparsity(now, hidden), "percent")


def require_room(to: Path) -> None:
    """Raise UsageError where `to` holds something else than a release."""
    if to.exists() and (not to.is_dir() or (any(to.iterdir()) and not _is_release(to))):
        raise UsageError(f"--to {to}: it holds something else than a release; name a new folder")


def _is_release(folder: Path) -> bool:
    return (folder / "release.json").is_file() and (folder / verify.SUMS).is_file()


def _private(practice: Folders, practices: Sequence[Folders]) -> Path:
    if len(practices) == 1:
        return practice.private / "releases" / "alone"
    names = "\n".join(sorted(p.practice for p in practices))
    return practice.private / "releases" / digest(names)[:16]


def ledger_of(practices: Sequence[Folders]) -> Ledger:
    """The ledger of this population. Raises GateRefused where joint audits cannot be made."""
    if len({practice.practice for practice in practices}) < len(practices):
        raise UsageError("a practice is named twice")
    ledgers = [Ledger(_private(practice, practices)) for practice in practices]
    if len({ledger.text for ledger in ledgers}) > 1:
        raise GateRefused("the practices' ledgers of their common releases differ")
    for practice in practices:
        parent = practice.private / "releases"
        others = {p.name for p in parent.iterdir()} if parent.is_dir() else set()
        if others - {_private(practice, practices).name}:
            raise GateRefused(
                f"{practice.practice} was released before, alone or with other practices; what"
                " both releases tell together cannot be judged"
            )
    return ledgers[0]


def program() -> str:
    """The version of this program."""
    return version("reimbursement-outcomes")


# ---- files ----------------------------------------------------------------------------------


def _about(
    stated: Sequence[Practice],
    now: Counted,
    earlier: Sequence[gate.Earlier],
    counts: Population,
    number: int,
) -> dict[str, Any]:
    """What release.json says."""
    scope = counts.scope
    named = [practice.name or "" for practice in stated]
    are_named = all(practice.consent_to_publish for practice in stated) and all(named)
    order = [e for e in earlier if e.number != number]
    return {
        "number": number,
        "publisher": ", ".join(named) if are_named else scope.population.removeprefix("claims of "),
        "population": scope.population,
        "made_up": stated[0].made_up,
        "first": counts.months.first,
        "last": counts.months.last,
        "period": scope.period,
        "as_of": scope.as_of.isoformat(),
        "definition": population.DEFINITIONS["first"],
        "unanswered": texts.unanswered(counts.unanswered, len(counts.claims)),
        "symbol": verify.SYMBOL,
        "design_effect": now.design_effect,
        "restated": gate.restated([*((e.number, e.values) for e in order), (number, now.values)]),
        "templates": {**public.TEMPLATES, "story": public.STORY_TEMPLATE},
        "version": program(),
    }


def _write_counts(
    stage: Path,
    about: Mapping[str, Any],
    made: Mapping[str, bytes],
    ledger: Ledger,
    earlier: Sequence[int],
    scope: Scope,
    between: Sequence[Finding] = (),
    told_cases: Sequence[Story] = (),
) -> None:
    """Everything that the release's own number stands for."""
    _write(stage / "release.json", staging.as_json(about))
    for name, content in made.items():
        _write(stage / "tables" / name, content)
    for before in earlier:
        for name, content in ledger.tables(before).items():
            _write(stage / "earlier" / str(before) / name, content)
    told = package.findings(stage, scope)
    found = {"release": about["number"], "findings": told}
    if between:
        found["between_practices"] = package.numbered_from(len(told) + 1, between)
    if told_cases:
        cases = stories.found(told_cases, list(pages.findings(stage)))
        found["stories"] = package.stories_from(len(told) + len(between) + 1, cases)
    _write(stage / "findings.json", staging.as_json(found))
    _write(stage / "certificate.json", _compact(package.certificate(stage)))
    for name, content in package.figures(stage).items():
        _write(stage / "figures" / name, content)


def _write_pages(stage: Path, out: Outgoing) -> None:
    about, home = out.about, out.home
    executed = home.private / "notebooks" / "release" / f"{NOTEBOOK}.ipynb"
    given = ReleaseParameters(
        practice=home.practice,
        month=out.month,
        data_dir=str(home.data_dir),
        reports_dir=str(home.reports_dir),
        release=str(stage.absolute()),
    )
    source = project_folder() / "notebooks" / f"{NOTEBOOK}.ipynb"
    records = execute(source, executed, given, Watch(Limits()))
    told = page.Page(
        title=page.title_of(records.notebook),
        insurer="",
        practice_name=f"{about['publisher']}, release {about['number']}",
        month=str(about["period"]).removeprefix("submitted ").removeprefix("in "),
        as_of=pd.Timestamp(about["as_of"]).date(),
        is_made_up=bool(about["made_up"]),
        notebook=NOTEBOOK.split("_", 1)[1],
        version=str(about["version"]),
        made_from=verify.release_id(stage),
        up="",
        pdf="public_findings.pdf",
        limits=definitions.OF_A_RELEASE,
        is_release=True,
    )
    _write(stage / verify.PAGE, page.render(records.notebook, told).encode())
    _write(stage / "public_findings.pdf", pdf.render(records.notebook, told))
    for name, content in pages.pictures(stage).items():
        _write(stage / "figures" / name, content)
    title = f"Approval of medical massage claims, {about['publisher']}, release {about['number']}"
    _write(stage / "datapackage.json", staging.as_json(package.datapackage(stage, title)))
    _write(stage / "findings.schema.json", staging.as_json(package.findings_schema()))
    _write(stage / "CITATION.cff", texts.citation(about, verify.release_id(stage)).encode())
    found = json.loads((stage / "findings.json").read_text(encoding="utf-8"))["findings"]
    _write(stage / "README.md", texts.readme(about, found, verify.release_id(stage)).encode())
    _write(stage / "verify.py", Path(verify.__file__).read_bytes())


def _entry(stage: Path, out: Outgoing) -> dict[str, Any]:
    about = out.about
    entry = {
        "kind": "correction" if out.corrects else "release",
        "release": about["number"],
        "release_id": verify.release_id(stage),
        **{name: about[name] for name in verify.ON_RECORD},
        "files": verify.files_of(stage),
    }
    if out.corrects:
        entry |= {"corrects": out.corrects, "reason": out.reason}
    return entry


def _already(ledger: Ledger, number: int, files: Mapping[str, str]) -> str:
    """The ledger's text when exactly this release stands in it, else ''."""
    same = [e for e in ledger.entries if e["release"] == number and e.get("files") == files]
    return ledger.text if same else ""


def _write_sums(stage: Path) -> None:
    files = verify.files_of(stage) | {verify.LEDGER: verify.sha256(stage / verify.LEDGER)}
    lines = [f"{digest}  {name}\n" for name, digest in sorted(files.items())]
    _write(stage / verify.SUMS, "".join(lines).encode())


def _put(stage: Path, to: Path) -> None:
    old = stage.with_name(f"{to.name}.old")
    if to.exists():
        to.rename(old)
    stage.rename(to)
    shutil.rmtree(old, ignore_errors=True)


def _parent(to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    return to.parent


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _compact(certificate: Mapping[str, Any]) -> bytes:
    """The certificate with one hidden count or world per line."""
    parts = [f' "promise": {json.dumps(certificate["promise"])}']
    for name in ("hidden", "worlds"):
        lines = ",\n".join(f"  {json.dumps(x, ensure_ascii=False)}" for x in certificate[name])
        parts.append(f' "{name}": [\n{lines}\n ]' if lines else f' "{name}": []')
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()

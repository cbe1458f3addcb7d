"""Which insurer each name and id in the files means: settled where it is certain, else suggested.

Files write one insurer in many ways: spellings, the id claims go to and another the money comes
from, an administrator that pays for an employer. A name and an id as written are one insurer with
another when the practice says so (practice.toml, payer_aliases.csv), when the id is the same, or
when nothing speaks against it (see `_Settling`). Likeness of names alone never joins two insurers:
it makes a suggestion, which the practice confirms by copying a line.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from analysis import engine, tables
from analysis.config import Practice
from analysis.engine import Source
from analysis.intake.spool import changed
from analysis.workbooks import Heading, write_csv

# What clearinghouses write where a claim is printed or the insurer has no id: it names nobody.
_NO_IDS = frozenset({"00000", "99999", "NONE", "PAPER", "PRINT", "PRINTED", "SPRNT", "UNKNOWN"})

# Words that say how a company is founded, not which. CO and PA are left out: they are states too.
_LEGAL_FORMS = frozenset(
    {"COMPANY", "CORP", "CORPORATION", "INC", "INCORPORATED", "LLC", "LP", "LTD", "LIMITED"}
)

_ALIKE = 80
"""Likeness, 0 to 100, from which a name is suggested as another's spelling."""

_UNLIKE = 50
"""Likeness below which two names under one id are pointed out to the practice."""


class Written(NamedTuple):
    """A name and an id as a file writes them; '' where it writes none."""

    name: str
    payer_id: str


@dataclass(frozen=True)
class Settled:
    """The insurer that a name and id as written mean, and how that is known."""

    payer_id: str
    decided_by: str
    role: str = "unknown"
    funding: str = "unknown"
    product: str = "unknown"


@dataclass(frozen=True)
class Resolved:
    """The tables under settled ids, and the alias rows that cannot be followed, with reasons."""

    tables: dict[str, Source]
    refused: dict[tuple[str, int], str]


def resolve(read: Mapping[str, Source], practice: Practice) -> Resolved:
    """The tables with each insurer under one id, and the table `payer_names` beside them.

    `read` are the tables of intake, ids and names as written. An id that practice.toml states is
    never replaced, and no id is given where neither an id nor a name was sent.
    """
    stated = {payer.id for payer in practice.payers}
    met_sent, answered_sent = _asked(read)
    met = _counted(_without_empty_ids(met_sent, stated))
    answered_sent = _without_empty_ids(answered_sent, stated, "claim_")
    answered = _pairs(_without_empty_ids(answered_sent, stated))
    aliases_sent = tables.load(read["payer_aliases"])
    refused, aliases = _followed(aliases_sent.to_pylist(), practice, met)
    settling = _Settling(practice, aliases, met, answered)
    settle = partial(_under_settled_ids, settling=settling, stated=stated)
    # Where every id is right as it was sent, a large table need not be written again.
    settled = _settled_already(met_sent, settle(met_sent))
    made = {
        name: changed(name, source, settle)
        if "payer_id" in tables.arrow_schema(name).names and name not in settled
        else source
        for name, source in read.items()
    }
    made["payer_aliases"] = _kept(aliases_sent, refused)
    sent_to = {
        written: {settling.of(sent) or "" for sent in claims}
        for written, claims in answered.items()
    }
    made["payer_names"] = tables.from_rows("payer_names", _rows(settling, met, sent_to))
    return Resolved(made, refused)


def name_key(name: str) -> str:
    """A name without what never tells two insurers apart: case, accents, signs, legal form.

    >>> name_key("The Alder Mutual, Inc.") == name_key("ALDER  MUTUAL")
    True
    >>> name_key("Alder Mutual of WA") == name_key("Alder Mutual of OR")
    False
    """
    plain = unicodedata.normalize("NFKD", name.upper())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    # "U.S." is "US", but "A&B" is "A AND B".
    words = re.sub(r"[^\w\s]", " ", re.sub(r"[.']", "", plain).replace("&", " AND ")).split()
    if words[:1] == ["THE"]:
        words = words[1:]
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words = words[:-1]
    return " ".join(words)


def suggestions_file(private: Path, payer_names: pa.Table) -> Path:
    """Write what only the practice can decide to `private/payer_suggestions.csv`, mode 0600.

    Its first columns are those of payer_aliases.csv, so that a line the practice agrees with can
    be copied there. The heading of the third differs on purpose: the file as a whole confirms
    nothing.
    """
    names = ["name_as_written", "payer_id_as_written", "suggested_payer_id"]
    # For the practice to fill in, where it knows them.
    names += ["role", "funding", "product"]
    names += ["suggested_name", "suggestion_basis", "suggestion_score"]
    names += ["n_claims", "n_remittances"]
    blank = {"role": None, "funding": None, "product": None}
    suggested = [row | blank for row in payer_names.to_pylist() if row["suggested_payer_id"]]
    cells = [[row[name] for name in names] for row in suggested]
    return write_csv(private / "payer_suggestions.csv", [Heading(name) for name in names], cells)


# ---- what is written --------------------------------------------------------------------


@dataclass
class _Count:
    n_claims: int = 0
    n_remittances: int = 0

    def add(self, table: str, n: int) -> None:
        """Count records; a payment counts by its remittances."""
        self.n_claims += n if table == "claims" else 0
        self.n_remittances += n if table == "remittances" else 0


def _without_empty_ids(table: pa.Table, stated: set[str], prefix: str = "") -> pa.Table:
    """The table without ids that name nobody: an export writes the name where it has no id."""
    name, place = f"{prefix}payer_id", table.column_names.index(f"{prefix}payer_id")
    ids = table[name]
    empty = pa.array(sorted(_NO_IDS - stated), pa.string())
    is_empty = pc.or_kleene(
        pc.is_in(pc.utf8_upper(pc.utf8_trim_whitespace(ids)), empty),
        pc.fill_null(pc.equal(ids, table[f"{prefix}payer_name"]), False),
    )
    ids = pc.if_else(is_empty, pa.scalar(None, pa.string()), ids)
    return table.set_column(place, table.schema.field(place), ids)


def _written(name: str | None, payer_id: str | None) -> Written:
    return Written((name or "").strip(), (payer_id or "").strip())


_WRITING = ("claims", "payments", "remittances")


def _asked(read: Mapping[str, Source]) -> tuple[pa.Table, pa.Table]:
    """What each table of _WRITING writes for insurers, and whose claims it answers with it."""
    staged = engine.statements("analysis.intake", "payer_names.sql")
    made = engine.run(staged, {name: read[name] for name in _WRITING}, ["met", "answered"])
    return tables.load(made["met"]), tables.load(made["answered"])


def _counted(sent: pa.Table) -> dict[Written, _Count]:
    """Every name and id written, with how often."""
    met: dict[Written, _Count] = defaultdict(_Count)
    for row in sent.to_pylist():
        written = _written(row["payer_name"], row["payer_id"])
        if written != ("", ""):
            met[written].add(row["met_in"], row["n_records"])
    return dict(met)


def _pairs(sent: pa.Table) -> dict[Written, set[Written]]:
    """Written on remittances -> what is written on the claims that they answer.

    A control number tells whose claim an answer is about.
    """
    answered: dict[Written, set[Written]] = defaultdict(set)
    for row in sent.to_pylist():
        claim = _written(row["claim_payer_name"], row["claim_payer_id"])
        answered[_written(row["payer_name"], row["payer_id"])].add(claim)
    return dict(answered)


def _settled_already(sent: pa.Table, settled: pa.Table) -> set[str]:
    """The tables of _WRITING in which every id stays as it was sent."""
    before, after = (pc.fill_null(met["payer_id"], "\x1f") for met in (sent, settled))
    return {*_WRITING} - {*sent["met_in"].filter(pc.not_equal(before, after)).to_pylist()}


def _kept(aliases: pa.Table, refused: Mapping[tuple[str, int], str]) -> pa.Table:
    places = zip(aliases["file_name"].to_pylist(), aliases["position"].to_pylist(), strict=True)
    return aliases.filter(pa.array([place not in refused for place in places], pa.bool_()))


# ---- what the practice says -------------------------------------------------------------


def _folded(text: str) -> str:
    return " ".join(text.upper().split())


def _followed(
    rows: list[dict[str, Any]], practice: Practice, met: Iterable[Written]
) -> tuple[dict[tuple[str, int], str], dict[Written, Settled]]:
    """(reasons of the rows refused, what the others say), by folded name and id as written."""
    stated = {payer.id for payer in practice.payers}
    known = stated | {written.payer_id for written in met} - {""}
    says: dict[Written, set[str]] = defaultdict(set)
    moved: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        source = _source(row)
        says[source].add(row["payer_id"])
        if source.payer_id and source.payer_id != row["payer_id"]:
            moved[source.payer_id].add(row["payer_id"])
    refused = {}
    aliases = {}
    for row in rows:
        source = _source(row)
        reason = _refusal(source, row["payer_id"], says, moved, stated, known)
        if reason:
            place = (row["file_name"], row["position"])
            refused[place] = f"{place[0]}, line {place[1]}: {reason}"
        else:
            kept = {key: row[key] or "unknown" for key in ("role", "funding", "product")}
            aliases[source] = Settled(row["payer_id"], "alias", **kept)
    return refused, aliases


def _source(row: dict[str, Any]) -> Written:
    return Written(_folded(row["name_as_written"] or ""), row["payer_id_as_written"] or "")


def _refusal(
    source: Written,
    target: str,
    says: Mapping[Written, set[str]],
    moved: Mapping[str, set[str]],
    stated: set[str],
    known: set[str],
) -> str | None:
    """Why an alias row cannot be followed, and what to write instead."""
    if source == ("", ""):
        return "name_as_written and payer_id_as_written are empty; write at least one of them"
    if len(says[source]) > 1:
        return "another line sends the same name and id to another payer_id; keep one of them"
    for column, payer_id in (("payer_id", target), ("payer_id_as_written", source.payer_id)):
        padded = sorted(
            other for other in known if other != payer_id and other.lstrip("0") == payer_id
        )
        if payer_id and payer_id not in known and padded:
            return (
                f"{column} lost its leading zeros; write {padded[0]}, and give the column the "
                'format "Text" first'
            )
    if source.payer_id in stated and source.payer_id != target:
        return (
            "practice.toml states payer_id_as_written as an insurer of its own; take it out there "
            "or here"
        )
    # A row for one name under an id moves that name only, so it makes no chain.
    further = moved[target] - {target}
    if further and target not in stated:
        return f"payer_id is itself sent on by another line; write {sorted(further)[0]} here"
    return None


# ---- settling ---------------------------------------------------------------------------


class _Settling:
    """Settles everything met, the surest ground first.

    1. `alias`: a row of payer_aliases.csv for the name and id, the id, or the name.
    2. `stated`: practice.toml states the id; `alias`: it lists the id or the name as one.
    3. `same_name`: no id is written, and one insurer alone has that name (but for case, signs and
       legal form); or an id met on remittances alone has the name of the one insurer to whom all
       claims that it answers were sent.
    4. `same_id`: the id stands for itself. Two ids under one name stay two insurers.
    5. `none`: no id, and a name no insurer has; equal names stand together under the name.
    """

    def __init__(
        self,
        practice: Practice,
        aliases: Mapping[Written, Settled],
        met: Mapping[Written, _Count],
        answered: Mapping[Written, set[Written]],
    ) -> None:
        self._aliases = aliases
        self._met = met
        self.stated = {payer.id: payer for payer in practice.payers}
        self._stated_of = {
            _folded(alias): payer.id for payer in practice.payers for alias in payer.aliases
        }
        self.settled: dict[Written, Settled] = {}
        for settle in (self._by_word, self._by_id):
            self.settled |= {w: found for w in self._open() if (found := settle(w))}
        self._names = self._by_name()
        claimed = {w.payer_id for w, count in met.items() if count.n_claims}
        for written, found in self.settled.items():
            if found.decided_by == "same_id" and written.payer_id not in claimed:
                self._pay_for(written, answered.get(written, set()))
        self._names = self._by_name()
        self._settle_names(self._open())
        self.settled = dict(sorted(self.settled.items()))

    def of(self, written: Written) -> str | None:
        """The insurer that a name and id met in the files mean; None where neither is written."""
        found = self.settled.get(written)
        return found.payer_id if found else None

    def of_typed(self, text: str) -> str | None:
        """The insurer that somebody means who types an id, or a name in the id's place."""
        text = text.strip()
        word = self._by_word(Written("", text)) or self._by_word(Written(text, ""))
        if word:
            return word.payer_id
        meant = {found.payer_id for w, found in self.settled.items() if w.payer_id == text}
        meant = meant or self._names.get(name_key(text), set())
        return next(iter(meant)) if len(meant) == 1 else text or None

    def _open(self) -> list[Written]:
        return [written for written in sorted(self._met) if written not in self.settled]

    def _by_word(self, written: Written) -> Settled | None:
        """What practice.toml or payer_aliases.csv say; None where they are silent."""
        name, payer_id = _folded(written.name), written.payer_id
        for source in (Written(name, payer_id), Written("", payer_id)):
            if payer_id and source in self._aliases:
                return self._through_toml(self._aliases[source])
        if payer_id in self.stated:
            return Settled(payer_id, "stated", role=self.stated[payer_id].role or "unknown")
        if name and Written(name, "") in self._aliases:
            return self._through_toml(self._aliases[Written(name, "")])
        for text in (_folded(payer_id), name):
            if text in self._stated_of:
                return Settled(self._stated_of[text], "alias")
        return None

    def _through_toml(self, settled: Settled) -> Settled:
        stated = self._stated_of.get(_folded(settled.payer_id), settled.payer_id)
        return replace(settled, payer_id=stated)

    @staticmethod
    def _by_id(written: Written) -> Settled | None:
        return Settled(written.payer_id, "same_id") if written.payer_id else None

    def _by_name(self) -> dict[str, set[str]]:
        """Name key -> ids of the insurers met or stated under it."""
        names: dict[str, set[str]] = defaultdict(set)
        for written, found in self.settled.items():
            if written.name:
                names[name_key(written.name)].add(found.payer_id)
        for payer_id, payer in self.stated.items():
            for name in (payer.name, *payer.aliases):
                names[name_key(name)].add(payer_id)
        return names

    def _pay_for(self, written: Written, answered: set[Written]) -> None:
        """Put an id no claim is sent to under the one insurer whose name and claims it has."""
        sent_to = {self.of(sent) for sent in answered}
        named = self._names.get(name_key(written.name), set()) - {written.payer_id}
        if written.name and len(sent_to) == 1 and sent_to == named:
            self.settled[written] = Settled(next(iter(named)), "same_name")

    def _settle_names(self, without_id: list[Written]) -> None:
        """Settle what has a name only: the one insurer of that name, else the name itself."""
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        for written in without_id:
            count = self._met[written]
            spellings[name_key(written.name)][written.name] += count.n_claims + count.n_remittances
        for written in without_id:
            key = name_key(written.name)
            named = self._names.get(key, set())
            commonest = min(spellings[key], key=lambda name: (-spellings[key][name], name))
            self.settled[written] = (
                Settled(next(iter(named)), "same_name")
                if len(named) == 1
                else Settled(commonest, "none")
            )


def _under_settled_ids(table: pa.Table, settling: _Settling, stated: set[str]) -> pa.Table:
    """The table with settled ids, found by name and id where it has both, else by what is typed."""
    has_name = "payer_name" in table.column_names
    if has_name:
        table = _without_empty_ids(table, stated)
    names = table["payer_name"] if has_name else pa.nulls(table.num_rows, pa.string())
    keyed = pc.binary_join_element_wise(
        pc.fill_null(names, ""), pc.fill_null(table["payer_id"], ""), "\x1f"
    )
    found = {}
    for key in pc.unique(keyed).to_pylist():
        name, _, payer_id = key.rpartition("\x1f")
        written = _written(name, payer_id)
        found[key] = settling.of(written) if has_name else settling.of_typed(payer_id)
    ids = pa.array(found.values(), pa.string()).take(
        pc.index_in(keyed, pa.array(found.keys(), pa.string()))
    )
    place = table.column_names.index("payer_id")
    return table.set_column(place, table.schema.field(place), ids)


# ---- suggesting -------------------------------------------------------------------------


class _Suggestion(NamedTuple):
    payer_id: str
    name: str
    basis: str
    score: int


def _rows(
    settling: _Settling,
    met: Mapping[Written, _Count],
    sent_to: Mapping[Written, set[str]],
) -> list[dict[str, Any]]:
    """Rows of `payer_names`."""
    main = _main_names(settling, met)
    rank = _ranks(settling, met)
    rows = []
    for written, found in settling.settled.items():
        suggestion = None
        if found.decided_by in ("same_id", "none"):
            suggestion = _suggest(written, found.payer_id, main, rank, sent_to.get(written, set()))
        rows.append(
            {
                "name_as_written": written.name or None,
                "payer_id_as_written": written.payer_id or None,
                "payer_id": found.payer_id,
                "decided_by": found.decided_by,
                "role": found.role,
                "funding": found.funding,
                "product": found.product,
                "is_doubtful": _is_doubtful(written, found, main),
                "suggested_payer_id": suggestion and suggestion.payer_id,
                "suggested_name": suggestion and suggestion.name,
                "suggestion_basis": suggestion and suggestion.basis,
                "suggestion_score": suggestion and suggestion.score,
                "n_claims": met[written].n_claims,
                "n_remittances": met[written].n_remittances,
            }
        )
    return rows


def _main_names(settling: _Settling, met: Mapping[Written, _Count]) -> dict[str, str]:
    """Insurer -> the name practice.toml states, else the one written most often."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for written, found in settling.settled.items():
        if written.name:
            n = met[written].n_claims + met[written].n_remittances
            counts[found.payer_id][written.name] += n
    written_names = {
        payer_id: min(names, key=lambda name: (-names[name], name))
        for payer_id, names in counts.items()
    }
    return written_names | {payer_id: payer.name for payer_id, payer in settling.stated.items()}


def _ranks(settling: _Settling, met: Mapping[Written, _Count]) -> dict[str, tuple[bool, int, str]]:
    """Insurer -> what sorts it: the stated ones first, then those with most claims."""
    n_claims: Counter[str] = Counter()
    for written, found in settling.settled.items():
        n_claims[found.payer_id] += met[written].n_claims
    return {
        payer_id: (payer_id not in settling.stated, -n_claims[payer_id], payer_id)
        for payer_id in {*n_claims, *settling.stated}
    }


def _suggest(
    written: Written,
    payer_id: str,
    main: Mapping[str, str],
    rank: Mapping[str, tuple[bool, int, str]],
    sent_to: set[str],
) -> _Suggestion | None:
    """The insurer that a name and id may mean: whose claims it answers, else who is named alike.

    Only an insurer that ranks before this one is suggested, so that of two one is asked about.
    """
    others = [other for other in main if rank[other] < rank[payer_id]]
    scores = {other: likeness(written.name, main[other]) for other in others}
    if len(sent_to) == 1 and (sent := next(iter(sent_to))) in scores:
        return _Suggestion(sent, main[sent], "answers_its_claims", scores[sent])
    alike = [other for other in others if written.name and scores[other] >= _ALIKE]
    if not alike:
        return None
    best = min(alike, key=lambda other: (-scores[other], rank[other]))
    return _Suggestion(best, main[best], "similar_name", scores[best])


def _is_doubtful(written: Written, found: Settled, main: Mapping[str, str]) -> bool:
    """Whether the id says one insurer and the name another."""
    if found.decided_by not in ("same_id", "stated") or not written.name:
        return False
    return likeness(written.name, main[found.payer_id]) < _UNLIKE


def likeness(name: str, other: str) -> int:
    """How alike two names are, 0 to 100: shared words, or the same letters spaced otherwise.

    >>> likeness("UNITED HEALTHCARE", "UnitedHealthcare")
    100
    """
    from rapidfuzz import fuzz

    one, two = name_key(name), name_key(other)
    apart = fuzz.token_set_ratio(one, two)
    joined = fuzz.ratio(one.replace(" ", ""), two.replace(" ", ""))
    return round(max(apart, joined))

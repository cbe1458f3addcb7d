"""Charts in one style: colour-blind safe, labelled directly, uncertainty always drawn.

Each chart function takes a small frame and returns the figure with an alternative text made from
the same data; `what` says in words what is shown. Rows stand from top to bottom as given. Figures
are built without pyplot, so no chart can inherit another's state. An empty frame, or a missing
column, is a ValueError: a notebook then shows a note instead.
"""

import io
import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from analysis.findings.finding import written
from analysis.reports.period import Month

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Hues of Okabe and Ito, which every common colour vision tells apart; orange and grey a little
# darker than theirs, so that white figures on them can be read. The page gives each role its own
# colour in dark mode.
INK, MUTED, GRID, PLATE = "#1b1f24", "#57606a", "#d0d7de", "#ffffff"
BLUE, ORANGE, GREY = "#0072b2", "#c05000", "#6e7781"
_ROLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PLATE: "plate",
    BLUE: "blue",
    ORANGE: "orange",
    GREY: "grey",
}
# A document's status: column of the frame -> words, colour of the bar, colour of the text on it.
_STATUSES = {
    "present": ("present", BLUE, PLATE),
    "absent": ("missing", ORANGE, PLATE),
    "unknown": ("not known", GREY, PLATE),
}

_STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,  # an insurer's name may hold a dollar sign
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    # Apart at the origin, where the lowest label of both axes would meet.
    "xtick.major.pad": 7,
    "ytick.major.pad": 7,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # text stays text: it can be searched, copied and read aloud
    "svg.hashsalt": "outcomes",  # equal figures give equal bytes
}
_styled = mpl.rc_context(_STYLE)

# Inches. As narrow as this, a chart scaled to a phone's width can still be read.
_WIDTH, _LABELS, _VALUES, _FOOT = 4.6, 1.9, 1.08, 0.45
_LINE, _ROW_GAP = 0.165, 0.12
_LABEL_CHARACTERS = 23
_MINIMUM_SHARE_LABELLED = 0.16
_PERCENT_TICKS = FuncFormatter(lambda share, _: f"{share:.0%}")


@dataclass(frozen=True)
class Drawn:
    """A figure, and what it shows in words and numbers."""

    figure: Figure
    alt: str


@_styled
def rates_with_intervals(frame: "pd.DataFrame", what: str) -> Drawn:
    """A dot and a whisker per row: label, estimate, lower, upper (shares, 0 to 1), n."""
    _require(frame, "label", "estimate", "lower", "upper", "n")
    figure, axes, places = _rows(frame["label"], what)
    axes.hlines(places, frame["lower"], frame["upper"], color=BLUE, linewidth=2.2, clip_on=False)
    axes.plot(frame["estimate"], places, "o", color=BLUE, markersize=6, clip_on=False)
    _values(axes, places, [f"{_percent(r.estimate)}, n {r.n:,.0f}" for r in frame.itertuples()])
    _share_axis(axes)
    said = [_rate(row) for row in frame.itertuples()]
    return Drawn(figure, _listed(what, frame["label"], said))


@_styled
def monthly_rate(frame: "pd.DataFrame", what: str) -> Drawn:
    """A rate by month with its interval as a band: month (YYYY-MM or a day), the rest as above.

    A month whose rate is null leaves a gap, and the alternative text says so.
    """
    _require(frame, "month", "estimate", "lower", "upper", "n")
    months = [_month(value) for value in frame["month"]]
    known = frame["estimate"].notna()
    if not known.any():
        raise ValueError("no month has a rate to draw")
    estimate, lower, upper = (
        frame[name].astype("Float64").to_numpy(dtype=float, na_value=float("nan"))
        for name in ("estimate", "lower", "upper")
    )
    places = list(range(len(months)))
    figure = Figure(figsize=(_WIDTH, 2.7))
    axes = figure.add_axes((0.11, 0.2, 0.77, 0.75))
    axes.fill_between(places, lower, upper, color=BLUE, alpha=0.18, linewidth=0)
    # A month between two unknown ones gets no band; the whisker shows its interval all the same.
    axes.vlines(places, lower, upper, color=BLUE, alpha=0.45, linewidth=1)
    axes.plot(places, estimate, "-o", color=BLUE, linewidth=2, markersize=4, clip_on=False)
    last = max(place for place, is_known in enumerate(known) if is_known)
    axes.annotate(
        _percent(estimate[last]),
        (last, estimate[last]),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
    )
    axes.set_ylim(0, 1)
    axes.set_xlim(-0.4, len(months) - 0.6)
    axes.yaxis.set_major_locator(MultipleLocator(0.25))
    axes.yaxis.set_major_formatter(_PERCENT_TICKS)
    axes.grid(visible=False, axis="x")
    stride = -(-len(months) // 5)
    named = places[::-1][::stride]
    axes.set_xticks(named, [f"{months[p].label[:3]} {months[p].year}" for p in named])
    axes.set_xlabel(_wrapped(what, 50))
    said = [
        _rate(row) if is_known else f"no rate, n {row.n:,.0f}"
        for row, is_known in zip(frame.itertuples(), known, strict=True)
    ]
    return Drawn(figure, _listed(what, [month.label for month in months], said))


@_styled
def shares(frame: "pd.DataFrame", what: str) -> Drawn:
    """A bar with a whisker per row: label, count, and its share of all: estimate, lower, upper."""
    _require(frame, "label", "count", "estimate", "lower", "upper")
    figure, axes, places = _rows(frame["label"], what)
    axes.barh(places, frame["estimate"], color=BLUE, height=0.2)
    axes.hlines(places, frame["lower"], frame["upper"], color=INK, linewidth=1.2)
    rows = list(frame.itertuples())
    _values(axes, places, [f"{row.count:,.0f} ({_percent(row.estimate)})" for row in rows])
    axes.set_xlim(0, float(frame["upper"].max()))
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(_PERCENT_TICKS)
    said = [f"{row.count:,.0f}, {_percent(row.estimate)} ({_interval(row)})" for row in rows]
    return Drawn(figure, _listed(what, frame["label"], said))


@_styled
def status_grid(frame: "pd.DataFrame", what: str) -> Drawn:
    """A bar of shares per row: label, and a count for present, absent, unknown."""
    _require(frame, "label", *_STATUSES)
    figure, axes, places = _rows(frame["label"], what, head=0.34)
    totals = frame[list(_STATUSES)].sum(axis="columns").astype(int)
    shares = frame[list(_STATUSES)].astype(float).div(totals.where(totals > 0), axis=0).fillna(0)
    start = shares.iloc[:, 0] * 0
    for status, (_, colour, ink) in _STATUSES.items():
        share = shares[status]
        axes.barh(places, share, left=start, color=colour, height=0.22)
        for place, left, width in zip(places, start, share, strict=True):
            if width >= _MINIMUM_SHARE_LABELLED:
                middle = left + width / 2
                axes.text(middle, place, _percent(width), color=ink, ha="center", va="center")
        start = start + share
    _legend(figure, [(words, colour) for words, colour, _ in _STATUSES.values()])
    _values(axes, places, [f"n {total:,}" for total in totals])
    _share_axis(axes)
    said = [
        ", ".join(f"{_percent(row[s])} {words}" for s, (words, _, _) in _STATUSES.items())
        for row in shares.to_dict("records")
    ]
    said = [f"{words}, n {total:,}" for words, total in zip(said, totals, strict=True)]
    return Drawn(figure, _listed(what, frame["label"], said))


@_styled
def calibration(frame: "pd.DataFrame", what: str) -> Drawn:
    """What was predicted against what happened: predicted, observed, lower, upper (shares), n."""
    _require(frame, "predicted", "observed", "lower", "upper", "n")
    figure = Figure(figsize=(_WIDTH, 2.6))
    axes = figure.add_axes((0.15, 0.19, 0.62, 0.78))
    across, low, high = frame["predicted"], frame["lower"], frame["upper"]
    # Where most claims are approved, axes from 0 to 1 would crowd every point into a corner.
    start = math.floor(10 * min(across.min(), low.min())) / 10
    end = math.ceil(10 * max(across.max(), high.max())) / 10
    axes.plot((start, end), (start, end), "--", color=MUTED, linewidth=1)
    axes.text(end + 0.02 * (end - start), end, "as predicted", color=MUTED, va="top")
    axes.vlines(across, low, high, color=BLUE, linewidth=2.2, clip_on=False)
    axes.plot(across, frame["observed"], "o", color=BLUE, markersize=6, clip_on=False)
    axes.set_xlim(start, end)
    axes.set_ylim(start, end)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(0.25 if end - start > 0.6 else 0.1))
        axis.set_major_formatter(_PERCENT_TICKS)
    axes.set_xlabel("predicted")
    axes.set_ylabel("happened")
    said = [
        f"{_percent(row.observed)} happened ({_interval(row)}, n {row.n:,.0f})"
        for row in frame.itertuples()
    ]
    labels = [f"{_percent(predicted)} predicted" for predicted in frame["predicted"]]
    return Drawn(figure, _listed(what, labels, said))


@_styled
def svg(drawn: Drawn, name: str) -> str:
    """The figure as one `<svg>` element that can stand alone or beside others in a page.

    Deterministic. Its alternative text is the figure's; ids carry `name`, since those of two
    figures in one page must differ; it brings no style sheet, which would apply to the page.
    """
    text = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    drawn.figure.savefig(text, format="svg", metadata=nothing)
    body = text.getvalue()
    body = body[body.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r'((?:url\(|href=")#)', rf"\g<1>{name}-", body)
    root = (
        f'<svg role="img" aria-label="{escape(drawn.alt)}" '
        'stroke-linejoin="round" stroke-linecap="butt"'
    )
    return re.sub(r"\s*\n\s*", "\n", body.replace("<svg", root, 1)).strip()


def html(record: Mapping[str, Any]) -> str:
    """A recorded figure (svg, caption) as HTML, its colours left to the page where it has any."""
    themed = record["svg"]
    for colour, role in _ROLES.items():
        themed = themed.replace(f": {colour}", f": var(--{role}, {colour})")
    return f"<figure>{themed}<figcaption>{escape(record['caption'])}</figcaption></figure>"


def _require(frame: "pd.DataFrame", *columns: str) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"the chart needs columns {', '.join(missing)}")
    if frame.empty:
        raise ValueError("nothing to draw: the frame is empty")


def _rows(
    labels: Iterable[str], what: str, head: float = 0.08
) -> tuple[Figure, "Axes", list[float]]:
    """A figure with a row per label, as high as the wrapped label asks; the rows' centres.

    Labels stand in a column of their own, so no length of a name can push the chart away. The
    vertical axis counts inches.
    """
    wrapped = [_wrapped(str(label), _LABEL_CHARACTERS) for label in labels]
    heights = [_ROW_GAP + _LINE * (label.count("\n") + 1) for label in wrapped]
    places = [end - height / 2 for end, height in zip(accumulate(heights), heights, strict=True)]
    below = _wrapped(what, 28)
    foot = _FOOT + _LINE * below.count("\n")
    rows, total = sum(heights), head + sum(heights) + foot
    figure = Figure(figsize=(_WIDTH, total))
    plot = (_LABELS / _WIDTH, foot / total, (_WIDTH - _LABELS - _VALUES) / _WIDTH, rows / total)
    axes = figure.add_axes(plot)
    axes.set_ylim(rows, 0)
    axes.set_yticks([])
    axes.set_xlabel(below)
    for place, label in zip(places, wrapped, strict=True):
        axes.annotate(
            label,
            (-_LABELS / (_WIDTH - _LABELS - _VALUES), place),
            xycoords=axes.get_yaxis_transform(),
            va="center",
            annotation_clip=False,
        )
    return figure, axes, places


def _values(axes: "Axes", places: Sequence[float], texts: Sequence[str]) -> None:
    """The numbers of each row, in a column to the right of the chart."""
    for place, text in zip(places, texts, strict=True):
        axes.annotate(
            text,
            (1.05, place),
            xycoords=axes.get_yaxis_transform(),
            va="center",
            annotation_clip=False,
        )


def _legend(figure: Figure, entries: Sequence[tuple[str, str]]) -> None:
    """A line of colour keys above the rows, evenly spread."""
    height = figure.get_figheight()
    for place, (words, colour) in enumerate(entries):
        x, y = 0.005 + place / len(entries), 1 - 0.14 / height
        figure.text(x, y, "■", color=colour, va="center")
        figure.text(x + 0.037, y, words, va="center")


def _share_axis(axes: "Axes") -> None:
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_locator(MultipleLocator(0.5))
    axes.xaxis.set_minor_locator(MultipleLocator(0.25))
    axes.grid(visible=True, axis="x", which="both")
    axes.tick_params(axis="x", which="minor", length=0)
    axes.xaxis.set_major_formatter(_PERCENT_TICKS)


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width)) or " "


def _month(value: Any) -> Month:
    return Month.parse(value[:7]) if isinstance(value, str) else Month(value.year, value.month)


def _percent(share: Any) -> str:
    return written(share, "percent")


def _interval(row: Any) -> str:
    return f"{written(row.lower, 'whole')} to {written(row.upper, 'whole')}"


def _rate(row: Any) -> str:
    return f"{_percent(row.estimate)} ({_interval(row)}, n {row.n:,.0f})"


def _listed(what: str, labels: Iterable[str], said: Iterable[str]) -> str:
    rows = [f"{label} {words}" for label, words in zip(labels, said, strict=True)]
    return f"{what}: {'; '.join(rows)}."

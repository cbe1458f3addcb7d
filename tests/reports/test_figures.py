"""Charts say in words what they draw, hold any name, and are the same bytes every time."""

import itertools
import re
from xml.etree import ElementTree

import pandas as pd
import pytest

from analysis.reports import figures

RATES = pd.DataFrame(
    {
        "label": ["Evergreen Health", "Auto"],
        "estimate": [0.82, 1.0],
        "lower": [0.79, 0.7],
        "upper": [0.85, 1.0],
        "n": [1204, 11],
    }
)
MONTHS = pd.DataFrame(
    {
        "month": ["2026-01", "2026-02", "2026-03"],
        "estimate": [0.7, None, 0.5],
        "lower": [0.6, None, 0.4],
        "upper": [0.8, None, 0.6],
        "n": [90, 4, 80],
    }
)
COUNTS = pd.DataFrame(
    {
        "label": ["Not covered", "Authorization"],
        "count": [3, 1],
        "estimate": [0.75, 0.25],
        "lower": [0.3, 0.05],
        "upper": [0.95, 0.7],
    }
)
STATUSES = pd.DataFrame(
    {
        "label": ["Prescription", "Plan of care"],
        "present": [80, 0],
        "absent": [15, 0],
        "unknown": [5, 0],
    }
)
CALIBRATION = pd.DataFrame(
    {"predicted": [0.2], "observed": [0.25], "lower": [0.1], "upper": [0.4], "n": [40]}
)
CHARTS = [
    (figures.rates_with_intervals, RATES),
    (figures.monthly_rate, MONTHS),
    (figures.shares, COUNTS),
    (figures.status_grid, STATUSES),
    (figures.calibration, CALIBRATION),
]


def texts(svg: str) -> str:
    return " ".join("".join(ElementTree.fromstring(svg).itertext()).split())


@pytest.mark.parametrize(
    ("chart", "frame", "alt"),
    [
        (
            *CHARTS[0],
            "Approved: Evergreen Health 82% (79 to 85, n 1,204); Auto 100% (70 to 100, n 11).",
        ),
        (
            *CHARTS[1],
            "Approved: January 2026 70% (60 to 80, n 90); February 2026 no rate, n 4; "
            "March 2026 50% (40 to 60, n 80).",
        ),
        (*CHARTS[2], "Approved: Not covered 3, 75% (30 to 95); Authorization 1, 25% (5 to 70)."),
        (
            *CHARTS[3],
            "Approved: Prescription 80% present, 15% missing, 5% not known, n 100; "
            "Plan of care 0% present, 0% missing, 0% not known, n 0.",
        ),
        (*CHARTS[4], "Approved: 20% predicted 25% happened (10 to 40, n 40)."),
    ],
)
def test_the_alternative_text_tells_every_number_drawn(chart, frame, alt):
    assert chart(frame, "Approved").alt == alt


@pytest.mark.parametrize(("chart", "frame"), CHARTS)
def test_the_same_frame_gives_the_same_bytes(chart, frame):
    first, second = (figures.svg(chart(frame, "Approved"), "f") for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("chart", "frame"), CHARTS)
def test_an_empty_frame_is_refused(chart, frame):
    with pytest.raises(ValueError, match="empty"):
        chart(frame.head(0), "Approved")


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="needs columns n"):
        figures.rates_with_intervals(RATES.drop(columns="n"), "Approved")


def test_months_without_any_rate_are_refused():
    with pytest.raises(ValueError, match="no month has a rate"):
        figures.monthly_rate(MONTHS.iloc[[1]], "Approved")


@pytest.mark.parametrize("rows", [1, 2, 30])
def test_every_name_is_drawn_whole_however_long_or_strange(rows):
    name = "<script>$x_1^2$ & {{ y }} " + "Mutual Insurance Company " * 10 + "z" * 60
    frame = pd.concat([RATES.head(1)] * rows).assign(label=name)
    svg = figures.svg(figures.rates_with_intervals(frame, "Approved"), "f")
    assert texts(svg).replace(" ", "").count(name.replace(" ", "")) == rows
    assert "<script" not in svg


def test_rows_of_the_chart_never_overlap():
    names = ["a", "b " * 60, "c"]
    frame = pd.concat([RATES.head(1)] * 3).assign(label=names)
    figure = figures.rates_with_intervals(frame, "Approved").figure
    [axes] = figure.axes
    boxes = [
        text.get_window_extent() for text in axes.texts if text.get_text().strip()[:1] in "abc"
    ]
    assert len(boxes) == 3
    assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes))


def test_two_figures_can_share_a_page():
    both = [figures.svg(figures.rates_with_intervals(RATES, "Approved"), n) for n in ("a", "b")]
    one, other = (set(re.findall(r'id="(.*?)"', svg)) for svg in both)
    assert one
    assert not one & other
    for svg, ids in zip(both, (one, other), strict=True):
        assert set(re.findall(r'(?:url\(|href=")#(.*?)[")]', svg)) <= ids
        assert "<style" not in svg, "it would apply to the whole page"


def test_every_colour_is_left_to_the_page():
    for chart, frame in CHARTS:
        record = {"svg": figures.svg(chart(frame, "Approved"), "f"), "caption": "C"}
        themed = figures.html(record)
        bare = re.sub(r"var\(--\w+, #\w+\)", "", themed)
        assert not re.findall(r"(?:fill|stroke): #\w+", bare)


def test_calibration_is_drawn_where_the_points_lie():
    frame = pd.DataFrame(
        {"predicted": [0.83, 0.96], "observed": [0.85, 0.95], "lower": [0.74, 0.9],
         "upper": [0.9, 0.98], "n": [60, 60]}
    )  # fmt: skip
    axes = figures.calibration(frame, "Claims approved").figure.axes[0]
    assert axes.get_xlim() == axes.get_ylim() == pytest.approx((0.7, 1.0))

"""What a notebook's cells may do with their Book."""

import json
from collections.abc import Iterator
from datetime import date

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from analysis.errors import UsageError
from analysis.findings.finding import Numbers, Question, Scope
from analysis.reports import book as media
from analysis.reports import figures
from analysis.reports.book import Book
from analysis.reports.tables import ColumnSpec, Shown
from reports.made_practice import make_practice

SCOPE = Scope("claims of this practice", "March 2026", date(2026, 4, 15))
QUESTION = Question(
    id="sent",
    question="How many were sent?",
    unit="claim",
    definition="sent: first submission",
    method="count",
    caveats=("one practice", "one month"),
)


@pytest.fixture(autouse=True, scope="module")
def shell(tmp_path_factory) -> Iterator[None]:
    """IPython as a kernel runs it: without one, nothing is displayed."""
    config = Config({"HistoryManager": {"enabled": False}})
    InteractiveShell.instance(ipython_dir=str(tmp_path_factory.mktemp("ipython")), config=config)
    yield
    InteractiveShell.clear_instance()


@pytest.fixture
def given(tmp_path) -> dict[str, str]:
    folders = make_practice(tmp_path)
    return {"data_dir": str(folders.data_dir), "reports_dir": str(folders.reports_dir)}


@pytest.fixture
def book(given) -> Book:
    with capture_output():
        return Book.open("02_claim_outcomes", **given)


def shown(act, *values) -> dict:
    """The one rich output of a call: media type -> content."""
    with capture_output() as captured:
        act(*values)
    [output] = captured.outputs
    json.dumps(output.data)
    return output.data


def test_it_opens_on_the_last_complete_month_and_tells_where_it_stands(given):
    with capture_output() as captured:
        opened = Book.open("02_claim_outcomes", **given)
    assert (opened.month.label, opened.as_of) == ("March 2026", date(2026, 4, 15))
    assert opened.practice_name == "Clinic <b>North</b>"
    [output] = captured.outputs
    assert (
        "Clinic &lt;b&gt;North&lt;/b&gt;, March 2026, answers read as of 15 April 2026"
        in (output.data["text/html"])
    )


def test_a_parameter_of_another_notebook_is_refused(given):
    with pytest.raises(UsageError, match="no parameter 'payer_id'"):
        Book.open("02_claim_outcomes", payer_id="00123", **given)


def test_a_finding_is_said_with_what_it_rests_on_and_recorded(book):
    finding = QUESTION.answer("{denominator:n claim} sent.", SCOPE, Numbers(denominator=35))
    output = shown(book.say, finding)
    assert "<p>35 claims sent.</p>" in output["text/html"]
    assert "<dt>Mind</dt><dd>one practice; one month</dd>" in output["text/html"]
    assert output[media.FINDING]["denominator"] == 35
    assert output[media.FINDING]["as_of"] == "2026-04-15"


def test_the_same_finding_cannot_be_said_twice(book):
    finding = QUESTION.answer("None.", SCOPE)
    shown(book.say, finding)
    with pytest.raises(ValueError, match="'sent None' occurs twice"):
        book.say(finding)


def test_a_note_holds_no_number_of_its_own(book):
    assert "A &lt; B" in shown(book.note, "A < B")["text/html"]
    with pytest.raises(ValueError, match="a finding does"):
        book.note("About 12 claims.")


def test_dollars_are_not_typeset_as_formulas(book):
    html = shown(book.note, "From $ to $.")["text/html"]
    assert html.startswith('<div class="mathjax_ignore')


def test_a_table_and_a_figure_of_one_name_are_recorded_beside_each_other(book):
    frame = pd.DataFrame({"label": ["Auto"], "count": [3]})
    columns = [ColumnSpec("Insurer"), ColumnSpec("Claims", "count")]
    table = shown(book.show, Shown("insurers", "By insurer", frame, columns))
    drawn = figures.shares(frame.assign(estimate=1.0, lower=0.4, upper=1.0), "Claims")
    figure = shown(book.draw, drawn, "insurers", "By insurer")
    assert table[media.TABLE]["rows"] == [["Auto", 3]]
    assert figure[media.FIGURE]["alt"] == "Claims: Auto 3, 100% (40 to 100)."
    assert "<figcaption>By insurer</figcaption>" in figure["text/html"]

"""Answers to one question each: findings with their company of n, interval, definition, limits.

Functions take frames of the declared tables and return a `Finding`, or a frame for a table or a
figure. One module per question; `finding` is the type, `rates` the interval arithmetic,
`population` says which claims are counted.
"""

from analysis.findings import (
    appeals,
    approval,
    associations,
    chances,
    checklist,
    coding,
    data_quality,
    definitions,
    denials,
    documentation,
    insurer,
    limits,
    method_check,
    model,
    month,
    outcomes,
    performance,
    population,
    ranks,
    recovery,
    rules,
    selection,
    variation,
)
from analysis.findings.finding import Finding, Question, Scope, unbound_digits

__all__ = [
    "Finding",
    "Question",
    "Scope",
    "appeals",
    "approval",
    "associations",
    "chances",
    "checklist",
    "coding",
    "data_quality",
    "definitions",
    "denials",
    "documentation",
    "insurer",
    "limits",
    "method_check",
    "model",
    "month",
    "outcomes",
    "performance",
    "population",
    "ranks",
    "recovery",
    "rules",
    "selection",
    "unbound_digits",
    "variation",
]

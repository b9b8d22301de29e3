"""Charts as inline SVG, drawn by pygal. Colours and fonts are the page's (``static/lake.css``)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from lakectl.html.text import visible
from lakectl.ops.report.model import Rows

NUMBERS = frozenset(("tinyint", "smallint", "integer", "int", "bigint", "real", "float", "double", "decimal"))
TIMES = frozenset(("date", "timestamp", "timestamp with time zone"))
TEXTS = frozenset(("varchar", "char", "string"))
MOST_BARS = 25
WIDTH, WIDE, BAR_HEIGHT = 560, 820, 30
LONGEST_LABEL = 24
# pygal looks for the steps of an axis for minutes, or fails, beyond the digits of a double.
LEAST, GREATEST = 1e-6, 1e15
CHARACTER = 7.5  # the width of one in an axis' label
ID = re.compile(r"(^|_)id$", re.IGNORECASE)
MOST_SERIES = 2


def of_answer(answer: Rows) -> list[tuple[str, Markup]]:
    """(title, chart) of an answer with one category or date for each row and a number or two; none of any other.

    A number that only names something can't be told from an amount: a column called ``id``, or that ends in ``_id``,
    is a category.
    """
    if answer.is_plan or answer.more or len(answer.rows) < 2 or len(answer.columns) > 1 + MOST_SERIES:
        return []
    kinds = [kind.lower().partition("(")[0] for kind in answer.types]
    numbers = [n for n, kind in enumerate(kinds) if kind in NUMBERS and not ID.search(answer.columns[n])]
    axes = [n for n in range(len(kinds)) if n not in numbers]
    if len(axes) != 1 or not numbers:
        return []
    axis = axes[0]
    draw: Callable[[str, Sequence[str], Sequence[float | None]], Markup]
    labels = [row[axis] for row in answer.rows]
    if len(set(labels)) != len(labels):
        return []
    if kinds[axis] in TIMES and None not in labels:
        rows = sorted(answer.rows, key=lambda row: row[axis] or "")
        draw = columns
    elif kinds[axis] in TEXTS | NUMBERS and len(labels) <= MOST_BARS:
        rows, draw = list(answer.rows), bars
    else:
        return []
    names = ["NULL" if row[axis] is None else str(row[axis]) for row in rows]
    drawn = []
    for n in numbers:
        title = f"{answer.columns[n]} by {answer.columns[axis]}"
        values = [number(row[n]) for row in rows]
        if any(value is not None for value in values):
            drawn.append((title, draw(title, names, values)))
    return drawn


def bars(title: str, labels: Sequence[str], values: Sequence[float | None]) -> Markup:
    """A horizontal bar for each label, the first at the top."""
    import pygal

    chart = pygal.HorizontalBar(
        **_settings(), height=24 + BAR_HEIGHT * len(labels), print_values=True, show_x_labels=False
    )
    chart.x_labels = [_short(label) for label in reversed(labels)]
    chart.add(title, list(reversed(values)))
    return _svg(chart, title)


def columns(title: str, labels: Sequence[str], values: Sequence[float | None], width: int = WIDTH) -> Markup:
    """A vertical bar for each label; of many labels some are written."""
    import pygal

    few = len(labels) <= width // 90
    labels = [_short(label) for label in labels]
    step = math.ceil(len(labels) * (max(map(len, labels)) + 2) * CHARACTER / (width - 70))
    chart = pygal.Bar(**_settings(width), height=240, print_values=few, show_minor_x_labels=False)
    chart.x_labels = labels
    chart.x_labels_major = labels[::step]
    chart.add(title, list(values))
    return _svg(chart, title)


def number(text: str | None) -> float | None:
    """Athena's text of a number; None for NULL and for what can't be drawn."""
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if not found or LEAST <= abs(found) <= GREATEST else None


def plain(value: float) -> str:
    """``1234567.891`` → ``1,234,567.89``, ``0.00012`` → ``0.00012``."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 0.1 else f"{value:.3g}"


def _short(label: str) -> str:
    label = visible(label)
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _settings(width: int = WIDTH) -> dict[str, Any]:
    """No scripts, no styles and no ids of pygal's own: the page forbids scripts and has the styles."""
    return {
        "js": (),
        "css": (),
        "no_prefix": True,
        "show_legend": False,
        "width": width,
        "margin": 8,
        "value_formatter": plain,
        "explicit_size": False,
        "max_scale": 6,
        "truncate_label": -1,
    }


def _svg(chart: Any, title: str) -> Markup:
    """The drawing alone, with ``title`` as its name. pygal escapes every text when it writes the tree."""
    from pygal.etree import etree

    root = chart.render_tree()
    for parent in list(root.iter()):
        parent.attrib.pop("style", None)  # a page's policy may forbid it; it only hides what the styles hide
        for child in list(parent):
            if child.tag in ("defs", "title", "desc") or not isinstance(child.tag, str):
                parent.remove(child)
    for name in ("id", "class"):
        root.attrib.pop(name, None)
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-label", visible(title))
    return Markup(etree.tostring(root, encoding="unicode"))  # noqa: S704 - written by an XML library, from a tree

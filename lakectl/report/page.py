"""The page of a report: one HTML file that loads nothing and runs no script."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lakectl.ops.report.model import Report
from lakectl.output import human_bytes
from lakectl.report import charts, text
from lakectl.report.diagram import diagram
from lakectl.report.text import visible

TEMPLATES = Path(__file__).parent / "templates"


def render(report: Report) -> str:
    """The HTML of a report. Every value is escaped; control characters are shown as escapes."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    texts = (text.count, text.moment, text.seconds, text.share, text.short, text.shown, text.usd)
    environment.filters.update({each.__name__: each for each in texts}, bytes=human_bytes, right=_right)
    layouts = [table.layout.value for table in report.tables if table.layout and table.layout.value]
    return environment.get_template("page.html").render(
        report=report,
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        diagram=diagram(report.picture, report.tables),
        charts=charts,
        verdicts=Counter(check.passed for check in report.checks.value or ()),
        rows=sum(layout.rows for layout in layouts),
        size=sum(layout.size for layout in layouts),
    )


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _right(kind: str) -> str:
    """The class of a cell of Athena's type ``kind``."""
    return "n" if kind.partition("(")[0].lower() in charts.NUMBERS else ""

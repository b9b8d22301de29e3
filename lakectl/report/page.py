"""The page of a report: one HTML file that loads nothing and runs no script."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from markupsafe import Markup

from lakectl.html import charts
from lakectl.html.diagram import diagram
from lakectl.html.environment import STYLES, environment
from lakectl.ops.report.model import Report, TableReport

TEMPLATES = Path(__file__).parent / "templates"


def render(report: Report) -> str:
    """The HTML of a report. Every value is escaped; control characters are shown as escapes."""
    layouts = [table.layout.value for table in report.tables if table.layout and table.layout.value]
    html: str = (
        environment(TEMPLATES)
        .get_template("page.html")
        .render(
            report=report,
            css=Markup(STYLES.read_text(encoding="utf-8")),  # noqa: S704 - our own file
            diagram=diagram(report.picture, {table.source: _stored(table) for table in report.tables}),
            charts=charts,
            verdicts=Counter(check.passed for check in report.checks.value or ()),
            rows=sum(layout.rows for layout in layouts),
            size=sum(layout.size for layout in layouts),
        )
    )
    return html


def _stored(table: TableReport) -> str:
    if table.there.value is False:
        return "nothing loaded yet"
    layout = table.layout.value if table.layout else None
    return f"{layout.rows:,} rows" if layout else "not read"

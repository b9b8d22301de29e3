"""The page of a report: one HTML file that loads nothing and runs no script."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lakectl.ops.report.model import Report
from lakectl.output import human_bytes
from lakectl.report import charts
from lakectl.report.diagram import diagram

TEMPLATES = Path(__file__).parent / "templates"


def render(report: Report) -> str:
    """The HTML of a report. Every value is escaped; control characters are shown as escapes."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        bytes=human_bytes, count=_count, seconds=_seconds, short=_short, right=_right, usd=_usd, share=_share
    )
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


def _visible(value: Any) -> Any:
    """Texts without control characters, which HTML does not allow and which can turn the order of a line around."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode() for char in value
    )


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def _short(run_id: str) -> str:
    """The beginning of a run's id."""
    return run_id if len(run_id) <= 16 else run_id[:15] + "…"


def _right(kind: str) -> str:
    """The class of a cell of Athena's type ``kind``."""
    return "n" if kind.partition("(")[0].lower() in charts.NUMBERS else ""


def _usd(amount: float) -> str:
    return f"{amount:,.2f} USD" if amount >= 0.01 or not amount else "less than 0.01 USD"


def _share(part: float, whole: float) -> str:
    """``1.2%``, at least ``0.1%`` of what is not nothing."""
    return f"{max(100 * part / whole, 0.1 if part else 0):.1f}%" if whole else "0%"

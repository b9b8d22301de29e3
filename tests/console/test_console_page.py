"""docs/console.md: its numbers are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

from lakectl.cli.console import DEFAULT_PORT
from lakectl.console.app import HERE
from lakectl.ops.console.statements import LIMIT_S, MOST_CHARACTERS, MOST_ROWS
from lakectl.ops.report.runs import MOST_LANDINGS, MOST_RUNS

PAGE = (Path(__file__).parents[2] / "docs/console.md").read_text(encoding="utf-8")


def every(template: str) -> str:
    """How often the part of a page asks again."""
    (found,) = re.findall(r'live\(.*, "(\d+)s"\)', (HERE / "templates" / template).read_text(encoding="utf-8"))
    return str(found)


def test_how_often_a_page_asks() -> None:
    assert f"| Overview | every {every('overview.html')} s |" in PAGE
    assert f"| Landings | every {every('landings.html')} s |" in PAGE
    assert f"| Runs | every {every('runs.html')} s |" in PAGE
    assert f"| A run | every {every('run.html')} s until" in PAGE
    assert "every 1s" in (HERE / "templates/statement.html").read_text(encoding="utf-8")


def test_limits() -> None:
    text = " ".join(PAGE.split())
    assert f"instead of {DEFAULT_PORT}" in text
    assert f"At most {MOST_ROWS} rows are shown, and {MOST_CHARACTERS:,} characters of a value" in text
    assert f"After {LIMIT_S / 60:.0f} minutes the console stops a statement" in text
    assert f"the newest {MOST_LANDINGS}, pending" in text
    assert f"the newest {MOST_RUNS} with their counts" in text

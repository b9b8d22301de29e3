"""``lakectl logs``."""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError

if TYPE_CHECKING:
    from lakectl.ops.runs.logs import LogLine

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@lake_command("logs")
@click.argument("which", type=click.Choice(["log", "start", "glue", "maintenance"]))
@click.option("-f", "--follow", is_flag=True, help="Go on showing new lines until Ctrl-C.")
@click.option("--since", metavar="WHEN", help="Only lines since then: 10m, 2h, 3d, or a time such as 2026-11-24T10:00.")
def logs(app: App, which: str, follow: bool, since: str | None) -> None:
    """Show the logs of a function or of the job.

    log: the function that writes the run log. start: the one that starts the job. glue: the job's runs.
    maintenance: the runs of `lakectl maintain` and `lakectl rollback`.
    With --follow and --json: a JSON line for each line.

    \b
    Examples:
      lakectl logs log
      lakectl logs start --since 10m
      lakectl logs glue --follow
    """
    from lakectl.ops.runs import logs as ops

    since_ms = _milliseconds(since) if since else 0
    if not follow:
        app.out.stream(_shown(line) for line in ops.lines(app.lake, which, since_ms))
        return
    for line in ops.follow(app.lake, which, since_ms):
        app.out.record(*_shown(line))


def _shown(line: LogLine) -> tuple[str, dict[str, Any]]:
    moment = datetime.fromtimestamp(line.timestamp / 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}  {line.message}", asdict(line)


def _milliseconds(since: str) -> int:
    """Milliseconds since 1970 of ``10m`` (ago) or of a time, which is UTC unless it says otherwise."""
    ago = re.fullmatch(r"(\d+)([smhd])", since)
    if ago:
        return int((time.time() - int(ago[1]) * UNITS_S[ago[2]]) * 1000)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise UsageError(f"--since {since!r} is neither 10m, 2h or 3d nor a time such as 2026-11-24T10:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


COMMANDS = {"logs": logs}

"""``lakectl logs``."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime

import click

from lakectl.cli.app import App, lake_command

FOLLOW_POLL_S = 1.0


@lake_command("logs")
@click.argument("which", type=click.Choice(["log", "start", "glue"]))
@click.option("-f", "--follow", is_flag=True, help="Go on showing new lines until Ctrl-C.")
def logs(app: App, which: str, follow: bool) -> None:
    """Show the logs of a function or of the job.

    log: the function that writes the run log. start: the one that starts the job. glue: the job's runs.

    \b
    Examples:
      lakectl logs log
      lakectl logs glue --follow
    """
    from lakectl.ops import logs as ops

    lake = app.lake
    shown: set[tuple[int, str, str]] = set()
    since = 0
    while True:
        found = ops.lines(lake, which, since)
        for line in found:
            identity = (line.timestamp, line.stream, line.message)
            if not follow or identity not in shown:
                shown.add(identity)
                moment = datetime.fromtimestamp(line.timestamp / 1000, UTC)
                app.out.say(f"{moment:%Y-%m-%d %H:%M:%S}  {line.message}")
        if not follow:
            app.out.result([asdict(line) for line in found])
            return
        # Lines of one moment may come late, so the last second is read again.
        since = max((line.timestamp for line in found), default=since) - 1000 if found else since
        time.sleep(FOLLOW_POLL_S)


COMMANDS = {"logs": logs}

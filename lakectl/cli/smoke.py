"""``lakectl smoke``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.output import Mark

FIELDS = ("run_id", "ingest_ts", "bucket", "key", "size_bytes", "status")
MARKS: dict[str, Mark] = {"ok": "ok", "silent": "failed", "skipped": "skipped"}


@lake_command("smoke")
@click.option("--failures", is_flag=True, help="Also prove that failed events reach the queue. Takes three minutes.")
def smoke(app: App, failures: bool) -> None:
    """Land a tiny file and see it reach both functions. Names each trigger path that is silent.

    The file goes to a source that nothing loads, so silver stays as it is. What the test makes is removed again. Of
    paths that nothing can be sent on (the schedule, the end of a run) the parts are checked.

    \b
    Examples:
      lakectl smoke
      lakectl smoke --failures
    """
    from lakectl.ops.events import smoke as ops

    lake = app.announce()
    with app.out.busy("waiting for the functions"):
        seen = ops.smoke(lake, failures=failures)
    for path in seen.paths:
        app.out.item(MARKS[path.outcome], path.name, path.detail)
    if seen.run:
        app.out.table(("field", "value"), [(name, seen.run.item[name]) for name in FIELDS])
        app.out.heading(f"What {lake.names.log_function} said")
        for line in seen.log_lines:
            app.out.say(line.message)
        if not seen.log_lines:
            app.out.say("CloudWatch does not show its lines yet. Look later: lakectl logs log --since 5m")
    app.out.item("ok", "the object and its items are removed")
    if seen.silent:
        told = "; ".join(f"{path.name} ({path.detail})" for path in seen.silent)
        commands = dict.fromkeys(path.command for path in seen.silent)
        raise LakectlError(f"silent: {told}", f"{'; '.join(commands)}; what failed: lakectl runs --failed")
    app.out.result(
        {
            "paths": [asdict(path) for path in seen.paths],
            "seconds": seen.seconds,
            "run": seen.run.item if seen.run else None,
            "log_lines": [asdict(line) for line in seen.log_lines],
        }
    )


COMMANDS = {"smoke": smoke}

"""``lakectl runs``."""

from __future__ import annotations

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError


@lake_command("runs")
@click.argument("source", required=False)
def runs(app: App, source: str | None) -> None:
    """Show the run log: what has landed, what is loaded.

    \b
    Examples:
      lakectl runs
      lakectl runs orders --json
    """
    from lakectl.ops import runs as ops
    from lakectl.output import human_bytes

    if source is not None and source not in app.config.sources:
        raise UsageError(f"no source is called {source!r}; known: {', '.join(app.config.sources)}")
    found = list(ops.runs(app.lake, source))
    app.out.table(
        ("source", "landed (UTC)", "status", "load", "size", "key"),
        [(r.source, r.ingest_ts, r.status, r.load_status, human_bytes(r.size), r.key) for r in found],
        right=("size",),
    )
    if not found:
        app.out.say("The run log is empty. Land something: lakectl land orders.csv")
    app.out.result([run.item for run in found])


COMMANDS = {"runs": runs}

"""``lakectl snapshots``."""

from __future__ import annotations

from dataclasses import asdict

import click

from lakectl.cli import completion
from lakectl.cli.app import App, lake_command

COLUMNS = ("snapshot", "committed (UTC)", "operation", "added", "deleted", "total", "")


@lake_command("snapshots")
@click.argument("table", required=False, shell_complete=completion.silver_tables)
def snapshots(app: App, table: str | None) -> None:
    """Show the snapshots of a silver table.

    Newest first. Rows are counted as Iceberg does: a changed row is deleted and added. TABLE may be left out
    when one source starts the runs: its table is meant.

    \b
    Examples:
      lakectl snapshots
      lakectl snapshots TABLE --json
    """
    from lakectl.ops.tables import snapshots as ops

    found = ops.snapshots(app.lake, table)
    rows = []
    for each in found:
        mark = "now" if each.current else "" if each.in_history else "rolled back"
        counts = (f"{each.added:,}", f"{each.deleted:,}", f"{each.total:,}")
        rows.append((each.id, each.committed_at[: len("YYYY-MM-DD HH:MM:SS")], each.operation, *counts, mark))
    app.out.table(COLUMNS, rows, right=COLUMNS[3:6])
    if len(found) > 1:
        app.out.say("\nGo back to one of them: lakectl rollback SNAPSHOT")
    app.out.result([asdict(each) for each in found])


COMMANDS = {"snapshots": snapshots}

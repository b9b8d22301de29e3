"""``lakectl maintain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lakectl.cli.app import App, lake_command
from lakectl.core.glue_runs import short
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.ops.runs.transform import JobRun

COLUMNS = ("table", "", "data files", "bytes", "snapshots", "stored files", "stored bytes")


@lake_command("maintain")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def maintain(app: App, dry_run: bool) -> None:
    """Compact the silver tables and expire old snapshots.

    Also removes files that no snapshot names. The config's section "maintenance" says what is kept: a
    snapshot that has expired is gone for time travel and rollback. May run beside a transform.

    \b
    Examples:
      lakectl maintain --dry-run
      lakectl maintain
    """
    from lakectl.cli.provision import make
    from lakectl.cli.transform import follow
    from lakectl.ops.tables import maintain as ops

    make(app, ("create-glue-job",))
    run_id = ops.start(app.lake, dry_run)
    app.out.item("ok", f"started run {short(run_id)}")
    run = follow(app, run_id, ops.maintenance_job(app.lake), "logs maintenance --follow; the run is")
    tables: list[dict[str, Any]] = run.result.get("tables", [])
    if run.result:
        show(app, tables, dry_run)
    app.out.result({"id": run.id, "state": run.state, "dry_run": dry_run, "tables": tables})
    refuse(app, run)


def show(app: App, tables: list[dict[str, Any]], dry_run: bool) -> None:
    from lakectl.output import human_bytes

    if not tables:
        app.out.say("There is no silver table yet.")
        return
    rows = []
    for table in tables:
        for when in ("before",) if dry_run else ("before", "after"):
            found = table[when]
            counts = (f"{found['files']:,}", human_bytes(found["bytes"]), f"{found['snapshots']:,}")
            stored = (f"{found['stored_files']:,}", human_bytes(found["stored_bytes"]))
            rows.append((table["table"] if when == "before" else "", when, *counts, *stored))
    app.out.table(COLUMNS, rows, right=COLUMNS[2:])
    would = "would be " if dry_run else ""
    for table in tables:
        app.out.item(
            "failed" if table["problem"] else "ok",
            f"{table['table']}: {table.get('files_rewritten', 0):,} files {would}rewritten into "
            f"{table.get('files_written', 0):,}, {table.get('snapshots_expired', 0):,} snapshots {would}expired, "
            f"{table.get('orphans_removed', 0):,} orphan files {would}removed",
            table["problem"],
        )


def refuse(app: App, run: JobRun) -> None:
    """Raise :class:`LakectlError` unless the run succeeded and told what it did."""
    from lakectl.cli.transform import no_result

    if run.state != "SUCCEEDED":
        raise LakectlError(
            f"run {short(run.id)} {run.state}: {run.error or 'no reason given'}", "lakectl logs maintenance"
        )
    if not run.result:
        raise LakectlError(no_result(app, run), "deploy the script: lakectl create-glue-job")


COMMANDS = {"maintain": maintain}

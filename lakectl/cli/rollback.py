"""``lakectl rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lakectl.cli import completion
from lakectl.cli.app import App, confirm_by_typing, lake_command
from lakectl.errors import UsageError

if TYPE_CHECKING:
    from lakectl.ops.tables.rollback import Undoing


@lake_command("rollback")
@click.argument("snapshot", shell_complete=completion.snapshots)
@click.option("--table", help="The table to set back (default: that of the one source that starts runs).")
@click.option("--requeue", is_flag=True, help="Let the next run load again what this undoes.")
@click.option(
    "--except", "kept_out", multiple=True, metavar="KEY", help="With --requeue: a landing that stays out. Repeat it."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
def rollback(app: App, snapshot: str, table: str | None, requeue: bool, kept_out: tuple[str, ...], yes: bool) -> None:
    """Set a silver table back to an earlier snapshot.

    Landings that leave silver with it become REVERTED in the run log; with --requeue they are PENDING
    again, and the next run loads them. To get rid of a bad landing and keep the good ones that came
    after it, add --except with its key: it stays REVERTED. Later runs leave it alone.

    \b
    Examples:
      lakectl rollback 4350215341349320
      lakectl rollback 4350215341349320 --requeue --except KEY
    """
    from lakectl.cli.maintain import refuse
    from lakectl.cli.provision import make
    from lakectl.cli.transform import follow
    from lakectl.ops.tables import maintain
    from lakectl.ops.tables import rollback as ops

    if kept_out and not requeue:
        raise UsageError("--except has no meaning without --requeue", "add --requeue")
    lake = app.lake
    ops.refuse_while_loading(lake)
    undoing = ops.plan(lake, snapshot, table)
    _show(app, undoing)
    if not yes:
        confirm_by_typing(app, "the table's name", undoing.table, "changed", "lakectl rollback SNAPSHOT --yes")
    make(app, ("create-glue-job",))
    run_id = ops.start(lake, undoing, requeue, kept_out)
    run = follow(app, run_id, maintain.maintenance_job(lake), "logs maintenance --follow; the run is")
    app.out.result({"id": run.id, "state": run.state, **run.result})
    refuse(app, run)
    reverted, requeued = (run.result.get(f"landings_{name}", []) for name in ("reverted", "requeued"))
    app.out.item("ok", f"{undoing.table} is at snapshot {snapshot}", f"{len(reverted)} landings reverted")
    if again := run.result.get("rows_quarantined_again"):
        app.out.item("note", f"{again} rows are quarantined again", "runs that are undone had loaded them")
    if requeued:
        app.out.say(f"{len(requeued)} landings are pending again. Load them: lakectl run-transform")
    elif undoing.snapshots and ops.is_shared(app.lake, undoing.table):
        app.out.say("The next run brings looked-up values up to date: lakectl run-transform")


def _show(app: App, undoing: Undoing) -> None:
    target = undoing.target
    app.out.say(f"{undoing.table} goes back to {target.id}, {target.committed_at} UTC, {target.total:,} rows. Undone:")
    for each in undoing.snapshots:
        added = f"{each.added:,} rows added"
        app.out.item("delete", f"snapshot {each.id}  {each.committed_at}  {each.operation}", added)
    for entry in undoing.landings:
        app.out.item("delete", f"landing {entry.path}")
    if not undoing.snapshots:
        app.out.item("note", "no snapshot: it is the current one. The run log is put right if a rollback was cut off")


COMMANDS = {"rollback": rollback}

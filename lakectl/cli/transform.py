"""``lakectl run-transform``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.ops.land import Landed
    from lakectl.ops.transform import JobRun


@lake_command("run-transform")
@click.option("--path", metavar="S3-PATH", help="Load this landing path too, not only what is pending.")
@click.option("--batch", metavar="ID", help="The run's batch id.")
@click.option("--full", is_flag=True, help="Read every current landing again.")
@click.option("--attach", metavar="RUN-ID", help="Follow a run that is there already.")
@click.option("--no-wait", is_flag=True, help="Start it and return.")
def run_transform(app: App, path: str | None, batch: str | None, full: bool, attach: str | None, no_wait: bool) -> None:
    """Run the Glue job and follow it.

    Loads every pending landing into silver. With nothing pending it succeeds and says so. Makes what it
    needs first. Ctrl-C leaves the run going.

    \b
    Examples:
      lakectl run-transform
      lakectl run-transform --attach jr_0123456789abcdef
    """
    from lakectl.cli.provision import make
    from lakectl.ops import transform

    if attach:
        run_id = attach
        app.announce()
    else:
        make(app, ("create-glue-job",))
        arguments = {
            key: value
            for key, value in (
                ("--RAW_ORDERS_PATH", path),
                ("--BATCH_ID", batch),
                ("--FULL", "true" if full else None),
            )
            if value
        }
        run_id = transform.start(app.lake, arguments)
        app.out.item("ok", f"started run {run_id}")
    if no_wait:
        app.out.say(f"Follow it with: lakectl run-transform --attach {run_id}")
        app.out.result({"id": run_id})
        return
    run = follow(app, run_id)
    app.out.result(asdict(run))
    if run.state != "SUCCEEDED":
        raise LakectlError(f"run {run.id} {run.state}: {run.error or 'no reason given'}", "see: lakectl logs glue")


def follow(app: App, run_id: str) -> JobRun:
    """Follow a run, showing its states and what the job prints; say what it did."""
    from lakectl.ops import transform

    try:
        with app.out.busy(f"run {run_id}") as update:
            run = transform.follow(
                app.lake,
                run_id,
                lambda run: update(f"run {run.id}: {run.state}"),
                lambda line: app.out.item("note", line),
            )
    except KeyboardInterrupt:
        app.out.say(f"\nThe run goes on. Come back with: lakectl run-transform --attach {run_id}")
        raise
    show_run(app, run)
    return run


def follow_loading(app: App, landed: Sequence[Landed]) -> None:
    """Wait until ``landed`` is in silver, showing the runs that load it."""
    from lakectl.ops import wait

    with app.out.busy("waiting for the run that the landing starts") as update:
        run = wait.for_loading(
            app.lake,
            landed,
            lambda run: update(f"run {run.id}: {run.state}"),
            lambda line: app.out.item("note", line),
        )
    if run is None:
        app.out.item("ok", "all of it is in silver already")
    else:
        show_run(app, run)


def show_run(app: App, run: JobRun) -> None:
    """One line for an ended run."""
    mark = "ok" if run.state == "SUCCEEDED" else "failed"
    app.out.item(mark, f"run {run.id} {run.state} in {run.seconds} s", summary(run))  # type: ignore[arg-type]


def summary(run: JobRun) -> str:
    """What the job says it did: ``8,772 rows read, 8,772 inserted …``."""
    counted = ("read", "inserted", "updated", "unchanged", "rejected")
    parts = [f"{run.result[f'rows_{name}']:,} {name}" for name in counted if run.result.get(f"rows_{name}")]
    if not run.result:
        return ""
    return ", ".join(parts) if parts else "nothing pending"


COMMANDS = {"run-transform": run_transform}

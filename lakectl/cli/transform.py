"""``lakectl run-transform``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from lakectl.cli import completion
from lakectl.cli.app import App, lake_command
from lakectl.core.glue_runs import short
from lakectl.errors import LakectlError, UsageError

if TYPE_CHECKING:
    from lakectl.ops.landing.land import Landed
    from lakectl.ops.runs.transform import Job, JobRun
    from lakectl.output import Mark

INTERRUPTED = 130
NAMED = 20  # refused landings that are shown one by one
COUNTED = ("read", "inserted", "updated", "deleted", "reenriched", "unchanged", "rejected", "quarantined")


@lake_command("run-transform")
@click.option("--path", metavar="S3-PATH", help="Also load this landing path, besides what is pending.")
@click.option("--batch", metavar="ID", help="Batch id of the run.")
@click.option("--full", is_flag=True, help="Reload every current landing.")
@click.option("--retry-failed", is_flag=True, help="Retry landings that earlier runs refused.")
@click.option("--retry-quarantined", is_flag=True, help="Judge rows again that a lookup had no row for.")
@click.option(
    "--on-bad-rows",
    type=click.Choice(["fail", "quarantine", "warn"]),
    help="For this run, overrides the config: refuse the landing, quarantine bad rows, or only warn.",
)
@click.option("--workers", type=click.IntRange(2, 299), metavar="N", help="Number of workers for this run.")
@click.option(
    "--attach",
    shell_complete=completion.runs,
    metavar="[RUN-ID]",
    is_flag=False,
    flag_value="latest",
    help="Follow an existing run (default: the active or the newest one).",
)
@click.option(
    "--stop",
    "stop_id",
    shell_complete=completion.runs,
    metavar="[RUN-ID]",
    is_flag=False,
    flag_value="latest",
    help="Stop a run (default: the active one).",
)
@click.option("--no-wait", is_flag=True, help="Start the run and return at once.")
def run_transform(
    app: App,
    path: str | None,
    batch: str | None,
    full: bool,
    retry_failed: bool,
    retry_quarantined: bool,
    on_bad_rows: str | None,
    workers: int | None,
    attach: str | None,
    stop_id: str | None,
    no_wait: bool,
) -> None:
    """Run the Glue job and follow it.

    Loads every pending landing into silver. With nothing pending it succeeds and changes nothing. Creates
    missing resources first. Ctrl-C stops following the run, not the run itself.

    \b
    Examples:
      lakectl run-transform
      lakectl run-transform --on-bad-rows quarantine --retry-failed
      lakectl run-transform --attach jr_0123456789abcdef
      lakectl run-transform --stop
    """
    from lakectl.cli.provision import make
    from lakectl.ops.runs import transform

    starting = any((path, batch, full, retry_failed, retry_quarantined, on_bad_rows, workers))
    if bool(attach) + bool(stop_id) + starting > 1:
        raise UsageError("--attach, --stop and what a new run does exclude each other", "give one of them")
    if stop_id:
        return _stop(app, stop_id)
    if attach:
        run_id = transform.named(app.announce(), attach).id
    else:
        arguments = transform.arguments(
            app.lake,
            path=path,
            batch=batch,
            full=full,
            on_bad_rows=on_bad_rows,
            retry_failed=retry_failed,
            retry_quarantined=retry_quarantined,
        )
        make(app, ("create-glue-job",))
        run_id = transform.start(app.lake, arguments, workers)
        app.out.item("ok", f"started run {short(run_id)}")
    if no_wait:
        app.out.say(f"Follow it with: lakectl run-transform --attach {short(run_id)}")
        app.out.result({"id": run_id})
        return None
    run = follow(app, run_id)
    app.out.result({**asdict(run), "price": price(app, run)})
    if run.state != "SUCCEEDED":
        raise LakectlError(f"run {short(run.id)} {run.state}: {run.error or 'no reason given'}", "lakectl logs glue")
    return None


def _stop(app: App, run_id: str) -> None:
    from lakectl.ops.runs import transform

    run = transform.named(app.announce(), run_id)
    if run.ended:
        raise LakectlError(f"run {short(run.id)} has already ended: {run.state}")
    transform.stop(app.lake, run.id)
    run = follow(app, run.id)
    app.out.result(asdict(run))
    if run.state != "STOPPED":
        raise LakectlError(f"run {short(run.id)} was not stopped: it ended as {run.state}")


def follow(
    app: App, run_id: str, job: Job | None = None, command: str = "run-transform --attach", *, brief: bool = False
) -> JobRun:
    """Follow a run, showing its states and what the job prints; say what it did (``brief``: in one line).

    Ctrl-C leaves the run going, says how to come back, and ends with code 130.
    """
    from lakectl.ops.runs import transform

    def state(run: JobRun) -> None:
        update(f"run {short(run.id)}: {run.state}")
        app.out.event(run=run.id, state=run.state)

    def line(text: str) -> None:
        if brief:
            update(text)
        else:
            app.out.item("note", text)
        app.out.event(run=run_id, line=text)

    try:
        with app.out.busy(f"run {short(run_id)}") as update:
            run = transform.follow(app.lake, run_id, state, line, job)
    except KeyboardInterrupt:
        click.echo(f"\nThe run continues. Follow it again: lakectl {command} {short(run_id)}", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    (show_outcome if brief else show_run)(app, run)
    if job is None and run.state == "SUCCEEDED":
        make_waiting_views(app)
    return run


def make_waiting_views(app: App) -> None:
    """Make the views that waited for the tables of a run. One that Athena refuses is said, and is no failed run."""
    from lakectl.ops.provision import waiting

    result = waiting.make(app.lake)
    if result is None:
        return
    for step in result.done:
        app.out.item("ok", f"created {step.resource.kind} {step.resource.name}")
    for key, error in result.failed.items():
        app.out.item("failed", key, f"{error.message}; lakectl up tries again")


def follow_loading(app: App, landed: Sequence[Landed], *, brief: bool = False) -> None:
    """Wait until ``landed`` is in silver, showing the runs that load it.

    ``brief``: one line for the last run; what the job prints is shown while it works only.
    """
    from lakectl.ops.runs import wait

    with app.out.busy("waiting for the run to start") as update:
        run = wait.for_loading(
            app.lake,
            landed,
            lambda run: update(f"run {short(run.id)}: {run.state}"),
            update if brief else lambda line: app.out.item("note", line),
        )
    if run is None:
        app.out.item("ok", "everything is already in silver")
    elif brief:
        show_outcome(app, run)
    else:
        show_run(app, run)
    make_waiting_views(app)


def show_outcome(app: App, run: JobRun) -> None:
    """What an ended run did, in one line, with its cost where somebody pays for it."""
    _outcome(app, run, "" if price(app, run) is None else _cost(app, run))


def _outcome(app: App, run: JobRun, cost: str) -> None:
    mark: Mark = "ok" if run.state in ("SUCCEEDED", "STOPPED") else "failed"
    app.out.item(mark, f"run {short(run.id)} {run.state} in {run.seconds} s{cost}", summary(run))


def show_run(app: App, run: JobRun) -> None:
    """What an ended run did: one line, and one for each thing that is worth a look."""
    _outcome(app, run, _cost(app, run))
    if run.state == "SUCCEEDED" and not run.result:
        app.out.item("note", no_result(app, run))
    for source, counts in (run.result.get("sources") or {}).items():
        app.out.item("note", source, counted(counts) or "nothing new")
    refused = run.result.get("landings_failed") or {}
    for path, problems in list(refused.items())[:NAMED]:
        app.out.item("failed", path, "; ".join(problems))
    if len(refused) > NAMED:
        app.out.item("failed", f"and {len(refused) - NAMED:,} more landings", "lakectl runs --failed")
    for check, count in (run.result.get("checks") or {}).items():
        app.out.item("note", f"{check}: {count:,} rows")
    for source, counts in (run.result.get("sources") or {}).items():
        if counts["snapshot_id"]:
            app.out.item("ok", f"{source}_silver is at snapshot {counts['snapshot_id']}")


def no_result(app: App, run: JobRun) -> str:
    """What to say of a run that succeeded and wrote no result: nobody knows what it did."""
    return f"run {short(run.id)} wrote no result into {app.lake.names.run_log}: its script is not this lakectl's"


def _cost(app: App, run: JobRun) -> str:
    if run.dpu_hours is None:
        return ""
    cost = price(app, run)
    return f", {run.dpu_hours:.3f} DPU-hours" + (f", {cost:.2f} USD" if cost is not None else "")


def price(app: App, run: JobRun) -> float | None:
    """US dollars; ``None`` where nobody sends a bill."""
    if run.dpu_hours is None or not app.lake.aws.billed:
        return None
    return round(run.dpu_hours * app.config.glue.usd_of(run.glue_version), 4)


def summary(run: JobRun) -> str:
    """What the job says it did, over all sources: ``8,772 read, 8,772 inserted …``."""
    if "rows_read" not in run.result:
        return ""
    return counted(run.result) or "nothing pending"


def counted(counts: Mapping[str, Any]) -> str:
    """Rows by what became of them, of a run or of one of its sources; ``""`` when there are none."""
    parts = [f"{counts[f'rows_{name}']:,} {name}" for name in COUNTED if counts.get(f"rows_{name}")]
    if counts.get("columns_added"):
        parts.append(f"new columns {', '.join(counts['columns_added'])}")
    return ", ".join(parts)


COMMANDS = {"run-transform": run_transform}

"""``lakectl runs``."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from lakectl.cli import completion
from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError

if TYPE_CHECKING:
    from lakectl.core.ledger_items import Entry
    from lakectl.ops.events.dead_letters import DeadLetter

SHOWN = 100  # rows that people get unasked; programs get all
FOLLOW_POLL_S = 1.0
FOLLOW_FIRST = 10
COLUMNS = ("source", "landed (UTC)", "status", "load", "size", "key")
JOB_COLUMNS = ("run", "started (UTC)", "state", "time", "DPU-hours", "USD")
HEADER = f"{'source':<12} {'landed (UTC)':<20} {'status':<8} {'load':<10} {'size':>10}  key"


@lake_command("runs")
@click.argument("source", required=False, shell_complete=completion.sources)
@click.option("--pending", is_flag=True, help="Only what waits for a run, or is in one.")
@click.option("--failed", is_flag=True, help="Landings that a run refused, and events that nobody could handle.")
@click.option("--jobs", is_flag=True, help="The runs of the job instead, with the time and the money that each took.")
@click.option("-f", "--follow", is_flag=True, help="Go on showing rows that come or move, until Ctrl-C.")
@click.option("-n", "--limit", type=click.IntRange(1), metavar="N", help="At most N rows (default: 100; --json: all).")
@click.option("--all", "everything", is_flag=True, help="All rows, however many there are.")
def runs(
    app: App,
    source: str | None,
    pending: bool,
    failed: bool,
    jobs: bool,
    follow: bool,
    limit: int | None,
    everything: bool,
) -> None:
    """Show the run log: what has landed, what is loaded.

    Newest first, over all sources. With --follow and --json: a JSON line for each change.

    \b
    Examples:
      lakectl runs
      lakectl runs SOURCE --pending
      lakectl runs --limit 20 --json
      lakectl runs --failed
      lakectl runs --jobs
    """
    if source is not None and source not in app.config.spec.sources:
        raise UsageError(f"no source is called {source!r}; known: {', '.join(app.config.spec.sources)}")
    if pending + failed + jobs + follow > 1:
        raise UsageError("--pending, --failed, --jobs and --follow exclude each other", "give one of them")
    if jobs and source:
        raise UsageError("a run of the job loads all sources", "leave out --jobs, or the source")
    if everything and (limit or follow):
        raise UsageError(f"--all and {'--limit' if limit else '--follow'} exclude each other", "give one of them")
    if jobs:
        return _show_jobs(app, limit or SHOWN)
    most = limit or (0 if everything or app.json else SHOWN)
    if failed:
        return _show_failed(app, source, most)
    if follow:
        return _follow(app, source, limit or FOLLOW_FIRST)
    from itertools import chain, islice

    from lakectl.ops.runs import run_log as ops

    # One more than is shown, to know whether there are more.
    found = ops.runs(app.lake, source, "PENDING" if pending else "SRC", most and most + 1)
    first = next(found, None)
    if first is None:
        nothing = "Nothing is pending." if pending else "The run log is empty. Land something: lakectl land FILE"
        app.out.say(nothing)
        app.out.result([])
        return None
    shown = chain((first,), islice(found, most - 1 if most else None))
    if most:
        entries = list(shown)
        app.out.table(COLUMNS, [_cells(entry) for entry in entries], right=("size",))
        app.out.result([entry.item for entry in entries])
    else:
        app.out.say(HEADER)
        app.out.stream((_line(entry), entry.item) for entry in shown)
    if most and not limit and next(found, None):
        app.out.remark(f"These are the newest {most}. The older ones too: lakectl runs --all")
    return None


def _follow(app: App, source: str | None, last: int) -> None:
    from lakectl.ops.runs.run_log import Follower

    follower = Follower(app.lake, source)
    shown = follower.start(last)
    app.out.say(HEADER)
    while True:
        for entry in shown:
            app.out.record(_line(entry), entry.item)
        time.sleep(FOLLOW_POLL_S)
        shown = follower.changes()


def _show_jobs(app: App, most: int) -> None:
    from lakectl.cli.transform import price
    from lakectl.core.glue_runs import short
    from lakectl.ops.runs import transform

    found = list(transform.recent(app.lake, most))
    prices = [price(app, run) for run in found]
    rows = [
        (
            short(run.id),
            run.started_at,
            run.state,
            f"{run.seconds:,} s",
            "" if run.dpu_hours is None else f"{run.dpu_hours:.3f}",
            "" if usd is None else f"{usd:.3f}",
        )
        for run, usd in zip(found, prices, strict=True)
    ]
    if rows:
        app.out.table(JOB_COLUMNS, rows, right=JOB_COLUMNS[3:])
    else:
        app.out.say("The job has not run. Land something: lakectl land FILE")
    paid = [usd for usd in prices if usd is not None]
    if paid:
        app.out.say(f"{len(paid)} runs cost {sum(paid):.2f} USD, estimated from their DPU-hours.")
    app.out.result(
        [
            {
                "id": run.id,
                "state": run.state,
                "started_at": run.started_at,
                "seconds": run.seconds,
                "dpu_hours": run.dpu_hours,
                "usd": usd,
                "glue_version": run.glue_version,
                "error": run.error,
            }
            for run, usd in zip(found, prices, strict=True)
        ]
    )


def _show_failed(app: App, source: str | None, most: int) -> None:
    from lakectl.ops.events import dead_letters
    from lakectl.ops.runs import run_log as ops
    from lakectl.ops.runs.results import FullReasons

    refused = list(ops.runs(app.lake, source, "FAILED", most))
    reasons = FullReasons(app.lake)
    for entry in refused:
        entry.item["reason"] = reasons.of(entry)
        app.out.item("failed", entry.path, f"refused: {entry.item['reason']}")
    letters = [] if source else dead_letters.listed(app.lake)[: most or None]
    for letter in letters:
        app.out.item("failed", f"{letter.about}  {letter.since}  {letter.id}", f"{letter.function}: {letter.reason}")
    if refused:
        newest = "the newest " if len(refused) == most else ""
        app.out.say(
            f"Refused: {newest}{len(refused)} landings. Fix the file and land it again: lakectl land FILE --batch auto"
        )
    if letters:
        queue = app.lake.names.dead_letter_queue
        app.out.say(f"{len(letters)} events are in {queue}. Retry them: lakectl replay")
    if not refused and not letters:
        app.out.say("Nothing has failed.")
    app.out.result({"landings": [entry.item for entry in refused], "events": [letter_facts(each) for each in letters]})


def letter_facts(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter for programs: all but the receipt, which is good for nothing after we have gone."""
    return {name: value for name, value in asdict(letter).items() if name != "receipt"}


def _cells(entry: Entry) -> tuple[str, ...]:
    from lakectl.output import human_bytes

    item = entry.item
    return entry.source, item["ingest_ts"], item["status"], entry.load_status, human_bytes(entry.size), entry.key


def _line(entry: Entry) -> str:
    source, landed, status, load, size, key = _cells(entry)
    return f"{source:<12} {landed:<20} {status:<8} {load:<10} {size:>10}  {key}"


COMMANDS = {"runs": runs}

"""``lakectl runs``."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import UsageError

if TYPE_CHECKING:
    from lakectl.ops.dead_letters import DeadLetter
    from lakectl.ops.runs import Run

FOLLOW_POLL_S = 1.0
FOLLOW_FIRST = 10
HEADER = f"{'source':<12} {'landed (UTC)':<20} {'status':<8} {'load':<10} {'size':>10}  key"


@lake_command("runs")
@click.argument("source", required=False)
@click.option("--pending", is_flag=True, help="Only what waits for a run, or is in one.")
@click.option("--failed", is_flag=True, help="Landings that a run refused, and events that nobody could handle.")
@click.option("-f", "--follow", is_flag=True, help="Go on showing rows that come or move, until Ctrl-C.")
@click.option("-n", "--limit", type=click.IntRange(1), metavar="N", help="At most N rows.")
def runs(app: App, source: str | None, pending: bool, failed: bool, follow: bool, limit: int | None) -> None:
    """Show the run log: what has landed, what is loaded.

    Newest first, over all sources. With --follow and --json: a JSON line for each change.

    \b
    Examples:
      lakectl runs
      lakectl runs orders --pending
      lakectl runs --limit 20 --json
      lakectl runs --failed
    """
    if source is not None and source not in app.config.sources:
        raise UsageError(f"no source is called {source!r}; known: {', '.join(app.config.sources)}")
    if pending + failed + follow > 1:
        raise UsageError("--pending, --failed and --follow exclude each other", "give one of them")
    if failed:
        return _show_failed(app, source, limit)
    if follow:
        return _follow(app, source, limit or FOLLOW_FIRST)
    from itertools import islice

    from lakectl.ops import runs as ops

    found = islice(ops.runs(app.lake, source, "PENDING" if pending else "SRC"), limit)
    first = next(found, None)
    if first is None:
        nothing = "Nothing is pending." if pending else "The run log is empty. Land something: lakectl land orders.csv"
        app.out.say(nothing)
        app.out.result([])
        return None
    app.out.say(HEADER)
    app.out.stream((_line(run), run.item) for each in ((first,), found) for run in each)
    return None


def _follow(app: App, source: str | None, last: int) -> None:
    from lakectl.ops.runs import Follower

    follower = Follower(app.lake, source)
    shown = follower.start(last)
    app.out.say(HEADER)
    while True:
        for run in shown:
            app.out.record(_line(run), run.item)
        time.sleep(FOLLOW_POLL_S)
        shown = follower.changes()


def _show_failed(app: App, source: str | None, limit: int | None) -> None:
    from itertools import islice

    from lakectl.ops import dead_letters
    from lakectl.ops import runs as ops
    from lakectl.ops.results import FullReasons

    refused = list(islice(ops.runs(app.lake, source, "FAILED"), limit))
    reasons = FullReasons(app.lake)
    for run in refused:
        run.item["reason"] = reasons.of(run)
        app.out.item("failed", f"s3://{run.bucket}/{run.key}", f"refused: {run.item['reason']}")
    letters = [] if source else dead_letters.listed(app.lake)[:limit]
    for letter in letters:
        app.out.item("failed", f"{letter.about}  {letter.since}  {letter.id}", f"{letter.function}: {letter.reason}")
    if refused:
        app.out.say(
            f"{len(refused)} landings were refused. Fix the file and land it again: lakectl land FILE --batch auto"
        )
    if letters:
        queue = app.lake.names.dead_letter_queue
        app.out.say(f"{len(letters)} events are in {queue}. Retry them: lakectl replay")
    if not refused and not letters:
        app.out.say("Nothing has failed.")
    app.out.result({"landings": [run.item for run in refused], "events": [letter_facts(each) for each in letters]})


def letter_facts(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter for programs: all but the receipt, which is good for nothing after we have gone."""
    return {name: value for name, value in asdict(letter).items() if name != "receipt"}


def _line(run: Run) -> str:
    from lakectl.output import human_bytes

    size = human_bytes(run.size)
    return f"{run.source:<12} {run.ingest_ts:<20} {run.status:<8} {run.load_status:<10} {size:>10}  {run.key}"


COMMANDS = {"runs": runs}

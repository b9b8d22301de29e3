"""Bronze to silver: landed files become rows of Iceberg tables, each exactly once.

The story of a run:

1. take what waits: the ledger's pending landings, and those under ``--RAW_PATH``; without any, and with the same
   specification as last time, there is nothing to do
2. judge each landing by itself; a bad one is refused with its reason and stops no other, or its bad rows
   are quarantined, as the lake's specification says
3. go through the sources, each after those that it looks up: give its rows what they look up and what is derived,
   compute what would change in its silver table, and commit that, or nothing
4. settle the landings in the ledger, and write there what the run did
5. again with what has landed meanwhile: Spark is up, so that costs less than another run. Not under another
   specification: then the next run takes it
6. exit non-zero if a landing was refused

What a source's files are like, and what becomes of them, is in the lake's specification (``--LAKE_SPEC``).

Runs on Glue 5.0 and 5.1 (Spark 3.5) and 6.0 (Spark 4.1).
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial

from lake import session
from lake.arguments import Arguments, parse, renewed
from lake.checks import Totals
from lake.copies import Copies
from lake.judging import judge
from lake.landings import Inbox, Item
from lake.loading import Loaded, load, silver_bytes
from lake.report import Done, bad, refuse, report
from lake.retrying import quarantined
from lake.work import Work

from lakectl.core import applied_spec
from lakectl.core.ledger import Ledger
from lakectl.core.ledger_table import LedgerTable

BEGAN = time.monotonic()
# Landings that come in without end must not make a run without end.
ROUNDS = 10


def main(argv: list[str]) -> None:
    arguments = parse(argv)
    if arguments.raw_path:
        say(f"started for {arguments.raw_path}")
    done = Done()
    arguments, inbox, items = take(arguments)
    done.took["claimed"] = elapsed()
    applied = applied_spec.Record(LedgerTable(arguments.ledger_table), arguments.lake_spec)
    if not (items or applied.differs or arguments.retry_quarantined):
        say("nothing is pending: silver is up to date")
        return inbox.finish([], {}, partial(report, inbox, done, elapsed))
    if applied.is_known and not arguments.full:
        inbox.refuse_dropped()
    spark = session.build(arguments.silver_warehouse)
    say(f"Spark {spark.version} is up")
    done.took["spark_up"] = elapsed()
    copies = Copies(inbox.s3, arguments.silver_warehouse, arguments.run_id)
    work = Work(spark, arguments, inbox, say, copies, spec_changed=applied.differs)
    if arguments.retry_quarantined:
        items += quarantined(work)
    try:
        for _ in range(ROUNDS):
            bring_in(work, items, done, applied)
            items = take_new(work)
            if not items:
                break
            spark.catalog.clearCache()
            # What these ask for has been done: from here on only what is new counts.
            work.spec_changed = False
            work.arguments = replace(work.arguments, full=False)
    finally:
        copies.remove()
    refuse(done.items)
    return None


def take(arguments: Arguments) -> tuple[Arguments, Inbox, list[Item]]:
    """The landings, and the specification that they are judged by: the one that is there once they are claimed. What
    landed under it is never judged by the one before, with which the run may have begun."""
    while True:
        inbox = Inbox(arguments, Ledger(arguments.ledger_table))
        items = inbox.take()
        current = renewed(arguments, inbox.s3)
        if current is arguments:
            return arguments, inbox, items
        inbox.give_back(items)
        arguments = current


def take_new(work: Work) -> list[Item]:
    """What has landed meanwhile; nothing when the specification is another one by now."""
    items = work.inbox.take_new()
    if not items or renewed(work.arguments, work.inbox.s3) is work.arguments:
        return items
    count = work.inbox.give_back(items)
    say(
        "the specification has changed since this run began: the next run loads what has landed meanwhile, "
        f"{count:,} landing{'s' * (count != 1)}"
    )
    return []


def bring_in(work: Work, items: list[Item], done: Done, applied: applied_spec.Record) -> None:
    """Landings into silver and out of the ledger; adds to ``done``."""
    say(f"{len(items)} landings to read, {sum(item.claimed for item in items)} of them new")
    totals, loaded = into_silver(work, items, done.took)
    for source, each in loaded.items():
        say(f"{source}_silver is at snapshot {each.snapshot}" if each.snapshot else f"{source}: nothing to commit")
    for text in (text for each in totals.values() for text in each.named):
        say(f"warning: {text}")
    done.add(items, totals, loaded)
    applied.write()
    snapshots = {source: each.snapshot for source, each in loaded.items() if each.snapshot}
    work.inbox.finish(items, snapshots, partial(report, work.inbox, done, elapsed))


def into_silver(work: Work, items: list[Item], took: dict[str, float]) -> tuple[dict[str, Totals], dict[str, Loaded]]:
    """Judge and load; returns what was counted and what changed, by source. Adds to ``took`` when each stage ended."""
    spark = work.spark
    landed = sum(item.landing.size for item in items)
    with session.planned_for(spark, landed):
        rows, totals = judge(work, items)
    say(f"checked {sum(item.rows for item in items)} rows, {len(bad(items))} landings refused")
    took["checked"] = elapsed()
    with session.planned_for(spark, landed + silver_bytes(work, items, totals)):
        loaded = load(work, rows, items, totals)
    took["loaded"] = elapsed()
    return totals, loaded


def elapsed() -> float:
    """Seconds since the job started."""
    return round(time.monotonic() - BEGAN, 2)


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", flush=True)


if __name__ == "__main__":
    main(sys.argv)

"""Bronze to silver: landed CSV files become rows of an Iceberg table, each exactly once.

The story of a run:

1. take what waits: the ledger's pending landings, and those under ``--RAW_ORDERS_PATH``
2. judge each landing by itself; a bad one is refused with its reason and stops no other, or its bad rows
   are set aside, as the lake's policies say
3. enrich orders with the customer's region and the product's category
4. compute what would change in silver; if anything does, MERGE it, else commit nothing
5. settle the landings in the ledger, and write there what the run did
6. again with what has landed meanwhile: Spark is up, so that costs less than another run
7. exit non-zero if a landing was refused

Runs on Glue 5.1 (Spark 3.5, Iceberg 1.10).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from ledger import Ledger
from retail import session
from retail.arguments import parse
from retail.checks import Totals
from retail.copies import Copies
from retail.judging import judge
from retail.landings import Inbox, Item
from retail.loading import Loaded, load, look_again, silver_bytes
from retail.results import Result, shortened
from retail.work import Work

BEGAN = time.monotonic()
# Landings that come in without end must not make a run without end.
ROUNDS = 10
NAMED = 5  # refused landings that the error message names


class LandingsRefused(RuntimeError):
    """Some landings are bad. The good ones are in silver."""


@dataclass
class Done:
    """What the run has done so far. ``took``: seconds from its start to the last end of each stage; ``lost``: landings
    that another run has taken over."""

    items: list[Item] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    loaded: Loaded = field(default_factory=Loaded)
    took: dict[str, float] = field(default_factory=dict)
    lost: list[Item] = field(default_factory=list)

    def add(self, items: list[Item], totals: Totals, loaded: Loaded) -> None:
        """What a round did. What it only read again has been told by the first."""
        self.items += [item for item in items if item.claimed] if self.items else items
        self.totals.checks.update(totals.checks)
        self.totals.named += totals.named
        self.loaded.add(loaded)
        self.loaded.warned += loaded.warned


def main(argv: list[str]) -> None:
    arguments = parse(argv)
    say(f"run {arguments.run_id}: path {arguments.raw_orders_path or '-'}, batch {arguments.batch_id or '-'}")
    inbox = Inbox(arguments, Ledger(arguments.ledger_table))
    done = Done()
    items = inbox.take()
    done.took["claimed"] = elapsed()
    if not items:
        say("nothing is pending: silver is up to date")
        return inbox.finish([], "", partial(report, inbox, done))
    spark = session.build(arguments.silver_warehouse)
    say(f"Spark {spark.version} is up")
    done.took["spark_up"] = elapsed()
    copies = Copies(inbox.s3, arguments.silver_warehouse, arguments.run_id)
    work = Work(spark, arguments, inbox, say, arguments.settings, copies)
    try:
        for _ in range(ROUNDS):
            bring_in(work, items, done)
            items = inbox.take_new()
            if not items:
                break
            spark.catalog.clearCache()
    finally:
        copies.remove()
    refuse(done.items)
    return None


def bring_in(work: Work, items: list[Item], done: Done) -> None:
    """Landings into silver and out of the ledger; adds to ``done``."""
    items = items + work.inbox.dimensions(items)
    say(f"{len(items)} landings to read, {sum(item.claimed for item in items)} of them new")
    totals, loaded, items = into_silver(work, items, done.took)
    say(f"silver is at snapshot {loaded.snapshot}" if loaded.snapshot else "nothing to commit")
    for text in totals.named:
        say(f"warning: {text}")
    done.add(items, totals, loaded)
    work.inbox.finish(items, loaded.snapshot, partial(report, work.inbox, done))


def into_silver(work: Work, items: list[Item], took: dict[str, float]) -> tuple[Totals, Loaded, list[Item]]:
    """Judge and load; returns what was counted, what changed, and ``items`` with the landings that came meanwhile.

    Adds to ``took`` when each stage ended.
    """
    spark = work.spark
    landed = sum(item.landing.size for item in items)
    with session.planned_for(spark, landed):
        rows, totals = judge(work, items)
    say(f"checked {sum(item.rows for item in items)} rows, {len(bad(items))} landings refused")
    took["checked"] = elapsed()
    with session.planned_for(spark, landed + silver_bytes(work, items, totals)):
        loaded = load(work, rows, items, totals)
        items = look_again(work, items, loaded, totals)
    took["loaded"] = elapsed()
    return totals, loaded, items


def report(inbox: Inbox, done: Done, lost: list[Item]) -> Result:
    """What this run did. ``lost``: landings of the round that ends which another run has taken over."""
    items, totals, loaded = done.items, done.totals, done.loaded
    taken_over = {id(item) for item in done.lost}
    done.lost += [item for item in lost if id(item) not in taken_over]
    taken_over.update(map(id, lost))
    news = [item for item in items if item.claimed and id(item) not in taken_over]
    orders = [item for item in items if item.landing.source == "orders"]
    counts = loaded.counts
    return {
        "task": "transform",
        "rows_read": sum(item.rows for item in orders),
        "rows_inserted": counts["insert"],
        "rows_updated": counts["update"],
        "rows_reenriched": counts["reenrich"],
        "rows_advanced": counts["advance"],
        "rows_unchanged": counts["unchanged"],
        "rows_stale": counts["stale"],
        "rows_rejected": sum(item.rows for item in orders if item.problems),
        "rows_quarantined": sum(item.set_aside for item in items if not item.problems),
        "rows_warned": sum(item.warned for item in items if not item.problems) + loaded.warned,
        "checks": {check: count for check, count in totals.checks.items() if count},
        "warnings": totals.named,
        "landings_loaded": [item.path for item in news if not item.problems],
        "landings_failed": problems_by_path(item for item in bad(items) if id(item) not in taken_over),
        "landings_superseded": inbox.superseded,
        "landings_taken_over": [item.path for item in done.lost],
        "columns_added": loaded.columns,
        "snapshot_id": loaded.snapshot or None,
        "seconds": {**done.took, "settled": elapsed()},
    }


def refuse(items: list[Item]) -> None:
    """Raise :class:`LandingsRefused`, naming the first ones; the run's result names all."""
    refused = bad(items)
    if refused:
        named = [f"{item.path}: {shortened('; '.join(item.problems))}" for item in refused[:NAMED]]
        if len(refused) > NAMED:
            named.append(f"and {len(refused) - NAMED} more: lakectl runs --failed")
        raise LandingsRefused(f"{len(refused)} landings refused, the others are in silver. {' | '.join(named)}")


def problems_by_path(items: Iterable[Item]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item.path, []).extend(item.problems)
    return found


def bad(items: list[Item]) -> list[Item]:
    """The refused ones. Of what another run holds, that run says it."""
    return [item for item in items if item.problems and not item.held]


def elapsed() -> float:
    """Seconds since the job started."""
    return round(time.monotonic() - BEGAN, 2)


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", flush=True)


if __name__ == "__main__":
    main(sys.argv)

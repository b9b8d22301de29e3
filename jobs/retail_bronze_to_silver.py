"""Bronze to silver: landed CSV files become rows of an Iceberg table, each exactly once.

The story of a run:

1. take what waits: the ledger's pending landings, and those under ``--RAW_ORDERS_PATH``
2. judge each landing by itself; a bad one is refused with its reason and stops no other, or its bad rows
   are set aside, as the lake's policies say
3. enrich orders with the customer's region and the product's category
4. compute what would change in silver; if anything does, MERGE it, else commit nothing
5. tell the ledger; exit non-zero if a landing was refused

Runs on Glue 5.1 (Spark 3.5, Iceberg 1.10).
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from ledger import Ledger
from pyspark.sql import DataFrame, SparkSession
from retail import session
from retail.arguments import Arguments, parse
from retail.checks import Totals, gate
from retail.enrich import ATTRIBUTES, dimension, newest
from retail.iceberg import persistently
from retail.landings import Inbox, Item
from retail.lines import mark_torn
from retail.quarantine import Split, check_references, split, store, with_warning
from retail.reading import Rows, read
from retail.schemas import Source
from retail.settings import WARN
from retail.silver import Delta, Incoming, Silver

BEGAN = time.monotonic()


class LandingsRefused(RuntimeError):
    """Some landings are bad. The good ones are in silver."""


def main(argv: list[str]) -> None:
    arguments = parse(argv)
    say(f"run {arguments.run_id}: path {arguments.raw_orders_path or '-'}, batch {arguments.batch_id or '-'}")
    inbox = Inbox(arguments, Ledger(arguments.ledger_table))
    items = inbox.take()
    if not items:
        say("nothing is pending: silver is up to date")
        return report(arguments, inbox, [], Totals(), None, "")
    items += inbox.loaded_dimensions(items)
    say(f"{len(items)} landings to read, {sum(item.claimed for item in items)} of them new")

    spark = session.build(arguments.silver_warehouse)
    say(f"Spark {spark.version} is up")
    rows, totals = judge(spark, arguments, inbox, items)
    say(f"checked {sum(item.rows for item in items)} rows, {len(bad(items))} landings refused")
    delta, snapshot = load(spark, arguments, rows, items, totals)
    say(f"silver is at snapshot {snapshot}" if snapshot else "nothing to commit")

    inbox.finish(items, snapshot)
    report(arguments, inbox, items, totals, delta, snapshot)
    refuse(items)
    return None


def judge(spark: SparkSession, arguments: Arguments, inbox: Inbox, items: list[Item]) -> tuple[dict[str, Rows], Totals]:
    """Typed rows for each source, and what the gate counted; refused landings have their problems set."""
    settings = arguments.settings
    rows = read_all(spark, settings.sources, inbox, items)
    try:
        return rows, gate(rows, items, inbox.s3, settings)
    except Exception:
        # A torn gzip file fails the whole read. Find it, refuse it, and go on with the others.
        if not mark_torn(inbox.s3, items):
            raise
    rows = read_all(spark, settings.sources, inbox, items)
    return rows, gate(rows, items, inbox.s3, settings)


def read_all(spark: SparkSession, sources: dict[str, Source], inbox: Inbox, items: list[Item]) -> dict[str, Rows]:
    frames = {}
    for name, source in sources.items():
        landed = [item for item in items if item.landing.source == name and not item.problems]
        found = read(spark, inbox.s3, source, landed)
        if found:
            frames[name] = found
    return frames


def load(
    spark: SparkSession, arguments: Arguments, rows: dict[str, Rows], items: list[Item], totals: Totals
) -> tuple[Delta | None, str]:
    """Bring silver up to date with the accepted landings: what changed, and the snapshot or ``""``."""
    settings = arguments.settings
    accepted = [item for item in items if not item.problems]
    parts = {name: split(frame, settings.sources[name], accepted, settings) for name, frame in rows.items()}
    dimensions = {
        name: dimension(spark, settings.sources[name], parts[name].kept if name in parts else None)
        for name in ATTRIBUTES
    }
    if "orders" in parts:
        totals.checks.update(check_references(parts["orders"], dimensions, accepted, settings))
        # A reference that is not there may have refused a landing.
        refused = [item.number for item in accepted if item.problems]
        accepted = [item for item in accepted if not item.problems]
        parts["orders"].without(refused)
    if not accepted:
        return None, ""
    store(spark, arguments.silver_db, arguments.run_id, list(parts.values()), say)

    incoming = each_once(parts.get("orders"), accepted, totals, arguments)
    again = arguments.full or any(item.claimed and item.landing.source != "orders" for item in accepted)
    silver = Silver(spark, arguments.silver_db, settings.sources["orders"])
    silver.ensure()

    def attempt() -> tuple[Delta, str]:
        delta = silver.delta(incoming, dimensions["customers"], dimensions["products"], reenrich=again)
        if not delta.changes:
            return delta, ""
        say(f"to write: {', '.join(f'{kind} {count}' for kind, count in delta.counts.items() if count)}")
        try:
            return delta, silver.merge(delta)
        except Exception:
            delta.rows.unpersist()
            raise

    delta, snapshot = persistently(silver.table, attempt, say)
    for check in settings.having(WARN):
        if delta.unknown.get(check):
            totals.checks[check] += delta.unknown[check]
            totals.named.append(silver.name_unknown(delta, check))
    return delta, snapshot


def each_once(part: Split | None, accepted: list[Item], totals: Totals, arguments: Arguments) -> Incoming | None:
    """The orders to load, newest row for each; None without orders."""
    landed = [item for item in accepted if item.landing.source == "orders"]
    if not landed or part is None:
        return None
    orders: DataFrame = with_warning(part.kept, arguments.settings)
    # One landing without repeats is what mostly comes: it needs no shuffle to have each order once.
    if len(landed) > 1 or landed[0].rows != totals.keys:
        orders = newest(orders, part.source.keys)
    return Incoming(orders, totals.keys, totals.lowest, totals.highest)


def report(
    arguments: Arguments, inbox: Inbox, items: list[Item], totals: Totals, delta: Delta | None, snapshot: str
) -> None:
    """One line for people and programs: what this run did. Before it, the rows that were let through with a warning."""
    for text in totals.named:
        say(f"warning: {text}")
    news = [item for item in items if item.claimed]
    orders = [item for item in items if item.landing.source == "orders"]
    counts = delta.counts if delta else {}
    unknown = delta.warned if delta and any(totals.checks[check] for check in delta.unknown) else 0
    result: dict[str, Any] = {
        "run_id": arguments.run_id,
        "rows_read": sum(item.rows for item in orders),
        "rows_inserted": counts.get("insert", 0),
        "rows_updated": counts.get("update", 0),
        "rows_reenriched": counts.get("reenrich", 0),
        "rows_advanced": counts.get("advance", 0),
        "rows_unchanged": counts.get("unchanged", 0),
        "rows_stale": counts.get("stale", 0),
        "rows_rejected": sum(item.rows for item in orders if item.problems),
        "rows_quarantined": sum(item.set_aside for item in items if not item.problems),
        "rows_warned": totals.warned + unknown,
        "checks": {check: count for check, count in totals.checks.items() if count},
        "landings_loaded": [item.path for item in news if not item.problems],
        "landings_failed": {item.path: item.problems for item in items if item.problems},
        "landings_superseded": inbox.superseded,
        "snapshot_id": snapshot or None,
    }
    print("LAKECTL_RESULT " + json.dumps(result, ensure_ascii=False))


def refuse(items: list[Item]) -> None:
    refused = bad(items)
    if refused:
        named = " | ".join(f"{item.path}: {'; '.join(item.problems)}" for item in refused)
        raise LandingsRefused(f"{len(refused)} landings refused, the others are in silver. {named}")


def bad(items: list[Item]) -> list[Item]:
    return [item for item in items if item.problems]


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", flush=True)


if __name__ == "__main__":
    main(sys.argv)

"""Bronze to silver: landed CSV files become rows of an Iceberg table, each exactly once.

The story of a run:

1. take what waits: the ledger's pending landings, and those under ``--RAW_ORDERS_PATH``
2. judge each landing by itself; a bad one is refused with its reason and stops no other
3. enrich orders with the customer's region and the product's category
4. compute what would change in silver; if anything does, MERGE it, else commit nothing
5. tell the ledger; exit non-zero if a landing was refused

Runs on Glue 5.1 (Spark 3.5, Iceberg 1.10).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any

from ledger import Ledger
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from retail import session
from retail.arguments import Arguments, parse
from retail.checks import Totals, gate
from retail.enrich import dimension, newest
from retail.landings import Inbox, Item
from retail.reading import Rows, mark_torn, read
from retail.schemas import CUSTOMERS, ORDERS, PRODUCTS, SOURCES
from retail.silver import CommitConflict, Incoming, Silver

ATTEMPTS = 5
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
        return report(arguments, inbox, [], {}, "")
    items += inbox.loaded_dimensions(items)
    say(f"{len(items)} landings to read, {sum(item.claimed for item in items)} of them new")

    spark = session.build(arguments.silver_warehouse)
    say(f"Spark {spark.version} is up")
    rows, totals = judge(spark, inbox, items)
    say(f"checked {sum(item.rows for item in items)} rows, {len(bad(items))} landings refused")
    counts, snapshot = load(spark, arguments, rows, items, totals)
    say(f"silver is at snapshot {snapshot}" if snapshot else "nothing to commit")

    inbox.finish(items, snapshot)
    report(arguments, inbox, items, {**counts, "odd_quantities": totals.odd_quantities}, snapshot)
    refuse(items)
    return None


def judge(spark: SparkSession, inbox: Inbox, items: list[Item]) -> tuple[dict[str, Rows], Totals]:
    """Typed rows for each source, and what the gate counted; refused landings have their problems set."""
    rows = read_all(spark, inbox, items)
    try:
        return rows, gate(rows, items, inbox.s3)
    except Exception:
        # A torn gzip file fails the whole read. Find it, refuse it, and go on with the others.
        if not mark_torn(inbox.s3, items):
            raise
    rows = read_all(spark, inbox, items)
    return rows, gate(rows, items, inbox.s3)


def read_all(spark: SparkSession, inbox: Inbox, items: list[Item]) -> dict[str, Rows]:
    frames = {}
    for name, source in SOURCES.items():
        landed = [item for item in items if item.landing.source == name and not item.problems]
        found = read(spark, inbox.s3, source, landed)
        if found:
            frames[name] = found
    return frames


def load(
    spark: SparkSession,
    arguments: Arguments,
    rows: dict[str, Rows],
    items: list[Item],
    totals: Totals,
) -> tuple[dict[str, int], str]:
    """Bring silver up to date with the accepted landings: counts by kind, and the snapshot or ``""``."""
    accepted = [item for item in items if not item.problems]
    if not accepted:
        return {}, ""
    good = {name: only(source.typed, accepted) for name, source in rows.items()}
    customers = dimension(spark, CUSTOMERS, good.get("customers"))
    products = dimension(spark, PRODUCTS, good.get("products"))
    incoming = each_once(good, accepted, totals)
    new_dimensions = any(item.claimed and item.landing.source != "orders" for item in accepted)

    silver = Silver(spark, arguments.silver_db)
    silver.ensure()
    for attempt in range(1, ATTEMPTS + 1):
        delta = silver.delta(incoming, customers, products, reenrich=new_dimensions or arguments.full)
        if not delta.changes:
            return delta.counts, ""
        say(f"to write: {', '.join(f'{kind} {count}' for kind, count in delta.counts.items() if count)}")
        try:
            return delta.counts, silver.merge(delta)
        except CommitConflict as conflict:
            say(f"attempt {attempt} of {ATTEMPTS}: another run committed first, computing again: {conflict}")
            delta.rows.unpersist()
    raise RuntimeError(f"silver was changed by other runs {ATTEMPTS} times in a row; the landings stay pending")


def each_once(good: dict[str, DataFrame], accepted: list[Item], totals: Totals) -> Incoming | None:
    """The orders to load, newest row for each; None without orders."""
    landed = [item for item in accepted if item.landing.source == "orders"]
    if not landed:
        return None
    orders = good["orders"]
    # One landing without repeats is what mostly comes: it needs no shuffle to have each order once.
    if len(landed) > 1 or landed[0].rows != totals.keys:
        orders = newest(orders, ORDERS.key)
    return Incoming(orders, totals.keys, totals.lowest, totals.highest)


def only(frame: DataFrame, items: Iterable[Item]) -> DataFrame:
    return frame.where(F.col("landing_no").isin([item.number for item in items]))


def report(arguments: Arguments, inbox: Inbox, items: list[Item], counts: dict[str, int], snapshot: str) -> None:
    """One line for people and programs: what this run did."""
    news = [item for item in items if item.claimed]
    orders = [item for item in items if item.landing.source == "orders"]
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
        "odd_quantities": counts.get("odd_quantities", 0),
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

"""A new landing of the sample data, with its dimensions: from StartJobRun to SUCCEEDED.

``LAKECTL_BENCH_ROUNDS``: how many such landings are measured, one after the other (default 3); each counts.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from benchmarks.sandbox import Figure, Settings
from benchmarks.transform_lake import bench_lake, put, renumbered, run, settle, wait_for_standbys
from lakectl.ops.landing.sample_data import write_sample_data

ROUNDS = int(os.environ.get("LAKECTL_BENCH_ROUNDS", "3"))
ORDERS = 8772
WARM_S, COLD_S = 6.0, 10.0


def measure(_: Settings) -> Iterator[Figure]:
    """The slowest of the rounds is what the promise is held against."""
    yield _landing("with a warm standby", WARM_S, standby=True)
    yield _landing("without a standby, with a class archive", COLD_S, standby=False)


def _landing(how: str, most: float, *, standby: bool) -> Figure:
    seconds = []
    with bench_lake(standby=standby) as (endpoint, lake), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        customers, products, orders = write_sample_data(folder, orders=ORDERS, until=date(2026, 11, 24))
        for number in range(ROUNDS + 1):  # the first run makes the archive, and is not measured
            day = f"2026-11-{number + 1:02d}"
            put(lake, "customers", customers, day)
            put(lake, "products", products, day)
            put(lake, "orders", renumbered(orders, folder / "new.csv", number * ORDERS), day)
            if standby and number:
                wait_for_standbys(endpoint, number)
            elif number:
                settle(endpoint)
            path = f"s3://{lake.names.raw_bucket}/{lake.config.landing.prefix}"  # the dimensions too
            ran = run(endpoint, lake, arguments={"--RAW_PATH": path})
            inserted = ran.result["sources"]["orders"]["rows_inserted"]
            if inserted != ORDERS:
                raise SystemExit(f"{inserted} orders inserted, not {ORDERS}")
            seconds.append(ran.seconds)
    told = ", ".join(f"{each:.1f}" for each in seconds[1:])
    slowest = max(seconds[1:])
    return Figure(f"{ORDERS:,} new orders {how}", f"{told} s", f"<= {most:.0f} s", slowest <= most)

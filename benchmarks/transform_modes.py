"""Copy-on-write against merge-on-read: what a landing costs to write, and then the table to read and to compact.

``LAKECTL_BENCH_ORDERS``: how many orders lie in silver before (default 1000000; of several, with commas, the largest).
Onto a fresh lake for each mode come 10,000 new orders over 90 days, then 10,000 changed ones, scattered over all of it.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.table import Table

from benchmarks.sandbox import Figure, Settings, lakectl
from benchmarks.transform_lake import bench_lake, put, renumbered, run, settle
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.landing.sample_data import write_sample_data
from lakectl.ops.tables import query

ORDERS = max(int(size) for size in os.environ.get("LAKECTL_BENCH_ORDERS", "1000000").split(","))
SMALL = 10_000
MODES = ("copy-on-write", "merge-on-read")
READS = 3
UNTIL = date(2026, 11, 24)
# A day has two files at least once both have landed; the default of five would leave them.
COMPACT = {"min_input_files": 2}
COUNTED = ("added-data-files", "added-delete-files", "added-files-size", "total-data-files", "total-delete-files")


@dataclass(frozen=True)
class Landings:
    """Files, each by its source."""

    first: dict[str, Path]
    new: Path
    changed: Path


@dataclass(frozen=True)
class Silver:
    """The table of one lake, for runs and for reading."""

    endpoint: Endpoint
    lake: Lake

    def load(self) -> Table:
        endpoint = self.endpoint
        where = {"endpoint": endpoint.url, "region": endpoint.region, "access-key-id": endpoint.access_key_id}
        where["secret-access-key"] = endpoint.secret_access_key
        properties = {f"{service}.{name}": value for service in ("glue", "s3") for name, value in where.items()}
        catalog = GlueCatalog("glue", **properties, **{"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"})
        return catalog.load_table(f"{self.lake.names.silver_database}.orders_silver")

    def write_by(self, mode: str) -> None:
        with self.load().transaction() as change:
            change.set_properties({f"write.{verb}.mode": mode for verb in ("merge", "update", "delete")})

    def land(self, files: dict[str, Path], day: str, **counts: int) -> float:
        """Seconds of the run. Raises SystemExit unless it wrote ``counts``, and nothing else."""
        for source, file in files.items():
            put(self.lake, source, file, day)
        path = f"s3://{self.lake.names.raw_bucket}/{self.lake.config.landing.prefix}"
        ran = run(self.endpoint, self.lake, arguments={"--RAW_PATH": path})
        settle(self.endpoint)
        for name in ("rows_inserted", "rows_updated", "rows_advanced", "rows_reenriched"):
            found = ran.result["sources"].get("orders", {}).get(name, 0)
            if found != counts.get(name, 0):
                raise SystemExit(f"{name} of {path}: {found:,}, not {counts.get(name, 0):,}")
        return ran.seconds

    def compact(self) -> float:
        arguments = {"--TASK": "maintain", "--SETTINGS": json.dumps(COMPACT)}
        ran = run(self.endpoint, self.lake, self.lake.names.maintenance_job, arguments)
        settle(self.endpoint)
        return ran.seconds


def measure(_: Settings) -> Iterator[Figure]:
    """Nothing is warm: each run starts a JVM, with the class archive. A read is the median of three, after one more."""
    with tempfile.TemporaryDirectory(prefix="lakectl-bench-") as name:
        landings = _written(Path(name))
        for mode in MODES:
            with bench_lake(standby=False) as (endpoint, lake):
                lakectl("create-workgroup")
                yield from _by(mode, Silver(endpoint, lake), landings)


def _written(folder: Path) -> Landings:
    customers, products, orders = write_sample_data(folder / "all", orders=ORDERS, until=UNTIL)
    small = write_sample_data(folder / "small", orders=SMALL, until=UNTIL)[2]
    new = renumbered(small, folder / "new.csv", ORDERS)
    changed = renumbered(orders, folder / "changed.csv", 0, every=ORDERS // SMALL, most=SMALL, qty="99")
    return Landings({"customers": customers, "products": products, "orders": orders}, new, changed)


def _by(mode: str, silver: Silver, landings: Landings) -> Iterator[Figure]:
    silver.land(landings.first, "2026-11-01", rows_inserted=ORDERS)
    silver.write_by(mode)
    onto = f"{SMALL:,} new orders onto {ORDERS:,}, {mode}"
    yield _figure(onto, silver, silver.land({"orders": landings.new}, "2026-11-02", rows_inserted=SMALL))
    scattered = f"{SMALL:,} changed orders in {ORDERS:,}, {mode}"
    yield _figure(scattered, silver, silver.land({"orders": landings.changed}, "2026-11-03", rows_updated=SMALL))
    yield _figure(f"compaction after them, {mode}", silver, silver.compact())


def _figure(what: str, silver: Silver, seconds: float) -> Figure:
    """What the last commit of silver has added, what is there now, and how long that takes to read."""
    table = silver.load()
    found: Any = table.current_snapshot()
    counts = {name: int(found.summary.get(name) or 0) for name in COUNTED}
    athena = _median_of(lambda: _rows_by_athena(silver.lake))
    pyiceberg = _median_of(lambda: _rows_by_pyiceberg(table))
    told = (
        f"{seconds:.1f} s, {_files(counts, 'added')}, {counts['added-files-size'] / 1e6:.1f} MB; "
        f"now {_files(counts, 'total')}; read {athena:.2f} s (Athena), {pyiceberg:.2f} s (PyIceberg)"
    )
    return Figure(what, told)


def _files(counts: dict[str, int], which: str) -> str:
    return f"{counts[f'{which}-data-files']} data files + {counts[f'{which}-delete-files']} delete files"


def _median_of(read: Callable[[], int]) -> float:
    """Seconds. Raises SystemExit when a row is missing or double."""
    seconds = []
    for _ in range(READS + 1):
        started = time.perf_counter()
        rows = read()
        seconds.append(time.perf_counter() - started)
        if rows != ORDERS + SMALL:
            raise SystemExit(f"{rows:,} rows were read, not {ORDERS + SMALL:,}")
    return median(seconds[1:])


def _rows_by_athena(lake: Lake) -> int:
    sql = "SELECT region, sum(sales_amount), count(sales_amount) FROM orders_silver GROUP BY region"
    return sum(int(row[2] or 0) for row in query.run(lake, sql).rows)


def _rows_by_pyiceberg(table: Table) -> int:
    rows = table.scan(selected_fields=("region", "sales_amount")).to_arrow()
    grouped = rows.group_by("region").aggregate([("sales_amount", "sum"), ("sales_amount", "count")])
    return sum(grouped["sales_amount_count"].to_pylist())

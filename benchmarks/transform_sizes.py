"""The transform of millions of orders against two other programs, and a small file onto much.

``LAKECTL_BENCH_ORDERS``: how many orders, with commas (default 1000000,5000000). The DuckDB and PyIceberg program and
ours load each size from nothing on the same endpoint; the tutorial's job is measured at up to 1M. Onto the largest
size comes one file of 10,000 new orders over 90 days, the same as onto an empty table, and one of 10,000 changed ones,
scattered over all of it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.sandbox import Figure, Settings, timed
from benchmarks.transform_lake import Ran, bench_lake, put, renumbered, run, settle
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.landing.sample_data import write_sample_data

SIZES = [int(size) for size in os.environ.get("LAKECTL_BENCH_ORDERS", "1000000,5000000").split(",")]
SMALL = 10_000
MILLION = 1_000_000
# Up to how many times the other program's time, by orders.
AGAINST_DUCKDB = {MILLION: 3.0, 5 * MILLION: 5.0}
TUTORIAL_RATIO, NEW_RATIO, UPDATE_RATIO, PEAK_MB = 2.0, 1.5, 4.0, 3000
TUTORIAL_JOB = "bench_four_reads"
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
UNTIL = date(2026, 11, 24)


@dataclass(frozen=True)
class Files:
    customers: Path
    products: Path
    orders: Path


def measure(_: Settings) -> Iterator[Figure]:
    """Nothing is warm: each of our runs starts a JVM, with the class archive."""
    with tempfile.TemporaryDirectory(prefix="lakectl-bench-") as name:
        folder = Path(name)
        small = Files(*write_sample_data(folder / "small", orders=SMALL, until=UNTIL))
        # New orders have ids that the largest size does not.
        small.orders.rename(folder / "small.csv")
        renumbered(folder / "small.csv", small.orders, max(SIZES))
        onto_nothing = min((_small_file_onto_nothing(small) for _ in range(2)), key=lambda ran: ran.seconds)
        for size in SIZES:
            files = Files(*write_sample_data(folder / str(size), orders=size, until=UNTIL))
            with bench_lake(standby=False) as (endpoint, lake):
                yield from _from_nothing(endpoint, lake, files, size)
                if size == max(SIZES):
                    yield from _onto_much(endpoint, lake, files, small, size, onto_nothing)
            files.orders.unlink()


def _small_file_onto_nothing(files: Files) -> Ran:
    """The dimensions are loaded before, as they are when it comes onto much; orders_silver is there, without a row."""
    with bench_lake(standby=False) as (endpoint, lake):
        for source in ("customers", "products"):
            put(lake, source, getattr(files, source), DAYS[0])
        _load(endpoint, lake)
        put(lake, "orders", files.orders, DAYS[1])
        return _load(endpoint, lake, rows_inserted=SMALL)


def _from_nothing(endpoint: Endpoint, lake: Lake, files: Files, size: int) -> Iterator[Figure]:
    for source in ("customers", "products", "orders"):
        put(lake, source, getattr(files, source), DAYS[0])
    other = timed([sys.executable, "-m", "benchmarks.transform_duckdb", *_places(lake)], _credentials(endpoint))
    ours = _load(endpoint, lake, rows_inserted=size)
    most = AGAINST_DUCKDB.get(size)
    yield _ratio(f"{size:,} orders from nothing", ours, "DuckDB", other, most)
    yield Figure("peak memory for it", f"{ours.peak_mb:,.0f} MB", f"< {PEAK_MB} MB", 0 < ours.peak_mb < PEAK_MB)
    if size <= MILLION:
        yield _against_the_tutorial(endpoint, lake, ours)


def _onto_much(
    endpoint: Endpoint, lake: Lake, files: Files, small: Files, size: int, onto_nothing: Ran
) -> Iterator[Figure]:
    put(lake, "orders", small.orders, DAYS[1])
    new = _load(endpoint, lake, rows_inserted=SMALL)
    other = onto_nothing.seconds
    yield _ratio(f"the same {SMALL:,} new orders onto {size:,}", new, "onto nothing", other, NEW_RATIO)
    changes = files.orders.with_name("changes.csv")
    put(lake, "orders", renumbered(files.orders, changes, 0, every=size // SMALL, most=SMALL, qty="99"), DAYS[2])
    changed = _load(endpoint, lake, rows_updated=SMALL)
    yield _ratio(f"{SMALL:,} changed orders in {size:,}", changed, "onto nothing", other, UPDATE_RATIO)


def _load(endpoint: Endpoint, lake: Lake, **counts: int) -> Ran:
    """A run over what has landed. Raises SystemExit unless it wrote ``counts`` orders, and no others."""
    path = f"s3://{lake.names.raw_bucket}/{lake.config.landing.prefix}"
    ran = run(endpoint, lake, arguments={"--RAW_PATH": path})
    settle(endpoint)
    found = ran.result["sources"].get("orders", {})
    for name in ("rows_inserted", "rows_updated", "rows_advanced", "rows_reenriched"):
        if found.get(name, 0) != counts.get(name, 0):
            raise SystemExit(f"{name} of {path}: {found.get(name, 0):,}, not {counts.get(name, 0):,}")
    return ran


def _against_the_tutorial(endpoint: Endpoint, lake: Lake, ours: Ran) -> Figure:
    job = lake.client("glue").get_job(JobName=lake.names.glue_job)["Job"]
    script = f"{job['Command']['ScriptLocation'].rpartition('/')[0]}/{TUTORIAL_JOB}.py"
    bucket, _, key = script.removeprefix("s3://").partition("/")
    lake.client("s3").upload_file(str(Path(__file__).with_name("transform_tutorial_job.py")), bucket, key)
    keep = ("Role", "DefaultArguments", "GlueVersion", "WorkerType", "NumberOfWorkers", "ExecutionProperty")
    command = {**job["Command"], "ScriptLocation": script}
    lake.client("glue").create_job(Name=TUTORIAL_JOB, Command=command, **{name: job[name] for name in keep})
    theirs = run(endpoint, lake, TUTORIAL_JOB)
    settle(endpoint)
    ratio = theirs.seconds / ours.seconds
    told = f"{ratio:.2f}x ours ({theirs.seconds:.1f} s, ours {ours.seconds:.1f} s)"
    return Figure("the tutorial's own job on the same orders", told, f">= {TUTORIAL_RATIO}x", ratio >= TUTORIAL_RATIO)


def _ratio(what: str, ours: Ran, other: str, seconds: float, most: float | None) -> Figure:
    ratio = ours.seconds / seconds
    told = f"{ratio:.2f}x ({ours.seconds:.1f} s, {other} {seconds:.1f} s)"
    return Figure(what, told, f"<= {most}x" if most else "", ratio <= most if most else None)


def _places(lake: Lake) -> list[str]:
    arguments = lake.client("glue").get_job(JobName=lake.names.glue_job)["Job"]["DefaultArguments"]
    return [arguments[f"--{name}"] for name in ("RAW_BUCKET", "SILVER_DB", "SILVER_WAREHOUSE")]


def _credentials(endpoint: Endpoint) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        "AWS_DEFAULT_REGION": endpoint.region,
    }

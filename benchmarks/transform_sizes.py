"""The transform of millions of orders against two other programs, and a small file onto much.

``LAKECTL_BENCH_ORDERS``: how many orders, with commas (default 1000000,5000000). The DuckDB and PyIceberg program and
ours load each size from nothing on the same endpoint; the tutorial's job is measured at up to 1M. Onto the largest
size comes one file of 10,000 new orders, and one of 10,000 changed ones, scattered over all of it.
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
from lakectl.ops.sample_data import write_sample_data

SIZES = [int(size) for size in os.environ.get("LAKECTL_BENCH_ORDERS", "1000000,5000000").split(",")]
SMALL = 10_000
MILLION = 1_000_000
# Up to how many times the other program's time, by orders.
AGAINST_DUCKDB = {MILLION: 3.0, 5 * MILLION: 5.0}
TUTORIAL_RATIO, NEW_RATIO, UPDATE_RATIO, PEAK_MB = 2.0, 1.5, 4.0, 3000
TUTORIAL_JOB = "bench_four_reads"
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")


@dataclass(frozen=True)
class Files:
    customers: Path
    products: Path
    orders: Path


def measure(_: Settings) -> Iterator[Figure]:
    """Nothing is warm: each of our runs starts a JVM, with the class archive."""
    with tempfile.TemporaryDirectory(prefix="lakectl-bench-") as name:
        folder = Path(name)
        onto_nothing = _small_file_onto_nothing(folder / "small")
        for size in SIZES:
            files = Files(*write_sample_data(folder / str(size), orders=size, until=date(2026, 11, 24)))
            yield from _one_size(size, files, folder, onto_nothing if size == max(SIZES) else None)
            files.orders.unlink()


def _small_file_onto_nothing(folder: Path) -> Ran:
    files = Files(*write_sample_data(folder, orders=SMALL, until=date(2026, 11, 24)))
    with bench_lake(standby=False) as (endpoint, lake):
        _put_all(lake, files)
        ran = run(endpoint, lake)  # it may have to make the class archive
        settle(endpoint)
    with bench_lake(standby=False) as (endpoint, lake):
        _put_all(lake, files)
        again = run(endpoint, lake)
    return min(ran, again, key=lambda one: one.seconds)


def _one_size(size: int, files: Files, folder: Path, onto_nothing: Ran | None) -> Iterator[Figure]:
    with bench_lake(standby=False) as (endpoint, lake):
        _put_all(lake, files)
        other = timed([sys.executable, "-m", "benchmarks.transform_duckdb", *_places(lake)], _credentials(endpoint))
        ours = run(endpoint, lake)
        settle(endpoint)
        if ours.result["rows_inserted"] != size:
            raise SystemExit(f"{ours.result['rows_inserted']} orders inserted, not {size}")
        yield _ratio(
            f"{size:,} orders from nothing", ours.seconds / other, AGAINST_DUCKDB.get(size), "DuckDB", other, ours
        )
        yield Figure("peak memory for it", f"{ours.peak_mb:,.0f} MB", f"< {PEAK_MB} MB", ours.peak_mb < PEAK_MB)
        if size <= MILLION:
            yield _against_the_tutorial(endpoint, lake, ours)
        if onto_nothing:
            yield from _onto_much(endpoint, lake, files, size, folder, onto_nothing)


def _onto_much(
    endpoint: Endpoint, lake: Lake, files: Files, size: int, folder: Path, onto_nothing: Ran
) -> Iterator[Figure]:
    put(lake, "orders", renumbered(files.orders, folder / "new.csv", size, most=SMALL), DAYS[1])
    new = run(endpoint, lake)
    settle(endpoint)
    yield _ratio(f"{SMALL:,} new orders onto {size:,}", new.seconds / onto_nothing.seconds, NEW_RATIO, "onto nothing",
                 onto_nothing.seconds, new)  # fmt: skip
    every = max(1, size // SMALL)
    put(lake, "orders", renumbered(files.orders, folder / "new.csv", 0, every=every, most=SMALL, qty="99"), DAYS[2])
    changed = run(endpoint, lake)
    what = f"{changed.result['rows_updated']:,} changed orders in {size:,}"
    yield _ratio(what, changed.seconds / onto_nothing.seconds,
                 UPDATE_RATIO, "onto nothing", onto_nothing.seconds, changed)  # fmt: skip


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


def _ratio(what: str, ratio: float, most: float | None, other: str, seconds: float, ours: Ran) -> Figure:
    told = f"{ratio:.2f}x ({ours.seconds:.1f} s, {other} {seconds:.1f} s)"
    return Figure(what, told, f"<= {most}x" if most else "", ratio <= most if most else None)


def _put_all(lake: Lake, files: Files) -> None:
    for source in ("customers", "products", "orders"):
        put(lake, source, getattr(files, source), DAYS[0])


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

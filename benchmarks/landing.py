"""Landing against `aws s3 cp` and `s5cmd` on the same endpoint: one file of 1 GB, and 1,000 small ones.

``LAKECTL_BENCH_S5CMD`` names s5cmd (default: the one on PATH). Each round runs all programs in another order; the
best round of each counts, and what was landed is deleted before the next program starts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sandbox import Figure, Settings, fresh_endpoint, lakectl, open_lake
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.resources.emptying import empty

ROUNDS = int(os.environ.get("LAKECTL_BENCH_ROUNDS", "3"))
BIG_BYTES, SMALL_FILES, SMALL_ROWS = 10**9, 1000, 30
BIG_RATIO, SMALL_RATIO, BIG_MEMORY_MB = 1.05, 1.2, 200
HEADER = b"order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
ROW = b"%010d,24/07/2025,%05d,%04d,2,147.43,web\n"
BLOCK = 20_000  # rows written at once
DAY = "2025-10-04"


@dataclass(frozen=True)
class Ran:
    seconds: float
    peak_mb: float


def measure(settings: Settings) -> Iterator[Figure]:
    """Seconds as ratios to the others', and our peak memory. Programs that are not there are left out."""
    s5cmd = os.environ.get("LAKECTL_BENCH_S5CMD") or shutil.which("s5cmd")
    with fresh_endpoint() as endpoint, tempfile.TemporaryDirectory(prefix="lakectl-bench-") as name:
        lakectl("create-buckets")
        lake, folder = open_lake(endpoint), Path(name)
        big = folder / "orders.csv"
        write_orders(big, BIG_BYTES)
        yield from _one_big(lake, endpoint, big, s5cmd, settings.aws_cli)
        big.unlink()
        (folder / "small").mkdir()
        for number in range(SMALL_FILES):
            (folder / "small" / f"{number:04d}.csv").write_bytes(HEADER + _rows(number * SMALL_ROWS, SMALL_ROWS))
        yield from _many_small(lake, endpoint, folder / "small", s5cmd)


def _one_big(lake: Lake, endpoint: Endpoint, file: Path, s5cmd: str | None, aws: Path | None) -> Iterator[Figure]:
    target = f"s3://{lake.names.raw_bucket}/retail/orders/ingest_date={DAY}/orders.csv"
    commands = {"lakectl land": [sys.executable, "-m", "lakectl", "land", str(file), "--ingest-date", DAY]}
    if aws:
        commands["aws s3 cp"] = [str(aws), "s3", "cp", "--quiet", str(file), target]
    if s5cmd:
        commands["s5cmd cp"] = [s5cmd, "--endpoint-url", endpoint.url, "cp", str(file), target]
    ran = _rounds(lake, endpoint, commands)
    yield _ratio("one file of 1 GB", ran, BIG_RATIO)
    peak = ran["lakectl land"].peak_mb
    yield Figure("peak memory for it", f"{peak:.0f} MB", f"< {BIG_MEMORY_MB} MB", peak < BIG_MEMORY_MB)


def _many_small(lake: Lake, endpoint: Endpoint, folder: Path, s5cmd: str | None) -> Iterator[Figure]:
    land = [sys.executable, "-m", "lakectl", "land", str(folder), "--source", "orders", "--batch", "auto"]
    commands = {"lakectl land": [*land, "--ingest-date", DAY]}
    if s5cmd:
        target = f"s3://{lake.names.raw_bucket}/retail/orders/ingest_date={DAY}/"
        commands["s5cmd cp"] = [s5cmd, "--endpoint-url", endpoint.url, "cp", f"{folder}/", target]
    yield _ratio(f"{SMALL_FILES:,} small files", _rounds(lake, endpoint, commands), SMALL_RATIO)


def _ratio(what: str, ran: Mapping[str, Ran], most: float) -> Figure:
    told = ", ".join(f"{name} {each.seconds:.2f} s" for name, each in ran.items())
    others = [each.seconds for name, each in ran.items() if name != "lakectl land"]
    if not others:
        return Figure(what, f"{told} (nothing to compare with: give --aws, LAKECTL_BENCH_S5CMD)")
    ratio = ran["lakectl land"].seconds / min(others)
    return Figure(what, f"{ratio:.2f}x the faster one ({told})", f"<= {most}x", ratio <= most)


def _rounds(lake: Lake, endpoint: Endpoint, commands: Mapping[str, list[str]]) -> dict[str, Ran]:
    best: dict[str, Ran] = {}
    names = list(commands)
    for number in range(ROUNDS):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            ran = _run(commands[name], endpoint)
            empty(lake.aws, lake.names.raw_bucket, "retail/orders/ingest_date=")
            before = best.get(name, ran)
            best[name] = Ran(min(before.seconds, ran.seconds), max(before.peak_mb, ran.peak_mb))
    return {name: best[name] for name in names}


def _run(command: list[str], endpoint: Endpoint) -> Ran:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        "AWS_DEFAULT_REGION": endpoint.region,
    }
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said.read()[-2000:].decode()}")
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes on macOS, KiB on Linux
    return Ran(seconds, usage.ru_maxrss * unit / 1e6)


def write_orders(path: Path, size: int) -> None:
    """An orders file of at least ``size`` bytes."""
    with path.open("wb") as out:
        written, number = out.write(HEADER), 0
        while written < size:
            written += out.write(_rows(number, BLOCK))
            number += BLOCK


def _rows(first: int, count: int) -> bytes:
    return b"".join(ROW % (n, n % 500, n % 200) for n in range(first, first + count))

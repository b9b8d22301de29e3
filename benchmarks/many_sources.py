"""A lake of 20 sources with 50 columns each: what ``plan`` takes beside the tutorial's, and how many runs load them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks.sandbox import Figure, Settings, fresh_endpoint, lakectl, open_lake
from lakectl.local.control import Endpoint

SOURCES, COLUMNS, RUNS, RATIO = 20, 50, 5, 2.0
# Type -> a text of it.
TYPES = {
    "bigint": "1",
    "int": "2",
    "double": "0.5",
    "decimal(12,2)": "3.25",
    "boolean": "true",
    "date": "2026-11-24",
    "timestamp": "2026-11-24T10:00:00",
    "string": "text",
}


def measure(_: Settings) -> Iterator[Figure]:
    """Whole processes; the fastest of some."""
    with fresh_endpoint():
        lakectl("up")
        tutorial = min(lakectl("plan") for _ in range(RUNS))
    with tempfile.TemporaryDirectory(prefix="lakectl-bench-") as name, fresh_endpoint() as endpoint:
        folder = Path(name)
        config = folder / "lake.yaml"
        config.write_text(yaml.safe_dump({"name": "wide", "sources": sources()}, sort_keys=False))
        lakectl("-c", str(config), "up")
        seconds = min(lakectl("-c", str(config), "plan") for _ in range(RUNS))
        ratio = seconds / tutorial
        told = f"{seconds:.2f} s, {ratio:.1f}x the tutorial's {tutorial:.2f} s"
        what = f"plan of {SOURCES} sources with {COLUMNS} columns each"
        yield Figure(what, told, f"at most {RATIO:.0f}x", ratio <= RATIO)
        files = [_file(folder, source) for source in sources()]
        took = lakectl("-c", str(config), "land", *files, "--wait")
        runs = _runs(endpoint, config)
        yield Figure("one landing in each, until all are in silver", f"{runs} runs, {took:.1f} s", "1 run", runs == 1)


def sources() -> dict[str, Any]:
    """Every second one looks up the one before it."""
    kinds = [*TYPES] * COLUMNS
    made: dict[str, Any] = {}
    for number in range(SOURCES):
        names = {f"c{place}": kinds[place] for place in range(COLUMNS - 1)}
        made[f"source_{number:02d}"] = {"keys": ["id"], "columns": {"id": "bigint", **names}, "starts_run": True}
        if number % 2:
            made[f"source_{number:02d}"]["lookups"] = {
                f"source_{number - 1:02d}": {"on": "c0", "take": [{"c7": "looked_up"}]}
            }
    return made


def _file(folder: Path, source: str) -> str:
    path = folder / f"{source}.csv"
    names = ["id", *(f"c{place}" for place in range(COLUMNS - 1))]
    values = [*TYPES.values()] * COLUMNS
    rows = ([str(row), *values[: COLUMNS - 1]] for row in range(1, 101))
    path.write_text("\n".join(",".join(row) for row in [names, *rows]) + "\n")
    return str(path)


def _runs(endpoint: Endpoint, config: Path) -> int:
    lake = open_lake(endpoint, config)
    return len(lake.client("glue").get_job_runs(JobName=lake.names.glue_job)["JobRuns"])

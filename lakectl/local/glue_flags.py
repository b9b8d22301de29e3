"""JVM flags by what a run may have to read.

Measured on 2 cores, where the compilers and the work share them. 8,772 rows (0.4 MB), cold, with a class archive:
C1 alone 16 s, C2 as Java does by itself 19 s. 1M rows (45 MB): C2 by itself 36 s, of which it compiles for 17 CPU
seconds; C2 with ten times its thresholds, so that it compiles only what runs long, 27 s; C1 alone 34 s. A larger
young generation and metaspace save a second of collections. The parallel collector was no faster than the serial one
and took 3.0 GB instead of 1.1 GB: it is for machines where one thread can't keep up with the others.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.local import spark_conf
from lakectl.local.glue_launch import SPARK_COMMANDS, RunSpec

SMALL_BYTES = 10_000_000  # up to here C1 alone is faster for a run that starts cold
STANDBY_BYTES = 50_000_000  # and up to here for one that finds a warm JVM, even if it reads all there is
MOST_OBJECTS = 10_000  # looked at; who has more of them has no small lake
PARALLEL_GC_CORES = 6
YOUNG_MB = 1_200

SERIAL, PARALLEL = "-XX:+UseSerialGC", "-XX:+UseParallelGC"
MEMORY = ("-XX:MetaspaceSize=256m", "-Xmn600m")
# With C1 alone Java reserves 48 MB for code. Spark fills that, and the JVM then stops compiling.
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=240m", SERIAL, *MEMORY)
# Java's own values times ten.
LATE_C2 = (
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)


def flags_for(s3: Any, spec: RunSpec) -> tuple[str, ...]:
    """For a run that starts cold. It may read all that the buckets hold that its arguments name: no more is known."""
    if spec.command_name not in SPARK_COMMANDS:
        return ()
    if holds_at_most(s3, spec, SMALL_BYTES):
        # Large enough for a small run to end without a collection. Not for a standby: it would keep the memory.
        heap_mb = spark_conf.driver_heap_mb(spec.worker_type or spark_conf.DEFAULT_WORKER_TYPE)
        return (*QUICK, f"-Xmn{min(YOUNG_MB, heap_mb // 3)}m")
    cores = _own_cores()
    # Where there are cores to spare, C2 costs the run nothing.
    return (PARALLEL, *MEMORY) if cores >= PARALLEL_GC_CORES else (SERIAL, *MEMORY, *LATE_C2)


def standby_flags() -> tuple[str, ...]:
    """For a JVM that is started before its run is known."""
    # It warms up on one core, and must not take that for all there are.
    return (*QUICK, f"-XX:ActiveProcessorCount={_own_cores()}")


def suits_standby(s3: Any, spec: RunSpec) -> bool:
    """Whether the run is better off in a warm JVM with the standby's flags than in a cold one with its own."""
    return holds_at_most(s3, spec, STANDBY_BYTES)


def _own_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def holds_at_most(s3: Any, spec: RunSpec, most_bytes: int) -> bool:
    """Whether the buckets that the arguments name hold no more than that. Unreadable ones count as empty."""
    size = count = 0
    for bucket in sorted(_named_buckets(s3, spec)):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            found = page.get("Contents", [])
            size += sum(item["Size"] for item in found)
            count += len(found)
            if size > most_bytes or count > MOST_OBJECTS:
                return False
    return True


def _named_buckets(s3: Any, spec: RunSpec) -> set[str]:
    """Buckets that an argument names, by name or by location; without those of the job's own files."""
    words = {value for name, value in spec.arguments.items() if not name.startswith(("--extra-", "--conf", "--Temp"))}
    names = {urlsplit(word).netloc if word.startswith(("s3://", "s3a://")) else word for word in words}
    try:
        return names & {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    except (ClientError, BotoCoreError):
        return set()

"""JVM flags by what a run may have to read.

Measured on 2 cores, cold, with a class archive: at 8,772 orders (0.4 MB) C1 alone takes 8-10 s and all tiers 11-12 s;
at 1M orders (45 MB) 30 s against 22 s. They meet at some 10 MB. The parallel collector was no faster than the serial
one at 1M orders and took 3.0 GB instead of 1.1 GB: it is for machines where one thread can't keep up with the others.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.local.glue_launch import SPARK_COMMANDS, RunSpec

SMALL_BYTES = 10_000_000
MOST_OBJECTS = 10_000  # looked at; who has more of them has no small lake
PARALLEL_GC_CORES = 6

SERIAL, PARALLEL = "-XX:+UseSerialGC", "-XX:+UseParallelGC"
QUICK = ("-XX:TieredStopAtLevel=1", SERIAL)


def flags_for(s3: Any, spec: RunSpec) -> tuple[str, ...]:
    """For a run that starts cold. It may read all that the buckets hold that its arguments name: no more is known."""
    if spec.command_name not in SPARK_COMMANDS:
        return ()
    return QUICK if is_small(s3, spec) else standby_flags()


def standby_flags() -> tuple[str, ...]:
    """For a JVM that is started before its run is known: all tiers, as it has the time to compile."""
    cores = os.cpu_count() or 1
    # It warms up on one core, and must not take that for all there are.
    return (PARALLEL if cores >= PARALLEL_GC_CORES else SERIAL, f"-XX:ActiveProcessorCount={_own_cores()}")


def _own_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_small(s3: Any, spec: RunSpec) -> bool:
    """Whether the buckets that the arguments name hold less than SMALL_BYTES. Unreadable ones count as empty."""
    size = count = 0
    for bucket in sorted(_named_buckets(s3, spec)):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            found = page.get("Contents", [])
            size += sum(item["Size"] for item in found)
            count += len(found)
            if size > SMALL_BYTES or count > MOST_OBJECTS:
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

"""What the landed files say, read from the bucket itself: the yardstick for what silver should hold."""

from __future__ import annotations

import gzip
from contextlib import suppress
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import explain
from lakectl.core import csv_files
from lakectl.ops.lake import Lake

# Beyond this, reading everything back costs more than the check is worth.
MAX_BYTES = 512 * 1024**2


@dataclass(frozen=True)
class LandedKeys:
    """Distinct keys of a source over all its landed files; ``count`` is ``None`` when they are too large to read."""

    source: str
    files: int
    bytes: int
    count: int | None


def landed_keys(lake: Lake, source: str) -> LandedKeys:
    """Count the distinct key values in every current landed file of ``source``."""
    s3, bucket = lake.client("s3"), lake.names.raw_bucket
    prefix = f"{lake.config.landing.prefix}{source}/"
    keys = lake.config.sources[source].keys
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        objects = [item for page in pages for item in page.get("Contents", []) if "ingest_date=" in item["Key"]]
        size = sum(item["Size"] for item in objects)
        if size > MAX_BYTES:
            return LandedKeys(source, len(objects), size, None)
        found: set[tuple[str, ...]] = set()
        for item in objects:
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            with suppress(*csv_files.GZIP_ERRORS):  # the job refuses such a file
                found |= _keys(gzip.decompress(body) if item["Key"].endswith(".gz") else body, keys)
    except (ClientError, BotoCoreError) as error:
        raise explain(error, f"reading the landed {source}") from error
    return LandedKeys(source, len(objects), size, len(found))


def _keys(body: bytes, keys: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Of a file that the job would refuse by its header: none."""
    try:
        header = csv_files.header(body)
    except ValueError:
        return set()
    positions = [header.index(key) for key in keys if key in header]
    if len(positions) != len(keys):
        return set()
    found = set()
    for line in body.splitlines()[1:]:
        with suppress(ValueError):
            row = csv_files.fields(line.decode("utf-8", "replace"))
            if len(row) == len(header):
                found.add(tuple(row[position].strip(" ") for position in positions))
    return found

"""Which keys files land under, and which batch numbers are free."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from lakectl.core.landing_key import LAST_BATCH, LandingKey, file_name, folder_of, numbered, parse
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.landing.landing_file import LandingFile
from lakectl.ops.landing.upload import Place, compare

AUTO = "auto"


def key_for(lake: Lake, file: LandingFile, ingest_date: date, batch: str | None) -> str:
    """The key that the file lands under (:mod:`lakectl.core.landing_key`)."""
    name = file_name(file.source, lake.config.spec.sources[file.source].file, compressed=file.compressed)
    return str(LandingKey(lake.config.landing.prefix, file.source, ingest_date, name, batch or ""))


def next_batch(lake: Lake, source: str, ingest_date: date) -> str:
    """The number after the highest that is taken. Raises :class:`LakectlError` when none is left."""
    return _numbered(max(_batches(lake, source, ingest_date), default=0) + 1)


def batches_for(lake: Lake, files: Sequence[LandingFile], ingest_date: date) -> list[str]:
    """Numbers for files of one source, in their order: the next free ones.

    When the newest batches are the first of these very files, the landing was interrupted: it goes on in the same
    numbers, and what is there already is not landed twice.
    """
    taken = _batches(lake, files[0].source, ingest_date)
    last = max(taken, default=0)
    first = next(
        (begin for begin in range(max(1, last - len(files) + 1), last + 1) if _fits(lake, files, taken, begin)), 0
    )
    first = first or last + 1
    return [_numbered(first + place) for place in range(len(files))]


def _numbered(number: int) -> str:
    if number > LAST_BATCH:
        raise LakectlError(f"no batch number is left on this date: {LAST_BATCH} is taken", "use another --ingest-date")
    return numbered(number)


def _batches(lake: Lake, source: str, ingest_date: date) -> dict[int, dict[str, Any]]:
    """The objects of one source and date by batch number."""
    prefix = lake.config.landing.prefix
    folder = folder_of(prefix, source, ingest_date)
    pages = (
        lake.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=lake.names.raw_bucket, Prefix=f"{folder}batch=", ExpectedBucketOwner=lake.names.account)
    )
    found: dict[int, dict[str, Any]] = {}
    for page in pages:
        for item in page.get("Contents", []):
            landed = parse(item["Key"], prefix)
            if landed and landed.batch:
                found[int(landed.batch)] = item
    return found


def _fits(lake: Lake, files: Sequence[LandingFile], taken: dict[int, dict[str, Any]], begin: int) -> bool:
    pairs = [(files[number - begin], item) for number, item in taken.items() if number >= begin]
    return all(file.size == item["Size"] for file, item in pairs) and all(_holds(lake, *pair) for pair in pairs)


def _holds(lake: Lake, file: LandingFile, item: dict[str, Any]) -> bool:
    etag = item["ETag"].strip('"')
    if "-" not in etag and hashlib.md5(file.path.read_bytes(), usedforsecurity=False).hexdigest() == etag:
        return True
    known = compare(lake.client("s3"), file, Place(lake.names.raw_bucket, item["Key"], lake.names.account))
    return known is not None and known[0]

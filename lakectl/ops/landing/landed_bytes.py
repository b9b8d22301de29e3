"""Whether bytes are in silver already, under another key: a source that appends would load their rows twice."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache

from lakectl.core.landing_key import folder_of, parse
from lakectl.core.ledger_items import Item, partition
from lakectl.core.ledger_versions import STANDING
from lakectl.ops.lake import Lake
from lakectl.ops.landing.landing_file import LandingFile
from lakectl.ops.landing.upload import Place, compare
from lakectl.ops.runs import run_log

FIELDS = ("key", "etag", "size_bytes", "load_status")


def repeated(files: Sequence[LandingFile]) -> list[tuple[LandingFile, LandingFile]]:
    """(file, the first one of its source with the same bytes) for each that is not the first. Reads none whose size no
    other one has."""
    first: dict[tuple[str, int, str], LandingFile] = {}
    sizes = Counter((file.source, file.size) for file in files)
    found = []
    for file in files:
        if sizes[file.source, file.size] > 1:
            same = first.setdefault((file.source, file.size, _digest(file, "sha256")), file)
            if same is not file:
                found.append((file, same))
    return found


class LandedBytes:
    """What has landed of each source, read once: by the run log, and of the same date also what S3 has and the run log
    has not yet. Safe to share between threads."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._recorded = cache(self._read)
        self._of_date = cache(self._list)

    def elsewhere(self, file: LandingFile, key: str) -> str:
        """Another key whose landing has the same bytes and is in silver, or on its way; ``""`` if there is none.

        An object in parts is compared by its checksum, or read; any other one by its MD5, which S3 gives as the ETag
        unless the object is encrypted with a KMS key.
        """
        recorded = self._recorded(file.source)
        standing = [item for item in recorded if item["load_status"] in STANDING]
        said = parse(key, self._lake.config.landing.prefix)
        new = self._of_date(file.source, said.ingest_date) if said else []
        alike = [item for item in (*standing, *new) if item["size_bytes"] == file.size and item["key"] != key]
        if not alike:
            return ""
        md5 = _digest(file, "md5")
        return next((item["key"] for item in alike if item["etag"] == md5 or self._in_parts(file, item)), "")

    def _in_parts(self, file: LandingFile, item: Item) -> bool:
        if "-" not in item["etag"]:
            return False
        names = self._lake.names
        known = compare(self._lake.client("s3"), file, Place(names.raw_bucket, item["key"], names.account))
        return known is not None and known[0]

    def _read(self, source: str) -> list[Item]:
        return list(run_log.items(self._lake, partition("SRC", source), fields=FIELDS))

    def _list(self, source: str, day: date) -> list[Item]:
        """The source's objects of a date that the run log does not know."""
        recorded = {(item["key"], item["etag"]) for item in self._recorded(source)}
        names = self._lake.names
        pages = (
            self._lake.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(
                Bucket=names.raw_bucket,
                Prefix=folder_of(self._lake.config.landing.prefix, source, day),
                ExpectedBucketOwner=names.account,
            )
        )
        found = [
            {"key": each["Key"], "etag": each["ETag"].strip('"'), "size_bytes": each["Size"]}
            for page in pages
            for each in page.get("Contents", [])
        ]
        return [item for item in found if (item["key"], item["etag"]) not in recorded]


def _digest(file: LandingFile, name: str) -> str:
    with file.path.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.new(name, usedforsecurity=False)).hexdigest()

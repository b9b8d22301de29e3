"""Whether bytes are in silver already, under another key: a source that appends would load their rows twice."""

from __future__ import annotations

import hashlib
from functools import cache

from lakectl.core.ledger_items import Item, partition
from lakectl.core.ledger_versions import STANDING
from lakectl.ops.lake import Lake
from lakectl.ops.landing.landing_file import LandingFile
from lakectl.ops.landing.upload import Place, compare
from lakectl.ops.runs import run_log

FIELDS = ("key", "etag", "size_bytes", "load_status")


class LandedBytes:
    """What has landed of each source, read once. Safe to share between threads."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._of = cache(self._read)

    def elsewhere(self, file: LandingFile, key: str) -> str:
        """Another key whose landing has the same bytes and is in silver, or on its way; ``""`` if there is none.

        An object in parts is compared by its checksum, or read; any other one by its MD5, which S3 gives as the ETag
        unless the object is encrypted with a KMS key.
        """
        alike = [item for item in self._of(file.source) if item["size_bytes"] == file.size and item["key"] != key]
        if not alike:
            return ""
        with file.path.open("rb") as opened:
            md5 = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        return next((item["key"] for item in alike if item["etag"] == md5 or self._in_parts(file, item)), "")

    def _in_parts(self, file: LandingFile, item: Item) -> bool:
        if "-" not in item["etag"]:
            return False
        names = self._lake.names
        known = compare(self._lake.client("s3"), file, Place(names.raw_bucket, item["key"], names.account))
        return known is not None and known[0]

    def _read(self, source: str) -> list[Item]:
        items = run_log.items(self._lake, partition("SRC", source), fields=FIELDS)
        return [item for item in items if item["load_status"] in STANDING]

"""Copies of claimed versions, where the object is another one by now: Spark can't read a version of an object.

They lie in the silver bucket under ``staging/<run id>/``. A run removes its own; maintenance removes what a run that
died has left.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from lake.files import OF_THE_OBJECT, status_of
from lake.landings import Item

PREFIX = "staging/"
_THREADS = 16


class Copies:
    """The copies of one run. ``warehouse``: ``s3://<silver bucket>/``."""

    def __init__(self, s3: Any, warehouse: str, run_id: str) -> None:
        self._s3 = s3
        self._bucket = bucket_of(warehouse)
        self._prefix = f"{PREFIX}{run_id}/"
        self._used = False

    def overwritten(self, items: Iterable[Item]) -> list[Item]:
        """Those that were read from their object, and it is gone or holds other bytes than the claimed version."""
        waiting = [item for item in items if not (item.copy or item.joined)]
        with ThreadPoolExecutor(_THREADS) as pool:
            same = list(pool.map(self._is_current, waiting))
        return [item for item, is_current in zip(waiting, same, strict=True) if not is_current]

    def make(self, items: Iterable[Item]) -> None:
        """Give each its ``copy``, on the side of S3. A landing whose version is gone gets a problem."""
        waiting = [item for item in items if not item.copy]
        self._used = self._used or bool(waiting)
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(self._copy, waiting))

    def put(self, name: str, content: bytes) -> str:
        """The path of an object of our own beside the copies."""
        self._used = True
        self._s3.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content)
        return f"s3://{self._bucket}/{self._prefix}{name}"

    def remove(self) -> None:
        """All of this run's."""
        if self._used:
            _remove(self._s3, self._bucket, self._prefix, datetime.now(UTC) + timedelta(days=1))

    def _is_current(self, item: Item) -> bool:
        landing = item.landing
        try:
            head = self._s3.head_object(Bucket=landing.bucket, Key=landing.key)
        except ClientError as error:
            if status_of(error) == 404:
                return False
            raise
        # Equal bytes under another version id are as good.
        return (head["ETag"].strip('"'), head["ContentLength"]) == (landing.etag, landing.size)

    def _copy(self, item: Item) -> None:
        landing = item.landing
        # Spark goes by the end of the name: .csv.gz.
        key = f"{self._prefix}{item.number}/{landing.key.rsplit('/', 1)[1]}"
        source = {"Bucket": landing.bucket, "Key": landing.key, "VersionId": landing.version_id}
        # Copying tags would need permissions of its own.
        more = {"TaggingDirective": "REPLACE", "CopySourceIfMatch": f'"{landing.etag}"'}
        try:
            self._s3.copy(source, self._bucket, key, ExtraArgs=more)
        except ClientError as error:
            if status_of(error) not in OF_THE_OBJECT:
                raise
            item.problems.append(f"version {landing.version_id} can't be read any more: {error}")
        else:
            item.copy = f"s3://{self._bucket}/{key}"


def bucket_of(warehouse: str) -> str:
    return warehouse.removeprefix("s3://").partition("/")[0]


def remove_old(s3: Any, warehouse: str, days: int) -> int:
    """Remove what runs that died have left for more than ``days``; returns how many objects."""
    return _remove(s3, bucket_of(warehouse), PREFIX, datetime.now(UTC) - timedelta(days=days))


def _remove(s3: Any, bucket: str, prefix: str, before: datetime) -> int:
    removed = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        keys = [{"Key": found["Key"]} for found in page.get("Contents", []) if found["LastModified"] < before]
        if keys:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            if answer.get("Errors"):
                first = answer["Errors"][0]
                raise RuntimeError(f"s3://{bucket}/{first['Key']} could not be removed: {first['Message']}")
            removed += len(keys)
    return removed

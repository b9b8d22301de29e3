"""That anybody may write to a bucket: the first thing of its data that `down` takes away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.model import Change, Data, Resource, State
from lakectl.engine.retry import until_ready
from lakectl.resources.bucket import BUCKET_BUSY, Bucket


class WriteAccess(Resource):
    """Part of a plan of `down` only. It is there until the bucket's policy denies writes, which is how it is
    destroyed: otherwise whoever still writes could fill the bucket while it is emptied.

    After a `down` that was cut short, `up` finds a statement too many in the bucket's policy, and removes it.
    """

    kind = "write-access"
    why = "Only while a lake is deleted: nobody fills a bucket while it is emptied."

    def __init__(self, bucket: Bucket, needs: tuple[str, ...]) -> None:
        super().__init__(bucket.name, step=bucket.step, needs=needs, parent=bucket.id)
        self.bucket = bucket

    def desired(self) -> Mapping[str, Any]:
        return {}

    def read(self, aws: Aws) -> State | None:
        try:
            return None if self.bucket.denies_writes(aws) else State({})
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return None
            raise

    def create(self, aws: Aws) -> None:
        until_ready(lambda: self.bucket.put_policy(aws), BUCKET_BUSY)

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        if changes:
            self.create(aws)

    def destroy(self, aws: Aws) -> None:
        try:
            until_ready(lambda: self.bucket.put_policy(aws, deny_writes=True), BUCKET_BUSY)
        except ClientError as error:
            if code_of(error) != "NoSuchBucket":
                raise


def with_write_access(resources: Sequence[Resource]) -> list[Resource]:
    """``resources`` and the write access to their buckets, in the order of a `down`: what writes, then the write
    access, then the catalog, then the buckets."""
    catalog = tuple(resource.id for resource in resources if resource.data is Data.CATALOG)
    access = [WriteAccess(resource, catalog) for resource in resources if isinstance(resource, Bucket)]
    writers = []
    for resource in resources:
        if resource.starts_writes:
            resource = copy(resource)
            resource.needs = (*resource.needs, *(each.id for each in access))
        writers.append(resource)
    return [*writers, *access]

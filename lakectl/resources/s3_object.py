"""A file of ours in a bucket: the job's script and its package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import until_ready
from lakectl.resources.bucket import BUCKET_BUSY, BUCKET_NEW, Bucket


class S3Object(Resource):
    """Compared by the SHA-256 that is kept in the object's metadata."""

    kind = "s3-object"
    idle_cost = "nothing beside its bucket"
    why = "The job's script and package. Their hash, in the metadata, tells whether they are up to date."

    def __init__(self, bucket: str, key: str, *, step: str, content: bytes) -> None:
        super().__init__(f"{bucket}/{key}", step=step, parent=Bucket.id_of(bucket))
        self.bucket = bucket
        self.key = key
        self.content = content

    def desired(self) -> Mapping[str, Any]:
        return {"sha256": hashlib.sha256(self.content).hexdigest(), "size": len(self.content)}

    def read(self, aws: Aws) -> State | None:
        try:
            head = aws.client("s3").head_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey", "NoSuchBucket"):
                return None
            raise
        # An answer without Content-Length says nothing of the size; S3's own always has it.
        size = head.get("ContentLength", len(self.content))
        return State({"sha256": head["Metadata"].get("sha256"), "size": size})

    def create(self, aws: Aws) -> None:
        until_ready(
            lambda: aws.client("s3").put_object(
                Bucket=self.bucket,
                Key=self.key,
                Body=self.content,
                Metadata={"sha256": hashlib.sha256(self.content).hexdigest()},
            ),
            BUCKET_BUSY + BUCKET_NEW,
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        if changes:
            self.create(aws)

    def destroy(self, aws: Aws) -> None:
        try:
            aws.client("s3").delete_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if code_of(error) != "NoSuchBucket":
                raise

"""A file of ours in a bucket: the job's script and its package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Expression, File, Module, Template, at
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

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:  # noqa: ARG002
        """A template holds no objects: it is uploaded into the lake's bucket once the stack is made."""
        template.files.append(File(self.key, self.content, self.bucket, self.key))

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        module.files.append(File(self.key, self.content))
        path = f'"${{local.files}}/{self.key}"'
        module.add(
            self.id,
            "aws_s3_object",
            f"{self.bucket}_{self.key}",
            {
                "bucket": at(module.main(Bucket.id_of(self.bucket)), "bucket"),
                "key": self.key,
                "source": Expression(path),
                "etag": Expression(f"filemd5({path})"),
                "metadata": {"sha256": Expression(f"filesha256({path})")},
            },
            import_id=f"{self.bucket}/{self.key}",
            needs=needs,
        )

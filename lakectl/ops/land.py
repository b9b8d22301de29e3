"""Landing files: checked before, written once, never overwritten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.config import Config
from lakectl.errors import LakectlError, UsageError
from lakectl.ops import landing_file
from lakectl.ops.lake import Lake
from lakectl.ops.landing_file import LandingFile

FIRST = ("customers", "products")  # dimensions land before the orders that name them
MAX_PUT_BYTES = 5 * 1024**3  # PutObject's limit (S3 user guide, "Uploading objects")


@dataclass(frozen=True)
class Landed:
    """One file in the bucket. ``outcome`` is ``already`` when the same bytes were there."""

    path: str
    source: str
    bucket: str
    key: str
    version_id: str | None
    size: int
    outcome: Literal["landed", "already"]


def prepare(config: Config, paths: Sequence[Path], source: str | None = None) -> list[LandingFile]:
    """Check all files before the first is sent; dimensions come first. Raises :class:`UsageError`."""
    sources = config.sources
    if source is not None and source not in sources:
        raise UsageError(f"no source is called {source!r}; known: {', '.join(sources)}")
    files = []
    for path in paths:
        name = source or landing_file.source_of(path, sources)
        files.append(landing_file.check(path, name, sources[name]))
    by_source: dict[str, Path] = {}
    for file in files:
        if file.source in by_source:
            raise UsageError(
                f"{by_source[file.source]} and {file.path} are both {file.source} of one day",
                "land them one at a time, each with its own --batch NNNN",
            )
        by_source[file.source] = file.path
    return sorted(files, key=lambda file: file.source not in FIRST)


def key_for(lake: Lake, file: LandingFile, ingest_date: date, batch: str | None) -> str:
    """``retail/orders/ingest_date=YYYY-MM-DD/[batch=NNNN/]orders.csv``"""
    folder = f"{lake.config.landing.prefix}{file.source}/ingest_date={ingest_date.isoformat()}/"
    if batch:
        folder += f"batch={batch}/"
    return f"{folder}{file.source}.csv{'.gz' if file.compressed else ''}"


def land(
    lake: Lake,
    files: Sequence[LandingFile],
    ingest_date: date,
    batch: str | None = None,
    observer: Callable[[Landed], None] = lambda _: None,
) -> list[Landed]:
    """Write each file under its key, only when nothing is there.

    The same bytes already there: fine. Other bytes: :class:`LakectlError` with the command that
    lands them as a batch of their own; what was landed before stays as it is.
    """
    landed = []
    for file in files:
        key = key_for(lake, file, ingest_date, batch)
        try:
            done = _put(lake, file, key)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "NoSuchBucket":
                raise LakectlError(
                    f"lake {lake.config.name!r} has no bucket {lake.names.raw_bucket} yet", "make it with: lakectl up"
                ) from error
            raise explain(error, f"landing {file.path}") from error
        landed.append(done)
        observer(done)
    return landed


def _put(lake: Lake, file: LandingFile, key: str) -> Landed:
    if file.size > MAX_PUT_BYTES:
        raise UsageError(f"{file.path} has {file.size:,} bytes; one put takes at most {MAX_PUT_BYTES:,}")
    s3, bucket = lake.client("s3"), lake.names.raw_bucket
    try:
        with file.path.open("rb") as body:
            answer = s3.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                ContentLength=file.size,
                ContentType="application/gzip" if file.compressed else "text/csv",
                Metadata={"sha256": file.sha256},
                IfNoneMatch="*",
                ExpectedBucketOwner=lake.names.account,
            )
    except ClientError as error:
        # 409 ConditionalRequestConflict: somebody else is writing the same key right now.
        if code_of(error) not in ("PreconditionFailed", "ConditionalRequestConflict", "412"):
            raise
        return _compare(lake, file, key)
    return Landed(str(file.path), file.source, bucket, key, answer.get("VersionId"), file.size, "landed")


def _compare(lake: Lake, file: LandingFile, key: str) -> Landed:
    bucket = lake.names.raw_bucket
    head = lake.client("s3").head_object(Bucket=bucket, Key=key)
    known = head["Metadata"].get("sha256")
    same = known == file.sha256 if known else head["ETag"].strip('"') == file.md5
    if not same or head["ContentLength"] != file.size:
        raise LakectlError(
            f"s3://{bucket}/{key} already holds other bytes, and a landed file is never overwritten",
            f"land it as a batch of its own: lakectl land {file.path} --source {file.source} --batch 0001",
        )
    return Landed(str(file.path), file.source, bucket, key, head.get("VersionId"), file.size, "already")

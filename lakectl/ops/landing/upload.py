"""Sending one file to S3 so that it is there once, whole, and never in another's place.

A small file is one conditional PutObject. A large one is a multipart upload: its parts depend on its size alone,
each bears its SHA-256, and the condition is on CompleteMultipartUpload. A part that is there already, of the same
bytes, is not sent again: a killed upload goes on where it stopped.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import IO, Any, Literal

from botocore.config import Config
from botocore.exceptions import ClientError

from lakectl.aws import code_of
from lakectl.core.landing_key import media_type
from lakectl.errors import LakectlError, UsageError
from lakectl.ops.landing.landing_file import LandingFile
from lakectl.ops.landing.lean_put import LeanPut
from lakectl.progress import Moved, unseen

MIB = 1 << 20
PART_BYTES = 8 * MIB
PARTS_AT_ONCE = 4  # each holds its part in memory
SMALL_BYTES = 64 * 1024
MEMORY_FOR_PARTS = 64 * MIB
MAX_PARTS = 10_000  # S3 user guide, "Amazon S3 multipart upload limits"
MAX_BYTES = 5 * 1024**4
PART_SIZE_KEY = "part-bytes"  # metadata: how a large object was cut, so that its checksum can be computed again
TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412")
GONE = ("NoSuchUpload", "404")


@dataclass(frozen=True)
class Place:
    """Where a file goes. ``account`` must own the bucket."""

    bucket: str
    key: str
    account: str

    @property
    def parameters(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.key, "ExpectedBucketOwner": self.account}


@dataclass(frozen=True)
class Sent:
    """The object that holds the file's bytes; ``already`` when it was there before."""

    version_id: str | None
    outcome: Literal["landed", "already"]


class Taken(LakectlError):
    """The key holds different content."""


def send(s3: Any, file: LandingFile, place: Place, progress: Moved = unseen, lean: LeanPut | None = None) -> Sent:
    """Put the file at ``place`` unless something is there; ``progress`` gets the bytes that have become safe.

    ``lean`` saves time for small files, where there is one.
    Raises :class:`Taken` when other bytes are there (nothing is changed), :class:`UsageError` when the file changed
    since it was checked or is too large, and what boto3 raises.
    """
    if file.size > MAX_BYTES:
        raise UsageError(f"{file.label} has {file.size:,} bytes; an S3 object holds at most {MAX_BYTES:,}")
    if file.size <= PART_BYTES:
        return _put(s3, file, place, progress, lean)
    return _Multipart(s3, file, place, progress).send()


def spare(s3: Any) -> None:
    """Let ``s3`` do no more for each PutObject and UploadPart than it must. Calling it again changes nothing."""
    unsigned = s3.meta.config.merge(Config(s3={**(s3.meta.config.s3 or {}), "payload_signing_enabled": False}))

    def before_sign(request: Any, **_: Any) -> None:
        # The signature covers the checksum header, and that the body. To hash the body for the signature too is
        # what botocore does without TLS only; S3 takes both ways.
        if "x-amz-checksum-sha256" in request.headers:
            request.context["client_config"] = unsigned
        # A small body need not wait for "100 Continue", which costs a round trip.
        if _length(request.data) < SMALL_BYTES:
            del request.headers["Expect"]

    for operation in ("PutObject", "UploadPart"):
        s3.meta.events.register(f"before-sign.s3.{operation}", before_sign, unique_id=f"lakectl-{operation}")


def _length(body: IO[bytes]) -> int:
    """Of what botocore made of ``bytes``; asking such a body for its buffer would copy it."""
    position = body.tell()
    length = body.seek(0, os.SEEK_END)
    body.seek(position)
    return length


def part_bytes(size: int) -> int:
    """The size of a part of a file of ``size`` bytes: 8 MiB, more only where 10,000 parts would not do."""
    least = -(-size // MAX_PARTS)
    return max(PART_BYTES, -(-least // MIB) * MIB)


def _put(s3: Any, file: LandingFile, place: Place, progress: Moved, lean: LeanPut | None) -> Sent:
    with file.path.open("rb") as opened:
        body = opened.read()
        _unchanged(file, opened, len(body))
    digest = hashlib.sha256(body)
    metadata = {"sha256": digest.hexdigest()}
    if lean is not None and len(body) < SMALL_BYTES:
        headers = lean.put(place.bucket, place.key, body, _headers(place, metadata, _text(digest)))
        if headers is not None:
            progress(file.size)
            return Sent(headers.get("x-amz-version-id"), "landed")
    try:
        answer = s3.put_object(
            **place.parameters,
            **_description(place, metadata),
            Body=body,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=_text(digest),
            IfNoneMatch="*",
        )
    except ClientError as error:
        # 409 ConditionalRequestConflict: somebody else is writing the same key right now.
        if code_of(error) not in TAKEN:
            raise
        return _there(s3, file, place, error)
    progress(file.size)
    return Sent(answer.get("VersionId"), "landed")


def _headers(place: Place, metadata: Mapping[str, str], checksum: str) -> dict[str, str]:
    """What boto3 makes of the parameters in :func:`_put`."""
    return {
        "content-type": _description(place, {})["ContentType"],
        "if-none-match": "*",
        "x-amz-checksum-sha256": checksum,
        "x-amz-expected-bucket-owner": place.account,
        "x-amz-sdk-checksum-algorithm": "SHA256",
        **{f"x-amz-meta-{name}": value for name, value in metadata.items()},
    }


class _Multipart:
    """One large file on its way."""

    def __init__(self, s3: Any, file: LandingFile, place: Place, progress: Moved) -> None:
        self.s3 = s3
        self.file = file
        self.place = place
        self.progress = progress
        self.part_bytes = part_bytes(file.size)
        self.count = -(-file.size // self.part_bytes)

    def send(self) -> Sent:
        known = compare(self.s3, self.file, self.place)
        if known is not None:
            return _settled(known, self.file, self.place)
        for attempt in (1, 2):
            with self.file.path.open("rb") as opened:
                upload_id, finished = self._begun(opened)
                try:
                    parts = self._send_parts(opened, upload_id, finished)
                    _unchanged(self.file, opened)
                    return self._complete(upload_id, parts)
                except ClientError as error:
                    if code_of(error) in TAKEN:
                        self._abort(upload_id)
                        return _there(self.s3, self.file, self.place, error)
                    # Somebody else has finished or removed the upload that we went on with.
                    if code_of(error) not in GONE:
                        raise
                    known = compare(self.s3, self.file, self.place)
                    if known is not None:
                        return _settled(known, self.file, self.place)
                    if attempt == 2:
                        raise
        raise AssertionError("unreachable")

    def _begun(self, opened: IO[bytes]) -> tuple[str, dict[int, dict[str, Any]]]:
        """An unfinished upload of these very bytes and its parts by number, or a new one."""
        pages = self.s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.place.bucket, Prefix=self.place.key, ExpectedBucketOwner=self.place.account
        )
        begun = [
            (upload["UploadId"], self._parts(upload["UploadId"]))
            for page in pages
            for upload in page.get("Uploads", [])
            if upload["Key"] == self.place.key and upload.get("ChecksumAlgorithm", "SHA256") == "SHA256"
        ]
        for upload_id, listed in sorted(begun, key=lambda each: -len(each[1])):
            finished = self._verified(opened, listed)
            if finished is not None:
                self.progress(sum(part["Size"] for part in listed), found=True)
                return upload_id, finished
        answer = self.s3.create_multipart_upload(
            **self.place.parameters,
            **_description(self.place, {PART_SIZE_KEY: str(self.part_bytes)}),
            ChecksumAlgorithm="SHA256",
        )
        return str(answer["UploadId"]), {}

    def _parts(self, upload_id: str) -> list[dict[str, Any]]:
        pages = self.s3.get_paginator("list_parts").paginate(**self.place.parameters, UploadId=upload_id)
        try:
            return [part for page in pages for part in page.get("Parts", [])]
        except ClientError as error:
            if code_of(error) not in GONE:
                raise
            return []

    def _verified(self, opened: IO[bytes], listed: list[dict[str, Any]]) -> dict[int, dict[str, Any]] | None:
        """The listed parts for CompleteMultipartUpload, or None when one is not of this file."""
        finished = {}
        for part in listed:
            number = part["PartNumber"]
            if number > self.count:
                return None
            body = self._read(opened, number)
            digest = hashlib.sha256(body)
            sums = part.get("ChecksumSHA256"), part["ETag"].strip('"')
            # An endpoint that lists no checksums still lists the part's MD5, which is its ETag unless KMS encrypts.
            same = sums[0] == _text(digest) if sums[0] else sums[1] == _md5(body)
            if part["Size"] != len(body) or not same:
                return None
            finished[number] = {"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": _text(digest)}
        return finished

    def _send_parts(
        self, opened: IO[bytes], upload_id: str, finished: Mapping[int, dict[str, Any]]
    ) -> list[dict[str, Any]]:
        def one(number: int) -> dict[str, Any]:
            body = self._read(opened, number)
            checksum = _text(hashlib.sha256(body))
            answer = self.s3.upload_part(
                **self.place.parameters,
                UploadId=upload_id,
                PartNumber=number,
                Body=body,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
            )
            self.progress(len(body))
            return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

        parts = dict(finished)
        missing = [number for number in range(1, self.count + 1) if number not in parts]
        workers = max(1, min(PARTS_AT_ONCE, MEMORY_FOR_PARTS // self.part_bytes))
        for part in in_parallel(one, missing, workers):
            parts[part["PartNumber"]] = part
        return [parts[number] for number in sorted(parts)]

    def _read(self, opened: IO[bytes], number: int) -> bytes:
        start = (number - 1) * self.part_bytes
        length = min(self.part_bytes, self.file.size - start)
        body = os.pread(opened.fileno(), length, start)
        if len(body) != length:
            raise _changed(self.file)
        return body

    def _complete(self, upload_id: str, parts: list[dict[str, Any]]) -> Sent:
        answer = self.s3.complete_multipart_upload(
            **self.place.parameters,
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},
            MpuObjectSize=self.file.size,
            IfNoneMatch="*",
        )
        return Sent(answer.get("VersionId"), "landed")

    def _abort(self, upload_id: str) -> None:
        try:
            self.s3.abort_multipart_upload(**self.place.parameters, UploadId=upload_id)
        except ClientError as error:
            if code_of(error) not in GONE:
                raise


def in_parallel(work: Callable[[Any], Any], items: Any, workers: int) -> Iterator[Any]:
    """``work`` of each item, as they end. The first error stops what has not begun, and is raised."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="land")
    running: set[Future[Any]] = set()
    try:
        for item in items:
            running.add(pool.submit(work, item))
            if len(running) >= 2 * workers:  # so that a million files are not a million futures
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield future.result()
        while running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def compare(s3: Any, file: LandingFile, place: Place) -> tuple[bool, str | None] | None:
    """(are the bytes at ``place`` the file's?, version id), or None when nothing is there.

    By a checksum that both have; where there is none (another program landed it), by reading the object.
    """
    try:
        head = s3.head_object(**place.parameters, ChecksumMode="ENABLED")
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchKey"):
            return None
        raise
    return _same_bytes(s3, file, place, head), head.get("VersionId")


def _same_bytes(s3: Any, file: LandingFile, place: Place, head: Mapping[str, Any]) -> bool:
    if head["ContentLength"] != file.size:
        return False
    etag, metadata, checksum = head["ETag"].strip('"'), head["Metadata"], head.get("ChecksumSHA256", "")
    in_parts = "-" in etag
    if checksum and not in_parts:
        return bool(checksum == _text(_digest(file)))
    if checksum and metadata.get(PART_SIZE_KEY, "").isdigit():
        return bool(checksum.split("-")[0] == _text(_digest_of_parts(file, int(metadata[PART_SIZE_KEY]))))
    if metadata.get("sha256"):
        return bool(metadata["sha256"] == _digest(file).hexdigest())
    if not in_parts and head.get("ServerSideEncryption") != "aws:kms" and len(etag) == 32:
        return bool(etag == _digest(file, "md5").hexdigest())
    answer = s3.get_object(**place.parameters, IfMatch=head["ETag"])
    with file.path.open("rb") as opened:
        return all(chunk == opened.read(len(chunk)) for chunk in answer["Body"].iter_chunks(MIB))


def _there(s3: Any, file: LandingFile, place: Place, error: ClientError) -> Sent:
    """What a refused conditional write means."""
    known = compare(s3, file, place)
    if known is None:
        raise LakectlError(
            f"s3://{place.bucket}/{place.key} was being written or deleted by somebody else ({code_of(error)})",
            "run the same command again",
        ) from error
    return _settled(known, file, place)


def _settled(known: tuple[bool, str | None], file: LandingFile, place: Place) -> Sent:
    same, version_id = known
    if not same:
        name = f"s3://{place.bucket}/{place.key}"
        raise Taken(f"{file.label}: {name} holds different content; a landed file is never overwritten")
    return Sent(version_id, "already")


def _description(place: Place, metadata: dict[str, str]) -> dict[str, Any]:
    return {"ContentType": media_type(place.key), "Metadata": metadata}


def _unchanged(file: LandingFile, opened: IO[bytes], length: int | None = None) -> None:
    stat = os.fstat(opened.fileno())
    if (stat.st_size, stat.st_mtime_ns) != (file.size, file.mtime_ns) or length not in (None, file.size):
        raise _changed(file)


def _changed(file: LandingFile) -> UsageError:
    return UsageError(f"{file.label} changed while it was landed; nothing of it is in the lake", "land it again")


def _digest(file: LandingFile, algorithm: str = "sha256") -> Any:
    with file.path.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.new(algorithm, usedforsecurity=False))


def _digest_of_parts(file: LandingFile, size: int) -> Any:
    """S3's checksum of checksums: SHA-256 over the parts' SHA-256."""
    whole = hashlib.sha256()
    with file.path.open("rb") as opened:
        left = file.size
        while left > 0:
            part, take = hashlib.sha256(), min(size, left)
            left -= take
            while take > 0 and (chunk := opened.read(min(MIB, take))):
                part.update(chunk)
                take -= len(chunk)
            if take:
                raise _changed(file)
            whole.update(part.digest())
    return whole


def _text(digest: Any) -> str:
    return base64.b64encode(digest.digest()).decode()


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()

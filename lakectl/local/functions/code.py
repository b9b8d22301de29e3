"""Deployment packages: where the bytes come from, whether Lambda takes them, and their unpacked folder.

Limits: Lambda developer guide, "Lambda quotas". https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import base64
import binascii
import compileall
import hashlib
import io
import shutil
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lakectl.local.functions.errors import Refused, invalid, unsupported

MAX_UNZIPPED = 262_144_000
MAX_ZIPPED = 52_428_800  # in the request itself
TOO_LARGE = f"Unzipped size must be smaller than {MAX_UNZIPPED} bytes"
COMPILED_BYTES = 1 << 20  # of source; more takes seconds
NO_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."


def read(spec: Mapping[str, Any], s3: Any) -> bytes:
    """The zip that ``Code``, ``Content`` or UpdateFunctionCode names. Raises Refused."""
    if spec.get("ImageUri"):
        raise unsupported("a function of a container image (PackageType Image)")
    if spec.get("ZipFile") is not None:
        try:
            data = binascii.a2b_base64(spec["ZipFile"], strict_mode=True)  # b64decode would copy up to 67 MB first
        except (binascii.Error, ValueError, TypeError):
            raise invalid(NO_ZIP) from None
        if len(data) > MAX_ZIPPED:
            raise Refused("RequestEntityTooLargeException", f"Zipped size must be smaller than {MAX_ZIPPED} bytes")
    elif spec.get("S3Bucket") and spec.get("S3Key"):
        data = _from_s3(spec, s3)
    else:
        raise invalid("Please provide a source for function code.")
    unzipped_bytes(data)
    return data


def _from_s3(spec: Mapping[str, Any], s3: Any) -> bytes:
    where = {"Bucket": spec["S3Bucket"], "Key": spec["S3Key"]}
    if spec.get("S3ObjectVersion"):
        where["VersionId"] = spec["S3ObjectVersion"]
    try:
        # Before the object is read into memory.
        if s3.head_object(**where)["ContentLength"] > MAX_UNZIPPED:
            raise invalid(TOO_LARGE)
        data: bytes = s3.get_object(**where)["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        code = {"404": "NoSuchKey", "403": "AccessDenied"}.get(code, code)
        message = error.response["Error"]["Message"]
        if code == "NoSuchKey":
            message = "The specified key does not exist."
        raise invalid(f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}") from None
    return data


def unzipped_bytes(data: bytes) -> int:
    """The size of what is in a zip. Raises Refused when it is none, or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise invalid(NO_ZIP) from None
    if size > MAX_UNZIPPED:
        raise invalid(TOO_LARGE)
    return size


def sha256_base64(data: bytes) -> str:
    """As ``CodeSha256`` has it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def unpack(zips: Sequence[Path], cache: Path) -> Path:
    """The folder with one or more unpacked zips, the later over the earlier. Unpacked once; two callers at once both
    get a complete folder."""
    name = zips[0].stem if len(zips) == 1 else hashlib.sha256("".join(each.stem for each in zips).encode()).hexdigest()
    target = cache / name
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        draft = cache / f".{name}.{uuid.uuid4().hex}"
        draft.mkdir()
        for each in zips:
            with zipfile.ZipFile(each) as archive:
                archive.extractall(draft)
        # Its processes can't write where their code is, so that each would compile it anew.
        if sum(path.stat().st_size for path in draft.rglob("*.py")) <= COMPILED_BYTES:
            compileall.compile_dir(draft, quiet=2)
        try:
            draft.rename(target)
        except OSError:
            if not target.is_dir():
                raise
            shutil.rmtree(draft)
    return target

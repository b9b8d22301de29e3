"""What the loaded landings say, read from the raw bucket itself: the yardstick for what silver should hold."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.core import csv_files
from lakectl.core.ledger_items import Entry
from lakectl.core.values import clean, value_of
from lakectl.ops import query
from lakectl.ops import runs as run_log
from lakectl.ops.lake import Lake
from lakectl.spec.model import SourceSpec

# Beyond this, reading everything back costs more than the check is worth.
MAX_BYTES = 512 * 1024**2
AT_ONCE = 8
REJECTED = "orders_rejected"

Keys = Counter[Hashable]
Version = tuple[str, str]  # (s3://bucket/key, version id)


@dataclass(frozen=True)
class LandedKeys:
    """Distinct keys of a source over its loaded landings, compared as typed values.

    Silver must hold between ``least`` and ``most``. They differ where all rows of a key were quarantined: a landing
    that is loaded again under another policy may have brought them in later. ``problem`` says why the keys could not
    be counted; then both are 0.
    """

    landings: int
    least: int = 0
    most: int = 0
    problem: str = ""


class _Unreadable(Exception):
    """Why a landing can't be read any more."""


def loaded_keys(lake: Lake, source: str) -> LandedKeys:
    """Count the keys of every landing of ``source`` that is loaded and was not rolled back.

    Raises :class:`LakectlError` when the run log or the bucket can't be read at all.
    """
    landings = [run for run in run_log.runs(lake, source) if run.load_status == "LOADED"]
    size = sum(run.size for run in landings)
    if size > MAX_BYTES:
        return LandedKeys(len(landings), problem=f"the landed files are too large to count ({size:,} bytes)")
    described = lake.config.sources[source]
    rejected = _rejected(lake, source, described) if landings else {}
    sure: set[Hashable] = set()
    possible: set[Hashable] = set()
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for run, keys in zip(landings, pool.map(lambda run: _read(lake, run, described), landings), strict=True):
                aside = rejected.get((f"s3://{run.bucket}/{run.key}", run.version_id or "null"), Counter())
                possible.update(keys)
                sure.update(keys - aside)
    except _Unreadable as error:
        return LandedKeys(len(landings), problem=str(error))
    except (ClientError, BotoCoreError) as error:
        raise explain(error, f"reading the landed {source}") from error
    return LandedKeys(len(landings), len(sure), len(possible))


def _read(lake: Lake, run: Entry, source: SourceSpec) -> Keys:
    """key -> rows of it, in the version that was loaded."""
    name, version = f"s3://{run.bucket}/{run.key}", run.version_id or "null"
    asked = {} if version == "null" else {"VersionId": version}
    try:
        found = lake.client("s3").get_object(Bucket=run.bucket, Key=run.key, **asked)
    except ClientError as error:
        if code_of(error) in ("NoSuchKey", "NoSuchVersion"):
            raise _Unreadable(f"{name} is loaded, but version {version} has been deleted") from error
        raise
    if found["ETag"].strip('"') != run.etag:
        raise _Unreadable(f"{name} is loaded, but was overwritten in a bucket without versions")
    body = io.BytesIO(found["Body"].read())
    try:
        return Counter(_keys(gzip.GzipFile(fileobj=body) if run.key.endswith(".gz") else body, source))
    except (ValueError, *csv_files.GZIP_ERRORS) as error:
        raise _Unreadable(f"{name} is loaded, but can't be read as CSV: {error}") from error


def _keys(stream: Any, source: SourceSpec) -> Iterator[Hashable]:
    """The key of each row that silver may have. Raises ValueError when the file has no header."""
    lines = csv_files.lines(stream)
    header = csv_files.header(next(lines, b""))
    texts = [
        place for place, name in enumerate(header) if name in source.by_name and source.by_name[name].type == "string"
    ]
    for line in lines:
        with suppress(ValueError):  # a broken row
            row = csv_files.fields(line.decode("utf-8", "replace"))
            if len(row) == len(header) and not any(csv_files.REPLACEMENT in row[place] for place in texts):
                key = key_of(dict(zip(header, row, strict=True)), source)
                if key is not None:
                    yield key


def _rejected(lake: Lake, source: str, described: SourceSpec) -> Mapping[Version, Keys]:
    """Version -> key -> rows of it that were quarantined. Broken rows are no keys to begin with."""
    database = lake.names.silver_database
    try:
        lake.client("glue").get_table(DatabaseName=database, Name=REJECTED)
    except ClientError as error:
        if code_of(error) == "EntityNotFoundException":
            return {}
        raise explain(error, f"reading {database}.{REJECTED}") from error
    found: dict[Version, Keys] = defaultdict(Counter)
    sql = (
        f"SELECT source_file, source_version, row_text, occurrences FROM {database}.{REJECTED} "  # noqa: S608
        f"WHERE source = '{source}' AND reason <> 'broken_rows'"
    )
    for file, version, text, occurrences in query.run(lake, sql).rows:
        key = key_of(json.loads(text or "{}"), described)
        if key is not None:
            found[file or "", version or ""][key] += int(occurrences or 0)
    return found


# ---- keys as typed values


def key_of(row: Mapping[str, str], source: SourceSpec) -> Hashable | None:
    """The row's key, one value or a tuple, equal for texts that the job reads as the same (``007`` and ``7``).

    None when a part of it is missing or can't be read.
    """
    columns = [source.by_name[name] for name in source.keys]
    texts = [clean(row.get(column.name), column, source.file.nulls) for column in columns]
    parts = [None if text is None else value_of(text, column) for text, column in zip(texts, columns, strict=True)]
    if None in parts:
        return None
    return tuple(parts) if len(parts) > 1 else parts[0]

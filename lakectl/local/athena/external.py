"""External tables: files under a prefix of S3, read as the table's SerDe says.

https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html and
https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterator
from typing import Any

from lakectl.local.athena import many_objects
from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_csv import CsvSource
from lakectl.local.athena.external_files import Landed
from lakectl.local.athena.external_json import JsonSource
from lakectl.local.athena.external_parquet import ParquetSource

SERDES: dict[str, Any] = {kind.LIBRARY: kind for kind in (CsvSource, JsonSource, ParquetSource)}
_DATE = r"\d{4}-\d\d-\d\d"
_NOW = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*(DAY|WEEK|MONTH|YEAR)S?)?", re.I)
# Of codecs that Hadoop unpacks by a file's name, gzip is the one that is read here.
_PACKED = (".bz2", ".snappy", ".lz4", ".zst", ".deflate", ".lzo")


def source(entry: dict[str, Any], access: Access, label: str) -> CsvSource | JsonSource | ParquetSource:
    """The table that a Glue entry describes. Raises QueryError for what the local Athena can't read."""
    storage, parameters = entry.get("StorageDescriptor", {}), entry.get("Parameters", {})
    serde = storage.get("SerdeInfo", {})
    library, settings = serde.get("SerializationLibrary", ""), dict(serde.get("Parameters", {}))
    kind = SERDES.get(library)
    if kind is None:
        raise _unsupported(label, f"its SerDe is {library or 'not set'}; read are {', '.join(SERDES)}")
    settings.pop("serialization.format", None)  # of writing
    columns = {column["Name"].lower(): column.get("Type", "string").lower() for column in storage.get("Columns", [])}
    wrong = kind.refusal(columns, settings)
    if wrong:
        raise _unsupported(label, wrong)
    keys = [key["Name"].lower() for key in entry.get("PartitionKeys", [])]
    root = storage.get("Location", "").rstrip("/") + "/"
    found = {path: (etag, size) for path, etag, size in _files(access, root)}
    partition, files, at = None, list(found), 0
    if keys:
        partition = _projected(keys, parameters, label)
        at, files = _in_range(files, partition, root, parameters, label)
    packed = next((file for file in files if file.endswith(_PACKED)), None)
    if packed:
        raise _unsupported(label, f"{packed} is packed otherwise than with gzip")
    landed = Landed(label, access, columns, partition, {file: found[file] for file in files}, at)
    made: CsvSource | JsonSource | ParquetSource = kind(landed, settings, parameters)
    return made


def _files(access: Access, root: str) -> Iterator[tuple[str, str, int]]:
    """Path, ETag and size of every file under ``root``, subfolders too; Athena sees neither empty ones nor ``_x`` and
    ``.x``."""
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    for key, etag, size in many_objects.listing(access, bucket, prefix):
        if size and not any(part.startswith(("_", ".")) for part in key.removeprefix(prefix).split("/")):
            yield f"s3://{bucket}/{key}", etag, size


def _projected(keys: list[str], parameters: dict[str, str], label: str) -> str:
    """The one partition column, of projection type date."""
    projected = parameters.get("projection.enabled", "").lower() == "true"
    kind = parameters.get(f"projection.{keys[0]}.type", "").strip().lower()
    pattern = parameters.get(f"projection.{keys[0]}.format", "")
    if len(keys) != 1 or not projected or kind != "date" or pattern != "yyyy-MM-dd":
        raise _unsupported(label, "only one partition column, projected as a date yyyy-MM-dd, is read")
    return keys[0]


def _in_range(
    files: list[str], partition: str, root: str, parameters: dict[str, str], label: str
) -> tuple[int, list[str]]:
    """Where the date begins in a path, and the files whose date the projection's range holds."""
    template = parameters.get("storage.location.template", f"{root}{partition}=${{{partition}}}/")
    before, mark, after = template.partition(f"${{{partition}}}")
    if not mark or not before.startswith(root):
        raise _unsupported(label, f"storage.location.template {template} does not lie below {root}")
    low, _, high = parameters.get(f"projection.{partition}.range", "").partition(",")
    first, last = _bound(low, label), _bound(high, label)
    shape = re.compile(f"{re.escape(before)}({_DATE}){re.escape(after.rstrip('/'))}/")
    dated = ((file, found[1]) for file in files if (found := shape.match(file)))
    return len(before), [file for file, date in dated if first <= date <= last]


def _bound(text: str, label: str) -> str:
    """``2020-01-01`` or ``NOW+1YEARS`` as a date."""
    text = text.strip()
    if re.fullmatch(_DATE, text):
        return text
    found = _NOW.fullmatch(text)
    if not found:
        raise _unsupported(label, f"{text!r} is no bound of a projected range")
    today = datetime.datetime.now(datetime.UTC).date()
    if not found[1]:
        return today.isoformat()
    count, unit = int(found[1] + found[2]), found[3].upper()
    if unit in ("DAY", "WEEK"):
        return (today + datetime.timedelta(days=count * (7 if unit == "WEEK" else 1))).isoformat()
    month = today.year * 12 + today.month - 1 + count * (12 if unit == "YEAR" else 1)
    year, month = month // 12, month % 12 + 1
    return today.replace(year=year, month=month, day=min(today.day, calendar.monthrange(year, month)[1])).isoformat()


def _unsupported(label: str, why: str) -> QueryError:
    return QueryError("NOT_SUPPORTED", f"the local Athena can't read {label}: {why}")

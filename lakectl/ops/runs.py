"""Reading the run log. Writing it is the Lambdas' and the job's business (``lambdas/shared/ledger.py``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake

_DESERIALIZE = TypeDeserializer().deserialize


@dataclass(frozen=True)
class Run:
    """One landing in the run log. ``size`` in bytes, ``ingest_ts`` ISO 8601 UTC."""

    source: str
    ingest_ts: str
    status: str
    load_status: str
    bucket: str
    key: str
    version_id: str | None
    size: int
    etag: str
    run_id: str
    item: dict[str, Any]


def runs(lake: Lake, source: str | None = None) -> Iterator[Run]:
    """The run log, newest first within each source; pages through any size.

    Raises :class:`LakectlError` when the table is not there.
    """
    dynamodb = lake.client("dynamodb")
    sources = [source] if source else list(lake.config.sources)
    try:
        for name in sources:
            pages = dynamodb.get_paginator("query").paginate(
                TableName=lake.names.run_log,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues={":pk": {"S": f"SRC#{name}"}, ":sk": {"S": "INGEST#"}},
                ScanIndexForward=False,
                ConsistentRead=True,
            )
            for page in pages:
                for raw in page["Items"]:
                    yield _run({key: _DESERIALIZE(value) for key, value in raw.items()})
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "ResourceNotFoundException":
            raise LakectlError(f"there is no run log {lake.names.run_log}", "make it with: lakectl up") from error
        raise explain(error, "reading the run log") from error


def _run(item: dict[str, Any]) -> Run:
    return Run(
        source=item["source"],
        ingest_ts=item["ingest_ts"],
        status=item["status"],
        load_status=item.get("load_status", ""),
        bucket=item["bucket"],
        key=item["key"],
        version_id=item.get("version_id"),
        size=int(item.get("size_bytes") or 0),
        etag=item.get("etag", ""),
        run_id=item.get("run_id", ""),
        item=item,
    )

"""What a lake costs while nothing happens, and for each run: estimates, by the price table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl import prices
from lakectl.aws import explain
from lakectl.glue_versions import LEAST_BILLED_S
from lakectl.ops.lake import Lake

MOST_LISTED = 10_000  # versions of objects in each bucket
_GONE = frozenset(("NoSuchBucket", "ResourceNotFoundException"))


@dataclass(frozen=True)
class Estimate:
    """US dollars. ``idle_month``: for what is there whatever it holds; ``gb_month``: for each gigabyte in S3;
    ``first_minute``: the least that a run costs; ``daily_month``: one such run a day. ``prices_of``: the date of the
    prices."""

    idle_month: float
    gb_month: float
    first_minute: float
    daily_month: float
    prices_of: str = prices.AS_OF
    region: str = prices.REGION

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Stored:
    """Bytes that are paid for by the month; of buckets with older versions. ``partial``: a bucket holds more than was
    looked at."""

    buckets: int
    run_log: int
    logs: int
    backed_up: bool
    partial: bool

    @property
    def month(self) -> float:
        log = prices.DYNAMODB_GB_MONTH + (prices.DYNAMODB_BACKUP_GB_MONTH if self.backed_up else 0)
        sizes = ((self.buckets, prices.S3_GB_MONTH), (self.run_log, log), (self.logs, prices.LOGS_GB_MONTH))
        return sum(size / prices.GB * price for size, price in sizes)


def estimate(lake: Lake) -> Estimate:
    """Of the configuration; nothing is read."""
    glue = lake.config.glue
    minute = glue.workers * glue.dpu_per_worker * LEAST_BILLED_S / 3600 * glue.usd_per_dpu_hour
    idle = sum(resource.idle_usd for resource in lake.resources)
    return Estimate(round(idle, 4), prices.S3_GB_MONTH, round(minute, 4), round(30 * minute, 4))


def sentence(lake: Lake) -> str:
    """:func:`estimate` for people."""
    found, glue = estimate(lake), lake.config.glue
    fixed = f"{prices.usd(found.idle_month)} a month and " if found.idle_month else ""
    return (
        f"Idle it costs {fixed}{found.gb_month} USD a month for each GB in S3. "
        f"A run of the job costs {found.first_minute:.3f} USD for its first minute "
        f"({glue.workers} x {glue.worker_type}), one a day at least {found.daily_month:.2f} a month. "
        f"(Prices of {found.prices_of}, {found.region}.)"
    )


def stored(lake: Lake) -> Stored:
    """What is there now. Raises :class:`LakectlError` for what may not be read."""
    try:
        sizes = [
            _bucket(lake, name) for name in (lake.names.raw_bucket, lake.names.silver_bucket, lake.names.tmp_bucket)
        ]
        run_log = _run_log(lake)
        logs = sum(_logs(lake, group) for group in _groups(lake))
    except (ClientError, BotoCoreError) as error:
        raise explain(error, "measuring what the lake holds") from error
    backed_up = lake.config.run_log.point_in_time_recovery
    return Stored(sum(size for size, _ in sizes), run_log, logs, backed_up, any(partial for _, partial in sizes))


def _bucket(lake: Lake, name: str) -> tuple[int, bool]:
    size = count = 0
    try:
        for page in lake.client("s3").get_paginator("list_object_versions").paginate(Bucket=name):
            found = page.get("Versions", [])
            size, count = size + sum(each["Size"] for each in found), count + len(found)
            if count > MOST_LISTED:
                return size, True
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
    return size, False


def _run_log(lake: Lake) -> int:
    """AWS counts it about every six hours."""
    try:
        table = lake.client("dynamodb").describe_table(TableName=lake.names.run_log)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        return 0
    return int(table.get("TableSizeBytes") or 0)


def _groups(lake: Lake) -> list[str]:
    return [resource.name for resource in lake.resources if resource.kind == "log-group"]


def _logs(lake: Lake, name: str) -> int:
    pages = lake.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    found = (group for page in pages for group in page["logGroups"] if group["logGroupName"] == name)
    return sum(int(group.get("storedBytes") or 0) for group in found)

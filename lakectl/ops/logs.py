"""Reading CloudWatch Logs of the lake's functions and job."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake

FOLLOW_POLL_S = 1.0
# Lines of one moment may reach CloudWatch some seconds apart, so a follower reads the last ones again.
LATE_MS = 15_000


@dataclass(frozen=True)
class LogLine:
    """``timestamp`` in milliseconds since 1970, UTC."""

    timestamp: int
    group: str
    stream: str
    message: str
    id: str = field(default="", repr=False)


def groups(lake: Lake, which: str) -> list[str]:
    """The log groups of ``log``, ``start``, ``glue`` or ``maintenance``."""
    names = lake.names
    return {
        "log": [names.lambda_log_group(names.log_function)],
        "start": [names.lambda_log_group(names.start_function)],
        "glue": [f"{names.glue_log_prefix}/output", f"{names.glue_log_prefix}/error"],
        "maintenance": [f"{names.maintenance_log_prefix}/output", f"{names.maintenance_log_prefix}/error"],
    }[which]


def lines(lake: Lake, which: str, since_ms: int = 0) -> Iterator[LogLine]:
    """The lines since ``since_ms``, oldest first, as they are read. Raises :class:`LakectlError`."""
    streams = [_group_lines(lake, group, since_ms) for group in groups(lake, which)]
    return heapq.merge(*streams, key=lambda line: line.timestamp)


def follow(lake: Lake, which: str, since_ms: int = 0) -> Iterator[LogLine]:
    """The lines since ``since_ms``, and then the new ones as they come, without an end."""
    shown: dict[str, int] = {}
    while True:
        for line in lines(lake, which, since_ms):
            if line.id not in shown:
                shown[line.id] = line.timestamp
                yield line
        if shown:
            since_ms = max(since_ms, max(shown.values()) - LATE_MS)
            shown = {key: moment for key, moment in shown.items() if moment >= since_ms}
        time.sleep(FOLLOW_POLL_S)


def _group_lines(lake: Lake, group: str, since_ms: int) -> Iterator[LogLine]:
    try:
        # Interleaved = in order over all streams. AWS always does so now, others when they are asked.
        pages = (
            lake.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=group, startTime=since_ms, interleaved=True)
        )
        for page in pages:
            for event in page["events"]:
                yield LogLine(
                    event["timestamp"],
                    group,
                    event["logStreamName"],
                    event["message"].rstrip("\n"),
                    f"{group}/{event['eventId']}",
                )
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "ResourceNotFoundException":
            raise LakectlError(f"there is no log group {group}", "make it with: lakectl up") from error
        raise explain(error, f"reading {group}") from error


class LogTail:
    """The lines of one stream as they come. A stream that is not there yet has no lines."""

    def __init__(self, lake: Lake, group: str, stream: str) -> None:
        self._logs = lake.client("logs")
        self._where: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
        self._token: str | None = None

    def new_lines(self) -> Iterator[str]:
        """What has come since the last call. Raises :class:`LakectlError` when AWS says no."""
        while True:
            token = {"nextToken": self._token} if self._token else {}
            try:
                page = self._logs.get_log_events(**self._where, **token)
            except (ClientError, BotoCoreError) as error:
                if code_of(error) == "ResourceNotFoundException":
                    return
                raise explain(error, f"reading {self._where['logGroupName']}") from error
            for event in page["events"]:
                yield event["message"].rstrip("\n")
            # The same token twice = the end for now (GetLogEvents, API reference).
            if page["nextForwardToken"] == self._token or not page["events"]:
                self._token = page["nextForwardToken"]
                return
            self._token = page["nextForwardToken"]

"""Reading CloudWatch Logs of the lake's functions and job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake


@dataclass(frozen=True)
class LogLine:
    """``timestamp`` in milliseconds since 1970, UTC."""

    timestamp: int
    group: str
    stream: str
    message: str


def groups(lake: Lake, which: str) -> list[str]:
    """The log groups of ``log``, ``start`` or ``glue``."""
    names = lake.names
    return {
        "log": [names.lambda_log_group(names.log_function)],
        "start": [names.lambda_log_group(names.start_function)],
        "glue": [f"{names.glue_log_prefix}/output", f"{names.glue_log_prefix}/error"],
    }[which]


def lines(lake: Lake, which: str, since_ms: int = 0) -> list[LogLine]:
    """All lines since ``since_ms``, oldest first. Raises :class:`LakectlError` when a group is not there."""
    found: list[LogLine] = []
    for group in groups(lake, which):
        found += _group_lines(lake, group, since_ms)
    return sorted(found, key=lambda line: line.timestamp)


def _group_lines(lake: Lake, group: str, since_ms: int) -> Iterator[LogLine]:
    try:
        pages = lake.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since_ms)
        for page in pages:
            for event in page["events"]:
                yield LogLine(event["timestamp"], group, event["logStreamName"], event["message"].rstrip("\n"))
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

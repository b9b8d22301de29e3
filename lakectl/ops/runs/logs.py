"""Reading CloudWatch Logs of the lake's functions and job."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Mapping
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
                    f"{group}/{_id_of(event)}",
                )
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "ResourceNotFoundException":
            raise LakectlError(f"there is no log group {group}", "make it with: lakectl up") from error
        raise explain(error, f"reading {group}") from error


def _id_of(event: Mapping[str, Any]) -> str:
    """ministack gives events no id."""
    return str(event.get("eventId") or (event["logStreamName"], event["timestamp"], event["message"]))


class LogTail:
    """What a Glue run prints, line by line as it comes. For people: that it can't be read is a line too.

    Glue 5 calls the driver's stream ``<run id>-driver``, earlier versions ``<run id>`` (AWS Glue developer guide,
    "Logging for AWS Glue jobs"). A stream that is not there yet has no lines.
    """

    def __init__(self, lake: Lake, group: str, run_id: str) -> None:
        self._logs = lake.client("logs")
        self._group = group
        self._tokens: dict[str, str | None] = {run_id: None, f"{run_id}-driver": None}

    def new_lines(self) -> Iterator[str]:
        """What has come since the last call."""
        for stream in list(self._tokens):
            try:
                yield from self._lines_of(stream)
            except (ClientError, BotoCoreError) as error:
                if code_of(error) == "ResourceNotFoundException":
                    continue
                self._tokens.clear()
                yield f"can't follow the log: {explain(error, f'reading {self._group}').message}"
            if stream not in self._tokens or len(self._tokens) < 2:
                return

    def _lines_of(self, stream: str) -> Iterator[str]:
        while True:
            last = self._tokens[stream]
            token = {"nextToken": last} if last else {}
            page = self._logs.get_log_events(
                logGroupName=self._group, logStreamName=stream, startFromHead=True, **token
            )
            for event in page["events"]:
                yield from event["message"].splitlines()  # on AWS one event may hold several lines
            if page["events"]:
                self._tokens = {stream: last}  # it is this one
            self._tokens[stream] = page["nextForwardToken"]
            # The same token twice = the end for now. An empty page is not the end (GetLogEvents, API reference).
            if page["nextForwardToken"] == last:
                return

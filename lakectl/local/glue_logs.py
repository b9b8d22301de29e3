"""A job run's output, line by line into CloudWatch Logs while it runs."""

from __future__ import annotations

import logging
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.local.iam import roles

FLUSH_SECONDS = 0.5
BATCH_EVENTS = 1_000  # PutLogEvents takes 10,000 events and 1 MB
BATCH_BYTES = 800_000
EVENT_BYTES = 200_000  # an event may have 256 KB
EVENT_OVERHEAD = 26  # bytes that CloudWatch adds to each event when it counts

log = logging.getLogger(__name__)


class LogStream:
    """One log stream; makes its group and itself if they aren't there and ``role`` may. For one thread.

    What the role may not write is lost, as on AWS; the server's log says so.
    """

    def __init__(self, client: Any, group: str, stream: str, role: str) -> None:
        self._client, self._group, self._stream, self._role = client, group, stream, role
        self._arn = f"arn:aws:logs:{client.meta.region_name}:{role.split(':')[4]}:log-group:{group}:log-stream:"
        self._rest = b""
        self._events: list[dict[str, Any]] = []
        self._bytes = 0
        self._flushed_at = time.monotonic()
        self._create()

    def feed(self, chunk: bytes) -> None:
        """Bytes as they come; whole lines become events, blank lines none (CloudWatch refuses them)."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        while len(self._rest) > EVENT_BYTES:
            lines.append(self._rest[:EVENT_BYTES])
            self._rest = self._rest[EVENT_BYTES:]
        for line in lines:
            self._add(line)

    def flush_if_due(self) -> None:
        if time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what is pending. A failure is logged by the server: it must not fail the run."""
        self._flushed_at = time.monotonic()
        events, self._events, self._bytes = self._events, [], 0
        if not events or not self._may("PutLogEvents", self._stream):
            return
        target = {"logGroupName": self._group, "logStreamName": self._stream}
        try:
            try:
                self._client.put_log_events(**target, logEvents=events)
            except self._client.exceptions.ResourceNotFoundException:
                self._create()  # someone deleted the group while the job ran
                self._client.put_log_events(**target, logEvents=events)
        except (BotoCoreError, ClientError):
            log.exception("%d log events of %s in %s are lost", len(events), self._stream, self._group)

    def close(self) -> None:
        self._add(self._rest)
        self._rest = b""
        self.flush()

    def _add(self, line: bytes) -> None:
        for start in range(0, len(line.rstrip()), EVENT_BYTES):
            message = line[start : start + EVENT_BYTES].decode("utf-8", "replace").rstrip()
            self._events.append({"timestamp": int(time.time() * 1000), "message": message or " "})
            self._bytes += len(message.encode()) + EVENT_OVERHEAD
            if len(self._events) >= BATCH_EVENTS or self._bytes >= BATCH_BYTES:
                self.flush()

    def _create(self) -> None:
        errors = self._client.exceptions
        if not self._may("CreateLogStream", self._stream):
            return
        stream = {"logGroupName": self._group, "logStreamName": self._stream}
        try:
            self._client.create_log_stream(**stream)
        except errors.ResourceAlreadyExistsException:
            log.debug("log stream %s is there", self._stream)
        except errors.ResourceNotFoundException:
            if self._may("CreateLogGroup", ""):
                self._create_group()
                self._client.create_log_stream(**stream)

    def _create_group(self) -> None:
        try:
            self._client.create_log_group(logGroupName=self._group)
        except self._client.exceptions.ResourceAlreadyExistsException:
            log.debug("log group %s is there", self._group)  # the other stream of the run was first

    def _may(self, action: str, stream: str) -> bool:
        refusal = roles.refusal(self._role, "GlueJobRunnerSession", f"logs:{action}", self._arn + stream)
        if refusal:
            log.warning("log events of %s in %s are lost: %s", self._stream, self._group, refusal)
        return not refusal

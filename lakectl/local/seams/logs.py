"""CloudWatch Logs: the tags of a log group go with it, and its events when their retention is over.

Wrapped: ``LogsBackend.delete_log_group``. moto keeps the tags, and a later group of that name has them again.
``LogStream.get_log_events`` and ``filter_log_events``: moto shows events for ever, whatever PutRetentionPolicy says
[CloudWatch Logs, PutRetentionPolicy, "retentionInDays"].
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from moto.logs.models import LogsBackend, LogStream

from lakectl.local.context import LocalContext

DAY_MS = 86_400_000


def install(context: LocalContext) -> None:  # noqa: ARG001 - all seams are installed alike
    LogsBackend.delete_log_group = _with_tags(LogsBackend.delete_log_group)
    LogStream.get_log_events = _within_retention(LogStream.get_log_events)
    LogStream.filter_log_events = _within_retention(LogStream.filter_log_events)


def _with_tags(original: Callable[[LogsBackend, str], None]) -> Callable[[LogsBackend, str], None]:
    def delete_log_group(self: LogsBackend, log_group_name: str) -> None:
        group = self.groups.get(log_group_name)
        original(self, log_group_name)
        if group is not None:
            self.tagger.delete_all_tags_for_resource(group.arn)

    return delete_log_group


def _within_retention(original: Callable[..., Any]) -> Callable[..., Any]:
    def read(self: LogStream, start_time: int | None = None, *args: Any, **kwargs: Any) -> Any:
        days = self.log_group.retention_in_days
        if days:
            start_time = max(int(start_time or 0), int(time.time() * 1000) - int(days) * DAY_MS)
        return original(self, start_time, *args, **kwargs)

    return read

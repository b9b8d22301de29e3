"""CloudWatch Logs: names of groups, and for how many days they may keep what they hold.

Wrapped: ``LogsBackend.create_log_group`` and ``put_retention_policy``, ``LogsResponse.describe_log_groups``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogsBackend
from moto.logs.responses import LogsResponse

GROUP_NAME = re.compile(r"[\.\-_/#A-Za-z0-9]+")
# "Valid Values" of PutRetentionPolicy
WEEKS_TO_MONTHS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180)
YEARS = (365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
RETENTION_DAYS = (*WEEKS_TO_MONTHS, *YEARS)


def install() -> None:
    LogsBackend.create_log_group = _creating(LogsBackend.create_log_group)
    LogsResponse.describe_log_groups = _described(LogsResponse.describe_log_groups)
    LogsBackend.put_retention_policy = _retaining(LogsBackend.put_retention_policy)


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_log_group(self: LogsBackend, log_group_name: str, *rest: Any, **named: Any) -> Any:
        if not GROUP_NAME.fullmatch(log_group_name):
            rule = f"Member must satisfy regular expression pattern: {GROUP_NAME.pattern}"
            raise InvalidParameterException(constraint=rule, parameter="logGroupName", value=log_group_name)
        return original(self, log_group_name, *rest, **named)

    return create_log_group


def _retaining(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_retention_policy(self: LogsBackend, log_group_name: str, retention_in_days: Any) -> Any:
        if int(retention_in_days) not in RETENTION_DAYS:
            rule = f"Member must satisfy enum value set: {list(RETENTION_DAYS)}"
            raise InvalidParameterException(constraint=rule, parameter="retentionInDays", value=retention_in_days)
        return original(self, log_group_name, retention_in_days)

    return put_retention_policy


def _described(original: Callable[..., Any]) -> Callable[..., Any]:
    def describe_log_groups(self: LogsResponse) -> Any:
        if self._get_param("logGroupNamePrefix") and self._get_param("logGroupNamePattern"):
            told = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            raise JsonRESTError("InvalidParameterException", told)
        return original(self)

    return describe_log_groups

"""S3: what a notification's configuration may say, and that its queue or topic exists.

Wrapped: ``S3Response._notification_config_from_body`` and ``S3Backend.put_bucket_notification_configuration``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.s3.exceptions import InvalidNotificationARN, S3ClientError
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response

from lakectl.local.s3.changes import SKIP_VALIDATION

UNREACHABLE = "Unable to validate the following destination configurations"
FILTER_NAME = re.compile(rb"<FilterRule>.*?<Name>\s*(.*?)\s*</Name>", re.DOTALL)


class InvalidArgument(S3ClientError):
    def __init__(self, message: str) -> None:
        super().__init__("InvalidArgument", message)


def install() -> None:
    S3Response._notification_config_from_body = _parsed(S3Response._notification_config_from_body)
    S3Backend.put_bucket_notification_configuration = _reachable(S3Backend.put_bucket_notification_configuration)


def _parsed(original: Callable[..., Any]) -> Callable[..., Any]:
    def parse(self: S3Response) -> Any:
        body = self.body if isinstance(self.body, bytes) else self.body.encode()
        if any(name.lower() not in (b"prefix", b"suffix") for name in FILTER_NAME.findall(body)):
            raise InvalidArgument("filter rule name must be either prefix or suffix")
        try:
            return original(self)
        except InvalidNotificationARN as error:
            raise InvalidArgument("The ARN could not be parsed") from error

    return parse


def _reachable(original: Callable[..., Any]) -> Callable[..., Any]:
    def put(self: S3Backend, bucket_name: str, notification_config: dict[str, Any]) -> Any:
        for kind in ("Queue", "Topic"):
            for entry in notification_config.get(f"{kind}Configuration") or []:
                if not (notification_config.get(SKIP_VALIDATION) or _exists(kind, entry[kind])):
                    raise InvalidArgument(UNREACHABLE)
        return original(self, bucket_name, notification_config)

    return put


def _exists(kind: str, arn: str) -> bool:
    _, _, _, region, account, name = (arn.split(":") + [""] * 6)[:6]
    if kind == "Queue":
        from moto.sqs.models import sqs_backends

        return bool(region) and name in sqs_backends[account][region].queues
    from moto.sns.models import sns_backends

    return bool(region) and arn in sns_backends[account][region].topics

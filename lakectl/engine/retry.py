"""Waiting for AWS to catch up with itself: on named errors only, each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

from lakectl.aws import code_of

T = TypeVar("T")

# A role is not assumable for some seconds after CreateRole, whatever a waiter says
# (aws/aws-sdk-js#4408). Lambda, Glue and EventBridge each word it in their own way.
ROLE_NOT_READY = ("cannot be assumed", "unable to assume", "is not authorized to perform: sts:AssumeRole")
# S3 answers OperationAborted while a bucket of that name is still being deleted or configured.
BUCKET_BUSY = ("OperationAborted",)
# SQS refuses a queue of a name that was deleted less than 60 seconds ago (DeleteQueue, API reference).
QUEUE_DELETED_RECENTLY = ("AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently")
# Lambda refuses a change while the previous one is still being applied.
FUNCTION_BUSY = ("ResourceConflictException",)
# Lambda checks that the role may send to a destination before the role's new policy has spread.
DESTINATION_NOT_READY = ("permissions to call SendMessage",)
# Two callers change one Glue or EventBridge resource at once.
CONCURRENT_CHANGE = ("ConcurrentModificationException",)
# S3 validates that it may invoke the function before the new permission has spread.
PERMISSION_NOT_READY = ("Unable to validate the following destination configurations",)


def until_ready(call: Callable[[], T], reasons: tuple[str, ...], limit_s: float = 120) -> T:
    """``call()``, again after 0.25 s growing to 2 s while AWS names one of ``reasons``, for ``limit_s`` at most.

    A reason is an error code or a part of the error's message.
    """

    def is_reason(error: BaseException) -> bool:
        if not isinstance(error, ClientError):
            return False
        return code_of(error) in reasons or any(reason in str(error) for reason in reasons)

    for attempt in Retrying(
        retry=retry_if_exception(is_reason),
        wait=wait_exponential(multiplier=0.25, max=2),
        stop=stop_after_delay(limit_s),
        reraise=True,
    ):
        with attempt:
            result = call()
    return result

"""Waiting for AWS to catch up with itself: on named errors only, each with its reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import ClientError

from lakectl.aws import code_of

T = TypeVar("T")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 2.0


@dataclass(frozen=True)
class Reason:
    """Why a call is tried again. ``says`` ends the sentence "waiting for …"; ``signs`` are error codes, or parts
    of the error's message."""

    says: str
    signs: tuple[str, ...]

    def explains(self, error: ClientError) -> bool:
        return code_of(error) in self.signs or any(sign in str(error) for sign in self.signs)


# A role is not assumable for some seconds after CreateRole, whatever a waiter says
# (aws/aws-sdk-js#4408). Lambda, Glue and EventBridge each word it in their own way.
ROLE_NOT_READY = (
    Reason(
        "the new role to be assumable",
        ("cannot be assumed", "unable to assume", "is not authorized to perform: sts:AssumeRole"),
    ),
)
# S3 answers OperationAborted while a bucket of that name is still being deleted or configured.
BUCKET_BUSY = (Reason("S3 to finish deleting or changing the bucket of that name", ("OperationAborted",)),)
# A write that was under way, or not yet reached by the policy that denies it, lands while the bucket is emptied.
BUCKET_FILLED = (Reason("the last writes to the bucket, to delete them too", ("BucketNotEmpty",)),)
# SQS refuses a queue of a name that was deleted less than 60 seconds ago (DeleteQueue, API reference).
QUEUE_DELETED_RECENTLY = (
    Reason(
        "SQS to release the name of a queue deleted less than 60 s ago",
        ("AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"),
    ),
)
# Lambda refuses a change while the previous one is still being applied.
FUNCTION_BUSY = (Reason("the previous change of the function to be applied", ("ResourceConflictException",)),)
# Lambda checks that the role may send to a destination before the role's new policy has spread.
DESTINATION_NOT_READY = (Reason("the role's new policy to spread", ("permissions to call SendMessage",)),)
# Two callers change one Glue or EventBridge resource at once.
CONCURRENT_CHANGE = (Reason("another change of it to end", ("ConcurrentModificationException",)),)
# S3 validates that it may invoke the function before the new permission has spread.
PERMISSION_NOT_READY = (
    Reason("the function's new permission to spread", ("Unable to validate the following destination configurations",)),
)
# DynamoDB switches backups on for a new table by itself, and refuses PITR until it has.
BACKUPS_NOT_READY = (Reason("backups of the new table to be available", ("ContinuousBackupsUnavailableException",)),)

# Lambda acknowledges permissions added to one function at the same time, and keeps some
# (hashicorp/terraform-provider-aws#789).
NOT_KEPT = Reason("AWS to keep what it has acknowledged", ())

# Who is told what is being waited for. One value for each thread that carries out a step.
watcher: ContextVar[Callable[[Reason], None]] = ContextVar("watcher", default=lambda _: None)
# Set by the first Ctrl-C. One value for each thread that carries out a step.
interrupted: ContextVar[threading.Event | None] = ContextVar("interrupted", default=None)
# For which reasons the call that is being made would be made again.
patience: ContextVar[tuple[Reason, ...]] = ContextVar("patience", default=())


def pause(seconds: float) -> None:
    """Sleep. Raises ``CancelledError`` as soon as Ctrl-C has been pressed: the next run goes on from here."""
    event = interrupted.get()
    if event is None:
        time.sleep(seconds)
    elif event.wait(seconds):
        raise CancelledError


def until_ready(call: Callable[[], T], reasons: tuple[Reason, ...], limit_s: float = 120) -> T:
    """``call()``, again after 0.25 s growing to 2 s while AWS names one of ``reasons``, for ``limit_s`` at most.

    Tells :data:`watcher` each reason once. Raises AWS's own error when it is not one of ``reasons``, or for
    too long; ``CancelledError`` when Ctrl-C ends the wait.
    """
    deadline, step_s, told = time.monotonic() + limit_s, FIRST_PAUSE_S, set[Reason]()
    while True:
        patient = patience.set(reasons)
        try:
            return call()
        except ClientError as error:
            found = next((reason for reason in reasons if reason.explains(error)), None)
            if found is None or time.monotonic() + step_s > deadline:
                raise
            if found not in told:
                told.add(found)
                watcher.get()(found)
        finally:
            patience.reset(patient)
        pause(step_s)
        step_s = min(step_s * 2, LONGEST_PAUSE_S)

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
LIMIT_S = 120.0  # as long as Terraform's provider waits for IAM and S3 to spread a change


@dataclass(frozen=True)
class Reason:
    """Why a call is tried again. ``says`` ends the sentence "waiting for …"; ``signs`` are error codes, or parts
    of the error's message. ``at_first``: even a fresh account answers so, and not only after something was deleted or
    changed by two at once."""

    says: str
    signs: tuple[str, ...]
    at_first: bool = False

    def explains(self, error: ClientError) -> bool:
        return code_of(error) in self.signs or any(sign in str(error) for sign in self.signs)


# Two callers change one resource at once. IAM's code is ConcurrentModification, that of Glue and EventBridge
# ConcurrentModificationException.
CONCURRENT_CHANGE = (Reason("another change of it to end", ("ConcurrentModification",)),)

# Lambda acknowledges permissions added to one function at the same time, and keeps some
# (hashicorp/terraform-provider-aws#789).
NOT_KEPT = Reason("AWS to keep what it has acknowledged", ())

# A create says that it exists, a read that it does not: the read is late, or what was deleted is not gone yet.
HALF_THERE = Reason("AWS to agree with itself on whether it exists", ())
# Reads are eventually consistent: they may show for a while what was there before a write.
NOT_VISIBLE = Reason("AWS to show what was written", ())

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


def until_ready(call: Callable[[], T], reasons: tuple[Reason, ...]) -> T:
    """``call()``, again after 0.25 s growing to 2 s while AWS names one of ``reasons``, for two minutes at most.

    Tells :data:`watcher` each reason once. Raises AWS's own error when it is not one of ``reasons``, or for
    too long: then with a note (PEP 678) that says so. ``CancelledError`` when Ctrl-C ends the wait.
    """
    started, step_s, told = time.monotonic(), FIRST_PAUSE_S, set[Reason]()
    deadline = started + LIMIT_S
    while True:
        patient = patience.set(reasons)
        try:
            return call()
        except ClientError as error:
            found = next((reason for reason in reasons if reason.explains(error)), None)
            if found is None:
                raise
            if time.monotonic() + step_s > deadline:
                error.add_note(f"waited {time.monotonic() - started:.0f} s for {found.says}")
                raise
            if found not in told:
                told.add(found)
                watcher.get()(found)
        finally:
            patience.reset(patient)
        pause(step_s)
        step_s = min(step_s * 2, LONGEST_PAUSE_S)


def wait_until(done: Callable[[], bool], reason: Reason, limit_s: float) -> bool:
    """Ask ``done`` until it is true, at growing intervals, for ``limit_s`` at most; whether it became true.

    Tells :data:`watcher` the reason once. ``CancelledError`` when Ctrl-C ends the wait.
    """
    deadline, step_s = time.monotonic() + limit_s, FIRST_PAUSE_S
    while not done():
        if step_s == FIRST_PAUSE_S:
            watcher.get()(reason)
        if time.monotonic() + step_s > deadline:
            return False
        pause(step_s)
        step_s = min(step_s * 2, LONGEST_PAUSE_S)
    return True

"""Bytes on their way: how many are safe, and how fast more become so."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

WINDOW_S = 60.0  # parts arrive in bursts on a slow line: a shorter look back would jump


class Moved(Protocol):
    """Takes bytes that have become safe since it was last called, from any thread."""

    def __call__(self, count: int, *, found: bool = False) -> None:
        """``found``: they were there before, and say nothing of the rate."""


def unseen(count: int, *, found: bool = False) -> None:
    """For bytes that nobody watches."""


class Meter:
    """Counts up to ``total`` bytes. ``clock`` tells seconds. For any thread."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self.done = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._sent = 0
        self._samples = deque([(clock(), 0)])  # (when, bytes sent by then); the first is where the rate begins

    def add(self, count: int, *, found: bool = False) -> None:
        """A :class:`Moved`."""
        with self._lock:
            now = self._clock()
            self.done += count
            if found:
                if not self._sent:  # the time that finding them took says nothing either
                    self._samples = deque([(now, 0)])
                return
            self._sent += count
            self._samples.append((now, self._sent))
            while len(self._samples) > 2 and self._samples[1][0] < now - WINDOW_S:
                self._samples.popleft()

    @property
    def complete(self) -> bool:
        """Every byte is there; what is left is for S3 to do."""
        return self.done >= self.total

    @property
    def rate(self) -> float | None:
        """Bytes a second over the last minute; None before the first was sent."""
        with self._lock:
            began, before = self._samples[0]
            seconds = self._clock() - began
            return (self._sent - before) / seconds if self._sent > before and seconds > 0 else None

"""Ends a server that nobody uses: it would keep some hundred megabytes of memory until the machine is switched off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from lakectl.local.control import STOPPED

LOOK_S = 5.0


class Use:
    """When a server was used last: by a request, or by work that it does for an earlier one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._answering = 0
        self._last = clock()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Around the answer to a request."""
        with self._lock:
            self._answering += 1
        try:
            yield
        finally:
            with self._lock:
                self._answering -= 1
                self._last = self._clock()

    def unused_for(self, working: Iterable[Callable[[], bool]]) -> float:
        """Seconds since the server was used; 0.0 while it answers a request, or one of ``working`` returns true."""
        if any(works() for works in working):
            with self._lock:
                self._last = self._clock()
        with self._lock:
            return 0.0 if self._answering else self._clock() - self._last


def reason(minutes: float) -> str:
    """The reason of a server that ended because nobody used it for so many minutes."""
    return f"{STOPPED} after {minutes:g} minutes without a request"


def wait(stopping: threading.Event, use: Use, working: Iterable[Callable[[], bool]], minutes: float | None) -> bool:
    """Until ``stopping`` is set, or the server was not used for so many minutes: then it returns True.

    ``minutes`` None: there is no such limit.
    """
    if minutes is None:
        stopping.wait()
        return False
    while not stopping.wait(min(LOOK_S, minutes * 60)):
        if use.unused_for(working) >= minutes * 60:
            return True
    return False

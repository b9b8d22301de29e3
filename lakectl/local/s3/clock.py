"""S3's clock: the times, version ids and sequencers of objects. It never goes back and tells no moment twice.

The machine's clock may be set back, also while no server runs: then this one advances by a microsecond a moment, until
the machine's has caught up. So a newer version of a key always has the greater sequencer, and no earlier LastModified.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from lakectl.local.context import LocalContext
from lakectl.local.durable.database import Database

KIND = "s3-clock"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """In nanoseconds since 1970, two moments at least a microsecond apart. For any thread."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def now(self) -> int:
        with self._lock:
            self._last = max(self._last + 1000, time.time_ns())
            return self._last

    def not_before(self, moment: int) -> None:
        """What is told from here on is later than ``moment``."""
        with self._lock:
            self._last = max(self._last, moment)


clock = Clock()


def install(context: LocalContext) -> None:
    """Go on after the last moment that an earlier server has kept."""

    def load() -> None:
        for _, _, value in context.database.rows(KIND):
            clock.not_before(int(value))

    context.on_load.append(load)


def keep(database: Database, moment: int) -> None:
    """Write the moment down, within the transaction of what happened at it."""
    database.put(KIND, "", "last", str(moment).encode())


def sequencer(moment: int) -> str:
    """18 hexadecimal digits that grow with time: among events of one key, the greater one happened later."""
    return f"{moment:018X}"


def time_of(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment // 1000)


def utcnow() -> datetime:
    """The time without a zone, as moto has its times."""
    return time_of(clock.now()).replace(tzinfo=None)

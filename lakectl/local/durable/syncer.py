"""Makes durable, in the background, what requests have written; then deletes the files that no row names any more."""

from __future__ import annotations

import logging
import threading

from lakectl.local.durable import copies
from lakectl.local.durable.bodies import Bodies
from lakectl.local.durable.database import CommitFailed, Database

SECONDS = 1.0  # between two syncs: what a power cut costs at most, beside the time that the disk needs to write

log = logging.getLogger(__name__)


class Syncer:
    """``start`` it after the load, and ``stop`` it when nothing is written any more."""

    def __init__(self, database: Database, bodies: Bodies) -> None:
        self._database = database
        self._bodies = bodies
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="syncer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Sync a last time, unless the state can't be written any more."""
        self._stopping.set()
        self._thread.join()
        if self._database.failure is None:
            self.sync()

    def _run(self) -> None:
        while not self._stopping.wait(SECONDS):
            try:
                self.sync()
            except CommitFailed:
                return  # the server stops
            except OSError as error:
                self._database.fail(error)
                return

    def sync(self) -> None:
        """Everything that is committed now is on disk afterwards. Raises OSError and CommitFailed."""
        # The order matters: no file is deleted that a row of a later generation would need when it is rolled back, and
        # no generation is given up before all files that its rows may name are on disk.
        unnamed = self._bodies.take_dropped()
        generation = self._database.end_generation()
        if generation is None and not unnamed:
            return
        self._bodies.sync()
        if generation is not None:
            self._database.settle(generation)
        if unnamed:
            with copies.deletion(self._bodies.folder.parent) as allowed:
                (self._bodies.remove if allowed else self._bodies.drop)(unnamed)

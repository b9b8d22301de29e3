"""What is accepted and not yet delivered: a row for each, from acceptance to delivery, so at least once.

A delivery is a function that was registered under a name, and arguments that are JSON. Its row is committed together
with the change that caused it, and goes when the function has returned. What rows are left at a start is delivered
then.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from lakectl.local.durable.database import Database

KIND = "outbox"

log = logging.getLogger(__name__)

Deliver = Callable[..., None]


class Again(Exception):
    """Raised by a delivery that is to be tried again: after how many seconds, and with which arguments."""

    def __init__(self, seconds: float, arguments: dict[str, Any]) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds
        self.arguments = arguments


class Outbox:
    def __init__(self, database: Database, pool: Executor) -> None:
        self._database = database
        self._pool = pool
        self._deliver: dict[str, Deliver] = {}
        self._own_end: set[str] = set()
        self._stopping = False
        self._left: list[tuple[str, str, dict[str, Any]]] = []

    def register(self, name: str, deliver: Deliver, *, own_end: bool = False) -> None:
        """``deliver(**arguments)`` runs in the pool. With ``own_end`` it also gets ``delivery`` (an id) and ends it
        itself, by ``done``: it only begins something."""
        self._deliver[name] = deliver
        if own_end:
            self._own_end.add(name)

    def post(self, name: str, **arguments: Any) -> str:
        """Deliver once this thread's transaction is on disk. Returns the delivery's id."""
        identity = uuid.uuid4().hex
        self._database.put(KIND, name, identity, json.dumps(arguments).encode())
        self._database.after_commit(lambda: self._submit(name, identity, arguments))
        return identity

    def update(self, name: str, identity: str, **arguments: Any) -> None:
        """Replace the arguments with which a delivery would begin again."""
        self._database.put(KIND, name, identity, json.dumps(arguments).encode())

    def done(self, name: str, identity: str) -> None:
        self._database.delete(KIND, name, identity)

    @property
    def stopping(self) -> bool:
        """The server is going: what fails now has not failed, and is delivered after the next start."""
        return self._stopping

    def stop(self) -> None:
        self._stopping = True

    def load(self) -> None:
        """Note what an earlier server left. Before the first request: what this one accepts, it delivers itself."""
        self._database.load(KIND, lambda name, identity, value: self._left.append((name, identity, json.loads(value))))

    def resume(self) -> int:
        """Deliver what ``load`` has found. Returns how many. For the start, once the endpoint answers."""
        left, self._left = self._left, []
        for name, identity, arguments in left:
            if name in self._deliver:
                self._submit(name, identity, arguments)
        return len(left)

    def _submit(self, name: str, identity: str, arguments: dict[str, Any]) -> None:
        if name in self._own_end:
            self._deliver[name](delivery=identity, **arguments)
        else:
            self._pool.submit(self._run, name, identity, arguments)

    def _run(self, name: str, identity: str, arguments: dict[str, Any]) -> None:
        # What this delivery hands on to the next is accepted in the same commit that ends it.
        with self._database.transaction():
            try:
                self._deliver[name](**arguments)
            except Again as again:
                self.update(name, identity, **again.arguments)
                timer = threading.Timer(again.seconds, self._submit, (name, identity, again.arguments))
                timer.daemon = True
                timer.start()
                return
            except Exception:
                if self._stopping:
                    return
                # It is in the log, and not tried for ever.
                log.exception("delivery %s of %s failed", identity, name)
            self.done(name, identity)

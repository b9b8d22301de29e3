"""A resource that lives in a dict, for tests of the engine alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from lakectl.engine.model import Change, Resource, State
from lakectl.errors import LakectlError

TAGS = {"lakectl:lake": "demo"}


class World:
    """What "AWS" has: id → (fields, tags). Keeps the order of writes."""

    def __init__(self) -> None:
        self.there: dict[str, tuple[dict[str, Any], dict[str, str] | None]] = {}
        self.writes: list[str] = []
        self.lock = threading.Lock()

    def write(self, text: str) -> None:
        with self.lock:
            self.writes.append(text)


class Thing(Resource):
    kind = "thing"

    def __init__(
        self,
        name: str,
        world: World,
        needs: tuple[str, ...] = (),
        fails: str = "",
        seconds: float = 0.0,
        parent: str | None = None,
    ) -> None:
        super().__init__(name, step=name, tags=TAGS, needs=tuple(f"thing/{need}" for need in needs), parent=parent)
        self.world, self.fails, self.seconds = world, fails, seconds

    def desired(self) -> Mapping[str, Any]:
        return {"color": "blue", "size": 1}

    def read(self, aws: Any) -> State | None:  # noqa: ARG002
        found = self.world.there.get(self.id)
        return State(*found) if found else None

    def _do(self, verb: str) -> None:
        time.sleep(self.seconds)
        if self.fails:
            raise LakectlError(self.fails)
        self.world.write(f"{verb} {self.name}")

    def create(self, aws: Any) -> None:  # noqa: ARG002
        self._do("create")
        self.world.there[self.id] = (dict(self.desired()), None if self.parent else dict(self.tags))

    def update(self, aws: Any, changes: tuple[Change, ...]) -> None:  # noqa: ARG002
        self._do("update " + ",".join(change.field for change in changes))
        self.world.there[self.id] = (dict(self.desired()), None if self.parent else dict(self.tags))

    def destroy(self, aws: Any) -> None:  # noqa: ARG002
        self._do("destroy")
        self.world.there.pop(self.id, None)

"""Which actions of its policies a role has used: what IAM tells as "last accessed"."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from lakectl.local.durable.database import Database

KIND = "iam-used-action"  # role ARN, action → seconds since the epoch
RENEW_SECONDS = 60.0  # a later use is written down after this long: not every request shall write a row

log = logging.getLogger(__name__)


class Usage:
    """For any thread."""

    def __init__(self) -> None:
        self._used: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()
        self._database: Database | None = None

    def load(self, database: Database) -> None:
        """What earlier endpoints on this state have recorded; from now on it is kept there."""
        with self._lock:
            self._database = database
            database.load(KIND, self._load_one)

    def _load_one(self, role: str, action: str, value: bytes) -> None:
        self._used.setdefault(role, {})[action] = float(value)

    def record(self, role_arn: str, action: str) -> None:
        now = time.time()
        with self._lock:
            known = self._used.setdefault(role_arn, {})
            last = known.get(action)
            if last is not None and now - last < RENEW_SECONDS:
                return
            known[action] = now
        if last is None:
            log.info("%s used %s", role_arn, action)
        if self._database is not None:
            self._database.put(KIND, role_arn, action, str(now).encode())

    def used(self, role_arn: str) -> dict[str, float]:
        """Action → when it was last used, within :data:`RENEW_SECONDS`, in seconds since the epoch."""
        with self._lock:
            return dict(self._used.get(role_arn, {}))

    def forget(self, role_arn: str) -> None:
        """The role is deleted: one made again under its name has used nothing."""
        with self._lock:
            self._used.pop(role_arn, None)
        if self._database is not None:
            self._database.delete_scope(KIND, role_arn)


USAGE = Usage()  # of this process's endpoint


def last_accessed(role_arn: str, granted: set[str]) -> list[dict[str, Any]]:
    """ServicesLastAccessed of GetServiceLastAccessedDetails for a role whose policies name the actions ``granted``."""
    used = USAGE.used(role_arn)
    services = []
    for service in sorted({action.partition(":")[0] for action in {*granted, *used} if ":" in action}):
        actions = {name.partition(":")[2]: when for name, when in used.items() if name.startswith(f"{service}:")}
        described: dict[str, Any] = {
            "ServiceName": service,
            "ServiceNamespace": service,
            "TotalAuthenticatedEntities": int(bool(actions)),
            "TrackedActionsLastAccessed": [
                {"ActionName": name, "LastAccessedEntity": role_arn, "LastAccessedTime": when}
                for name, when in sorted(actions.items())
            ],
        }
        if actions:
            described |= {"LastAuthenticated": max(actions.values()), "LastAuthenticatedEntity": role_arn}
        services.append(described)
    return services

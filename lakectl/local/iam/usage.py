"""Which actions of its policies a role has used, for ``lakectl doctor --permissions``."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

FILE = "used_actions.json"

_used: dict[str, dict[str, float]] = {}  # role ARN → action → when it was last granted, in seconds since the epoch
_lock = threading.Lock()


def record(role_arn: str, action: str) -> None:
    with _lock:
        _used.setdefault(role_arn, {})[action] = time.time()


def used(role_arn: str) -> dict[str, float]:
    """Action → when it was last used."""
    with _lock:
        return dict(_used.get(role_arn, {}))


def load(state_dir: Path) -> None:
    """What earlier endpoints of this folder have recorded."""
    try:
        known = json.loads((state_dir / FILE).read_text())
    except FileNotFoundError:
        return
    with _lock:
        for role, actions in known.items():
            _used.setdefault(role, {}).update(actions)


def save(state_dir: Path) -> None:
    with _lock:
        text = json.dumps(_used)
    draft = state_dir / f"{FILE}.new"
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(state_dir / FILE)

"""Access keys: the person's own, made once for each state folder, and the temporary ones of roles.

Standard library only: whoever looks for the endpoint reads the person's keys from here.
"""

from __future__ import annotations

import json
import os
import secrets
import string
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "credentials.json"
LETTERS = string.ascii_uppercase + string.digits
SESSION_SECONDS = 12 * 3600.0  # a role's longest session


@dataclass(frozen=True)
class Keys:
    """A key pair; ``session_token`` is empty for one that does not expire."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""


@dataclass(frozen=True)
class Session:
    """Temporary credentials of a role, as AssumeRole gives them. ``expires`` is seconds since the epoch."""

    keys: Keys
    role_arn: str
    name: str
    expires: float

    @property
    def arn(self) -> str:
        """``arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION``."""
        return session_arn(self.role_arn, self.name)


def session_arn(role_arn: str, name: str) -> str:
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    return f"arn:{partition}:sts::{account}:assumed-role/{role_arn.rpartition('/')[2]}/{name}"


def new_keys(prefix: str) -> Keys:
    """``AKIA`` for keys that stay, ``ASIA`` for temporary ones. moto takes ids of 20 capitals and digits only."""
    key_id = prefix + "".join(secrets.choice(LETTERS) for _ in range(16))
    token = secrets.token_urlsafe(96) if prefix == "ASIA" else ""
    return Keys(key_id, secrets.token_urlsafe(30), token)


def load_or_make(state_dir: Path) -> Keys:
    """The person's keys of this state folder, made at its first use; a file that only its owner can read."""
    path = state_dir / FILE
    try:
        return Keys(**json.loads(path.read_text()))
    except FileNotFoundError:
        keys = new_keys("AKIA")
    draft = path.with_name(f"{FILE}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(keys), file)
    draft.replace(path)
    return keys


class Sessions:
    """The temporary credentials that services have taken on for functions and runs. Thread-safe."""

    def __init__(self) -> None:
        self._by_id: dict[str, Session] = {}
        self._lock = threading.Lock()

    def assume(self, role_arn: str, name: str, seconds: float = SESSION_SECONDS) -> Session:
        """New credentials of the role for ``seconds``. Whether it may be assumed is for the caller to ask."""
        session = Session(new_keys("ASIA"), role_arn, name, time.time() + seconds)
        with self._lock:
            # One that expired a day ago is as unknown as any: the list must not grow for ever.
            limit = time.time() - 86_400
            self._by_id = {key: kept for key, kept in self._by_id.items() if kept.expires > limit}
            self._by_id[session.keys.access_key_id] = session
        return session

    def find(self, access_key_id: str) -> Session | None:
        return self._by_id.get(access_key_id)


SESSIONS = Sessions()  # of this process's endpoint


def environ(session: Session) -> dict[str, str]:
    """What a child process needs to act as the role."""
    return {
        "AWS_ACCESS_KEY_ID": session.keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.keys.secret_access_key,
        "AWS_SESSION_TOKEN": session.keys.session_token,
    }

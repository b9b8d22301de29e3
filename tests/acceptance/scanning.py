"""Looks for what evidence must not hold."""

from __future__ import annotations

import getpass
import re
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path

FORBIDDEN = {
    "an account id": re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])"),
    "the account of an ARN": re.compile(r"arn:[\w-]+:[\w-]*:[\w-]*:[0-9]+:"),
    "an access key": re.compile(r"\b(AKIA|ASIA|AROA|AIDA)[A-Z0-9]{8,}"),
    "a user or a session": re.compile(r":(?:user|assumed-role|federated-user)/(?!<name>)"),
    "a folder": re.compile(r"(?<![\w:/.<-])/(?:home|Users|root|tmp|var/folders|work|private)/"),
}


def found(text: str, secrets: Iterable[str] = ()) -> list[str]:
    """What ``text`` holds of accounts, keys, users, folders of this machine, and ``secrets``, each with its place."""
    hits = [
        f"{what}: {text[max(0, match.start() - 40) : match.end() + 10]!r}"
        for what, pattern in FORBIDDEN.items()
        for match in pattern.finditer(text)
    ]
    own = {str(Path.home()), str(Path.cwd()), tempfile.gettempdir(), socket.gethostname()} - {"/", "localhost"}
    user = getpass.getuser()
    hits += [f"a name: {user}" for _ in range(user != "root" and bool(re.search(rf"\b{re.escape(user)}\b", text)))]
    return hits + [f"{secret!r}" for secret in {*own, *secrets} if len(secret) > 3 and secret in text]

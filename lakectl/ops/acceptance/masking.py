"""Taking out of the evidence what is nobody else's business: accounts, keys, names of people, folders, the lake's name.

What is known is replaced by name, what only has a known form by its form.
"""

from __future__ import annotations

import getpass
import re
import socket
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
# Access keys and unique ids of IAM (IAM user guide, "Understanding unique ID prefixes").
KEY = re.compile(r"\b(?:ABIA|ACCA|AGPA|AIDA|AIPA|AKIA|ANPA|ANVA|APKA|AROA|ASCA|ASIA)[A-Z0-9]{12,}\b")
# Users, sessions and roles: `user/team/anna`, `assumed-role/Builders/anna@example.org`.
PRINCIPAL = re.compile(r"(arn:[\w-]+:(?:iam|sts)::[^:]*:)(user|assumed-role|federated-user|role)/([\w+=,.@/-]+)")
FOLDER = re.compile(
    r"(?<![\w:/.<-])/(?:home|Users|root|tmp|var|private|work|opt|mnt|srv|usr|data)(?:/[^\s'\",;:)\]}]*)?"
)
LEAST = 4  # letters of a name that is looked for: shorter ones are parts of words
Data = Any


class Mask:
    """``names``: words that are masked wherever they stand alone; ``lake``: the lake's name, within other names too;
    ``secrets`` wherever they are."""

    def __init__(
        self, lake: str = "", names: Iterable[str] = (), secrets: Iterable[str] = (), folders: Iterable[str] = ()
    ) -> None:
        self._lake = lake
        # Keys of AWS are long. An endpoint of somebody else's may take `test`, which is a part of words.
        keys = sorted((re.escape(each) for each in secrets if len(each) > LEAST), key=len, reverse=True)
        self._keys = re.compile(rf"(?<![\w-])(?:{'|'.join(keys)})(?![\w-])") if keys else None
        self._folders = sorted({folder for folder in folders if len(folder) >= LEAST}, key=len, reverse=True)
        wanted = sorted({name for name in names if len(name) >= LEAST}, key=len, reverse=True)
        joined = "|".join(map(re.escape, wanted))
        self._names = re.compile(rf"(?<![\w-])(?:{joined})(?![\w-])") if wanted else None

    def text(self, text: str) -> str:
        if self._keys:
            text = self._keys.sub("<key>", text)
        for folder in self._folders:
            text = text.replace(folder, "<folder>")
        text = PRINCIPAL.sub(self._principal, text)
        if self._lake:
            # Database names take no hyphen.
            text = text.replace(self._lake, "<lake>").replace(self._lake.replace("-", "_"), "<lake>")
        text = KEY.sub("<key>", ACCOUNT.sub("<account>", text))
        text = FOLDER.sub("<folder>", text)
        return self._names.sub("<name>", text) if self._names else text

    def _principal(self, found: re.Match[str]) -> str:
        whose = found[2] == "role" and self._lake and found[3].endswith(self._lake)  # a role of the lake itself
        return found[0] if whose else f"{found[1]}{found[2]}/<name>"

    def data(self, value: Data) -> Data:
        """JSON-like data with each text masked, keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.data(each) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.data(each) for each in value]
        return value if isinstance(value, int | float | bool | None) else self.text(str(value))


def of_this_machine(lake: str, caller: str, names: Iterable[str], credentials: Any, out: Path) -> Mask:
    """``caller``: the ARN that STS gave; ``names``: those of the user's settings, as the profile."""
    people = re.split(r"[/:]", caller.rpartition(":")[2])[1:]
    machine = [socket.gethostname(), socket.getfqdn(), _user(), Path.home().name]
    secrets = [getattr(credentials, name, None) or "" for name in ("access_key", "secret_key", "token")]
    folders = [Path.home(), Path.cwd(), out.resolve(), tempfile.gettempdir(), sys.prefix, sys.base_prefix]
    plain = {"localhost", "root", "user"}  # of every second machine: they tell nothing
    return Mask(lake, {*people, *machine, *names} - plain, secrets, [str(folder) for folder in folders])


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process without an entry in passwd, as in a container
        return ""

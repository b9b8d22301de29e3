"""What the processes of functions and jobs may reach: the server's side of :mod:`lakectl.local.confined`.

They read the system, Python, Java and what they are given; they write what they are given and the shared temporary
folders. The user's home and the server's folder, which holds the keys of the endpoint, are hidden, but for what in
them was given.
"""

from __future__ import annotations

import os
import pwd
import site
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypedDict

# Not /home, /mnt, /srv, /var and their like; of /run only what the resolver needs.
SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/snap"),
    *("/proc", "/sys", "/run/systemd/resolve", "/var/lib/ca-certificates", "/home/linuxbrew/.linuxbrew"),
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
)
# Not /dev: the user's terminals are there.
SHARED = ("/tmp", "/dev/shm", "/dev/null", "/dev/zero", "/dev/full")  # noqa: S108 - as on Lambda
LAUNCHER = Path(__file__).with_name("confined.py")


class Policy(TypedDict):
    """Absolute paths, each with all that is below it; ``port``: the only TCP port to connect to, None for any.

    ``hidden`` is for systems where only what is forbidden can be named.
    """

    read: list[str]
    write: list[str]
    hidden: list[str]
    port: int | None


def policy(
    state_dir: Path, *, read: Iterable[Path] = (), write: Iterable[Path] = (), port: int | None = None
) -> Policy:
    """What a process may reach that is given the folders and files ``read`` and ``write``."""
    given = [str(each.resolve()) for each in (*_python(), *read)]
    # A home that is Python's own folder can't be hidden; what is below it still can.
    hidden = sorted({str(state_dir.resolve()), *_homes()} - {*given})
    return {
        "read": list(_visible([*SYSTEM, *given], hidden)),
        "write": list(_visible([*SHARED, *map(str, write)], hidden)),
        "hidden": [*hidden, f"/proc/{os.getpid()}"],
        "port": port,
    }


def _homes() -> set[str]:
    """The user's home folder, by environment and by account. "/" is none: some containers' users have it."""
    named = {os.environ.get("HOME", "/"), pwd.getpwuid(os.getuid()).pw_dir}
    return {str(Path(each).resolve()) for each in named} - {"/"}


@cache
def _python() -> tuple[Path, ...]:
    """Python itself, its packages, the certificates, and this folder, whose programs the processes run."""
    packages = {Path(each) for each in sys.path if Path(each).name in ("site-packages", "dist-packages")}
    user = {Path(site.getusersitepackages())} if site.ENABLE_USER_SITE else set()
    roots = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve(), Path(__file__).parent}
    certificates = {Path(os.environ["SSL_CERT_FILE"])} if os.environ.get("SSL_CERT_FILE") else set()
    return tuple(sorted(packages | user | roots | certificates))


def _visible(roots: Iterable[str], hidden: list[str]) -> Iterator[str]:
    """``roots`` without what is hidden below them: Landlock can't take away a part of what it gives."""
    for root in roots:
        path = os.path.realpath(root)
        if path in hidden:
            continue
        if not any(each.startswith(f"{path}/") for each in hidden):
            yield path
        elif os.path.isdir(path):  # noqa: PTH112 - a path of text all the way
            with os.scandir(path) as entries:
                # A link would give what it points to.
                yield from _visible([entry.path for entry in entries if not entry.is_symlink()], hidden)


def python_environ() -> dict[str, str]:
    """So that a process whose home is another folder finds the user's own packages (``pip install --user``)."""
    return {"PYTHONUSERBASE": site.getuserbase()} if site.ENABLE_USER_SITE else {}

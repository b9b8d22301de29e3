"""The Python that runs lakectl, and packages that claim its name."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from lakectl.findings import Finding, ok, problem, warning

OLDEST = (3, 11)
NEWEST_RUN = (3, 13)  # that the demo was run on: docs/install.md
REINSTALL = "pip install --force-reinstall --no-deps lakectl"


def findings() -> Iterator[Finding]:
    """Of this interpreter and its packages. Needs no configuration."""
    yield python(sys.version_info[:3], sys.executable)
    yield from packages(metadata.packages_distributions())
    yield from programs(sys.argv[0], shutil.which("lakectl"))


def python(version: tuple[int, ...], executable: str) -> Finding:
    """``version``: (3, 11, 7)."""
    text = f"{'.'.join(map(str, version))} ({executable})"
    if version[:2] < OLDEST:
        return problem("Python", f"{text} is older than 3.11", "python3.11 -m pip install lakectl")
    if version[:2] > NEWEST_RUN:
        newest = ".".join(map(str, NEWEST_RUN))
        return warning(
            "Python", f"{text}: lakectl was run on 3.11 to {newest}", f"python{newest} -m pip install lakectl"
        )
    return ok("Python", text)


def packages(distributions: Mapping[str, list[str]]) -> Iterator[Finding]:
    """``distributions``: top-level package -> the distributions that installed it.

    PyPI's ``lakefs`` is one that brings a package called ``lakectl``, and overwrites files of this one.
    """
    others = sorted(set(distributions.get("lakectl", [])) - {"lakectl"})
    if not others:
        yield ok("packages", "no other package installs a Python package called lakectl")
    for other in others:
        yield problem(
            "packages",
            f"{other} installs a Python package called lakectl too, over files of this one",
            f"pip uninstall --yes {other} && {REINSTALL}",
        )


def programs(running: str, on_path: str | None) -> Iterator[Finding]:
    """``running``: how this program was started; ``on_path``: what a shell starts as ``lakectl``, if anything.

    lakeFS's command is called ``lakectl`` too.
    """
    if on_path is None or Path(running).name != "lakectl":  # python -m lakectl
        return
    if Path(on_path).resolve() != Path(running).resolve():
        yield warning("packages", f"`lakectl` on PATH is {on_path}, and this is {running}", f"alias lakectl={running}")

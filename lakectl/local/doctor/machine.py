"""The packages of the local target, disk space and memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from lakectl.findings import Finding, ok, problem, unchecked, warning
from lakectl.local import control, jars, spark_conf

if TYPE_CHECKING:
    from packaging.requirements import Requirement

INSTALL = "pip install 'lakectl[local]'"
# After the demo: 11 MB in the state folder; 69 MB of jars and a class archive of 185 MB in the cache (docs/install.md).
LEAST_FREE, COMFORTABLE_FREE = 300 * 10**6, 10**9
# A run's heap is half of the memory; below 512 MB Spark does not start (UnifiedMemoryManager asks for 450 MB).
LEAST_MEMORY_MB, COMFORTABLE_MEMORY_MB = 1024, 4096


def findings(worker_type: str) -> Iterator[Finding]:
    yield packages()
    yield disk("state folder", control.server_dir(), free(control.server_dir()))
    yield disk("cache", jars.cache_dir(), free(jars.cache_dir()))
    yield memory(spark_conf.machine_memory_mb(), spark_conf.driver_heap_mb(worker_type))


def missing(requirements: Iterable[Requirement]) -> list[str]:
    """Which of the extra ``local`` are not installed, or in another version: ``duckdb==1.5.5 (here 1.4.0)``.

    ``requirements``: all of lakectl's, as its metadata has them.
    """
    wrong = []
    for requirement in requirements:
        if requirement.marker is None or not requirement.marker.evaluate({"extra": "local"}):
            continue
        if requirement.marker.evaluate({"extra": ""}):  # needed without the extra too
            continue
        asked = f"{requirement.name}{requirement.specifier}"
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(asked)
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{asked} (here {found})")
    return wrong


def packages() -> Finding:
    """Whether what ``lakectl[local]`` brings is installed."""
    try:
        from packaging.requirements import Requirement
    except ImportError as error:  # the extra brings it
        return problem("local packages", f"lakectl[local] is not installed: {error}", INSTALL)
    try:
        asked = metadata.requires("lakectl") or []
    except metadata.PackageNotFoundError:
        return unchecked(
            "local packages", "lakectl runs from a folder and is not installed", "pip install -e '.[local]'"
        )
    wrong = missing(map(Requirement, asked))
    if wrong:
        return problem("local packages", f"missing or in another version: {', '.join(wrong)}", INSTALL)
    return ok("local packages", "those of lakectl[local] are there")


def free(folder: Path) -> int:
    """Bytes free where ``folder`` is, or would be made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def disk(what: str, folder: Path, free_bytes: int) -> Finding:
    variable = "XDG_STATE_HOME" if what == "state folder" else "XDG_CACHE_HOME"
    text = f"{free_bytes / 10**9:,.1f} GB free for the {what} ({folder})"
    if free_bytes >= COMFORTABLE_FREE:
        return ok("disk", text)
    found = problem if free_bytes < LEAST_FREE else warning
    return found("disk", f"{text}; the demo needs {LEAST_FREE / 10**9:.1f} GB", f"export {variable}=/another/disk")


def memory(machine_mb: int, heap_mb: int) -> Finding:
    """``machine_mb``: of the machine, or what its container may use; ``heap_mb``: what a Spark run would get."""
    text = f"{machine_mb / 1024:,.1f} GiB, of which a Spark run gets {heap_mb / 1024:,.1f} GiB"
    if machine_mb >= COMFORTABLE_MEMORY_MB:
        return ok("memory", text)
    enough = f"{COMFORTABLE_MEMORY_MB // 1024} GiB are enough for files of some hundred megabytes"
    if machine_mb < LEAST_MEMORY_MB:
        return problem("memory", f"{text}: Spark does not start; {enough}")
    return warning("memory", f"{text}; {enough}")

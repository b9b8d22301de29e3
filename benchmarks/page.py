"""``docs/benchmarks.md``: the figures with the machine and the versions that they were measured with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.sandbox import Figure

PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
PACKAGES = ("boto3", "duckdb", "moto", "pyarrow", "pyiceberg", "pyspark")
HEAD = """\
# Benchmarks

Written by `make bench`, which measures each figure on a local AWS of its own: whole processes, unless the line says
otherwise. `python -m benchmarks --write NAME` measures one section again. ✓ and ✗ say whether a promise was kept in
this run. Seconds depend on the machine and on what else it does; ratios do so less.

"""
TITLES = {
    "everyday": "Commands of every day, on the lake of the demo",
    "provisioning_up": "`up` from nothing",
    "provisioning_plan": "`plan` of a complete lake",
    "provisioning_down": "`down`",
    "landing": "Landing files",
    "events": "From a put to a run",
    "many_landings": "A lake with 10,000 landings",
    "many_sources": "A lake with 20 sources",
    "validate": "`validate`",
    "local_aws": "The local AWS by itself",
    "stored_state": "The local AWS, with ten times as much stored",
    "athena": "Queries of the local Athena",
    "transform": "The transform of the tutorial",
    "transform_sizes": "The transform by size",
    "transform_modes": "Copy-on-write and merge-on-read",
}


def text(figures: Mapping[str, Sequence[Figure]], before: str = "") -> str:
    """The page. ``figures``: by the name of the module that measured them. ``before``: the page as it was, whose other
    sections stay, each with the machine that it was measured on."""
    sections = _sections(before) | {name: _section(name, found) for name, found in figures.items()}
    return (HEAD + "\n".join(sections[name] for name in TITLES if name in sections)).rstrip() + "\n"


def write(figures: Mapping[str, Sequence[Figure]]) -> None:
    """Put ``figures`` into the page."""
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    PAGE.write_text(text(figures, before), encoding="utf-8")


def _section(name: str, figures: Sequence[Figure]) -> str:
    lines = [f"## {TITLES[name]}", "", "| | Measured | Promised |", "|---|---|---|"]
    for figure in figures:
        mark = {None: "", True: " ✓", False: " ✗"}[figure.met]
        lines.append(f"| {_cell(figure.what)} | {_cell(figure.measured)} | {_cell(figure.promised)}{mark} |")
    return "\n".join([*lines, "", _machine()])


def _sections(page: str) -> dict[str, str]:
    names = {title: name for name, title in TITLES.items()}
    parts = [part.partition("\n") for part in page.split("\n## ")[1:]]
    return {names[title]: f"## {title}\n{rest.rstrip()}\n" for title, _, rest in parts if title in names}


def _machine() -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[2]
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {_processor()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB of memory, {platform.system()} {platform.machine()}, load average {load:.1f}. "
        f"Python {platform.python_version()}, {versions}.\n"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or "processor unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _cell(value: str) -> str:
    return value.replace("|", "\\|")

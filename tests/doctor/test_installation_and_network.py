"""`lakectl doctor`: Python, packages of the same name, proxies and the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from lakectl.findings import Level
from lakectl.ops.doctor import account, installation, network

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ((3, 10, 4), Level.PROBLEM),
        ((3, 11, 0), Level.OK),
        ((*installation.NEWEST_RUN, 9), Level.OK),
        ((3, 15, 0), Level.WARNING),
    ],
)
def test_python(version: tuple[int, ...], level: Level) -> None:
    found = installation.python(version, "/usr/bin/python")
    assert found.level is level
    assert (found.command is None) == (level is Level.OK)


def test_a_package_that_brings_lakectl_too_is_a_problem() -> None:
    (fine,) = installation.packages({"lakectl": ["lakectl"], "yaml": ["pyyaml"]})
    assert fine.level is Level.OK
    (clash,) = installation.packages({"lakectl": ["lakectl", "lakefs"]})
    assert clash.level is Level.PROBLEM
    assert str(clash.command).startswith("pip uninstall --yes lakefs && pip install --force-reinstall")


def test_another_program_called_lakectl_on_the_path_is_named(tmp_path: Path) -> None:
    ours, other, link = tmp_path / "a" / "lakectl", tmp_path / "b" / "lakectl", tmp_path / "c" / "lakectl"
    for path in (ours, other, link):
        path.parent.mkdir()
    ours.touch()
    other.touch()
    link.symlink_to(ours)  # as pipx does
    assert list(installation.programs(str(ours), str(link))) == []
    assert list(installation.programs(str(ours), None)) == []
    assert list(installation.programs("/lib/lakectl/__main__.py", str(other))) == []
    (found,) = installation.programs(str(ours), str(other))
    assert found.level is Level.WARNING
    assert str(other) in found.text


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_a_proxy_that_takes_calls_to_this_machine(no_proxies: pytest.MonkeyPatch) -> None:
    assert network.proxies("http://127.0.0.1:4000").level is Level.OK
    no_proxies.setenv("HTTP_PROXY", "http://me:secret@proxy:3128")
    found = network.proxies("http://127.0.0.1:4000")
    assert found.level is Level.WARNING
    assert "me:***@proxy:3128" in found.text
    assert "secret" not in found.text
    assert str(found.command).startswith('export NO_PROXY="127.0.0.1,localhost')
    no_proxies.setenv("NO_PROXY", "127.0.0.1")
    assert network.proxies("http://127.0.0.1:4000").level is Level.OK


def test_a_proxy_on_the_way_to_aws_is_named(no_proxies: pytest.MonkeyPatch) -> None:
    no_proxies.setenv("HTTPS_PROXY", "http://proxy:3128")
    found = network.proxies("https://sts.eu-west-1.amazonaws.com")
    assert (found.level, "proxy:3128" in found.text) == (Level.OK, True)


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, Level.OK), (-59, Level.OK), (100, Level.WARNING), (-301, Level.PROBLEM), (7200, Level.PROBLEM)],
)
def test_the_clock(seconds: int, level: Level) -> None:
    date = format_datetime(NOW - timedelta(seconds=seconds), usegmt=True)
    found = network.clock({"date": date}, NOW)
    assert found.level is level
    if level is not Level.OK:
        assert ("ahead of" in found.text) == (seconds > 0)


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
def test_an_answer_without_a_date_says_that_the_clock_was_not_checked(headers: dict[str, str]) -> None:
    assert network.clock(headers, NOW).level is Level.UNCHECKED


def test_a_region_without_one_of_the_services() -> None:
    everywhere = {"glue": ["eu-west-1"], "athena": ["eu-west-1"]}
    assert account.region("eu-west-1", everywhere).level is Level.OK
    found = account.region("eu-west-1", everywhere | {"athena": []})
    assert (found.level, "no athena" in found.text) == (Level.PROBLEM, True)


def test_the_glue_version_of_the_job_that_is_there() -> None:
    assert account.glue_version("5.1", "5.1", "eu-west-1").level is Level.OK
    assert account.glue_version("5.1", "5.0", "eu-west-1").command == "lakectl up"
    assert account.glue_version("5.1", None, "eu-west-1").level is Level.UNCHECKED

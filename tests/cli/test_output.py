"""What the output for people draws itself."""

from __future__ import annotations

import json

import pytest

from lakectl import tables
from lakectl.output import Console, Json

BARS = [("web", 100.0, "100.00"), ("store", 50.0, "50.00"), ("none", 0.0, "0.00")]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.usefixtures("terminal")
def test_bars_are_as_long_as_their_values(capsys: pytest.CaptureFixture[str]) -> None:
    Console().bars(BARS)
    lines = capsys.readouterr().out.splitlines()
    assert [line.count("█") for line in lines] == [40, 20, 0]
    assert [line.split()[0] for line in lines] == ["web", "store", "none"]
    assert [line.split()[-1] for line in lines] == ["100.00", "50.00", "0.00"]
    assert max(map(len, lines)) <= 80
    Console().bars([("nothing", 0.0, "0"), ("[/red] of a file", 0.0, "0")])
    Console().bars([])
    shown = capsys.readouterr().out
    assert "█" not in shown
    assert "[/red] of a file" in shown


def test_a_pipe_gets_names_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    Console().bars(BARS)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [[name, text] for name, _, text in BARS]
    Json().bars(BARS)
    Json().result({"a": 1})
    assert json.loads(capsys.readouterr().out) == {"a": 1}


@pytest.mark.usefixtures("terminal")
def test_the_live_line_never_takes_two(capsys: pytest.CaptureFixture[str]) -> None:
    """It is written ten times a second; one that wrapped left its first part behind each time."""
    with Console().busy("x" * 200) as update:
        update("jr_" + "y" * 200)
    shown = capsys.readouterr().out
    assert "…" in shown
    assert "x" * 78 not in shown
    assert "y" * 76 not in shown


def test_a_number_stays_with_its_unit() -> None:
    assert tables.wrapped("reads 12 GiB in 12.9 s and so on", 9) == ["reads", "12 GiB in", "12.9 s", "and so on"]

"""What ``lakectl doctor`` finds: one line for each check, and the command that fixes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """A warning doesn't stop lakectl, a problem does. ``UNCHECKED``: the check could not be made."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNCHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """``text``: one line, what is wrong and the value. ``command`` fixes it; None where there is nothing to type."""

    check: str
    level: Level
    text: str
    command: str | None = None


def ok(check: str, text: str) -> Finding:
    return Finding(check, Level.OK, text)


def warning(check: str, text: str, command: str | None = None) -> Finding:
    return Finding(check, Level.WARNING, text, command)


def problem(check: str, text: str, command: str | None = None) -> Finding:
    return Finding(check, Level.PROBLEM, text, command)


def unchecked(check: str, text: str, command: str | None = None) -> Finding:
    return Finding(check, Level.UNCHECKED, text, command)

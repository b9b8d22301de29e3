"""What a step is, what came of it, and what the steps share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from lakectl.errors import LakectlError
from lakectl.ops.acceptance.calls import Calls
from lakectl.ops.lake import Lake
from lakectl.ops.landing.land import Landed
from lakectl.ops.runs.transform import JobRun


class Outcome(StrEnum):
    """``SKIPPED``: a step that it needs has failed."""

    OK = "ok"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Seen:
    """What a step saw: one line for people, facts for programs (JSON-like)."""

    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class StepFailed(LakectlError):
    """A step saw something else than it should. ``facts``: what helps to find out why."""

    def __init__(self, message: str, hint: str | None = None, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, hint)
        self.facts = facts or {}


@dataclass
class Trial:
    """The lake under trial, and what steps hand on to later ones.

    ``folder`` takes the files that are landed. In seconds: ``observe_s``, how long the plan is looked at;
    ``event_limit_s``, how long a run that an event should start is waited for; ``patience_s``, the same of rows and of
    what reads late. ``say`` takes what is being done, in a few words. ``runs``: the job runs that were followed, by id.
    """

    lake: Lake
    folder: Path
    calls: Calls
    observe_s: float
    event_limit_s: float
    patience_s: float = 180.0
    say: Callable[[str], None] = lambda _: None
    made_at: float = field(default_factory=time.monotonic)
    landed: list[Landed] = field(default_factory=list)
    runs: dict[str, JobRun] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """``do`` raises :class:`LakectlError` for what is not as it should be. ``vital``: later steps make no sense
    without it. ``advice``: what to do when it fails and the error says nothing. ``brief``: of its calls only the
    number is kept."""

    name: str
    title: str
    do: Callable[[Trial], Seen]
    vital: bool = False
    advice: str = "send evidence.md with a bug report (docs/aws.md)"
    brief: bool = False


@dataclass(frozen=True)
class StepResult:
    """``started_at``: ISO 8601 UTC. ``calls``: of AWS, as :meth:`Calls.told` has them."""

    name: str
    title: str
    outcome: Outcome
    started_at: str = ""
    seconds: float = 0.0
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    advice: str = ""
    exit_code: int = 0
    calls: Mapping[str, Any] = field(default_factory=dict)

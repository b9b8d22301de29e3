"""What counts: findings and tool errors against ``out_of_scope.yaml``."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

OUT_OF_SCOPE = Path(__file__).with_name("out_of_scope.yaml")


@dataclass(frozen=True)
class Finding:
    """A failed check of one resource (its ARN, or a policy's name)."""

    check: str
    resource: str
    detail: str


@dataclass(frozen=True)
class Answer:
    """What a tool said. ``results`` counts passes and failures, ``errors`` are what it could not ask."""

    tool: str
    checks: int
    results: int
    failed: tuple[Finding, ...]
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    answer: Answer
    in_scope: tuple[Finding, ...]
    unexpected_errors: tuple[str, ...]
    stale: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not (self.in_scope or self.unexpected_errors or self.stale)


def load(path: Path = OUT_OF_SCOPE) -> dict[str, dict[str, list[dict[str, str]]]]:
    """Tool → findings, errors, not_run. Raises ``ValueError`` for an entry without a reason."""
    scope: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for tool, parts in scope.items():
        for part, entries in parts.items():
            for entry in entries:
                if not str(entry.get("reason", "")).strip():
                    raise ValueError(f"{path.name}: {tool}.{part}: {entry} has no reason; say why it is out of scope")
    return scope


def judge(answer: Answer, scope: dict[str, list[dict[str, str]]]) -> Verdict:
    """Which findings and errors the list does not excuse, and which entries excuse nothing."""
    findings, errors = scope.get("findings", []), scope.get("errors", [])
    stale = [e["check"] for e in findings if not any(_excuses(e, finding) for finding in answer.failed)]
    stale += [e["error"] for e in errors if not any(fnmatchcase(text, e["error"]) for text in answer.errors)]
    return Verdict(
        answer,
        tuple(f for f in answer.failed if not any(_excuses(e, f) for e in findings)),
        tuple(text for text in answer.errors if not any(fnmatchcase(text, e["error"]) for e in errors)),
        tuple(stale),
    )


def _excuses(entry: dict[str, str], finding: Finding) -> bool:
    return fnmatchcase(finding.check, entry["check"]) and fnmatchcase(finding.resource, entry.get("resource", "*"))

"""Carrying out the steps. Whatever happens meanwhile, the lake is deleted at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lakectl.aws import explain
from lakectl.errors import LakectlError
from lakectl.ops.acceptance.model import Outcome, Seen, Step, StepFailed, StepResult, Trial

FAILURES = (LakectlError, ClientError, BotoCoreError, ResponseParserError)
Observer = Callable[[StepResult], None]


def carry_out(trial: Trial, steps: Sequence[Step], observer: Observer) -> list[StepResult]:
    """The steps in order. After a vital one that failed the others are skipped; after Ctrl-C, too.

    Never raises for what AWS, a person or a step can cause: the results say it.
    """
    results: list[StepResult] = []
    stopped = False
    for step in steps:
        result = StepResult(step.name, step.title, Outcome.SKIPPED) if stopped else _carried_out(trial, step)
        try:
            observer(result)
        except KeyboardInterrupt:
            result = replace(result, outcome=Outcome.INTERRUPTED)
            observer(result)
        results.append(result)
        stopped = stopped or result.outcome is Outcome.INTERRUPTED or (step.vital and result.outcome is Outcome.FAILED)
    return results


def story_and_end(
    trial: Trial, story: Sequence[Step], ending: Sequence[Step], observer: Observer, interrupted: Callable[[], None]
) -> list[StepResult]:
    """The story, then the ending, which deletes the lake: also after a failure, a Ctrl-C, or a fault of ours.

    ``interrupted`` is told of a Ctrl-C before the ending begins. A second one leaves the lake as it is then. Raises
    what ``observer`` has raised, once the lake is deleted.
    """
    trouble: list[LakectlError | OSError] = []

    def note(result: StepResult) -> None:
        try:
            observer(result)
        except (
            LakectlError,
            OSError,
        ) as error:  # a full disk, a closed pipe: the lake is deleted all the same
            trouble.append(error)

    results: list[StepResult] = []
    try:
        results += carry_out(trial, story, note)
    finally:
        try:
            if any(result.outcome is Outcome.INTERRUPTED for result in results):
                interrupted()
        finally:
            results += carry_out(trial, ending, note)
    if trouble:
        raise trouble[0]
    return results


def _carried_out(trial: Trial, step: Step) -> StepResult:
    started_at, began, first = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", time.monotonic(), trial.calls.count()
    seen, error, outcome = Seen(""), None, Outcome.OK
    try:
        seen = step.do(trial)
    except FAILURES as failure:
        error, outcome = explain(failure), Outcome.FAILED
        if _follows_an_interrupt(failure):
            outcome = Outcome.INTERRUPTED
    except KeyboardInterrupt:
        outcome = Outcome.INTERRUPTED
    facts = error.facts if isinstance(error, StepFailed) else seen.facts
    return StepResult(
        name=step.name,
        title=step.title,
        outcome=outcome,
        started_at=started_at,
        seconds=round(time.monotonic() - began, 3),
        detail=seen.detail,
        facts=facts,
        problem=error.message if error else "",
        advice=(error.hint or step.advice) if error else "",
        exit_code=error.exit_code if error else 0,
        calls=trial.calls.told(first, brief=step.brief),
    )


def _follows_an_interrupt(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None

"""From files to silver: landed, loaded by a run that an event started, checked; again, bad, and a second batch."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lakectl.core.glue_runs import short
from lakectl.core.ledger_versions import CLAIMED, DUPLICATE, FAILED, LOADED, PENDING
from lakectl.errors import LakectlError, UsageError
from lakectl.ops.acceptance import files
from lakectl.ops.acceptance.model import Seen, StepFailed, Trial
from lakectl.ops.checks.model import counted
from lakectl.ops.checks.validate import validate as checks_of
from lakectl.ops.landing import land as landing
from lakectl.ops.landing.land import Landed
from lakectl.ops.runs import logs, transform, wait
from lakectl.ops.runs.transform import Job, JobRun
from lakectl.ops.tables import query
from lakectl.ops.tables.snapshots import snapshots, table_of

POLL_S = 1.0
RECENT = 20  # runs in which new ones are looked for
LOG_LINES = 40  # of a run that failed, or a function that did nothing
LOG_MS = 3_600_000  # how far back they are looked for
BAD, CORRECTED = "0001", "0002"  # batches


def land(trial: Trial) -> Seen:
    lake = trial.lake
    found = files.first(trial.folder)
    trial.landed = landing.land(lake, landing.prepare(lake.config, found), _today())
    began = time.monotonic()
    trial.say("waiting for the run log")
    try:
        wait.for_run_items(lake, trial.landed, trial.patience_s)
    except LakectlError as error:
        raise StepFailed(error.message, facts={"log": _function_log(trial, "log")}) from error
    seconds = time.monotonic() - began
    return Seen(
        f"{counted(len(found), 'file')}, in the run log after {seconds:.1f} s", {"run_log_s": round(seconds, 3)}
    )


def event_run(trial: Trial) -> Seen:
    """The run that the landing starts: nobody here starts one."""
    run, waited = loaded(trial, trial.landed, LOADED)
    return Seen(
        f"run {run.state}, {waited:.0f} s after the landing; {_rows(run)}", {"loaded_s": round(waited, 1), **_told(run)}
    )


def validate(trial: Trial) -> Seen:
    found = list(checks_of(trial.lake, on_start=trial.say))
    failed = [check for check in found if check.passed is False]
    told = [
        {"name": check.full_name, "passed": check.passed, "detail": " ".join(check.detail.split())} for check in found
    ]
    if failed:
        names = ", ".join(f"{check.full_name} ({' '.join(check.detail.split())})" for check in failed)
        raise StepFailed(f"{len(failed)} of {len(found)} checks failed: {names}", facts={"checks": told})
    passed = sum(check.passed is True for check in found)
    return Seen(f"{passed} checks passed, {len(found) - passed} could not be judged", {"checks": told})


def duplicate(trial: Trial) -> Seen:
    """`land` sends nothing again; and what another program sends again is a DUPLICATE that starts no run."""
    lake = trial.lake
    before = _current(trial)
    again = landing.land(lake, landing.prepare(lake.config, files.first(trial.folder)), _today())
    if sent := [each.key for each in again if each.outcome != "already"]:
        raise StepFailed(f"land sent the same bytes again: {', '.join(sent)}")
    last = trial.landed[-1]
    body = (trial.folder / f"{last.source}.csv").read_bytes()
    put = lake.client("s3").put_object(Bucket=last.bucket, Key=last.key, Body=body)
    copy = Landed(last.path, last.source, last.bucket, last.key, put.get("VersionId"), len(body), "landed")
    status = _settled(trial, [copy], trial.patience_s, (DUPLICATE, LOADED, FAILED))[copy.key]
    if status != DUPLICATE:
        raise StepFailed(f"the same bytes under the same key are {status or 'not in the run log'}, not {DUPLICATE}")
    started = _new_runs(trial)
    if _current(trial) != before or started:
        raise StepFailed(f"a duplicate changed silver, or started a run: {', '.join(started) or 'a new snapshot'}")
    return Seen("already landed; put again by another program: DUPLICATE, no run, the same snapshot")


def bad_file(trial: Trial) -> Seen:
    """Refused by `land`; and where another program sends it, by the run, which names the value."""
    lake, (bad, _) = trial.lake, files.bad_and_corrected(trial.folder)
    before = _current(trial)
    try:
        landing.prepare(lake.config, [bad])
    except UsageError as error:
        told = error.message
    else:
        raise StepFailed("land takes a file whose row has a date that no calendar has")
    landed = landing.land(lake, [files.unchecked(bad)], _today(), BAD)
    _, waited = loaded(trial, landed, FAILED)
    entry = next(iter(wait.RunItems(lake, landed).look().values()))
    if files.BAD_VALUE not in told or files.BAD_VALUE not in entry.reason:
        raise StepFailed(f"the refusal does not name {files.BAD_VALUE}: {told}; {entry.reason}")
    if _current(trial) != before:
        raise StepFailed("a refused file changed silver")
    return Seen(f"refused by land and by the run: {entry.reason}", {"refused_s": round(waited, 1), "land": told})


def second_batch(trial: Trial) -> Seen:
    lake, (_, corrected) = trial.lake, files.bad_and_corrected(trial.folder)
    before = rows(trial)
    landed = landing.land(lake, landing.prepare(lake.config, [corrected]), _today(), CORRECTED)
    trial.landed += landed
    run, waited = loaded(trial, landed, LOADED)
    if (now := rows(trial)) != before + files.CORRECTED_ROWS:
        raise StepFailed(f"silver has {now:,} rows after the second batch, not {before + files.CORRECTED_ROWS:,}")
    return Seen(f"run {run.state} after {waited:.0f} s; {now:,} rows", {"loaded_s": round(waited, 1), **_told(run)})


def loaded(trial: Trial, landed: Sequence[Landed], wanted: str) -> tuple[JobRun, float]:
    """Wait until each of ``landed`` is ``wanted``; the last run that was followed, and the seconds it took.

    Only looks: it starts no run. Raises :class:`StepFailed`.
    """
    began = time.monotonic()
    refused = wanted == FAILED
    seen = _settled(trial, landed, trial.event_limit_s, (LOADED, FAILED, DUPLICATE), may_fail=refused)
    for key, status in seen.items():
        if status in ("", PENDING, CLAIMED) and not trial.runs:
            raise StepFailed(
                f"no run was started by the landing of {key} within {trial.event_limit_s:.0f} s",
                "lakectl smoke, on a lake of yours, names the trigger path that is silent",
                {"log": _function_log(trial, "start")},
            )
        if status != wanted:
            raise StepFailed(f"{key} is {status or 'not in the run log'}, not {wanted}", facts={"runs": _all(trial)})
    last = list(trial.runs.values())[-1]
    return last, time.monotonic() - began


def _settled(
    trial: Trial, landed: Sequence[Landed], limit_s: float, ends: Sequence[str], *, may_fail: bool = False
) -> dict[str, str]:
    """The load status of each key, once all of them are one of ``ends`` or the time is over. Follows new runs."""
    items, deadline = wait.RunItems(trial.lake, landed), time.monotonic() + limit_s
    while True:
        for run_id in _new_runs(trial):
            follow(trial, run_id, may_fail=may_fail)
        found = items.look()
        status = {each.key: "" for each in landed}
        status |= {key: entry.load_status for (key, _), entry in found.items()}
        if all(each in ends for each in status.values()) or time.monotonic() > deadline:
            return status
        trial.say(f"waiting: {', '.join(sorted({each or 'not in the run log' for each in status.values()}))}")
        time.sleep(POLL_S)


def _new_runs(trial: Trial) -> list[str]:
    """Runs of the transform that nobody has followed, the oldest first."""
    return [run.id for run in transform.recent(trial.lake, RECENT) if run.id not in trial.runs][::-1]


def follow(trial: Trial, run_id: str, job: Job | None = None, *, may_fail: bool = False) -> JobRun:
    """Wait for a run's end. Raises :class:`StepFailed`, with what it printed last, unless it succeeded or may fail, as
    a run does that refuses a landing."""
    lines: deque[str] = deque(maxlen=LOG_LINES)
    run = transform.follow(
        trial.lake, run_id, lambda run: trial.say(f"run {short(run.id)}: {run.state}"), lines.append, job
    )
    trial.runs[run.id] = run
    if run.state != "SUCCEEDED" and not may_fail:
        message = f"run {short(run.id)} {run.state}: {run.error or 'no reason given'}"
        raise StepFailed(message, facts={**_told(run), "log": list(lines)})
    return run


def _function_log(trial: Trial, which: str) -> list[str]:
    """What a function printed last, or why that can't be read. The lake is gone when somebody reads it."""
    try:
        return [line.message for line in logs.lines(trial.lake, which, int(time.time() * 1000) - LOG_MS)][-LOG_LINES:]
    except LakectlError as error:
        return [error.message]


def rows(trial: Trial) -> int:
    """Of the silver table that the story is about."""
    table = f'"{trial.lake.names.silver_database}"."{table_of(trial.lake)}"'
    return int(query.run(trial.lake, f"SELECT COUNT(*) FROM {table}").value or 0)  # noqa: S608


def _current(trial: Trial) -> str:
    return next(each.id for each in snapshots(trial.lake) if each.current)


def _today() -> Any:
    return datetime.now(UTC).date()


def _rows(run: JobRun) -> str:
    counts = {name: run.result.get(f"rows_{name}") for name in ("read", "inserted", "updated", "rejected")}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "nothing pending"


def _told(run: JobRun) -> dict[str, Any]:
    hours = run.dpu_hours
    return {
        "run": run.id,
        "state": run.state,
        "seconds": run.seconds,
        "dpu_hours": None if hours is None else round(hours, 4),
    }


def _all(trial: Trial) -> list[dict[str, Any]]:
    return [_told(run) for run in trial.runs.values()]

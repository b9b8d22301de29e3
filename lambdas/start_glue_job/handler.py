"""Starts the Glue job when there is something for it to do. Called for three reasons:

* an orders file landed (EventBridge ``Object Created``, or S3 ``Records[]``): ledger first, then start
* the daily schedule: starts nothing when nothing is pending, so that an idle lake costs nothing
* a run ended (``Glue Job State Change``): starts the next one if landings came in meanwhile

Losing one of these calls loses nothing: what is pending stays in the ledger and the next run drains it.

Environment: DDB_TABLE, GLUE_JOB, RAW_BUCKET, LANDING_PREFIX (default ``retail/``).
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

import boto3
import s3_events
from botocore.config import Config
from ledger import Entry, Ledger

LEDGER = Ledger(os.environ["DDB_TABLE"])
GLUE = boto3.client("glue", config=Config(retries={"mode": "standard", "max_attempts": 8}))
JOB = os.environ["GLUE_JOB"]
BUCKET = os.environ["RAW_BUCKET"]
PREFIX = os.environ.get("LANDING_PREFIX", "retail/")
SOURCES = tuple(os.environ.get("SOURCES", "customers,products,orders").split(","))
TRIGGER = "orders"

ENDED = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"}
# A run in these states has not read the ledger yet: it will drain what was recorded before this call.
BEFORE_READING = {"WAITING", "STARTING"}
# A crash may be the landing's fault. After this many claims only a new landing, the schedule or a
# person tries it again.
MOST_ATTEMPTS = 3


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Returns ``{"started": run id or None, "why": one line}``."""
    if event.get("source") == "aws.glue":
        answer = after_run(event["detail"])
    elif event.get("source") == "aws.events":
        answer = start({}, "schedule", waiting_entries())
    else:
        answer = after_landing(event)
    log("started" if answer["started"] else "not_started", **answer)
    return answer


def after_landing(event: dict[str, Any]) -> dict[str, Any]:
    landed = [
        landing
        for landing in s3_events.landings(event, PREFIX)
        if landing.bucket == BUCKET and landing.source == TRIGGER and landing.loadable
    ]
    for landing in landed:
        entry = LEDGER.record(landing)
        log("recorded" if entry.is_new else "already_recorded", key=landing.key, load_status=entry.load_status)
    if not landed:
        return nothing(f"no {TRIGGER} landing in this event")
    folder = landed[0].key.rsplit("/", 1)[0]
    arguments = {
        "--RAW_ORDERS_PATH": f"s3://{BUCKET}/{folder}/",
        "--BATCH_ID": landed[0].batch or "none",
    }
    return start(arguments, "landing", waiting_entries())


def after_run(detail: dict[str, Any]) -> dict[str, Any]:
    """The next run, if the one that ended left work that it did not itself fail on."""
    state, run_id = detail.get("state"), detail.get("jobRunId", "")
    if detail.get("jobName") != JOB or state not in ENDED:
        return nothing(f"not the end of a run of {JOB}")
    entries = waiting_entries()
    if state not in ("SUCCEEDED", "EXPIRED"):
        entries = [entry for entry in entries if worth_another_run(entry, run_id, state, started_on(run_id))]
    return start({}, f"run {run_id} ended {state}", entries)


def worth_another_run(entry: Entry, run_id: str, state: str | None, began: str) -> bool:
    """After a run that failed: what came after it began, and, up to a limit, what it died holding.

    What it never claimed was there for it to load, so a second run would fail the same way; without this
    a job that can't start would be started for ever.
    """
    if entry.claimed_by == run_id:
        return state != "STOPPED" and entry.attempts < MOST_ATTEMPTS
    return entry.recorded_at > began


def start(arguments: dict[str, str], reason: str, entries: list[Entry]) -> dict[str, Any]:
    if not entries:
        return nothing(f"{reason}: nothing is pending")
    ahead = [run["Id"] for run in recent_runs() if run["JobRunState"] in BEFORE_READING]
    if ahead:
        return nothing(f"{reason}: run {ahead[0]} has not begun yet and will load the {len(entries)} pending")
    try:
        # Queueing is asked for on the run: the job's own setting does not apply when this is unset.
        run = GLUE.start_job_run(JobName=JOB, Arguments=arguments, JobRunQueuingEnabled=True)
    except GLUE.exceptions.ConcurrentRunsExceededException:
        # The end of the run that is in the way calls us again, and the ledger still has the landings.
        return nothing(f"{reason}: {JOB} runs at its limit; the end of that run starts the next")
    return {"started": run["JobRunId"], "why": f"{reason}: {len(entries)} landings are pending"}


def waiting_entries() -> list[Entry]:
    """Pending landings that no active run holds."""
    entries = [entry for source in SOURCES for entry in LEDGER.pending(source)]
    if not any(entry.claimed_by for entry in entries):
        return entries
    active = {run["Id"] for run in recent_runs() if run["JobRunState"] not in ENDED}
    return [entry for entry in entries if entry.claimed_by not in active]


def recent_runs() -> list[dict[str, Any]]:
    return GLUE.get_job_runs(JobName=JOB, MaxResults=50)["JobRuns"]


def started_on(run_id: str) -> str:
    run = GLUE.get_job_run(JobName=JOB, RunId=run_id)["JobRun"]
    began: datetime = run["StartedOn"]
    return began.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def nothing(why: str) -> dict[str, Any]:
    return {"started": None, "why": why}


def log(what: str, **fields: Any) -> None:
    print(json.dumps({"what": what, **fields}, ensure_ascii=False, default=str))

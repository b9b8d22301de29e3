"""Starts the Glue job when there is something for it to do. Called for three reasons:

* a file landed whose source starts runs (EventBridge ``Object Created``, or S3 ``Records[]``): ledger first, then start
* the daily schedule: starts nothing when nothing is pending, so that an idle lake costs nothing
* a run ended (``Glue Job State Change``): starts the next one if landings came in meanwhile

Losing one of these calls loses nothing: what is pending stays in the ledger and the next run drains it.

Environment: DDB_TABLE, GLUE_JOB, RAW_BUCKET, LANDING_PREFIX. The lake's sources are in lake.json, beside this file.
"""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from lakectl.core import quick_test
from lakectl.core.glue_runs import ENDED, NOT_BEGUN
from lakectl.core.intake import Log, logger, record_all
from lakectl.core.landing import Landing, LandingZone
from lakectl.core.lease import Lease
from lakectl.core.ledger import PENDING, Entry, Ledger
from lakectl.spec.json_form import from_json

LEDGER = Ledger(os.environ["DDB_TABLE"])
GLUE = boto3.client("glue", config=Config(retries={"mode": "standard", "max_attempts": 8}))
JOB = os.environ["GLUE_JOB"]
BUCKET = os.environ["RAW_BUCKET"]
SPEC = from_json(Path(__file__).with_name("lake.json").read_bytes())
ZONE = LandingZone(os.environ["LANDING_PREFIX"], SPEC.sources)
# "Is a run waiting? Then start one" is two calls of Glue: of 20 landings at once each would start a run.
# The function's own timeout is 30 s, so who holds the lease for longer is dead.
DYNAMODB = boto3.client("dynamodb")
LEASE = Lease(DYNAMODB, os.environ["DDB_TABLE"], f"start {JOB}", seconds=30)
LEASE_PATIENCE_S = 15.0

# How many pending landings of a source a call looks at, the newest first: its cost must not grow with what is pending.
# A run claims all that it finds, so what no active run holds is newer than what one holds. Should it not be seen, the
# end of that run looks again.
LOOKED_AT = 25
# A crash may be the landing's fault. After this many claims only a new landing, the schedule or a
# person tries it again.
MOST_ATTEMPTS = 3


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns ``{"started": run id or None, "why": one line}``."""
    log = logger(context)
    holder = getattr(context, "aws_request_id", None) or f"{random.getrandbits(64):x}"
    if key := quick_test.key_of(event, ZONE.prefix):
        quick_test.heard(DYNAMODB, os.environ["DDB_TABLE"], "start", key)
        answer = nothing("the quick test")
    elif event.get("source") == "aws.glue":
        answer = after_run(event["detail"], holder)
    elif event.get("source") == "aws.events":
        answer = start("schedule", holder) if waiting() else nothing("schedule: nothing is pending")
    else:
        answer = after_landing(event, log, holder)
    log("started" if answer["started"] else "not_started", **answer)
    return answer


def after_landing(event: dict[str, Any], log: Log, holder: str) -> dict[str, Any]:
    """Raises NotRecorded at the end if a record could not be written; the others start their run."""
    # The log function's way is the shorter one: mostly it has written the landing before.
    intake = record_all(LEDGER, event, ZONE, log, wanted=starts_run, look_first=True)
    pending = [entry for entry in intake.entries if entry.load_status == PENDING]
    if pending:
        answer = start(f"landing {pending[0].landing.key}", holder)
    elif intake.entries:
        answer = nothing(f"{intake.entries[0].landing.key} is {intake.entries[0].load_status} already")
    else:
        answer = nothing("no landing in this event starts a run")
    intake.check()
    return answer


def starts_run(landing: Landing) -> bool:
    return landing.bucket == BUCKET and landing.loadable and SPEC.sources[landing.source].starts_run


def after_run(detail: dict[str, Any], holder: str) -> dict[str, Any]:
    """The next run, if the one that ended left work that it did not itself fail on."""
    state, run_id = detail.get("state"), detail.get("jobRunId", "")
    if detail.get("jobName") != JOB or state not in ENDED:
        return nothing(f"not the end of a run of {JOB}")
    entries = waiting()
    if state not in ("SUCCEEDED", "EXPIRED"):
        began = started_on(run_id) if entries else ""
        entries = [entry for entry in entries if worth_another_run(entry, run_id, state, began)]
    reason = f"run {run_id} ended {state}"
    return start(reason, holder) if entries else nothing(f"{reason}: nothing is pending that another run would load")


def worth_another_run(entry: Entry, run_id: str, state: str | None, began: str) -> bool:
    """After a run that failed: what came after it began, and, up to a limit, what it died holding.

    What it never claimed was there for it to load, so a second run would fail the same way; without this
    a job that can't start would be started for ever.
    """
    if entry.claimed_by == run_id:
        return state != "STOPPED" and entry.attempts < MOST_ATTEMPTS
    return entry.recorded_at > began


def start(reason: str, holder: str) -> dict[str, Any]:
    """Start a run, unless one will begin that loads what is pending. One caller at a time."""
    patience = time.monotonic() + LEASE_PATIENCE_S
    while not (ahead := run_ahead()):
        if LEASE.take(holder):
            try:
                ahead = run_ahead()
                return nothing(will_load(ahead, reason)) if ahead else start_run(reason)
            finally:
                LEASE.end(holder)
        if time.monotonic() > patience:
            raise TimeoutError(f"{reason}: another call has been starting a run for {LEASE_PATIENCE_S:.0f} s")
        time.sleep(random.uniform(0.05, 0.25))  # noqa: S311 - jitter
    return nothing(will_load(ahead, reason))


def start_run(reason: str) -> dict[str, Any]:
    try:
        # Queueing is asked for on the run: the job's own setting does not apply when this is unset.
        run = GLUE.start_job_run(JobName=JOB, JobRunQueuingEnabled=True)
    except GLUE.exceptions.ConcurrentRunsExceededException:
        # The end of the run that is in the way calls us again, and the ledger still has the landings.
        return nothing(f"{reason}: {JOB} runs at its limit; the end of that run starts the next")
    return {"started": run["JobRunId"], "why": reason}


def run_ahead() -> str:
    """The id of a run that has not read the ledger yet, or ``""``."""
    # Glue begins runs in their order, so such a run is one of the newest.
    return next((run["Id"] for run in recent_runs(10) if run["JobRunState"] in NOT_BEGUN), "")


def will_load(run_id: str, reason: str) -> str:
    return f"{reason}: run {run_id} has not begun yet and will load all that is pending"


def waiting() -> list[Entry]:
    """Pending landings that no active run holds, of the newest ones of each source."""
    entries = [entry for source in SPEC.sources for entry in LEDGER.pending(source, newest=LOOKED_AT)]
    if not any(entry.claimed_by for entry in entries):
        return entries
    active = {run["Id"] for run in recent_runs() if run["JobRunState"] not in ENDED}
    return [entry for entry in entries if entry.claimed_by not in active]


def recent_runs(most: int = 50) -> list[dict[str, Any]]:
    """Newest first."""
    return GLUE.get_job_runs(JobName=JOB, MaxResults=most)["JobRuns"]


def started_on(run_id: str) -> str:
    """When a run began; ``""`` for one that Glue has forgotten, whose event was replayed long after."""
    try:
        run = GLUE.get_job_run(JobName=JOB, RunId=run_id)["JobRun"]
    except GLUE.exceptions.EntityNotFoundException:
        return ""
    began: datetime = run["StartedOn"]
    return began.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def nothing(why: str) -> dict[str, Any]:
    return {"started": None, "why": why}

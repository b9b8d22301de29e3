"""Giving runs another specification: not while one is at work with the specification of before."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.core.glue_runs import ENDED
from lakectl.engine.model import Plan
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.runs import transform
from lakectl.resources.s3_object import S3Object
from lakectl.spec.json_form import from_json

WAIT_S = 600.0
POLL_S = (0.3, 5.0)  # first and longest pause between two looks at a run


def is_in(lake: Lake, todo: Plan) -> bool:
    """Whether carrying out ``todo`` gives runs another specification than the one that is there. Only reads.

    False while there is none, and where only the way in which it is written changes.
    """
    names = lake.names
    spec_id = S3Object.id_of(f"{names.tmp_bucket}/{names.job_spec_key}")
    if not any(step.resource.id == spec_id and step.changes for step in todo.pending):
        return False
    try:
        body = lake.client("s3").get_object(Bucket=names.tmp_bucket, Key=names.job_spec_key)["Body"].read()
        return from_json(body) != lake.config.spec
    except ValueError:  # another version of the program wrote it
        return True
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "NoSuchKey":
            return False
        raise explain(error, f"reading s3://{names.tmp_bucket}/{names.job_spec_key}") from error


def at_work(lake: Lake) -> list[transform.JobRun]:
    """The runs that may have read the specification, oldest first. One that waits for its turn has not."""
    return [run for run in transform.active_runs(lake) if run.state != "WAITING"]


def wait_for(
    lake: Lake, runs: Sequence[transform.JobRun], on_state: Callable[[transform.JobRun], None], limit_s: float = WAIT_S
) -> None:
    """Until these runs have ended, however; one that begins meanwhile is not waited for: it takes no landing that comes
    after the new specification.

    Raises :class:`LakectlError` when one is still active after ``limit_s`` seconds in all.
    """
    deadline = time.monotonic() + limit_s
    for run in runs:
        pause = POLL_S[0]
        while (now := transform.get(lake, run.id)).state not in ENDED:
            on_state(now)
            if time.monotonic() > deadline:
                raise LakectlError(
                    f"the specification has changed, and run {now.id} is still {now.state} after "
                    f"{limit_s:.0f} s: nothing was changed",
                    f"follow it: lakectl run-transform --attach {now.id}; or stop it: lakectl run-transform --stop "
                    f"{now.id}; then: lakectl up",
                )
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.2, POLL_S[1])

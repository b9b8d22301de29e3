"""Giving events to the lake's functions by hand, and knowing whether they took them."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import READ_TIMEOUT_S, explain
from lakectl.ops.lake import Lake


def invoke(lake: Lake, function: str, event: Any) -> str:
    """Give ``event`` to ``function``: ``""`` when it is accepted, else why not.

    We wait for the answer, except of a function that may take longer than we wait for any answer: to that
    one the event is sent as S3 would send it, and a failure ends in the dead-letter queue again.
    Raises :class:`LakectlError` when AWS does not let us.
    """
    waits = timeout_of(lake, function) < READ_TIMEOUT_S - 10
    try:
        answer = lake.client("lambda").invoke(
            FunctionName=function,
            InvocationType="RequestResponse" if waits else "Event",
            Payload=json.dumps(event).encode(),
        )
        payload = answer["Payload"].read()
    except (ClientError, BotoCoreError) as error:
        raise explain(error, f"invoking {function}") from error
    if "FunctionError" not in answer:
        return ""
    told = json.loads(payload)
    return f"{told.get('errorType', 'error')}: {told.get('errorMessage', '')}"


def timeout_of(lake: Lake, function: str) -> int:
    """Seconds, as the config has it."""
    functions = lake.config.functions
    of = {
        lake.names.log_function: functions.log_ingestion_run.timeout,
        lake.names.start_function: functions.start_glue_job.timeout,
    }
    return of[function]

"""Which objects of moto's backends have rows of their own, and how each is kept."""

from __future__ import annotations

import json
from typing import Any

from moto.glue.models import FakeTable
from moto.logs.models import LogEvent, LogStream
from moto.sqs.models import Message

from lakectl.local.durable.database import Database
from lakectl.local.durable.snapshots import Part
from lakectl.local.glue_runtime import JobRun

EVENTS = "log-events"
_SAVED = "_durable_saved"  # an attribute of ours on a log stream: how many of its events are on disk


def _save_events(database: Database, stream: LogStream, identity: str) -> None:
    """New events as one row more: a stream of a Spark run grows by thousands of lines."""
    saved, events = getattr(stream, _SAVED, 0), stream.events
    count = len(events)
    if count < saved:
        database.delete_scope(EVENTS, identity)
        saved = 0
    if count > saved:
        new = [(event.ingestion_time, event.timestamp, event.message) for event in events[saved:count]]
        database.put(EVENTS, identity, f"{saved:012d}", json.dumps(new).encode())
    setattr(stream, _SAVED, count)


def _load_events(database: Database, backend: Any, streams: dict[str, LogStream]) -> None:
    for group in backend.groups.values():
        for stream in group.streams.values():
            stream.log_group = group
    for stream in streams.values():
        stream.events = []

    def read(identity: str, _: str, value: bytes) -> None:
        stream = streams.get(identity)
        if stream is not None:
            for ingested, timestamp, message in json.loads(value):
                stream.events.append(LogEvent(ingested, {"timestamp": timestamp, "message": message}))
            setattr(stream, _SAVED, len(stream.events))

    database.load(EVENTS, read)


def _forget_events(database: Database, identity: str) -> None:
    database.delete_scope(EVENTS, identity)


def _load_runs(database: Database, backend: Any, runs: dict[str, JobRun]) -> None:  # noqa: ARG001 - one signature
    import threading

    for run in runs.values():
        run.stop_requested = threading.Event()
        run.running_since = None
    for job in backend.jobs.values():
        for run in job.job_runs:
            run.history = job.job_runs


def _table_fingerprint(table: FakeTable) -> Any:
    partitions = [(key, repr(vars(each))) for key, each in table.partitions.items()]
    return table._current_version, tuple(table.versions), table.updated_time, partitions


PARTS: dict[type, Part] = {
    LogStream: Part(
        fingerprint=lambda stream: stream.upload_sequence_token,
        without=("log_group", "events", _SAVED),
        save=_save_events,
        load=_load_events,
        forget=_forget_events,
    ),
    FakeTable: Part(fingerprint=_table_fingerprint),
    # Their rows are read from format 1 alone: since then they are ``durable.messages``.
    Message: Part(fingerprint=lambda message: (message.approximate_receive_count, message.visible_at)),
    JobRun: Part(
        fingerprint=lambda run: (run.state, run.modified_on, run.job_run_id),
        without=("history", "stop_requested", "running_since"),
        load=_load_runs,
    ),
}

"""From an event to the ledger, one record at a time: a bad one stops no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lakectl.core import s3_events
from lakectl.core.landing import Landing, LandingZone
from lakectl.core.ledger import Entry, Ledger

Log = Callable[..., None]


class NotRecorded(RuntimeError):
    """Some records of an event are not in the ledger. Lambda delivers the whole event again."""


@dataclass
class Intake:
    """What came of an event: its landings as the ledger has them, and what could not be recorded."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    records: int = 0

    def check(self) -> None:
        """Raise :class:`NotRecorded` if anything is missing.

        Its message is all that the on-failure destination says beside the event, so it names each key.
        """
        if self.problems:
            missing = f"{len(self.problems)} of {self.records} records not recorded"
            raise NotRecorded(f"{missing}: " + "; ".join(self.problems))


def record_all(
    ledger: Ledger,
    event: dict[str, Any],
    zone: LandingZone,
    log: Log,
    wanted: Callable[[Landing], bool] = lambda _: True,
    *,
    look_first: bool = False,
) -> Intake:
    """Record every ``wanted`` landing of an event of either shape, and log one line for each.

    ``look_first``: see ``Ledger.record``.
    """
    intake = Intake()
    for part in s3_events.parts(event):
        intake.records += 1
        landing = None
        try:
            landing = s3_events.landing(part, zone)
            if landing is None or not wanted(landing):
                continue
            entry = ledger.record(landing, look_first=look_first)
        except Exception as error:  # noqa: BLE001 - Intake.check raises it, with the others
            key = landing.key if landing else s3_events.key_of(part) or "a record without a key"
            reason = f"{type(error).__name__}: {error}"
            intake.problems.append(f"{key}: {reason}")
            log("not_recorded", key=key, error=reason)
            continue
        intake.entries.append(entry)
        log(
            "recorded" if entry.is_new else "already_recorded",
            source=landing.source,
            bucket=landing.bucket,
            key=landing.key,
            version_id=landing.version_id,
            load_status=entry.load_status,
        )
    return intake


def logger(context: Any) -> Log:
    """A function that prints one JSON object a line, with the request id of the invocation."""
    request_id = getattr(context, "aws_request_id", None)

    def log(what: str, **fields: Any) -> None:
        print(json.dumps({"what": what, "request_id": request_id, **fields}, ensure_ascii=False, default=str))

    return log

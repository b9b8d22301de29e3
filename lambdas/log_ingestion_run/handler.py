"""S3 -> run log: one row for each landing, however often and in whatever order its event is delivered.

Environment: DDB_TABLE, LANDING_PREFIX (default ``retail/``).
"""

from __future__ import annotations

import json
import os
from typing import Any

import s3_events
from ledger import Ledger

LEDGER = Ledger(os.environ["DDB_TABLE"])
PREFIX = os.environ.get("LANDING_PREFIX", "retail/")


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Record every landing of the event. Raises after the last one if any could not be recorded, so that
    Lambda delivers the event again; those already recorded are then no-ops."""
    recorded = known = 0
    problems = []
    for landing in s3_events.landings(event, PREFIX):
        try:
            entry = LEDGER.record(landing)
        except Exception as error:  # noqa: BLE001 - raised below, with the others
            problems.append(f"{landing.key}: {error}")
            log("not_recorded", key=landing.key, version_id=landing.version_id, error=str(error))
            continue
        recorded += entry.is_new
        known += not entry.is_new
        log(
            "recorded" if entry.is_new else "already_recorded",
            source=landing.source,
            key=landing.key,
            version_id=landing.version_id,
            load_status=entry.load_status,
        )
    if problems:
        raise RuntimeError(f"{len(problems)} landings not recorded: " + "; ".join(problems))
    if not recorded and not known:
        log("nothing_to_record", event=event.get("Event") or event.get("detail-type") or "no landing")
    return {"recorded": recorded, "already_recorded": known}


def log(what: str, **fields: Any) -> None:
    print(json.dumps({"what": what, **fields}, ensure_ascii=False, default=str))

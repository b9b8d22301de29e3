"""S3 -> run log: one row for each landing, however often and in whatever order its event is delivered.

Environment: DDB_TABLE, LANDING_PREFIX (default ``retail/``).
"""

from __future__ import annotations

import os
from typing import Any

from lakectl.core.intake import logger, record_all
from lakectl.core.ledger import Ledger

LEDGER = Ledger(os.environ["DDB_TABLE"])
PREFIX = os.environ.get("LANDING_PREFIX", "retail/")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Record every landing of the event. Raises after the last one if any could not be recorded, so that
    Lambda delivers the event again; those already recorded are then no-ops."""
    log = logger(context)
    intake = record_all(LEDGER, event, PREFIX, log)
    intake.check()
    if not intake.entries:
        log("nothing_to_record", event=event.get("Event") or event.get("detail-type") or "no landing")
    recorded = sum(entry.is_new for entry in intake.entries)
    return {"recorded": recorded, "already_recorded": len(intake.entries) - recorded}

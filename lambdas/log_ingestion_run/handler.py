"""S3 -> run log: one row for each landing, however often and in whatever order its event is delivered.

Environment: DDB_TABLE, LANDING_PREFIX. The lake's sources are in lake.json, beside this file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lakectl.core.intake import logger, record_all
from lakectl.core.landing import LandingZone
from lakectl.core.ledger import Ledger
from lakectl.spec.json_form import from_json

LEDGER = Ledger(os.environ["DDB_TABLE"])
SPEC = from_json(Path(__file__).with_name("lake.json").read_bytes())
ZONE = LandingZone(os.environ["LANDING_PREFIX"], SPEC.sources)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Record every landing of the event. Raises after the last one if any could not be recorded, so that
    Lambda delivers the event again; those already recorded are then no-ops."""
    log = logger(context)
    intake = record_all(LEDGER, event, ZONE, log)
    intake.check()
    if not intake.entries:
        log("nothing_to_record", event=event.get("Event") or event.get("detail-type") or "no landing")
    recorded = sum(entry.is_new for entry in intake.entries)
    return {"recorded": recorded, "already_recorded": len(intake.entries) - recorded}

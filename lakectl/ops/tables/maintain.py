"""Running the maintenance job."""

from __future__ import annotations

import json

from lakectl.ops.lake import Lake
from lakectl.ops.runs import transform
from lakectl.ops.runs.transform import Job


def maintenance_job(lake: Lake) -> Job:
    return Job(lake.names.maintenance_job, lake.names.maintenance_log_prefix)


def start(lake: Lake, dry_run: bool) -> str:
    """Start a maintenance run with the config's settings; returns its id. A dry run writes nothing."""
    arguments = {
        "--TASK": "dry-run" if dry_run else "maintain",
        "--SETTINGS": json.dumps(lake.config.maintenance.model_dump()),
    }
    return transform.start(lake, arguments, job=maintenance_job(lake))

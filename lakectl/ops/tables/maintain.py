"""Running the maintenance job."""

from __future__ import annotations

import json

from lakectl.config import Config
from lakectl.ops.lake import Lake
from lakectl.ops.runs import transform
from lakectl.ops.runs.transform import Job


def maintenance_job(lake: Lake) -> Job:
    return Job(lake.names.maintenance_job, lake.names.maintenance_log_prefix)


def start(lake: Lake, dry_run: bool) -> str:
    """Start a maintenance run with the config's settings; returns its id. A dry run writes nothing."""
    return transform.start(lake, arguments(lake.config, dry_run), job=maintenance_job(lake))


def arguments(config: Config, dry_run: bool) -> dict[str, str]:
    """What the job is asked to do."""
    return {
        "--TASK": "dry-run" if dry_run else "maintain",
        "--SETTINGS": json.dumps(config.maintenance.job_settings()),
    }

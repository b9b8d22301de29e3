"""What the job was asked to do."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from awsglue.utils import getResolvedOptions

from lake import settings
from lake.settings import Settings

REQUIRED = ("RAW_BUCKET", "SILVER_DB", "SILVER_WAREHOUSE", "LEDGER_TABLE", "LANDING_PREFIX")
OPTIONAL = ("RAW_ORDERS_PATH", "BATCH_ID", "FULL", "RETRY_FAILED", "SETTINGS", "ON_BAD_ROWS")


@dataclass(frozen=True)
class Arguments:
    """``run_id`` is Glue's own; a run outside Glue gets one that no GetJobRun knows."""

    raw_bucket: str
    silver_db: str
    silver_warehouse: str
    ledger_table: str
    landing_prefix: str
    job_name: str
    run_id: str
    raw_orders_path: str = ""
    batch_id: str = ""
    full: bool = False
    retry_failed: bool = False
    settings: Settings = field(default_factory=Settings)


def parse(argv: list[str]) -> Arguments:
    """Raises GlueArgumentError when a required argument is missing, ValueError for a wrong path or policy."""
    # getResolvedOptions fails on any name it is asked for and doesn't find, so an optional argument
    # is asked for only when it is there.
    names = [*REQUIRED, *(name for name in OPTIONAL if _given(name, argv))]
    if _given("JOB_NAME", argv):
        names.append("JOB_NAME")
    values = getResolvedOptions(argv, names)
    path = values.get("RAW_ORDERS_PATH") or ""
    root = f"s3://{values['RAW_BUCKET']}/"
    if path and not path.startswith(root):
        raise ValueError(f"--RAW_ORDERS_PATH {path} is not in the raw bucket: it must start with {root}")
    return Arguments(
        raw_bucket=values["RAW_BUCKET"],
        silver_db=values["SILVER_DB"],
        silver_warehouse=values["SILVER_WAREHOUSE"],
        ledger_table=values["LEDGER_TABLE"],
        landing_prefix=values["LANDING_PREFIX"],
        job_name=values.get("JOB_NAME") or "",
        run_id=values.get("JOB_RUN_ID") or f"manual_{uuid.uuid4().hex}",
        raw_orders_path=path,
        batch_id=values.get("BATCH_ID") or "",
        full=_is_true(values.get("FULL")),
        retry_failed=_is_true(values.get("RETRY_FAILED")),
        settings=settings.parse(values.get("SETTINGS") or "", values.get("ON_BAD_ROWS") or ""),
    )


def _given(name: str, argv: list[str]) -> bool:
    return any(word == f"--{name}" or word.startswith(f"--{name}=") for word in argv)


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in ("true", "1", "yes")

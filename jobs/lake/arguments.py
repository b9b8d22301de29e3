"""What the job was asked to do."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from awsglue.utils import getResolvedOptions
from botocore.exceptions import ClientError

from lake.policies import overridden
from lakectl.spec.json_form import from_json
from lakectl.spec.model import LakeSpec

REQUIRED = ("RAW_BUCKET", "SILVER_DB", "SILVER_WAREHOUSE", "LEDGER_TABLE", "LANDING_PREFIX", "LAKE_SPEC")
OPTIONAL = ("RAW_PATH", "BATCH_ID", "FULL", "RETRY_FAILED", "RETRY_QUARANTINED", "ON_BAD_ROWS")


@dataclass(frozen=True)
class Arguments:
    """``run_id`` is Glue's own; a run outside Glue gets one that no GetJobRun knows. ``spec``: the lake's sources, with
    the policies of this run; ``lake_spec``: the same without them, as it was read from ``spec_at``."""

    raw_bucket: str
    silver_db: str
    silver_warehouse: str
    ledger_table: str
    landing_prefix: str
    job_name: str
    run_id: str
    raw_path: str = ""
    batch_id: str = ""
    full: bool = False
    retry_failed: bool = False
    retry_quarantined: bool = False
    on_bad_rows: str = ""
    spec_at: str = ""
    spec: LakeSpec = field(default_factory=lambda: LakeSpec({}))
    lake_spec: LakeSpec = field(default_factory=lambda: LakeSpec({}))


def parse(argv: list[str], s3: Any = None) -> Arguments:
    """Raises GlueArgumentError when a required argument is missing, ValueError for a wrong path, policy or
    specification."""
    # getResolvedOptions fails on any name it is asked for and doesn't find, so an optional argument
    # is asked for only when it is there.
    names = [*REQUIRED, *(name for name in OPTIONAL if _given(name, argv))]
    if _given("JOB_NAME", argv):
        names.append("JOB_NAME")
    values = getResolvedOptions(argv, names)

    path = values.get("RAW_PATH") or ""
    root = f"s3://{values['RAW_BUCKET']}/"
    if path and not path.startswith(root):
        raise ValueError(f"--RAW_PATH {path} is not in the raw bucket: it must start with {root}")
    spec = read_spec(values["LAKE_SPEC"], s3)
    on_bad_rows = values.get("ON_BAD_ROWS") or ""
    return Arguments(
        raw_bucket=values["RAW_BUCKET"],
        silver_db=values["SILVER_DB"],
        silver_warehouse=values["SILVER_WAREHOUSE"],
        ledger_table=values["LEDGER_TABLE"],
        landing_prefix=values["LANDING_PREFIX"],
        job_name=values.get("JOB_NAME") or "",
        run_id=values.get("JOB_RUN_ID") or f"manual_{uuid.uuid4().hex}",
        raw_path=path,
        batch_id=values.get("BATCH_ID") or "",
        full=_is_true(values.get("FULL")),
        retry_failed=_is_true(values.get("RETRY_FAILED")),
        retry_quarantined=_is_true(values.get("RETRY_QUARANTINED")),
        on_bad_rows=on_bad_rows,
        spec_at=values["LAKE_SPEC"],
        spec=_for_this_run(spec, on_bad_rows),
        lake_spec=spec,
    )


def renewed(arguments: Arguments, s3: Any = None) -> Arguments:
    """The arguments with the specification of now; ``arguments`` itself while that is the same. Raises as ``parse``."""
    spec = read_spec(arguments.spec_at, s3)
    if spec == arguments.lake_spec:
        return arguments
    return replace(arguments, spec=_for_this_run(spec, arguments.on_bad_rows), lake_spec=spec)


def read_spec(address: str, s3: Any = None) -> LakeSpec:
    """The specification at ``s3://bucket/key``. Raises ValueError when it is not there or can't be read."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        body = (s3 or boto3.client("s3")).get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise ValueError(f"--LAKE_SPEC {address} can't be read: {error}; put it there with: lakectl up") from error
    return from_json(body)


def _for_this_run(spec: LakeSpec, on_bad_rows: str) -> LakeSpec:
    return overridden(spec, on_bad_rows) if on_bad_rows else spec


def _given(name: str, argv: list[str]) -> bool:
    return any(word == f"--{name}" or word.startswith(f"--{name}=") for word in argv)


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in ("true", "1", "yes")

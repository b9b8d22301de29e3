"""What the lake's runs and queries cost, estimated from what Glue and Athena report."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from lakectl import prices
from lakectl.aws import code_of
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import Cost
from lakectl.ops.runs import transform
from lakectl.ops.tables.maintain import maintenance_job

MOST_RUNS = 1000  # of each job
MOST_QUERIES = 500
PAGE = 50  # query ids of one BatchGetQueryExecution


def cost(lake: Lake) -> Cost:
    """Glue: DPU-hours of the runs. Athena: bytes of the workgroup's newest queries. Raises :class:`LakectlError`."""
    used: list[float] = []
    partial = False
    for job in (transform.transform_job(lake), maintenance_job(lake)):
        runs = list(transform.recent(lake, MOST_RUNS + 1, job))
        partial = partial or len(runs) > MOST_RUNS
        used += [run.dpu_hours for run in runs[:MOST_RUNS] if run.dpu_hours is not None]
    ids = list(islice(_query_ids(lake), MOST_QUERIES + 1))
    scanned = list(_scanned(lake, ids[:MOST_QUERIES]))
    return Cost(
        billed=lake.aws.billed,
        runs=len(used),
        dpu_hours=sum(used),
        usd_per_dpu_hour=lake.config.glue.usd_per_dpu_hour,
        queries=len(scanned),
        scanned=sum(scanned),
        usd_per_tb=prices.ATHENA_TB,
        partial=partial or len(ids) > MOST_QUERIES,
    )


def _query_ids(lake: Lake) -> Iterator[str]:
    """Of the workgroup's queries, newest first; none without the workgroup."""
    pages = lake.client("athena").get_paginator("list_query_executions").paginate(WorkGroup=lake.names.workgroup)
    try:
        for page in pages:
            yield from page["QueryExecutionIds"]
    except ClientError as error:
        if code_of(error) != "InvalidRequestException" or "is not found" not in str(error):
            raise


def _scanned(lake: Lake, ids: list[str]) -> Iterator[int]:
    """The billed bytes of each query that is billed."""
    for start in range(0, len(ids), PAGE):
        answer: dict[str, Any] = lake.client("athena").batch_get_query_execution(
            QueryExecutionIds=ids[start : start + PAGE]
        )
        for execution in answer["QueryExecutions"]:
            if execution["Status"]["State"] != "FAILED" and execution.get("StatementType") == "DML":
                size = int(execution.get("Statistics", {}).get("DataScannedInBytes") or 0)
                if execution.get("SubstatementType") == "EXPLAIN" and not size:  # only EXPLAIN ANALYZE is billed
                    continue
                yield prices.athena_bytes(size)

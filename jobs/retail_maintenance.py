"""Care of the silver tables: compaction, snapshot expiry, orphan removal; and rollback.

``--TASK``:

* ``maintain``: fewer and larger files, no snapshots beyond the retention, no files that no snapshot names
* ``dry-run``: the same, counted and not done; writes nothing
* ``rollback``: ``--TABLE`` goes back to ``--SNAPSHOT``; landings that leave silver with it become REVERTED in
  the ledger, and with ``--REQUEUE true`` PENDING again, all but those that ``--EXCEPT`` names

Runs on Glue 5.1 (Spark 3.5, Iceberg 1.10).
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import Any

import boto3
from ledger import Ledger
from retail import copies, maintenance, rollback, session

BEGAN = time.monotonic()


def main(argv: list[str]) -> None:
    arguments = maintenance.parse(argv)
    say(f"task {arguments.task}")
    spark = session.build(arguments.silver_warehouse)
    say(f"Spark {spark.version} is up")
    if arguments.task == "rollback":
        refuse = partial(rollback.refuse_while_loading, boto3.client("glue"), arguments.transform_job)
        return report(rollback.roll_back(spark, Ledger(arguments.ledger_table), arguments, say, refuse))
    tables = [
        maintenance.maintain(spark, boto3.client("s3"), table, arguments.settings, arguments.task == "dry-run", say)
        for table in maintenance.tables(spark, arguments.silver_db)
    ]
    if arguments.task == "maintain":
        days = arguments.settings.orphan_files_older_than_days
        say(f"{copies.remove_old(boto3.client('s3'), arguments.silver_warehouse, days)} staged files of runs removed")
    report({"task": arguments.task, "tables": tables})
    failed = [f"{table['table']}: {table['problem']}" for table in tables if table["problem"]]
    if failed:
        raise RuntimeError("; ".join(failed))
    return None


def report(result: dict[str, Any]) -> None:
    print("LAKECTL_RESULT " + json.dumps(result), flush=True)


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", flush=True)


if __name__ == "__main__":
    main(sys.argv)

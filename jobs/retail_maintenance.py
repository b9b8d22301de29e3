"""Care of the silver tables: compaction, snapshot expiry, orphan removal; and rollback.

``--TASK``:

* ``maintain``: fewer and larger files, no snapshots beyond the retention, no files that no snapshot names
* ``dry-run``: the same, counted and not done; the tables stay as they are
* ``rollback``: ``--TABLE`` goes back to ``--SNAPSHOT``; landings that leave silver with it become REVERTED in
  the ledger, and with ``--REQUEUE true`` PENDING again, all but those that ``--EXCEPT`` names

What a run did is written to the run log (``lake.results``).

Runs on Glue 5.0 and 5.1 (Spark 3.5) and 6.0 (Spark 4.1).
"""

from __future__ import annotations

import sys
import time
from functools import partial

import boto3
from lake import copies, maintenance, results, rollback, session

from lakectl.core.ledger import Ledger

BEGAN = time.monotonic()


def main(argv: list[str]) -> None:
    arguments = maintenance.parse(argv)
    ledger = Ledger(arguments.ledger_table)
    say(f"task {arguments.task}")
    spark = session.build(arguments.silver_warehouse)
    say(f"Spark {spark.version} is up")
    if arguments.task == "rollback":
        refuse = partial(rollback.refuse_while_loading, boto3.client("glue"), arguments.transform_job)
        return results.write(ledger, arguments.run_id, rollback.roll_back(spark, ledger, arguments, say, refuse))
    tables = [
        maintenance.maintain(spark, boto3.client("s3"), table, arguments.settings, arguments.task == "dry-run", say)
        for table in maintenance.tables(spark, arguments.silver_db)
    ]
    result: results.Result = {"task": arguments.task, "tables": tables}
    if arguments.task == "maintain":
        days = arguments.settings.orphan_files_older_than_days
        staged = copies.remove_old(boto3.client("s3"), arguments.silver_warehouse, days)
        say(f"{staged} staged files of runs removed")
        result["staged_files_removed"] = staged
    results.write(ledger, arguments.run_id, result)
    failed = [f"{table['table']}: {table['problem']}" for table in tables if table["problem"]]
    if failed:
        raise RuntimeError("; ".join(failed))
    return None


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", flush=True)


if __name__ == "__main__":
    main(sys.argv)

"""MERGE of a frame into an Iceberg table, as it works on every Spark that a Glue version has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.iceberg import committed

# SQL over the table, whose name it is given, and over ``new``: the rows.
Condition = Callable[[str], str]


@dataclass(frozen=True)
class Merge:
    """What becomes of the table's row that a new row matches, where ``matched_if`` holds. ``keep`` is a column that is
    set to what it is: to Iceberg that is a change. Unmatched new rows are inserted where ``insert`` holds ("": all,
    None: none)."""

    on: Condition
    matched: Literal["update", "delete", "keep"]
    matched_if: Condition | None = None
    keep: str = ""
    insert: str | None = None

    def sql(self, table: str, view: str) -> str:
        """The statement; ``view`` has the rows."""
        action = {"update": "UPDATE SET *", "delete": "DELETE", "keep": f"UPDATE SET old.{self.keep} = old.{self.keep}"}
        found = _and(self.matched_if("old") if self.matched_if else "")
        others = "" if self.insert is None else f" WHEN NOT MATCHED{_and(self.insert)} THEN INSERT *"
        return (
            f"MERGE INTO {table} AS old USING {view} AS new ON {self.on('old')} "
            f"WHEN MATCHED{found} THEN {action[self.matched]}{others}"
        )


def merge(spark: SparkSession, table: str, rows: DataFrame, what: Merge) -> None:
    """Commit it. Raises CommitConflict when another run was first.

    Spark 4.1 can't plan a MERGE whose source is a temporary view that reads an Iceberg table (apache/spark#56515).
    ``mergeInto`` takes the frame itself; Spark 3.5 does not have it.
    """
    if hasattr(DataFrame, "mergeInto"):  # of a frame, it would look for a column of that name
        committed(lambda: _writer(table, rows, what).merge())
        return
    view = f"{table.rpartition('.')[2]}_merged"  # tables are written at the same time, by one session
    rows.createOrReplaceTempView(view)
    committed(lambda: spark.sql(what.sql(table, view)))


def _writer(table: str, rows: DataFrame, what: Merge) -> Any:
    writer = rows.alias("new").mergeInto(table, F.expr(what.on(table)))
    found = writer.whenMatched(F.expr(what.matched_if(table)) if what.matched_if else None)
    if what.matched == "update":
        writer = found.updateAll()
    elif what.matched == "delete":
        writer = found.delete()
    else:
        writer = found.update({what.keep: F.expr(f"{table}.{what.keep}")})
    if what.insert is None:
        return writer
    return writer.whenNotMatched(F.expr(what.insert) if what.insert else None).insertAll()


def _and(condition: str) -> str:
    return f" AND {condition}" if condition else ""

"""Back to an earlier snapshot, and what that means for the landings that came after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession

from lake.delta import fitted
from lake.iceberg import find, load, persistently
from lake.maintenance import CATALOG, Arguments
from lake.quarantine import IDENTITY, add
from lakectl.core import applied_spec
from lakectl.core.glue_runs import ENDED
from lakectl.core.ledger import LOADED, REVERTED, Entry, Ledger

_SILVER = "_silver"


@dataclass(frozen=True)
class Undone:
    """Snapshots that have left the table's ancestry, and when the first of them was committed."""

    snapshots: frozenset[str]
    since_ms: int

    @property
    def since(self) -> str:
        """ISO 8601 UTC with milliseconds and Z, as the ledger writes it."""
        first = datetime.fromtimestamp(self.since_ms / 1000, UTC)
        return first.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def holds(self, entry: Entry) -> bool:
        """Whether what was loaded is gone.

        A landing that changed nothing has no snapshot of its own: what it was compared with may be gone
        if it was loaded after the first undone commit, and is there still if it was loaded before.
        """
        if entry.load_status != LOADED or not self.snapshots:
            return False
        if entry.snapshot_id:
            return entry.snapshot_id in self.snapshots
        return entry.loaded_at >= self.since


def refuse_while_loading(glue: Any, job: str) -> None:
    """Raises RuntimeError while a run of the transform is active: it may find rows that are about to go."""
    for run in glue.get_job_runs(JobName=job, MaxResults=50)["JobRuns"]:
        if run["JobRunState"] not in ENDED:
            raise RuntimeError(f"run {run['Id']} of {job} is {run['JobRunState']}: roll back when it has ended")


def roll_back(
    spark: SparkSession, ledger: Ledger, arguments: Arguments, say: Callable[[str], None], refuse: Callable[[], None]
) -> dict[str, Any]:
    """Set the table back, then the ledger. Safe to repeat: a second call finishes what a first one began.

    ``refuse`` raises while a transform is active. It is asked again when the table is back: a run that began
    before may call rows loaded that are gone, and one that begins after finds the table as it is now.
    Landings follow the silver table of their source, and so do rows that were quarantined until a run that is undone
    loaded them. The next run looks at every table: others may show values of this one, and this one what others had.

    Raises RuntimeError for a snapshot that is not in the table's ancestry.
    """
    refuse()
    table, wanted = f"{arguments.silver_db}.{arguments.table}", arguments.snapshot
    parents = _snapshots(spark, table)
    before = _current(spark, table)
    if wanted not in _ancestors(parents, before):
        raise RuntimeError(f"snapshot {wanted} is not an ancestor of the current one, {before}, of {table}")
    if before != wanted:
        spark.sql(f"CALL {CATALOG}.system.rollback_to_snapshot('{table}', {wanted})").collect()
    say(f"{table} is at snapshot {wanted}")
    applied_spec.look_again(ledger.table)
    refuse()
    lost = undone(_snapshots(spark, table), wanted)
    source = arguments.table.removesuffix(_SILVER) if arguments.table.endswith(_SILVER) else ""
    again = quarantined_again(spark, f"{arguments.silver_db}.{source}_rejected", lost, say) if source else 0
    reverted, requeued = [], []
    for entry in list(ledger.history(source)) if source else ():
        if lost.holds(entry) and ledger.reverted(entry, f"rolled back to snapshot {wanted}"):
            reverted.append(entry.landing.key)
        is_lost = lost.holds(entry) or (entry.load_status == REVERTED and entry.snapshot_id in lost.snapshots)
        if arguments.requeue and is_lost and not _kept_out(entry, arguments) and ledger.requeue(entry):
            requeued.append(entry.landing.key)
    say(f"{len(reverted)} landings reverted, {len(requeued)} of them pending again")
    return {
        "task": "rollback",
        "table": table,
        "snapshot_before": str(before),
        "snapshot_id": str(wanted),
        "snapshots_undone": sorted(lost.snapshots),
        "landings_reverted": reverted,
        "landings_requeued": requeued,
        "rows_quarantined_again": again,
    }


def undone(snapshots: dict[int, tuple[int | None, int]], wanted: int) -> Undone:
    """What goes when the table goes back to ``wanted``. ``snapshots``: id -> (parent, commit time in ms).

    Told by time and ancestry and not by the walk from the current snapshot, so that a repeat after a
    crash finds the same.
    """
    kept = set(_ancestors(snapshots, wanted))
    moment = snapshots[wanted][1]
    lost = {key: when for key, (_, when) in snapshots.items() if key not in kept and when >= moment}
    return Undone(frozenset(map(str, lost)), min(lost.values(), default=0))


def quarantined_again(spark: SparkSession, rejected: str, lost: Undone, say: Callable[[str], None]) -> int:
    """Put the rows back into ``rejected`` that have left it since the first snapshot of ``lost``: a run had loaded
    them, and that is undone. Returns how many they are."""
    table = f"{CATALOG}.{rejected}"
    if not lost.snapshots or find(spark, table) is None:
        return 0
    snapshots = _snapshots(spark, rejected)
    history = list(_ancestors(snapshots, _current(spark, rejected)))
    then = next((each for each in history if snapshots[each][1] < lost.since_ms), None)
    if then is None:
        if history and snapshots[history[-1]][0] is not None:
            say(f"rows that were quarantined before may be missing in {rejected}: its older snapshots have expired")
        return 0
    was = spark.read.option("snapshot-id", str(then)).table(table)
    now = spark.table(table)
    gone = was.join(now.select(*IDENTITY), list(IDENTITY), "left_anti").localCheckpoint()
    rows = gone.count()
    if rows:
        again = fitted(gone, dict(now.dtypes))
        persistently(rejected, lambda: add(spark, table, again), say)
        say(f"{rows} rows are quarantined again")
    return rows


def _ancestors(snapshots: dict[int, tuple[int | None, int]], current: int | None) -> Iterator[int]:
    while current is not None and current in snapshots:
        yield current
        current = snapshots[current][0]


def _snapshots(spark: SparkSession, table: str) -> dict[int, tuple[int | None, int]]:
    rows = spark.sql(
        f"SELECT snapshot_id, parent_id, unix_millis(committed_at) AS at FROM {CATALOG}.{table}.snapshots"  # noqa: S608
    ).collect()
    return {row["snapshot_id"]: (row["parent_id"], row["at"]) for row in rows}


def _current(spark: SparkSession, table: str) -> int | None:
    snapshot = load(spark, f"{CATALOG}.{table}").currentSnapshot()
    return int(snapshot.snapshotId()) if snapshot else None


def _kept_out(entry: Entry, arguments: Arguments) -> bool:
    path = f"s3://{entry.landing.bucket}/{entry.landing.key}"
    return any(name in (path, entry.landing.key) for name in arguments.kept_out)

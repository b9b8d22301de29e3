"""From file to table: which landed files the rows of silver come from."""

from __future__ import annotations

from lakectl.ops.checks.model import Subject
from lakectl.ops.report.model import Lineage, LoadedFile
from lakectl.ops.runs import run_log

MOST_FILES = 25
LOOKED_THROUGH = 500  # the newest landings of the source, for the run and snapshot of each file


def lineage(subject: Subject) -> Lineage:
    """The files whose rows silver has, the last loaded first. Raises :class:`LakectlError`."""
    found = subject.ask(
        "SELECT _lake_file, _lake_version, CAST(min(_lake_ingest_date) AS varchar), count(*), "  # noqa: S608
        f"CAST(max(_lake_loaded_at) AS varchar) FROM {subject.silver} GROUP BY 1, 2 ORDER BY 5 DESC, 1 "
        f"LIMIT {MOST_FILES + 1}"
    )
    name = subject.source.name
    entries = {(run.path, run.version_id): run for run in run_log.runs(subject.lake, name, most=LOOKED_THROUGH)}
    files = []
    for path, version, day, rows, loaded_at in found[:MOST_FILES]:
        entry = entries.get((path or "", version or ""))
        landed = entry.item.get("rows") if entry else None
        files.append(
            LoadedFile(
                path=path or "",
                version=version or "",
                ingest_date=day or "",
                landed_rows=None if landed is None else int(landed),
                silver_rows=int(rows or 0),
                loaded_at=loaded_at or "",
                run=entry.claimed_by if entry else "",
                snapshot=entry.snapshot_id if entry else "",
            )
        )
    rejected = subject.source.rejected_table
    count = f"SELECT count(*) FROM {subject.table(rejected)}"  # noqa: S608
    quarantined = subject.numbers(count)[0] if subject.has(rejected) else 0
    return Lineage(files, len(found) > MOST_FILES, quarantined)

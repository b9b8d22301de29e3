"""The rows of a source that were quarantined."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from lakectl.ops.checks.landed_rows import Key, key_of
from lakectl.ops.checks.model import Subject, quoted

Version = tuple[str, str]  # (s3://bucket/key, version id)


def rejected_keys(subject: Subject) -> Mapping[Version, Counter[Key | None]]:
    """Version -> key -> rows of it that were quarantined, None for those without. Broken rows are no rows here."""
    source = subject.source
    if not subject.has(source.rejected_table):
        return {}
    columns = ", ".join(["_lake_file", "_lake_version", "_lake_occurrences", *map(quoted, source.keys)])
    sql = f"SELECT {columns} FROM {subject.table(source.rejected_table)} WHERE _lake_line IS NULL"  # noqa: S608
    found: dict[Version, Counter[Key | None]] = defaultdict(Counter)
    for file, version, occurrences, *texts in subject.lines(sql):
        key = key_of(dict(zip(source.keys, texts, strict=True)), source)
        found[file, version][key] += int(occurrences)
    return found

"""The rows of a source that were quarantined."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping

from lakectl.ops.checks.landed_rows import Key, key_of
from lakectl.ops.checks.model import Subject

REJECTED = "orders_rejected"

Version = tuple[str, str]  # (s3://bucket/key, version id)


def rejected_keys(subject: Subject) -> Mapping[Version, Counter[Key | None]]:
    """Version -> key -> rows of it that were quarantined, None for those without. Broken rows are no rows here."""
    if not subject.has(REJECTED):
        return {}
    sql = (
        f"SELECT source_file, source_version, row_text, occurrences FROM {subject.table(REJECTED)} "  # noqa: S608
        f"WHERE source = '{subject.source.name}' AND reason <> 'broken_rows'"
    )
    found: dict[Version, Counter[Key | None]] = defaultdict(Counter)
    for file, version, text, occurrences in subject.ask(sql):
        key = key_of(json.loads(text or "{}"), subject.source)
        found[file or "", version or ""][key] += int(occurrences or 0)
    return found

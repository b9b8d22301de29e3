"""What the job calls columns of its own beside those of a file and of silver, and Spark's names for types."""

from __future__ import annotations

from lakectl.core.columns import RESERVED_PREFIX

# The batch of a landing without one sorts before batch=0001 of the same day.
NO_BATCH = "0000"

LANDING_NO, FLAGS, CONTENT, REASON, KIND, MOVED, WARNED = (
    RESERVED_PREFIX + name for name in ("landing_no", "flags", "content", "reason", "kind", "moved", "warned")
)
# Spark puts the whole line here when a row can't be cut into fields.
CORRUPT = RESERVED_PREFIX + "line"
# Before a column's name: its text in the file.
RAW = RESERVED_PREFIX + "raw_"


def spark_type(kind: str) -> str:
    """The SQL type of a silver column. A timestamp has no zone there, and is UTC."""
    return "TIMESTAMP_NTZ" if kind == "timestamp" else kind.upper()


def quoted(text: str) -> str:
    """A text inside single quotes of Spark SQL."""
    return text.replace("\\", "\\\\").replace("'", "\\'")

"""A landing: one version of one object under the landing prefix, and what its key says."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date

# A source whose name begins with "_" is reserved (`_smoke`): it is in the run log, and nothing loads it.
_LOADABLE = re.compile(
    r"(?P<source>[^/_][^/]*)/ingest_date=(?P<date>\d{4}-\d\d-\d\d)/(?:batch=(?P<batch>\d{4})/)?(?P=source)\.csv(?:\.gz)?"
)


# What the job loads (lake.schemas.SOURCES). Any other source has its bronze table, and nothing in silver.
JOB_SOURCES = ("customers", "products", "orders")


@dataclass(frozen=True)
class Landing:
    """One version of one object under the landing prefix.

    ``key`` is decoded; ``version_id`` is ``"null"`` in a bucket without versions; ``event_time`` is
    ISO 8601 UTC with a final Z. ``ingest_date`` is ``""`` when the key does not have the form that a job loads
    (``<prefix><source>/ingest_date=YYYY-MM-DD/[batch=NNNN/]<source>.csv[.gz]``). ``sequencer`` is
    S3's own order of the events of one key, when an event told us.
    """

    bucket: str
    key: str
    version_id: str
    etag: str
    size: int
    event_time: str
    source: str
    ingest_date: str = ""
    batch: str = ""
    sequencer: str = ""

    @property
    def loadable(self) -> bool:
        return not self.never_loaded

    @property
    def never_loaded(self) -> str:
        """Why no run loads it; ``""`` if one does."""
        if self.source.startswith("_"):
            return f"sources such as {self.source}, whose names begin with _, are not loaded"
        if self.source not in JOB_SOURCES:
            return f"the job does not load the source {self.source}; it loads {', '.join(JOB_SOURCES)}"
        if not self.ingest_date:
            form = f"{self.source}/ingest_date=YYYY-MM-DD/[batch=NNNN/]{self.source}.csv[.gz]"
            return f"the key does not end with {form}"
        return ""

    @property
    def identity(self) -> str:
        """16 hex digits that name this version of this object."""
        text = f"{self.bucket}/{self.key}/{self.version_id}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def guard_key(self) -> dict[str, str]:
        return {"pk": f"OBJ#{self.bucket}/{self.key}", "sk": self.version_id}

    @property
    def run_sk(self) -> str:
        return f"INGEST#{seconds(self.event_time)}#{self.etag or 'noetag'}#{self.identity}"


def landing_of(
    *,
    prefix: str,
    bucket: str,
    key: str,
    version_id: str | None,
    etag: str,
    size: int,
    event_time: str,
    sequencer: str = "",
) -> Landing | None:
    """The landing that an object is, or None for what is none: other prefixes, folder markers, and empty objects that
    no job loads (``_SUCCESS``). An empty one that a job loads is a landing: the job refuses it by name."""
    if not key.startswith(prefix) or key.endswith("/"):
        return None
    below = key.removeprefix(prefix)
    match = _LOADABLE.fullmatch(below)
    loadable = match is not None and _is_date(match["date"])
    if not size and not loadable:
        return None
    return Landing(
        bucket=bucket,
        key=key,
        version_id=version_id or "null",
        etag=etag.strip('"'),
        size=int(size),
        event_time=event_time,
        source=below.split("/", 1)[0] if "/" in below else "unknown",
        ingest_date=match["date"] if match and loadable else "",
        batch=(match["batch"] or "") if match and loadable else "",
        sequencer=sequencer,
    )


def seconds(event_time: str) -> str:
    """``2026-11-24T10:00:00.123Z`` -> ``2026-11-24T10:00:00Z``."""
    return event_time[:19] + "Z"


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True

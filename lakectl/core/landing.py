"""A landing: one version of one object below the landing prefix, what its key says, and whether a run loads it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakectl.core.landing_key import file_endings, form_of, parse, source_of

if TYPE_CHECKING:
    from lakectl.spec.model import SourceSpec

_MOST_NAMED = 20  # sources in a reason


@dataclass(frozen=True)
class Landing:
    """One version of one object below the landing prefix.

    ``key`` is decoded; ``version_id`` is ``"null"`` in a bucket without versions; ``event_time`` is
    ISO 8601 UTC with a final Z. ``ignored`` says why no run loads it; ``ingest_date`` is ``""`` then. ``sequencer`` is
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
    ignored: str = ""
    sequencer: str = ""

    @property
    def loadable(self) -> bool:
        return not self.ignored

    @property
    def identity(self) -> str:
        """16 hex digits that name this version of this object."""
        text = f"{self.bucket}/{self.key}/{self.version_id}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class LandingZone:
    """Where files land and which of them are loaded: the objects below ``prefix``, and the lake's ``sources``."""

    prefix: str
    sources: Mapping[str, SourceSpec]

    def landing(
        self,
        *,
        bucket: str,
        key: str,
        version_id: str | None,
        etag: str,
        size: int,
        event_time: str,
        sequencer: str = "",
    ) -> Landing | None:
        """The landing that an object is, or None for what is none: other prefixes, folder markers, and empty objects
        that no run loads (``_SUCCESS``). An empty one that a run loads is a landing: the run refuses it by name."""
        if not key.startswith(self.prefix) or key.endswith("/"):
            return None
        ignored = self._ignored(key)
        if ignored and not size:
            return None
        said = None if ignored else parse(key, self.prefix)
        return Landing(
            bucket=bucket,
            key=key,
            version_id=version_id or "null",
            etag=etag.strip('"'),
            size=int(size),
            event_time=event_time,
            source=source_of(key, self.prefix),
            ingest_date=said.ingest_date.isoformat() if said else "",
            batch=said.batch if said else "",
            ignored=ignored,
            sequencer=sequencer,
        )

    def loads(self, key: str) -> bool:
        """Whether a run loads what lies under ``key``."""
        return key.startswith(self.prefix) and not self._ignored(key)

    def _ignored(self, key: str) -> str:
        """Why no run loads what lies under a key below the prefix; ``""`` if one does."""
        name = source_of(key, self.prefix)
        source = self.sources.get(name)
        if source is None:
            named = ", ".join(list(self.sources)[:_MOST_NAMED])
            more = f" and {len(self.sources) - _MOST_NAMED} more" if len(self.sources) > _MOST_NAMED else ""
            return f"the lake has no source {name}; it has {named}{more}"
        said = parse(key, self.prefix)
        if said is None or said.file not in [name + ending for ending in file_endings(source.file)]:
            return f"the key does not end with {form_of(name, source.file)}"
        return ""


def seconds(event_time: str) -> str:
    """``2026-11-24T10:00:00.123Z`` -> ``2026-11-24T10:00:00Z``."""
    return event_time[:19] + "Z"

"""The versions of one key: which is the newest, and which of them is to stand for the key in silver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from lakectl.core.landing import seconds

PENDING, CLAIMED, LOADED, FAILED = "PENDING", "CLAIMED", "LOADED", "FAILED"
DUPLICATE, SUPERSEDED, REVERTED, IGNORED = "DUPLICATE", "SUPERSEDED", "REVERTED", "IGNORED"
DELETED = "deleted"  # what ``superseded_by`` holds when a run found no object

# In silver, or on the way there: only such a version can make another one a duplicate. The first one counts most.
STANDING = (LOADED, CLAIMED, PENDING)


@dataclass(frozen=True)
class Version:
    """A version as its guard and its run item tell of it. ``sequencer`` is ``""`` when no event told it."""

    id: str
    pk: str
    sk: str
    bytes: tuple[str, int]  # ETag and size
    event_time: str
    sequencer: str
    status: str
    duplicate_of: str
    superseded_by: str

    @classmethod
    def of(cls, guard: Mapping[str, Any], run: Mapping[str, Any]) -> Version:
        return cls(
            id=guard["sk"],
            pk=guard["run_pk"],
            sk=guard["run_sk"],
            bytes=(guard["etag"], int(guard["size_bytes"])),
            event_time=guard["event_time"],
            sequencer=guard.get("sequencer", ""),
            status=run["load_status"],
            duplicate_of=run.get("duplicate_of", ""),
            superseded_by=run.get("superseded_by", ""),
        )

    def same_bytes(self, other: Version) -> bool:
        return bool(self.bytes[0]) and self.bytes == other.bytes


@dataclass(frozen=True)
class Move:
    """What is to become of a version. For DUPLICATE ``original`` is what it duplicates, for SUPERSEDED what
    replaced it; for PENDING it is None."""

    version: Version
    to: str
    original: Version | None = None


def settle(versions: Sequence[Version]) -> list[Move]:
    """The moves after which the newest version's bytes are in silver, or on their way.

    Equal bytes add nothing, and other bytes are outdated. No move while the order can't be known: the job asks S3
    which version is current before it loads any.
    """
    ordered = oldest_first(versions)
    if ordered is None or len(ordered) < 2:
        return []
    newest = ordered[-1]
    first = len(ordered) - 1
    while first and ordered[first - 1].same_bytes(newest):
        first -= 1
    standing = _standing(ordered, first)
    moves: list[Move] = []
    if standing is None and _is_lost(newest, ordered):
        moves.append(Move(newest, PENDING))
        standing = newest
    for version in ordered[first:]:
        if standing is not None and version is not standing:
            if version.status == PENDING:
                moves.append(Move(version, DUPLICATE, standing))
            elif version.status == FAILED:
                moves.append(Move(version, SUPERSEDED, standing))
    for version in ordered[:first]:
        if version is not standing and version.status in (PENDING, FAILED):
            moves.append(Move(version, SUPERSEDED, newest))
    return moves


def _standing(ordered: list[Version], first: int) -> Version | None:
    """The version that stands for the newest one's bytes: of those from ``first`` on, or what the newest one is a
    duplicate of since before the versions between them were known."""
    alike = [version for version in ordered[first:] if version.status in STANDING]
    if alike:
        return min(alike, key=lambda version: STANDING.index(version.status))
    original = next((version for version in ordered if version.sk == ordered[-1].duplicate_of), None)
    if original is None or original.status not in STANDING:
        return None
    later = ordered[ordered.index(original) + 1 : first]
    loaded_since = any(version.status in (CLAIMED, LOADED) and not version.same_bytes(original) for version in later)
    return None if loaded_since else original


def _is_lost(newest: Version, ordered: list[Version]) -> bool:
    """Whether the newest version was skipped for one that isn't loaded.

    Bytes that a run refused or a rollback took out stay out until somebody puts them again or asks for them; a
    version that a run found deleted is gone until a run finds it again.
    """
    if newest.status == SUPERSEDED:
        return newest.superseded_by != DELETED
    if newest.status != DUPLICATE:
        return False
    original = next((version for version in ordered if version.sk == newest.duplicate_of), None)
    return original is None or original.status in (SUPERSEDED, *STANDING)


def is_later(sequencer: str, than: str) -> bool:
    """Whether S3 wrote the event with this sequencer after the other one of the same key.

    The shorter one is padded with zeros on the right, then they are compared as text ("Event message structure", S3
    user guide).
    """
    width = max(len(sequencer), len(than))
    return sequencer.ljust(width, "0") > than.ljust(width, "0")


def oldest_first(versions: Sequence[Version]) -> list[Version] | None:
    """In the order in which S3 wrote them; None when that can't be known.

    S3's sequencer decides where all have one, whatever the clocks say. Versions found by listing have none: the time
    in seconds decides, if it agrees with the sequencers of the others.
    """
    width = max((len(version.sequencer) for version in versions), default=0)

    def padded(version: Version) -> str:
        return version.sequencer.ljust(width, "0")

    if all(version.sequencer for version in versions):
        return sorted(versions, key=padded)

    def compare(one: Version, other: Version) -> int:
        key: Callable[[Version], str] = lambda version: seconds(version.event_time)  # noqa: E731
        if key(one) == key(other) and one.sequencer and other.sequencer:
            key = padded
        return (key(one) > key(other)) - (key(one) < key(other))

    ordered = sorted(versions, key=cmp_to_key(compare))
    if any(compare(one, other) == 0 for one, other in pairwise(ordered)):
        return None
    told = [padded(version) for version in ordered if version.sequencer]
    return ordered if told == sorted(told) else None

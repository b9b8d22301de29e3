"""S3: the versions of a bucket, listed page by page, and their times and ids.

moto copies every version of the bucket for each page, sorts those of one millisecond the wrong way round, and gives
an empty page when the version to go on from is gone. Its times are the machine's, which may go back. It also drops all
versions of a key with the first put or delete after versioning was suspended. Replaced:
``S3Backend.list_object_versions``, ``FakeBucket.is_versioned``, the source of times and that of version ids: they hold
their time, so that the place of a deleted one is known. Wrapped: ``S3Backend.put_object`` and ``_set_delete_marker``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any, TypeAlias

from moto.moto_api._internal import mock_random
from moto.s3 import models
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend

from lakectl.local.context import LocalContext
from lakectl.local.s3.clock import clock, utcnow

MOST = 1000  # entries of a page
ORDERED = "7"  # the version digit of our ids, as in RFC 9562: time first

Version: TypeAlias = FakeKey | FakeDeleteMarker
Page: TypeAlias = tuple[list[FakeKey], list[str], list[FakeDeleteMarker], str | None, str | None]


def install(context: LocalContext) -> None:
    models.random = _Random()
    models.utcnow = utcnow
    FakeBucket.is_versioned = property(lambda self: self.versioning_status in ("Enabled", "Suspended"))
    for name in ("put_object", "_set_delete_marker"):
        setattr(S3Backend, name, _null_when_suspended(getattr(S3Backend, name), context))
    S3Backend.list_object_versions = _list_object_versions


def _null_when_suspended(original: Callable[..., Any], context: LocalContext) -> Callable[..., Any]:
    """What is made while versioning is suspended has the version id "null", and replaces that version only."""

    def make(self: S3Backend, bucket_name: str, key_name: str, *args: Any, **kwargs: Any) -> Any:
        made = original(self, bucket_name, key_name, *args, **kwargs)
        bucket = self.get_bucket(bucket_name)
        if bucket.versioning_status == "Suspended":
            made._version_id = "null"
            others = [each for each in bucket.keys.getlist(key_name) if str(each.version_id) != "null"]
            bucket.keys.setlist(key_name, [*others, made])
            context.objects.renew_key(bucket_name, key_name, "null")
        return made

    return make


class _Random:
    """moto's source of random values, whose UUIDs are ordered by time."""

    def __getattr__(self, name: str) -> Any:
        return getattr(mock_random, name)

    def uuid4(self) -> uuid.UUID:
        place = clock.now() // 1000
        high = (place >> 12 << 16) | (int(ORDERED, 16) << 12) | (place & 0xFFF)
        return uuid.UUID(int=high << 64 | uuid.uuid4().int & (1 << 64) - 1)


def _place(version_id: str) -> int | None:
    """When the version was made, in microseconds since the epoch; None if its id does not tell."""
    if len(version_id) != 36 or version_id[14] != ORDERED:
        return None
    try:
        high = uuid.UUID(version_id).int >> 64
    except ValueError:
        return None
    return high >> 16 << 12 | high & 0xFFF


def _list_object_versions(
    self: S3Backend,
    bucket_name: str,
    delimiter: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = MOST,
    prefix: str = "",
    version_id_marker: str | None = None,
) -> Page:
    most = min(MOST if max_keys is None else max_keys, MOST)
    found: list[tuple[str, Version | None]] = []
    keys = self.get_bucket(bucket_name).keys
    for entry in _entries(keys, prefix, delimiter, key_marker or "", version_id_marker):
        if len(found) == most:
            break
        found.append(entry)
    else:
        return _page(found, None, None)
    name, last = found[-1] if found else (None, None)
    return _page(found, name, last and str(last.version_id))


def _page(found: list[tuple[str, Version | None]], next_key: str | None, next_version: str | None) -> Page:
    versions = [version for _, version in found if isinstance(version, FakeKey)]
    markers = [version for _, version in found if isinstance(version, FakeDeleteMarker)]
    return versions, [name for name, version in found if version is None], markers, next_key, next_version


def _entries(
    keys: Any, prefix: str, delimiter: str | None, key_marker: str, version_marker: str | None
) -> Iterator[tuple[str, Version | None]]:
    """What comes after the marker: (key, version), or (common prefix, None)."""
    rolled = ""
    for name in sorted(name for name in keys if name >= key_marker and name.startswith(prefix)):
        head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if found:
            common = prefix + head + found
            if common not in (rolled, key_marker):
                yield common, None
            rolled = common
            continue
        newest_first = list(reversed(keys.getlist(name, [])))
        rest = _after(newest_first, version_marker) if name == key_marker else newest_first
        for version in rest:
            yield name, _marked(version, is_latest=version is newest_first[0])


def _after(newest_first: list[Version], marker: str | None) -> list[Version]:
    """The versions that come after the one with the id ``marker``, though it may be gone; none without a marker."""
    if not marker:
        return []
    ids = [str(version.version_id) for version in newest_first]
    if marker in ids:
        return newest_first[ids.index(marker) + 1 :]
    place = _place(marker)
    if place is None:
        return newest_first  # better seen twice than not at all
    return [version for version in newest_first if _made(version) < place]


def _made(version: Version) -> int:
    place = _place(str(version.version_id))
    if place is None:
        return int(version.last_modified.replace(tzinfo=UTC).timestamp() * 1e6)  # moto's times are naive
    return place


def _marked(version: Version, *, is_latest: bool) -> Version:
    """A copy that bears the flag: the flag is the listing's, and the version goes to disk with all it has."""
    clone: Version = object.__new__(type(version))
    clone.__dict__.update(version.__dict__, is_latest=is_latest)
    return clone

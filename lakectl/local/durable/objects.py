"""S3's buckets, object versions, uploads and parts as rows: what changed in a transaction is written at its end."""

from __future__ import annotations

import pickle
import threading
from contextlib import AbstractContextManager
from typing import Any

from moto.s3.models import (
    FakeBucket,
    FakeDeleteMarker,
    FakeKey,
    FakeMultipart,
    MultipartDict,
    S3Backend,
    get_canned_acl,
    s3_backends,
)
from moto.s3.utils import _VersionedKeyStore

from lakectl.local.durable.bodies import Bodies, Body
from lakectl.local.durable.database import Database
from lakectl.local.durable.forms import is_pickle
from lakectl.local.durable.forms_s3 import CODEC, KEY, BucketRow, PartRow, UploadRow, VersionRow

BUCKET, VERSION, UPLOAD, PART = "s3-bucket", "s3-version", "s3-upload", "s3-part"
SEPARATOR = "\0"  # no key and no version id contains it

_PLAIN = (type(None), bool, int, str)


class Objects:
    """Call ``touch_*`` inside a transaction that ends while ``lock`` is held: one request changes buckets at a time."""

    def __init__(self, database: Database, bodies: Bodies, lock: AbstractContextManager[Any]) -> None:
        self.database = database
        self.bodies = bodies
        self.lock = lock
        self._known: set[str] = set()  # buckets that have rows
        self._local = threading.local()
        prototype = FakeKey("", b"", "", "us-east-1")
        self._defaults = {name: value for name, value in vars(prototype).items() if isinstance(value, _PLAIN)}
        self._made = {"_transitions": prototype._transitions, "_time_progressed": prototype._time_progressed}
        self._private = pickle.dumps(get_canned_acl("private"))

    def touch_bucket(self, bucket: Any) -> None:
        self._dirty()[(BUCKET, bucket.name, "")] = None

    def touch_all(self, backend: S3Backend) -> None:
        """Any bucket may have changed, come or gone. Keys are seen by ``touch_key`` whoever changes them."""
        for bucket in list(backend.buckets.values()):
            self.touch_bucket(bucket)
        for name in self._known - s3_backends.bucket_accounts.keys():
            self._dirty()[(BUCKET, name, "")] = None

    def touch_key(self, bucket_name: str, key: str, version_id: str) -> None:
        self._dirty()[(VERSION, bucket_name, f"{key}{SEPARATOR}{version_id}")] = None

    def renew_key(self, bucket_name: str, key: str, version_id: str) -> None:
        """As ``touch_key``, for a version that has taken another's id: its row comes after those of all others."""
        self.database.delete(VERSION, bucket_name, f"{key}{SEPARATOR}{version_id}")
        self.touch_key(bucket_name, key, version_id)

    def touch_upload(self, bucket_name: str, upload_id: str) -> None:
        self._dirty()[(UPLOAD, bucket_name, upload_id)] = None

    def touch_part(self, bucket_name: str, upload_id: str, number: int) -> None:
        self._dirty()[(PART, bucket_name, f"{upload_id}{SEPARATOR}{number:05d}")] = None

    def drop(self, body: Body | None) -> None:
        """The files of a body go once this thread's transaction is on disk."""
        if body is not None and body.segments:
            self.database.after_commit(lambda: self.bodies.drop(body.files))

    def recover(self) -> bool:
        """Roll back what an earlier server has not synced, if any of its bodies is damaged: then there was a power cut.

        Returns whether it did. For the start, before anything is loaded.
        """
        rows = self.database.unsettled()
        bodies = [body for kind, _, _, value in rows if kind in (VERSION, PART) for body in _bodies_of(kind, value)]
        whole = [self.bodies.is_whole(body) for body in bodies]
        if not all(whole):
            self.database.roll_back()
        self.database.sync()
        return not all(whole)

    def load(self) -> None:
        """Put all rows into moto's backends, and sweep files that none names. For the start."""
        buckets: dict[str, FakeBucket] = {}
        files: set[str] = set()

        def read_bucket(name: str, _: str, value: bytes) -> None:
            buckets[name] = self._load_bucket(_read(BUCKET, value))

        def read_version(name: str, identity: str, value: bytes) -> None:
            row = _read(VERSION, value)
            files.update(self._load_version(buckets[name], identity.split(SEPARATOR)[0], row))

        def read_upload(name: str, identity: str, value: bytes) -> None:
            buckets[name].multiparts[identity] = _read(UPLOAD, value).upload

        def read_part(name: str, identity: str, value: bytes) -> None:
            upload = buckets[name].multiparts[identity.split(SEPARATOR)[0]]
            part = self._key(_read(PART, value).part)
            files.update(part.body.files)
            upload.parts[part.name] = part
            upload.partlist = sorted(upload.parts)

        self.database.load(BUCKET, read_bucket)
        self._known = set(buckets)
        self.database.load(VERSION, read_version)
        self.database.load(UPLOAD, read_upload)
        self.database.load(PART, read_part)
        if not self.database.holds_quarantined((BUCKET, VERSION, UPLOAD, PART)):  # whose files nobody knows
            self.bodies.sweep(files)

    def rewrite(self) -> None:
        """Write again what ``load`` has read from rows of format 1."""
        for kind in (BUCKET, VERSION, UPLOAD, PART):
            for scope, identity, value in self.database.rows(kind):
                if is_pickle(value):
                    self.database.put(kind, scope, identity, CODEC.dumps(_read(kind, value)))

    def _load_bucket(self, row: BucketRow) -> FakeBucket:
        bucket = row.bucket
        bucket.keys.bucket_name = bucket.name
        backend = s3_backends[bucket.account_id][bucket.partition]
        if row.tags:
            backend.tagger.tag_resource(bucket.arn, row.tags)
        backend.buckets[bucket.name] = bucket
        s3_backends.bucket_accounts[bucket.name] = (bucket.partition, bucket.account_id)
        return bucket

    def _load_version(self, bucket: FakeBucket, name: str, row: VersionRow) -> set[str]:
        versions = dict.setdefault(bucket.keys, name, [])
        if row.key is None:
            row.marker.key = versions[-1] if versions else None
            versions.append(row.marker)
            return set()
        key = self._key(row.key)
        files: set[str] = key.body.files
        if row.tags:
            s3_backends[bucket.account_id][bucket.partition].tagger.tag_resource(key.arn, row.tags)
        versions.append(key)
        return files

    def _dirty(self) -> dict[tuple[str, str, str], None]:
        dirty: dict[tuple[str, str, str], None] | None = getattr(self._local, "dirty", None)
        if dirty is None:
            dirty = self._local.dirty = {}
            self.database.before_commit(self._collect)
        return dirty

    def _collect(self) -> None:
        dirty, self._local.dirty = self._local.dirty, None
        for kind, scope, identity in dirty:
            value = self._value(kind, scope, identity)
            if value is None and kind == BUCKET:
                self._known.discard(scope)
                for each in (BUCKET, VERSION, UPLOAD, PART):  # S3 deletes a bucket with unfinished uploads
                    self.database.delete_scope(each, scope)
            elif value is None:
                self.database.delete(kind, scope, identity)
            else:
                self.database.put(kind, scope, identity, value)
                if kind == BUCKET:
                    self._known.add(scope)

    def _value(self, kind: str, scope: str, identity: str) -> bytes | None:
        """What the row should hold now; None: there is no such thing any more."""
        where = s3_backends.bucket_accounts.get(scope)
        backend = s3_backends[where[1]][where[0]] if where else None
        found = backend.buckets.get(scope) if backend else None
        if found is None or backend is None:
            return None
        if kind == BUCKET:
            return CODEC.dumps(BucketRow(found, _tags(backend, found.arn)))
        first, _, second = identity.partition(SEPARATOR)
        if kind == VERSION:
            versions = found.keys.getlist(first, [])
            key = next((each for each in reversed(versions) if str(each.version_id) == second), None)
            if isinstance(key, FakeDeleteMarker):
                return CODEC.dumps(VersionRow(None, key))
            return key and CODEC.dumps(VersionRow(self._state(key), None, _tags(backend, key.arn)))
        upload = found.multiparts.get(first)
        if upload is None:
            return None
        if kind == UPLOAD:
            return CODEC.dumps(UploadRow(upload))
        part = upload.parts.get(int(second))
        return part and CODEC.dumps(PartRow(self._state(part)))

    def _state(self, key: FakeKey) -> dict[str, Any]:
        """A key's attributes without those that every key has."""
        state = {
            name: value
            for name, value in KEY.attributes(key).items()
            if name == "multipart"
            or not (isinstance(value, _PLAIN) and name in self._defaults and self._defaults[name] == value)
        }
        if pickle.dumps(state["acl"]) == self._private:
            del state["acl"]
        if key.multipart is not None:
            parts = [(number, self._state(part)) for number, part in key.multipart.parts.items()]
            rest = {name: value for name, value in vars(key.multipart).items() if name != "parts"}
            state["multipart"] = (rest, parts)
        return state

    def _key(self, state: dict[str, Any]) -> Any:
        key = FakeKey.__new__(FakeKey)
        key.__dict__.update(self._defaults)
        key.__dict__.update(state, **self._made)
        key.lock = threading.Lock()
        if "acl" not in state:
            key.acl = get_canned_acl("private")
        if isinstance(key.multipart, tuple):
            rest, parts = key.multipart
            key.multipart = FakeMultipart.__new__(FakeMultipart)
            key.multipart.__dict__.update(rest, parts={number: self._key(each) for number, each in parts})
        return key


def _read(kind: str, value: bytes) -> Any:
    """A row of format 1 or of a later one."""
    if not is_pickle(value):
        return CODEC.loads(value)
    found = pickle.loads(value)  # noqa: S301 - our own file
    if kind == BUCKET:
        cls, state, tags = found
        return BucketRow(_made(cls, state | {"keys": _VersionedKeyStore(), "multiparts": MultipartDict()}), tags)
    if kind == VERSION:
        state, tags = found
        return (
            VersionRow(state, None, tags) if "multipart" in state else VersionRow(None, _made(FakeDeleteMarker, state))
        )
    return PartRow(found) if kind == PART else UploadRow(_made(FakeMultipart, found | {"parts": {}, "partlist": []}))


def _made(cls: Any, state: dict[str, Any]) -> Any:
    made = cls.__new__(cls)
    made.__dict__.update(state)
    return made


def _bodies_of(kind: str, value: bytes) -> list[Body]:
    """The bodies that a row of a version or a part names; of an object that came in parts, its parts' bodies too."""
    try:
        row = _read(kind, value)
    except Exception:  # noqa: BLE001 - the load says what is wrong with it
        return []
    state = (row.key or {}) if kind == VERSION else row.part
    multipart = state.get("multipart")
    states = [state, *(part for _, part in multipart[1])] if isinstance(multipart, tuple) else [state]
    return [each["body"] for each in states if "body" in each]


def _tags(backend: Any, arn: str) -> list[dict[str, str]]:
    if not backend.tagger.has_tags(arn):
        return []
    tags: list[dict[str, str]] = backend.tagger.list_tags_for_resource(arn)["Tags"]
    return tags

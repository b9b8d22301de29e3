"""S3: bodies are files, and every change is on disk before its answer goes out.

moto keeps bodies in memory or in temporary files that go with the process, joins the parts of an upload in memory, and
reads an object whole to answer a range of it. Replaced: the buffer, ``value``, ``etag`` and disposal of ``FakeKey``,
``FakeMultipart.complete``, ``S3Backend.upload_part`` and ``upload_part_copy``. Wrapped: ``_VersionedKeyStore`` (which
versions came and went), ``S3Response.get_object`` and ``S3Backend.copy_object`` (no bytes in memory).
"""

from __future__ import annotations

import codecs
import hashlib
import threading
from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from moto.s3 import models
from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML, NoSuchUpload
from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, S3Backend
from moto.s3.responses import S3Response
from moto.s3.utils import _VersionedKeyStore

from lakectl.local.context import LocalContext
from lakectl.local.durable.bodies import Bodies, Body, BodyGone
from lakectl.local.durable.objects import Objects
from lakectl.local.s3 import checksums
from lakectl.local.s3.completion import algorithm_of
from lakectl.local.s3.errors import invalid_request

changes = threading.RLock()  # held by each request that changes a bucket, until its rows are committed

_how = threading.local()  # what FakeKey.value gives: .reading, .sharing; what is known of a part: .sums
_READ_AGAIN = 5


def install(context: LocalContext) -> None:
    bodies = Bodies(context.state_dir / "state" / "bodies")
    models.tempfile = SimpleNamespace(SpooledTemporaryFile=lambda _size: None)  # the buffer that each key would get
    FakeKey.value = property(_getter(bodies), _setter(bodies))
    FakeKey.etag = property(_etag(bodies))
    FakeKey.__del__ = lambda _self: None
    FakeKey.__deepcopy__ = _shallow
    objects = Objects(context.database, bodies, changes)
    FakeKey.dispose = _dispose(objects)
    FakeMultipart.complete = _complete
    FakeMultipart.dispose = _dispose_parts
    _VersionedKeyStore.setlist = _setlist(objects)
    _VersionedKeyStore.__setitem__ = _append(objects)
    _VersionedKeyStore.pop = _pop(objects)
    FakeBucket.__init__ = _named(FakeBucket.__init__)
    S3Backend.create_multipart_upload = _beginning(S3Backend.create_multipart_upload, objects)
    for name in ("complete_multipart_upload", "abort_multipart_upload"):
        setattr(S3Backend, name, _ending(getattr(S3Backend, name), objects))
    S3Backend.upload_part = _upload_part(objects)
    S3Backend.upload_part_copy = _upload_part_copy(objects)
    S3Backend.put_object = _alone(S3Backend.put_object, objects)
    S3Backend.copy_object = _sharing(S3Backend.copy_object)
    S3Response.get_object = _streaming(S3Response.get_object)
    context.objects = objects


def _getter(bodies: Bodies) -> Callable[[FakeKey], Any]:
    def value(self: FakeKey) -> Any:
        if getattr(_how, "reading", False):
            return bodies.reader(self.body)
        if getattr(_how, "sharing", False):
            return bodies.copy(self.body)
        return bodies.read(self.body)

    return value


def _setter(bodies: Bodies) -> Callable[[FakeKey, Any], None]:
    def set_value(self: FakeKey, value: bytes | str | Body) -> None:
        if isinstance(value, str):
            value = value.encode()
        self.body = value if isinstance(value, Body) else bodies.write(value)
        self.body.kept = True
        self.contentsize = len(self.body)
        self.__dict__.pop("_value_buffer", None)

    return set_value


def _etag(bodies: Bodies) -> Callable[[FakeKey], str]:
    def etag(self: FakeKey) -> str:
        if self._etag is None:
            self._etag = bodies.md5(self.body)
        return f'"{self._etag}"'

    return etag


def _shallow(self: FakeKey, memo: dict[int, Any]) -> FakeKey:  # noqa: ARG001 - the protocol's signature
    """For the listings, for which moto copies every version; the copy's bytes are the original's."""
    clone: FakeKey = FakeKey.__new__(FakeKey)
    clone.__dict__.update(self.__dict__)
    return clone


def _dispose(objects: Objects) -> Callable[..., None]:
    def dispose(self: FakeKey, garbage: bool = False) -> None:  # noqa: ARG001 - moto's signature
        if not self.disposed:
            self.disposed = True
            objects.drop(self.body)

    return dispose


def _dispose_parts(self: FakeMultipart) -> None:
    """For an upload that ends without its parts being used: what ``complete`` has used is no longer its own."""
    for part in self.parts.values():
        part.dispose()


def _named(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: FakeBucket, name: str, *args: Any, **kwargs: Any) -> None:
        original(self, name, *args, **kwargs)
        self.keys.bucket_name = name

    return init


def _setlist(objects: Objects) -> Callable[..., None]:
    def setlist(self: _VersionedKeyStore, key: str, versions: list[Any]) -> None:
        """As moto's, but it compares identities: equality of each with each is quadratic."""
        versions = list(versions) if isinstance(versions, list | tuple) else [versions]
        before = {id(each): each for each in self.getlist(key, [])}
        for each in versions:
            if before.pop(id(each), None) is None:
                objects.touch_key(self.bucket_name, key, str(each.version_id))
        for gone in before.values():
            objects.touch_key(self.bucket_name, key, str(gone.version_id))
            if hasattr(gone, "dispose"):
                gone.dispose()
        dict.__setitem__(self, key, versions)

    return setlist


def _append(objects: Objects) -> Callable[..., None]:
    def set_item(self: _VersionedKeyStore, key: str, version: Any) -> None:
        dict.__setitem__(self, key, [*self.getlist(key, []), version])
        objects.touch_key(self.bucket_name, key, str(version.version_id))

    return set_item


def _pop(objects: Objects) -> Callable[..., None]:
    def pop(self: _VersionedKeyStore, key: str) -> None:
        for version in self.getlist(key, []):
            objects.touch_key(self.bucket_name, key, str(version.version_id))
            if hasattr(version, "dispose"):
                version.dispose()
        dict.pop(self, key)  # KeyError: moto counts on it

    return pop


def _beginning(original: Callable[..., FakeMultipart], objects: Objects) -> Callable[..., FakeMultipart]:
    def create_multipart_upload(self: S3Backend, bucket_name: str, *args: Any, **kwargs: Any) -> FakeMultipart:
        upload = original(self, bucket_name, *args, **kwargs)
        objects.touch_upload(bucket_name, upload.id)
        return upload

    return create_multipart_upload


def _ending(original: Callable[..., Any], objects: Objects) -> Callable[..., Any]:
    def end(self: S3Backend, bucket_name: str, multipart_id: str, *args: Any, **kwargs: Any) -> Any:
        numbers = list(_upload(self, bucket_name, multipart_id).parts)
        answer = original(self, bucket_name, multipart_id, *args, **kwargs)
        objects.touch_upload(bucket_name, multipart_id)
        for number in numbers:
            objects.touch_part(bucket_name, multipart_id, number)
        return answer

    return end


def _complete(self: FakeMultipart, body: Iterator[tuple[int, str]]) -> Any:
    """The object's body is its parts' files, one after the other: nothing is read, nothing is copied."""
    used: dict[int, FakeKey] = {}
    digests = bytearray()
    last = None
    for number, etag in body:
        part = self.parts.get(number)
        if part is None or part.etag.strip('"') != etag.strip('"'):
            raise InvalidPart
        if last is not None and last.contentsize < models.S3_UPLOAD_PART_MIN_SIZE:
            raise EntityTooSmall
        digests.extend(codecs.decode(part.etag.strip('"'), "hex"))
        used[number] = last = part
    if not used:
        raise MalformedXML
    for number in self.parts.keys() - used.keys():
        self.parts[number].dispose()
    for part in used.values():
        part.disposed = True  # its files are the object's now
    self.parts, self.partlist = used, sorted(used)
    segments = tuple(segment for part in used.values() for segment in part.body.segments)
    etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(used)}"
    return Body(segments), etag, None  # its checksum is ``completion``'s


def _upload_part(objects: Objects) -> Callable[..., FakeKey]:
    def upload_part(self: S3Backend, bucket_name: str, multipart_id: str, part_id: int, value: Any) -> FakeKey:
        where = (bucket_name, multipart_id, part_id)
        upload = _upload(self, bucket_name, multipart_id)
        agreed, computed = getattr(_how, "sums", ({}, {}))
        expected = algorithm_of(upload)
        if expected and expected not in agreed:
            actual = next(iter(agreed), "null").lower()
            raise invalid_request(
                f"Checksum Type mismatch occurred, expected checksum Type: {expected.lower()}, actual checksum Type: "
                f"{actual}"
            )
        return _keep_part(objects, self, where, value or b"", computed)

    return upload_part


def _upload_part_copy(objects: Objects) -> Callable[..., FakeKey]:
    def upload_part_copy(
        self: S3Backend,
        dest_bucket_name: str,
        multipart_id: str,
        part_id: int,
        src_bucket_name: str,
        src_key_name: str,
        src_version_id: str | None,
        start_byte: int | None,
        end_byte: int | None,
    ) -> FakeKey:
        source = self.get_object(src_bucket_name, src_key_name, version_id=src_version_id)
        if source is None:
            raise models.MissingKey(key=src_key_name)
        body = objects.bodies.copy(source.body)
        if start_byte is not None and end_byte is not None:
            whole, body = body, body.part(start_byte, end_byte + 1)
            objects.bodies.remove(whole.files - body.files)
        algorithm = algorithm_of(_upload(self, dest_bucket_name, multipart_id)) or checksums.DEFAULT
        sums = {algorithm: checksums.of(algorithm, objects.bodies.chunks(body))}
        return _keep_part(objects, self, (dest_bucket_name, multipart_id, part_id), body, sums)

    return upload_part_copy


def _keep_part(
    objects: Objects, backend: S3Backend, where: tuple[str, str, int], value: bytes | Body, sums: Mapping[str, str]
) -> FakeKey:
    """Write a part's bytes without the lock, then make it known with it."""
    bucket_name, upload_id, number = where
    if number < 1:
        raise NoSuchUpload(upload_id=number)
    upload = _upload(backend, bucket_name, upload_id)
    part = FakeKey(
        number,
        value,
        account_id=upload.account_id,
        region_name=upload.region_name,
        encryption=upload.sse_encryption,
        kms_key_id=upload.kms_key_id,
    )
    part.sums = dict(sums)
    part.etag  # noqa: B018 - computed now, outside of the lock
    try:
        with changes, objects.database.transaction():
            upload = _upload(backend, bucket_name, upload_id)  # it may have ended meanwhile
            if number in upload.parts:
                upload.parts[number].dispose()
            else:
                insort(upload.partlist, number)
            upload.parts[number] = part
            objects.touch_part(bucket_name, upload_id, number)
    except NoSuchUpload:
        objects.bodies.remove(part.body.files)
        raise
    return part


def _upload(backend: S3Backend, bucket_name: str, upload_id: str) -> FakeMultipart:
    upload = backend.get_bucket(bucket_name).multiparts.get(upload_id)
    if upload is None:
        raise NoSuchUpload(upload_id=upload_id)
    return upload


@contextmanager
def vouched(agreed: Mapping[str, str], computed: Mapping[str, str]) -> Iterator[None]:
    """A part that this thread keeps meanwhile has these checksums (algorithm → base64): given, and all known ones."""
    _how.sums = (agreed, computed)
    try:
        yield
    finally:
        _how.sums = ({}, {})


@contextmanager
def _values(**how: bool) -> Iterator[None]:
    for name, value in how.items():
        setattr(_how, name, value)
    try:
        yield
    finally:
        for name in how:
            setattr(_how, name, False)


def _alone(original: Callable[..., FakeKey], objects: Objects) -> Callable[..., FakeKey]:
    """Also from a thread of moto's own, as DynamoDB's exports are written."""

    def put_object(self: S3Backend, *args: Any, **kwargs: Any) -> FakeKey:
        with changes, objects.database.transaction():
            made: FakeKey = original(self, *args, **kwargs)
            if made.checksum_value and not made.checksum_type:
                made.checksum_type = checksums.FULL_OBJECT
            return made

    return put_object


def _sharing(original: Callable[..., None]) -> Callable[..., None]:
    def copy_object(
        self: S3Backend, src_key: FakeKey, dest_bucket_name: str, dest_key_name: str, *args: Any, **kwargs: Any
    ) -> None:
        with _values(sharing=True):
            original(self, src_key, dest_bucket_name, dest_key_name, *args, **kwargs)
        self.get_bucket(dest_bucket_name).keys[dest_key_name].multipart = None  # its parts are the source's

    return copy_object


def _streaming(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_object(self: S3Response) -> Any:
        for _ in range(_READ_AGAIN):
            try:
                with _values(reading=True):
                    return original(self)
            except BodyGone:
                continue  # replaced or deleted since we looked: look again
        raise models.MissingKey(key=self.parse_key_name())

    return get_object

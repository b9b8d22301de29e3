"""The endpoint's side of ``athena.many_objects``: one answer for a whole listing or for many objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from lakectl.local.athena.many_objects import LENGTH_BYTES, MOST_KEYS
from lakectl.local.durable.bodies import Bodies
from lakectl.local.http_body import OutOfMemory
from lakectl.local.iam import calls, refusals, signature
from lakectl.local.iam.guard import Guard
from lakectl.local.iam.identities import Identity
from lakectl.local.iam.refusals import Refused
from lakectl.local.iam.s3_address import Address
from lakectl.local.iam.signature import Signature

MOST_BYTES = 128 << 20  # of all objects together
_READ_AGAIN = 5
MISSING = refusals.bad_request("The specified key does not exist.", "NoSuchKey", "", "", 404)


class ManyObjects:
    """WSGI beside the guard, which says who asks and whether they may read each object."""

    bodies: Bodies  # set before the first request

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            parts = self._answer(environ)
        except Refused as refused:
            return refusals.respond(refused.refusal, "s3", "s3", environ, start_response)
        except OutOfMemory:
            return refusals.respond(refusals.BUSY, "s3", "s3", environ, start_response)
        size = sum(map(len, parts))
        headers = [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))]
        start_response("200 OK", headers)
        return parts

    def _answer(self, environ: dict[str, Any]) -> list[bytes]:
        signed = signature.read(environ)
        # The other signatures do not cover the body.
        if signed is None or signed.version != 4 or signed.expires >= 0 or signed.service != "s3":
            raise Refused(refusals.ANONYMOUS)
        identity, secret = self.guard.identify(signed)
        body = calls.read_body(environ, signed)
        signature.verify(environ, signed, secret, hashlib.sha256(body).hexdigest())
        wanted = _object(body)
        if "listing" in wanted:
            [(bucket, prefix)] = _pairs([wanted["listing"]])
            self._judge(environ, signed, identity, Address("GET", bucket, "", {"list-type": "2", "prefix": prefix}))
            return [json.dumps(self._list(bucket, prefix, signed.region)).encode()]
        where = "places" in wanted
        pairs = _pairs(wanted.get("places" if where else "objects"))
        for bucket, key in pairs:
            self._judge(environ, signed, identity, Address("GET", bucket, key, {}))
        if where:
            return [json.dumps([self._place(*pair, signed.region) for pair in pairs]).encode()]
        parts: list[bytes] = []
        size = 0
        for bucket, key in pairs:
            data = self._read(bucket, key, signed.region)
            size += len(data)
            if size > MOST_BYTES:
                raise Refused(refusals.TOO_LARGE)
            parts += [len(data).to_bytes(LENGTH_BYTES, "big"), data]
        return parts

    def _judge(self, environ: dict[str, Any], signed: Signature, identity: Identity | None, address: Address) -> None:
        call = calls.read(environ, signed, b"", address, self.guard.account)
        refusal = self.guard.judge(call, identity) if identity is not None else None
        if refusal is not None:
            raise Refused(refusal)

    def _list(self, bucket: str, prefix: str, region: str) -> list[tuple[str, str, int]]:
        """Raises Refused for a bucket that is not there."""
        backend = s3_backends[self.guard.account][get_partition(region)]
        try:
            found = backend.list_objects(backend.get_bucket(bucket), prefix, None, None, None)[0]
        except ServiceException:
            raise Refused(MISSING) from None
        return [(each.name, each.etag, each.contentsize) for each in found]

    def _place(self, bucket: str, key: str, region: str) -> list[tuple[str, int, int]]:
        """Raises Refused for an object that is not there."""
        backend = s3_backends[self.guard.account][get_partition(region)]
        try:
            found = backend.get_object(bucket, key)
        except ServiceException:
            found = None
        if found is None:
            raise Refused(MISSING)
        return [(str(self.bodies.path(name)), offset, length) for name, offset, length in found.body.segments]

    def _read(self, bucket: str, key: str, region: str) -> bytes:
        """Raises Refused for an object that is not there."""
        backend = s3_backends[self.guard.account][get_partition(region)]
        for _ in range(_READ_AGAIN):
            try:
                found = backend.get_object(bucket, key)
                if found is None:
                    break
                value: bytes = found.value
            except ServiceException:
                break
            except FileNotFoundError:
                continue  # replaced or deleted since we looked: look again
            return value
        raise Refused(MISSING)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(refusals.malformed("The body is no JSON object."))
    return found


def _pairs(found: Any) -> list[tuple[str, str]]:
    """Buckets with a key or a prefix."""
    pairs: list[Any] = found if isinstance(found, list) and len(found) <= MOST_KEYS else [None]
    if not all(isinstance(pair, list) and len(pair) == 2 and all(isinstance(x, str) for x in pair) for pair in pairs):
        raise Refused(refusals.malformed(f"Expected at most {MOST_KEYS} pairs of bucket and key."))
    return [(bucket, key) for bucket, key in pairs]

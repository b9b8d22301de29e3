"""moto's backends as rows: one pickle for each (service, account, region), and a row for each part that grows.

A backend is pickled whole after each request that may have changed it. What there may be many of (log streams, Glue
tables and runs, queue messages: ``Part``) is left out of that pickle and has a row of its own, which is written only
when the part's fingerprint has changed. Locks, backends and AWS-managed policies are named, not written.
"""

from __future__ import annotations

import copyreg
import hashlib
import io
import logging
import pickle
import threading
import types
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BaseBackend
from moto.sqs.models import Queue
from moto.utilities.utils import get_partition

from lakectl.local.durable.database import Database
from lakectl.local.durable.lost import Lost, remove_lost
from lakectl.local.durable.messages import Messages, without_messages

BACKEND, PART, LARGE = "backend", "part", "large-value"
LARGE_BYTES = 64 * 1024
ATTEMPTS = 20  # another thread may change a dictionary while it is being pickled
ID = "_durable_id"  # an attribute of ours on each part

log = logging.getLogger(__name__)

_LOCKS = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.Condition: threading.Condition,
    threading.Event: threading.Event,
}


@dataclass(frozen=True)
class Part:
    """How objects of one class are kept. ``fingerprint`` changes with the object; ``without`` names attributes that
    are not part of its row; ``save`` and ``load`` keep those elsewhere."""

    fingerprint: Callable[[Any], Any]
    without: tuple[str, ...] = ()
    save: Callable[[Database, Any, str], None] | None = None
    load: Callable[[Database, Any, dict[str, Any]], None] | None = None  # (.., backend, its parts by id)
    forget: Callable[[Database, str], None] | None = None


class Snapshots:
    """Saves and loads the backends of all services but S3 and DynamoDB, which have rows of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._parts: dict[type, Part] = {}
        self._left_out: dict[str, tuple[str, ...]] = {}
        self._locks: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._unkept: set[str] = set()
        self._written: dict[str, dict[str, Any]] = {}  # scope -> part id -> fingerprint
        self._digests: dict[str, bytes] = {}  # scope -> of the backend's row
        self._large: dict[str, dict[int, tuple[str, Any]]] = {}  # scope -> id() of a value -> its name, itself
        self._messages = Messages(database)

    def keep(self, parts: dict[type, Part]) -> None:
        """Objects of these classes get rows of their own."""
        self._parts = parts

    def leave_out(self, service: str, *attributes: str) -> None:
        """Attributes of a service's backend that are kept elsewhere, or made anew."""
        self._left_out[service] = attributes

    def save(self, service: str, account: str, region: str) -> None:
        """Write a backend as it is now. ``service`` is moto's name of it."""
        backend = get_backend(service)[account][region]
        scope = f"{service}/{account}/{region}"
        with self._lock:
            lock = self._locks.setdefault(scope, threading.RLock())
        # From reading the state to its commit: else an older state could overwrite a newer one.
        with lock, self._database.transaction():
            value, seen, large = self._pickled(backend, service, self._large.get(scope, {}))
            self._write_parts(scope, seen)
            self._write_large(scope, large)
            if service == "sqs":
                self._messages.save(backend)
            digest = hashlib.blake2b(value).digest()
            if self._digests.get(scope) != digest:  # many a backend is reached and not changed
                self._digests[scope] = digest
                self._database.put(BACKEND, scope, "", value)
            self._database.flush()

    def save_for(self, service: str, account: str, region: str) -> None:
        """Save what a request to ``region`` may have changed; a global service has one backend for its partition.

        What can't be pickled (parts of services that no lake uses) is not kept, and the log says so once.
        """
        backends = get_backend(service)[account]
        where = region if region in backends.regions else get_partition(region)
        try:
            self.save(service, account, where)
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            if service not in self._unkept:
                self._unkept.add(service)
                log.error("the state of %s is not kept over a restart: %s", service, error)

    def load(self) -> None:
        """Put all that was saved into moto's backends. For the start, before the first request."""
        if self._database.other_moto:
            self._set_apart()
        rows: dict[str, dict[str, bytes]] = {}
        for scope, identity, value in self._database.rows(PART):
            rows.setdefault(scope, {})[identity] = value
        large: dict[str, dict[str, bytes]] = {}
        for scope, name, value in self._database.rows(LARGE):
            large.setdefault(scope, {})[name] = value

        def read(scope: str, _: str, value: bytes) -> None:
            service, account, region = scope.split("/")
            backend = get_backend(service)[account][region]
            try:
                self._load_backend(backend, scope, _Reader(value, rows.get(scope, {}), large.get(scope, {})))
            except Exception as error:
                backend.reset()
                for identity in rows.get(scope, ()):
                    self._database.quarantine(PART, scope, identity, f"its backend can't be read: {error}")
                raise

        self._database.load(BACKEND, read)

    def _set_apart(self) -> None:
        """Pickles are objects of moto's private classes: another version of moto can't be trusted to read them."""
        why = f"kept by moto {self._database.other_moto}, and this is moto {version('moto')}"
        services = sorted({scope.split("/")[0] for scope, _, _ in self._database.rows(BACKEND)})
        for kind in (BACKEND, PART, LARGE):
            for scope, identity, _ in self._database.rows(kind):
                self._database.quarantine(kind, scope, identity, why)
        if services:
            log.error("what %s held was %s: it is quarantined, and everything else is there", ", ".join(services), why)

    def _load_backend(self, backend: Any, scope: str, reader: _Reader) -> None:
        state = reader.load()
        if reader.lost:
            remove_lost(state)
        backend.__dict__.update(state)
        found = reader.parts
        written = {identity: self._part_of(part).fingerprint(part) for identity, part in found.items()}
        for kind, part in self._parts.items():
            mine = {identity: each for identity, each in found.items() if type(each) is kind}
            if part.load and mine:
                part.load(self._database, backend, mine)
        self._written[scope] = written
        self._large[scope] = {id(value): (name, value) for name, value in reader.large.items()}
        if scope.startswith("sqs/"):
            self._messages.load(backend)
        for identity, error in reader.lost.items():
            self._database.quarantine(PART, scope, identity, error)
        if reader.lost:
            self.save(*scope.split("/"))  # without the names of what is lost

    def _part_of(self, part: Any) -> Part:
        return self._parts[type(part)]

    def _pickled(
        self, backend: BaseBackend, service: str, large: dict[int, tuple[str, Any]]
    ) -> tuple[bytes, dict[str, Any], dict[int, tuple[str, Any]]]:
        """The backend's row; its parts by id; its large values by id()."""
        left_out = self._left_out.get(service, ())
        for attempt in range(ATTEMPTS):
            state = {name: value for name, value in backend.__dict__.items() if name not in left_out}
            pickler = _Pickler(self._parts, large)
            try:
                return pickler.pickled(state), pickler.seen, pickler.large
            except RuntimeError:  # "dictionary changed size during iteration"
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _write_large(self, scope: str, large: dict[int, tuple[str, Any]]) -> None:
        before, now = (dict(each.values()) for each in (self._large.get(scope, {}), large))
        for name in now.keys() - before.keys():
            self._database.put(LARGE, scope, name, now[name] if isinstance(now[name], bytes) else now[name].encode())
        for name in before.keys() - now.keys():
            self._database.delete(LARGE, scope, name)
        self._large[scope] = large

    def _write_parts(self, scope: str, seen: dict[str, Any]) -> None:
        written = self._written.setdefault(scope, {})
        todo, done = list(seen.items()), set(seen)
        while todo:
            identity, part = todo.pop()
            kind = self._part_of(part)
            fingerprint = kind.fingerprint(part)
            if written.get(identity) != fingerprint:
                pickler = _Pickler(self._parts)
                state = {name: value for name, value in part.__dict__.items() if name not in kind.without}
                self._database.put(PART, scope, identity, pickle.dumps(type(part)) + pickler.pickled(state))
                for inner, other in pickler.seen.items():
                    if inner not in done:
                        done.add(inner)
                        todo.append((inner, other))
                written[identity] = fingerprint
            if kind.save:
                kind.save(self._database, part, identity)
        for identity in written.keys() - done:
            del written[identity]
            self._database.delete(PART, scope, identity)
            for kind in self._parts.values():
                if kind.forget:
                    kind.forget(self._database, identity)


class _Pickler(pickle.Pickler):
    """``known``: large values that have rows, by id(). None: they are written with the rest."""

    def __init__(self, parts: dict[type, Part], known: dict[int, tuple[str, Any]] | None = None) -> None:
        self._file = io.BytesIO()
        super().__init__(self._file, protocol=5)
        self._parts = parts
        self.seen: dict[str, Any] = {}
        self._known = known
        self.large: dict[int, tuple[str, Any]] = {}

    def pickled(self, value: Any) -> bytes:
        self.dump(value)
        return self._file.getvalue()

    def persistent_id(self, value: Any) -> Any:
        kind = type(value)
        if kind is bytes or kind is str:
            return ("large", self._name(value)) if len(value) > LARGE_BYTES and self._known is not None else None
        if kind in self._parts:
            identity = value.__dict__.get(ID)
            if identity is None:
                identity = uuid.uuid4().hex
                setattr(value, ID, identity)
            self.seen[identity] = value
            return ("part", identity)
        if isinstance(value, BaseBackend):
            return ("backend", kind.__module__.split(".")[1], value.account_id, value.region_name)
        if kind.__name__ == "AWSManagedPolicy":
            return ("managed-policy", value.account_id, value.arn)
        return None

    def _name(self, value: Any) -> str:
        known = self._known.get(id(value)) if self._known else None
        if known is None:  # neither bytes nor texts ever change
            data = value if isinstance(value, bytes) else value.encode()
            known = (f"{type(value).__name__}-{hashlib.blake2b(data, digest_size=16).hexdigest()}", value)
        self.large[id(value)] = known
        return known[0]

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if kind is Queue:
            return copyreg.__newobj__, (Queue,), without_messages(value)  # type: ignore[attr-defined]
        if kind in _LOCKS:
            return _LOCKS[kind], ()
        if kind is weakref.WeakValueDictionary:
            return weakref.WeakValueDictionary, (dict(value),)
        if kind is types.FunctionType and value.__qualname__ == "LambdaStorage.__init__.<locals>.<lambda>":
            return _the_dict_type, ()  # the default factory of its aliases
        return NotImplemented


def _the_dict_type() -> type:
    return dict


class _Reader:
    """Reads a backend's row; the parts that it names come from their own rows, each once."""

    def __init__(self, value: bytes, rows: dict[str, bytes], large: dict[str, bytes]) -> None:
        self._value = value
        self._rows = rows
        self.large: dict[str, Any] = {
            name: data if name.startswith("bytes-") else data.decode() for name, data in large.items()
        }
        self.parts: dict[str, Any] = {}
        self.lost: dict[str, Exception] = {}  # parts that can't be read

    def load(self) -> dict[str, Any]:
        state: dict[str, Any] = self._read(io.BytesIO(self._value))
        return state

    def _read(self, stream: io.BytesIO) -> Any:
        reader = _Unpickler(stream)
        reader.named = self._named
        return reader.load()

    def _named(self, name: tuple[str, ...]) -> Any:
        if name[0] == "backend":
            return get_backend(name[1])[name[2]][name[3]]
        if name[0] == "managed-policy":
            return get_backend("iam")[name[1]]["aws"].managed_policies[name[2]]
        if name[0] == "large":
            return self.large[name[1]]
        identity = name[1]
        if identity not in self.parts and identity not in self.lost:
            try:
                self._read_part(identity)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one part, the others can be read
                self.parts.pop(identity, None)
                self.lost[identity] = error
        return self.parts[identity] if identity in self.parts else Lost()

    def _read_part(self, identity: str) -> None:
        stream = io.BytesIO(self._rows[identity])
        kind = self._read(stream)
        part = self.parts[identity] = kind.__new__(kind)
        part.__dict__.update(self._read(stream))


class _Unpickler(pickle.Unpickler):
    named: Callable[[tuple[str, ...]], Any]

    def persistent_load(self, name: Any) -> Any:
        return self.named(name)

"""Messages of SQS queues as rows: a request writes those that it has sent, received or deleted, however many there are.

Wrapped: ``Message.__setattr__`` (which messages have changed).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from moto.sqs.models import Message, Queue, SQSBackend

from lakectl.local.durable.database import Database
from lakectl.local.durable.forms import Codec, Form

MESSAGE, DELETED = "sqs-message", "sqs-deleted"


@dataclass
class MessageRow:
    """``pending``: received, and neither deleted nor visible again."""

    message: Message
    pending: bool


CODEC = Codec(
    (
        Form("sqs-message-row", MessageRow, "message pending"),
        Form(
            "sqs-message",
            Message,
            "id body message_attributes receipt_handle _old_receipt_handles sender_id sent_timestamp "
            "approximate_first_receive_timestamp approximate_receive_count deduplication_id group_id sequence_number "
            "visible_at delayed_until system_attributes",
            without="_durable_id user_id",  # ``user_id``: of an entry of one SendMessageBatch
        ),
    )
)

# Weak: a received message is a copy, which belongs to no queue and goes with its answer.
_changed: WeakValueDictionary[int, Message] = WeakValueDictionary()


def install() -> None:
    Message.__setattr__ = _noting


def _noting(self: Message, name: str, value: Any) -> None:
    object.__setattr__(self, name, value)
    _changed[id(self)] = self  # afterwards: whoever takes it from here writes the new value


def without_messages(queue: Queue) -> dict[str, Any]:
    """A queue's attributes for its backend's row."""
    return {**vars(queue), "_messages": [], "_pending_messages": set(), "deleted_messages": set()}


class Messages:
    """Which messages of which queue have rows. Call everything with the backend's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, list[Message]] = {}  # scope → in the order of the rows

    def load(self, backend: SQSBackend) -> None:
        """Put the rows of a backend's queues into them. A queue of format 1 has its messages already."""
        begin = _scope(backend, "")
        found: dict[str, list[Message]] = {}

        def read(scope: str, _: str, value: bytes) -> None:
            if scope.startswith(begin):
                row, queue = CODEC.loads(value), backend.queues[scope[len(begin) :]]
                queue._messages.append(row.message)
                found.setdefault(scope, []).append(row.message)
                if row.pending:
                    queue._pending_messages.add(row.message)

        def read_deleted(scope: str, _: str, value: bytes) -> None:
            if scope.startswith(begin):
                backend.queues[scope[len(begin) :]].deleted_messages.update(CODEC.loads(value))

        self._database.load(MESSAGE, read)
        self._database.load(DELETED, read_deleted)
        self._known |= found
        _changed.clear()

    def save(self, backend: SQSBackend) -> None:
        """Write what has changed since the last time."""
        begin = _scope(backend, "")
        for name, queue in list(backend.queues.items()):
            self._save_queue(begin + name, queue)
        for scope in [
            each for each in self._known if each.startswith(begin) and each[len(begin) :] not in backend.queues
        ]:
            del self._known[scope]
            self._database.delete_scope(MESSAGE, scope)
            self._database.delete_scope(DELETED, scope)

    def _save_queue(self, scope: str, queue: Queue) -> None:
        before, now = self._known.get(scope, []), list(queue._messages)
        if now != before:  # messages are compared by what they are, not by what they hold: this is quick
            self._known[scope] = now
            if now[: len(before)] == before:
                self._write(scope, queue, now[len(before) :])
            else:
                staying, known = set(map(id, now)), set(map(id, before))
                for message in before:
                    if id(message) not in staying:
                        self._delete(scope, queue, message)
                self._write(scope, queue, (message for message in now if id(message) not in known))
        if _changed:
            mine = set(map(id, now))
            changed = [message for identity, message in list(_changed.items()) if identity in mine]
            self._write(scope, queue, changed)

    def _write(self, scope: str, queue: Queue, messages: Iterable[Message]) -> None:
        for message in messages:
            _changed.pop(id(message), None)
            row = MessageRow(message, message in queue._pending_messages)
            self._database.put(MESSAGE, scope, message.id, CODEC.dumps(row))

    def _delete(self, scope: str, queue: Queue, message: Message) -> None:
        _changed.pop(id(message), None)
        self._database.delete(MESSAGE, scope, message.id)
        handles = [each for each in message.all_receipt_handles if each in queue.deleted_messages]
        if handles:  # deleting it once more succeeds
            self._database.put(DELETED, scope, message.id, CODEC.dumps(handles))


def _scope(backend: SQSBackend, queue: str) -> str:
    return f"{backend.account_id}/{backend.region_name}/{queue}"

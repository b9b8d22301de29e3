"""What happens in a request to S3, collected until it is complete: only then may anybody hear of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Happened = tuple[str, str, Any, Any]  # account, name of the event, moto's bucket, its key
_request = threading.local()


@contextmanager
def collecting() -> Iterator[list[Happened]]:
    _request.events = []
    try:
        yield _request.events
    finally:
        _request.events = None


@contextmanager
def caused_by(cause: str) -> Iterator[None]:
    """Deletions of this thread are told as ``s3:<cause>:…`` meanwhile."""
    _request.cause = cause
    try:
        yield
    finally:
        _request.cause = ""


def cause() -> str:
    return getattr(_request, "cause", "") or "ObjectRemoved"


def add(account_id: str, name: str, bucket: Any, key: Any) -> None:
    """Nothing is collected outside of a request."""
    events = getattr(_request, "events", None)
    if events is not None and key is not None:
        events.append((account_id, name, bucket, key))

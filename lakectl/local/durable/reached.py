"""Which of moto's backends a request reaches. It may have changed any: SNS writes into queues, a stack into everything.

Wrapped: ``AccountSpecificBackend.__getitem__``, the one way from a service to the backend of another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.base_backend import AccountSpecificBackend, BaseBackend

_thread = threading.local()


def install() -> None:
    AccountSpecificBackend.__getitem__ = _noting(AccountSpecificBackend.__getitem__)


@contextmanager
def reached() -> Iterator[list[BaseBackend]]:
    """The backends that this thread reaches inside, in the order of the first access."""
    outer = getattr(_thread, "found", None)
    found: list[BaseBackend] = []
    _thread.found = found
    try:
        yield found
    finally:
        _thread.found = outer
        if outer is not None:
            outer += [each for each in found if not _is_in(each, outer)]


def with_held(backends: list[BaseBackend]) -> list[BaseBackend]:
    """``backends`` and those that they hold as attributes: AutoScaling has the one of EC2 from the beginning."""
    found = list(backends)
    for backend in found:  # grows while it runs
        for value in list(vars(backend).values()):
            if isinstance(value, BaseBackend) and not _is_in(value, found):
                found.append(value)
    return found


def service_of(backend: BaseBackend) -> str:
    """moto's name of a backend's service: awslambda, s3."""
    return type(backend).__module__.split(".")[1]


def _noting(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_item(self: Any, region: str) -> Any:
        backend = original(self, region)
        found = getattr(_thread, "found", None)
        if found is not None and not _is_in(backend, found):
            found.append(backend)
        return backend

    return get_item


def _is_in(backend: BaseBackend, backends: list[BaseBackend]) -> bool:
    return any(each is backend for each in backends)

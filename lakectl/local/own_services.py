"""Which application answers a request: one of our own for its service, else moto."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lakectl.local.iam.calls import CALL, Call

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class OwnServices:
    """WSGI behind the guard, which has put the call into the environ. ``by_name``: IAM prefix → application."""

    def __init__(self, others: Application) -> None:
        self.others = others
        self.by_name: dict[str, Application] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call: Call = environ[CALL]
        return self.by_name.get(call.service, self.others)(environ, start_response)

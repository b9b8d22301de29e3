"""Parameter Store: what fails leaves nothing behind.

Wrapped: the methods of ``SimpleSystemManagerBackend`` that look a parameter up. moto's dictionary makes an entry of
whatever it is asked for, and a PutParameter that is refused leaves one without versions, on which all reads fail.
Installed with the first request to SSM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ssm.models import SimpleSystemManagerBackend

LOOKING = ("put_parameter", "label_parameter_version", "unlabel_parameter_version", "get_parameter_history")


def install() -> None:
    for name in LOOKING:
        setattr(SimpleSystemManagerBackend, name, _tidy(getattr(SimpleSystemManagerBackend, name)))


def _tidy(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: SimpleSystemManagerBackend, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, *args, **kwargs)
        finally:
            for name in [name for name, versions in list(dict.items(self._parameters)) if not versions]:
                del self._parameters[name]

    return call

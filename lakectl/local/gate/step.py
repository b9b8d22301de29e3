"""WSGI between the guard and the dispatch: what is not in the table of services is refused by name.

In the protocol's own form, so that every AWS client raises its error: code ``NotImplemented``, and HTTP 501, which no
client tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from lakectl.local.gate import arguments, failures, names, pretend, s3_operations, settings, table, wellformed
from lakectl.local.iam import refusals
from lakectl.local.iam.calls import CALL, Call
from lakectl.local.iam.refusals import Refusal

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
CODE, STATUS = "NotImplemented", 501

log = logging.getLogger(__name__)


class Gate:
    def __init__(self, application: Application) -> None:
        self.application = application
        self.pretended = pretend.services()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call: Call = environ[CALL]
        refusal = self.refusal(call)
        if refusal is not None:
            log.info("refused %s %s: %s", call.service, call.operation, refusal.message)
            return refusals.respond(refusal, call.service, call.protocol, environ, start_response)
        try:
            return self.application(environ, start_response)
        except failures.OF_THE_CONNECTION:
            raise
        except Exception as error:  # noqa: BLE001 - logged, and answered in the protocol's form
            refusal = failures.refusal(error, call, refused)
            return refusals.respond(refusal, call.service, call.protocol, environ, start_response)

    def refusal(self, call: Call) -> Refusal | None:
        """None for a call that is let through."""
        if call.refused_service:
            return refused(call.operation, call.refused_service)
        name = names.service_of(call)
        known = table.service(name)
        if name in self.pretended or known is None:
            return None
        operation = s3_operations.name_of(call) if name == "s3" else call.operation
        if not operation:
            return refusals.NO_SUCH_METHOD
        if operation not in known.runs and operation not in known.stored:
            return refused(operation, names.full_name(name))
        for group in (known.settings.get(operation), known.settings.get("*")):
            setting = settings.refused(call, group) if group else ""
            if setting:
                return refused(f"{setting} of {operation}", names.full_name(name))
        return wellformed.refusal(call, name, operation) or arguments.refusal(call, name, operation)


def refused(what: str, service: str) -> Refusal:
    """``what``: an operation, or a setting of one."""
    message = f"the local AWS does not do {what} of {service}; it works on AWS"
    return refusals.bad_request(message, CODE, CODE, CODE, STATUS)

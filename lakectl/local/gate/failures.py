"""What escapes from the services, answered in the protocol's own form: never as HTML, on which clients fail.

moto's applications are Flask's, which would answer an exception and an unknown path with a page for browsers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.exceptions import HTTPException

from lakectl.local.http_body import BadBody, OutOfMemory
from lakectl.local.iam import refusals
from lakectl.local.iam.calls import Call
from lakectl.local.iam.refusals import Refusal, Refused

# The connection's own, which the HTTP server sees to.
OF_THE_CONNECTION = (ConnectionError, TimeoutError, BadBody)

LATE = ("cloudformation", "ssm")  # seams whose part of moto is imported when it is first asked for

log = logging.getLogger(__name__)


def raising(service: Any) -> Any:
    """moto's application of a service, which raises what it can't answer."""
    if service in LATE:
        import_module(f"lakectl.local.seams.{service}").install()
    application = create_backend_app(service)
    application.config["PROPAGATE_EXCEPTIONS"] = True
    application.register_error_handler(HTTPException, _unknown)
    return application


def _unknown(error: HTTPException) -> HTTPException:
    """moto's own errors are HTTPExceptions too, and have their form."""
    if type(error).__module__.startswith("werkzeug."):
        raise Refused(refusals.UNKNOWN_OPERATION) from error
    return error


def refusal(error: Exception, call: Call, refused: Callable[[str, str], Refusal]) -> Refusal:
    """How an exception is answered. ``refused`` words what is not done."""
    if isinstance(error, Refused):
        return error.refusal
    if isinstance(error, OutOfMemory):
        return refusals.BUSY
    if isinstance(error, NotImplementedError):
        return refused(call.operation, call.service)
    log.exception("%s %s failed", call.service, call.operation)
    message = f"the local AWS failed; its log says more: {type(error).__name__}: {error}"
    return refusals.bad_request(message, "InternalError", "InternalFailure", "InternalServerError", 500)

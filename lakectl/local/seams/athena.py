"""Athena: moto keeps workgroups, named queries and tags; queries really run (``lakectl.local.athena``).

moto 5.2.5 lets every query succeed with no rows, whatever it says; never reports an effective engine version;
does not list tags of a workgroup without any; and has no UpdateWorkGroup, DeleteNamedQuery, BatchGetNamedQuery,
BatchGetQueryExecution or table metadata.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

from moto.athena.responses import AthenaResponse

from lakectl.local import services
from lakectl.local.athena.api import AthenaApi
from lakectl.local.athena.errors import RequestError
from lakectl.local.context import LocalContext
from lakectl.local.iam.calls import CALL, Call

Answer = str | tuple[str, dict[str, int]]


def install(context: LocalContext) -> None:
    api = AthenaApi(context)
    services.register_executions(api.executions)
    for name in dir(AthenaApi):
        if not name.startswith("_") and name != "executions":
            setattr(AthenaResponse, name, _method(getattr(api, name), api.executions.expect))


def _method(operation: Callable[..., dict[str, Any]], expect: Callable[[], None]) -> Callable[[AthenaResponse], Answer]:
    """A method of moto's response class around one operation of ours."""
    with_caller = "caller" in inspect.signature(operation).parameters

    def respond(response: AthenaResponse) -> Answer:
        request = json.loads(response.body or "{}")
        expect()
        try:
            caller = {"caller": _caller(response)} if with_caller else {}
            return json.dumps(operation(response.athena_backend, request, **caller))
        except RequestError as error:
            refusal = {"__type": error.kind, "Message": error.message}
            if error.athena_error_code:
                refusal["AthenaErrorCode"] = error.athena_error_code
            return json.dumps(refusal), {"status": 400}

    return respond


def _caller(response: AthenaResponse) -> str:
    """The access key id that the guard has verified."""
    call: Call = response.normalized_request.environ[CALL]
    return call.access_key_id

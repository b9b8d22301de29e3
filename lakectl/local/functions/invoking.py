"""Invoke: the payload, the kind of invocation, and what the answer says about it.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from lakectl.local.functions.errors import Refused, conflict, constrained, not_found
from lakectl.local.functions.lifecycle import Functions
from lakectl.local.functions.names import Reference
from lakectl.local.functions.process import Invocation, new_trace_id
from lakectl.local.functions.runtime import Throttled
from lakectl.local.functions.service import LambdaService

LOG_TAIL_BYTES = 4096
MAX_PAYLOAD = 6_291_456  # "Lambda quotas" of the developer guide: 6 MB, and 1 MB for an event
MAX_EVENT = 1_048_576
MAX_CLIENT_CONTEXT = 3_583  # bytes of base64 [Invoke, API reference]
KINDS = ("Event", "RequestResponse", "DryRun")


class Invoking:
    def __init__(self, service: LambdaService, functions: Functions) -> None:
        self._service = service
        self._functions = functions

    def invoke(self, region: str, request: Mapping[str, Any], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """(HTTP status, headers, body). ``request``: with the headers of the API's model. Raises Refused."""
        reference = self._functions.reference(region, request, 170)
        kind = request.get("InvocationType") or "RequestResponse"
        if kind not in KINDS:
            raise constrained(kind, "invocationType", f"satisfy enum value set: [{', '.join(KINDS)}]")
        self._check_state(reference)
        payload = _json_text(body, MAX_EVENT if kind == "Event" else MAX_PAYLOAD)
        if kind == "DryRun":
            return 204, {}, b""
        if kind == "Event":
            return 202, {"x-amzn-RequestId": self._service.invoke_async(reference.arn, payload)}, b""
        trace = request.get("TraceId") or new_trace_id()
        invocation = Invocation(payload, reference.arn, trace_id=trace, client_context=_client_context(request))
        target = self._service.find(reference.arn)
        if target is None:
            raise not_found(f"Function not found: {reference.arn}")
        try:
            outcome = self._service.invoke(target, invocation)
        except Throttled:
            raise Refused("TooManyRequestsException", "Rate Exceeded.") from None
        headers = {
            "X-Amz-Executed-Version": target.spec.version,
            "X-Amzn-Trace-Id": trace,
            "x-amzn-RequestId": outcome.request_id,
        }
        if outcome.error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if request.get("LogType") == "Tail":
            text = "".join(f"{message}\n" for _, message in outcome.log_lines).encode()
            headers["X-Amz-Log-Result"] = base64.b64encode(text[-LOG_TAIL_BYTES:]).decode()
        return 200, headers, outcome.payload.encode()

    def invoke_async(self, region: str, request: Mapping[str, Any], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The older operation of that name."""
        reference = self._functions.reference(region, request)
        self._check_state(reference)
        self._service.invoke_async(reference.arn, _json_text(body, MAX_EVENT))
        return 202, {}, b"{}"

    def _check_state(self, reference: Reference) -> None:
        state = self._functions.find(reference).get("State")
        if state in ("Pending", "Failed"):
            raise conflict(
                "The operation cannot be performed at this time. "
                f"The function is currently in the following state: {state}"
            )


def _json_text(body: bytes, most: int) -> str:
    if len(body) > most:
        raise Refused(
            "RequestTooLargeException", f"Request must be smaller than {most} bytes for the InvokeFunction operation"
        )
    if not body:
        return "{}"
    try:
        text = body.decode()
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused("InvalidRequestContentException", f"Could not parse request body into json: {error}") from None
    return text


def _client_context(request: Mapping[str, Any]) -> str:
    given = str(request.get("ClientContext") or "")
    if not given:
        return ""
    try:
        if len(given) > MAX_CLIENT_CONTEXT:
            raise ValueError(f"it has more than {MAX_CLIENT_CONTEXT} bytes")
        text = base64.b64decode(given, validate=True).decode()
        if not isinstance(json.loads(text), dict):
            raise ValueError("it is no JSON object")
    except (binascii.Error, ValueError) as error:
        raise Refused(
            "InvalidRequestContentException", f"Client context must be a valid Base64-encoded JSON object: {error}"
        ) from None
    return text

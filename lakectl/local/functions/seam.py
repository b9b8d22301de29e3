"""Lambda: moto keeps the functions, our runtime runs them.

Replaced: ``LambdaFunction.invoke`` (needs docker, and fails in silence without it), ``LambdaResponse.json_body`` (the
body is parsed already). Added: DeadLetterConfig, which moto drops; the check that the zip is one and not too large;
refusal of a statement id that exists; processes end with their function.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda.policy import Policy
from moto.awslambda.responses import LambdaResponse
from moto.s3.models import s3_backends

from lakectl.local import services
from lakectl.local.context import LocalContext
from lakectl.local.functions.runtime import Throttled
from lakectl.local.functions.service import LambdaService
from lakectl.local.iam.calls import CALL

LOG_TAIL_BYTES = 4096
MAX_UNZIPPED = 262_144_000  # "Lambda quotas" of the developer guide
TOO_LARGE = f"Unzipped size must be smaller than {MAX_UNZIPPED} bytes"


def install(context: LocalContext) -> None:
    service = LambdaService(context)
    services.register(service)
    LambdaFunction.invoke = _invoke(service)
    LambdaResponse.json_body = property(lambda self: self.normalized_request.environ[CALL].in_body)
    LambdaFunction._set_function_code = _checked_code(LambdaFunction._set_function_code)
    LambdaFunction.__init__ = _with_dead_letter(LambdaFunction.__init__)
    LambdaFunction.update_configuration = _updating_dead_letter(LambdaFunction.update_configuration)
    LambdaFunction.get_configuration = _showing_dead_letter(LambdaFunction.get_configuration)
    LambdaBackend.delete_function = _ending_processes(LambdaBackend.delete_function, service)
    Policy.add_statement = _unique_statement(Policy.add_statement)


def _invoke(service: LambdaService) -> Callable[..., Any]:
    def invoke(self: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        headers = {name.lower(): value for name, value in dict(request_headers).items()}
        payload = _json_text(body)
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        if kind == "DryRun":
            return b""
        if kind == "Event":
            service.invoke_async(self.function_arn, payload)
            return b""
        try:
            outcome = service.invoke(self, payload)
        except Throttled:
            raise TooManyRequests from None
        response_headers["X-Amz-Executed-Version"] = str(self.version)
        if outcome.error:
            response_headers["x-amz-function-error"] = "Unhandled"
        text = "".join(f"{message}\n" for _, message in outcome.log_lines).encode()
        response_headers["x-amz-log-result"] = base64.b64encode(text[-LOG_TAIL_BYTES:]).decode()
        return outcome.payload.encode()

    return invoke


class TooManyRequests(LambdaClientError):
    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class StatementExists(LambdaClientError):
    code = 409

    def __init__(self, sid: str) -> None:
        super().__init__(
            "ResourceConflictException",
            f"The statement id ({sid}) provided already exists. "
            "Please provide a new statement id, or remove the existing statement.",
        )


def _json_text(body: Any) -> str:
    text = body.decode() if isinstance(body, bytes) else body
    if not text:
        return "{}"
    try:
        json.loads(text)
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise LambdaClientError("InvalidRequestContentException", message) from error
    return str(text)


def _checked_code(original: Callable[..., None]) -> Callable[..., None]:
    def set_function_code(self: LambdaFunction, updated_spec: dict[str, Any]) -> None:
        before = {name: getattr(self, name, None) for name in ("code_bytes", "code_size", "code_sha_256")}
        digest = getattr(self, "code_digest", None)
        _check_size_in_s3(self, updated_spec)
        original(self, updated_spec)
        self.code.pop("ZipFile", None)  # moto has it decoded beside
        if "ImageUri" in updated_spec:
            return
        refusal = _refusal_of(self.code_bytes)
        if refusal:
            self.__dict__.update(before)
            self.code_digest = digest
            raise InvalidParameterValueException(refusal)

    return set_function_code


def _check_size_in_s3(function: LambdaFunction, spec: dict[str, Any]) -> None:
    """Before the object is read into memory."""
    bucket = s3_backends[function.account_id][function.partition].buckets.get(spec.get("S3Bucket", ""))
    key = bucket.keys.getlist(spec.get("S3Key", ""), []) if bucket is not None else []
    if any(getattr(version, "size", 0) > MAX_UNZIPPED for version in key[-1:]):
        raise InvalidParameterValueException(TOO_LARGE)


def _refusal_of(code: bytes) -> str:
    """Why Lambda does not take a deployment package; empty when it does."""
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return "Could not unzip uploaded file. Please check your file, then try to upload again."
    return TOO_LARGE if size > MAX_UNZIPPED else ""


def _with_dead_letter(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: LambdaFunction, account_id: str, spec: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        original(self, account_id, spec, *args, **kwargs)
        self.dead_letter_config = spec.get("DeadLetterConfig")

    return init


def _updating_dead_letter(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_configuration(self: LambdaFunction, config_updates: dict[str, Any]) -> Any:
        if "DeadLetterConfig" in config_updates:
            self.dead_letter_config = config_updates["DeadLetterConfig"]
        return original(self, config_updates)

    return update_configuration


def _showing_dead_letter(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_configuration(self: LambdaFunction, *args: Any, **kwargs: Any) -> Any:
        configuration = original(self, *args, **kwargs)
        dead_letter = getattr(self, "dead_letter_config", None)
        if dead_letter and dead_letter.get("TargetArn"):
            configuration["DeadLetterConfig"] = dead_letter
        return configuration

    return get_configuration


def _ending_processes(original: Callable[..., None], service: LambdaService) -> Callable[..., None]:
    def delete_function(self: LambdaBackend, function_name: str, qualifier: str | None = None) -> None:
        arn = self.get_function(function_name).function_arn
        original(self, function_name, qualifier)
        if qualifier is None:
            service.runtime.forget(arn)

    return delete_function


def _unique_statement(original: Callable[..., Any]) -> Callable[..., Any]:
    def add_statement(self: Policy, raw: str, qualifier: str | None = None) -> Any:
        sid = json.loads(raw).get("StatementId")
        if any(statement.get("Sid") == sid for statement in self.statements):
            raise StatementExists(sid)
        return original(self, raw, qualifier)

    return add_statement

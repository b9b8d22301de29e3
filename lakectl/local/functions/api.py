"""Lambda's HTTP API: one function for each of its operations, and a refusal by name for those that are not done here.

https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from lakectl.local import services
from lakectl.local.context import LocalContext
from lakectl.local.functions import from_moto
from lakectl.local.functions.aliases import Aliases
from lakectl.local.functions.errors import Refused, not_found, unsupported
from lakectl.local.functions.event_sources.mappings import Mappings
from lakectl.local.functions.event_sources.pollers import Pollers
from lakectl.local.functions.invoke_configs import InvokeConfigs
from lakectl.local.functions.invoking import Invoking
from lakectl.local.functions.layer_versions import Layers
from lakectl.local.functions.lifecycle import Functions
from lakectl.local.functions.permissions import Permissions
from lakectl.local.functions.reading import Reading
from lakectl.local.functions.service import LambdaService
from lakectl.local.functions.store import FUNCTION, LAYER
from lakectl.local.iam import models
from lakectl.local.iam.calls import CALL, Call

Operation = Callable[[str, dict[str, Any]], dict[str, Any]]  # (region, request)

log = logging.getLogger(__name__)


class LambdaApi:
    """WSGI. What it keeps is loaded by ``context.on_load``."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self.service = LambdaService(context)
        services.register(self.service)
        self._kept = self.service.kept
        context.on_load.append(self._load)
        functions = self._functions = Functions(context, self._kept, self.service.runtime.forget)
        self._invoking = Invoking(self.service, functions)
        self.operations: dict[str, Operation] = {
            **_functions(functions),
            **_reading(Reading(functions)),
            **_aliases(Aliases(functions)),
            **_permissions(Permissions(functions)),
            **_invoke_configs(InvokeConfigs(functions)),
            **_layers(Layers(functions)),
            **_mappings(Mappings(functions, Pollers(context, self.service).changed)),
            **_not_set(functions),
        }

    def _load(self) -> None:
        self._kept.load()
        with self._context.database.transaction():
            from_moto.adopt(self._context, self._kept)
        versions = [made for _, item in self._kept.everywhere(FUNCTION) for made in item["Versions"].values()]
        served = [item["Serving"] for _, item in self._kept.everywhere(FUNCTION) if item.get("Serving")]
        used = {digest for made in (*versions, *served) for digest in (made["_code"], *made.get("_layers", ()))}
        used |= {
            version["_code"] for _, layer in self._kept.everywhere(LAYER) for version in layer["Versions"].values()
        }
        if not self._context.database.holds_quarantined(["lambda"]):
            self._kept.drop_zips_but(used)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call: Call = environ[CALL]
        headers: dict[str, str] = {}
        try:
            status, headers, body = self._answer(call, environ)
        except Refused as refused:
            status = refused.status
            headers["x-amzn-ErrorType"] = refused.kind
            body = json.dumps({"Type": "User", "message": refused.message, "Message": refused.message}).encode()
        except Exception:
            log.exception("%s failed", call.operation)
            status, headers["x-amzn-ErrorType"] = 500, "ServiceException"
            message = "the local Lambda failed; the endpoint's log says how"
            body = json.dumps({"Type": "Service", "message": message, "Message": message}).encode()
        headers = {
            "Content-Type": "application/json",
            "x-amzn-RequestId": str(uuid.uuid4()),
            **headers,
            "Content-Length": str(len(body)),
        }
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [body]

    def _answer(self, call: Call, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        request = _request(call, environ)
        if call.operation == "Invoke":
            return self._invoking.invoke(call.region, request, call.body)
        if call.operation == "InvokeAsync":
            return self._invoking.invoke_async(call.region, request, call.body)
        operation = self.operations.get(call.operation)
        if operation is None:
            raise unsupported(call.operation)
        if call.operation in ("GetFunction", "GetFunctionConfiguration"):
            self._functions.await_settled(call.region, request)
        if call.operation in UNLOCKED:
            answer = operation(call.region, request)
        else:
            with self._kept.lock, self._context.database.transaction():
                answer = operation(call.region, request)
        status = int(_model(call.operation).http.get("responseCode", 200))
        if call.operation == "DeleteFunction":
            status = 204
        return status, {}, b"" if status == 204 else json.dumps(answer).encode()


# They read objects of S3 through the endpoint first, and take the lock after that.
UNLOCKED = {"CreateFunction", "UpdateFunctionCode", "PublishLayerVersion"}
HEADERS = {
    "InvocationType": "HTTP_X_AMZ_INVOCATION_TYPE",
    "LogType": "HTTP_X_AMZ_LOG_TYPE",
    "ClientContext": "HTTP_X_AMZ_CLIENT_CONTEXT",
    "TraceId": "HTTP_X_AMZN_TRACE_ID",
}


def _model(operation: str) -> Any:
    return models.service("lambda").operation_model(operation)


def _request(call: Call, environ: dict[str, Any]) -> dict[str, Any]:
    """Parameters by the names of the model. Those of a query string are texts until here."""
    request = {name: value for name, value in call.parameters.items() if value is not None}
    shape = _model(call.operation).input_shape
    for name, member in shape.members.items() if shape is not None else ():
        if member.type_name in ("integer", "long") and isinstance(request.get(name), str):
            try:
                request[name] = int(request[name])
            except ValueError:
                raise Refused("SerializationException", f"{name} is no number") from None
    if call.operation in ("Invoke", "InvokeAsync"):
        request |= {name: environ[key] for name, key in HEADERS.items() if environ.get(key)}
    return request


def _functions(functions: Functions) -> dict[str, Operation]:
    return {
        "CreateFunction": functions.create,
        "UpdateFunctionCode": functions.update_code,
        "UpdateFunctionConfiguration": functions.update_configuration,
        "DeleteFunction": functions.delete,
        "PublishVersion": functions.publish,
        "PutFunctionConcurrency": functions.put_concurrency,
        "GetFunctionConcurrency": functions.get_concurrency,
        "DeleteFunctionConcurrency": functions.delete_concurrency,
    }


def _reading(reading: Reading) -> dict[str, Operation]:
    return {
        "GetFunction": reading.function,
        "GetFunctionConfiguration": reading.configuration,
        "ListFunctions": reading.list,
        "ListVersionsByFunction": reading.versions,
        "GetAccountSettings": reading.account,
        "ListTags": reading.tags,
        "TagResource": reading.tag,
        "UntagResource": reading.untag,
    }


def _aliases(aliases: Aliases) -> dict[str, Operation]:
    return {
        "CreateAlias": aliases.create,
        "UpdateAlias": aliases.update,
        "GetAlias": aliases.get,
        "ListAliases": aliases.list,
        "DeleteAlias": aliases.delete,
    }


def _permissions(permissions: Permissions) -> dict[str, Operation]:
    return {
        "AddPermission": permissions.add,
        "RemovePermission": permissions.remove,
        "GetPolicy": permissions.get,
    }


def _invoke_configs(configs: InvokeConfigs) -> dict[str, Operation]:
    return {
        "PutFunctionEventInvokeConfig": configs.put,
        "UpdateFunctionEventInvokeConfig": configs.update,
        "GetFunctionEventInvokeConfig": configs.get,
        "DeleteFunctionEventInvokeConfig": configs.delete,
        "ListFunctionEventInvokeConfigs": configs.list,
    }


def _layers(layers: Layers) -> dict[str, Operation]:
    return {
        "PublishLayerVersion": layers.publish,
        "GetLayerVersion": layers.get,
        "GetLayerVersionByArn": layers.get_by_arn,
        "ListLayerVersions": layers.list_versions,
        "ListLayers": layers.list,
        "DeleteLayerVersion": layers.delete,
        "AddLayerVersionPermission": layers.add_permission,
        "RemoveLayerVersionPermission": layers.remove_permission,
        "GetLayerVersionPolicy": layers.get_policy,
    }


def _mappings(mappings: Mappings) -> dict[str, Operation]:
    return {
        "CreateEventSourceMapping": mappings.create,
        "UpdateEventSourceMapping": mappings.update,
        "GetEventSourceMapping": mappings.get,
        "ListEventSourceMappings": mappings.list,
        "DeleteEventSourceMapping": mappings.delete,
    }


def _not_set(functions: Functions) -> dict[str, Operation]:
    """What can't be set here is answered as AWS answers for a function of which it was not set."""

    def known(answer: dict[str, Any]) -> Operation:
        def operation(region: str, request: dict[str, Any]) -> dict[str, Any]:
            reference = functions.reference(region, request)
            functions.find(reference)
            return {name: reference.name if value is NAME else value for name, value in answer.items()}

        return operation

    def absent(region: str, request: dict[str, Any]) -> dict[str, Any]:
        functions.reference(region, request)
        raise not_found("The resource you requested does not exist.")

    return {
        "GetFunctionUrlConfig": absent,
        "ListFunctionUrlConfigs": known({"FunctionUrlConfigs": []}),
        "GetFunctionCodeSigningConfig": known({"FunctionName": NAME}),
        "ListProvisionedConcurrencyConfigs": known({"ProvisionedConcurrencyConfigs": []}),
        "GetFunctionRecursionConfig": known({"RecursiveLoop": "Terminate"}),
    }


NAME = object()

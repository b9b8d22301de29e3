"""What moto computes anew for each request, remembered; and what a request has changed, saved.

moto 5.2.5 loads the model of a service in the first requests that need it, in each of them at once, and before that
looks twice through the folders of all 400 services (35 ms): once to find the model, once for the service's name. It
also keeps a list of every object that it ever made, which nothing here reads.

Replaced: ``utils.create_loader`` (one for all), ``utils.service_name_from_moto_package_name``, ``BaseModel.__new__``,
``responses.method_names_from_class`` (looked for anew in each request);
which operation, region, account and access key a request has (``BaseResponse._get_action`` and its like): moto guesses
them from several places, and what runs must be what the policies were asked about.
Wrapped: ``BaseResponse.call_action``: after a request that is not known to be read-only, every backend that it has
reached is saved before the answer goes out. ``BaseResponse.setup_class``, which for JSON and REST takes the call as it
was read: moto also looks for parameters in headers and in bodies that have none, and copies a large body five times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from moto.core import responses, utils
from moto.core.base_backend import BaseBackend
from moto.core.common_models import BaseModel
from moto.core.responses import BaseResponse
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.iam.models import mark_account_as_visited
from moto.utilities.utils import get_partition

from lakectl.local.context import LocalContext
from lakectl.local.durable import reached
from lakectl.local.iam.calls import CALL, UNKNOWN, Call

READING = ("Get", "List", "Describe", "BatchGet", "Search", "Head", "Test", "Simulate", "Check", "Lookup", "Filter")
# What these change is not in the backend, or is not kept (the sessions of assumed roles).
READING_ACTIONS = {"Invoke", "PutEvents", "StartQueryExecution", "AssumeRole", "GenerateServiceLastAccessedDetails"}
KEPT_APART = {"s3", "dynamodb"}
ORDER = {"dynamodb": 1, "s3": 2}  # after all others


def install(context: LocalContext) -> None:
    remember()
    reached.install()
    BaseResponse.call_action = _saving(BaseResponse.call_action, context)
    BaseResponse.setup_class = _set_up(BaseResponse.setup_class)
    BaseResponse._get_action = _as_judged(BaseResponse._get_action, "operation")
    BaseResponse.get_region_from_url = lambda self, request, _: _call(request).region or self.default_region
    BaseResponse.get_current_account = _as_judged(BaseResponse.get_current_account, "account")
    BaseResponse.get_access_key = _as_judged(BaseResponse.get_access_key, "access_key_id")


def remember() -> None:
    """Keep what moto would compute anew in each request, and nothing that it makes."""
    utils.create_loader = cache(utils.create_loader)
    utils.service_name_from_moto_package_name = cache(_service_name)
    responses.method_names_from_class = cache(responses.method_names_from_class)
    BaseModel.__new__ = lambda kind, *_, **__: object.__new__(kind)


def _call(request: Any) -> Call:
    call: Call = request.environ[CALL]
    return call


def _as_judged(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    def get(self: BaseResponse) -> Any:
        call = _call(self.normalized_request)
        if name == "operation" and call.protocol in ("s3", UNKNOWN):
            return original(self)  # moto has names of its own for S3's
        return getattr(call, name)

    return get


def _set_up(original: Callable[..., None]) -> Callable[..., None]:
    def setup_class(
        self: BaseResponse, request: Any, full_url: str | None = None, headers: Any = None, use_raw_body: Any = None
    ) -> None:
        call = _call(request)
        if call.protocol not in ("json", "rest", "cbor"):
            original(self, request, full_url, headers, use_raw_body)
            return
        raw = self.use_raw_body if use_raw_body is None else use_raw_body
        self.is_werkzeug_request = request.from_wsgi_server
        self.normalized_request = request
        self.uri = full_url or request.raw_url
        self.parsed_url = urlsplit(self.uri)
        self.raw_body = call.body
        self.body = call.body if raw else call.body.decode("utf-8", "replace")
        self.form_data = {}
        self.querystring = self.data = dict(request.args.lists())
        self.path, self.raw_path, self.method = self.parsed_url.path, request.raw_path, request.method
        self.region, self.current_account, self.access_key = call.region, call.account, call.access_key_id
        self.partition = get_partition(self.region)
        self.headers = request.headers
        self.response_headers = {"server": "amazon.com"}
        self.uri_match = dict(call.in_path)
        if self.automated_parameter_parsing and call.operation:
            self.parse_parameters(request)
        mark_account_as_visited(call.account, call.access_key_id, self.service_name, self.region)

    return setup_class


def _service_name(package: str) -> str:
    """botocore's name of the service that moto calls ``package``: moto leaves the hyphens out."""
    return _names().get(package, package)


@cache
def _names() -> dict[str, str]:
    return {name.replace("-", ""): name for name in utils.create_loader().list_available_services("service-2")}


def _saving(original: Callable[..., Any], context: LocalContext) -> Callable[..., Any]:
    def call_action(self: BaseResponse) -> Any:
        service = type(self).__module__.split(".")[1]
        if service in KEPT_APART or reads_only(self._get_action() or ""):
            return original(self)
        with saving_others(context, None) as found:
            try:
                return original(self)
            finally:
                if service not in map(reached.service_of, found):
                    context.save(service, self.region, self.current_account)

    return call_action


@contextmanager
def saving_others(context: LocalContext, service: str | None) -> Iterator[list[BaseBackend]]:
    """Save the backends that are reached inside, but those of ``service``, whose rows the caller sees to.

    S3 and DynamoDB are locked until their rows are committed, DynamoDB first: a change of theirs by another request
    would else be overwritten by what is read here.
    """
    with ExitStack() as locks, context.database.transaction(), reached.reached() as found:
        try:
            yield found
        finally:
            others = [each for each in reached.with_held(found) if reached.service_of(each) != service]
            for each in sorted(others, key=lambda backend: ORDER.get(reached.service_of(backend), 0)):
                _save(context, each, locks)


def _save(context: LocalContext, backend: BaseBackend, locks: ExitStack) -> None:
    service = reached.service_of(backend)
    if service == "dynamodb":
        locks.enter_context(context.tables.lock)
        context.tables.touch_all(backend)
    elif service == "s3":
        locks.enter_context(context.objects.lock)
        context.objects.touch_all(backend)
    else:
        context.save(service, backend.region_name, backend.account_id)


def reads_only(action: str) -> bool:
    return action.startswith(READING) or action in READING_ACTIONS


def warm(package: str) -> None:
    """Load what requests to ``package`` (moto's name of a service) need, before somebody asks for it."""
    service = {"awslambda": "lambda"}.get(package, package)
    utils.service_name_from_moto_package_name(package)
    get_service_model(service)
    get_service_router(service)

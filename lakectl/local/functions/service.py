"""Joins moto's Lambda functions to the runtime: finds a function, its policy and its async settings."""

from __future__ import annotations

import logging
import threading
from operator import itemgetter
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.logs.models import logs_backends

from lakectl.local.context import LocalContext
from lakectl.local.functions.asynchronous import DEFAULT_MAX_AGE_SECONDS, DEFAULT_RETRIES, AsyncInvoker, AsyncTarget
from lakectl.local.functions.process import FunctionSpec, Outcome
from lakectl.local.functions.runtime import LambdaRuntime
from lakectl.local.iam import resource_policies, roles

log = logging.getLogger(__name__)

_log_lock = threading.Lock()


class LambdaService:
    def __init__(self, context: LocalContext) -> None:
        self.context = context
        self.runtime = LambdaRuntime(context, self._write_logs)
        self.asynchronous = AsyncInvoker(context, self.runtime, self._target)

    def find(self, arn: str) -> LambdaFunction | None:
        """The function with this ARN (with or without a qualifier), or None."""
        parts = arn.split(":")
        if len(parts) < 7 or parts[2] != "lambda":
            return None
        try:
            return lambda_backends[parts[4]][parts[3]].get_function(arn)
        except UnknownFunctionException:
            return None

    def invoke(self, function: LambdaFunction, payload: str) -> Outcome:
        """Raises Throttled."""
        return self.runtime.invoke(function_spec(function), payload, reserved=_reserved(function))

    def invoke_async(self, arn: str, payload: str) -> str:
        """Queue an event. Returns the request id."""
        return self.asynchronous.submit(arn, payload)

    def may_invoke(self, arn: str, principal: str, source_arn: str) -> bool:
        """Whether the function exists and its policy lets ``principal`` invoke it for ``source_arn``."""
        function = self.find(arn)
        return function is not None and resource_policies.lets_service(
            principal, "lambda:InvokeFunction", function.function_arn, source_arn, self.context.account_id
        )

    def _target(self, arn: str) -> AsyncTarget | None:
        function = self.find(arn)
        if function is None:
            return None
        config = event_invoke_config(function)
        destinations = config.get("DestinationConfig") or {}
        return AsyncTarget(
            spec=function_spec(function),
            max_retries=config.get("MaximumRetryAttempts", DEFAULT_RETRIES),
            max_age_seconds=config.get("MaximumEventAgeInSeconds", DEFAULT_MAX_AGE_SECONDS),
            on_success=(destinations.get("OnSuccess") or {}).get("Destination"),
            on_failure=(destinations.get("OnFailure") or {}).get("Destination"),
            reserved=_reserved(function),
            dead_letter=(getattr(function, "dead_letter_config", None) or {}).get("TargetArn"),
        )

    def _write_logs(self, spec: FunctionSpec, stream: str, lines: list[tuple[int, str]]) -> None:
        """Lambda writes a function's log with the function's own role: what that may not write is lost."""
        backend = logs_backends[self.context.account_id][spec.region]
        events = [{"timestamp": when, "message": message or " "} for when, message in sorted(lines, key=itemgetter(0))]
        prefix = f"arn:aws:logs:{spec.region}:{self.context.account_id}:log-group:{spec.log_group}:log-stream:"

        def may(action: str, name: str) -> bool:
            refusal = roles.refusal(spec.role, spec.name, f"logs:{action}", prefix + name)
            if refusal:
                log.info("%d log lines of %s dropped: %s", len(lines), spec.arn, refusal)
            return not refusal

        with _log_lock:
            group = backend.groups.get(spec.log_group)
            if group is None and may("CreateLogGroup", ""):
                group = backend.create_log_group(spec.log_group, {})
            if group is None:
                return
            if stream not in group.streams and may("CreateLogStream", stream):
                group.create_log_stream(stream)
            if stream in group.streams and may("PutLogEvents", stream):
                group.put_log_events(stream, events)
        self.context.save("logs", spec.region)


def function_spec(function: LambdaFunction) -> FunctionSpec:
    arn = function.function_arn
    return FunctionSpec(
        arn=arn,
        name=function.function_name,
        version=str(function.version),
        region=function.region,
        handler=function.handler or "",
        runtime=function.run_time or "",
        memory_mb=int(function.memory_size),
        storage_mb=int(function.ephemeral_storage),
        timeout_seconds=int(function.timeout or 3),
        environment=tuple(sorted((name, str(value)) for name, value in function.environment_vars.items())),
        log_group=function.logs_group_name,
        role=function.role,
        code_sha256=function.code_digest,
        code=function.code_bytes,
    )


def _reserved(function: LambdaFunction) -> int | None:
    """Its ReservedConcurrentExecutions."""
    return None if function.reserved_concurrency is None else int(function.reserved_concurrency)


def event_invoke_config(function: LambdaFunction) -> dict[str, Any]:
    configs = function.event_invoke_config
    return dict(configs[-1].config) if configs else {}

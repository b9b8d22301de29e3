"""What the other services of the endpoint ask of Lambda: to find a function, its policy, and to invoke it."""

from __future__ import annotations

import logging
import threading
from operator import itemgetter
from typing import Any

from moto.logs.models import logs_backends

from lakectl.local.context import LocalContext
from lakectl.local.functions import aliases, names, permissions
from lakectl.local.functions.asynchronous import (
    DEFAULT_MAX_AGE_SECONDS,
    DEFAULT_RETRIES,
    AsyncInvoker,
    AsyncTarget,
)
from lakectl.local.functions.names import LATEST, Reference
from lakectl.local.functions.process import FunctionSpec, Invocation, Outcome
from lakectl.local.functions.runtime import LambdaRuntime
from lakectl.local.functions.store import FUNCTION, MAPPING, Item, Store
from lakectl.local.iam import resource_policies, roles

log = logging.getLogger(__name__)

_log_lock = threading.Lock()


class LambdaService:
    def __init__(self, context: LocalContext) -> None:
        self.context = context
        self.kept = Store(context.database, context.state_dir)
        self.runtime = LambdaRuntime(context, self._write_logs)
        self.asynchronous = AsyncInvoker(context, self.runtime, self._target)

    def find(self, arn: str) -> AsyncTarget | None:
        """What an invocation of this ARN (with or without a qualifier) would run now; None when there is nothing."""
        reference = names.of_arn(arn)
        item = self._item(reference) if reference is not None else None
        if reference is None or item is None:
            return None
        version = aliases.route(item, reference.qualifier)
        made = item["Versions"].get(version)
        if made is None:
            return None
        if version == LATEST and item.get("Serving"):
            made = item["Serving"]
        config = item["InvokeConfigs"].get(reference.qualifier or LATEST) or {}
        destinations = config.get("DestinationConfig") or {}
        return AsyncTarget(
            spec=self._spec(reference, made),
            pending=made.get("State") == "Pending",
            max_retries=config.get("MaximumRetryAttempts", DEFAULT_RETRIES),
            max_age_seconds=config.get("MaximumEventAgeInSeconds", DEFAULT_MAX_AGE_SECONDS),
            on_success=(destinations.get("OnSuccess") or {}).get("Destination"),
            on_failure=(destinations.get("OnFailure") or {}).get("Destination"),
            reserved=item.get("Reserved"),
            dead_letter=(made.get("DeadLetterConfig") or {}).get("TargetArn"),
        )

    _target = find

    def _item(self, reference: Reference) -> Item | None:
        if reference.account != self.context.account_id:
            return None
        return self.kept.all(reference.region, FUNCTION).get(reference.name)

    def invoke(self, target: AsyncTarget, invocation: Invocation) -> Outcome:
        """Raises Throttled."""
        return self.runtime.invoke(target.spec, invocation, target.reserved)

    def invoke_async(self, arn: str, payload: str) -> str:
        """Queue an event. Returns the request id."""
        return self.asynchronous.submit(arn, payload)

    def policy(self, arn: str) -> str | None:
        """The resource policy of exactly this ARN: a version and an alias have their own."""
        reference = names.of_arn(arn)
        item = self._item(reference) if reference is not None else None
        return permissions.document(item, reference) if item is not None and reference is not None else None

    def function_of_mapping(self, region: str, identity: str) -> str:
        """The ARN of an event source mapping's function; empty when there is no such mapping."""
        mapping = self.kept.all(region, MAPPING).get(identity)
        return str(mapping["FunctionArn"]) if mapping is not None else ""

    def may_invoke(self, arn: str, principal: str, source_arn: str) -> bool:
        """Whether the function exists and its policy lets ``principal`` invoke it for ``source_arn``."""
        return self.find(arn) is not None and resource_policies.lets_service(
            principal, "lambda:InvokeFunction", arn, source_arn, self.context.account_id
        )

    def _spec(self, reference: Reference, made: dict[str, Any]) -> FunctionSpec:
        variables = (made.get("Environment") or {}).get("Variables") or {}
        return FunctionSpec(
            arn=reference.function_arn,
            name=reference.name,
            version=made["Version"],
            region=reference.region,
            handler=made["Handler"],
            runtime=made["Runtime"],
            memory_mb=int(made["MemorySize"]),
            storage_mb=int(made["EphemeralStorage"]["Size"]),
            timeout_seconds=int(made["Timeout"]),
            environment=tuple(sorted((name, str(value)) for name, value in variables.items())),
            log_group=made["LoggingConfig"]["LogGroup"],
            role=made["Role"],
            code=self.kept.zip_path(made["_code"]),
            layers=tuple(self.kept.zip_path(each) for each in made.get("_layers", ())),
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

"""The state of lakes made by lakectl until 0.1, whose functions were kept by moto."""

from __future__ import annotations

import logging
import time
from typing import Any

from lakectl.local.context import LocalContext
from lakectl.local.durable.snapshots import BACKEND
from lakectl.local.functions import code, configuration
from lakectl.local.functions.names import LATEST
from lakectl.local.functions.store import FUNCTION, Store

log = logging.getLogger(__name__)


def adopt(context: LocalContext, kept: Store) -> None:
    """Take over what moto's backends hold once they are loaded, and forget it there."""
    for scope, identity, _ in context.database.rows(BACKEND):
        service, account, region = scope.split("/")
        if service == "awslambda" and account == context.account_id:
            from moto.backends import get_backend

            backend = get_backend("lambda")[account][region]
            for function in backend.list_functions():
                _adopt(function, region, kept)
                for alias in backend.list_aliases(function.function_name):
                    log.error("the alias %s of %s has to be made again", alias.name, function.function_name)
            _drop_mappings(backend, account, region)
            context.database.delete(BACKEND, scope, identity)


def _drop_mappings(backend: Any, account: str, region: str) -> None:
    """moto would run them within the producer's request, for functions that it does not have any more."""
    for mapping in list(backend.list_event_source_mappings(None, None)):
        log.error("the event source mapping %s of %s has to be made again", mapping.uuid, mapping.event_source_arn)
        backend.delete_event_source_mapping(mapping.uuid)
    from moto.dynamodb.models import dynamodb_backends
    from moto.sqs.models import sqs_backends

    for queue in sqs_backends[account][region].queues.values():
        queue.lambda_event_source_mappings.clear()
    for table in dynamodb_backends[account][region].tables.values():
        table.lambda_event_source_mappings.clear()


def _adopt(function: Any, region: str, kept: Store) -> None:
    """The function as it was: the former endpoint ran $LATEST alone."""
    if not getattr(function, "code_bytes", b""):
        log.error("the function %s has no code in the state, and is left out", function.function_name)
        return
    spec = {
        "FunctionName": function.function_name,
        "Runtime": function.run_time,
        "Handler": function.handler,
        "Role": function.role,
        "Description": function.description,
        "Timeout": int(function.timeout or 3),
        "MemorySize": int(function.memory_size),
        "EphemeralStorage": {"Size": int(function.ephemeral_storage)},
        "Environment": {"Variables": dict(function.environment_vars)},
        "DeadLetterConfig": getattr(function, "dead_letter_config", None),
    }
    made = configuration.new({name: value for name, value in spec.items() if value is not None})
    data = bytes(function.code_bytes)
    made |= {
        "_code": kept.keep_zip(data),
        "_unzipped": code.unzipped_bytes(data),
        "CodeSha256": code.sha256_base64(data),
        "CodeSize": len(data),
    }
    statements = list(function.policy.statements) if function.policy is not None else []
    configs = function.event_invoke_config
    item: dict[str, Any] = {
        "FunctionName": function.function_name,
        "Created": time.time(),
        "Tags": dict(function.tags or {}),
        "Next": 1,
        "Versions": {LATEST: made},
        "Aliases": {},
        "Policies": {"": {"RevisionId": made["RevisionId"], "Statements": statements}} if statements else {},
        "InvokeConfigs": {LATEST: _config(dict(configs[-1].config))} if configs else {},
    }
    if function.reserved_concurrency is not None:
        item["Reserved"] = int(function.reserved_concurrency)
    kept.put(region, FUNCTION, function.function_name, item)


def _config(config: dict[str, Any]) -> dict[str, Any]:
    config.pop("FunctionArn", None)
    return {**config, "LastModified": time.time()}

"""The state of lakes made by lakectl until 0.1, whose workgroups and named queries were kept by moto."""

from __future__ import annotations

import time
from typing import Any

from lakectl.local.athena import store
from lakectl.local.athena.store import Store
from lakectl.local.context import LocalContext
from lakectl.local.durable.snapshots import BACKEND


def adopt(context: LocalContext, kept: Store) -> None:
    """Take over what moto's backends hold once they are loaded, and forget it there."""
    for scope, identity, _ in context.database.rows(BACKEND):
        service, account, region = scope.split("/")
        if service == "athena" and account == context.account_id:
            from moto.backends import get_backend

            _adopt(get_backend("athena")[account][region], region, kept)
            context.database.delete(BACKEND, scope, identity)


def _adopt(backend: Any, region: str, kept: Store) -> None:
    for group in backend.work_groups.values():
        tags = backend.tagger.list_tags_for_resource(group.arn)["Tags"]
        item = {
            "Name": group.name,
            "State": group.state,
            "Description": group.description or "",
            "Configuration": dict(group.configuration or {}),
            "CreationTime": float(getattr(group, "creation_time", 0) or time.time()),
            "Tags": {tag["Key"]: tag["Value"] for tag in tags},
        }
        kept.put(region, store.WORKGROUP, group.name, item)
    for query in backend.named_queries.values():
        item = {
            "NamedQueryId": query.id,
            "Name": query.name,
            "Description": query.description,
            "Database": query.database,
            "QueryString": query.query_string,
            "WorkGroup": query.workgroup.name,
        }
        kept.put(region, store.NAMED_QUERY, query.id, item)
    for token, (made, request) in backend.__dict__.get("named_query_requests", {}).items():
        kept.put(region, store.TOKEN, token, {"made": made, "request": request})

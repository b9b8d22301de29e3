"""Named queries: https://docs.aws.amazon.com/athena/latest/APIReference/API_NamedQuery.html"""

from __future__ import annotations

import uuid
from typing import Any

from lakectl.local.athena import store
from lakectl.local.athena.errors import RequestError
from lakectl.local.athena.pages import page
from lakectl.local.athena.store import Item, Store
from lakectl.local.athena.workgroups import Workgroups


class NamedQueries:
    def __init__(self, kept: Store, workgroups: Workgroups) -> None:
        self._kept = kept
        self._workgroups = workgroups

    def create(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        # "The same response is returned and another query is not created. If a parameter has changed, […] an error is
        # returned" (CreateNamedQuery, API reference): also when the query has been deleted meanwhile.
        token, same = request.get("ClientRequestToken"), {k: v for k, v in request.items() if k != "ClientRequestToken"}
        known = self._kept.all(region, store.TOKEN).get(str(token)) if token else None
        if known is not None:
            if known["request"] != same:
                raise RequestError("Idempotent parameters do not match")
            return {"NamedQueryId": known["made"]}
        group = self._workgroups.find(region, request.get("WorkGroup"))
        made = str(uuid.uuid4())
        item: Item = {key: request[key] for key in ("Name", "Description", "Database", "QueryString") if key in request}
        self._kept.put(region, store.NAMED_QUERY, made, {**item, "NamedQueryId": made, "WorkGroup": group["Name"]})
        if token:
            self._kept.put(region, store.TOKEN, token, {"made": made, "request": same})
        return {"NamedQueryId": made}

    def get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return {"NamedQuery": _shown(self._find(region, request["NamedQueryId"]))}

    def batch_get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        found, missing = [], []
        for key in request["NamedQueryIds"]:
            item = self._kept.all(region, store.NAMED_QUERY).get(key)
            if item is not None:
                found.append(_shown(item))
            else:
                message = f"NamedQuery {key} was not found"
                missing.append({"NamedQueryId": key, "ErrorCode": "INTERNAL_FAILURE", "ErrorMessage": message})
        return {"NamedQueries": found, "UnprocessedNamedQueryIds": missing}

    def list(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        group = self._workgroups.find(region, request.get("WorkGroup"))["Name"]
        found = [key for key, item in self._kept.all(region, store.NAMED_QUERY).items() if item["WorkGroup"] == group]
        return page(found, "NamedQueryIds", request, 50)

    def update(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        item = dict(self._find(region, request["NamedQueryId"]))
        item |= {key: request[key] for key in ("Name", "Description", "QueryString") if key in request}
        self._kept.put(region, store.NAMED_QUERY, item["NamedQueryId"], item)
        return {}

    def delete(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        self._find(region, request["NamedQueryId"])
        self._kept.delete(region, store.NAMED_QUERY, request["NamedQueryId"])
        return {}

    def workgroup_of(self, region: str, query_id: str) -> str | None:
        item = self._kept.all(region, store.NAMED_QUERY).get(query_id)
        return None if item is None else str(item["WorkGroup"])

    def _find(self, region: str, query_id: str) -> Item:
        item = self._kept.all(region, store.NAMED_QUERY).get(query_id)
        if item is None:
            raise RequestError(f"NamedQuery {query_id} was not found")
        return item


def _shown(item: Item) -> dict[str, Any]:
    return {key: value for key, value in item.items() if value is not None}

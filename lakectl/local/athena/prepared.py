"""Prepared statements: of a workgroup, made by the API or by PREPARE, run by EXECUTE.

https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html
"""

from __future__ import annotations

import re
import time
from typing import Any

from lakectl.local.athena import store
from lakectl.local.athena.errors import QueryError, RequestError
from lakectl.local.athena.pages import page
from lakectl.local.athena.store import Item, Store
from lakectl.local.athena.workgroups import Workgroups

NAME = r"[A-Za-z_][A-Za-z0-9_@:]{1,256}"  # StatementName, API reference
# "You can use DML queries in prepared statements": SELECT, INSERT INTO, CTAS, UNLOAD (PREPARE, user guide)
_ALLOWED = ("SELECT", "INSERT", "CREATE_TABLE_AS_SELECT", "UNLOAD", "UPDATE", "DELETE", "MERGE")


class PreparedStatements:
    def __init__(self, kept: Store, workgroups: Workgroups) -> None:
        self._kept = kept
        self._workgroups = workgroups

    def create(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        name, group = request["StatementName"], self._workgroups.find(region, request["WorkGroup"])["Name"]
        if _key(group, name) in self._kept.all(region, store.PREPARED):
            raise RequestError(f"PreparedStatement {name} already exists in WorkGroup {group}")
        _check(name, request["QueryStatement"])
        self._put(region, group, name, request)
        return {}

    def update(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        name, group = request["StatementName"], self._workgroups.find(region, request["WorkGroup"])["Name"]
        self.find(region, group, name)
        _check(name, request["QueryStatement"])
        self._put(region, group, name, request)
        return {}

    def prepare(self, region: str, group: str, name: str, sql: str) -> None:
        """PREPARE name FROM sql: as CREATE, or in the place of one of that name."""
        _check(name, sql)
        self._put(region, group, name, {"QueryStatement": sql})

    def _put(self, region: str, group: str, name: str, request: dict[str, Any]) -> None:
        item = {
            "StatementName": name,
            "QueryStatement": request["QueryStatement"],
            "WorkGroupName": group,
            "WorkGroup": group,
            "Description": request.get("Description"),
            "LastModifiedTime": time.time(),
        }
        self._kept.put(region, store.PREPARED, _key(group, name), item)

    def find(self, region: str, group: str, name: str) -> Item:
        """Raises RequestError ResourceNotFoundException."""
        item = self._kept.all(region, store.PREPARED).get(_key(group, name))
        if item is None:
            message = f"PreparedStatement {name} was not found in workGroup {group}"
            raise RequestError(message, kind="ResourceNotFoundException")
        return item

    def get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        group = self._workgroups.find(region, request["WorkGroup"])["Name"]
        return {"PreparedStatement": _shown(self.find(region, group, request["StatementName"]))}

    def batch_get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        group = self._workgroups.find(region, request["WorkGroup"])["Name"]
        found, missing = [], []
        for name in request["PreparedStatementNames"]:
            try:
                found.append(_shown(self.find(region, group, name)))
            except RequestError as error:
                missing.append(
                    {"StatementName": name, "ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": error.message}
                )
        return {"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing}

    def list(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        group = self._workgroups.find(region, request["WorkGroup"])["Name"]
        found = [
            {key: item[key] for key in ("StatementName", "LastModifiedTime")}
            for item in self._kept.all(region, store.PREPARED).values()
            if item["WorkGroup"] == group
        ]
        return page(found, "PreparedStatements", request, 50)

    def delete(self, region: str, group: str, name: str) -> None:
        group = self._workgroups.find(region, group)["Name"]
        self.find(region, group, name)
        self._kept.delete(region, store.PREPARED, _key(group, name))


def _key(group: str, name: str) -> str:
    return f"{group}/{name}"


def _check(name: str, sql: str) -> None:
    """Raises RequestError for a name or a statement that can't be."""
    from lakectl.local.athena import statements

    if not re.fullmatch(NAME, name):
        raise RequestError(f"StatementName is invalid: {name}. It has to match {NAME}")
    try:
        statement = statements.parse(statements.with_nulls(sql))
    except QueryError as error:
        raise RequestError(error.reason, athena_error_code="INVALID_INPUT") from None
    if statement.subtype not in _ALLOWED:
        words = statement.subtype.replace("_", " ")
        raise RequestError(f"A prepared statement can't be {words}", athena_error_code="INVALID_INPUT")


def _shown(item: Item) -> dict[str, Any]:
    shown = {key: value for key, value in item.items() if value is not None}
    del shown["WorkGroup"]
    return shown

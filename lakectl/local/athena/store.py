"""What Athena keeps of an account beside its executions: workgroups, named queries, prepared statements, tokens."""

from __future__ import annotations

from lakectl.local.durable.database import Database
from lakectl.local.durable.items import Item, Items

__all__ = ["Item", "Store"]

KIND = "athena"  # of the rows
WORKGROUP, NAMED_QUERY, PREPARED, TOKEN = "workgroup", "named-query", "prepared", "token"


class Store(Items):
    def __init__(self, database: Database) -> None:
        super().__init__(database, KIND, (WORKGROUP, NAMED_QUERY, PREPARED, TOKEN))

"""The record of the specification that silver was last brought to."""

from __future__ import annotations

from typing import Any

from spec.strategies import spec_of

from lakectl.config import default_spec
from lakectl.core import applied_spec
from lakectl.core.ledger_table import LedgerTable


class OneItem:
    """A DynamoDB that holds what was put last."""

    item: dict[str, Any] | None = None

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        (name,) = RequestItems
        return {"Responses": {name: [self.item] if self.item else []}}

    def transact_write_items(self, TransactItems: list[dict[str, Any]], **_: Any) -> None:
        self.item = TransactItems[0]["Put"]["Item"]


def test_the_record_gives_the_specification_back_and_says_whether_it_is_another() -> None:
    client = OneItem()
    table = LedgerTable("log", client)
    assert applied_spec.read(table) is None
    assert not applied_spec.differs(table, default_spec())
    applied_spec.write(table, default_spec())
    assert applied_spec.read(table) == default_spec()
    assert not applied_spec.differs(table, default_spec())
    other = spec_of({"sources": {"a": {"keys": ["x"], "columns": {"x": "int"}}}})
    assert applied_spec.differs(table, other)


def test_twenty_sources_of_fifty_columns_fit_into_an_item() -> None:
    columns = {f"column_{number}": {"type": "decimal(10,2)", "description": "An amount"} for number in range(50)}
    source = {"keys": ["column_0"], "columns": columns}
    client = OneItem()
    applied_spec.write(LedgerTable("log", client), spec_of({"sources": {f"source_{at}": source for at in range(20)}}))
    assert len(str(client.item)) < 40_000

"""The run log's table: queries in either order, bounded, in part, and over more than one page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from landing_events import TABLE

from lakectl.core.ledger_table import LedgerTable, to_item

KEYS = [f"INGEST#{n:03d}" for n in range(0, 120, 3)]


@pytest.fixture
def table() -> LedgerTable:
    client = boto3.client("dynamodb")
    for number, sk in enumerate(KEYS):
        item = {"pk": "SRC#a", "sk": sk, "rows": number, "key": f"k{number}", "batch": "" if number % 2 else "0001"}
        client.put_item(TableName=TABLE, Item=to_item(item))
    client.put_item(TableName=TABLE, Item=to_item({"pk": "SRC#ab", "sk": KEYS[0], "rows": 0}))
    return LedgerTable(TABLE, client)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.booleans(),
    st.integers(0, len(KEYS) + 2),
    st.none() | st.tuples(st.integers(-2, 122), st.integers(-2, 122)),
    st.sampled_from([(), ("sk",), ("key", "rows"), ("missing", "batch")]),
    st.integers(1, 9),
)
def test_a_query_is_what_a_sorted_list_would_give(
    table: LedgerTable,
    newest_first: bool,
    most: int,
    between: tuple[int, int] | None,
    fields: tuple[str, ...],
    page: int,
) -> None:
    bounds = tuple(f"INGEST#{max(n, 0):03d}" for n in sorted(between)) if between else None
    wanted = [(number, sk) for number, sk in enumerate(KEYS) if not bounds or bounds[0] <= sk <= bounds[1]]
    wanted = wanted[::-1] if newest_first else wanted
    wanted = wanted[:most] if most else wanted
    query = table.client.query

    def short(**request: Any) -> Any:  # pages are short, as those of large items
        return query(**{**request, "Limit": min(page, request.get("Limit", page))})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table.client, "query", short)
        found = list(table.query("SRC#a", newest_first=newest_first, most=most, between=bounds, fields=fields))
    whole = [
        {"pk": "SRC#a", "sk": sk, "rows": number, "key": f"k{number}", "batch": "" if number % 2 else "0001"}
        for number, sk in wanted
    ]
    assert found == [{name: item[name] for name in fields or item if name in item} for item in whole]


def test_more_than_a_page_of_large_items_is_read_whole(table: LedgerTable) -> None:
    client, requests = table.client, []
    for number in range(9):
        client.put_item(TableName=TABLE, Item=to_item({"pk": "BIG", "sk": f"{number}", "text": "x" * 300_000}))
    client.meta.events.register("before-call.dynamodb.Query", lambda **_: requests.append(1), unique_id="count")
    assert [item["sk"] for item in table.query("BIG", newest_first=True)] == [f"{n}" for n in range(8, -1, -1)]
    assert len(requests) == 3
    client.meta.events.unregister("before-call.dynamodb.Query", unique_id="count")


def test_an_update_sets_attributes_and_tells_of_conditions_that_do_not_hold(table: LedgerTable) -> None:
    """Also where the local endpoint takes a short way: plain SETs, one after the other, on the same item."""

    def rows_of(sk: str) -> Any:
        return table.get("SRC#a", sk)["rows"]

    unless = ("#rows < :most", {":most": 5})
    for new, written in ((3, True), (7, True), (4, False)):
        action = table.update("SRC#a", KEYS[0], {"rows": new, "note": None, "share": Decimal("0.5")}, unless)
        assert table.transact([action]) is written
        assert rows_of(KEYS[0]) == (new if written else 7)
    item = table.get("SRC#a", KEYS[0])
    assert (item["note"], item["share"], item["key"]) == (None, Decimal("0.5"), "k0")
    both = [table.update("SRC#a", KEYS[1], {"rows": 100}), table.update("SRC#a", "INGEST#none", {"rows": 1})]
    assert table.transact(both, conditions=2) is False
    assert rows_of(KEYS[1]) == 1, "a transaction is written whole or not at all"
    with pytest.raises(table.client.exceptions.ClientError, match="sk"):
        table.client.update_item(
            TableName=TABLE,
            Key=to_item({"pk": "SRC#a", "sk": KEYS[0]}),
            UpdateExpression="SET #a = :a",
            ExpressionAttributeNames={"#a": "sk"},
            ExpressionAttributeValues=to_item({":a": "x"}),
        )

"""DynamoDB: a Query whose cost is that of its page.

For each page moto sorts the whole table by objects that compare in Python, goes through the partition up to where the
page begins, adds up the size of each item twice and copies each item; a projection builds each item anew for each of
its names. Reading a partition of 4,000 items took 25 s. Wrapped: ``Table.query``, for tables with a sort key and
without an index or the conditions of the older API. Wrapped: ``Item.project``, for names of the first level.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import RESULT_SIZE_LIMIT, Table

Page = tuple[list[Item], int, dict[str, Any] | None]


def install() -> None:
    Table.query = _by_partition(Table.query)
    Item.project = _of_first_level(Item.project)


def _by_partition(original: Callable[..., Any]) -> Callable[..., Any]:
    def query(
        self: Table,
        hash_key: DynamoType | None,
        range_comparison: str | None,
        range_objs: list[DynamoType],
        limit: int | None,
        exclusive_start_key: dict[str, Any] | None,
        scan_index_forward: bool,
        projection_expressions: list[list[str]] | None,
        index_name: str | None = None,
        consistent_read: bool = False,
        filter_expression: Any = None,
        hash_key_conditions: Any = None,
        range_key_conditions: Any = None,
        **filter_kwargs: Any,
    ) -> Page:
        start = exclusive_start_key
        is_plain = index_name is None and hash_key is not None and self.range_key_attr is not None
        if not is_plain or filter_kwargs or (start and not _is_in(self, hash_key, start)):
            given = (hash_key, range_comparison, range_objs, limit, start, scan_index_forward, projection_expressions)
            further = (index_name, consistent_read, filter_expression, hash_key_conditions, range_key_conditions)
            page: Page = original(self, *given, *further, **filter_kwargs)
            return page
        items = _in_order(self, hash_key, start, scan_index_forward is not False)
        found, last = _page(items, range_comparison, range_objs, limit)
        counted = len(found)
        if filter_expression is not None:
            found = [item for item in found if filter_expression.expr(item)]
        if projection_expressions:
            found = [item.project(projection_expressions) for item in found]
        return found, counted, self._get_last_evaluated_key(last, None) if last else None

    return query


def _is_in(table: Table, hash_key: DynamoType | None, start: dict[str, Any]) -> bool:
    """Whether a key to start from is one of the partition."""
    keys = (table.hash_key_attr, table.range_key_attr)
    return start.keys() == set(keys) and DynamoType(start[table.hash_key_attr]) == hash_key


def _in_order(table: Table, hash_key: DynamoType | None, start: dict[str, Any] | None, forward: bool) -> list[Item]:
    """The items of a partition that come after the key ``start``."""
    partition = table.items.get(hash_key, {})
    by_place = sorted(((_place(key), item) for key, item in partition.items()), key=lambda pair: pair[0])
    first, end = 0, len(by_place)
    if start:
        place = _place(DynamoType(start[table.range_key_attr]))
        if forward:
            first = bisect_right(by_place, place, key=lambda pair: pair[0])
        else:
            end = bisect_left(by_place, place, key=lambda pair: pair[0])
    items = [item for _, item in by_place[first:end]]
    return items if forward else items[::-1]


def _place(key: DynamoType) -> Any:
    return key.value if key.type == "S" else key.cast_value


def _page(
    items: Iterable[Item], comparison: str | None, values: list[DynamoType], limit: int | None
) -> tuple[list[Item], Item | None]:
    """The items of the page, and the last one if the page ends before the partition does."""
    found: list[Item] = []
    size = 0
    for item in items:
        item_size = item.size()
        if len(found) == limit or size + item_size > RESULT_SIZE_LIMIT:
            return found, found[-1]
        if comparison is None or item.range_key.compare(comparison, values):
            found.append(item)
            size += item_size
    return found, None


def _of_first_level(original: Callable[..., Any]) -> Callable[..., Any]:
    def project(self: Item, projection_expressions: list[list[str]]) -> Item:
        if any(len(path) > 1 or path[0].endswith("]") for path in projection_expressions):
            projected: Item = original(self, projection_expressions)
            return projected
        part: Item = object.__new__(Item)
        part.hash_key, part.range_key, part.attrs = self.hash_key, self.range_key, LimitedSizeDict()
        for (name,) in projection_expressions:
            if name in self.attrs:
                dict.__setitem__(part.attrs, name, self.attrs[name])
        return part

    return project

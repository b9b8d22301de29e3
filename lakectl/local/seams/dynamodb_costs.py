"""DynamoDB: what moto computes again and again for each item that it takes or gives.

Of 36 s for 1,554 requests it took 10 to look up each attribute of an answer under eight possible names, 4 to add up an
item's size anew for each attribute that it puts into it, and 2 to count the clauses of an update expression, which it
also parses twice and copies node by node. A Query or Scan copies what it finds: a quarter of the time while 1,000 files
land. Replaced: ``DynamoResult.execute_result`` for answers that are items, ``LimitedSizeDict.__setitem__``,
``ActionCountValidator.traverse``, ``deepcopy`` in the validators and, for items, in ``Table.query`` and ``Table.scan``.
Remembered: ``UpdateExpressionParser.make`` and ``DepthFirstTraverser.nodes_to_be_processed``.
"""

from __future__ import annotations

import base64
import copy
import json
import pickle
from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionContext
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import table
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.validators import ActionCountValidator
from moto.dynamodb.responses import DynamoResult

# Their results are what goes out, but for binary values.
PLAIN = {"GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem"}
MOST_BYTES = 405_000  # moto's limit of an item


def install() -> None:
    DynamoResult.execute_result = _plain_answers(DynamoResult.execute_result)
    LimitedSizeDict.__setitem__ = _set_item
    ActionCountValidator.traverse = _count_at_the_top
    # Whoever changes the tree has a copy of it (Validator.__init__).
    UpdateExpressionParser.make = staticmethod(lru_cache(256)(UpdateExpressionParser.make))
    validators.deepcopy = _copy_of_tree
    DepthFirstTraverser.nodes_to_be_processed = _nodes_once
    table.copy = SimpleNamespace(copy=copy.copy, deepcopy=_copy_of_all_but_items)


def _copy_of_all_but_items(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """What is found is projected into new items or written out, and nothing changes it."""
    if isinstance(value, Item):
        return value
    if isinstance(value, list) and value and isinstance(value[0], Item):
        return list(value)
    return copy.deepcopy(value, memo)


def _plain_answers(original: Callable[..., Any]) -> Callable[..., Any]:
    def execute_result(self: DynamoResult, context: ActionContext) -> Any:
        operation, result = context.operation_model, self.result
        is_json = issubclass(context.serializer_class, BaseJSONSerializer)
        if operation.name not in PLAIN or not is_json or not isinstance(result, dict):
            return original(self, context)
        members = operation.output_shape.members
        body = {name: value for name, value in result.items() if name in members and value is not None}
        headers = {"Content-Type": "application/x-amz-json-1.0"}
        return 200, headers, json.dumps(body, default=_binary)

    return execute_result


def _binary(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no value of DynamoDB")


def _set_item(self: LimitedSizeDict, key: str, value: Any) -> None:
    """An upper bound is kept; the sum is made only when that says that the item is too large."""
    size = _size(key) + _size(value)
    bound = getattr(self, "bound", None)
    if bound is None or bound + size > MOST_BYTES:
        bound = sum(_size(name) + _size(held) for name, held in self.items() if name != key)
        if bound + size > MOST_BYTES:
            raise ItemSizeTooLarge
    self.bound = bound + size
    dict.__setitem__(self, key, value)


def _size(what: Any) -> int:
    size: int = what.size() if type(what) is DynamoType else bytesize(str(what))
    return size


def _copy_of_tree(tree: Node) -> Node:
    copy: Node = pickle.loads(pickle.dumps(tree, 5))  # noqa: S301 - our own
    return copy


def _nodes_once(self: DepthFirstTraverser) -> tuple[type[Node], ...]:
    """Asked for at each node; the same for all of them."""
    kinds: tuple[type[Node], ...] | None = self.__dict__.get("kinds")
    if kinds is None:
        kinds = self.kinds = tuple(self._processing_map())
    return kinds


def _count_at_the_top(self: ActionCountValidator, node: Node) -> Node:
    """The clauses are children of the expression: no need to go through all below them."""
    return self.verify_action_counts(node)

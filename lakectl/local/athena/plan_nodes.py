"""A query's plan as a tree, and the tree in Trino's text and JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Node:
    """One operator. ``details`` are lines below its head; ``outputs``: (symbol, type) of each column."""

    name: str
    descriptor: dict[str, str] = field(default_factory=dict)
    details: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def head(self) -> str:
        if not self.descriptor:
            return self.name
        return f"{self.name}[{', '.join(f'{key} = {value}' for key, value in self.descriptor.items())}]"


def text(root: Node) -> list[str]:
    """``root`` and, drawn as branches below it, what it reads from."""
    lines = [root.head, *(f"    {detail}" for detail in root.details)]
    for at, child in enumerate(root.children):
        lines += _branch(text(child), last=at == len(root.children) - 1)
    return lines


def _branch(lines: list[str], last: bool) -> list[str]:
    first, rest = ("└─ ", "   ") if last else ("├─ ", "│  ")
    return [f"{first if index == 0 else rest}{line}" for index, line in enumerate(lines)]


def as_json(root: Node) -> str:
    """As Trino's JsonRenderer: id, name, descriptor, outputs, details, estimates, children."""
    numbers = iter(range(10**9))

    def rendered(node: Node) -> dict[str, Any]:
        own = next(numbers)
        return {
            "id": str(own),
            "name": node.name,
            "descriptor": node.descriptor,
            "outputs": [{"name": symbol, "type": kind} for symbol, kind in node.outputs],
            "details": [detail.strip() for detail in node.details],
            "estimates": [],
            "children": [rendered(child) for child in node.children],
        }

    return json.dumps(rendered(root), indent=2)

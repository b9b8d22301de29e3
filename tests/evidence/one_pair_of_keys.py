"""pytest plugin for ceph's s3-tests: keeps those that one pair of keys can judge.

Left out is a test that reaches, itself or through a helper of its module, for another identity: a second user, a
tenant, an account of IAM, a cloud tier, or nobody at all. ``-m "not fails_on_aws"`` leaves out what ceph's authors
found that AWS fails.
"""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

OTHERS = ("get_alt_", "get_tenant_", "get_iam_", "get_cloud_", "get_v2_tenant", "get_sts_", "get_unauthenticated_")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reached = {module: _reached(module) for module in {item.module for item in items if hasattr(item, "module")}}
    kept, left = [], []
    for item in items:
        names = reached[item.module].get(item.function.__name__, set())  # type: ignore[attr-defined]
        (left if any(name.startswith(OTHERS) for name in names) else kept).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


def _reached(module: ModuleType) -> dict[str, set[str]]:
    """Of each function of the module the names that it uses, and that the functions that it uses use."""
    tree = ast.parse(inspect.getsource(module))
    uses = {
        node.name: {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    found = {}
    for name in uses:
        seen, left = set[str](), [name]
        while left:
            for each in uses.get(left.pop(), ()):
                if each not in seen:
                    seen.add(each)
                    left.append(each)
        found[name] = seen
    return found

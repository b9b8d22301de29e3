"""pytest plugin for ceph's s3-tests: keeps those that one pair of keys can judge.

Left out is a test that reaches, itself or through a helper of its module, for another identity: a second user, a
tenant, an account of IAM, a cloud tier, or nobody at all; what ceph's authors found that AWS fails; and what counts on
ceph's debugging clock, in which a day of a lifecycle rule lasts seconds. Buckets are made with ACLs, as they were when
the tests were written: S3's default has been another one since April 2023.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from botocore.client import BaseClient

NOT_OF_AWS = {"fails_on_aws", "lifecycle_expiration", "lifecycle_transition", "cloud_transition", "cloud_restore"}
OTHERS = ("get_alt_", "get_tenant_", "get_iam_", "get_cloud_", "get_v2_tenant", "get_sts_", "get_unauthenticated_")


def pytest_sessionstart() -> None:
    """One pair of keys empties the buckets once, and makes buckets that have ACLs."""
    from s3tests import functional

    def clean() -> None:
        functional.nuke_prefixed_buckets(functional.prefix)

    functional.setup = functional.teardown = clean
    BaseClient._make_api_call = _with_acls(BaseClient._make_api_call)


def _with_acls(original: Callable[..., Any]) -> Callable[..., Any]:
    """CreateBucket as it was: the bucket has ACLs, and they may be public."""

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if operation != "CreateBucket":
            return original(self, operation, parameters)
        grants = {name: parameters[name] for name in parameters if name == "ACL" or name.startswith("Grant")}
        rest = {name: value for name, value in parameters.items() if name not in grants}
        answer = original(self, operation, {"ObjectOwnership": "ObjectWriter", **rest})
        original(self, "DeletePublicAccessBlock", {"Bucket": parameters["Bucket"]})
        if grants:
            original(self, "PutBucketAcl", {"Bucket": parameters["Bucket"], **grants})
        return answer

    return call


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reached = {module: _reached(module) for module in {item.module for item in items if hasattr(item, "module")}}
    kept, left = [], []
    for item in items:
        names = reached[item.module].get(item.function.__name__, set())  # type: ignore[attr-defined]
        judged = not any(name.startswith(OTHERS) for name in names)
        judged = judged and not NOT_OF_AWS & {mark.name for mark in item.iter_markers()}
        (kept if judged else left).append(item)
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

"""CloudFormation: a stack has no resource, and no property of one, that moto would leave out.

Wrapped: ``ResourceMap.load`` and ``build_resource_diff``, which CreateStack, UpdateStack and CreateChangeSet pass. moto
makes what it knows, warns of the rest in its log, and says CREATE_COMPLETE. The list is ``gate/resources.toml``.
Installed with the first request to CloudFormation, as it imports half of moto.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from moto.cloudformation.parsing import ResourceMap

from lakectl.local import gate
from lakectl.local.gate import pretend
from lakectl.local.gate.step import refused
from lakectl.local.iam.refusals import Refused

LIST = Path(gate.__file__).parent / "resources.toml"


def install() -> None:
    if "cloudformation" not in pretend.services():
        ResourceMap.load = _loading(ResourceMap.load)
        ResourceMap.build_resource_diff = _comparing(ResourceMap.build_resource_diff)


@cache
def known() -> Mapping[str, frozenset[str]]:
    """Type of resource → the properties that are made."""
    found = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return {name: frozenset(properties.split()) for name, properties in found.items()}


def _loading(original: Callable[..., None]) -> Callable[..., None]:
    def load(self: ResourceMap) -> None:
        original(self)
        _check(self._resource_json_map, self)

    return load


def _comparing(original: Callable[..., Any]) -> Callable[..., Any]:
    def build_resource_diff(self: ResourceMap, other_template: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        _check(other_template["Resources"], self)
        return original(self, other_template, *args, **kwargs)

    return build_resource_diff


def _check(resources: Mapping[str, Any], stack: ResourceMap) -> None:
    """Raises Refused for the first that would be left out. What a condition leaves out is not looked at."""
    for resource in resources.values():
        condition = resource.get("Condition")
        if condition and not stack.lazy_condition_map.get(condition, True):
            continue
        kind = str(resource.get("Type"))
        if kind not in known():
            raise Refused(refused(kind, "AWS CloudFormation"))
        for name in resource.get("Properties") or {}:
            if name not in known()[kind]:
                raise Refused(refused(f"{name} of {kind}", "AWS CloudFormation"))

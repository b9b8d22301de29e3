"""The lake as a template that deploys without lakectl: the list of resources that ``plan`` walks, in another form.

Reads the configuration and the project's files. AWS is asked only for the ids of saved queries, and only on demand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lakectl import lake as definition
from lakectl.config import Config
from lakectl.engine.forms import ACCOUNT, REGION, Module, Template
from lakectl.engine.graph import in_order
from lakectl.engine.model import Resource
from lakectl.errors import LakectlError
from lakectl.naming import Names
from lakectl.ops.lake import Lake
from lakectl.project import Project
from lakectl.resources.workgroup import NamedQuery

T = TypeVar("T", Template, Module)


@dataclass(frozen=True)
class Where:
    """Account and region, where the person has named them; empty: a pseudo parameter or a variable."""

    account: str = ""
    region: str = ""


def resources(config: Config, project: Project, where: Where) -> list[Resource]:
    """The lake's resources, each after what it needs."""
    names = Names(config, where.account or ACCOUNT, where.region or REGION)
    return in_order(definition.resources(names, project))


def template(found: list[Resource]) -> Template:
    """The resources in CloudFormation's form. Raises :class:`LakectlError` for one that has none."""
    made = Template()
    _fill(found, made, lambda resource, needs: resource.cloudformation(made, needs))
    return made


def module(found: list[Resource]) -> Module:
    """The resources in Terraform's form. Raises :class:`LakectlError` for one that has none."""
    made = Module()
    _fill(found, made, lambda resource, needs: resource.terraform(made, needs))
    return made


def _fill(found: list[Resource], made: T, add: Callable[[Resource, tuple[str, ...]], None]) -> None:
    by_id = {resource.id: resource for resource in found}

    def parts(resource_id: str) -> list[str]:
        """The names of the resource in the other form; of what it needs where it has none there."""
        own = made.parts.get(resource_id)
        return own if own else [part for need in by_id[resource_id].needs for part in parts(need)]

    before: dict[str, frozenset[str]] = {}
    for resource in found:
        needs = resource.needs
        before[resource.id] = frozenset(needs).union(*(before[need] for need in needs))
        earlier = [by_id[each] for each in before[resource.id] if made.parts.get(each)]
        made.before = {each.arn: each.id for each in earlier if each.arn}
        add(resource, tuple(dict.fromkeys(part for need in needs for part in parts(need))))


def query_ids(lake: Lake) -> dict[str, str]:
    """The ids of the saved queries that are running, by name: nothing else tells them. Only reads.

    Raises :class:`LakectlError` when one of the lake's is not there.
    """
    ids = NamedQuery.ids(lake.aws, lake.names.workgroup)
    wanted = [resource.query_name for resource in lake.resources if isinstance(resource, NamedQuery)]
    for name in wanted:
        if name not in ids:
            raise LakectlError(f"saved query {name} is not there, so it can't be adopted", "lakectl up")
    return {name: ids[name] for name in wanted}

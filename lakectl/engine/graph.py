"""The dependency graph of resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter

from lakectl.engine.model import Resource


def in_order(resources: Iterable[Resource]) -> list[Resource]:
    """Sorted so that what is needed comes first. Raises ``KeyError`` for a need that isn't there."""
    by_id = {resource.id: resource for resource in resources}
    for resource in by_id.values():
        for need in resource.needs:
            if need not in by_id:
                raise KeyError(f"{resource.id} needs {need}, which is not part of the lake")
    sorter = TopologicalSorter({key: resource.needs for key, resource in by_id.items()})
    return [by_id[key] for key in sorter.static_order()]


def with_needs(resources: Sequence[Resource], steps: Iterable[str]) -> list[Resource]:
    """The resources of ``steps`` and all that they need, in order."""
    by_id = {resource.id: resource for resource in resources}
    wanted: set[str] = set()
    todo = [resource.id for resource in resources if resource.step in set(steps)]
    while todo:
        key = todo.pop()
        if key not in wanted:
            wanted.add(key)
            todo.extend(by_id[key].needs)
    return in_order(resource for resource in resources if resource.id in wanted)

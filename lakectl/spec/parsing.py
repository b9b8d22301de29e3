"""The YAML of a lake -> its :class:`~lakectl.spec.model.LakeSpec`, or one UsageError with file, line and key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from lakectl.spec import files_and_columns, names, relations
from lakectl.spec.model import LakeSpec, Policy, SourceSpec
from lakectl.spec.yaml_items import Item

# The keys of the document that this module reads.
KEYS = ("sources", "schema_evolution", "checks")
SOURCE_KEYS = (
    "file", "loading", "keys", "starts_run", "description", "columns", "lookups", "derive", "checks", "partition_by",
)  # fmt: skip


def parse_lake(document: Item, default_sources: Callable[[], Item]) -> LakeSpec:
    """The specification in ``document``, whose other keys are not looked at.

    ``default_sources``: what stands for an absent ``sources:``; an empty one is refused.
    """
    given = document.mapping()
    evolution: Any = "fail"
    if "schema_evolution" in given:
        evolution = given["schema_evolution"].choice(("fail", "ignore", "add"))
    policies = relations.lake_policies(given.get("checks"))
    sources = given["sources"] if "sources" in given else default_sources()
    return LakeSpec(_sources(sources, policies), evolution)


def _sources(item: Item, policies: Mapping[str, Policy]) -> dict[str, SourceSpec]:
    if item.is_null or (item.is_map and not item.mapping()):
        item.refuse(
            "no sources; expected at least one",
            "leave `sources:` out for the tutorial's, or type: lakectl source add FILE",
        )
    items: dict[str, Item] = {}
    for written, value in item.mapping("sources, each as NAME: {keys, columns}").items():
        name = written.lower()
        if problem := names.source_problem(written):
            value.refuse(problem)
        if name in items:
            value.refuse(f"{written!r} and {items[name].name!r} differ only in case; names are compared without case")
        value.known(SOURCE_KEYS, "keys and columns")
        items[name] = value
    own = {name: _own(name, value) for name, value in items.items()}
    made: dict[str, SourceSpec] = {}
    types: dict[str, relations.Types] = {}
    for name in _loading_order(items):
        others = {other: (made[other], types[other]) for other in made}
        made[name], types[name] = _related(own[name], items[name].mapping(), others, policies)
    return {name: made[name] for name in items}


def _own(name: str, item: Item) -> SourceSpec:
    """What a source says of its own files."""
    given = item.mapping()
    if "columns" not in given:
        item.refuse("no columns; expected columns: {NAME: TYPE, …}")
    columns = files_and_columns.columns(given["columns"])
    loading: Any = given["loading"].choice(("upsert", "snapshot", "append")) if "loading" in given else "upsert"
    return SourceSpec(
        name,
        columns,
        files_and_columns.keys(given.get("keys"), loading, name, {column.name: column for column in columns}, item),
        files_and_columns.file_format(given.get("file")),
        loading,
        given["starts_run"].flag() if "starts_run" in given else False,
        files_and_columns.description(given.get("description")),
    )


def _related(
    source: SourceSpec,
    given: Mapping[str, Item],
    others: Mapping[str, tuple[SourceSpec, relations.Types]],
    policies: Mapping[str, Policy],
) -> tuple[SourceSpec, relations.Types]:
    types = {column.name: column.type for column in source.columns}
    lookups = relations.lookups(given.get("lookups"), source.name, types, others)
    derive = relations.derived(given.get("derive"), source.name, types)
    checks, own_policies = relations.checks(given.get("checks"), source.name, types, policies)
    partition_by = relations.partitions(given.get("partition_by"), source.name, types)
    related = replace(
        source, lookups=lookups, derive=derive, checks=checks, policies=own_policies, partition_by=partition_by
    )
    return related, types


def _loading_order(items: Mapping[str, Item]) -> tuple[str, ...]:
    """Each source after those that it looks up. Refuses a cycle at the first lookup of it."""
    graph = {
        name: relations.looked_up_sources(item.mapping().get("lookups"), name, items) for name, item in items.items()
    }
    try:
        return tuple(TopologicalSorter({name: list(found) for name, found in graph.items()}).static_order())
    except CycleError as error:
        path = list(reversed(error.args[1][1:]))  # graphlib lists each node before those that depend on it
        start = min(range(len(path)), key=lambda at: list(items).index(path[at]))
        path = path[start:] + path[:start]
        graph[path[0]][path[1]].refuse(f"a cycle of lookups: {relations.cycle(path)}")

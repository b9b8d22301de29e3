"""What a source says of columns across sources: lookups, derived columns, checks, partitioning."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from lakectl.spec import expressions, names
from lakectl.spec.files_and_columns import column_name, column_type, unknown_column
from lakectl.spec.model import (
    BUILT_IN_CHECKS,
    POLICIES,
    Check,
    Derived,
    Lookup,
    PartitionField,
    Policy,
    SourceSpec,
    policies_of,
)
from lakectl.spec.yaml_items import Item

# Iceberg's transforms and the types that each takes (iceberg.apache.org/spec, "Partition Transforms").
TRANSFORMS: Mapping[str, tuple[str, ...]] = {
    "year": ("date", "timestamp"),
    "month": ("date", "timestamp"),
    "day": ("date", "timestamp"),
    "hour": ("timestamp",),
    "bucket": ("int", "bigint", "decimal", "date", "timestamp", "string"),
    "truncate": ("int", "bigint", "decimal", "string"),
    "identity": ("int", "bigint", "double", "decimal", "boolean", "date", "timestamp", "string"),
}
_OF_TIME = ("year", "month", "day", "hour")
_WITH_NUMBER = ("bucket", "truncate")
_MAX_NUMBER = 2**31 - 1
_TRANSFORM = re.compile(r"\s*([A-Za-z]+)\s*\(\s*(?:(\d+)\s*,\s*)?([^(),]+?)\s*\)\s*")
_TRANSFORMS_SHOWN = ", ".join(
    f"{name}(n, column)" if name in _WITH_NUMBER else f"{name}(column)" for name in TRANSFORMS
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")

Types = dict[str, str]  # column -> type, in silver's order and without what the program adds


def looked_up_sources(item: Item | None, name: str, sources: Mapping[str, Item]) -> dict[str, Item]:
    """The sources that ``name`` looks up, each with the place that says so."""
    found: dict[str, Item] = {}
    for lookup, value in (item.mapping("lookups, each as SOURCE: {on, take, missing}") if item else {}).items():
        given = value.known(("source", "on", "take", "missing"))
        written = given["source"].text("the name of a source") if "source" in given else lookup
        place = given.get("source", value)
        if written.lower() not in sources:
            near = difflib.get_close_matches(written.lower(), list(sources), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "add it below sources, or name one with source: SOURCE"
            place.refuse(f"{written!r} is not a source; sources: {', '.join(sources)}", hint)
        if written.lower() == name:
            place.refuse(f"{name} looks up itself; a lookup takes columns of another source")
        found[written.lower()] = place
    return found


def lookups(
    item: Item | None, source: str, types: Types, others: Mapping[str, tuple[SourceSpec, Types]]
) -> tuple[Lookup, ...]:
    """``others``: every source that is looked up, with the types of its silver. Adds the taken columns to ``types``."""
    own = dict(types)
    found: dict[str, Lookup] = {}
    for written, value in (item.mapping() if item else {}).items():
        name = _name(value, written, "lookup", found)
        given = value.mapping()
        other = given["source"].text().lower() if "source" in given else name
        theirs, their_types = others[other]
        if not theirs.keys:
            value.refuse(f"{other} has loading: append and so no keys; only a source with keys can be looked up")
        for needed in ("on", "take"):
            if needed not in given:
                value.refuse(f"no {needed}; expected {{on: COLUMN of {source}, take: [COLUMNS of {other}]}}")
        on = _on(given["on"], source, own, theirs)
        take = _take(given["take"], source, types, other, their_types)
        missing: Any = given["missing"].choice(POLICIES) if "missing" in given else "warn"
        found[name] = Lookup(name, other, on, take, missing)
    return tuple(found.values())


def _on(item: Item, source: str, own: Types, theirs: SourceSpec) -> tuple[str, ...]:
    found = [column_name(each, source, own) for each in item.one_or_more("a column or a list of columns")]
    keys = ", ".join(theirs.keys)
    if len(found) != len(theirs.keys):
        item.refuse(f"{len(found)} columns; expected one for each key of {theirs.name}, in this order: {keys}")
    for column, key in zip(found, theirs.keys, strict=True):
        mine, their = own[column], theirs.by_name[key].type
        if mine != their and {mine, their} != {"int", "bigint"}:
            item.refuse(
                f"{column!r} is {mine}, but the key {key} of {theirs.name} is {their}; both must be of one type"
            )
    return tuple(found)


def _take(item: Item, source: str, types: Types, other: str, their_types: Types) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for each in item.one_or_more("a list of columns"):
        pairs = each.mapping() if each.is_map else {each.text("a column, or {theirs: ours}"): each}
        for theirs, place in pairs.items():
            ours = place.text("our name for the column")
            if theirs.lower() not in their_types:
                unknown_column(place, theirs, other, their_types)
            _new_column(place, ours, source, types)
            types[ours.lower()] = their_types[theirs.lower()]
            found.append((theirs.lower(), ours.lower()))
    if not found:
        item.refuse(f"an empty list; expected at least one column of {other}: {', '.join(their_types)}")
    return tuple(found)


def derived(item: Item | None, source: str, types: Types) -> tuple[Derived, ...]:
    """Adds each derived column to ``types``, so that later ones can name it."""
    found = []
    for name, value in (item.mapping("derived columns, each as NAME: {type, sql}") if item else {}).items():
        given = value.known(("type", "sql", "description"))
        for needed in ("type", "sql"):
            if needed not in given:
                value.refuse(f'no {needed}; expected {{type: TYPE, sql: "EXPRESSION"}}')
        _new_column(value, name, source, types)
        kind = column_type(given["type"])
        sql = _expression(given["sql"], source, types, kind)
        text = given["description"].text() if "description" in given else ""
        found.append(Derived(name.lower(), kind, sql, text))
        types[name.lower()] = kind
    return tuple(found)


def lake_policies(item: Item | None) -> dict[str, Policy]:
    """The built-in checks' policies for every source that says nothing itself."""
    found = dict(BUILT_IN_CHECKS)
    for name, value in (item.mapping("checks, each as NAME: POLICY") if item else {}).items():
        if name not in BUILT_IN_CHECKS:
            _not_built_in(value, name)
        found[name] = _policy(value, name)
    return found


def checks(
    item: Item | None, source: str, types: Types, lake_wide: Mapping[str, Policy]
) -> tuple[tuple[Check, ...], dict[str, Policy]]:
    """The source's own checks, and the policy of every built-in one."""
    found: dict[str, Check] = {}
    policies = dict(lake_wide)
    for written, value in (item.mapping("checks, each as NAME: {sql, otherwise}") if item else {}).items():
        if written in BUILT_IN_CHECKS:
            if value.is_map:
                value.refuse(f"{written} is a built-in check; write its policy: {written}: {BUILT_IN_CHECKS[written]}")
            policies[written] = _policy(value, written)
            continue
        if not value.is_map:
            near = difflib.get_close_matches(written, BUILT_IN_CHECKS, n=1)
            mean = f"did you mean {near[0]!r}?" if near else f"built-in checks: {', '.join(BUILT_IN_CHECKS)}"
            value.refuse(f"no built-in check is called {written!r}; {mean}", f"your own is {written}: {{sql: …}}")
        given = value.known(("sql", "otherwise"))
        if "sql" not in given:
            value.refuse('no sql; expected {sql: "PREDICATE", otherwise: POLICY}')
        name = _name(value, written, "check", found)
        sql = _expression(given["sql"], source, types, "boolean")
        otherwise: Any = given["otherwise"].choice(POLICIES) if "otherwise" in given else "fail"
        found[name] = Check(name, sql, otherwise)
    return tuple(found.values()), policies


def _policy(item: Item, name: str) -> Policy:
    allowed = policies_of(name)
    written: Any = item.text(f"a policy: {', '.join(allowed)}")
    if written not in allowed:
        item.refuse(f"{written!r} is not allowed; expected {', '.join(allowed)}")
    policy: Policy = written
    return policy


def _not_built_in(item: Item, name: str) -> NoReturn:
    """A check of one source was once written for the whole lake: say where it is written now."""
    if name.startswith("unknown_"):
        hint = "for a row that a lookup does not find: sources.SOURCE.lookups.NAME: {…, missing: POLICY}"
    else:
        hint = f"one of your own belongs to its source: sources.SOURCE.checks.{name}: {{sql: …, otherwise: POLICY}}"
    item.refuse(f"no built-in check is called {name!r}; for the whole lake: {', '.join(BUILT_IN_CHECKS)}", hint)


def _expression(item: Item, source: str, types: Types, kind: str) -> Any:
    try:
        return expressions.compile_sql(item.text("SQL in quotes"), types, kind)
    except expressions.UnknownColumn as error:
        unknown_column(item, error.column, source, types)
    except expressions.Refused as error:
        item.refuse(str(error), error.hint)


def partitions(item: Item | None, source: str, types: Types) -> tuple[PartitionField, ...]:
    found: list[PartitionField] = []
    for each in item.one_or_more("a list, for example [day(COLUMN)]") if item else ():
        made = _partition(each, source, types)
        for other in found:
            same_time = made.transform in _OF_TIME and other.transform in _OF_TIME
            if made.column == other.column and (made.transform == other.transform or same_time):
                each.refuse(f"{made} and {other} partition by the same column; keep one")
        if (stored := _stored_name(made)) in types and made.transform != "identity":
            each.refuse(f"{made} is stored as {stored}, which is a column of {source}; rename that column")
        found.append(made)
    return tuple(found)


def _partition(item: Item, source: str, types: Types) -> PartitionField:
    written = item.text("a transform, for example day(COLUMN)")
    match = _TRANSFORM.fullmatch(written)
    transform: Any = match[1].lower() if match else "identity"
    if transform not in TRANSFORMS or (not match and not re.fullmatch(r"\s*\w+\s*", written)):
        item.refuse(f"{written!r} is not a transform; expected {_TRANSFORMS_SHOWN} or a column")
    number = int(match[2]) if match and match[2] else None
    if (number is not None) != (transform in _WITH_NUMBER):
        item.refuse(f"{written!r}: expected {transform}({'n, ' if transform in _WITH_NUMBER else ''}column)")
    if number is not None and not 1 <= number <= _MAX_NUMBER:
        item.refuse(f"{written!r}: {number} is not allowed; expected 1 to {_MAX_NUMBER}")
    column = (match[3] if match else written).strip()
    if column.lower() not in types:
        unknown_column(item, column, source, types)
    kind = types[column.lower()]
    if kind.partition("(")[0] not in TRANSFORMS[transform]:
        allowed = ", ".join(TRANSFORMS[transform])
        item.refuse(f"{written!r}: {column} is {kind}; {transform} takes {allowed}")
    return PartitionField(transform, column.lower(), number)


def _stored_name(field: PartitionField) -> str:
    """What Iceberg calls a partition field (PartitionSpec.Builder); no column can have that name."""
    return f"{field.column}_{'trunc' if field.transform == 'truncate' else field.transform}"


def _new_column(item: Item, name: str, source: str, types: Types) -> None:
    if problem := names.column_problem(name):
        item.refuse(problem, f"for example {names.fitting(name)}")
    if name.lower() in types:
        item.refuse(f"{name!r} is a column of {source} already; choose another name", "take: [{theirs: ours}] renames")


def _name(item: Item, written: str, what: str, found: Mapping[str, Any]) -> str:
    name = written.lower()
    if name in found:
        item.refuse(f"two {what}s are called {name}; names are compared without case")
    if not _NAME.fullmatch(name):
        item.refuse(f"{written!r} can't name a {what}: expected letters, digits and '_', a letter first, at most 100")
    return name


def cycle(path: Sequence[str]) -> str:
    """A cycle of lookups in words."""
    return ", ".join(f"{one} looks up {other}" for one, other in zip(path, [*path[1:], path[0]], strict=True))

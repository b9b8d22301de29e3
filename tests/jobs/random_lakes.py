"""Random lakes and landings.

Three sources in a chain, ``a`` looked up by ``b`` looked up by ``c``, of any loading mode (what is looked up has keys),
format, types and policies, with derived columns and checks of their own.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from random_expressions import FAMILIES, Sql, declared, expression, predicate

from lakectl.spec.model import BUILT_IN_CHECKS, LakeSpec, SourceSpec, policies_of

NAMES = ("a", "b", "c")
# Type -> how a column of it may be declared, and texts of values. "?" is readable by text columns alone.
KINDS: dict[str, tuple[list[Any], list[str]]] = {
    "bigint": (["bigint"], ["1", "2", "3", "-4", "9000000000"]),
    "int": (["int"], ["1", "2", "03"]),
    "double": ([{"type": "double", "decimal_mark": "any"}, "double"], ["1.5", "2", "-0.25"]),
    "decimal": (["decimal(8,2)"], ["1.50", "2", "3.25"]),
    "boolean": (["boolean"], ["yes", "false", "1"]),
    "date": (["date"], ["2025-01-02", "2024-02-29"]),
    "timestamp": ([{"type": "timestamp", "zone": "Europe/Berlin"}, "timestamp"], ["2025-01-02T03:04:05", "2024-02-29"]),
    "string": (["string"], ["x", "y", " z"]),
}
KEY_KINDS = ("bigint", "int", "string", "date", "decimal")
PARTITIONS = {"bigint": "bucket(4, {})", "string": "truncate(2, {})", "date": "month({})", "timestamp": "day({})"}
FILES: list[Any] = [
    None,
    {"delimiter": ";", "quote": "'", "encoding": "windows-1252", "nulls": ["NA"]},
    {"format": "jsonl"},
    {"format": "parquet"},
]


@dataclass(frozen=True)
class Rules:
    """A source's own SQL: derived columns, and checks with what becomes of a row that fails."""

    derive: Mapping[str, Sql]
    checks: Mapping[str, tuple[Sql, str]]

    def early(self, own: frozenset[str]) -> dict[str, tuple[Sql, str]]:
        """The checks that see nothing but the file's ``own`` columns and what is derived of these."""
        known = set(own)
        for name, sql in self.derive.items():
            if sql.columns <= known:
                known.add(name)
        return {name: check for name, check in self.checks.items() if check[0].columns <= known}


def random_settings(random: Random) -> tuple[dict[str, Any], dict[str, Rules]]:
    """A lake in the shape of lake.yaml, and the SQL in it."""
    sources: dict[str, Any] = {}
    types: dict[str, dict[str, str]] = {}
    rules: dict[str, Rules] = {}
    for place, name in enumerate(NAMES):
        loading = random.choice(("upsert", "upsert", "snapshot", *(("append",) if name == "c" else ())))
        columns: dict[str, Any] = {}
        keys = []
        for number in range(0 if loading == "append" else random.choice((1, 1, 2))):
            keys.append(f"{name}_key{number}")
            columns[keys[-1]] = _column(random, random.choice(KEY_KINDS))
        for number in range(random.randrange(1, 4)):
            columns[f"{name}_{number}"] = _column(random, random.choice(tuple(KINDS)), may_be_required=True)
        source: dict[str, Any] = {"columns": columns, "loading": loading}
        if keys:
            source["keys"] = keys
        lookups = _lookup(random, sources, types, NAMES[place - 1], columns) if place else {}
        types[name] = {column: _type(written) for column, written in columns.items()}
        for other, lookup in lookups.items():
            for take in lookup["take"]:
                types[name].update({ours: types[other][theirs] for theirs, ours in take.items()})
        source["lookups"] = lookups
        source["derive"], derive = _derive(random, name, types[name])
        rules[name] = Rules(derive, _checks(random, name, types[name]))
        if file := random.choice(FILES):
            source["file"] = file
        source["checks"] = {check: random.choice(_allowed(check)) for check in BUILT_IN_CHECKS} | {
            check: {"sql": sql.text, "otherwise": policy} for check, (sql, policy) in rules[name].checks.items()
        }
        partition = random.choice(list(types[name]))
        if (kind := types[name][partition]) in PARTITIONS and random.random() < 0.5:
            source["partition_by"] = [PARTITIONS[kind].format(partition)]
        sources[name] = source
    return {"sources": dict(random.sample(list(sources.items()), len(sources)))}, rules


def _type(written: Any) -> str:
    return str(written if isinstance(written, str) else written["type"])


def _derive(random: Random, name: str, types: dict[str, str]) -> tuple[dict[str, Any], dict[str, Sql]]:
    """(derived columns as they are written, their SQL). Adds them to ``types``, so that later ones can name them."""
    written: dict[str, Any] = {}
    found: dict[str, Sql] = {}
    for number in range(random.randrange(4)):
        column, sql = f"{name}_sql{number}", expression(random, types, random.choice(FAMILIES))
        types[column], found[column] = declared(random, sql), sql
        written[column] = {"type": types[column], "sql": sql.text}
    return written, found


def _checks(random: Random, name: str, types: dict[str, str]) -> dict[str, tuple[Sql, str]]:
    policies = ("fail", "quarantine", "quarantine", "warn", "ignore")
    return {f"{name}_check{number}": (predicate(random, types), random.choice(policies))
            for number in range(random.randrange(4))}  # fmt: skip


def _allowed(check: str) -> tuple[str, ...]:
    # Of clashing rows that are let through one is kept, by a rule that is the job's own.
    return ("fail", "quarantine") if check == "duplicate_keys" else policies_of(check)


def _column(random: Random, kind: str, *, may_be_required: bool = False) -> Any:
    written = random.choice(KINDS[kind][0])
    if may_be_required and random.random() < 0.3:
        written = {**(written if isinstance(written, dict) else {"type": written}), "required": True}
    return written


def _lookup(
    random: Random, sources: dict[str, Any], types: dict[str, dict[str, str]], other: str, columns: dict[str, Any]
) -> dict[str, Any]:
    on = []
    for number, key in enumerate(sources[other]["keys"]):
        on.append(f"ref{number}")
        columns[on[-1]] = sources[other]["columns"][key]
    theirs = [name for name in types[other] if name not in sources[other]["keys"]]
    chosen = random.sample(theirs, random.randrange(1, 1 + len(theirs)))
    take = [{name: f"{other}_of_{name}"} for name in chosen]
    missing = random.choice(("warn", "warn", "ignore", "quarantine", "fail"))
    return {other: {"on": on, "take": take, "missing": missing}}


Row = dict[str, str | None]
RowVersion = tuple[int, int, int]  # day, batch, version


@dataclass(frozen=True)
class Landing:
    source: str
    day: int
    batch: int
    rows: tuple[tuple[tuple[str, str | None], ...], ...]

    @property
    def place(self) -> tuple[int, int]:
        return self.day, self.batch


def random_landing(random: Random, spec: LakeSpec, name: str) -> Landing:
    source = spec.sources[name]
    rows = []
    for _ in range(random.choice((0, 1, 2, 3, 4)) if source.loading == "snapshot" else random.randrange(1, 5)):
        row = {column.name: _text(random, column.type) for column in source.columns}
        if random.random() < 0.2:
            row[random.choice(list(row))] = random.choice(("?", None))
        rows.append(tuple(row.items()))
    if source.keys and random.random() < 0.7:
        rows = list({tuple(dict(row)[key] for key in source.keys): row for row in rows}.values())
    return Landing(name, random.randrange(1, 4), random.randrange(3), tuple(rows))


def _text(random: Random, kind: str) -> str:
    return random.choice(KINDS[kind.partition("(")[0]][1])


def written(landing: Landing, source: SourceSpec) -> tuple[str, bytes]:
    """(ending of the file's name, its bytes)."""
    rows = [dict(row) for row in landing.rows]
    names = [column.name for column in source.columns]
    if source.file.format == "jsonl":
        return "jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode() or b"\n"
    if source.file.format == "parquet":
        import pyarrow
        from pyarrow import parquet

        buffer = io.BytesIO()
        texts = {name: pyarrow.array([row[name] for row in rows], pyarrow.string()) for name in names}
        parquet.write_table(pyarrow.table(texts), buffer)
        return "parquet", buffer.getvalue()
    lines = [names, *([row[name] or "" for name in names] for row in rows)]
    return "csv", "".join(source.file.delimiter.join(line) + "\n" for line in lines).encode(source.file.encoding)

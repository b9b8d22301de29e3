"""Random lakes and landings, and what silver must hold then: a reference in plain Python.

Three sources in a chain, ``a`` looked up by ``b`` looked up by ``c``, of any loading mode (what is looked up has keys),
format, types and policies. The reference parses texts by ``lakectl.core.values``, which tests of its own compare with
Spark; all else it does by itself.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from lakectl.core import values
from lakectl.core.values import check_of
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


def random_settings(random: Random) -> dict[str, Any]:
    """A lake in the shape of lake.yaml."""
    sources: dict[str, Any] = {}
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
        if place:
            source["lookups"] = _lookup(random, sources, NAMES[place - 1], columns)
        if file := random.choice(FILES):
            source["file"] = file
        source["checks"] = {check: random.choice(_allowed(check)) for check in BUILT_IN_CHECKS}
        partition = random.choice(list(columns))
        kind = columns[partition] if isinstance(columns[partition], str) else columns[partition]["type"]
        if kind in PARTITIONS and random.random() < 0.5:
            source["partition_by"] = [PARTITIONS[kind].format(partition)]
        sources[name] = source
    return {"sources": dict(random.sample(list(sources.items()), len(sources)))}


def _allowed(check: str) -> tuple[str, ...]:
    # Of clashing rows that are let through one is kept, by a rule that is the job's own.
    return ("fail", "quarantine") if check == "duplicate_keys" else policies_of(check)


def _column(random: Random, kind: str, *, may_be_required: bool = False) -> Any:
    declared = random.choice(KINDS[kind][0])
    if may_be_required and random.random() < 0.3:
        declared = {**(declared if isinstance(declared, dict) else {"type": declared}), "required": True}
    return declared


def _lookup(random: Random, sources: dict[str, Any], other: str, columns: dict[str, Any]) -> dict[str, Any]:
    on = []
    for number, key in enumerate(sources[other]["keys"]):
        on.append(f"ref{number}")
        columns[on[-1]] = sources[other]["columns"][key]
    theirs = [name for name in sources[other]["columns"] if name not in sources[other]["keys"]]
    looked_up = [
        ours for each in sources[other].get("lookups", {}).values() for take in each["take"] for ours in take.values()
    ]
    chosen = random.sample([*theirs, *looked_up], random.randrange(1, 1 + len(theirs + looked_up)))
    take = [{name: f"{other}_of_{name}"} for name in chosen]
    missing = random.choice(("warn", "warn", "ignore", "quarantine", "fail"))
    return {other: {"on": on, "take": take, "missing": missing}}


Row = dict[str, str | None]


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


@dataclass
class Stored:
    """One row of a silver table. ``stamp``: of its landing."""

    own: dict[str, Any]
    stamp: tuple[int, int, int]


@dataclass
class Reference:
    """What silver holds. A landing's place is its source, day and batch; the versions of one have numbers from 1."""

    spec: LakeSpec
    pending: dict[tuple[str, int, int], tuple[int, Landing]] = field(default_factory=dict)
    newest: dict[tuple[str, int, int], tuple[int, Landing]] = field(default_factory=dict)
    tables: dict[str, dict[Any, Stored]] = field(default_factory=lambda: {name: {} for name in NAMES})
    refused: set[tuple[str, int, int]] = field(default_factory=set)

    def land(self, landing: Landing) -> None:
        place = (landing.source, *landing.place)
        version, last = self.newest.get(place, (0, None))
        # The same bytes again are a duplicate, unless they were refused.
        if last is None or last.rows != landing.rows or place in self.refused:
            self.newest[place] = self.pending[place] = (version + 1, landing)
            self.refused.discard(place)

    def run(self, *, full: bool = False) -> None:
        """Load what is pending; with ``full`` also again what is loaded, as it is now."""
        for name in self.spec.loading_order:
            accepted = []
            waiting = {**self.newest, **self.pending} if full else self.pending
            for place in [place for place in waiting if place[0] == name]:
                if place in self.refused:
                    continue
                version, landing = waiting[place]
                judged = self._judge(landing, (*landing.place, version))
                if judged is not None:
                    accepted.append(((*landing.place, version), landing, *judged))
                elif place in self.pending:
                    self.refused.add(place)
                self.pending.pop(place, None)
            self._load(self.spec.sources[name], sorted(accepted, key=lambda each: each[0]))

    # ---- one landing

    def _judge(self, landing: Landing, stamp: tuple[int, int, int]) -> tuple[list[dict[str, Any]], list[Any]] | None:
        """(rows to load, (key or None) of each row set aside); None when the landing is refused."""
        source = self.spec.sources[landing.source]
        if not landing.rows:
            ignored = source.loading == "snapshot" and source.policies["empty_snapshot"] == "ignore"
            return ([], []) if ignored else None
        kept, aside, refused = [], [], False
        for texts in landing.rows:
            row, failed = self._typed(dict(texts), source)
            policies = {source.policies[check] for check in failed}
            refused = refused or "fail" in policies
            (aside if "quarantine" in policies else kept).append(row)
        by_key: dict[Any, set[Any]] = {}
        for row in kept:
            if source.keys and self._key(row, source):
                by_key.setdefault(self._key(row, source), set()).add(tuple(row.items()))
        clashing = {key for key, rows in by_key.items() if len(rows) > 1}
        if refused or (clashing and source.policies["duplicate_keys"] == "fail"):
            return None
        aside += [row for row in kept if self._key(row, source) in clashing]
        kept = [row for row in kept if self._key(row, source) not in clashing]
        for lookup in source.lookups:
            # What silver has is not judged again.
            unknown = [row for row in kept if self._looked_up(lookup, row)[1] and not self._has(source, row, stamp)]
            if unknown and lookup.missing == "fail":
                return None
            if lookup.missing == "quarantine":
                aside += unknown
                kept = [row for row in kept if row not in unknown]
        return kept, [self._key(row, source) for row in aside]

    def _has(self, source: SourceSpec, row: dict[str, Any], stamp: tuple[int, int, int]) -> bool:
        table = self.tables[source.name]
        if source.loading == "append":
            return any(stored.stamp == stamp for stored in table.values())
        key = self._key(row, source)
        return key in table and table[key].stamp == stamp

    def _typed(self, texts: Row, source: SourceSpec) -> tuple[dict[str, Any], set[str]]:
        row, failed = {}, set()
        for column in source.columns:
            text = values.clean(texts[column.name], column, source.file.nulls)
            row[column.name] = None if text is None else values.value_of(text, column)
            if row[column.name] is None:
                if column.name in source.keys:
                    failed.add("null_keys")
                elif text is None and column.name in source.required:
                    failed.add("required")
                elif text is not None:
                    failed.add(check_of(column.type))
        return row, failed

    @staticmethod
    def _key(row: dict[str, Any], source: SourceSpec) -> Any:
        key = tuple(row[name] for name in source.keys)
        return key if key and None not in key else None

    # ---- one source

    def _load(self, source: SourceSpec, accepted: list[Any]) -> None:
        table = self.tables[source.name]
        if source.loading == "append":
            for stamp, landing, rows, _ in accepted:
                for key in [key for key, stored in table.items() if stored.stamp[:2] == stamp[:2]]:
                    del table[key]
                table.update({(landing, stamp, number): Stored(row, stamp) for number, row in enumerate(rows)})
            return
        if source.loading == "snapshot":
            truth = max((stored.stamp for stored in table.values()), default=(0, 0, 0))
            accepted = [each for each in accepted if each[1].rows][-1:]
            accepted = [each for each in accepted if each[0] >= truth]
        for stamp, _, rows, aside in accepted:
            found = {self._key(row, source): Stored(row, stamp) for row in rows}
            if source.loading == "snapshot" and None not in aside:
                for key in [key for key in table if key not in found and key not in aside]:
                    del table[key]
            for key, stored in found.items():
                if key not in table or table[key].stamp <= stamp:
                    table[key] = stored

    # ---- reading

    def _looked_up(self, lookup: Any, row: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """(our name -> value, whether the row is missing)."""
        key = tuple(row[name] for name in lookup.on)
        stored = self.tables[lookup.source].get(key) if None not in key else None
        whole = self._whole(lookup.source, stored.own) if stored else {}
        return {ours: whole.get(theirs) for theirs, ours in lookup.take}, stored is None and None not in key

    def _whole(self, name: str, own: dict[str, Any]) -> dict[str, Any]:
        looked_up = {}
        for lookup in self.spec.sources[name].lookups:
            looked_up |= self._looked_up(lookup, own)[0]
        return {**own, **looked_up}

    def silver(self, name: str) -> list[dict[str, Any]]:
        return [self._whole(name, stored.own) for stored in self.tables[name].values()]

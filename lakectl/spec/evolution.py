"""A changed specification: what it means for silver tables that exist, as values that `plan` prints and a run does.

In place: columns added, wider types, derived columns, lookups, checks, partition transforms. A column that is taken out
stays, with NULL in new rows. Everything else is refused until the tables are built again from the raw bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lakectl.spec import column_types
from lakectl.spec.model import LakeSpec, SourceSpec

Kind = Literal[
    "add_source", "remove_source", "add_column", "widen_column", "drop_column", "recompute", "partition", "read",
    "check", "comment",
]  # fmt: skip
FULL = "lakectl run-transform --full"
# What says how a column's text is read.
_READING = ("formats", "zone", "decimal_mark", "header")
_REBUILD = f"build it again from the raw bucket: {FULL}"
_OR_NAME = f"{_REBUILD}; or give the new column another name"


@dataclass(frozen=True)
class Change:
    """One thing that the next run does. ``old`` and ``new``: types, SQL or transforms, empty where there is none."""

    source: str
    kind: Kind
    column: str = ""
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        table, column, old, new = f"{self.source}_silver", self.column, self.old, self.new
        says = {
            "add_source": f"{table}: new table",
            "remove_source": f"{table}: no longer loaded; the table and its data stay until `lakectl down`",
            "add_column": f"{table}: add {column} {new}",
            "widen_column": f"{table}: {column} {old} becomes {new}",
            "drop_column": f"{table}: {column} stays, and is NULL in new rows",
            "recompute": f"{table}: compute {column} again in every row: {new}",
            "partition": f"{table}: partition new files by {new or 'nothing'} instead of {old or 'nothing'}",
            "read": f"{self.source}: files are read with {new} instead of {old} from now on; rows in silver stay",
            "check": f"{self.source}: {column} judges rows from the next run on: {new or 'no longer'}",
            "comment": f"{table}: another comment{f' of {column}' if column else ''}",
        }
        return says[self.kind]


@dataclass(frozen=True)
class Refusal:
    """What can't be done to a table that exists, and the way out."""

    source: str
    problem: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.source}_silver: {self.problem}; {self.way_out}"


@dataclass(frozen=True)
class Evolution:
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class _Origin:
    """Where a column of silver comes from. ``says``: its SQL, or what it is looked up by; ``means``: the same without
    spaces and comments."""

    kind: Literal["file", "lookup", "derived"]
    says: str = ""
    means: str = ""
    uses: tuple[str, ...] = ()

    def gives_the_same_as(self, other: _Origin) -> bool:
        # The compiled text changes with the type of a column that it names, and what it gives does not.
        return self.kind == other.kind and (self.says == other.says or self.means == other.means)


def evolve(old: LakeSpec, new: LakeSpec, tables: Mapping[str, Mapping[str, str]] | None = None) -> Evolution:
    """What ``new`` changes for the tables that were made under ``old``.

    ``tables``: source -> column -> type of each silver table that there is; it may have columns that ``old`` no longer
    names. What has no table yet needs no change. Left out: all of ``old`` have one, as ``old`` says.
    """
    changes: list[Change] = []
    refusals: list[Refusal] = []
    recomputed: dict[str, set[str]] = {}
    for name in new.loading_order:
        if name not in old.sources:
            changes.append(Change(name, "add_source"))
            recomputed[name] = set()
            continue
        before, after = old.sources[name], new.sources[name]
        if tables is not None and name not in tables:
            recomputed[name] = set()
            continue
        stored = old.silver_columns(name) if tables is None else tables[name]
        found: list[Change | Refusal] = [
            *_whole_source(before, after),
            *_columns(old, new, name, stored, recomputed),
            *_settings(before, after),
        ]
        changes += [each for each in found if isinstance(each, Change)]
        refusals += [each for each in found if isinstance(each, Refusal)]
    changes += [Change(name, "remove_source") for name in old.sources if name not in new.sources]
    return Evolution(tuple(changes), tuple(refusals))


def _whole_source(before: SourceSpec, after: SourceSpec) -> Iterator[Refusal]:
    if before.loading != after.loading:
        yield Refusal(after.name, f"loading: {before.loading} can't become {after.loading}", _REBUILD)
    elif set(before.keys) != set(after.keys):
        yield Refusal(after.name, f"keys: {', '.join(before.keys)} can't become {', '.join(after.keys)}", _REBUILD)


def _columns(
    old: LakeSpec, new: LakeSpec, name: str, stored: Mapping[str, str], recomputed: dict[str, set[str]]
) -> Iterator[Change | Refusal]:
    """Columns of one source. Puts those whose values change into ``recomputed``."""
    before, after = _origins(old.sources[name]), _origins(new.sources[name])
    types = new.silver_columns(name)
    again: set[str] = set()
    recomputed[name] = again
    for column, origin in after.items():
        was, kind = before.get(column), types[column]
        if column not in stored:
            yield Change(name, "add_column", column, new=kind)
        else:
            change = _retyped(name, column, stored[column], kind)
            if change:
                yield change
            if isinstance(change, Refusal):
                continue
            if was is None and origin.kind != "file":
                yield Refusal(name, f"{column} has values of before that would be lost", _OR_NAME)
                continue
            if was is not None and (was.kind == "file") != (origin.kind == "file"):
                way = "computed" if origin.kind != "file" else "read from files"
                yield Refusal(name, f"{column} came another way and can't be {way} now", _OR_NAME)
                continue
        if origin.kind == "file":
            continue
        moved = was is None or not origin.gives_the_same_as(was)
        if moved or _depends(new.sources[name], column, origin, again, recomputed):
            again.add(column)
            yield Change(name, "recompute", column, was.says if was else "", origin.says)
    for column in before:
        if column not in after:
            yield Change(name, "drop_column", column, old=stored.get(column, ""))


def _retyped(source: str, column: str, old: str, new: str) -> Change | Refusal | None:
    if old == new:
        return None
    if column_types.widens(old, new):
        return Change(source, "widen_column", column, old, new)
    return Refusal(source, f"{column}: {old} can't become {new} in place", _OR_NAME)


def _depends(
    source: SourceSpec, column: str, origin: _Origin, again: set[str], recomputed: Mapping[str, set[str]]
) -> bool:
    """Whether a computed column shows another one whose values change."""
    if origin.kind == "derived":
        return bool(again & set(origin.uses))
    for lookup in source.lookups:
        for theirs, ours in lookup.take:
            if ours == column:
                return theirs in recomputed[lookup.source]
    return False


def _origins(source: SourceSpec) -> dict[str, _Origin]:
    found = {column.name: _Origin("file") for column in source.columns}
    for lookup in source.lookups:
        for theirs, ours in lookup.take:
            says = f"{lookup.source}.{theirs} by {', '.join(lookup.on)}"
            found[ours] = _Origin("lookup", says, says)
    for derived in source.derive:
        found[derived.name] = _Origin("derived", derived.sql.text, derived.sql.spark, derived.sql.columns)
    return found


def _settings(before: SourceSpec, after: SourceSpec) -> Iterator[Change]:
    """What concerns new files and rows, or nothing but words."""
    if before.partition_by != after.partition_by:
        old, new = (", ".join(map(str, source.partition_by)) for source in (before, after))
        yield Change(after.name, "partition", old=old, new=new)
    yield from _read_otherwise(after.name, "", _options(before.file), _options(after.file))
    for column in after.columns:
        was = before.by_name.get(column.name)
        if was is not None:
            yield from _read_otherwise(after.name, column.name, *(_options(each, _READING) for each in (was, column)))
            if was.description != column.description:
                yield Change(after.name, "comment", column.name)
    if before.description != after.description:
        yield Change(after.name, "comment")
    judged, judges = _judgements(before), _judgements(after)
    for check in dict.fromkeys((*judged, *judges)):
        if judged.get(check) != judges.get(check):
            yield Change(after.name, "check", check, judged.get(check, ""), judges.get(check, ""))


def _read_otherwise(source: str, column: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    names = [name for name in new if old[name] != new[name]]
    if names:
        before, after = (
            " ".join(filter(None, (column, ", ".join(f"{name} {each[name] or 'none'}" for name in names))))
            for each in (old, new)
        )
        yield Change(source, "read", column, before, after)


def _judgements(source: SourceSpec) -> dict[str, str]:
    own = {check.name: f"{check.sql.text}, otherwise {check.otherwise}" for check in source.checks}
    looked_up = {f"lookup {lookup.name}": f"missing: {lookup.missing}" for lookup in source.lookups}
    return {**source.policies, **looked_up, **own}


def _options(value: object, names: tuple[str, ...] = ()) -> dict[str, str]:
    chosen = {name: getattr(value, name) for name in names or vars(value)}
    return {name: ", ".join(map(str, each)) if isinstance(each, tuple) else str(each) for name, each in chosen.items()}

"""Data files -> drafts of sources: how the files are written, columns and types, keys, lookups, partitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakectl.core import values
from lakectl.errors import UsageError
from lakectl.ops.init import dates, keys, lookups, partitions, tables, types
from lakectl.ops.init.draft import Draft
from lakectl.ops.init.inputs import data_sets
from lakectl.ops.init.names import data_set
from lakectl.ops.init.tables import Table
from lakectl.ops.landing import landing_file
from lakectl.spec.model import Column, SourceSpec
from lakectl.spec.names import source_problem

# A column's different values that are looked at, each by the code that the job reads it with: seconds for each column.
MAX_VALUES = 100_000
# Larger files are checked as `land` does it: the first and the last rows.
_CHECKED_WHOLE = 8 << 20


def infer(given: Sequence[str], known: Iterable[SourceSpec] = ()) -> list[Draft]:
    """The sources that the files of ``given`` (files, folders, patterns, each with ``NAME=`` before it or not) are of.
    ``known``: sources that the lake has already; their rows are not seen, so a lookup of them is only proposed.

    Raises UsageError for files that can't be read, and when DuckDB is missing.
    """
    with tables.workspace() as connection:
        drafts = []
        for name, parts in _read(connection, data_sets(given)).items():
            drafts.append(_draft(connection, name, parts))
        for draft in drafts:
            keys.infer(connection, draft)
        lookups.infer(connection, drafts)
        for draft in drafts:
            lookups.propose(draft, known)
        looked_up = {lookup.source for draft in drafts for lookup in draft.lookups}
        for draft in drafts:
            if draft.name not in looked_up:
                draft.starts_run = True
                partitions.infer(connection, draft)
    for draft in drafts:
        _note_refusals(draft)
    return drafts


def _read(connection: Any, sets: Mapping[str, Sequence[Path]]) -> dict[str, list[Table]]:
    """Name of a source -> its files as tables. Files of one data set whose columns differ are sources of their own."""
    found: dict[str, list[Table]] = {}
    number = 0
    for name, paths in sets.items():
        if problem := source_problem(name):
            raise UsageError(problem, f"name it: --from NAME={paths[0]}")
        for path in paths:
            number += 1
            table = tables.read(connection, f"rows{number}", path)
            place = name if not found.get(name) or _same(found[name][0], table) else data_set(path, whole=True)
            if place in found and not _same(found[place][0], table):
                raise UsageError(
                    f"{path} and {found[place][0].files[0]} would both be the source {place}, but differ in their "
                    "columns or format",
                    f"name one: --from NAME={path}",
                )
            found.setdefault(place, []).append(table)
    return found


def _same(one: Table, other: Table) -> bool:
    return one.form.format == other.form.format and {c.name for c in one.columns} == {c.name for c in other.columns}


def _draft(connection: Any, name: str, parts: Sequence[Table]) -> Draft:
    table = tables.joined(connection, parts)
    draft = Draft(name, list(table.files), table.form, [], table.name, table.rows)
    draft.note("file", *table.notes)
    distinct = {column.name: _distinct(connection, table, column.name) for column in table.columns}
    if any(len(texts) == MAX_VALUES for texts in distinct.values()):
        draft.note("columns", f"types are of the first {MAX_VALUES:,} different values of a column")
    marks = {types.mark_of(texts) for texts in distinct.values()} - {""} if table.form.format == "csv" else set()
    mark = marks.pop() if len(marks) == 1 else ""
    found = [
        types.infer(Column(c.name, "string", header=c.header), distinct[c.name], c.types, table.form.format, mark)
        for c in table.columns
    ]
    found = [_decided(connection, table, each, found) for each in found]
    for each in found:
        draft.note("columns" if each.left_out else f"columns.{each.column.name}", *each.notes)
        if each.state_mark:
            draft.stated_marks.add(each.column.name)
    draft.columns = [each.column for each in found if not each.left_out]
    draft.left_out = [each.column.header or each.column.name for each in found if each.left_out]
    if draft.left_out and (table.form.format == "parquet" or not draft.columns):
        what = draft.notes["columns"][0].replace(" is left out: ", ": ")
        raise UsageError(
            f"{table.files[0]}: {what}: only plain values are read",
            "write the file again without nested, binary and time columns",
        )
    nulls = frozenset().union(*(each.nulls for each in found))
    draft.file = replace(draft.file, nulls=tuple(sorted(nulls)))
    _note_nulls(draft, nulls, distinct)
    _apply(connection, draft, nulls, distinct)
    _note_empty(connection, draft)
    return draft


def _decided(
    connection: Any, table: Table, each: types.Inferred, all_of_them: Sequence[types.Inferred]
) -> types.Inferred:
    """``each`` with the order of day and month settled by what the file shows, or noted as unsure."""
    if each.dates is None:
        return each
    sure = {dates.is_day_first(o.column.formats) for o in all_of_them if o.column.formats and o.dates is None} - {None}
    if len(sure) == 1:
        swap = dates.is_day_first(each.dates.formats) not in sure
        meant = dates.Dates(each.dates.kind, each.dates.other if swap else each.dates.formats)
        return _settled(each, meant, "as in another column of the file")
    if ordered := dates.ordered(each.dates, _in_order(connection, table, each.column.name)):
        return _settled(each, ordered, "the rows are in that order")
    note = f"unsure: every value can be read as {' or '.join(each.dates.other)}, too"
    return replace(each, notes=(*each.notes, note))


def _settled(each: types.Inferred, meant: dates.Dates, why: str) -> types.Inferred:
    first = "day" if dates.is_day_first(meant.formats) else "month"
    return replace(types.with_dates(each, meant), notes=(*each.notes, f"the {first} stands first: {why}"))


def _distinct(connection: Any, table: Table, name: str) -> list[str]:
    rows = connection.execute(
        f'SELECT "{name}" FROM "{table.name}" WHERE "{name}" IS NOT NULL GROUP BY 1 ORDER BY min(rowid) '
        f"LIMIT {MAX_VALUES}"
    ).fetchall()
    return [text for (text,) in rows]


def _in_order(connection: Any, table: Table, name: str) -> list[str]:
    rows = connection.execute(
        f'SELECT trim("{name}") FROM "{table.name}" WHERE "{name}" IS NOT NULL ORDER BY rowid LIMIT 10000'
    ).fetchall()
    return [text for (text,) in rows]


def _note_nulls(draft: Draft, nulls: frozenset[str], distinct: Mapping[str, Sequence[str]]) -> None:
    """``nulls`` were seen among numbers and dates; columns of text may have them as values."""
    also = []
    for name in draft.columns_of(("string",)):
        texts = {text.strip(" ") for text in distinct[name]} & types.NULL_TEXTS
        also += [name] if texts & nulls else []
        if draft.file.format != "parquet" and (other := sorted(texts - nulls)):
            means = "means" if len(other) == 1 else "mean"
            draft.note(f"columns.{name}", f"if {types.some(other)} {means} no value: add it to file: {{nulls: […]}}")
    if also:
        draft.note("file", f"the nulls mean no value in {', '.join(also)}, too")


def _apply(connection: Any, draft: Draft, nulls: frozenset[str], distinct: Mapping[str, Sequence[str]]) -> None:
    """The table as the source will be read: ``nulls`` and empty fields are NULL, spaces around values are gone, and
    dates are ISO 8601, so that one day is one text."""
    chosen, joins = [], ""
    for place, column in enumerate(draft.columns):
        name = f'rows."{column.name}"'
        trimmed = f"trim({name}, ' ')"
        value = name if column.type == "string" else f"nullif({trimmed}, '')"
        if draft.file.format == "csv" and column.type == "string":
            value = f"nullif({name}, '')"
        if column.type in ("date", "timestamp"):
            _map(connection, f"map{place}", column, distinct[column.name])
            value = f"coalesce(map{place}.value, {value})"
            joins += f" LEFT JOIN map{place} ON map{place}.text = {name}"
        if nulls:
            value = f"CASE WHEN list_contains($nulls, {trimmed}) THEN NULL ELSE {value} END"
        chosen.append(f'{value} AS "{column.name}"')
    connection.execute(
        # ruff: noqa: S608 - names are cleaned
        f'CREATE TABLE "{draft.table}_read" AS SELECT "{tables.FILE}", {", ".join(chosen)} '
        f'FROM "{draft.table}" AS rows{joins}',
        {"nulls": sorted(nulls)} if nulls else None,
    )
    draft.table = f"{draft.table}_read"


def _map(connection: Any, table: str, column: Column, texts: Sequence[str]) -> None:
    """Make ``table``: each text of a column of dates, and its value as ISO 8601."""
    read = values.reader(column)
    found = [read(text.strip(" ")) for text in texts]
    connection.execute(
        f'CREATE OR REPLACE TEMP TABLE "{table}" AS SELECT unnest($texts::VARCHAR[]) AS text, '
        "unnest($values::VARCHAR[]) AS value",
        {"texts": list(texts), "values": [value and value.isoformat() for value in found]},
    )


def _note_refusals(draft: Draft) -> None:
    """What ``land`` refuses, though DuckDB read it: a line break inside quotes, say."""
    for path in draft.files:
        how: landing_file.Check = "full" if path.stat().st_size <= _CHECKED_WHOLE else "ends"
        try:
            landing_file.check(path, draft.name, draft.spec, how, evolution="ignore" if draft.left_out else "fail")
        except UsageError as error:
            draft.note("", f"`lakectl land` refuses {error.message}")


def _note_empty(connection: Any, draft: Draft) -> None:
    """Which columns always have a value: a person may want to require them."""
    counts = ", ".join(f'count("{column.name}")' for column in draft.columns)
    row = connection.execute(f'SELECT {counts} FROM "{draft.table}"').fetchone()
    draft.filled = [c.name for c, count in zip(draft.columns, row, strict=True) if count == draft.rows]

"""A draft as YAML in the order in which a person reads it, with what was unsure as comments at the place."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence

from lakectl.ops.init.draft import Draft
from lakectl.spec.model import Column, FileFormat, Lookup

WIDTH = 120
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_TYPE = re.compile(r"[a-z]+(\([0-9]+,[0-9]+\))?")
# What YAML 1.1 reads as something else than text.
_NOT_TEXT = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])


def source(draft: Draft, indent: str = "  ") -> str:
    """The lines of one source below ``sources:``."""
    files = ", ".join(str(file) for file in draft.files[:3]) + (", …" if len(draft.files) > 3 else "")
    lines = _comments(indent, draft.notes.get("", []))
    lines += _line(f"{indent}{draft.name}:", [f"{files}: {draft.rows:,} rows"])
    inner = indent + indent
    lines += _file(draft, inner)
    if draft.loading != "upsert":
        lines += _line(f"{inner}loading: {draft.loading}", draft.notes.get("loading", []))
    if draft.keys:
        lines += _line(f"{inner}keys: {_list(map(scalar, draft.keys))}", draft.notes.get("keys", []))
    if draft.starts_run:
        lines += [f"{inner}starts_run: true"]
    lines += _line(f"{inner}columns:", _about_columns(draft))
    for column in draft.columns:
        text = f"{inner}{indent}{scalar(column.name)}: {_column(column, column.name in draft.stated_marks)}"
        lines += _line(text, draft.notes.get(f"columns.{column.name}", []))
    lines += _comments(inner, draft.notes.get("lookups", []))
    if draft.lookups:
        lines += [f"{inner}lookups:"]
        for lookup in draft.lookups:
            lines += _line(f"{inner}{indent}{_lookup(lookup)}", draft.notes.get(f"lookups.{lookup.name}", []))
    if draft.partition_by:
        fields = _list(map(str, draft.partition_by))
        lines += _line(f"{inner}partition_by: {fields}", draft.notes.get("partition_by", []))
    return "\n".join(lines) + "\n"


def scalar(text: str) -> str:
    """``text`` as YAML reads it back: in double quotes unless it is plain."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    return json.dumps(text, ensure_ascii=False)


def _file(draft: Draft, indent: str) -> list[str]:
    default, form = FileFormat(), draft.file
    options = {
        key: value
        for key in ("format", "delimiter", "quote", "encoding")
        if (value := getattr(form, key)) != getattr(default, key)
    }
    texts = [f"{key}: {scalar(value)}" for key, value in options.items()]
    if form.nulls:
        texts.append(f"nulls: {_list(map(scalar, form.nulls))}")
    notes = draft.notes.get("file", [])
    if texts:
        return _line(f"{indent}file: {{{', '.join(texts)}}}", notes)
    return _comments(indent, notes)


def _about_columns(draft: Draft) -> list[str]:
    notes = list(draft.notes.get("columns", []))
    facts = [name for name in draft.filled if name not in draft.keys]
    if facts:
        whole = len(facts) == len(draft.columns) - len(draft.keys)
        notes.append(f"never empty: {'all of them' if whole else ', '.join(facts)}")
    return notes


def _column(column: Column, state_mark: bool) -> str:
    options = []
    if column.header:
        options.append(f"header: {scalar(column.header)}")
    if len(column.formats) == 1:
        options.append(f"format: {_pattern(column.formats[0])}")
    elif column.formats:
        options.append(f"format: {_list(map(_pattern, column.formats))}")
    if column.decimal_mark != "." or state_mark:
        options.append(f"decimal_mark: {scalar(column.decimal_mark)}")
    if not options:
        return column.type
    # In { } a comma ends a value.
    kind = column.type if "," not in column.type else f'"{column.type}"'
    return f"{{type: {kind}, {', '.join(options)}}}"


def _pattern(pattern: str) -> str:
    return pattern if re.fullmatch(r"[A-Za-z][A-Za-z/.-]*( [A-Za-z/.-]+)*", pattern) else json.dumps(pattern)


def _lookup(lookup: Lookup) -> str:
    on = scalar(lookup.on[0]) if len(lookup.on) == 1 else _list(map(scalar, lookup.on))
    take = [scalar(their) if their == our else f"{{{scalar(their)}: {scalar(our)}}}" for their, our in lookup.take]
    return f"{lookup.name}: {{on: {on}, take: {_list(take)}, missing: {lookup.missing}}}"


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(texts)}]"


def _line(text: str, notes: Sequence[str]) -> list[str]:
    """The line with its notes: one behind it where there is room, else above it."""
    if len(notes) == 1 and len(text) + len(notes[0]) + 4 <= WIDTH:
        return [f"{text}  # {_one_line(notes[0])}"]
    return [*_comments(text[: len(text) - len(text.lstrip())], notes), text]


def _comments(indent: str, notes: Iterable[str]) -> list[str]:
    wrapper = textwrap.TextWrapper(WIDTH - len(indent) - 2, break_on_hyphens=False, break_long_words=False)
    return [f"{indent}# {line}" for note in notes for line in wrapper.wrap(_one_line(note))]


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else "�" for each in text)

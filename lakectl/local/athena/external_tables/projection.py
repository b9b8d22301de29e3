"""Partition projection: which partitions a table has, as its properties say.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
Partitions are not counted up: the files below the template's fixed part are listed once, and those stay whose path
gives values that the properties allow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import date_ranges
from lakectl.local.athena.external_tables.files import File, listed, unread
from lakectl.local.athena.external_tables.limits import Limits
from lakectl.local.athena.sqltypes import Type

_MARK = re.compile(r"\$\{([^}]*)\}")


def is_projected(parameters: Mapping[str, str]) -> bool:
    return parameters.get("projection.enabled", "").strip().lower() == "true"


class _Domain:
    """The values that one column may have. ``pattern``: of its text in a path."""

    pattern = "[^/]+?"

    def __init__(self, key: str, settings: Mapping[str, str], label: str) -> None:
        self.key, self._settings, self._label = key, settings, label

    def setting(self, name: str) -> str:
        found = self._settings.get(name)
        if found is None or not found.strip():
            raise _invalid(self._label, f"projection.{self.key}.{name} is missing")
        return found

    def holds(self, text: str) -> bool:
        raise NotImplementedError


class _Enum(_Domain):
    def __init__(self, key: str, settings: Mapping[str, str], label: str) -> None:
        super().__init__(key, settings, label)
        self._values = set(self.setting("values").split(","))
        self.pattern = "|".join(re.escape(value) for value in sorted(self._values, key=len, reverse=True))

    def holds(self, text: str) -> bool:
        return text in self._values


class _Integer(_Domain):
    pattern = r"-?\d+"

    def __init__(self, key: str, settings: Mapping[str, str], label: str) -> None:
        super().__init__(key, settings, label)
        low, comma, high = self.setting("range").partition(",")
        try:
            self._low, self._high = int(low), int(high)
            self._step = int(settings.get("interval", "1"))
            self._digits = int(settings.get("digits", "0"))
        except ValueError:
            raise _invalid(label, f"projection.{key} is no range of integers") from None
        if not comma or self._step < 1:
            raise _invalid(label, f"projection.{key} is no range of integers")

    def holds(self, text: str) -> bool:
        value = int(text)
        shown = f"{value:0{self._digits}d}"
        return shown == text and self._low <= value <= self._high and (value - self._low) % self._step == 0


class _Date(_Domain):
    def __init__(self, key: str, settings: Mapping[str, str], label: str) -> None:
        super().__init__(key, settings, label)
        try:
            self._range = date_ranges.parse(
                self.setting("format"), self.setting("range"), settings.get("interval"), settings.get("interval.unit")
            )
        except ValueError as error:
            raise _invalid(label, f"projection.{key}: {error}") from None
        self.pattern = self._range.pattern

    def holds(self, text: str) -> bool:
        return self._range.holds(text)


class _Injected(_Domain):
    def __init__(self, key: str, settings: Mapping[str, str], label: str, limits: Limits) -> None:
        super().__init__(key, settings, label)
        found = limits.points(key)
        if found is None:
            raise QueryError(
                "CONSTRAINT_VIOLATION",
                f"For the injected projected partition column {key}, the WHERE clause must contain only static "
                "equality conditions, and at least one such condition must be present.",
            )
        self._values = {str(value) for value in found}
        self.pattern = "|".join(re.escape(value) for value in sorted(self._values, key=len, reverse=True)) or "(?!)"

    def holds(self, text: str) -> bool:
        return text in self._values


def files(
    access: Access, root: str, keys: Mapping[str, Type], parameters: Mapping[str, str], limits: Limits, label: str
) -> dict[str, File]:
    """The files of the projected partitions that the query may need. Raises QueryError for wrong properties."""
    domains = {key: _domain(key, parameters, limits, label) for key in keys}
    template = parameters.get("storage.location.template") or root + "".join(f"{key}=${{{key}}}/" for key in keys)
    pieces = _MARK.split(template.rstrip("/") + "/")
    fixed = pieces[0]
    if not fixed.startswith("s3://") or "/" not in fixed.removeprefix("s3://"):
        raise unread(label, f"storage.location.template {template} has a column in the name of the bucket")
    shape, seen = re.escape(fixed), set()
    for key, text in zip(pieces[1::2], pieces[2::2], strict=True):
        if key not in domains:
            raise _invalid(label, f"storage.location.template names {key}, which is no partition column")
        shape += f"(?P={_group(keys, key)})" if key in seen else f"(?P<{_group(keys, key)}>{domains[key].pattern})"
        seen.add(key)
        shape += re.escape(text)
    missing = next((key for key in keys if key not in seen), None)
    if missing:
        raise _invalid(label, f"storage.location.template does not name the partition column {missing}")
    matcher = re.compile(shape)
    found = {}
    for path, etag, size in listed(access, fixed):
        match = matcher.match(path)
        if match is None:
            continue
        values = tuple(match[_group(keys, key)] for key in keys)
        if all(domains[key].holds(value) for key, value in zip(keys, values, strict=True)) and limits.hold(
            keys, values
        ):
            found[path] = File(etag, size, values)
    return found


def _group(keys: Mapping[str, Any], key: str) -> str:
    return f"k{list(keys).index(key)}"


def _domain(key: str, parameters: Mapping[str, str], limits: Limits, label: str) -> _Domain:
    start = f"projection.{key}."
    settings = {name.removeprefix(start): value for name, value in parameters.items() if name.startswith(start)}
    kind = settings.get("type", "").strip().lower()
    if kind == "injected":
        return _Injected(key, settings, label, limits)
    kinds: dict[str, type[_Domain]] = {"enum": _Enum, "integer": _Integer, "date": _Date}
    if kind not in kinds:
        raise _invalid(label, f"projection.{key}.type is {kind or 'missing'}: enum, integer, date or injected")
    return kinds[kind](key, settings, label)


def _invalid(label: str, why: str) -> QueryError:
    return QueryError("INVALID_TABLE_PROPERTY", f"Table {label} has an invalid partition projection: {why}")

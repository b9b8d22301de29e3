"""An external table as one query sees it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

import pyarrow as pa
from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import hivetypes, limits, partitions, text_values
from lakectl.local.athena.external_tables.avro import Avro
from lakectl.local.athena.external_tables.files import PATH, File, Landed, quoted, sql_text, unread
from lakectl.local.athena.external_tables.hivejson import HiveJson
from lakectl.local.athena.external_tables.lazysimple import LazySimple
from lakectl.local.athena.external_tables.opencsv import OpenCsv
from lakectl.local.athena.external_tables.openx import OpenX
from lakectl.local.athena.external_tables.orc import Orc
from lakectl.local.athena.external_tables.parquet import Parquet
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type


class Reader(Protocol):
    """A SerDe's way to read files."""

    def scan(self, session: Session, name: str, landed: Landed) -> str:
        """DuckDB SQL that stands in FROM: the fields of ``landed``, then ``$path``. ``name`` is free to register."""


READERS: dict[str, Any] = {kind.LIBRARY: kind for kind in (Avro, HiveJson, LazySimple, OpenCsv, OpenX, Orc, Parquet)}
READERS["org.apache.hadoop.hive.serde2.JsonSerDe"] = HiveJson
_OF_WRITING = ("serialization.format",)
_CASES = 200  # files, whose partition stands in the SQL; that of more in a table of their own


class ExternalSource:
    """See ``tables.Source``. Raises QueryError for a table that the local Athena can't read."""

    hidden = frozenset((PATH,))

    def __init__(self, entry: Mapping[str, Any], access: Access, label: str) -> None:
        self.label, self._entry, self._access = label, entry, access
        storage, parameters = entry.get("StorageDescriptor", {}), entry.get("Parameters", {})
        serde = storage.get("SerdeInfo", {})
        library = serde.get("SerializationLibrary", "")
        kind = READERS.get(library)
        if kind is None:
            raise unread(label, f"its SerDe is {library or 'not set'}")
        self._fields = typed(storage.get("Columns", []), label)
        self._keys = typed(entry.get("PartitionKeys", []), label)
        settings = {name: value for name, value in serde.get("Parameters", {}).items() if name not in _OF_WRITING}
        wrong = kind.refusal(self._fields, settings)
        if wrong:
            raise unread(label, wrong)
        self._reader: Reader = kind(self._fields, settings, parameters)
        self._limits = limits.Limits()

    @cached_property
    def columns(self) -> dict[str, str]:
        return {name: str(kind) for name, kind in {**self._fields, **self._keys, PATH: sqltypes.VARCHAR}.items()}

    def narrow(self, tree: exp.Expr, stand_in: str) -> None:
        """Take note of what an analyzed query asks of the partitions."""
        self._limits = limits.of(tree, stand_in)

    def relation(self, session: Session, name: str) -> str:
        found = partitions.files(self._access, self._entry, self._keys, self._limits, self.label)
        if not found:
            session.register(name, self._empty())
            return f'"{name}"'
        scan = self._reader.scan(session, name, Landed(self.label, self._access, self._fields, found))
        if not self._keys:
            return scan
        fields = ", ".join(f"s.{quoted(field)}" for field in (*self._fields, PATH))
        if len(found) <= _CASES:
            parts = [
                self._case(at, kind, found) + f" AS {quoted(key)}" for at, (key, kind) in enumerate(self._keys.items())
            ]
            return f"(SELECT {fields}, {', '.join(parts)} FROM {scan} AS s)"  # noqa: S608
        own = f"{name} keys"
        session.register(own, self._values(found))
        keys = ", ".join(
            f"CAST(k.k{at} AS {kind.physical}) AS {quoted(key)}" for at, (key, kind) in enumerate(self._keys.items())
        )
        return f'(SELECT {fields}, {keys} FROM {scan} AS s JOIN "{own}" AS k ON s.{quoted(PATH)} = k.path)'  # noqa: S608

    def _case(self, at: int, kind: Type, found: Mapping[str, File]) -> str:
        values: dict[str | None, list[str]] = {}
        for path, file in found.items():
            values.setdefault(file.values[at], []).append(path)
        whens = []
        for text, paths in values.items():
            if text is not None:
                value = f"CAST({sql_text(self._checked(at, text))} AS {kind.physical})"
                whens.append(f"WHEN s.{quoted(PATH)} IN ({', '.join(map(sql_text, paths))}) THEN {value}")
        if not whens:
            return f"CAST(NULL AS {kind.physical})"
        return f"CASE {' '.join(whens)} END"

    def _checked(self, at: int, text: str) -> str:
        key, kind = list(self._keys.items())[at]
        return checked(key, kind, text)

    def _values(self, found: Mapping[str, File]) -> pa.Table:
        columns: dict[str, list[str | None]] = {"path": list(found)}
        for at in range(len(self._keys)):
            texts = (file.values[at] for file in found.values())
            columns[f"k{at}"] = [None if text is None else self._checked(at, text) for text in texts]
        return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})

    def _empty(self) -> pa.Table:
        kinds = {**self._fields, **self._keys, PATH: sqltypes.VARCHAR}
        return pa.schema([(name, hivetypes.arrow(kind)) for name, kind in kinds.items()]).empty_table()


def checked(key: str, kind: Type, text: str) -> str:
    """A partition's value as DuckDB casts it. Raises QueryError for one that its column can't hold."""
    value = text_values.reader(kind)(text)
    if value is None:
        raise QueryError(
            "HIVE_INVALID_PARTITION_VALUE", f"Invalid partition value '{text}' for {kind} partition key: {key}"
        )
    return str(value)


def typed(columns: list[dict[str, Any]], label: str) -> dict[str, Type]:
    """Columns of a Glue entry. Raises QueryError for a type that is not known."""
    found = {}
    for column in columns:
        name, text = column["Name"].lower(), column.get("Type", "string")
        try:
            found[name] = hivetypes.parse(text)
        except ValueError as error:
            raise unread(label, f"column {name}: {error}") from None
    return found

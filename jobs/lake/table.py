"""A silver table: how it is made, brought to the specification, read, and written as a whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.iceberg import (
    CommitConflict,
    columns_of,
    find,
    load,
    lost_commit,
    partitioned_by,
    persistently,
    snapshot_id,
)
from lake.names import quoted, spark_type
from lakectl.core.columns import LINEAGE
from lakectl.core.values import decimal_of
from lakectl.spec.model import LakeSpec, PartitionField

# Names of columns, with commas between, that files brought and the specification does not name.
ADDED = "lakectl.added-columns"
# What can't change while rows are there.
KEYS, LOADING = "lakectl.keys", "lakectl.loading"
FORMAT = 2  # Athena reads no other ("Query Apache Iceberg tables", Athena user guide)
_SQL_TRANSFORMS = {"year": "years", "month": "months", "day": "days", "hour": "hours"}
# copy-on-write: a landing mostly adds rows, and the delta keeps unchanged ones out of the MERGE, so few files are
# rewritten; in return every engine reads plain Parquet, without delete files. hash: the rows of a partition meet in one
# task, so a day gets one file and not one for each task.
_PROPERTIES = {
    "format-version": str(FORMAT),
    "write.merge.mode": "copy-on-write",
    "write.distribution-mode": "hash",
    "write.merge.distribution-mode": "hash",
    "write.parquet.compression-codec": "zstd",
}
_ICEBERG_TYPES = {"bigint": "long"}


class SpecificationChanged(RuntimeError):
    """The table can't become what the specification says while its rows stay."""


class Table:
    """``glue_catalog.<database>.<source>_silver``. ``added``: columns, as text, that files have beside the
    specification's."""

    def __init__(
        self, spark: SparkSession, database: str, spec: LakeSpec, source: str, added: tuple[str, ...] = ()
    ) -> None:
        self.spark = spark
        self.source = spec.sources[source]
        self.added = added
        self._spec = spec
        self.name = f"glue_catalog.{database}.{self.source.silver_table}"

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column -> type that the table is to have, in order. Added ones come last, as ALTER TABLE puts them."""
        named = self._spec.silver_columns(self.source.name)
        return {**named, **{name: "string" for name in self.added if name not in named}}

    @cached_property
    def content(self) -> tuple[str, ...]:
        """What makes two rows of one key the same row."""
        return tuple(name for name in self.columns if name not in self.source.keys and name not in LINEAGE)

    # ---- reading

    def find(self) -> Any | None:
        """The table in Iceberg's API; None while it is not there."""
        return find(self.spark, self.name)

    def load(self) -> Any:
        return load(self.spark, self.name)

    def snapshot(self) -> str:
        """The current one, ``""`` without any."""
        loaded = self.find()
        return snapshot_id(loaded) if loaded else ""

    def rows(self, snapshot: str = "") -> DataFrame:
        """All rows, now or at a snapshot, with the columns that they had then."""
        if snapshot:
            return self.spark.sql(f"SELECT * FROM {self.name} VERSION AS OF {snapshot}")  # noqa: S608
        return self.spark.table(self.name)

    def size_bytes(self) -> int:
        """Of all data files, as the current snapshot's summary has it."""
        return summary_number(self.find(), "total-files-size")

    # ---- making and changing it

    def ensure(self, say: Callable[[str], None], *, full: bool = False) -> list[str]:
        """Create the table, or bring it to the specification; returns the columns that it was given because it lacked
        them.

        With ``full`` a table that can't become what the specification says is emptied; its snapshots stay. Raises
        SpecificationChanged without.
        """
        return persistently(self.name, lambda: self._ensure(say, full), say)

    def _ensure(self, say: Callable[[str], None], full: bool) -> list[str]:
        loaded = self.find()
        if loaded is None:
            self.spark.sql(self._definition("CREATE TABLE IF NOT EXISTS"))
            return list(self.added)
        self._refuse_other_format(loaded)
        problems = self.problems(loaded)
        if problems and not full:
            raise SpecificationChanged(
                f"{self.name.partition('.')[2]}: {'; '.join(problems)}. Build it again: lakectl run-transform --full"
            )
        if problems:
            say(f"{self.source.silver_table} is built again: {'; '.join(problems)}")
            self.spark.sql(self._definition("REPLACE TABLE"))
            return []
        try:
            return self._evolve(loaded, say)
        except Py4JJavaError as error:
            lost = lost_commit(error)
            if lost:
                raise CommitConflict(lost) from error
            raise

    def _refuse_other_format(self, loaded: Any) -> None:
        """Raise SpecificationChanged for a table that somebody has upgraded: Iceberg takes no upgrade back."""
        version = int(loaded.operations().current().formatVersion())
        if version == FORMAT:
            return
        _, database, table = self.name.split(".")
        raise SpecificationChanged(
            f"{database}.{table} has Iceberg's format version {version}, and Athena reads {FORMAT}. Delete it and "
            f"build it again: aws glue delete-table --database-name {database} --name {table}; "
            "lakectl run-transform --full"
        )

    def problems(self, loaded: Any) -> list[str]:
        """What of the table can't become what the specification says."""
        found = []
        properties = dict(loaded.properties())
        for name, now in ((KEYS, ",".join(self.source.keys)), (LOADING, self.source.loading)):
            was = properties.get(name, now)
            if was != now:
                found.append(f"{name.partition('.')[2]} was {was or 'none'} and is {now or 'none'}")
        have = {column.name: column.type for column in columns_of(self.spark, loaded).values()}
        for name, kind in self.columns.items():
            if name in have and have[name] != _iceberg(kind) and not _widens(have[name], _iceberg(kind)):
                found.append(f"{name} is {have[name]} there and {_iceberg(kind)} in the specification")
        return found

    def _evolve(self, loaded: Any, say: Callable[[str], None]) -> list[str]:
        """One commit for all columns, and one each for partitioning and properties, where something differs."""
        columns = {column.name: column for column in columns_of(self.spark, loaded).values()}
        types = self.spark._jvm.org.apache.iceberg.types.Types
        missing = [name for name in self.columns if name not in columns]
        there = {name: kind for name, kind in self.columns.items() if name in columns}
        wider = [name for name, kind in there.items() if columns[name].type != _iceberg(kind)]
        docs = {name: text for name, text in self._docs.items() if name in columns and columns[name].doc != text}
        if missing or wider or docs:
            update = loaded.updateSchema()
            for name in missing:
                kind = types.fromPrimitiveString(_iceberg(self.columns[name]))
                update = update.addColumn(name, kind, self._docs.get(name) or None)
            for name in wider:
                update = update.updateColumn(name, types.fromPrimitiveString(_iceberg(self.columns[name])))
            for name, text in docs.items():
                update = update.updateColumnDoc(name, text or None)
            update.commit()
            for name in wider:
                say(f"{self.source.silver_table}.{name} is {self.columns[name]} now")
        self._partition(loaded, say)
        wanted = self._own_properties
        properties = dict(loaded.properties())
        if any(properties.get(name, "") != value for name, value in wanted.items()):
            change = loaded.updateProperties()
            for name, value in wanted.items():
                change = change.set(name, value)
            change.commit()
        return missing

    def _partition(self, loaded: Any, say: Callable[[str], None]) -> None:
        have = partitioned_by(self.spark, loaded)
        wanted = {(field.column, _transform(field)): field for field in self.source.partition_by}
        if have.keys() == wanted.keys():
            return
        expressions = self.spark._jvm.org.apache.iceberg.expressions.Expressions
        update = loaded.updateSpec()
        for place, name in have.items():
            if place not in wanted:
                update = update.removeField(name)
        for place, field in wanted.items():
            if place not in have:
                arguments = (field.column,) if field.argument is None else (field.column, field.argument)
                term = "ref" if field.transform == "identity" else field.transform
                update = update.addField(getattr(expressions, term)(*arguments))
        update.commit()
        shown = ", ".join(map(str, self.source.partition_by)) or "nothing"
        say(f"{self.source.silver_table} is partitioned by {shown} from now on")

    @cached_property
    def _docs(self) -> dict[str, str]:
        """Column -> what the specification says of it."""
        own = {column.name: column.description for column in self.source.columns}
        return own | {derived.name: derived.description for derived in self.source.derive}

    @property
    def _own_properties(self) -> dict[str, str]:
        return {
            KEYS: ",".join(self.source.keys),
            LOADING: self.source.loading,
            ADDED: ",".join(self.added),
            "comment": self.source.description,
        }

    def _definition(self, verb: str) -> str:
        columns = ", ".join(
            f"`{name}` {spark_type(kind)}" + (f" COMMENT '{quoted(text)}'" if (text := self._docs.get(name)) else "")
            for name, kind in self.columns.items()
        )
        by = ", ".join(map(_sql_transform, self.source.partition_by))
        properties = {**_PROPERTIES, **self._own_properties}
        comment = properties.pop("comment")
        listed = ", ".join(f"'{name}'='{quoted(value)}'" for name, value in properties.items())
        return (
            f"{verb} {self.name} ({columns}) USING iceberg "
            + (f"PARTITIONED BY ({by}) " if by else "")
            + (f"COMMENT '{quoted(comment)}' " if comment else "")
            + f"TBLPROPERTIES ({listed})"
        )

    # ---- writing

    def overwrite(
        self, rows: DataFrame, before: str, mark: dict[str, str] | None = None, *, where: Column | None = None
    ) -> None:
        """Replace all rows, or those ``where`` this holds, in one commit. Raises CommitConflict when anybody has added
        such rows since the snapshot ``before`` (``""``: ever)."""
        writer = rows.writeTo(self.name).option("isolation-level", "serializable")
        if before:
            writer = writer.option("validate-from-snapshot-id", before)
        for name, value in (mark or {}).items():
            writer = writer.option(f"snapshot-property.{name}", value)
        try:
            writer.overwrite(F.lit(True) if where is None else where)
        except Exception as error:
            lost = lost_commit(error)
            if lost:
                raise CommitConflict(lost) from error
            raise


def summary_number(loaded: Any | None, name: str) -> int:
    """A number of the current snapshot's summary, 0 without one."""
    snapshot = loaded.currentSnapshot() if loaded else None
    return int(snapshot.summary().get(name) or 0) if snapshot else 0


def _iceberg(kind: str) -> str:
    return _ICEBERG_TYPES.get(kind, kind)


def _widens(old: str, new: str) -> bool:
    """What Iceberg can change in place (specification of Iceberg, "Schema Evolution")."""
    before, after = decimal_of(old), decimal_of(new)
    if before and after:
        return before[1] == after[1] and before[0] < after[0]
    return (old, new) == ("int", "long")


def _transform(field: PartitionField) -> str:
    """As Iceberg writes it."""
    return field.transform if field.argument is None else f"{field.transform}[{field.argument}]"


def _sql_transform(field: PartitionField) -> str:
    if field.transform == "identity":
        return f"`{field.column}`"
    number = "" if field.argument is None else f"{field.argument}, "
    return f"{_SQL_TRANSFORMS.get(field.transform, field.transform)}({number}`{field.column}`)"

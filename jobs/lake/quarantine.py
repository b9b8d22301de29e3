"""Quarantined rows: they go to ``<source>_rejected``, once, and the rest of their landing goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.enrich import Enrichment
from lake.iceberg import commit, find, persistently
from lake.landings import Item
from lake.merging import Merge, merge
from lake.names import CONTENT, CORRUPT, FLAGS, LANDING_NO, RAW, REASON, WARNED, quoted, spark_type
from lake.policies import FAIL, QUARANTINE, WARN, Checks
from lake.reading import Rows
from lake.work import Work
from lakectl.core.columns import REJECTED, RESERVED_PREFIX, ROW_VERSION
from lakectl.spec.model import SourceSpec

# A row of a landing: whichever run sets it aside, it is in the table once.
IDENTITY = ("_lake_file", "_lake_version", "_lake_row_hash")
_NAMED = 10
_CLASH, _KNOWN, _THERE, _NEWEST, _ASIDE = (
    RESERVED_PREFIX + name for name in ("clash", "known", "there", "newest", "aside")
)
Step = Callable[[DataFrame], DataFrame]


class Split:
    """A source's accepted landings: ``kept`` typed rows, ``aside`` raw rows with a REASON."""

    def __init__(self, checks: Checks, rows: Rows, items: list[Item]) -> None:
        self.checks = checks
        self.items = items
        self.kept = rows.typed
        self.aside: list[DataFrame] = []
        self._rows = rows
        self._steps: list[Step] = []

    @property
    def source(self) -> SourceSpec:
        return self.checks.source

    @property
    def raw(self) -> DataFrame:
        """What the kept rows were read from, for landings with quarantined rows. Few runs ask for it."""
        return self._raw([item for item in self._rows.items if item.set_aside])

    def _raw(self, items: list[Item]) -> DataFrame:
        return reduce(lambda rows, step: step(rows), self._steps, self._rows.raw(items))

    def with_texts(self) -> None:
        """Read the kept rows once more, with the texts that they were read from."""
        self.kept = self._raw(self.items)

    def keep(self, step: Step) -> None:
        """Only the rows that ``step`` leaves of those kept."""
        self.kept = step(self.kept)
        self._steps.append(step)

    def only(self, items: list[Item]) -> None:
        """Only the rows of these landings; others were refused since, or are older."""
        self.items = items
        wanted = {item.number for item in items}
        others = [item.number for item in self._rows.items if item.number not in wanted]
        if not others:
            return
        # Each number is a call of the JVM.
        number = F.col(LANDING_NO)
        ours = ~number.isin(others) if len(others) < len(wanted) else number.isin(sorted(wanted))
        self.keep(lambda rows: rows.where(ours))
        self.aside = [frame.where(ours) for frame in self.aside]


def split(rows: Rows, checks: Checks, accepted: Iterable[Item]) -> Split:
    """Costs nothing when nothing is quarantined."""
    items = [item for item in accepted if item.landing.source == checks.source.name]
    parts = Split(checks, rows, items)
    parts.only(items)
    if not any(item.set_aside for item in items):
        return parts
    bits = checks.mask(QUARANTINE)
    failed = F.col(FLAGS).bitwiseAND(F.lit(bits)) != 0
    names = [
        F.when(F.col(FLAGS).bitwiseAND(F.lit(bit)) != 0, check) for check, bit in checks.bits.items() if bit & bits
    ]
    if names:
        parts.aside.append(parts.raw.where(failed).withColumn(REASON, F.concat_ws(", ", *names)))
        parts.keep(lambda rows: rows.where(~failed))
    if any(item.clashing for item in items):
        by = [LANDING_NO, *checks.source.keys]
        clash = parts.kept.groupBy(*by).agg((F.min(CONTENT) != F.max(CONTENT)).alias(_CLASH))
        clash = clash.where(_CLASH).select(*by)
        parts.aside.append(parts.raw.join(clash, by, "left_semi").withColumn(REASON, F.lit("duplicate_keys")))
        parts.keep(lambda rows: rows.join(clash, by, "left_anti"))
    return parts


def check_late(work: Work, parts: Split, enrichment: Enrichment) -> dict[str, int]:
    """Apply ``fail`` and ``quarantine`` of the lookups and checks that see other tables: rows for each check.

    A refused landing gets its problem. (``warn`` costs no pass of its own: the delta counts them.) Of landings that
    are read once more, rows that silver has, or has something newer for, are not judged again: what they looked up may
    be gone by now.
    """
    failing = enrichment.failing(FAIL, QUARANTINE)
    if not failing:
        return {}
    late = _Late(work, parts, enrichment)
    if not parts.source.keys and any(not item.claimed for item in parts.items):
        parts.with_texts()
    rows = late.judged(parts.kept)
    failing = {check: test & ~F.col(_KNOWN) for check, test in failing.items()}
    counts = [F.sum(test.cast("int")).alias(f"count_{place}") for place, test in enumerate(failing.values())]
    values = [
        F.slice(F.array_sort(F.collect_set(F.when(test, told(enrichment, check)))), 1, _NAMED).alias(f"values_{place}")
        for place, (check, test) in enumerate(failing.items())
    ]
    numbered = {item.number: item for item in parts.items}
    aside = F.sum(late.set_aside.cast("int")).alias("aside")
    found: dict[str, int] = {}
    any_aside = False
    for row in rows.groupBy(LANDING_NO).agg(*counts, *values, aside).collect():
        item = numbered[row[LANDING_NO]]
        for place, check in enumerate(failing):
            count = row[f"count_{place}"]
            if not count:
                continue
            found[check] = found.get(check, 0) + count
            if parts.checks.policies[check] == FAIL:
                item.problems.append(problem(enrichment, check, count, row[f"values_{place}"]))
        item.set_aside = 0 if item.problems else item.set_aside + row["aside"]
        any_aside = any_aside or bool(row["aside"] and not item.problems)
    if any_aside:
        names = [F.when(test, check) for check, test in enrichment.failing(QUARANTINE).items()]
        raw = late.judged(parts.raw).where(late.set_aside)
        parts.aside.append(raw.withColumn(REASON, F.concat_ws(", ", *names)))
        parts.keep(lambda rows: late.judged(rows).where(~late.set_aside).select(*rows.columns))
    return found


class _Late:
    """What a source's rows look like to the checks that see other tables."""

    def __init__(self, work: Work, parts: Split, enrichment: Enrichment) -> None:
        self._work = work
        self._enrichment = enrichment
        self._again = [item.number for item in parts.items if not item.claimed]
        quarantined = reduce(Column.__or__, enrichment.failing(QUARANTINE).values(), F.lit(False))
        self.set_aside = quarantined & ~F.col(_KNOWN)

    def judged(self, rows: DataFrame) -> DataFrame:
        """Enriched ``rows`` with KNOWN: whether they are read once more and silver has them."""
        rows = self._enrichment.apply(rows)
        if not self._again:
            return rows.withColumn(_KNOWN, F.lit(False))
        rows = self._by_key(rows) if self._enrichment.source.keys else self._by_text(rows)
        again = F.col(LANDING_NO).isin(self._again)
        return rows.withColumn(_KNOWN, F.coalesce(F.col(_KNOWN) & again, F.lit(False)))

    def _by_key(self, rows: DataFrame) -> DataFrame:
        """Silver has the row, or a newer one of its key."""
        keys, version = self._enrichment.source.keys, ("_lake_file", "_lake_version")
        there = self._silver().select(*keys, F.struct(*version).alias(_THERE), F.struct(*ROW_VERSION).alias(_NEWEST))
        is_same, is_newer = F.col(_THERE) == F.struct(*version), F.col(_NEWEST) >= F.struct(*ROW_VERSION)
        return rows.join(there, list(keys), "left").withColumn(_KNOWN, is_same | is_newer)

    def _by_text(self, rows: DataFrame) -> DataFrame:
        """Silver has rows of the landing, and this one was not quarantined: no key tells them apart."""
        there = self._silver().select("_lake_file", "_lake_version").distinct().withColumn(_THERE, F.lit(True))
        rows = rows.join(there, ["_lake_file", "_lake_version"], "left")
        table = rejected_table(self._work, self._enrichment.source)
        if find(self._work.spark, table) is None:
            return rows.withColumn(_KNOWN, F.col(_THERE))
        aside = self._work.spark.table(table).select(*IDENTITY).withColumn(_ASIDE, F.lit(True))
        rows = rows.withColumn("_lake_row_hash", row_hash(self._enrichment.source))
        return rows.join(aside, list(IDENTITY), "left").withColumn(_KNOWN, F.col(_THERE) & F.col(_ASIDE).isNull())

    def _silver(self) -> DataFrame:
        return self._work.table(self._enrichment.source.name).rows()


def told(enrichment: Enrichment, check: str) -> Column:
    """What names a row that fails the check: the reference that is missing, or the key."""
    source = enrichment.source
    lookup = next((each for each in source.lookups if f"lookups.{each.name}" == check), None)
    columns = lookup.on if lookup else source.keys
    return F.concat_ws("/", *(F.col(name).cast("string") for name in columns))


def problem(enrichment: Enrichment, check: str, count: int, values: list[str]) -> str:
    source, shown = enrichment.source, ", ".join(values)
    lookup = next((each for each in source.lookups if f"lookups.{each.name}" == check), None)
    if lookup:
        return f"{count} rows with a {', '.join(lookup.on)} that {lookup.source} does not have: {shown}"
    own = next(each for each in source.checks if each.name == check)
    named = f": {', '.join(source.keys)} {shown}" if source.keys else ""
    return f"{count} rows fail {check}, expected {own.sql.text}{named}"


def store(work: Work, parts: Split) -> None:
    """Commit quarantined rows to ``<source>_rejected``; nothing when they are all there already."""
    if not parts.aside:
        return
    spark, source = work.spark, parts.source
    table, columns, rejected = rejected_table(work, source), _columns(source), rejected_rows(work, parts)
    assert rejected is not None  # noqa: S101 - something was quarantined
    # To compare and to write them; they are few, and reading them from the landings again is long.
    rejected = rejected.persist(StorageLevel.DISK_ONLY)
    _ensure(work, table, source, columns)

    def attempt() -> None:
        fresh = rejected.join(spark.table(table).select(*IDENTITY), list(IDENTITY), "left_anti")
        if fresh.isEmpty():
            return
        have = spark.table(table).columns
        more = [F.lit(None).cast("string").alias(name) for name in have if name not in columns]
        add(spark, table, fresh.select(*columns, *more))

    persistently(table, attempt, work.say)
    rejected.unpersist()


def add(spark: SparkSession, table: str, rows: DataFrame) -> None:
    """Commit those ``rows`` that the table of rejected rows does not have. Raises CommitConflict."""
    # Not insert-only: two of those by racing runs would both succeed (apache/iceberg#12653). Who quarantined
    # a row first stays its run, so a row that is there already is matched and stays as it is.
    merge(spark, table, rows, Merge(on=same_row, matched="keep", keep="_lake_run", insert=""))


def same_row(old: str) -> str:
    """Whether a row of a table of rejected rows is the new one, in SQL."""
    return " AND ".join(f"{old}.{name} = new.{name}" for name in IDENTITY)


def rejected_table(work: Work, source: SourceSpec) -> str:
    return f"glue_catalog.{work.arguments.silver_db}.{source.rejected_table}"


def _columns(source: SourceSpec) -> dict[str, str]:
    return {**{column.name: "string" for column in source.columns}, **REJECTED}


def rejected_rows(work: Work, parts: Split) -> DataFrame | None:
    """Quarantined rows, as the table of rejected rows has them; None for nothing."""
    columns = _columns(parts.source)
    frames = [_shaped(aside, parts.source, columns, work.arguments.run_id) for aside in parts.aside]
    return reduce(DataFrame.unionByName, frames) if frames else None


def _ensure(work: Work, table: str, source: SourceSpec, columns: dict[str, str]) -> None:
    """Create the table, or give it the columns that it lacks."""
    listed = ", ".join(f"`{name}` {spark_type(kind)}" for name, kind in columns.items())
    loaded = find(work.spark, table)
    if loaded is None:
        work.spark.sql(
            f"CREATE TABLE IF NOT EXISTS {table} ({listed}) USING iceberg "
            f"COMMENT '{quoted(f'Rows of {source.name} that were not loaded, and why')}' "
            "TBLPROPERTIES ('format-version'='2')"
        )
        return
    have = {column.name() for column in loaded.schema().columns()}
    missing = {name: kind for name, kind in columns.items() if name not in have}
    if missing:
        added = ", ".join(f"`{name}` {spark_type(kind)}" for name, kind in missing.items())
        persistently(table, lambda: commit(work.spark, f"ALTER TABLE {table} ADD COLUMNS ({added})"), work.say)


def _shaped(aside: DataFrame, source: SourceSpec, columns: dict[str, str], run_id: str) -> DataFrame:
    names = [column.name for column in source.columns]
    lineage = ("_lake_ingest_date", "_lake_batch", "_lake_landed_at")
    ready = aside.select(
        # What looks like the fields of a broken row is no one's.
        *(F.when(F.col(CORRUPT).isNull(), F.col(RAW + name)).alias(name) for name in names),
        F.col(REASON).alias("_lake_reasons"),
        F.col(CORRUPT).alias("_lake_line"),
        row_hash(source).alias("_lake_row_hash"),
        "_lake_file",
        "_lake_version",
        *lineage,
    )
    once = ready.groupBy(*IDENTITY).agg(
        F.count("*").alias("_lake_occurrences"),
        *(F.first(name).alias(name) for name in (*names, "_lake_reasons", "_lake_line", *lineage)),
    )
    complete = once.withColumn("_lake_run", F.lit(run_id)).withColumn("_lake_rejected_at", F.current_timestamp())
    return complete.select(*(F.col(name).cast(spark_type(kind)).alias(name) for name, kind in columns.items()))


def row_hash(source: SourceSpec) -> Column:
    """What identifies a row of a landing: its texts, or its line where it can't be cut into fields."""
    texts = F.to_json(F.struct(*(F.col(RAW + column.name).alias(column.name) for column in source.columns)))
    return F.sha2(F.coalesce(F.col(CORRUPT), texts), 256)


def with_warning(rows: DataFrame, checks: Checks) -> DataFrame:
    """``rows`` with WARNED: True when the checks have counted the row among the warned ones."""
    return rows.withColumn(WARNED, F.col(FLAGS).bitwiseAND(F.lit(checks.mask(WARN))) != 0)

"""What the job asks Iceberg itself."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from unittest.mock import Mock

import pytest
from whole_job import JobLake

from lakectl import glue_versions
from lakectl.config import Config
from lakectl.ops.tables import maintain


def test_files_that_can_have_a_key_are_found_by_their_statistics_whatever_its_type(job_lake: JobLake) -> None:
    from lake.iceberg import bytes_between, find

    spark, table = job_lake.spark, f"glue_catalog.{job_lake.database}.keys"
    assert find(spark, table) is None
    assert find(spark, "glue_catalog.no_such_database.keys") is None
    columns = "id BIGINT, number INT, name STRING, day DATE, at TIMESTAMP_NTZ, fare DECIMAL(10,2)"
    spark.sql(f"CREATE TABLE {table} ({columns}) USING iceberg")
    assert not bytes_between(spark, find(spark, table), "id", 1, 2)
    first = "(10, 10, 'k', DATE '2026-11-10', TIMESTAMP_NTZ '2026-11-10 12:00:00', 1.50)"
    second = "(5000000000, 20, 't', DATE '2026-11-20', TIMESTAMP_NTZ '2026-11-20 12:00:00.5', 2.50)"
    spark.sql(f"INSERT INTO {table} VALUES {first}, {second}")
    loaded = find(spark, table)
    may_have = [
        ("id", 20, 30), ("id", 5_000_000_000, 6_000_000_000), ("number", 1, 10), ("name", "a", "l"),
        ("day", date(2026, 11, 20), date(2026, 12, 1)), ("at", datetime(2026, 11, 20), datetime(2026, 11, 20, 23)),
        ("fare", Decimal("1.50"), Decimal("2")),
    ]  # fmt: skip
    cannot = [
        ("id", 1, 9), ("id", 5_000_000_001, 5_000_000_002), ("number", 21, 30), ("name", "u", "z"),
        ("day", date(2026, 1, 1), date(2026, 11, 9)), ("at", datetime(2026, 11, 20, 13), datetime(2026, 11, 21)),
        ("fare", Decimal("2.51"), Decimal("3")),
    ]  # fmt: skip
    assert [bytes_between(spark, loaded, *asked) > 0 for asked in may_have] == [True] * len(may_have)
    assert [bytes_between(spark, loaded, *asked) for asked in cannot] == [0] * len(cannot)
    assert bytes_between(spark, loaded, "name", None, None) == 0  # no order has a key
    spark.sql(f"INSERT INTO {table} VALUES {first}")
    one, both = (bytes_between(spark, find(spark, table), "id", 10, 10, most) for most in (0, 10**6))
    files = [row[0] for row in spark.sql(f"SELECT file_size_in_bytes FROM {table}.files").collect()]
    assert one in files
    assert both == sum(files)


@pytest.mark.parametrize(
    "text",
    [
        "org.apache.iceberg.exceptions.ValidationException: Found conflicting files that can contain records",
        "java.lang.IllegalStateException: Runtime file filtering is not possible: the table has been concurrently "
        "modified. Row-level operation scan snapshot ID: null, current table snapshot ID: 610490471744173499.",
    ],
)
def test_whatever_iceberg_says_of_a_commit_of_somebody_else_is_a_conflict(text: str) -> None:
    from lake.iceberg import CommitConflict, commit

    spark = Mock()
    spark.sql.side_effect = RuntimeError(f"An error occurred while calling o1.sql.\n: {text}\n\tat a.b(c)")
    with pytest.raises(CommitConflict, match=text.split(":")[0]):
        commit(spark, "MERGE")
    spark.sql.side_effect = RuntimeError("something else")
    with pytest.raises(RuntimeError, match="something else"):
        commit(spark, "MERGE")


@pytest.mark.parametrize("name", glue_versions.fit())
def test_maintenance_lists_orphans_as_each_glue_version_can(name: str) -> None:
    """Glue calls its builds such as 1.7.1-amzn-1."""
    from lake.maintenance import lists_by_prefix

    record = glue_versions.VERSIONS[name]
    has_it = glue_versions.Capability.PREFIX_LISTING in record.capabilities
    assert lists_by_prefix(record.iceberg) == lists_by_prefix(f"{record.iceberg}-amzn-1") == has_it


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_maintenance_job_takes_every_setting_of_the_configuration(dry_run: bool) -> None:
    from lake.maintenance import parse

    section = {"keep_snapshots": 3, "target_file_size_mb": 64, "optimizers": True}
    asked = maintain.arguments(Config.model_validate({"maintenance": section}), dry_run)
    others = {"--SILVER_DB": "d", "--SILVER_WAREHOUSE": "s3://b/w", "--LEDGER_TABLE": "t", "--TRANSFORM_JOB": "j"}
    found = parse(["maintenance.py", *(word for pair in (asked | others).items() for word in pair)])
    assert found.task == ("dry-run" if dry_run else "maintain")
    assert (found.settings.keep_snapshots, found.settings.target_file_size_mb) == (3, 64)

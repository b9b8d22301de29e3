"""SHOW and DESCRIBE, in the layouts of Athena's user guide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from athena_lake import SILVER, Answer, Lake, Query


@pytest.fixture(scope="module")
def shown(query: Query, client: Callable[..., Any], lake: Lake) -> Iterator[Query]:  # noqa: ARG001
    """A database with a hyphen in its name, an external table with two partitions in it, and a plain one."""
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": "show-me"})
    storage = {
        "Columns": [{"Name": "id", "Type": "int", "Comment": "a number"}, {"Name": "s", "Type": "struct<a:int>"}],
        "Location": f"s3://{SILVER}/show/",
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
            "Parameters": {"serialization.format": "1"},
        },
    }
    keys = [{"Name": "year", "Type": "string"}, {"Name": "month", "Type": "string"}]
    for name, partition_keys in (("parts", keys), ("plain", [])):
        table = {"Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": {"EXTERNAL": "TRUE"}}
        table |= {"StorageDescriptor": storage, "PartitionKeys": partition_keys}
        glue.create_table(DatabaseName="show-me", TableInput=table)
    for month in ("01", "02"):
        where = {**storage, "Location": f"s3://{SILVER}/show/year=2025/month={month}/"}
        glue.create_partition(
            DatabaseName="show-me",
            TableName="parts",
            PartitionInput={"Values": ["2025", month], "StorageDescriptor": where},
        )
    yield query
    query("DROP DATABASE `show-me` CASCADE")
    for name in ("parts", "plain"):
        glue.delete_table(DatabaseName="show-me", Name=name) if "show-me" in str(glue.get_databases()) else None


def _cells(answer: Answer) -> list[list[str]]:
    assert answer.page is not None, answer.reason
    return [[cell.strip() for cell in str(line[0]).split("\t")] for line in answer.lines]


def test_partitions_of_the_catalog(shown: Query) -> None:
    answer = shown("SHOW PARTITIONS `show-me`.`parts`")
    assert answer.columns == [("partition", "string")]
    assert sorted(answer.lines) == [["year=2025/month=01"], ["year=2025/month=02"]]
    assert shown("SHOW PARTITIONS `show-me`.plain").reason.endswith("Table plain is not a partitioned table")
    assert shown("SHOW PARTITIONS orders_silver").reason.startswith("NOT_SUPPORTED: ")


def test_describe(shown: Query) -> None:
    assert _cells(shown("DESCRIBE `show-me`.parts")) == [
        ["id", "int", "a number"],
        ["s", "struct<a:int>", ""],
        ["year", "string", ""],
        ["month", "string", ""],
        ["", "", ""],
        ["# Partition Information", "", ""],
        ["# col_name", "data_type", "comment"],
        ["", "", ""],
        ["year", "string", ""],
        ["month", "string", ""],
    ]
    iceberg = [line[0] for line in shown("DESCRIBE orders_silver").lines]
    assert iceberg[:3] == ["# Table schema:\t\t", "# col_name\tdata_type\tcomment", "order_id\tbigint\t"]
    assert iceberg[-4:] == [
        "\t\t",
        "# Partition spec:\t\t",
        "# field_name\tfield_transform\tcolumn_name",
        "order_date_day\tday\torder_date",
    ]
    assert shown("SHOW COLUMNS IN orders_silver").lines[0] == ["order_id"]
    assert _cells(shown("DESC `show-me`.parts id")) == [["id", "int", "a number"]]
    assert shown("DESCRIBE orders_silver nope").reason == "COLUMN_NOT_FOUND: line 1:1: Column 'nope' cannot be resolved"
    formatted = _cells(shown("DESCRIBE FORMATTED `show-me`.parts"))
    for row in (
        ["Database:", "show-me", ""],
        ["Location:", f"s3://{SILVER}/show/", ""],
        ["Table Type:", "EXTERNAL_TABLE", ""],
        ["", "EXTERNAL", "TRUE"],
        ["SerDe Library:", "org.openx.data.jsonserde.JsonSerDe", ""],
    ):
        assert row in formatted
    for sql in (
        "DESCRIBE EXTENDED orders_silver",
        "DESCRIBE FORMATTED orders_silver",
        "DESCRIBE `show-me`.parts PARTITION (year='2025')",
        "DESCRIBE orders_silver channel.x",
        "SHOW FUNCTIONS",
    ):
        assert shown(sql).reason.startswith("NOT_SUPPORTED: "), sql


def test_names_may_be_quoted_as_hive_does(shown: Query) -> None:
    assert shown("SHOW TABLES IN `show-me`").lines == [["parts"], ["plain"]]
    assert shown("SHOW TABLES IN `show-me` 'pa*|nothing'").lines == [["parts"]]
    assert shown("SHOW SCHEMAS LIKE 'show*'").lines == [["show-me"]]
    assert shown("SHOW DATABASES 'none'").lines == []
    assert _cells(shown("SHOW COLUMNS IN plain IN `show-me`")) == [["id"], ["s"]]
    assert _cells(shown("SHOW COLUMNS FROM `show-me`.`plain`")) == [["id"], ["s"]]
    assert shown("SHOW CREATE TABLE `show-me`.plain").lines[0] == ["CREATE EXTERNAL TABLE `show-me.plain`("]
    assert shown("SHOW TBLPROPERTIES `show-me`.plain('EXTERNAL')").lines == [["EXTERNAL\tTRUE"]]

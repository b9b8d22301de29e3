"""CREATE TABLE AS, INSERT INTO and UNLOAD, in every format that Athena writes, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from athena_lake import RESULTS, SILVER, WORKGROUP, Query
from pyiceberg.catalog.glue import GlueCatalog

WHERE = f"s3://{SILVER}/writing"
# A workgroup that enforces a place for results allows no external_location.
OWN_PLACE = {"WorkGroup": "primary", "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/athena/"}}
VALUES = (
    "CAST(1 AS tinyint) AS ti, 5 AS i, BIGINT '7' AS b, 1.5e0 AS d, CAST(1.5 AS real) AS r, DECIMAL '1.25' AS de, "
    "true AS bo, CAST('x,''y' AS varchar) AS s, DATE '2025-01-02' AS da, TIMESTAMP '2025-01-02 03:04:05.678' AS ts, "
    "X'0102' AS bi, ARRAY[1, 2] AS ar, MAP(ARRAY['k'], ARRAY[1.5e0]) AS ma, "
    "CAST(ROW(1, 'q') AS ROW(a integer, b varchar)) AS ro, CAST(NULL AS varchar) AS nu, CAST('ab' AS char(4)) AS ch"
)
READ = ["1", "5", "7", "1.5", "1.5", "1.25", "true", "x,'y", "2025-01-02", "2025-01-02 03:04:05.678", "01 02",
        "[1, 2]", "{k=1.5}", "{a=1, b=q}", None, "ab  "]  # fmt: skip


@pytest.fixture(scope="module")
def ask(query: Query) -> Iterator[Callable[[str], Any]]:
    """Rows of a SELECT, the number of changed rows else, the reason of a failure."""
    assert query("CREATE DATABASE writing").state == "SUCCEEDED"

    def run(sql: str, **options: Any) -> Any:
        answer = query(sql, database="writing", **{**OWN_PLACE, **options})
        if answer.page is None:
            return answer.reason
        return answer.rows if sql.startswith("SELECT") else answer.page.get("UpdateCount", 0)

    yield run
    assert query("DROP DATABASE writing CASCADE").state == "SUCCEEDED"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("parquet", "format = 'PARQUET', parquet_compression = 'SNAPPY'"),
        ("orc", "format = 'ORC'"),
        ("avro", "format = 'AVRO'"),
        ("avro_snappy", "format = 'AVRO', write_compression = 'SNAPPY'"),
        ("json", "format = 'JSON'"),
        ("text", "format = 'TEXTFILE', field_delimiter = '|', write_compression = 'NONE'"),
    ],
)
def test_a_table_of_each_format_is_made_and_grows(ask: Any, name: str, settings: str) -> None:
    with_ = f"{settings}, external_location = '{WHERE}/{name}/', partitioned_by = ARRAY['p']"
    assert ask(f"CREATE TABLE {name} WITH ({with_}) AS SELECT {VALUES}, 2025 AS p") == 1
    assert ask(f"SELECT * FROM {name}") == [[*READ, "2025"]]
    assert ask(f"INSERT INTO {name} (i, s, p) VALUES (8, 'new', 2026), (9, 'newer', 2025), (10, 'null', NULL)") == 3
    rows = ask(f"SELECT i, s, p FROM {name} ORDER BY i")
    assert rows == [["5", "x,'y", "2025"], ["8", "new", "2026"], ["9", "newer", "2025"], ["10", "null", None]]
    assert ask(f"SELECT count(*) FROM {name} WHERE p = 2026") == [["1"]]


def test_partitions_of_times(ask: Any, client: Callable[..., Any]) -> None:
    """dbt's microbatch models have them. The folders are named as Trino names them."""
    times = "TIMESTAMP '2020-01-01 00:00:00'), (2, TIMESTAMP '2020-01-02 03:04:05.600'"
    made = f"external_location = '{WHERE}/times/', partitioned_by = ARRAY['at']"
    assert ask(f"CREATE TABLE times WITH ({made}) AS SELECT * FROM (VALUES (1, {times})) AS t (id, at)") == 2
    assert ask("INSERT INTO times VALUES (3, TIMESTAMP '2020-01-02 03:04:05.600')") == 1
    after = "at > TIMESTAMP '2020-01-02 00:00:00-0'"
    assert ask(f"SELECT id, at FROM times WHERE {after} ORDER BY id") == [
        ["2", "2020-01-02 03:04:05.600"],
        ["3", "2020-01-02 03:04:05.600"],
    ]
    assert ask('SELECT at FROM "times$partitions" ORDER BY 1')[0] == ["2020-01-01 00:00:00.000"]
    found = client("glue").get_partitions(DatabaseName="writing", TableName="times")["Partitions"]
    assert sorted(each["Values"] for each in found) == [["2020-01-01 00:00:00"], ["2020-01-02 03:04:05.6"]]


def test_rows_of_a_bucketed_table_lie_where_hive_looks_for_them(ask: Any, client: Callable[..., Any]) -> None:
    """The hash of 'abc' is Java's, 96354; that of 2**32 + 1 is 0. Two columns: 31 times the first one's hash."""
    made = "bucketed_by = ARRAY['{}'], bucket_count = 4, partitioned_by = ARRAY['p']"
    rows = "SELECT * FROM (VALUES (1, BIGINT '4294967297', VARCHAR 'abc', DATE '1970-01-04', 'x')) t (i, b, s, d, p)"
    for column, bucket in (("i", 1), ("b", 0), ("s", 96354 % 4), ("d", 3), ("i', 's", (31 + 96354) % 4)):
        name = f"bucketed_{column[0]}{len(column)}"
        assert ask(f"CREATE TABLE {name} WITH ({made.format(column)}) AS {rows}") == 1
        [[path]] = ask(f'SELECT "$path" FROM {name}')
        assert path.rsplit("/", 2)[1:] == ["p=x", path.rsplit("/")[-1]]
        assert path.rsplit("/")[-1].startswith(f"{bucket:06}_0_"), (column, path)
    storage = client("glue").get_table(DatabaseName="writing", Name="bucketed_i6")["Table"]["StorageDescriptor"]
    assert (storage["BucketColumns"], storage["NumberOfBuckets"]) == (["i", "s"], 4)
    counted = "CREATE TABLE spread WITH (bucketed_by = ARRAY['i'], bucket_count = 3) AS SELECT i FROM UNNEST"
    assert ask(f"{counted}(sequence(1, 100)) t(i)") == 100
    assert ask('SELECT count(DISTINCT "$path"), count(*) FROM spread') == [["3", "100"]]


def test_iceberg_with_transforms(ask: Any, catalog: GlueCatalog) -> None:
    with_ = (
        f"table_type = 'ICEBERG', is_external = false, location = '{WHERE}/ice/', write_compression = 'ZSTD', "
        "partitioning = ARRAY['month(ts)', 'bucket(i, 4)', 'truncate(s, 2)'], vacuum_min_snapshots_to_keep = 3"
    )
    assert ask(f"CREATE TABLE ice WITH ({with_}) AS SELECT {VALUES}") == 1
    assert ask("SELECT * FROM ice") == [[*READ[:9], "2025-01-02 03:04:05.678000", *READ[10:]]]
    assert ask("INSERT INTO ice (i, ts) SELECT 6, TIMESTAMP '2025-02-01 00:00:00'") == 1
    table = catalog.load_table("writing.ice")
    assert [str(field.transform) for field in table.spec().fields] == ["month", "bucket[4]", "truncate[2]"]
    assert table.properties["write.parquet.compression-codec"] == "zstd"
    assert sorted(table.scan().to_arrow()["i"].to_pylist()) == [5, 6]


def test_no_data_and_the_default_location(ask: Any, client: Callable[..., Any]) -> None:
    assert ask("CREATE TABLE empty AS SELECT 1 AS a WITH NO DATA") == 0
    assert ask("SELECT * FROM empty") == []
    location = client("glue").get_table(DatabaseName="writing", Name="empty")["Table"]["StorageDescriptor"]["Location"]
    assert location.startswith(f"s3://{RESULTS}/athena/tables/")
    assert ask("INSERT INTO empty VALUES 2") == 1
    assert ask("SELECT * FROM empty") == [["2"]]
    assert ask("CREATE TABLE IF NOT EXISTS empty AS SELECT 1 AS a") == 0


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE x WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b", "HIVE_COLUMN_ORDER_MISMATCH: "),
        ("CREATE TABLE x WITH (partitioned_by = ARRAY['c']) AS SELECT 1 AS a", "INVALID_TABLE_PROPERTY: Partition col"),
        (
            "CREATE TABLE x WITH (partitioned_by = ARRAY['b']) AS SELECT 1 AS a, b FROM UNNEST(sequence(1, 101)) t(b)",
            "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers",
        ),
        ("CREATE TABLE x WITH (nope = 1) AS SELECT 1 AS a", "INVALID_TABLE_PROPERTY: table property 'nope' does"),
        ("CREATE TABLE x WITH (format = 'XML') AS SELECT 1 AS a", "INVALID_TABLE_PROPERTY: "),
        ("CREATE TABLE x WITH (format = 'ORC', field_delimiter = ',') AS SELECT 1 AS a", "INVALID_TABLE_PROPERTY: "),
        (
            "CREATE TABLE x WITH (bucketed_by = ARRAY['a']) AS SELECT 1 AS a",
            "INVALID_TABLE_PROPERTY: bucketed_by and bucket_count must be specified together",
        ),
        (
            "CREATE TABLE x WITH (bucketed_by = ARRAY['b'], bucket_count = 2) AS SELECT 1 AS a",
            "INVALID_TABLE_PROPERTY: Bucketing columns [b] not present in schema",
        ),
        (
            "CREATE TABLE x WITH (bucketed_by = ARRAY['a'], bucket_count = 2) AS SELECT TIMESTAMP '2025-01-01' AS a",
            "NOT_SUPPORTED: Table with bucketing on column a of type timestamp",
        ),
        ("CREATE TABLE x AS SELECT current_timestamp AS a", "NOT_SUPPORTED: Unsupported Hive type: timestamp(3) with"),
        ("CREATE TABLE x AS SELECT NULL AS a", "COLUMN_TYPE_UNKNOWN: "),
        ("CREATE TABLE x AS SELECT 1 AS a, 2 AS A", "DUPLICATE_COLUMN_NAME: "),
        (f"CREATE TABLE x WITH (external_location = '{WHERE}/') AS SELECT 1 AS a", "HIVE_PATH_ALREADY_EXISTS: "),
        ("UNLOAD (SELECT 1 AS a) TO 's3://x/y/'", "SYNTAX_ERROR: line 1:38: "),
        (f"UNLOAD (SELECT 1 AS a) TO '{WHERE}/' WITH (format = 'ORC')", "HIVE_PATH_ALREADY_EXISTS: "),
        ("UNLOAD (SELECT 1) TO 's3://x/y/' WITH (format = 'ORC')", "COLUMN_NAME_NOT_SPECIFIED: "),
    ],
)
def test_what_is_refused_leaves_nothing(ask: Any, client: Callable[..., Any], sql: str, reason: str) -> None:
    client("s3").put_object(Bucket=SILVER, Key="writing/taken", Body=b"x")

    def held() -> list[str]:
        listed = [client("s3").list_objects_v2(Bucket=bucket) for bucket in (SILVER, RESULTS)]
        return [each["Key"] for found in listed for each in found["Contents"] if "/tables/" in each["Key"]]

    before = held()
    assert ask(sql).startswith(reason)
    assert ask("SELECT * FROM x").startswith("TABLE_NOT_FOUND")
    assert held() == before


def test_a_workgroup_that_enforces_its_place(ask: Any) -> None:
    sql = f"CREATE TABLE x WITH (external_location = '{WHERE}/own/') AS SELECT 1 AS a"
    assert ask(sql, WorkGroup=WORKGROUP).startswith("The Create Table As Select query failed because it was submitted")


def test_values_are_cast_to_the_columns_and_never_cut(ask: Any) -> None:
    ask(
        f"CREATE EXTERNAL TABLE typed (a tinyint, d decimal(5,2), s varchar(3), day date) STORED AS PARQUET "
        f"LOCATION '{WHERE}/typed/'"
    )
    assert ask("INSERT INTO typed VALUES (1e0, 2, 'ab', TIMESTAMP '2025-01-02 10:00:00')") == 1
    assert ask("SELECT * FROM typed") == [["1", "2.00", "ab", "2025-01-02"]]
    assert ask("INSERT INTO typed (s) VALUES ('abcd')").startswith("INVALID_CAST_ARGUMENT: Cannot truncate non-space")
    assert ask("INSERT INTO typed (a) VALUES (1000)").startswith("NUMERIC_VALUE_OUT_OF_RANGE: ")
    assert ask("INSERT INTO typed (a) VALUES ('1')").startswith("TYPE_MISMATCH: Insert query has mismatched column")
    assert ask("INSERT INTO typed (b) VALUES (1)").startswith("COLUMN_NOT_FOUND: ")


def test_unload_and_its_manifest(query: Query, ask: Any, client: Callable[..., Any]) -> None:
    to = f"{WHERE}/unloaded/"
    answer = query(
        f"UNLOAD (SELECT n, n % 2 AS p FROM UNNEST(sequence(1, 4)) t(n)) TO '{to}' "
        "WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'gzip', partitioned_by = ARRAY['p'])",
        database="writing",
    )
    assert answer.state == "SUCCEEDED", answer.reason
    manifest = answer.execution["Statistics"]["DataManifestLocation"]
    key = manifest.removeprefix(f"s3://{RESULTS}/")
    paths = client("s3").get_object(Bucket=RESULTS, Key=key)["Body"].read().decode().split()
    assert len(paths) == 2
    assert all(path.startswith(to) and path.endswith(".gz") for path in paths)
    ask(
        "CREATE EXTERNAL TABLE unloaded (n bigint) PARTITIONED BY (p int) "
        f"ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION '{to}'"
    )
    assert query("MSCK REPAIR TABLE unloaded", database="writing").state == "SUCCEEDED"
    assert ask("SELECT p, sum(n) FROM unloaded GROUP BY 1 ORDER BY 1") == [["0", "6"], ["1", "4"]]

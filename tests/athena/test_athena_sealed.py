"""A query reaches the tables of the catalog and S3, and nothing else: no local file, no other host, no setting."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from athena_lake import SCHEMA, SILVER, Lake, Query
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.typedef import Record

SECRET = "word-of-a-local-file"
FUNCTIONS = ("read_csv", "READ_CSV", '"read_csv"', "read_csv_auto", "read_text", "read_blob", "read_parquet")
PLACES = (
    "SELECT * FROM (VALUES 1) AS v (a), LATERAL {}",
    "SELECT * FROM (VALUES 1) AS v (a) CROSS JOIN LATERAL {} AS t",
    "SELECT * FROM {}",
    "SELECT {}",
    "SELECT 1 WHERE EXISTS (SELECT * FROM {})",
    "WITH x AS (SELECT * FROM {}) SELECT * FROM x",
    "SELECT 1 UNION ALL SELECT a FROM (SELECT {} AS a)",
    "SELECT transform(ARRAY[1], x -> {})",
    "SELECT * FROM TABLE({})",
    "EXPLAIN SELECT * FROM {}",
    "INSERT INTO orders_silver SELECT * FROM {}",
    "CREATE TABLE sealed_ctas WITH (table_type='ICEBERG', is_external=false, location='s3://athena-silver/sealed/') "
    "AS SELECT * FROM {}",
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "local.csv"
    path.write_text(f"a\n{SECRET}\n")
    return path


@pytest.mark.parametrize("place", PLACES)
def test_table_functions_of_duckdb_are_unknown_everywhere(query: Query, file: Path, place: str) -> None:
    """Item 19: ``LATERAL read_csv('/etc/passwd')`` and its like are refused wherever they stand."""
    for function in FUNCTIONS:
        answer = query(place.format(f"{function}('{file}')"))
        assert answer.state == "FAILED", (function, answer.page)
        assert "not registered" in answer.reason, answer.reason


@pytest.mark.parametrize(
    "sql",
    [
        'WITH "{0}" AS (SELECT 1 AS a) SELECT 2 AS b UNION ALL SELECT * FROM (SELECT 1 AS a) WHERE a = 1',
        'SELECT (SELECT count(*) FROM (WITH "{0}" AS (SELECT 1 AS a) SELECT * FROM "{0}"))',
    ],
)
def test_a_with_query_may_have_any_name(query: Query, file: Path, sql: str) -> None:
    """Item 19: the name of a WITH query is only a name."""
    answer = query(sql.format(file))
    assert answer.state == "SUCCEEDED", answer.reason


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT * FROM "{0}"',
        "SELECT * FROM '{0}'",
        'SELECT * FROM (WITH "{0}" AS (SELECT 1 AS a) SELECT * FROM "{0}") CROSS JOIN "{0}"',
        'SELECT * FROM "{0}" WHERE EXISTS (WITH "{0}" AS (SELECT 1 AS a) SELECT * FROM "{0}")',
        'WITH x AS (SELECT * FROM "{0}"), "{0}" AS (SELECT 1 AS a) SELECT * FROM x',
        'WITH "{0}" AS (SELECT * FROM "{0}") SELECT * FROM "{0}"',
        'SELECT * FROM (WITH y AS (WITH "{0}" AS (SELECT 1 AS a) SELECT * FROM "{0}") SELECT * FROM "{0}")',
        "CREATE TABLE sealed_ctas WITH (table_type='ICEBERG', location='s3://athena-silver/sealed/') AS "
        'SELECT * FROM (WITH "{0}" AS (SELECT 1 AS a) SELECT * FROM "{0}") CROSS JOIN "{0}"',
        'DELETE FROM orders_silver WHERE order_id IN (SELECT 1 FROM "{0}")',
    ],
)
def test_a_path_is_no_table_whatever_a_with_query_elsewhere_is_called(query: Query, file: Path, sql: str) -> None:
    """Item 19: a quoted path as a table name never reaches DuckDB, though a WITH query elsewhere has that name."""
    for path in (str(file), str(file).replace("/local.csv", "/./local.csv"), "http://127.0.0.1:1/x.csv"):
        answer = query(sql.format(path))
        assert answer.state == "FAILED", answer.page
        assert "does not exist" in answer.reason or answer.reason.startswith("NOT_SUPPORTED"), answer.reason
        assert SECRET not in answer.reason


def test_with_queries_are_found_by_scope_and_without_case(query: Query) -> None:
    """Item 19: an inner WITH query hides an outer one, a later one is unknown to an earlier one, case is ignored."""
    sql = (
        "WITH a AS (SELECT 1 AS x), B AS (SELECT x + 1 AS x FROM A) "
        'SELECT b.x, (WITH a AS (SELECT 10 AS x) SELECT max(x) FROM "A") AS y, (SELECT max(x) FROM a) AS z FROM "b"'
    )
    assert query(sql).rows == [["2", "10", "1"]]
    assert query("WITH orders_silver AS (SELECT count(*) AS n FROM orders_silver) SELECT n FROM orders_silver").rows
    later = query("WITH a AS (SELECT * FROM b), b AS (SELECT 1 AS x) SELECT * FROM a")
    assert "Table 'awsdatacatalog.retail_silver.b' does not exist" in later.reason
    twice = query("WITH a AS (SELECT 1 AS x), A AS (SELECT 2 AS x) SELECT * FROM a")
    assert twice.reason == "DUPLICATE_NAMED_QUERY: WITH query name 'A' specified more than once"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT getenv('HOME')",
        "SELECT current_setting('s3_secret_access_key')",
        "SELECT COLUMNS('a') FROM (SELECT 1 AS a)",
        "SELECT * FROM (SELECT 1 AS a) PIVOT (sum(a) FOR a IN (1))",
        "SELECT 1 INTO x",
        "SELECT $x",
        "SELECT @x",
        "WITH a AS (INSERT INTO orders_silver SELECT * FROM orders_silver) SELECT * FROM a",
        "WITH a AS (DELETE FROM orders_silver) SELECT 1",
        "SELECT 1 IN orders_silver",
    ],
)
def test_syntax_and_functions_that_athena_does_not_have_are_refused(query: Query, sql: str) -> None:
    """Item 19: what may stand in a query is a list, and the list is Athena's."""
    before = query("SELECT count(*) FROM orders_silver").rows
    answer = query(sql)
    assert answer.state == "FAILED", answer.page
    assert answer.reason.split(":")[0] in ("NOT_SUPPORTED", "FUNCTION_NOT_FOUND", "COLUMN_NOT_FOUND"), answer.reason
    assert query("SELECT count(*) FROM orders_silver").rows == before


@pytest.mark.parametrize("location", ["{0}/t", "file://{0}/t", "../t", "http://127.0.0.1:1/t", "s3:/b/t", "S3://B/t"])
def test_a_table_is_made_in_s3_only(query: Query, tmp_path: Path, location: str) -> None:
    """Item 19: CREATE TABLE (AS) with ``location='/tmp/x'`` writes nothing there."""
    place = location.format(tmp_path)
    for sql in (
        f"CREATE TABLE sealed_ctas WITH (table_type='ICEBERG', is_external=false, location='{place}') AS SELECT 1 AS a",
        f"CREATE TABLE sealed_made (a int) LOCATION '{place}' TBLPROPERTIES ('table_type'='ICEBERG')",
    ):
        answer = query(sql)
        assert answer.state == "FAILED", sql
        assert answer.reason.startswith("INVALID_TABLE_PROPERTY"), answer.reason
    assert list(tmp_path.iterdir()) == []
    assert query("SHOW TABLES").lines == [["orders_silver"]]


@pytest.fixture
def other_host() -> Iterator[tuple[str, list[str]]]:
    """An HTTP server that nobody should call, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_PUT = do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", asked
    server.shutdown()


@pytest.mark.parametrize(
    "place", ["{file}", "file://{file}", "http://{host}/m.metadata.json", "{silver}?s3_endpoint={host}"]
)
def test_a_catalog_entry_leads_to_s3_on_the_endpoint_only(
    query: Query, client: Callable[..., Any], lake: Lake, tmp_path: Path, other_host: tuple[str, list[str]], place: str
) -> None:
    """Item 19: a ``metadata_location`` elsewhere is not opened, and the caller's keys are sent to nobody else."""
    metadata = tmp_path / "m.metadata.json"
    metadata.write_bytes(lake.catalog._load_file_io().new_input(lake.table.metadata_location).open().read())
    host, asked = other_host
    location = place.format(file=metadata, host=host, silver=lake.table.metadata_location)
    _entry(client, "elsewhere", location)
    try:
        for sql in ("SELECT * FROM elsewhere", 'SELECT * FROM "elsewhere$files"', "DELETE FROM elsewhere"):
            answer = query(sql)
            assert answer.state == "FAILED", (sql, answer.page)
        assert asked == []
    finally:
        client("glue").delete_table(DatabaseName="retail_silver", Name="elsewhere")


@pytest.mark.parametrize(
    "properties",
    [
        {"py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO"},
        {"s3.endpoint": "http://{host}"},
        {"write.data.path": "{folder}"},
        {"write.py-location-provider.impl": "subprocess.Popen"},
    ],
)
def test_a_tables_properties_do_not_choose_where_and_with_what_it_is_written(
    query: Query,
    client: Callable[..., Any],
    lake: Lake,
    tmp_path: Path,
    other_host: tuple[str, list[str]],
    properties: dict[str, str],
) -> None:
    """Item 19: PyIceberg takes the endpoint, the file system and Python classes from a table; the local Athena not."""
    host, asked = other_host
    raw = json.loads(lake.catalog._load_file_io().new_input(lake.table.metadata_location).open().read())
    raw["properties"] |= {key: value.format(host=host, folder=tmp_path) for key, value in properties.items()}
    key = "orders_silver/metadata/other.metadata.json"
    client("s3").put_object(Bucket=SILVER, Key=key, Body=json.dumps(raw))
    _entry(client, "elsewhere", f"s3://{SILVER}/{key}")
    try:
        answer = query("INSERT INTO elsewhere SELECT * FROM orders_silver WHERE order_id = 1")
        ignored = "py-io-impl" in properties or "s3.endpoint" in properties  # and the others are refused
        assert answer.state == ("SUCCEEDED" if ignored else "FAILED"), answer.reason
        assert asked == []
        assert list(tmp_path.iterdir()) == []
    finally:
        client("glue").delete_table(DatabaseName="retail_silver", Name="elsewhere")


@pytest.mark.parametrize("part", ["manifest list", "data file"])
def test_the_files_of_a_table_are_read_from_the_endpoint_only(
    query: Query, client: Callable[..., Any], lake: Lake, other_host: tuple[str, list[str]], part: str
) -> None:
    """Item 19: ``s3://bucket/key?s3_endpoint=HOST`` in a table's own metadata sends nothing to HOST."""
    host, asked = other_host
    if part == "data file":
        table = lake.catalog.create_table("retail_silver.elsewhere", SCHEMA, location=f"s3://{SILVER}/elsewhere")
        _add_data_file(table, f"s3://{SILVER}/elsewhere/data/x.parquet?s3_endpoint={host}&s3_use_ssl=false")
    else:
        raw = json.loads(lake.catalog._load_file_io().new_input(lake.table.metadata_location).open().read())
        for snapshot in raw["snapshots"]:
            snapshot["manifest-list"] += f"?s3_endpoint={host}&s3_use_ssl=false"
        key = "orders_silver/metadata/lists.metadata.json"
        client("s3").put_object(Bucket=SILVER, Key=key, Body=json.dumps(raw))
        _entry(client, "elsewhere", f"s3://{SILVER}/{key}")
    try:
        query("SELECT * FROM elsewhere")
        query("SELECT count(*) FROM elsewhere")
        assert asked == []
    finally:
        client("glue").delete_table(DatabaseName="retail_silver", Name="elsewhere")


def test_no_local_file_is_deleted_with_a_table(query: Query, lake: Lake, file: Path) -> None:
    """Item 19: DROP TABLE deletes the files that the table's metadata names, in S3 only."""
    table = lake.catalog.create_table("retail_silver.elsewhere", SCHEMA, location=f"s3://{SILVER}/elsewhere")
    _add_data_file(table, f"file://{file}")
    query("DROP TABLE elsewhere")
    assert file.exists()
    if lake.catalog.table_exists("retail_silver.elsewhere"):
        lake.catalog.drop_table("retail_silver.elsewhere")


def _add_data_file(table: Any, path: str) -> None:
    file = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=1,
        file_size_in_bytes=100,
        sort_order_id=None,
        spec_id=table.spec().spec_id,
        equality_ids=None,
        key_metadata=None,
    )
    with table.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        append.append_data_file(file)


def _entry(client: Callable[..., Any], name: str, location: str) -> None:
    client("glue").create_table(
        DatabaseName="retail_silver",
        TableInput={
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"table_type": "ICEBERG", "metadata_location": location},
            "StorageDescriptor": {"Location": f"s3://{SILVER}/orders_silver", "Columns": []},
        },
    )

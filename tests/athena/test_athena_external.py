"""External tables by Athena's own statements: made, found, read, altered, and dropped without their files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from athena_lake import SILVER, Query
from pyarrow import orc, parquet

Put = Callable[[str, bytes | str], None]


@pytest.fixture(scope="module")
def database(query: Query) -> Iterator[str]:
    assert query("CREATE DATABASE ext").state == "SUCCEEDED"
    yield "ext"
    assert query("DROP DATABASE ext CASCADE").state == "SUCCEEDED"


@pytest.fixture(scope="module")
def put(database: str, client: Callable[..., Any]) -> Put:
    s3 = client("s3")

    def write(key: str, body: bytes | str) -> None:
        s3.put_object(Bucket=SILVER, Key=f"{database}/{key}", Body=body)

    return write


@pytest.fixture(scope="module")
def ask(query: Query, database: str) -> Callable[[str], Any]:
    """Rows of a SELECT, lines of other statements, the reason of a failure."""

    def run(sql: str) -> Any:
        answer = query(sql.replace("@", f"s3://{SILVER}/{database}"), database=database)
        if answer.state != "SUCCEEDED":
            return answer.reason
        return answer.rows if sql.startswith("SELECT") else answer.lines

    return run


def _parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


ROWS = pa.table(
    {
        "id": pa.array([1, 2], pa.int64()),
        "name": ["x", None],
        "nested": [{"a": 1, "tags": ["p", "q"]}, None],
        "at": pa.array([0, 1_500_000], pa.timestamp("us")),
    }
)


def test_partitions_are_repaired_added_dropped_renamed_and_moved(ask: Any, put: Put) -> None:
    put("parts/day=2025-01-01/hour=1/f", _parquet(ROWS))
    put("parts/day=2025-01-02/hour=2/f", _parquet(ROWS))
    put("elsewhere/f", _parquet(ROWS))
    put("parts/day=2025-01-01/hour=1/_hidden", b"x")
    created = ask(
        "CREATE EXTERNAL TABLE parts (id bigint, name string, nested struct<a:bigint,tags:array<string>>, "
        "at timestamp) PARTITIONED BY (day string, hour int) STORED AS PARQUET LOCATION '@/parts/'"
    )
    assert created == []
    assert ask("SELECT * FROM parts") == []
    assert len(ask("MSCK REPAIR TABLE parts")) == 3
    assert ask("MSCK REPAIR TABLE parts") == []
    listed = """SELECT day, hour + 1 FROM "parts$partitions" WHERE hour < 3 ORDER BY day"""
    assert ask(listed) == [["2025-01-01", "2"], ["2025-01-02", "3"]]
    assert ask("SELECT id, nested, at, day, hour FROM parts WHERE day = '2025-01-02' ORDER BY id") == [
        ["1", "{a=1, tags=[p, q]}", "1970-01-01 00:00:00.000", "2025-01-02", "2"],
        ["2", None, "1970-01-01 00:00:01.500", "2025-01-02", "2"],
    ]
    assert ask("ALTER TABLE parts ADD PARTITION (day = '2030', hour = 3) LOCATION '@/elsewhere/'") == []
    assert ask("ALTER TABLE parts ADD PARTITION (day = '2030', hour = 3)").startswith("ALREADY_EXISTS")
    assert ask("ALTER TABLE parts ADD IF NOT EXISTS PARTITION (day = '2030', hour = 3)") == []
    assert ask("SELECT DISTINCT hour FROM parts WHERE hour > 2") == [["3"]]
    rename = "ALTER TABLE parts PARTITION (day = '2030', hour = 3) RENAME TO PARTITION (day = '2031', hour = 4)"
    assert ask(rename) == []
    assert ask("ALTER TABLE parts DROP PARTITION (day = '2025-01-01', hour = 1)") == []
    assert ask("ALTER TABLE parts DROP IF EXISTS PARTITION (day = '2025-01-01', hour = 1)") == []
    assert ask("ALTER TABLE parts DROP PARTITION (day = '2025-01-01', hour = 1)").startswith("ENTITY_NOT_FOUND")
    assert ask("SELECT day, count(*) FROM parts GROUP BY 1 ORDER BY 1") == [["2025-01-02", "2"], ["2031", "2"]]
    move = "ALTER TABLE parts PARTITION (day = '2031', hour = 4) SET LOCATION '@/parts/day=2025-01-01/hour=1/'"
    assert ask(move) == []
    assert ask("""SELECT count(*) FROM parts WHERE "$path" LIKE '%2025-01-01%'""") == [["2"]]
    assert ask("ALTER TABLE parts ADD PARTITION (day = 'x')").startswith("INVALID_PARTITION")
    again = ask("ALTER TABLE parts ADD PARTITION (day = '2040', hour = 9) LOCATION '@/parts/day=2025-01-02/'")
    assert again == []
    assert ask("SELECT * FROM parts").startswith("NOT_SUPPORTED")  # one file in two partitions


def test_partitions_of_what_has_none(ask: Any) -> None:
    ask("CREATE EXTERNAL TABLE whole (id bigint) STORED AS PARQUET LOCATION '@/whole/'")
    assert ask('SELECT * FROM "whole$partitions"').startswith("TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.ext")
    ask(
        "CREATE EXTERNAL TABLE projected (id bigint) PARTITIONED BY (n int) STORED AS PARQUET LOCATION '@/p/' "
        "TBLPROPERTIES ('projection.enabled' = 'true', 'projection.n.type' = 'integer', 'projection.n.range' = '1,9')"
    )
    assert ask('SELECT * FROM "projected$partitions"').startswith("NOT_SUPPORTED")


def test_columns_are_added_changed_and_replaced(ask: Any, put: Put, client: Callable[..., Any]) -> None:
    put("cols/f", _parquet(ROWS))
    ask("CREATE EXTERNAL TABLE cols (id bigint) STORED AS PARQUET LOCATION '@/cols/'")
    stored = client("glue").get_table(DatabaseName="ext", Name="cols")["Table"]["StorageDescriptor"]
    assert stored["Location"] == f"s3://{SILVER}/ext/cols"  # as Hive keeps a path
    assert ask("ALTER TABLE cols ADD COLUMNS (more int COMMENT 'new')") == []
    assert ask("ALTER TABLE cols CHANGE COLUMN more name string") == []
    assert ask("SELECT id, name FROM cols ORDER BY id") == [["1", "x"], ["2", None]]
    assert ask("ALTER TABLE cols REPLACE COLUMNS (name string, gone double)") == []
    assert ask("SELECT * FROM cols ORDER BY name") == [["x", None], [None, None]]
    assert ask("ALTER TABLE cols ADD COLUMNS (name int)").startswith("INVALID_TABLE_DEFINITION")
    assert ask("ALTER TABLE cols SET TBLPROPERTIES ('a' = 'b')") == []
    assert ask("ALTER TABLE cols SET LOCATION '@/nothing/'") == []
    assert ask("SELECT * FROM cols") == []
    assert ask("DROP TABLE cols") == []
    assert client("s3").head_object(Bucket=SILVER, Key="ext/cols/f")


def test_the_database_of_a_request_may_stand_in_backquotes(query: Query, database: str) -> None:
    """awswrangler's repair_table sends it so."""
    answer = query("SHOW TABLES 'nothing'", database=f"`{database}`")
    assert answer.state == "SUCCEEDED", answer.reason
    assert answer.execution["QueryExecutionContext"]["Database"] == f"`{database}`"


def test_a_bucketed_table_is_read_and_shown(ask: Any, put: Put) -> None:
    put("clustered/f", _parquet(ROWS))
    clause = "CLUSTERED BY (id) SORTED BY (name DESC) INTO 4 BUCKETS"
    clause = f"COMMENT 'of   two\n\nlines' {clause}"
    made = f"CREATE EXTERNAL TABLE clustered (id bigint, name string) {clause} STORED AS PARQUET LOCATION"
    assert ask(f"{made} '@/clustered/'") == []
    assert ask("SELECT id, name FROM clustered ORDER BY id") == [["1", "x"], ["2", None]]
    shown = [line for [line] in ask("SHOW CREATE TABLE clustered")]
    assert shown[0] == "CREATE EXTERNAL TABLE `clustered`("  # as it was named (awswrangler's tests)
    assert shown[shown.index("CLUSTERED BY (") :][:3] == ["CLUSTERED BY (", "  `id`)", "INTO 4 BUCKETS"]
    assert ["comment\tof two lines"] in ask("SHOW TBLPROPERTIES clustered")
    assert ask("INSERT INTO clustered VALUES (3, 'y')").startswith("NOT_SUPPORTED")
    openx = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
    assert ask(f"CREATE EXTERNAL TABLE of_openx (a int) {openx} LOCATION '@/of_openx/'") == []
    assert ["  'org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat'"] in ask("SHOW CREATE TABLE of_openx")


CSV = "1,x,2025-01-02\nz,\\N,2025-13-02\n3\n4.9,,oops,more\n"


def test_delimited_text(ask: Any, put: Put) -> None:
    put("csv/a.csv", "id,name,day\n" + CSV)
    ask(
        "CREATE EXTERNAL TABLE csv (id int, name string, day date) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
        "LOCATION '@/csv/' TBLPROPERTIES ('skip.header.line.count' = '1')"
    )
    assert ask("SELECT * FROM csv") == [
        ["1", "x", "2025-01-02"],
        [None, None, "2026-01-02"],  # Java's lenient dates
        ["3", None, None],
        ["4", "", None],
    ]
    put("nested/a", "1|a,b|k:1,j:2|x,2\n")
    ask(
        "CREATE EXTERNAL TABLE nested (id int, tags array<string>, counts map<string,int>, "
        "pair struct<s:string,n:int>) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' COLLECTION ITEMS TERMINATED BY ',' "
        "MAP KEYS TERMINATED BY ':' LOCATION '@/nested/'"
    )
    assert ask("SELECT tags[2], counts['j'], pair.s, pair.n FROM nested") == [["b", "2", "x", "2"]]


def test_opencsv_with_types_and_escapes(ask: Any, put: Put) -> None:
    put("open/a.csv", '"1";"a\\"b";"2025";"true"\n"2";"c;d";"0";"false"\n')
    ask(
        "CREATE EXTERNAL TABLE open (id int, name string, day date, ok boolean) "
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' "
        "WITH SERDEPROPERTIES ('separatorChar' = ';', 'quoteChar' = '\"', 'escapeChar' = '\\\\') LOCATION '@/open/'"
    )
    assert ask("SELECT * FROM open") == [["1", 'a"b', "1975-07-19", "true"], ["2", "c;d", "1970-01-01", "false"]]
    put("open/b.csv", '"";"x";"1";"true"\n')
    assert ask("SELECT * FROM open").startswith("HIVE_BAD_DATA")


JSON = (
    '{"ID": "7", "t": {"A": [1, 2], "m": {"k": 1.5}}, "at": "2025-01-02T03:04:05+0100", "s": {"x": 1}}\n{"id": null}\n'
)


def test_both_json_serdes(ask: Any, put: Put) -> None:
    put("json/a.json", JSON)
    columns = "(id int, t struct<a:array<int>,m:map<string,double>>, at timestamp, s string)"
    for name, serde in (
        ("openx", "org.openx.data.jsonserde.JsonSerDe"),
        ("hive", "org.apache.hive.hcatalog.data.JsonSerDe"),
    ):
        ask(f"CREATE EXTERNAL TABLE {name} {columns} ROW FORMAT SERDE '{serde}' LOCATION '@/json/'")
    assert ask("SELECT * FROM openx") == [
        ["7", "{a=[1, 2], m={k=1.5}}", "2025-01-02 02:04:05.000", '{"x":1}'],
        [None, None, None, None],
    ]
    assert ask("SELECT * FROM hive").startswith("HIVE_CURSOR_ERROR")  # "7" is no number there
    put("json2/a.json", '{"id": 7, "s": "x", "other": 1}\n')
    ask(
        "CREATE EXTERNAL TABLE hive2 (id int, s string) "
        "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' LOCATION '@/json2/'"
    )
    assert ask("SELECT * FROM hive2") == [["7", "x"]]


def test_orc(ask: Any, put: Put) -> None:
    file = io.BytesIO()
    orc.write_table(ROWS, file)
    put("orc/f", file.getvalue())
    ask(
        "CREATE EXTERNAL TABLE orc (number bigint, name string, nested struct<a:bigint,tags:array<string>>) "
        "STORED AS ORC LOCATION '@/orc/'"
    )
    assert ask("SELECT * FROM orc ORDER BY number") == [["1", "x", "{a=1, tags=[p, q]}"], ["2", None, None]]


PROJECTION = "TBLPROPERTIES ('projection.enabled' = 'true', {})"


def _properties(**values: str) -> str:
    return ", ".join(f"'{key.replace('__', '.')}' = '{value}'" for key, value in values.items())


def test_every_kind_of_projection(ask: Any, put: Put) -> None:
    for key in ("2025/01/05/01", "2025/01/06/02", "1999/01/06/01"):
        put(f"dates/{key}/f", key[:4])
    properties = _properties(
        projection__d__type="date", projection__d__format="yyyy/MM/dd/HH", projection__d__range="2000/01/01/00,NOW"
    )
    template = "'storage.location.template' = '@/dates/${d}/'"
    ask(
        "CREATE EXTERNAL TABLE dates (a int) PARTITIONED BY (d string) LOCATION '@/dates/' "
        + PROJECTION.format(f"{properties}, {template}")
    )
    assert ask("SELECT * FROM dates ORDER BY d") == [["2025", "2025/01/05/01"], ["2025", "2025/01/06/02"]]
    assert ask("SELECT count(*) FROM dates WHERE d > '2025/01/05/99'") == [["1"]]
    for key in ("eu/001/k1", "us/002/k2", "xx/003/k1", "eu/4/k1"):
        put(f"kinds/{key}/f", key[0])
    properties = _properties(
        projection__r__type="enum",
        projection__r__values="eu,us",
        projection__n__type="integer",
        projection__n__range="1,9",
        projection__n__digits="3",
        projection__k__type="injected",
    )
    template = "'storage.location.template' = '@/kinds/${r}/${n}/${k}'"
    ask(
        "CREATE EXTERNAL TABLE kinds (a string) PARTITIONED BY (r string, n int, k string) LOCATION '@/kinds/' "
        + PROJECTION.format(f"{properties}, {template}")
    )
    assert ask("SELECT * FROM kinds").startswith("CONSTRAINT_VIOLATION: For the injected projected partition column k")
    assert ask("SELECT * FROM kinds WHERE k IN ('k1', 'k2') ORDER BY n") == [
        ["e", "eu", "1", "k1"],
        ["u", "us", "2", "k2"],
    ]
    assert ask("SELECT r FROM kinds WHERE k = 'k2'") == [["us"]]


def test_partitions_of_dates_are_pruned_by_values(ask: Any, put: Put) -> None:
    for day in ("2025-01-05", "2025-01-06", "__HIVE_DEFAULT_PARTITION__"):
        put(f"days/d={day}/f", "1")
    ask("CREATE EXTERNAL TABLE days (a int) PARTITIONED BY (d date) LOCATION '@/days/'")
    ask("MSCK REPAIR TABLE days")
    for where, count in (
        ("d = DATE '2025-1-5'", "1"),
        ("d >= TIMESTAMP '2025-01-05 00:00:00'", "2"),
        ("d > DATE '2025-01-05'", "1"),
        ("d IS NULL", "1"),
        ("d <> DATE '2025-01-05' OR a = 1", "3"),
        ("d IN (DATE '2025-01-06', DATE '2020-01-01')", "1"),
    ):
        assert ask(f"SELECT count(*) FROM days WHERE {where}") == [[count]], where
    joined = "SELECT count(b.a), count(*) FROM days a LEFT JOIN days b ON a.d = b.d WHERE b.d IS NULL"
    assert ask(joined) == [["0", "1"]]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE x (a int) LOCATION '@/x/'", "NOT_SUPPORTED: CREATE TABLE without EXTERNAL"),
        ("CREATE EXTERNAL TABLE x (a int)", "INVALID_TABLE_PROPERTY: "),
        ("CREATE EXTERNAL TABLE x (a int, A string) LOCATION '@/x/'", "INVALID_TABLE_DEFINITION: "),
        ("CREATE EXTERNAL TABLE x (a int) STORED AS SEQUENCEFILE LOCATION '@/x/'", "NOT_SUPPORTED: "),
        ("ALTER TABLE nope ADD COLUMNS (x int)", "TABLE_NOT_FOUND: "),
        ("ALTER TABLE ext.made DO SOMETHING", "SYNTAX_ERROR: line 1:22: "),
        ("MSCK REPAIR TABLE made", "NOT_SUPPORTED: "),
    ],
)
def test_what_is_refused(ask: Any, sql: str, reason: str) -> None:
    ask("CREATE EXTERNAL TABLE IF NOT EXISTS made (a int) LOCATION '@/made/'")
    assert str(ask(sql)).startswith(reason)


@pytest.mark.parametrize(
    ("name", "code"), [("PARQUET", "HIVE_CANNOT_OPEN_SPLIT"), ("ORC", "HIVE_BAD_DATA"), ("AVRO", "HIVE_BAD_DATA")]
)
def test_a_broken_file_is_named(ask: Any, put: Put, name: str, code: str) -> None:
    put(f"broken_{name}/f", b"no file of any format")
    ask(f"CREATE EXTERNAL TABLE broken_{name} (a int) STORED AS {name} LOCATION '@/broken_{name}/'")
    reason = ask(f"SELECT sum(a) FROM broken_{name}")
    assert reason.startswith(f"{code}: ")
    assert f"ext/broken_{name}/f" in reason

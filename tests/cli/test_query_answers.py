"""``lakectl query``: answers of any size and form, whole or not at all, and a Ctrl-C that reaches the server."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError
from lakes import open_test_lake
from program_process import run_program

from lakectl.errors import Interruption, LakectlError
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.tables import query, result_file

MANY = "SELECT x, IF(x % 2 = 0, NULL, 'é \"x\", ' || chr(10)) AS t, '' AS e FROM UNNEST(sequence(1, 2345)) AS u (x)"
ROWS = [[str(x), None if x % 2 == 0 else 'é "x", \n', ""] for x in range(1, 2346)]
ENDLESS = "SELECT count(*) FROM " + " CROSS JOIN ".join(f"UNNEST(sequence(1, 9999)) AS t{n} (x{n})" for n in range(4))


def asked(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_program("query", *arguments, "-c", str(folder / "lake.yaml"), cwd=folder)


class OneFile:
    """An S3 that holds one object."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def get_object(self, Range: str, **_: Any) -> dict[str, Any]:
        first, last = (int(each) for each in Range.removeprefix("bytes=").split("-"))
        size = len(self.content)
        part = self.content[first : last + 1]
        return {"Body": io.BytesIO(part), "ContentRange": f"bytes {first}-{first + len(part) - 1}/{size}", "ETag": "e"}


@pytest.mark.parametrize("part", [1, 2, 3, 7, 1000])
def test_a_result_file_is_read_wherever_a_part_of_it_ends(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_file, "PART", part)
    written = b'"a","b"\n"1",""\n,"say ""\xc3\xa9"",\n"\n"",\n'
    wanted = [["a", "b"], ["1", ""], [None, 'say "é",\n'], ["", None]]
    assert list(result_file.rows(OneFile(written), "s3://b/k.csv")) == wanted


def test_a_result_file_that_breaks_off_is_an_error() -> None:
    with pytest.raises(LakectlError, match="ends within a row"):
        list(result_file.rows(OneFile(b'"a"\n"b"\n"c'), "s3://b/k.csv"))


def test_more_rows_than_a_page_in_each_form(folder: Path, tmp_path: Path) -> None:
    as_json = json.loads(asked(folder, MANY, "--output", "json").stdout)
    assert (as_json["columns"], as_json["types"], as_json["rows"]) == (
        ["x", "t", "e"],
        ["bigint", "varchar", "varchar"],
        ROWS,
    )
    assert {"id", "sql", "scanned", "milliseconds", "output"} <= set(as_json)
    out = tmp_path / "a.csv"
    out.write_text("what was there before")
    out.chmod(0o640)
    said = asked(folder, MANY, "--out", str(out))
    assert said.returncode == 0, said.stderr
    assert said.stderr.startswith("2,345 rows, ")
    with out.open(newline="") as file:
        assert list(csv.reader(file)) == [["x", "t", "e"], *([each or "" for each in row] for row in ROWS)]
    assert out.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]
    limited = asked(folder, MANY, "--limit", "3")
    assert limited.stdout.splitlines()[1:] == ['1\té "x", \\n\t', "2\t\\N\t", '3\té "x", \\n\t']
    assert limited.stderr.startswith("3 rows, ")


def test_a_parquet_file_has_athenas_types(folder: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    sql = (
        "SELECT x, IF(x = 2, NULL, x * DECIMAL '1.50') AS dec, x > 1 AS b, CAST(x AS double) AS d,"
        " DATE '2025-10-04' AS day, TIMESTAMP '2025-10-04 10:00:00.123' AS at, X'0aff' AS bin, ARRAY[x] AS arr,"
        " CAST(x % 9 AS tinyint) AS tiny,"
        " TIMESTAMP '2025-10-04 10:00:00.123 Europe/Paris' AS zoned, '' AS e FROM UNNEST(sequence(1, 1500)) AS u (x)"
    )
    out = tmp_path / "answer.parquet"
    said = asked(folder, sql, "--out", str(out))
    assert said.returncode == 0, said.stderr
    assert said.stdout == f"Wrote {out}.\n"
    table = pq.read_table(out)
    kinds = "int64 decimal128(22, 2) bool double date32[day] timestamp[us] binary string int8 string string"
    assert " ".join(map(str, table.schema.types)) == kinds
    row = table.slice(2, 1).to_pylist()[0]
    assert (row["x"], row["dec"], row["bin"], row["arr"], row["e"]) == (3, Decimal("4.50"), b"\n\xff", "[3]", "")
    assert row["zoned"] == "2025-10-04 10:00:00.123 Europe/Paris"
    assert table.column("dec").null_count == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("SELECT 1", "--out", "answer.xlsx"), "does not say what to write"),
        (("SELECT 1", "--output", "parquet"), "to a file only"),
        (("SELECT 1", "--csv", "--json"), "csv and json are asked for"),
        (("SELECT 1", "--json", "--out", "a.parquet"), "json is asked for, and a.parquet is to be parquet"),
        (("SELECT 1", "--out", "no/such/folder/a.csv"), "can't write to"),
        (("SELECT 1", "--out", "/dev/null", "--csv"), "is no file that could be replaced"),
        (("SELECT 1 AS a, 2 AS a", "--out", "twice.parquet"), "two columns are called 'a'"),
    ],
)
def test_what_can_not_be_written_is_said(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    said = asked(folder, *arguments)
    assert (said.returncode, said.stdout) == (64, "")
    assert told in said.stderr


def test_a_query_that_fails_leaves_no_file(folder: Path, tmp_path: Path) -> None:
    said = asked(folder, "SELECT 1 / (x - 5) FROM UNNEST(sequence(1, 9)) AS u (x)", "--out", str(tmp_path / "a.csv"))
    assert (said.returncode, "DIVISION_BY_ZERO" in said.stderr) == (1, True)
    # The second part of the answer is none that Parquet can hold.
    sql = "SELECT TIMESTAMP '2025-10-04 10:00:00.123456789' AS at FROM UNNEST(sequence(1, 2)) AS u (x)"
    said = asked(folder, sql, "--out", str(tmp_path / "a.parquet"))
    assert said.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_cancels_the_query_on_the_server_and_says_so(endpoint: Endpoint, folder: Path, tmp_path: Path) -> None:
    athena = open_test_lake(endpoint).client("athena")
    before = set(athena.list_query_executions(WorkGroup=workgroup(folder))["QueryExecutionIds"])
    command = [sys.executable, "-m", "lakectl", "query", ENDLESS, "--out", str(tmp_path / "a.csv")]
    process = subprocess.Popen(
        [*command, "-c", str(folder / "lake.yaml")], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    new: set[str] = set()
    while not new and time.monotonic() < deadline:
        time.sleep(0.05)
        new = set(athena.list_query_executions(WorkGroup=workgroup(folder))["QueryExecutionIds"]) - before
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    (query_id,) = new
    assert process.returncode == 130
    assert said.strip() == f"error: interrupted; query {query_id} is cancelled"
    assert athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]["State"] == "CANCELLED"
    assert list(tmp_path.iterdir()) == []


class Interrupted:
    """An Athena whose query runs on, and to which a Ctrl-C comes within a request, or while the query is waited for."""

    def __init__(self, within: str, stops: bool = True) -> None:
        self.within, self.stops, self.tokens, self.state = within, stops, [], "RUNNING"

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        self.tokens.append(request["ClientRequestToken"])
        if self.within == "start" and len(self.tokens) == 1:
            raise KeyboardInterrupt
        return {"QueryExecutionId": "q1"}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        if self.within == "look" and self.state == "RUNNING":
            raise KeyboardInterrupt
        return {"QueryExecution": {"QueryExecutionId": "q1", "Status": {"State": self.state}}}

    def stop_query_execution(self, **_: Any) -> None:
        if not self.stops:
            raise EndpointConnectionError(endpoint_url="http://x")
        self.state = "CANCELLED"


def lake_with(athena: Interrupted) -> Lake:
    names = SimpleNamespace(workgroup="wg", silver_database="silver")
    return cast(Lake, SimpleNamespace(client=lambda _: athena, names=names))


@pytest.mark.parametrize("within", ["start", "look"])
def test_a_ctrl_c_within_a_request_cancels_the_query_too(within: str) -> None:
    """The request may have reached Athena: with its token it is asked again, and tells which query it has started."""
    athena = Interrupted(within)
    with pytest.raises(Interruption, match="query q1 is cancelled"):
        query.ask(lake_with(athena), "SELECT 1")
    assert len(set(athena.tokens)) == 1


def test_a_query_that_can_not_be_cancelled_is_named() -> None:
    with pytest.raises(Interruption, match="query q1 could not be cancelled") as told:
        query.ask(lake_with(Interrupted("look", stops=False)), "SELECT 1")
    assert told.value.hint == "aws athena stop-query-execution --query-execution-id q1"


def workgroup(folder: Path) -> str:
    name = (folder / "lake.yaml").read_text().split()[1]
    return f"retail-wg-{name}"


@pytest.mark.long
@pytest.mark.parametrize(("form", "most"), [("csv", 150), ("json", 150), ("tsv", 150), ("parquet", 350)])
def test_a_million_rows_in_constant_memory(folder: Path, tmp_path: Path, form: str, most: int) -> None:
    """Megabytes at the highest. All rows in memory took 520 to 650; now 90 and, for Parquet, 216 are measured."""
    sql = (
        "SELECT a * 1000 + b AS id, 'a text of some length ' || CAST(b AS varchar) AS note, CAST(a AS double) AS part,"
        " IF(b % 3 = 0, NULL, b) AS maybe FROM UNNEST(sequence(1, 1000)) AS t (a), UNNEST(sequence(1, 1000)) AS u (b)"
    )
    measured = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    out = tmp_path / f"answer.{form}"
    command = [sys.executable, "-m", "lakectl", "query", sql, "--out", str(out), "-q", "-c", str(folder / "lake.yaml")]
    done = subprocess.run([sys.executable, "-c", measured, *command], capture_output=True, text=True, check=True)
    assert int(done.stdout) / 1024 < most
    if form == "csv":
        with out.open(newline="") as file:
            assert len({row[0] for row in csv.reader(file)}) == 1_000_001

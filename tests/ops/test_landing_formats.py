"""What `land` looks at in JSON Lines, Parquet, and CSV of another kind: by the code that the job reads them with."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from lakectl.config import Config
from lakectl.errors import UsageError
from lakectl.ops.landing import landing_file

SOURCES = Config.model_validate(
    {
        "sources": {
            "rides": {
                "keys": ["ride"],
                "file": {"format": "jsonl"},
                "columns": {
                    "ride": "bigint",
                    "at": {"type": "timestamp", "required": True},
                    "fare": {"type": "decimal(6,2)", "decimal_mark": ","},
                    "note": "string",
                },
            },
            "zones": {
                "keys": ["zone"],
                "loading": "snapshot",
                "file": {"format": "parquet"},
                "columns": {"zone": "int", "name": {"type": "string", "header": "Zone name"}, "fee": "decimal(4,1)"},
            },
            "drivers": {
                "keys": ["driver"],
                "file": {"delimiter": ";", "quote": "'", "encoding": "windows-1252", "nulls": ["NA"]},
                "columns": {"driver": "int", "name": "string", "rating": {"type": "double", "decimal_mark": ","}},
            },
        }
    }
).sources
RIDE = {"ride": 1, "at": "2025-09-01T12:00:00Z", "fare": 12.5, "note": None}


def check(path: Path, name: str, evolution: str = "fail") -> landing_file.LandingFile:
    return landing_file.check(path, name, SOURCES[name], "full", evolution=evolution)


def rides(folder: Path, *lines: Any, packed: bool = False) -> Path:
    path = folder / ("rides.jsonl.gz" if packed else "rides.jsonl")
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_json_lines_are_taken(tmp_path: Path, packed: bool) -> None:
    text = '{"RIDE": 2.0, "at": "2025-09-01", "fare": "3,50", "note": 1.10}'
    assert check(rides(tmp_path, RIDE, "", text, packed=packed), "rides").compressed == packed


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", ":2: it is not readable as JSON"),
        ("[1]", ":2: it is no JSON object"),
        (RIDE | {"note": {"deep": 1}}, ":2: it has a nested value in note"),
        (RIDE | {"tip": 1}, ":2: unknown tip"),
        ('{"ride": 1, "Ride": 2}', "a name comes twice"),
        (RIDE | {"ride": 1.5}, ":2: ride = '1.5': expected a whole number"),
        (RIDE | {"ride": None}, ":2: ride = '': expected a whole number"),
        (RIDE | {"at": None}, ":2: at = '': expected a timestamp"),
        (RIDE | {"fare": 1.234}, ":2: fare = '1.234': expected a number such as 147,43, a decimal(6,2)"),
        (RIDE | {"fare": "1.50"}, ":2: fare = '1.50': expected a number"),
    ],
)
def test_a_line_that_the_job_could_not_read_is_named(tmp_path: Path, line: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(rides(tmp_path, RIDE, line), "rides")
    assert says in caught.value.message


def test_a_further_field_is_taken_where_the_configuration_says_so(tmp_path: Path) -> None:
    check(rides(tmp_path, RIDE | {"tip": 1}), "rides", evolution="ignore")
    check(rides(tmp_path, RIDE | {"tip": 1}), "rides", evolution="add")
    with pytest.raises(UsageError, match="no column of silver can be called _lake_tip"):
        check(rides(tmp_path, RIDE | {"_lake_tip": 1}), "rides", evolution="add")


def zones(folder: Path, **columns: list[Any]) -> Path:
    path = folder / "zones.parquet"
    given = {"zone": [1], "Zone Name": ["Mitte"], "fee": [1.5], **columns}
    parquet.write_table(pyarrow.table({name: values for name, values in given.items() if values is not None}), path)
    return path


def test_parquet_is_taken_whatever_holds_the_same_values(tmp_path: Path) -> None:
    for columns in ({}, {"zone": [2.0]}, {"zone": ["3"]}, {"fee": ["1.5"]}, {"fee": [2]}, {"Zone Name": [7]}):
        check(zones(tmp_path, **columns), "zones")


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"fee": [1.55]}, "row 1: fee = '1.55': expected a number"),
        ({"zone": [1.5]}, "row 1: zone = '1.5': expected a whole number"),
        ({"zone": [None]}, "row 1: zone is empty: expected a whole number"),
        ({"zone": [date(2025, 1, 1)]}, "row 1: zone = '2025-01-01'"),
        ({"zone": [datetime(2025, 1, 1)]}, "row 1: zone = '2025-01-01 00:00:00.000000'"),
        ({"fee": [[1]]}, "column fee is list: only plain values are read"),
        ({"fee": None}, "wrong columns: missing fee"),
        ({"more": [1]}, "wrong columns: unknown more"),
        ({"zone": [], "Zone Name": [], "fee": []}, "no rows: nothing to land"),
    ],
)
def test_what_a_parquet_file_does_not_hold_is_named(tmp_path: Path, columns: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(zones(tmp_path, **columns), "zones")
    assert says in caught.value.message


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    whole = zones(tmp_path).read_bytes()
    for content, says in ((b"zone\n1\n", "not a Parquet file"), (whole[:-20], "not a Parquet file")):
        (tmp_path / "zones.parquet").write_bytes(content)
        with pytest.raises(UsageError, match=says):
            check(tmp_path / "zones.parquet", "zones")


def test_csv_of_another_kind_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "drivers.csv"
    path.write_bytes("driver;name;rating\n1;'J\xf6rg; the \"first\"';4,5\n2;'It''s';NA\n".encode("windows-1252"))
    check(path, "drivers")
    path.write_bytes(b"driver;name;rating\n1;J\x81rg;4,5\n")
    with pytest.raises(UsageError, match="byte 0x81 at offset 22: expected windows-1252 text"):
        check(path, "drivers")

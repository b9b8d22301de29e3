"""The keys of landed files, whatever their format."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from lakectl.ops.checks.landed_rows import Unreadable, key_of, key_of_silver, keys_in
from lakectl.spec.model import Column, FileFormat, SourceSpec

COLUMNS = (Column("zone_id", "bigint"), Column("day", "date"), Column("name", "string"))


def source(file: FileFormat | None = None, keys: tuple[str, ...] = ("zone_id",)) -> SourceSpec:
    return SourceSpec("zones", COLUMNS, keys, file or FileFormat())


def keys(body: bytes, described: SourceSpec, key: str = "zones.csv") -> Counter[object]:
    return Counter(keys_in(body, key, "s3://b/zones", described))


def test_csv_with_another_delimiter_quote_encoding_and_header_order() -> None:
    file = FileFormat(delimiter=";", quote="'", encoding="latin-1", nulls=("NA",))
    body = "name;ZONE_ID\n'a;b';007\n'Z\xfcrich';7\nx;NA\nbroken;1;2\n\n".encode("latin-1")
    assert keys(body, source(file)) == {7: 2, None: 1}


def test_json_lines_are_read_by_name_and_typed_as_the_job_does() -> None:
    file = FileFormat("jsonl", compression="gzip")
    lines = '{"zone_id": 7.0, "x": [1]}\n{"Zone_Id": "007"}\n{"zone_id": null}\n{"name": "a"}\nbroken\n[1]\n'
    assert keys(gzip.compress(lines.encode()), source(file), "zones.jsonl.gz") == {7: 2, None: 2}


def test_parquet_brings_types_of_its_own() -> None:
    file = io.BytesIO()
    parquet.write_table(pa.table({"ZONE_ID": [7, 8, None], "day": [date(2025, 9, 1)] * 3}), file)
    described = source(FileFormat("parquet"), ("zone_id", "day"))
    assert keys(file.getvalue(), described, "zones.parquet") == {
        (7, date(2025, 9, 1)): 1,
        (8, date(2025, 9, 1)): 1,
        None: 1,
    }


def test_what_is_no_file_of_the_format_is_named() -> None:
    with pytest.raises(Unreadable, match="s3://b/zones is loaded, but can't be read as parquet"):
        keys(b"nothing", source(FileFormat("parquet")))
    with pytest.raises(Unreadable, match="can't be read as csv"):
        keys(gzip.compress(b"zone_id\n1\n" * 99)[:-9], source(), "zones.csv.gz")


def test_a_source_without_keys_counts_rows() -> None:
    assert keys(b"zone_id,day,name\n1,,a\n1,,a\n", source(keys=())) == {(): 2}


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [("bigint", "007", "7"), ("int", "-01", "-1"), ("double", "7", "7.0")],
)
def test_keys_are_compared_as_typed_values(kind: str, one: str, other: str) -> None:
    """Texts that the job reads as one value are one key."""
    described = SourceSpec("s", (Column("k", kind),), ("k",))
    assert key_of({"k": one}, described) == key_of({"k": other}, described) is not None


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("bigint", "7", 7),
        ("double", "1.0E7", 1e7),
        ("date", "2025-09-01", date(2025, 9, 1)),
        ("decimal(9,2)", "1.50", Decimal("1.5")),
        ("boolean", "true", True),
        ("string", "007", "007"),
    ],
)
def test_keys_of_silver_are_read_from_athenas_text(kind: str, text: str, value: object) -> None:
    assert key_of_silver([text], SourceSpec("s", (Column("k", kind),), ("k",))) == value
